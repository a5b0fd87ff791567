# SPDX-License-Identifier: MIT
"""Starts the parts: `python -m anomaly.main api`, `python -m anomaly.main all`."""

from __future__ import annotations

import argparse
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from anomaly.config import Settings, prepare

if TYPE_CHECKING:
    import uvicorn


def config_of(settings: Settings, host: str, port: int) -> uvicorn.Config:
    import uvicorn  # late: the process that only starts others has no use for it

    from anomaly.api import create_app

    return uvicorn.Config(
        create_app(settings), host=host, port=port, access_log=False, log_level=settings.log_level.lower(),
        ws_max_size=64 * 1024, timeout_graceful_shutdown=5,
    )  # fmt: skip


def serve(settings: Settings, host: str, port: int) -> None:
    import uvicorn

    prepare(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # uvicorn raises it again when it has ended well: that is no failure
    config = config_of(settings, host, port)
    listening, server = config.bind_socket(), uvicorn.Server(config)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux cuts off who takes nothing for so long of what waits for him
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(settings.client_timeout * 1000))
    server.run(sockets=[listening])
    if not server.started:
        sys.exit(1)


def everything(settings: Settings, arguments: list[str]) -> int:
    """Each part as a process; when one ends, all do."""
    parts = [["main", "api", *arguments]] + [["processor", "--index", str(i)] for i in range(settings.processors)]
    parts += [["ingest"]] if settings.kafka_broker else []
    processes = [subprocess.Popen([sys.executable, "-m", f"anomaly.{name}", *rest]) for name, *rest in parts]

    told: list[bool] = []

    def end(*_: object) -> None:
        """Once: a part that is about to end must not be struck down by a second signal."""
        if not told:
            told.append(True)
            for process in processes:
                if process.poll() is None:
                    process.terminate()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    while all(process.poll() is None for process in processes):
        time.sleep(0.1)
    end()
    failed = [(name, process.returncode) for (name, *_), process in zip(parts, processes) if process.wait()]
    for name, status in failed:
        print(f"{name} ended with status {status}", file=sys.stderr)
    return max([abs(status) for _, status in failed], default=0)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m anomaly.main", description="Live metrics with a dashboard.")
    parser.add_argument("part", choices=["all", "api"])
    parser.add_argument("--host", help="where to listen (HOST, 127.0.0.1)")
    parser.add_argument("--port", type=int, help="the port (PORT, 8000)")
    given = parser.parse_args()
    settings = Settings()
    host, port = given.host or settings.host, settings.port if given.port is None else given.port
    if given.part == "all" and settings.backend == "redis":
        sys.exit(everything(settings, ["--host", host, "--port", str(port)]))
    serve(settings, host, port)


if __name__ == "__main__":
    main()
