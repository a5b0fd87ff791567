# SPDX-License-Identifier: MIT
"""A bucket in moto, and the page's server."""

import pathlib
import sys

import boto3
import pytest

import store
from common.servers import Server, free_port, moto_server

EXAMPLE = pathlib.Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def moto():
    with moto_server() as server:
        yield server


@pytest.fixture
def bucket(moto, monkeypatch, tmp_path):
    """The store as the handler opens it; each test has a bucket of its own."""
    for name, value in moto.environment.items():
        monkeypatch.setenv(name, value)
    name = tmp_path.name.replace("_", "-").strip("-")
    boto3.client("s3").create_bucket(Bucket=name)
    monkeypatch.setenv("BUCKET", name)
    return store.opened("dev")


class Site(Server):
    """The page and the insights below the folder; nothing writes any, unless `every` so many seconds a handler wakes."""

    def __init__(self, data, environment, every=0):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, EXAMPLE / "local.py", "--port", self.port, "--every", every]
        super().__init__(command, lambda: self.url in self.log(), "site", env={**environment, "DATA": str(data)})
