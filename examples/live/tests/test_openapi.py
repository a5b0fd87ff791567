# SPDX-License-Identifier: MIT
"""What the service says of itself: requests made from its OpenAPI, wrong ones too, are answered as it says, never 500."""

import subprocess
import sys

import pytest

from common.quick import QUICK
from common.servers import redis_server
from conftest import Inside, Service

EXAMPLES = 5 if QUICK else 200


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.on_demand)])
def service(request):
    if request.param == "memory":
        with Inside() as one:
            yield one
        return
    with redis_server() as redis, Service(backend="redis", redis_url=redis.url) as one:
        yield one


def test_every_request_is_answered_as_documented(service, tmp_path):
    # Not whether its schema decides what is taken: a timestamp has its limits, and whatever a form holds may be a file.
    checks = ["--exclude-checks", "positive_data_acceptance,negative_data_rejection"]
    bounds = ["--max-examples", str(EXAMPLES), "--seed", "1", "--generation-database", "none", "--no-color"]
    command = [sys.executable, "-m", "schemathesis.cli", "run", service.url + "/openapi.json", *checks, *bounds]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "Tested: 7" in told.stdout
    assert service.health()["status"] == "ok"
