# SPDX-License-Identifier: MIT
"""nginx with TLS in front of two services on one Redis, started by the commands of the README."""

import json
import ssl
import subprocess

import httpx
from websockets.sync.client import connect

from common.servers import Server, free_port, redis_server
from conftest import EXAMPLE, Service, csv_of, minute_of_tens

ROOT = EXAMPLE.parents[1]


def proxy(folder, ports):
    """nginx in that folder, and its port."""
    block = (EXAMPLE / "README.md").read_text().split("```sh\nmkdir -p build/live/tls")[1].split("```")[0]
    lines = ("mkdir -p build/live/tls" + block).replace("build/live/tls", str(folder)).splitlines()
    for line in lines[:2]:
        subprocess.run(["sh", "-ec", line], cwd=ROOT, check=True, capture_output=True, timeout=60)
    port, conf = free_port(), folder / "nginx.conf"
    text = conf.read_text().replace("127.0.0.1:8443", f"127.0.0.1:{port}")
    conf.write_text(text.replace("server 127.0.0.1:8000;", "".join(f"server 127.0.0.1:{one};" for one in ports)))
    trust = ssl.create_default_context(cafile=folder / "cert.pem")
    ask = httpx.Client(base_url=f"https://localhost:{port}", verify=trust, trust_env=False, timeout=60)
    command = ["sh", "-c", f"PATH=$PATH:/usr/sbin; exec {lines[2]}"]
    return Server(command, lambda: ask.get("/health").status_code == 200, name="nginx"), ask, trust


def test_tls_in_front_of_two_services(tmp_path):
    audit = tmp_path / "audit"
    with redis_server() as redis:
        settings = {"backend": "redis", "redis_url": redis.url, "audit_log": audit, "snapshot_seconds": 1}
        with Service(**settings) as first, Service("api", **settings) as second:
            nginx, ask, trust = proxy(tmp_path / "tls", [first.port, second.port])
            with nginx:
                address = str(ask.base_url).replace("https", "wss") + "/ws/anomalies"
                own = {"origin": str(ask.base_url), "ssl": trust, "proxy": None}
                with connect(address, **own) as one, connect(address, **own) as other:
                    assert [first.health()["websockets"], second.health()["websockets"]] == [1, 1]
                    forged = {"X-Forwarded-For": "192.0.2.1", "Origin": str(ask.base_url)}
                    file = {"file": ("day.csv", csv_of(minute_of_tens("m")))}
                    assert ask.post("/upload", files=file, headers=forged).json()["success_count"] == 60
                    assert [json.loads(socket.recv(30))["value"] for socket in (one, other)] == [95, 95]
                assert "Live anomalies" in ask.get("/").text
            ask.close()
    entries = [json.loads(line) for line in audit.read_text().splitlines()]
    assert {entry["client"] for entry in entries} == {"127.0.0.1"}
