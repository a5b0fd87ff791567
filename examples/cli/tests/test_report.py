# SPDX-License-Identifier: MIT
"""The page of --html, in a browser: what it shows, how it is moved, and that nothing from the input gets out of it."""

import csv
import io
import json
import os
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(os.environ.get("BUILD", "build")).resolve() / "anomaly"
DATA = ROOT / "examples" / "data"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
ORANGE = (213, 94, 0)

work = Path(tempfile.mkdtemp(prefix="anomaly-report."))


def anomaly(*arguments, text=None):
    run = subprocess.run([PROGRAM, *map(str, arguments)], input=text, capture_output=True, text=True, cwd=work, timeout=120)
    assert run.returncode == 0, run.stderr
    return run.stdout


def make(*arguments, text=None):
    anomaly("-q", "--html", "page.html", *arguments, text=text)
    return work / "page.html"


class Pages:
    """A browser whose pages note errors and requests."""

    def __init__(self, browser):
        self.browser = browser

    def open(self, path, width=1400, height=900, scheme="light", touch=False):
        context = self.browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, has_touch=touch)
        page = context.new_page()
        page.problems, page.asked = [], []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("console", lambda message: page.problems.append(message.text))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(path.as_uri())
        return page


def closed(page):
    """Nothing went wrong and nothing was asked but the page itself."""
    assert page.problems == [], page.problems
    others = [url for url in page.asked if not url.startswith(("file:", "data:"))]
    assert others == [], others
    page.context.close()


def label(page):
    return page.locator("#chart").get_attribute("aria-label")


def under(page):
    return page.locator("#under").text_content()


def coloured(page, colour):
    """How many pixels of the chart have that colour."""
    return page.evaluate(
        """([r, g, b]) => {
            const c = document.getElementById('chart'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
            let n = 0;
            for (let i = 0; i < d.length; i += 4) n += d[i] === r && d[i + 1] === g && d[i + 2] === b;
            return n;
        }""",
        list(colour),
    )


def test_table_has_the_sentences_of_the_program(pages):
    page = pages.open(make("-w", "1h", DATA / "server-day.csv"))
    rows = csv.DictReader(io.StringIO(anomaly("-q", "-w", "1h", "-o", "csv", "--explain", DATA / "server-day.csv")))
    expected = [row["explanation"] for row in rows]
    assert page.locator("#rows td.text").all_text_contents() == expected and len(expected) == 25
    assert page.locator("#found").text_content() == "25 anomalies among 8,640 events, in 3 of 3 keys."
    assert page.locator("#keyList button").all_text_contents() == ["memory14", "latency6", "cpu5"]
    assert "window 1h" in page.locator("#understood").text_content()
    assert page.locator("#method").text_content() == "-d zscore -s window=1h"
    assert "8640 events, 8625 judged, 25 anomalies" in page.locator("#summary").text_content()
    closed(page)


def test_chart_marks_and_moves_by_keyboard(pages):
    page = pages.open(make("-w", "1h", DATA / "server-day.csv"))
    assert coloured(page, ORANGE) > 100
    whole = label(page)
    assert whole.startswith("memory: 2,880 events from 2025-03-04 00:00 to 2025-03-04 23:59:30, 14 anomalies")
    page.locator("#chart").focus()
    page.keyboard.press("n")
    assert under(page) == "memory 39.47 at 07:05, usually 46.8 to 49.8: 18 spreads below"
    assert page.locator("tr[aria-selected=true] td.text").text_content() == under(page)
    page.keyboard.press("+")
    nearer = label(page)
    assert nearer != whole
    page.keyboard.press("ArrowRight")
    assert label(page) not in (whole, nearer)
    page.keyboard.press("0")
    assert label(page) == whole
    page.keyboard.press("p")
    assert under(page).startswith("memory 78.1 at 20:10:30")
    page.locator("#rows tr").first.focus()
    page.keyboard.press("Enter")
    assert under(page).startswith("cpu 65.99 at 03:20") and page.locator("#keyName").text_content() == "cpu"
    closed(page)


def test_chart_zooms_by_wheel_and_drag(pages):
    page = pages.open(make("-w", "1h", DATA / "server-day.csv"))
    whole = label(page)
    box = page.locator("#chart").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.wheel(0, -300)
    page.wait_for_function("old => document.getElementById('chart').getAttribute('aria-label') !== old", arg=whole)
    page.mouse.dblclick(x, y)
    assert label(page) == whole
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 100, y)
    page.mouse.up()
    assert label(page) != whole
    page.mouse.dblclick(x, y)
    page.mouse.move(box["x"] + 70, y)
    assert " · usually " in under(page)
    closed(page)


def test_an_episode_has_its_length(pages):
    rows = "".join(f"{(90 if 100 <= i < 130 else 20) + i % 5},{1741096800 + 60 * i}\n" for i in range(160))
    page = pages.open(make("-w", "100", "-s", "learn=normal", "-s", "rest=10", "-T", "t", text="v,t\n" + rows))
    assert page.locator("#listTitle").text_content() == "Alarms"
    texts = page.locator("#rows td.text").all_text_contents()
    assert len(texts) == 1 and texts[0].endswith("spreads above; first of an episode of 29m, 30 odd events"), texts
    closed(page)


def test_hostile_names_stay_text(pages):
    names = ["</script><script>window.hacked=1</script>", "<img src=x onerror=window.hacked=1>", "a\u2028b\u2029c", '"q"\'&amp;',
             "]]>-->", "\u202eevil", "http://example.com/x.png"]  # fmt: skip
    events = [{"metric": name, "value": 900 if i == 40 else i % 7} for i in range(50) for name in names]
    page = pages.open(make("-w", "30", "-i", "ndjson", text="\n".join(map(json.dumps, events))))
    shown = page.locator("#keyList button span:first-child").all_text_contents()
    assert sorted(shown) == sorted(names), shown
    assert page.evaluate("window.hacked") is None and page.locator("img").count() == 0
    assert page.locator("#rows tr").count() == len(names)
    assert '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';' in (work / "page.html").read_text()
    assert page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'asked', () => 'refused')") == "refused"
    page.problems = [p for p in page.problems if "Content Security Policy" not in p]  # that it refused
    page.asked = [url for url in page.asked if ":9/" not in url]
    closed(page)


def test_many_keys_are_filtered(pages):
    rows = "".join(f"host{k},{500 if i == 30 and k == 777 else i % 3}\n" for i in range(40) for k in range(1000))
    page = pages.open(make("-w", "20", "-k", "metric", text="metric,value\n" + rows))
    assert page.locator("#keyList li").count() == 301 and page.locator("#keyName").text_content() == "host777"
    page.locator("#filter").fill("HOST77")
    assert page.locator("#keyList button").count() == 11
    page.locator("#keyList button", has_text="host770").click()
    assert page.locator("#keyName").text_content() == "host770" and "0 anomalies" in label(page)
    page.locator("#only").check()
    assert page.locator("#rows").text_content() == "none"
    closed(page)


def test_long_input_is_thinned_and_loses_nothing(pages):
    lines = "".join(f"{(i * 7919) % 1009 + (5000 if i % 50000 == 49999 else 0)}\n" for i in range(300000))
    path = make("-w", "500", "-t", "6", text=lines)
    assert path.stat().st_size < 1_000_000
    page = pages.open(path)
    assert page.locator("#rows tr").count() == 6
    assert "300,000 events from event 1 to event 300,000, 6 anomalies" in label(page)
    assert "One point is 128 events" in page.locator("#legend").text_content()
    highs = page.evaluate("JSON.parse(document.getElementById('data').textContent).keys[0].high.filter(v => v >= 5000).length")
    assert highs == 6
    closed(page)


def test_more_alarms_than_are_kept(pages):
    lines = "".join(f"{i % 5 + (900 if i % 10 == 9 else 0)}\n" for i in range(120000))
    page = pages.open(make("-w", "100", "-t", "2", "-s", "learn=normal", "-s", "warmup=5", text="3\n4\n" + lines))
    kept = page.evaluate("JSON.parse(document.getElementById('data').textContent).alarms.length")
    assert kept == 10000
    assert page.locator("#beyond").text_content().startswith("2,000 more anomalies came behind these")
    assert page.locator("#rows tr").count() == 300
    page.locator("#more").click()
    assert page.locator("#rows tr").count() == 600
    closed(page)


def test_columns_judged_together_show_scores(pages):
    page = pages.open(make("--whole", "-d", "iforest", DATA / "machine.csv"))
    assert page.locator("#keys").is_hidden() and page.locator("#keyName").text_content() == "all rows"
    assert "scores, and dashed the threshold" in page.locator("#legend").text_content()
    assert coloured(page, ORANGE) > 100
    assert page.locator("#method").text_content().startswith("--whole -d iforest")
    closed(page)


def test_nothing_odd_and_nothing_at_all(pages):
    page = pages.open(make("-w", "10", text="".join(f"{i % 3}\n" for i in range(50))))
    assert page.locator("#found").text_content() == "Nothing out of the ordinary among 50 events."
    assert page.locator("#rows").text_content() == "none" and page.locator("#next").is_disabled()
    closed(page)
    page = pages.open(make(text="metric,value\n"))
    assert page.locator("#found").text_content() == "No event was read." and page.locator("#picture").is_hidden()
    closed(page)


def test_values_that_no_axis_can_hold(pages):
    values = [1e308, -1e308, "inf", "-inf", "", "1e-320", 0, 5] * 10
    page = pages.open(make("-w", "10", "-s", "warmup=5", "-i", "csv", text="value\n" + "".join(f"{v}\n" for v in values)))
    assert label(page).startswith("all rows: ")
    page.locator("#chart").focus()
    for _ in range(80):
        page.keyboard.press("+")
    page.keyboard.press("ArrowLeft")
    closed(page)


def test_phone_and_dark(pages):
    path = make("-w", "1h", DATA / "server-day.csv")
    page = pages.open(path, 360, 700, "dark", touch=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 27)"
    whole = label(page)
    page.locator("#in").tap()
    assert label(page) != whole
    page.locator("#rows tr").nth(1).tap()
    assert under(page).startswith("latency 80.6 at 05:41:30")
    closed(page)


def picture(pages):
    """Writes the pictures of the docs: the report, and the site where `make docs` has built it."""
    report, site, pictures = work / "page.html", PROGRAM.parent / "site" / "index.html", ROOT / "docs" / "img"
    make("-w", "1h", "-s", "learn=normal", "-s", "rest=20", "server-day.csv")
    page = pages.open(report, 1180, 560)
    page.locator("#next").click()
    page.screenshot(path=pictures / "report.png")
    pages.open(report, 360, 620, "dark", touch=True).screenshot(path=pictures / "report-phone.png")
    if site.exists():
        pages.open(site, 1230, 480).screenshot(path=pictures / "site.png")
        pages.open(site, 360, 620, "dark", touch=True).screenshot(path=pictures / "site-phone.png")


def main(words):
    tests = [(name, run) for name, run in globals().items() if name.startswith("test_") and (not words or any(w in name for w in words))]
    failed = 0
    (work / "server-day.csv").symlink_to(DATA / "server-day.csv")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        if words == ["--picture"]:
            picture(Pages(browser))
            return 0
        for name, run in tests:
            try:
                run(Pages(browser))
                print("ok  ", name)
            except Exception:
                failed += 1
                print("FAIL", name)
                traceback.print_exc(file=sys.stdout)
        browser.close()
    print(f"{len(tests) - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
