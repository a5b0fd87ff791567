#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What guard.lua adds to a request: `make bench-nginx`.

wrk against nginx with one worker each, alike but for guard.lua or an access log, in turns; the medians of the pairs' differences.
"""

import re
import statistics
import subprocess

from test_nginx import Nginx, settings

ROUNDS = 7
BAR_US = 20


def busy_us(nginx):
    (pid,) = nginx.worker_pids()
    with open("/proc/%d/schedstat" % pid) as f:
        return int(f.read().split()[0]) / 1000


def wrk(nginx, connections):
    """The median latency, and the worker's processor time for a request, in microseconds."""
    before = busy_us(nginx)
    out = subprocess.run(
        ["wrk", "-t1", "-c%d" % connections, "-d1s", "--latency", "http://127.0.0.1:%d/" % nginx.port],
        check=True, capture_output=True, text=True).stdout  # fmt: skip
    busy = busy_us(nginx) - before
    assert "Non-2xx" not in out, out
    value, unit = re.search(r" 50%\s+([\d.]+)(us|ms|s)", out).groups()
    latency = float(value) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]
    return latency, busy / int(re.search(r"(\d+) requests in", out)[1])


def main():
    without = [(r"log_by_lua_block.*", ""), (r"init_worker_by_lua_block.*", "")]
    switch_on = [(r"# (access_by_lua_block .*)# <- if you like.*", r"\1")]
    never = settings(interval=1, crowd="warmup = 1e9", own="warmup = 1e9")  # wrk alone would flag itself
    logging = without + [("access_log off", "access_log access.log")]  # nginx's own access log, for comparison
    print("added to a request, in microseconds (the bar: %d)   guard.lua   an access log" % BAR_US)
    with Nginx(never, replace=switch_on) as on, Nginx("", replace=without) as off, Nginx("", replace=logging) as log:
        for connections in 1, 8:
            rounds = [[wrk(n, connections) for n in (off, on, log)] for _ in range(ROUNDS)]
            for i, name in enumerate(("latency", "processor time")):
                guard, access_log = (statistics.median(r[k][i] - r[0][i] for r in rounds) for k in (1, 2))
                verdict = "ok" if guard < BAR_US else "MISS"
                print("%-20s %d connection(s) %20.1f %15.1f   %s" % (name, connections, guard, access_log, verdict), flush=True)


if __name__ == "__main__":
    main()
