# SPDX-License-Identifier: MIT
"""The page in Chromium: how a test drops files on it, and reads its chart."""

from common import browser
from common.servers import wait_until

ODD = {"light": (213, 94, 0), "dark": (255, 127, 42)}


class Browser(browser.Browser):
    def page(self, url, *, state="open", ready="", **options):
        """A page once its connection has that state."""
        return super().page(url, ready=ready or f"#connection[data-state={state}]", **options)


def chromium():
    return browser.chromium(Browser)


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
