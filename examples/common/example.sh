# SPDX-License-Identifier: MIT
# Sourced by the run.sh of an example, which has set `here` (its folder), `common` (this one) and `name`: where its
# environment and files are, the path of its modules, and how what runs in the background is ended.
BUILD=${BUILD:-build}
mkdir -p "$BUILD/$name"
BUILD=$(cd "$BUILD" && pwd)
work=$BUILD/$name pid=$BUILD/$name/pid python=$BUILD/$name/venv/bin/python
PYTHONPATH=$here:$(dirname "$common")
PYTHONPYCACHEPREFIX=$work/pycache # nothing is written beside the sources
export BUILD PYTHONPATH PYTHONPYCACHEPREFIX

environment() { "$common/venv.sh" "$work/venv" "${@:-$here/requirements.txt}" >/dev/null; } # [REQUIREMENTS...]
down() { # what wrote its process id to $pid
    [ -e "$pid" ] || return 0
    kill "$(cat "$pid")" 2>/dev/null || true
    while kill -0 "$(cat "$pid")" 2>/dev/null; do sleep 0.1; done
    rm -f "$pid"
}
usage() { # the head of the script, and how it ends then
    sed -n '3,/^set /s/^# \{0,1\}//p' "$0"
    exit 2
}
