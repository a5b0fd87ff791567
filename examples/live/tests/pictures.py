#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes docs/img/live.png and docs/img/live-phone.png anew, with the sample file of the page."""

from pathlib import Path

from browser import chromium, until
from conftest import Service

IMAGES = Path(__file__).resolve().parents[3] / "docs" / "img"


def sample(page):
    page.click("#sample")
    until(page, "document.querySelectorAll('#feed li').length === 4")


def picture(page, name):
    page.locator("#metricList button", has_text="latency").click()
    until(page, "document.getElementById('chartTitle').textContent === 'latency'")
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(2500)  # the flash is over, the counters are of now
    page.screenshot(path=IMAGES / name)


def main():
    with Service() as service, chromium() as browser:
        with browser.page(service.url, width=1280, height=655) as page:
            sample(page)
            picture(page, "live.png")
        with browser.page(service.url, width=390, height=800, scheme="dark") as page:
            picture(page, "live-phone.png")


if __name__ == "__main__":
    main()
