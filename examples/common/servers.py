# SPDX-License-Identifier: MIT
"""Real servers for demonstrations and tests: on loopback, each on a port that is free, its files in a folder of its own.

A server is up when it answers in its own protocol, whatever it logs. Only processes that were started here are ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any

PATIENCE = 180.0


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
            self.process = subprocess.Popen(  # type: ignore[call-overload]  # in a group of its own, with what it starts
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **self.options
            )
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
        """Its exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def kill(self) -> int:
        """With all that it has started."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        return self.process.wait(PATIENCE)

    def __enter__(self):  # type: ignore[no-untyped-def]  # Self is newer than Python 3.9
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def redis_server() -> Server:
    """Redis that has in its file whatever it has acknowledged: after a kill it has it too."""
    port = free_port()

    def up() -> bool:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as s:
            s.sendall(b"PING\r\n")
            return s.recv(16).startswith(b"+PONG")

    kept = ["--save", "", "--appendonly", "yes", "--appendfsync", "always"]  # else it may answer before it has written
    server = Server(["redis-server", "--port", port, "--bind", "127.0.0.1", *kept], up)
    server.options["cwd"] = server.folder
    server.url = f"redis://127.0.0.1:{port}/0"  # type: ignore[attr-defined]
    return server


def kafka_server() -> Server:
    """A broker of one node, at `broker`; what it has acknowledged it has after a kill too. kafka.sh brings it, once."""
    script, port, controller = pathlib.Path(__file__).with_name("kafka.sh"), free_port(), free_port()
    broker = f"127.0.0.1:{port}"

    def up() -> bool:  # it lists its topics and itself: before, it cannot make any
        listed = subprocess.run(["kcat", "-b", broker, "-L", "-m", "5"], capture_output=True, text=True)
        return listed.returncode == 0 and " 1 brokers:" in listed.stdout

    subprocess.run([script], check=True)
    server = Server([script], up, "kafka")
    server.command += [str(server.folder), str(port), str(controller)]
    server.broker = broker  # type: ignore[attr-defined]
    return server


def moto_server() -> Server:
    """What stands for AWS (S3, SNS, SQS, Kinesis, DynamoDB, EventBridge, ...), at `url`; a stop loses what it holds.

    `environment` has what boto3 takes from the environment to speak with it, and with nobody else.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"

    def up() -> bool:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            url + "/moto-api/data.json", timeout=5
        ) as answer:
            return bool(json.load(answer) is not None)

    server = Server([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", port], up, "moto")
    server.url = url  # type: ignore[attr-defined]
    server.environment = {  # type: ignore[attr-defined]
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }
    return server


def _runs(pid: int) -> bool:
    """False also where it has ended and nobody has asked how."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Postgres(Server):
    """PostgreSQL at `url`, as a user that needs no password; what was committed it has after a kill too."""

    def __init__(self, **settings: str) -> None:
        programs = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        self.url = f"postgresql://tester@127.0.0.1:{(port := free_port())}/postgres"
        super().__init__([programs / "postgres"], self._is_up, "postgres")
        data = self.folder / "data"
        self._psql = [str(programs / "psql"), self.url, "-qAtc", "SELECT 1"]
        fixed = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        self.command += ["-D", str(data), *(f"-c{name}={value}" for name, value in {**fixed, **settings}.items())]
        init = [str(programs / "initdb"), *["-A", "trust", "-U", "tester", "--locale=C.UTF-8", "-N", "-D"], str(data)]
        data.mkdir(mode=0o700)
        if os.geteuid() == 0:  # as which PostgreSQL does not run
            self.folder.chmod(0o755)
            shutil.chown(data, "postgres", "postgres")
            other = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
            self.command, init = other + self.command, other + init
        self.options["cwd"] = self.folder
        subprocess.run(init, check=True, stdout=subprocess.DEVNULL, cwd=self.folder)

    def _is_up(self) -> bool:
        return subprocess.run(self._psql, capture_output=True, text=True, check=False).stdout == "1\n"

    def kill(self) -> int:
        """Its processes have groups of their own, and one that is left would hold up the next start."""
        assert self.process is not None
        listed = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        children = [int(pid) for pid in listed.read_text().split()] if listed.exists() else []
        status = super().kill()
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not any(map(_runs, children)), "all of PostgreSQL has ended")
        return status


def postgres_server(**settings: str) -> Postgres:
    """With settings of postgresql.conf. It does not wait for the disk, unless fsync="on"."""
    return Postgres(**settings)


class Mails:
    """A mail server in a thread, which keeps what it gets; `slow` are the seconds that it takes for each."""

    def __init__(self) -> None:
        self.port, self.slow = free_port(), 0.0
        self.mails: list[tuple[list[str], str]] = []  # recipients, text
        self._controller: object = None

    async def handle_DATA(self, _server, _session, envelope) -> str:  # type: ignore[no-untyped-def]  # noqa: N802  # aiosmtpd's name
        await asyncio.sleep(self.slow)
        self.mails.append((envelope.rcpt_tos, envelope.content.decode()))
        return "250 OK"

    def start(self) -> None:
        from aiosmtpd.controller import Controller

        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()  # type: ignore[attr-defined]
        self._controller = None

    def __enter__(self) -> Mails:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Webhook:
    """A web server in a thread, which keeps the JSON that is posted to it. `answers` are status, headers and body for the
    next posts, 200 afterwards; `slow` are the seconds that each takes."""

    def __init__(self) -> None:
        self.port, self.slow = free_port(), 0.0
        self.url = f"http://127.0.0.1:{self.port}/services/T000/B000/SECRET"
        self.posts: list[dict[str, object]] = []  # that were answered with 200
        self.tries: list[float] = []  # when each post came
        self.answers: list[tuple[int, dict[str, str], str]] = []
        self._server: http.server.ThreadingHTTPServer | None = None
        self._connections: list[socket.socket] = []

    def start(self) -> None:
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hook.tries.append(time.monotonic())
                time.sleep(hook.slow)
                status, headers, text = hook.answers.pop(0) if hook.answers else (200, {}, "ok")
                if status == 200:
                    hook.posts.append(body)
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(text.encode()))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                pass

        class Listener(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def process_request(self, request: Any, client_address: Any) -> None:
                hook._connections.append(request)
                super().process_request(request, client_address)

            def handle_error(self, *_: object) -> None:
                pass  # a client that was killed

        self._server = Listener(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            for connection in self._connections:  # also those that a client keeps
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._server, self._connections = None, []

    def __enter__(self) -> Webhook:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
