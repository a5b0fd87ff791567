# SPDX-License-Identifier: MIT
"""The page in a real browser: files, live anomalies, lost connections, hostile names, keyboard, accessibility."""

import json
import re
import subprocess

import pytest
from playwright.sync_api import expect

from browser import ODD, chromium, coloured, drop, label, until
from common.browser import hindrances
from common.servers import wait_until
from conftest import START, Inside, Service, csv_of, minute_of_tens


@pytest.fixture
def service():
    """One of its own for each test: a page shows everything that a service has."""
    with Inside() as one:
        yield one


@pytest.fixture(scope="module")
def browser():
    with chromium() as one:
        yield one


def text(page, selector):
    return page.locator(selector).text_content()


def texts(page, selector):
    return page.locator(selector).all_text_contents()


def wait_for_text(page, selector, wanted):
    expect(page.locator(selector)).to_have_text(wanted, timeout=20000)


def wait_for_count(page, selector, wanted):
    expect(page.locator(selector)).to_have_count(wanted, timeout=30000)


def wait_for_label(page, part):
    wait_until(lambda: page.wait_for_timeout(20) or part in label(page), f"the chart has {part}", seconds=30)


def wait_for_value(page, value):
    """Below the chart: what is pointed at, chosen, or the newest."""
    expect(page.locator("#under")).to_have_text(re.compile("^" + re.escape(value) + " at "), timeout=30000)


def test_a_first_visit_is_told_what_to_do_and_the_sample_shows_its_four_odd_values(service, browser):
    with browser.page(service.url) as page:
        assert page.locator("#first").is_visible()
        assert page.locator("#chartPanel").is_hidden()
        assert text(page, "#curl").startswith(f"curl {service.url}/events/raw ")
        page.click("#sample")
        wait_for_text(page, "#uploads .state", "900 accepted")
        wait_for_count(page, "#feed li", 4)
        assert page.locator("#first").is_hidden()
        assert page.locator("#chartPanel").is_visible()
        assert texts(page, "#feed .name") == ["latency", "temperature", "cpu", "latency"]
        assert texts(page, "#feed .value") == ["310", "12.5", "97", "240"]
        for counter, value in {
            "anomalies": "4",
            "lastMinute": "4",
            "events": "900",
            "metrics": "3",
            "queue": "0",
        }.items():
            wait_for_text(page, f"#{counter}", value)


def test_the_command_line_of_the_page_works(service, browser):
    with browser.page(service.url) as page:
        subprocess.run(["sh", "-c", text(page, "#curl") + " --fail --silent --noproxy '*'"], check=True, timeout=30)
        wait_for_text(page, "#events", "1")
        wait_for_text(page, "#chartTitle", "cpu")
        assert text(page, "#under").startswith("41.5 at ")
        assert text(page, "#under").endswith("nothing to compare with yet")


def test_dropped_files_are_each_told_what_became_of_them(service, browser):
    bad = "metric,value,timestamp\n" + f"m,1,{START}\nm,much,{START}\nm,2,yesterday\n"
    with browser.page(service.url, expected=["400 (Bad Request)"]) as page:
        one = json.dumps([{"metric": "j", "value": value, "timestamp": START} for value in (1, "many")])
        lines = f"t,1,{START}\nt\n"
        drop(
            page,
            [["day.csv", csv_of(minute_of_tens("m"))], ["bad.csv", bad], ["one.json", one], ["lines.txt", lines]],
        )
        drop(page, [["sheet.xlsx", "PK"]])
        wait_for_count(page, "#uploads .done, #uploads .bad", 5)
        found = dict(zip(texts(page, "#uploads .name"), texts(page, "#uploads .state")))
        assert found == {"day.csv": "60 accepted", "bad.csv": "1 accepted, 2 rejected", "one.json": "1 accepted, 1 rejected",
                         "lines.txt": "1 accepted, 1 rejected", "sheet.xlsx": "refused"}  # fmt: skip
        errors = texts(page, "#uploads .errors li")
        assert "line 3: value: 'much' is no number" in errors
        assert any(line.startswith("line 4: timestamp: 'yesterday' is no timestamp") for line in errors)
        assert "event 2: value: Input should be a valid number" in errors
        assert any(line.startswith("line 2: fewer than three fields") for line in errors)
        assert text(page, "#uploads .why") == "a file of events is .csv, .json or .txt"
        assert page.locator("progress").count() == 0
        wait_for_text(page, "#events", "63")


def test_a_large_file_shows_its_progress(service, browser):
    with browser.page(service.url) as page:
        page.evaluate(
            """() => {
                window.seen = [];
                const texts = () => [...document.querySelectorAll('#uploads .state')].map((e) => e.textContent);
                new MutationObserver(() => window.seen.push(...texts()))
                    .observe(document.getElementById('uploads'), { childList: true, subtree: true, characterData: true });
            }"""
        )
        drop(page, [["large.csv", csv_of(("m", 50 + k % 10, START + k) for k in range(30_000))]])
        expect(page.locator("#uploads .done .state")).to_have_text("30,000 accepted", timeout=60000)
        seen = page.evaluate("window.seen")
        assert {"waiting", "judging"} <= set(seen), set(seen)
        wait_for_text(page, "#events", "30,000")
        until(
            page,
            "/: 600 values from .* 0 anomalies/.test(document.getElementById('chart').getAttribute('aria-label'))",
        )


def test_an_anomaly_appears_in_the_list_and_on_the_chart_at_once(service, browser):
    with browser.page(service.url) as page:
        for i in range(20):
            service.send("cpu", 50 + i % 10, START + i)
        wait_for_text(page, "#chartTitle", "cpu")
        wait_for_label(page, "20 values")
        assert coloured(page, ODD["light"]) == 0
        assert text(page, "#feedEmpty") == "None so far."
        service.send("cpu", 95, START + 20)
        wait_for_count(page, "#feed li", 1)
        assert text(page, "#feed .value") == "95"
        assert text(page, "#feed .usual") == "usually 45.7 to 63.3: 14 spreads above"  # 54.5 - and + 3 x 2.946898; 13.74
        wait_for_label(page, "21 values")
        assert "1 anomaly" in label(page)
        wait_until(lambda: coloured(page, ODD["light"]) > 40, "the anomaly is drawn")
        assert text(page, "#under").startswith("95 at ")
        assert text(page, "#under").endswith(", usually 45.7 to 63.3: above")
        assert text(page, "#news").startswith("1 new anomaly, the last: cpu 95")
        page.emulate_media(color_scheme="dark")
        until(page, "getComputedStyle(document.body).backgroundColor === 'rgb(15, 18, 22)'")
        wait_until(
            lambda: coloured(page, ODD["dark"]) > 40 and coloured(page, ODD["light"]) == 0,
            "the chart has the dark colours",
        )


def test_the_first_anomaly_is_reached_by_key_before_the_counters_have_been_asked(service, browser):
    with browser.page(service.url) as page:
        page.route("**/health*", lambda _: None)  # its answer does not come
        service.upload("day.csv", csv_of(minute_of_tens("m")))
        wait_for_label(page, "1 anomaly")
        page.locator("#chart").focus()
        page.keyboard.press("p")
        wait_for_value(page, "95")


REFUSED = ["ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE"]


@pytest.mark.parametrize("ended", ["stop", pytest.param("kill", marks=pytest.mark.on_demand)])
def test_a_lost_connection_is_shown_and_comes_back(browser, ended):
    lost = ["WebSocket connection to", *REFUSED, "404 (Not Found)"]
    with Service() as service, browser.page(service.url, expected=lost) as page:
        service.upload("day.csv", csv_of(minute_of_tens("before")))
        wait_for_count(page, "#feed li", 1)
        getattr(service, ended)()
        page.locator("#connection[data-state=closed]").wait_for()
        until(page, "document.getElementById('connectionText').textContent.startsWith('Disconnected, next try in ')")
        assert page.locator("#reconnect").is_visible()
        assert text(page, "#feed .name") == "before"
        service.start()
        wait_for_text(page, "#connectionText", "Live")
        service.upload("day.csv", csv_of(minute_of_tens("after")))
        until(page, "[...document.querySelectorAll('#feed .name')].some((name) => name.textContent === 'after')")
        assert text(page, "#feed .name >> nth=0") == "after"


def test_a_server_with_keys_is_asked_with_the_one_that_was_typed(browser):
    refused = ["WebSocket connection to", "401 (Unauthorized)"]
    with Inside(api_keys="first,second") as service, browser.page(service.url, state="closed", expected=refused) as page:
        page.locator("#key").fill("second")
        page.keyboard.press("Enter")
        wait_for_text(page, "#connectionText", "Live")
        assert page.locator("#keyForm").is_hidden()
        page.click("#sample")
        wait_for_count(page, "#feed li", 4)
        page.reload()  # the tab remembers the key
        wait_for_count(page, "#feed li", 4)


def test_an_anomaly_without_bounds_is_described(browser):
    with Inside(detector="watch") as service, browser.page(service.url) as page:
        service.upload("day.csv", csv_of(("m", 900 if i == 1400 else 40 + i * 37 % 11, START + 60 * i) for i in range(1440)))
        wait_for_count(page, "#feed li", 1)
        assert text(page, "#feed .usual") == "unlike what came before: above"
        wait_for_label(page, "1 anomaly")
        page.locator("#chart").focus()
        page.keyboard.press("p")
        expect(page.locator("#under")).to_have_text(re.compile("^900 at .*, unlike what came before$"), timeout=30000)


def test_two_browsers_show_the_same(service, browser):
    with browser.page(service.url) as one, browser.page(service.url, scheme="dark", width=390, height=844) as other:
        service.upload("day.csv", csv_of(minute_of_tens("m")))
        for page in (one, other):
            wait_for_count(page, "#feed li", 1)
            wait_for_text(page, "#events", "60")
            wait_for_text(page, "#lastMinute", "1")
        assert service.health()["websockets"] == 2
    with browser.page(service.url) as page:
        wait_for_count(page, "#feed li", 1)


HOSTILE = ["<img src=x onerror=window.hacked=1>", "</title><script>window.hacked=1</script>", '"\'&amp;<b>', "__proto__",
           "\u202eevil\u2028", "a" * 255, "javascript:window.hacked=1", "{{7*7}}", "%3Cb%3E", " "]  # fmt: skip


def test_markup_in_names_and_errors_stays_text(service, browser):
    with browser.page(service.url) as page:
        for name in HOSTILE:
            rows = [{"metric": m, "value": v, "timestamp": t} for m, v, t in minute_of_tens(name)]
            assert service.upload("a.json", json.dumps(rows)).json()["success_count"] == 60
        wait_for_count(page, "#feed li", len(HOSTILE))
        wait_for_text(page, "#metrics", str(len(HOSTILE)))
        wait_for_count(page, "#metricList li", len(HOSTILE))
        assert sorted(texts(page, "#feed .name")) == sorted(HOSTILE) == sorted(texts(page, "#metricList .name"))
        for button in page.locator("#metricList button").all():
            button.click()
            until(
                page,
                "(name) => document.getElementById('chartTitle').textContent === name",
                button.locator(".name").text_content(),
            )
        drop(page, [["<i>x</i>.csv", f"metric,value,timestamp\nm,<b onclick=1>,{START}\n"]])
        wait_for_count(page, "#uploads .bad", 1)
        assert text(page, "#uploads .name") == "<i>x</i>.csv"
        assert "<b onclick=1>" in text(page, "#uploads .errors")
        assert page.evaluate("window.hacked") is None
        assert page.locator("main i, main b, main script, main img").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_browser_is_told_to_run_and_load_nothing_else(service, browser):
    headers = service.client.get("/").headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'")
    assert "unsafe" not in policy
    assert "*" not in policy
    assert (
        headers["X-Content-Type-Options"]
        == service.client.get("/static/js/main.js").headers["X-Content-Type-Options"]
        == "nosniff"
    )
    with browser.page(service.url, expected=["Content Security Policy"]) as page:
        page.evaluate(
            "{ const s = document.createElement('script'); s.textContent = 'window.hacked = 1'; document.body.append(s); }"
        )
        assert page.evaluate("window.hacked") is None
        assert page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'asked', () => 'refused')") == "refused"
        page.asked = [url for url in page.asked if ":9/" not in url]


def test_the_documentation_of_the_endpoints_is_of_this_server_too(service, browser):
    with browser.page(service.url + "/docs", ready=".opblock") as page:
        expect(page.locator(".opblock")).to_have_count(7, timeout=30000)
        page.locator(".opblock", has_text="/health").click()
        page.get_by_role("button", name="Try it out").click()
        page.get_by_role("button", name="Execute").click()
        expect(page.locator(".live-responses-table .response-col_status").last).to_contain_text("200", timeout=30000)


def test_many_metrics_are_searched_and_the_page_stays_small(service, browser):
    names = [f"host{k}.cpu" for k in range(1500)]
    with browser.page(service.url) as page:
        service.upload("many.csv", csv_of((name, 50 + i % 10, START + i) for i in range(3) for name in names))
        service.upload("odd.csv", csv_of(("odd", 900 if i % 20 == 19 else i % 5, START + i * 10) for i in range(12000)))
        wait_for_text(page, "#metrics", "1,501")
        wait_for_text(page, "#metricMore", "and 1,301 more: search to see them")
        wait_for_text(page, "#events", "16,500")
        assert page.locator("#metricList li").count() == 200
        page.locator("#search").fill("HOST777")
        wait_for_text(page, "#metricList .name", ["host777.cpu"])
        page.locator("#metricList button").click()
        wait_for_text(page, "#chartTitle", "host777.cpu")
        assert "3 values" in label(page)
        page.locator("#search").fill("no such thing")
        wait_for_text(page, "#metricMore", "No metric has that in its name.")
        wait_for_text(page, "#anomalies", "600")
        assert page.locator("#feed li").count() == 50
        page.locator("#more").click()
        wait_for_count(page, "#feed li", 100)
        for _ in range(20):
            if page.locator("#more").is_hidden():
                break
            page.locator("#more").click()
            page.wait_for_timeout(50)
        assert page.locator("#feed li").count() == 500


def test_values_that_no_axis_can_hold(service, browser):
    values = [1e308, -1e308, 0, 5e-324, 1e-9, 123456789012345.0]
    with browser.page(service.url) as page:
        service.upload("a.csv", csv_of(("m", repr(values[i % 6]) if i > 20 else i % 3, START + i) for i in range(60)))
        wait_for_label(page, "60 values")
        page.locator("#chart").focus()
        for key in ["+"] * 60 + ["ArrowLeft", "Home", "End", "n", "-", "0"]:
            page.keyboard.press(key)
        wait_for_label(page, "60 values")


def tab_to(page, selector):
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            outline = page.evaluate(
                "() => { const e = document.activeElement, l = e.id === 'file' ? e.nextElementSibling : e;"
                "  const s = getComputedStyle(l); return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2; }"
            )
            assert outline, f"the focus on {selector} is not to be seen"
            return
    raise AssertionError(f"{selector} is not reached by the Tab key")


def test_everything_is_reached_by_keyboard_alone(service, browser):
    with browser.page(service.url) as page:
        tab_to(page, "#sample")
        page.keyboard.press("Enter")
        wait_for_count(page, "#feed li", 4)
        page.evaluate("document.activeElement.blur()")
        tab_to(page, "#search")
        page.keyboard.type("lat")
        wait_for_text(page, "#metricList .name", ["latency"])
        tab_to(page, "#metricList button")
        page.keyboard.press("Enter")
        wait_for_text(page, "#chartTitle", "latency")
        tab_to(page, "#chart")
        page.keyboard.press("p")
        wait_for_value(page, "310")
        page.keyboard.press("p")
        wait_for_value(page, "240")
        assert page.locator("#under").get_attribute("aria-live") == "polite"
        page.keyboard.press("ArrowRight")
        until(page, "!document.getElementById('under').textContent.startsWith('240 at ')")
        whole = label(page)
        page.keyboard.press("+")
        wait_until(lambda: label(page) != whole, "the chart shows another part")
        assert page.locator("#follow").get_attribute("aria-pressed") == "false"
        page.keyboard.press("0")
        wait_until(lambda: label(page) == whole, "the chart shows everything")
        tab_to(page, "#feed button")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        wait_for_text(page, "#chartTitle", "temperature")
        wait_for_value(page, "12.5")
        tab_to(page, "#file")


def test_an_anomaly_that_the_chart_no_longer_has_is_still_described(service, browser):
    with browser.page(service.url) as page:
        service.upload("day.csv", csv_of(minute_of_tens("m")))
        wait_for_count(page, "#feed li", 1)
        later = [("m", 50 + k % 10, START + 10 * k) for k in range(60, 760)]  # the server keeps 600 points
        service.upload("later.csv", csv_of(later))
        wait_for_value(page, "59")
        page.reload()
        wait_for_label(page, ": 600 values")
        assert page.locator("#next").is_disabled()
        page.locator("#feed button").click()
        wait_for_value(page, "95")
        assert text(page, "#under").endswith("14 spreads above, older than this chart")
        page.locator("#chart").focus()
        page.keyboard.press("ArrowLeft")
        wait_for_value(page, "59")


def test_the_chart_is_moved_by_mouse(service, browser):
    with browser.page(service.url) as page:
        service.upload("day.csv", csv_of(minute_of_tens("m")))
        wait_for_label(page, "60 values")
        wait_until(lambda: page.locator("#chart .u-over").bounding_box(), "the chart has its size")
        whole, box = label(page), page.locator("#chart .u-over").bounding_box()
        x, y = box["x"] + box["width"] / 3, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + box["width"] / 3, y)
        page.mouse.up()
        wait_until(lambda: label(page) != whole, "the chart shows another part")
        page.mouse.dblclick(x, y)
        wait_until(lambda: label(page) == whole, "the chart shows everything")
        page.mouse.move(box["x"] + 2, y)
        wait_for_value(page, "50")
        service.send("m", 51, START + 600)
        wait_for_label(page, "61 values")
        assert text(page, "#under").startswith("50 at ")  # what the mouse points at, not the newest
        page.mouse.move(0, 0)
        wait_for_value(page, "51")


def test_a_phone_shows_everything_without_scrolling_sideways(service, browser):
    service.upload("day.csv", csv_of(minute_of_tens("a_rather_long_name.of_a_metric." * 8)))
    with browser.page(service.url, scheme="dark", touch=True) as page:
        for width in (320, 390, 768, 1100):
            page.set_viewport_size({"width": width, "height": 800})
            page.reload()
            wait_for_count(page, "#feed li", 1)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
            page.locator("#feed button").tap()
            wait_for_value(page, "95")


def test_axe_finds_nothing(service, browser):
    looks = [("light", 1400), ("dark", 1400), ("light", 390)]

    def found(page, scheme, width):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        return hindrances(page)

    with browser.page(service.url, expected=["400 (Bad Request)"]) as page:
        assert [found(page, *look) for look in looks] == [[], [], []]
        drop(
            page,
            [
                ["bad.csv", "metric,value,timestamp\nm,much,1\n"],
                ["sheet.xlsx", "PK"],
                ["day.csv", csv_of(minute_of_tens("m"))],
            ],
        )
        wait_for_count(page, "#uploads .done, #uploads .bad", 3)
        wait_for_count(page, "#feed li", 1)
        wait_for_count(page, "#metricList button[aria-current]", 1)
        page.wait_for_timeout(1700)  # the flash of what has just arrived is over
        assert [found(page, *look) for look in looks] == [[], [], []]
