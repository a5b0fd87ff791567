# SPDX-License-Identifier: MIT
# What the program says about itself.

exits '--help' 0 'anomaly --help'
holds '--help: usage' 'Usage: anomaly [OPTION]... [FILE]...' out
equal '--help: nothing wider than a terminal' 0 "$(awk 'length > 100' out | wc -l | tr -d ' ')"
for option in $(grep -o -e '--[a-z][a-z-]*' out | sort -u); do
    holds "docs/program.md explains $option" "$option" "$root/docs/program.md"
done
exits '--version' 0 'anomaly --version'
equal '--version: name and number' 1 "$(grep -c '^anomaly [0-9]*\.[0-9]*\.[0-9]*$' out)"
exits '--options' 0 'anomaly --options'
equal '--options: the defaults of both detectors' 'threshold 3 0' "$(awk '$1 == "threshold" { print $1, $2, $3 }' out)"
for option in $(awk 'NR > 1 && /^[a-z]/ { print $1 }' out); do
    holds "docs/program.md explains -s $option" "\`$option\`" "$root/docs/program.md"
done
