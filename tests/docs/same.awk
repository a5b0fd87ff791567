# SPDX-License-Identifier: MIT
# Is the second file what the first one shows? There a line "..." stands for any number of lines, or for none.

FILENAME == ARGV[1] { shown[++wanted] = $0; next }
{ printed[++found] = $0 }

function fits(from, at,    i) { # does the piece of `shown` that begins there lie in `printed` at that line?
    for (i = from; i <= wanted && shown[i] != "..."; i++)
        if (at > found || printed[at++] != shown[i])
            return 0
    return i > wanted ? at > found : 1
}
END {
    for (from = at = 1; from <= wanted; from++) {
        free = shown[from] == "..."
        if (free && from++ == wanted)
            exit 0
        while (free && at <= found && !fits(from, at))
            at++
        if (!fits(from, at)) {
            print "not printed where the page shows it: " shown[from]
            exit 1
        }
        while (from <= wanted && shown[from] != "...") {
            from++
            at++
        }
        from--
    }
    exit at <= found
}
