# SPDX-License-Identifier: MIT
# Takes a page apart into what tests/docs/lib.sh does with it, in the order of the page, below -v dir=DIRECTORY:
# N.name and N.body for a block with title="NAME"; N.run and N.want for each command of a block ```console.

function step(part) { return sprintf("%s/%03d.%s", dir, n, part) }
function wants(line) { print line >step("want") }

!inside && /^```/ {
    inside = 1
    console = $0 ~ /^```console( |$)/
    body = ""
    if (match($0, /title="[^"]+"/)) {
        n++
        print substr($0, RSTART + 7, RLENGTH - 8) >step("name")
        body = step("body")
        printf "" >body
    }
    next
}
inside && /^```$/ { inside = goes_on = 0; next }
inside && body { print >body }
inside && console && goes_on { sub(/^> /, ""); print >step("run"); goes_on = /\\$/; next }
inside && console && /^\$ / {
    n++
    printf "" >step("want")
    print substr($0, 3) >step("run")
    goes_on = /\\$/
    next
}
inside && console { wants($0) }
