#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes docs/img/iot.png and docs/img/iot-phone.png anew, of five minutes of simulated sensors."""

import itertools
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

from common.browser import chromium
from common.events import sensors
from page import Page, Readings
from pipeline.kafka_producer import encoded

IMAGES = Path(__file__).resolve().parents[3] / "docs" / "img"


def five_minutes(readings):
    begin = datetime.now(timezone.utc) - timedelta(minutes=2)  # still new once the pictures are made
    messages = [
        encoded(reading, begin + timedelta(seconds=i / 30)) for i, reading in enumerate(itertools.islice(sensors(1), 9000))
    ]
    readings.store.write([readings.judge.judge(enumerate(messages))])
    readings.run("DELETE FROM outbox")
    for part in ("consumer", "webhook"):
        readings.part(part, ago=-300)  # seen until the pictures are made


def main():
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{folder}/iot.sqlite"
        readings = Readings(database)
        five_minutes(readings)
        with Page(database) as server, chromium() as browser:
            looks = [("iot.png", 1280, 1420, "light"), ("iot-phone.png", 390, 1300, "dark")]
            for name, width, height, scheme in looks:
                ready = "[data-testid=stVegaLiteChart] svg"
                with browser.page(server.url, ready=ready, width=width, height=height, scheme=scheme) as page:
                    page.locator("[data-testid=stVegaLiteChart] svg").nth(3).wait_for()
                    page.wait_for_timeout(4000)
                    page.screenshot(path=IMAGES / name)
        readings.close()


if __name__ == "__main__":
    main()
