# SPDX-License-Identifier: MIT
"""The service as the tests see it: a process on a port of its own."""

import os
import pathlib
import sys

import httpx
import pytest

from common.servers import Server, free_port, redis_server, wait_until

EXAMPLE = pathlib.Path(__file__).resolve().parent.parent
START = 1737460800  # 2025-01-21T12:00:00Z


class Service(Server):
    def __init__(self, *parts, wait=True, **settings):
        """wait: it is up once all parts are; else once it answers."""
        self.wait = wait
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        environment = {**os.environ, **{name.upper(): str(value) for name, value in settings.items()}}
        command = [sys.executable, "-m", "anomaly.main", *(parts or ["all"]), "--port", self.port]
        super().__init__(command, self._is_up, name="service", env=environment, cwd=EXAMPLE)
        self.client = httpx.Client(base_url=self.url, timeout=60, trust_env=False)

    def _is_up(self):
        health = httpx.get(self.url + "/health", trust_env=False).json()
        return health["status"] == "ok" or not self.wait

    def __exit__(self, *_):
        self.client.close()
        super().__exit__()

    def memory(self):
        """Bytes it has in use."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0]) * 1024

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
