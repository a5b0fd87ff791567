# SPDX-License-Identifier: MIT
"""All of it on this machine: serves the page and the insights, and is the clock that starts the handler, each time anew.

python local.py --port 8002 --every 5    a batch every 5 seconds, after ten minutes of history; --every 0 only serves
"""

from __future__ import annotations

import argparse
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import store
from handler import INSIGHTS, WAITING
from judge import Settings
from traffic import ROUND, Traffic, text

HERE = Path(__file__).resolve().parent
POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class Files(http.server.SimpleHTTPRequestHandler):
    """page/ and insights/, and nothing else: not the state, not the traffic."""

    data = Path()
    timeout = 30  # of a client that says nothing

    def translate_path(self, path: str) -> str:
        inside = super().translate_path(path)[len(self.directory) :].lstrip("/")  # without .. and the like
        if inside in ("", "index.html"):
            return str(HERE / "page" / "index.html")
        if inside.startswith(INSIGHTS):
            return str(self.data / inside)
        return str(HERE / inside) if inside.startswith("page/") else str(HERE / "nothing")

    def list_directory(self, path: str | os.PathLike[str]) -> None:
        self.send_error(404)

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        pass


def wake_up() -> str:
    """What the handler says of itself; its error is on the terminal, and what waited waits for the next."""
    told = subprocess.run([sys.executable, HERE / "handler.py"], stdout=subprocess.PIPE, text=True, check=False)
    if told.returncode:
        return f"the handler failed with status {told.returncode}"
    return ", ".join(f"{count} {name}" for name, count in json.loads(told.stdout).items() if count)


def tick(every: float, seed: int, ending: threading.Event) -> None:
    """Ten minutes of history in batches of one minute, unless there is a state; then what has come since, for ever."""
    where, traffic = store.opened(Settings.of().stage), Traffic(seed)
    at = begin = int(time.time()) - (0 if where.get("state") else ROUND)
    while not ending.is_set():
        until = min(at + 60, int(time.time()))
        if until > at:
            where.put(f"{WAITING}{at}.csv", text(traffic.seconds(at, at - begin, until - at)), 0)
            print(f"{until - at:2} s of traffic: {wake_up()}", flush=True)
        if until - at < 60:
            ending.wait(every)
        at = max(at, until)  # also while the clock has been put back


def main() -> None:
    parser = argparse.ArgumentParser(description="The page, and a clock that wakes the handler")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8002)
    parser.add_argument("--every", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if "BUCKET" in os.environ:
        parser.error("BUCKET is set, but this serves the directory DATA: unset BUCKET")
    try:
        Files.data = Path(os.environ.setdefault("DATA", "data")).resolve() / Settings.of().stage
        server = http.server.ThreadingHTTPServer((given.host, given.port), Files)
    except (ValueError, OSError) as error:
        parser.error(f"{error} ({given.host}, port {given.port})" if isinstance(error, OSError) else str(error))
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    signal.signal(signal.SIGINT, lambda *_: ending.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://{given.host}:{given.port}/", flush=True)
    if given.every:
        tick(given.every, given.seed, ending)
    ending.wait()


if __name__ == "__main__":
    main()
