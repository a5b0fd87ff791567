# SPDX-License-Identifier: MIT
"""Makes docs/img/microbatch.png and docs/img/microbatch-phone.png anew, with ten minutes of traffic from a seed."""

import os
import tempfile
from pathlib import Path

import store
from common.browser import chromium
from conftest import Site
from test_page import history, opened

IMAGES = Path(__file__).resolve().parents[3] / "docs" / "img"


def main():
    with tempfile.TemporaryDirectory() as folder, Site(folder, os.environ) as site, chromium() as browser:
        history(store.Directory(f"{folder}/dev"))
        with opened(browser, site.url, width=1100, height=620) as page:
            page.screenshot(path=IMAGES / "microbatch.png")
        with opened(browser, site.url, width=390, height=800, scheme="dark") as page:
            page.screenshot(path=IMAGES / "microbatch-phone.png")


if __name__ == "__main__":
    main()
