# SPDX-License-Identifier: MIT
"""For tests: Chromium, and pages that note what goes wrong and what is asked of whom."""

from __future__ import annotations

import contextlib
import importlib.resources
from collections.abc import Iterator, Sequence
from typing import Any

from playwright.sync_api import sync_playwright

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip


def hindrances(page: Any) -> list[Any]:
    """What on the page keeps somebody out, by axe: the rule, where, and what is wrong."""
    page.evaluate(importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text())
    answer = page.evaluate("axe.run({ resultTypes: ['violations'] })")
    assert len(answer["passes"]) > 20  # axe has looked at the page
    return [(one["id"], node["target"], node["failureSummary"]) for one in answer["violations"] for node in one["nodes"]]


class Browser:
    def __init__(self, browser: Any) -> None:
        self.browser = browser

    @contextlib.contextmanager
    def page(
        self,
        url: str,
        *,
        ready: str,
        width: int = 1400,
        height: int = 900,
        scheme: str = "light",
        touch: bool = False,
        expected: Sequence[str] = (),
    ) -> Iterator[Any]:
        """A page once it has what `ready` selects. At the end: no error but the expected, no request to another server."""
        context = self.browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, has_touch=touch)
        context.set_default_timeout(120_000)  # also a busy machine gets there
        page = context.new_page()
        page.problems, page.asked = [], []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("console", lambda message: message.type == "error" and page.problems.append(message.text))
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("websocket", lambda socket: page.asked.append(socket.url))
        page.goto(url)
        page.locator(ready).first.wait_for()
        yield page
        server = url.split("//")[1].split("/")[0]
        asked = [one for one in page.asked if not one.startswith(("data:", "blob:"))]
        others = [one for one in asked if one.split("//")[1].split("/")[0] != server]
        assert others == [], others
        problems = [problem for problem in page.problems if not any(part in problem for part in expected)]
        assert problems == [], problems
        context.close()


@contextlib.contextmanager
def chromium(kind: type[Browser] = Browser) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield kind(browser)
        browser.close()
