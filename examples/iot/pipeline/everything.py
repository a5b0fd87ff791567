# SPDX-License-Identifier: MIT
"""All parts on this machine, without containers, until Ctrl-C: `python -m pipeline.everything`.

Kafka and PostgreSQL are on ports that are free, with data in folders that are removed at the end. A part that ends is
started again.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import shutil
import signal
import socket
import sys
import time
import urllib.request

from common.servers import Server, free_port, kafka_server, postgres_server

HERE = pathlib.Path(__file__).resolve().parent.parent
NEEDED = {"java": "Java", "mvn": "Maven", "kcat": "kcat"}


def lacking() -> list[str]:
    found = [name for program, name in NEEDED.items() if not shutil.which(program)]
    return found + ([] if any(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb")) else ["PostgreSQL"])


def taken(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def answers(url: str) -> bool:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as answer:
        return bool(answer.status == 200)


class Part(Server):
    """A process of the pipeline; what it says is shown with its name."""

    def __init__(self, name: str, *words: object, url: str = "", **environment: object) -> None:
        given = {**os.environ, **{key: str(value) for key, value in environment.items()}}
        super().__init__([sys.executable, "-m", *words], lambda: not url or answers(url), name=name, env=given, cwd=HERE)
        self._shown = 0

    def show(self) -> None:
        with open(self.folder / "log", "rb") as log:
            log.seek(self._shown)
            whole, end, _ = log.read().rpartition(b"\n")
        self._shown += len(whole + end)
        for line in whole.decode(errors="replace").splitlines():
            print(f"{self.name}: {line}", flush=True)


def consumer(name: str, **environment: str) -> Part:
    port = free_port()
    url = f"http://127.0.0.1:{port}/metrics"
    return Part(name, "pipeline.kafka_consumer", url=url, CONSUMER_NAME=name, METRICS_PORT=port, **environment)


def page(port: int, **environment: str) -> Part:
    url = f"http://127.0.0.1:{port}/_stcore/health"
    return Part("page", "streamlit", "run", "dashboard/app.py", "--server.port", port, url=url, **environment)


def run(stack: contextlib.ExitStack, port: int, rate: float) -> None:
    kafka, postgres = stack.enter_context(kafka_server()), stack.enter_context(postgres_server())
    where = {"KAFKA_BOOTSTRAP_SERVERS": kafka.broker, "DATABASE_URL": postgres.url}
    parts = [
        consumer("consumer-1", **where),
        consumer("consumer-2", **where),
        Part("producer", "pipeline.kafka_producer", "--rate", rate, **where),
        Part("webhook", "pipeline.webhook", **where),
        page(port, DASHBOARD_DATABASE_URL=where["DATABASE_URL"]),
    ]
    for one in parts:
        stack.enter_context(one)
    running = [kafka, postgres, *parts]
    print(*(f"export {name}={value}" for name, value in where.items()), sep="\n")
    print("Processes, kill -9 any:", ", ".join(f"{one.name} {one.process.pid}" for one in running if one.process))
    print(f"The page is http://127.0.0.1:{port}/ until Ctrl-C", flush=True)
    while True:
        time.sleep(0.5)
        for one in parts:
            one.show()
        for one in running:
            if one.process and one.process.poll() is not None:
                again(one)


def again(one: Server) -> None:
    """It may need several tries: what a killed PostgreSQL has left ends by itself, after a moment."""
    with contextlib.suppress(RuntimeError):
        one.start()
        print(f"{one.name} has ended and is started again: {one.process.pid if one.process else 0}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m pipeline.everything", description="All parts on this machine.")
    parser.add_argument("--port", type=int, default=8501, help="where the page is, on 127.0.0.1 (8501)")
    parser.add_argument("--rate", type=float, default=30.0, help="readings a second (30)")
    given = parser.parse_args()
    if lacking():
        raise SystemExit(f"missing: {', '.join(lacking())}. `make iot-all` in the repository installs them.")
    if taken(given.port):
        raise SystemExit(f"port {given.port} is taken: --port, or PORT for run.sh, is another one")
    ends = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in ends:
        signal.signal(number, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as stack:
        try:
            run(stack, given.port, given.rate)
        finally:
            for number in ends:  # all parts are ended, however often it is pressed
                signal.signal(number, signal.SIG_IGN)
            print("ends", flush=True)


if __name__ == "__main__":
    main()
