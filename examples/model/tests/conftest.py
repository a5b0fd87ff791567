# SPDX-License-Identifier: MIT
"""The service as the tests see it: a process on a port of its own, with a folder of models of its own."""

import os
import pathlib
import sys

import httpx
import numpy as np
import pytest

from common.servers import Server, free_port
from common.state import DirectoryStates
from inference.model import Models, fit
from inference.rows import Rows
from simulate_stream import SENSORS, WEEK, readings

EXAMPLE = pathlib.Path(__file__).resolve().parent.parent


def rows_of(stream):
    """Rows of the simulated machine."""
    stream = list(stream)
    values, times = np.array([one.values for one in stream]), np.array([one.time for one in stream])
    return Rows(SENSORS, values, times, np.array([one.fault != "ok" for one in stream]))


def column(values, name="value"):
    """Rows of one feature, without times."""
    values = np.array(values, float).reshape(-1, 1)
    return Rows((name,), values, np.full(len(values), np.nan))


def cloud(seed=0):
    """S12: 1000 points of N(0, I), and the first 20 of uniform(-6, 6)^2 further out than 4."""
    source = np.random.default_rng(seed)
    around = source.uniform(-6, 6, size=(400, 2))
    values = np.vstack([source.normal(size=(1000, 2)), around[np.hypot(*around.T) > 4][:20]])
    return Rows(("x", "y"), values, np.full(len(values), np.nan))


@pytest.fixture(scope="session")
def machine():
    """The model of a week of the simulated machine."""
    return fit(rows_of(readings(WEEK, seed=1)))


class Service(Server):
    def __init__(self, folder, model=None, **settings):
        self.models = Models(DirectoryStates(folder))
        if model is not None:
            self.models.publish(model)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        given = {"model_dir": folder, "reload_seconds": 0.05, **settings}
        environment = {**os.environ, **{name.upper(): str(value) for name, value in given.items()}}
        command = [sys.executable, "-m", "uvicorn", "main:app", "--port", self.port, "--no-access-log"]
        super().__init__(command, self._is_up, name="model", env=environment, cwd=EXAMPLE)
        self.client = httpx.Client(base_url=self.url, timeout=120, trust_env=False)

    def _is_up(self):
        return httpx.get(self.url, trust_env=False).status_code == 200

    def __exit__(self, *_):
        self.client.close()
        super().__exit__()

    def get(self, path="/"):
        return self.client.get(path).json()

    def predict(self, *features, **more):
        return self.client.post("/predict", json={"features": features, **more})

    def send(self, stream, size=500):
        """Rows of the simulated machine, in batches: the predictions."""
        stream, found = list(stream), []
        for i in range(0, len(stream), size):
            rows = [{"features": one.values, "time": one.time} for one in stream[i : i + size]]
            answer = self.client.post("/predict/batch", json={"rows": rows})
            assert answer.status_code == 200, answer.text
            found += answer.json()["predictions"]
        return found

    def metrics(self):
        """By name with labels, as Prometheus reads them."""
        lines = [line for line in self.client.get("/metrics").text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}
