# SPDX-License-Identifier: MIT
"""Chromium, and pages that note what goes wrong and what is asked of whom."""

import contextlib

from playwright.sync_api import sync_playwright

from common.servers import wait_until

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
ODD = {"light": (213, 94, 0), "dark": (255, 127, 42)}


class Browser:
    def __init__(self, browser):
        self.browser = browser

    @contextlib.contextmanager
    def page(self, url, *, width=1400, height=900, scheme="light", touch=False, state="open", expected=()):
        """A page once its connection has that state. At the end: no error but the expected, no request to another server."""
        context = self.browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, has_touch=touch)
        page = context.new_page()
        page.problems, page.asked = [], []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("console", lambda message: message.type == "error" and page.problems.append(message.text))
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("websocket", lambda socket: page.asked.append(socket.url))
        page.goto(url)
        page.locator(f"#connection[data-state={state}]").wait_for()
        yield page
        server = url.split("//")[1].split("/")[0]
        others = [asked for asked in page.asked if asked.split("//")[1].split("/")[0] != server]
        assert others == [], others
        problems = [problem for problem in page.problems if not any(part in problem for part in expected)]
        assert problems == [], problems
        context.close()


@contextlib.contextmanager
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield Browser(browser)
        browser.close()


def drop(page, files):
    """Drops files (name, text) on the page, as a hand would."""
    transfer = page.evaluate_handle(
        """(files) => {
            const transfer = new DataTransfer();
            for (const [name, text] of files) transfer.items.add(new File([text], name));
            return transfer;
        }""",
        files,
    )
    page.dispatch_event("main", "dragenter", {"dataTransfer": transfer})
    assert page.locator("#veil").is_visible()
    page.dispatch_event("main", "drop", {"dataTransfer": transfer})
    assert page.locator("#veil").is_hidden()


def coloured(page, colour):
    """How many pixels of the chart have that colour."""
    return page.evaluate(
        """([r, g, b]) => {
            const c = document.querySelector('#chart canvas');
            const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
            let n = 0;
            for (let i = 0; i < d.length; i += 4) n += d[i] === r && d[i + 1] === g && d[i + 2] === b;
            return n;
        }""",
        list(colour),
    )


def label(page):
    return page.locator("#chart").get_attribute("aria-label")


def until(page, script, argument=None):
    """Asked from here: the page's policy lets no text be run as a script, which wait_for_function would do."""
    wait_until(lambda: page.wait_for_timeout(20) or page.evaluate(script, argument), script, seconds=30)
