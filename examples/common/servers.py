# SPDX-License-Identifier: MIT
"""Real servers for demonstrations and tests: on loopback, each on a port that is free, its files in a folder of its own.

A server is up when it answers in its own protocol, whatever it logs. Only processes that were started here are ended.
"""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence

PATIENCE = 60.0


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def wait_until(done: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Until it answers something true; what it raises counts as no."""
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(Exception):
            if done():
                return
        if time.monotonic() > end:
            raise TimeoutError(f"after {seconds:g} s: not yet {what}")
        time.sleep(0.02)


class Server:
    """A process that can be stopped, killed and started again, with the same port and files."""

    def __init__(self, command: Sequence[object], up: Callable[[], object], name: str = "", **options: object) -> None:
        self.command, self.up, self.options = [str(word) for word in command], up, options
        self.name = name or pathlib.Path(self.command[0]).name
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{self.name}-"))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.options)  # type: ignore[call-overload]
        try:
            wait_until(lambda: self._ended() or self.up(), f"{self.name} is up")
            if self._ended():
                raise RuntimeError(f"{self.name} ended with status {self.process.returncode}")
        except Exception as error:
            raise RuntimeError(f"{self.name} did not start; its log:\n{self.log()}") from error

    def _ended(self) -> bool:
        assert self.process is not None
        return self.process.poll() is not None

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Its exit status; with SIGKILL it has no chance to save anything."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def kill(self) -> int:
        return self.stop(signal.SIGKILL)

    def __enter__(self):  # type: ignore[no-untyped-def]  # Self is newer than Python 3.9
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None and not self._ended():
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
