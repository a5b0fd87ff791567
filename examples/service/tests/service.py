# SPDX-License-Identifier: MIT
"""The service as the tests see it: a process, clients of its sockets, its metrics."""

import http.client
import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

BUILD = pathlib.Path(os.environ.get("BUILD", "build")).resolve()
PROGRAM = BUILD / "anomaly-service"
WRAPPER = shlex.split(os.environ.get("WRAPPER", ""))
PATIENCE = 120 if WRAPPER else 20  # seconds until a test that waits gives up


class Service:
    """One process, on ports that the system chooses."""

    def __init__(self, *options, log=None):
        command = [*WRAPPER, str(PROGRAM), "-l", "127.0.0.1:0", "-m", "127.0.0.1:0", *map(str, options)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        self.log = ""
        self.settled = threading.Event()  # it is ready, or has ended
        self.reader = threading.Thread(target=self._read_log, daemon=True)
        self.reader.start()
        self.settled.wait(PATIENCE)
        self.port = self._port("lines")
        self.metrics_port = self._port("metrics")

    def _read_log(self):
        for line in self.process.stderr:
            self.log += line.decode()
            if line == b"anomaly-service: ready\n":
                self.settled.set()
        self.process.stderr.close()
        self.process.wait()
        self.settled.set()

    def _port(self, what):
        found = re.search(rf"{what} on 127\.0\.0\.1:(\d+)", self.log)
        return int(found.group(1)) if found else None

    def client(self, **options):
        return Client(socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE), **options)

    def get(self, path="/metrics", method="GET", body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.metrics_port, timeout=PATIENCE)
        connection.request(method, path, body)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, text

    def metric(self, name):
        for line in self.get()[2].splitlines():
            if line.startswith(f"anomaly_service_{name} "):
                return float(line.split()[-1])
        raise KeyError(name)

    def wait_for(self, name, wanted):
        """Until a metric has the value."""
        end = time.monotonic() + PATIENCE
        while (value := self.metric(name)) != wanted and time.monotonic() < end:
            time.sleep(0.02)
        return value

    def memory(self):
        """Bytes of memory it has in use."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * 1024
        raise KeyError("VmRSS")

    def end(self, number=signal.SIGTERM):
        """Its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        return status


class Client:
    def __init__(self, connection):
        self.socket = connection
        self.file = connection.makefile("rb")

    def send(self, *lines):
        self.socket.sendall("".join(line + "\n" for line in lines).encode())

    def raw(self, data):
        self.socket.sendall(data)

    def flood(self):
        """Events, and no reply read, until the connection takes no more."""
        self.socket.settimeout(0.3)
        try:
            while True:
                self.raw(b"cpu 1\n" * 10000)
        except OSError:
            pass

    def reply(self):
        """The next line; empty at the end."""
        return self.file.readline().decode().rstrip("\n")

    def replies(self, count):
        return [self.reply() for _ in range(count)]

    def ask(self, *lines):
        """One reply for each line."""
        self.send(*lines)
        return self.replies(len(lines))

    def finish(self):
        """Says that there is no more to come; everything that is left to read."""
        self.socket.shutdown(socket.SHUT_WR)
        rest = self.file.read().decode().splitlines()
        self.close()
        return rest

    def close(self):
        self.file.close()
        self.socket.close()


def fields(reply):
    """`3 ok score=1 flags=-`: {"n": "3", "is": "ok", "score": "1", ...}"""
    number, verdict, *rest = reply.split(" ")
    return {"n": number, "is": verdict, **dict(pair.split("=", 1) for pair in rest)}


class Case(unittest.TestCase):
    """A folder of its own; every service that it starts has to end well, unless it was killed."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.state = self.folder / "state"

    def start(self, *options):
        service = Service(*options)
        self.addCleanup(self._stop, service)
        self.assertIsNone(service.process.poll(), service.log)
        return service

    def _stop(self, service):
        if service.process.poll() is None:
            self.assertEqual(service.end(), 0, service.log)

    def fails(self, *options):
        """What it says before it ends with status 2."""
        service = Service(*options)
        self.assertEqual(service.end(), 2, service.log)
        return service.log
