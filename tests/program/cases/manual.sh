# SPDX-License-Identifier: MIT
# The manual's examples print what it says: every block that begins with a command with options.

ln -s "$data" examples-data
mkdir -p examples && ln -s "$data" examples/data
awk '
    /^```/ { if (out != "") close(out); out = ""; inside = !inside; first = inside; next }
    inside && first && /^\$ (build\/)?anomaly (-|examples)/ {
        n++; out = "manual." n; sub(/^\$ (build\/)?/, ""); print >"manual." n ".run"; first = 0; printf "" >out; next
    }
    { first = 0 }
    out != "" { print >out }
    END { print n }' "$root/docs/program.md" >count
equal 'the manual has examples to try' 8 "$(cat count)"
for run in manual.*.run; do
    expected=$work/${run%.run}
    command=$(cat "$run")
    case $command in
    *examples/data*) directory=. ;;
    *) directory=examples-data ;;
    esac
    (cd "$directory" && eval "$command") >found 2>&1
    same "the manual: $command" "$expected" found
done
