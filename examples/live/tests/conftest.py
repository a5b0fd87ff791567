# SPDX-License-Identifier: MIT
"""The service as the tests see it: on a port of its own, as a process or in a thread."""

import os
import pathlib
import sys
import threading

import httpx
import pytest
import uvicorn

from anomaly.config import Settings
from anomaly.main import config_of
from common.servers import Server, free_port, redis_server, wait_until

EXAMPLE = pathlib.Path(__file__).resolve().parent.parent
START = 1737460800  # 2025-01-21T12:00:00Z


class Client:
    """Of a service on a free port; no TLS, so nothing to load for it."""

    def __init__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = httpx.Client(base_url=self.url, timeout=60, trust_env=False, verify=False)

    def send(self, metric, value, timestamp=START, **more):
        return self.client.post("/events/raw", json={"metric": metric, "value": value, "timestamp": timestamp, **more})

    def upload(self, name, content, **options):
        return self.client.post("/upload", files={"file": (name, content)}, **options)

    def anomalies(self, limit=1000):
        return self.client.get("/anomalies", params={"limit": limit}).json()["anomalies"]

    def health(self):
        return self.client.get("/health").json()

    def settled(self, metric=None):
        """The anomalies, of one metric or of all, newest first, once the queue is empty."""
        wait_until(lambda: self.health()["queue_size"] == 0, "the queue is empty")
        return [one for one in self.anomalies() if metric in (one["metric"], None)]


class Service(Client, Server):
    """A process, which can be stopped and killed."""

    def __init__(self, *parts, wait=True, **settings):
        """wait: it is up once all parts are; else once it answers."""
        Client.__init__(self)
        self.wait = wait
        environment = {**os.environ, **{name.upper(): str(value) for name, value in settings.items()}}
        command = [sys.executable, "-m", "anomaly.main", *(parts or ["all"]), "--port", self.port]
        Server.__init__(self, command, self._is_up, name="service", env=environment, cwd=EXAMPLE)

    def _is_up(self):
        return self.health()["status"] == "ok" or not self.wait

    def __exit__(self, *_):
        self.client.close()
        super().__exit__()

    def memory(self):
        """Bytes it has in use."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0]) * 1024


class Inside(Client):
    """In a thread of the tests, which starts in a moment: for all that needs neither the process nor Redis."""

    def __init__(self, **settings):
        super().__init__()
        self.server = uvicorn.Server(config_of(Settings(**settings), "127.0.0.1", self.port))
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        wait_until(lambda: self.health()["status"] == "ok", "the service is up")
        return self

    def __exit__(self, *_):
        self.client.close()
        self.server.should_exit = True
        self.thread.join()


@pytest.fixture(scope="module", params=["memory", "redis"])
def backend(request):
    """Settings of each backend; the same tests run on both."""
    if request.param == "memory":
        yield {"backend": "memory"}
        return
    with redis_server() as redis:
        yield {"backend": "redis", "redis_url": redis.url}


@pytest.fixture(scope="module")
def service(backend):
    """One for all tests of a file, which keep apart by the names of their metrics."""
    with Service(**backend) as one:
        yield one


@pytest.fixture
def metric(request):
    return request.node.name


def csv_of(rows):
    """A CSV file of (metric, value, timestamp)."""
    return "metric,value,timestamp\n" + "".join(f"{metric},{value},{at}\n" for metric, value, at in rows)


def minute_of_tens(metric, odd=40):
    """Sixty events, ten seconds apart, one of them odd: z-score 13.863294 with a window of 300 s."""
    return [(metric, 95 if k == odd else 50 + k % 10, START + 10 * k) for k in range(60)]
