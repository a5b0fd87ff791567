# SPDX-License-Identifier: MIT
"""The page as a process, and readings for its database."""

import json
import os
import sys
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path

from common.servers import Server, free_port, wait_until
from pipeline.config import Settings
from pipeline.judge import Judge
from pipeline.store import open_store

EXAMPLE = Path(__file__).resolve().parents[1]


class Page(Server):
    def __init__(self, database):
        self.database, self.url = database, f"http://127.0.0.1:{free_port()}"
        command = [sys.executable, "-m", "streamlit", "run", "dashboard/app.py", "--server.port", self.url.split(":")[-1]]
        environment = {**os.environ, "DASHBOARD_DATABASE_URL": database, "DASHBOARD_REFRESH_SECONDS": "1"}
        super().__init__(command, self._is_up, name="page", env=environment, cwd=EXAMPLE)

    def _is_up(self):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(self.url + "/_stcore/health", timeout=5) as answer:
            return answer.status == 200


class Readings:
    """Judges and writes as the consumer does, in one partition."""

    def __init__(self, database):
        self.store = open_store(database)
        self.store.fix_partitions(1)
        self.judge = Judge(Settings(_env_file=None), 0, 1, self.store.claim(0))

    def send(self, sensor, metric, *values, ago=0.0):
        """A second apart, the last so many seconds ago."""
        last = datetime.now(timezone.utc) - timedelta(seconds=ago)
        times = [last - timedelta(seconds=len(values) - 1 - i) for i in range(len(values))]
        messages = [
            json.dumps({"sensor_id": sensor, "metric_type": metric, "value": value, "timestamp": time.isoformat()}).encode()
            for value, time in zip(values, times)
        ]
        self.store.write([self.judge.judge(list(enumerate(messages, self.judge.position)))])

    def ordinary(self, sensor, metric, base, number=30, ago=0.0):
        self.send(sensor, metric, *(round(base + 0.1 * (i % 10), 1) for i in range(number)), ago=ago)

    def part(self, name, problem="", ago=0.0):
        """What a part says of itself, so many seconds ago."""
        seen = datetime.now(timezone.utc) - timedelta(seconds=ago)
        with self.store.transaction():
            self.store.execute("DELETE FROM health WHERE part = %s", (name,))
            self.store.execute("INSERT INTO health VALUES (%s, %s, %s)", (name, seen, problem))

    def run(self, sql, *values):
        with self.store.transaction():
            return self.store.execute(sql, values)

    def close(self):
        self.store.close()


def number(page, label):
    """One of the large numbers."""
    shown = page.locator("[data-testid=stMetric]", has_text=label).locator("[data-testid=stMetricValue]")
    return int(shown.text_content().replace(",", ""))


def rows(page, key):
    """What a table shows, from what it tells those who cannot see."""
    cells = page.locator(f".st-key-card_{key} canvas table tbody tr")
    return [line.locator("td").all_text_contents() for line in cells.all()]


def told(page):
    return page.locator("[data-testid=stAlert]").all_text_contents()


def until(page, done, what, seconds=240):
    """The page's own events go on meanwhile."""
    wait_until(lambda: page.wait_for_timeout(50) or done(), what, seconds)
