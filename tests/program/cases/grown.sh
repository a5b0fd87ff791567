# SPDX-License-Identifier: MIT
# --resume where a row depends on the lines before it, and where the text is unpacked or of another encoding: the runs
# over a file that grows write what one run over all of it writes.

grows() { # NAME FILE LINES-AT-FIRST OPTION...
    what=$1 file=$2 lines=$3
    shift 3
    anomaly -d zscore -w 50 -a -q -o csv --fields line,key,time,value "$@" "$file" >expected 2>&1
    head -n "$lines" "$file" >"grown.$file"
    rm -f "$file.state" "$file.out.csv"
    for part in first second; do
        anomaly -d zscore -w 50 -a -q --state "$file.state" --resume --out "$file.out.csv" --fields line,key,time,value \
            "$@" "grown.$file" 2>&1
        tail -n "+$((lines + 1))" "$file" >>"grown.$file"
        lines=$(wc -l <"$file")
    done
    same "grown: $what" expected "$file.out.csv"
}

cp "$here"/data/sar.txt "$here"/data/iostat.txt "$here"/data/latin1.csv "$here"/data/utf16.csv .
sed 's/PM/AM/; s/^\(0[89]\|1[01]\)\(.*\)AM/\1\2PM/' sar.txt >midnight.txt # the times pass midnight
grows 'sar, past midnight' midnight.txt 20 -v %user
equal 'grown: the next day' 2025-03-05 "$(sed -n '$s/.*,\(2025-03-..\)T.*/\1/p' expected)"
grows 'iostat, between two tables' iostat.txt 41 -v tps
grows 'iostat, inside a table' iostat.txt 27 -v tps

# At first as many rows of processors as of disks, and the processors are read: so they are later, too.
sed 9d iostat.txt >few.txt
head -n 10 few.txt >more.txt
for part in first second; do
    anomaly -d zscore -w 50 -a -q --state m --resume --out more.csv --fields line,value more.txt 2>&1
    tail -n +11 few.txt >>more.txt
done
equal 'grown: the table that was read before' 25 "$(wc -l <more.csv | tr -d ' ')"
grows 'Latin-1' latin1.csv 12 --encoding latin1 -T Zeit -k Ort

# A packed file cannot grow, but one of two files may be read again.
cp "$here"/data/load.csv.zst "$here"/data/load.csv.xz .
for file in load.csv.zst load.csv.xz; do
    anomaly -d zscore -w 50 -a -q --state s --resume --out out.csv --fields line,value $file
    cp out.csv expected
    anomaly -d zscore -w 50 -a -q --state s --resume --out out.csv --fields line,value $file
    same "grown: $file is not read twice" expected out.csv
    rm -f s out.csv
done
