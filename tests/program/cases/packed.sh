# SPDX-License-Identifier: MIT
# gzip, zstd and xz: known by their first bytes; members one behind the other; cut and damaged; from a pipe in pieces.

cp "$here"/data/load.csv* . && rm -f ./*.answer
anomaly -d zscore -a -q -o csv --fields line,key,value -k host load.csv >expected
tail -n +2 expected | awk -F, -v OFS=, '{ $1 += 49; print }' | cat expected - >twice # the second header is a row: rejected
size() { wc -c <"$1" | tr -d ' '; }

for packing in gz zst xz; do
    file=load.csv.$packing
    cp "$file" no-name
    run='anomaly -d zscore -a -q -o csv --fields line,key,value -k host'
    exits "packed: $packing by its first bytes" 0 "$run no-name"
    same "packed: $packing by its first bytes" expected out
    exits "packed: $packing in small pieces" 0 "(head -c 1 $file; sleep .1; tail -c +2 $file | head -c 90; sleep .1; tail -c +92 $file) | $run"
    same "packed: $packing in small pieces" expected out
    cat "$file" "$file" >two
    exits "packed: two members of $packing" 1 "$run two"
    same "packed: two members of $packing" twice out
    (cat "$file" && head -c 8 /dev/zero && cat "$file" && head -c 512 /dev/zero) >padded
    exits "packed: two members of $packing with NUL bytes behind them" 1 "$run padded"
    same "packed: two members of $packing with NUL bytes behind them" twice out

    # What lies before the fault is judged, wherever the fault is.
    for part in 1 9 50; do
        (cat "$file" && head -c $(($(size "$file") * part / 100 + 1)) "$file") >cut
        exits "packed: $packing, cut" 1 "$run cut"
        head -n 49 out >before
        same "packed: $packing, cut at $part % of the second member" expected before
    done
    (cat "$file" && head -c $(($(size "$file") - 20)) "$file") >cut
    exits "packed: $packing, cut" 1 "$run cut"
    holds "packed: $packing, cut" ' data ends too early' err
    (cat "$file" && printf 'this is no member of anything') >damaged
    exits "packed: $packing, damaged" 1 "$run damaged"
    holds "packed: $packing, damaged" 'damaged: damaged ' err
    same "packed: $packing, damaged: what is before is judged" expected out
done

# A row whose rest is missing is none: of 100265 a 1002 has come.
(echo value && seq 100000 103000) | gzip -n >numbers.gz
for bytes in 500 777 1500 2300; do
    head -c $bytes numbers.gz >cut
    exits "packed: cut in a number, at byte $bytes" 1 'anomaly -d zscore -a -q -o csv --fields value cut'
    equal "packed: cut in a number, at byte $bytes" "$(($(wc -l <out) - 1 + 99999))" "$(tail -n 1 out)"
done

# A name says the form below the packing.
for packing in gz zst xz; do
    cp load.csv.$packing "load.ndjson.$packing"
    exits "packed: the form by a name with .$packing" 1 "anomaly load.ndjson.$packing"
    holds "packed: the form by a name with .$packing" 'JSON' err
done
