# SPDX-License-Identifier: MIT
"""The page in a real browser: what comes appears by itself, what is down is told, what is hostile stays text."""

import contextlib

import pytest
from streamlit.testing.v1 import AppTest

from common.browser import chromium, hindrances
from conftest import new_database
from dashboard.data import Choice, Source
from page import Page, Readings, number, rows, told, until

READY = "[data-testid=stVegaLiteChart] svg"


@pytest.fixture(scope="module")
def browser():
    with chromium() as one:
        yield one


@pytest.fixture
def sqlite(tmp_path):
    return f"sqlite:///{tmp_path}/iot.sqlite"


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A page whose database each test finds empty."""
    with Page(f"sqlite:///{tmp_path_factory.mktemp('page')}/iot.sqlite") as page:
        yield page


TABLES = ("sensor_data", "anomalies", "rejected", "offsets", "states", "outbox", "health")


@contextlib.contextmanager
def readings_of(page):
    readings = Readings(page.database)
    readings.part("consumer", ago=-600)  # does well for the whole test
    yield readings, page
    for table in TABLES:
        readings.run(f"DELETE FROM {table}")
    readings.close()


@pytest.fixture
def running(shared):
    with readings_of(shared) as both:
        yield both


@pytest.fixture
def running_on_postgres(postgres):
    with Page(new_database(postgres)[0]) as page, readings_of(page) as both:
        yield both


@pytest.fixture(params=["running", "running_on_postgres"])
def running_on_either(request):
    return request.getfixturevalue(request.param)


def three_metrics(readings):
    for metric, base in [("temperature", 20), ("humidity", 40), ("pressure", 1010)]:
        readings.ordinary("sensor-01", metric, base)


def stays(page):
    """Whether the chart, which is remembered, is still there once the page has been asked anew."""
    page.evaluate("window.chart = document.querySelector('.st-key-card_band svg')")
    page.wait_for_timeout(3000)
    return page.evaluate("window.chart.isConnected")


def test_what_comes_appears_by_itself_and_no_chart_is_drawn_anew(running_on_either, browser):
    readings, server = running_on_either
    three_metrics(readings)
    with browser.page(server.url, ready=READY) as page:
        until(page, lambda: number(page, "Readings") == 90, "all readings are counted")
        assert number(page, "Anomalies") == 0
        until(page, lambda: any("None in this time." in one for one in told(page)), "there is no anomaly")
        choose(page, "shown_metric", "temperature")
        until(
            page,
            lambda: "newest value: 20.9" in page.locator(".st-key-card_band").text_content(),
            "the chart has temperature",
        )
        until(page, lambda: stays(page), "the chart is drawn")
        page.evaluate("window.same = true")
        readings.send("sensor-01", "temperature", 100.0)
        until(page, lambda: number(page, "Anomalies") == 1, "the anomaly is there")
        dots = page.locator(".st-key-card_band svg .mark-symbol.role-mark path")
        until(page, lambda: dots.count() == 1, "the chart has it")
        until(page, lambda: len(rows(page, "log")) == 1, "the log has it")
        ((_, sensor, metric, value, z, usual),) = rows(page, "log")
        assert (sensor, metric, float(value)) == ("sensor-01", "temperature", 100.0)
        assert float(z) == pytest.approx(272.3025, abs=0.06)  # worked out below
        assert usual == "19.574 to 21.326"  # 20.45 minus and plus 3 times 0.29214
        until(page, lambda: rows(page, "feed")[0][1::3] == ["sensor-01", "anomaly"], "the newest reading is it")
        assert number(page, "Alerts waiting") == 1
        assert page.evaluate("window.chart.isConnected && window.same")  # neither drawn anew nor loaded anew


def test_filters_choose_sensor_metric_and_time(running, browser):
    readings, server = running
    three_metrics(readings)
    readings.ordinary("sensor-02", "humidity", 50, ago=600)
    readings.ordinary("sensor-03", "humidity", 50, ago=7200)
    with browser.page(server.url, ready=READY) as page:
        until(page, lambda: number(page, "Readings") == 120, "the last 15 minutes are counted")
        for span, wanted in [("All", 150), ("5 min", 90), ("1 h", 120), ("24 h", 150)]:
            page.get_by_role("radio", name=span, exact=True).click()
            until(page, lambda: number(page, "Readings") == wanted, span)  # noqa: B023
        choose(page, "metric", "humidity")
        until(page, lambda: number(page, "Readings") == 90, "humidity alone")
        choose(page, "sensor", "sensor-02")
        until(page, lambda: number(page, "Readings") == 30, "of one sensor")
        until(page, lambda: {row[1] for row in rows(page, "feed")} == {"sensor-02"}, "the feed is of it")
        assert page.locator(".st-key-shown_sensor input").input_value() == "sensor-02"
        readings.ordinary("sensor-04", "humidity", 50, 1)  # a choice outlives a sensor that is new
        until(page, lambda: number(page, "Sensors") == 4, "a new sensor is known")
        assert number(page, "Readings") == 30
        page.get_by_role("radio", name="5 min", exact=True).click()
        until(page, lambda: any("No readings match" in one for one in told(page)), "nothing is left, and that is told")
        choose(page, "sensor", "sensor-04")
        until(page, lambda: number(page, "Readings") == 1, "the new one can be chosen")


def choose(page, key, option):
    page.locator(f".st-key-{key} input").click()
    page.get_by_role("option", name=option, exact=True).click()
    page.keyboard.press("Escape")


def test_a_database_that_is_killed_is_told_and_what_was_known_stays(postgres, browser):
    database, _ = new_database(postgres)
    with Page(database) as server:
        readings = Readings(database)
        readings.part("consumer", ago=-600)
        three_metrics(readings)
        readings.send("sensor-01", "temperature", 100.0)
        with browser.page(server.url, ready=READY) as page:
            until(page, lambda: number(page, "Anomalies") == 1, "all is there")
            postgres.kill()
            until(page, lambda: any("The database does not answer." in one for one in told(page)), "that is told")
            assert any("Below is what was known at " in one for one in told(page))
            assert (number(page, "Readings"), number(page, "Anomalies")) == (91, 1)
            postgres.start()
            until(page, lambda: not any("database" in one for one in told(page)), "all is well again")
            again = Readings(database)
            again.send("sensor-01", "temperature", 200.0)
            until(page, lambda: number(page, "Anomalies") == 2, "what is new appears")
            again.run(f"DROP TABLE {', '.join(TABLES)}")
            again.close()
            until(page, lambda: any("has no tables yet" in one for one in told(page)), "that is told too")
        assert "Traceback" not in server.log()


def test_parts_that_are_down_are_named(running, browser):
    readings, server = running
    three_metrics(readings)
    with browser.page(server.url, ready=READY) as page:

        def tells(*parts):
            until(page, lambda: any(all(part in one for part in parts) for one in told(page)), parts)

        readings.part("consumer", "Kafka does not answer: [localhost:29092] is *down* <b>", ago=1)
        tells("consumer: Kafka does not answer: [localhost:29092] is *down* <b>")
        readings.part("consumer", ago=90)
        tells("consumer has given no sign of life for 2 min")
        readings.run("DELETE FROM health")
        tells("No consumer is running")
        readings.run("UPDATE sensor_data SET timestamp = '2025-07-20 10:19:16.000000'")
        tells("No reading for ", "2025-07-20 10:19:16 UTC")
        readings.run("INSERT INTO outbox VALUES (1, '{}'), (2, '{}')")
        tells("2 alerts wait: nobody sends alerts.")
        readings.part("webhook", "hooks.slack.com answers 404 (no_service)")
        tells("2 alerts wait: the webhook takes none. hooks.slack.com answers 404 (no_service).")
        readings.part("webhook", ago=90)
        tells("The sender of alerts has given no sign of life")
        readings.part("webhook", "off: SLACK_WEBHOOK_URL is not set")
        until(page, lambda: "Webhook off" in page.locator(".st-key-parts").text_content(), "it is off")


def test_a_page_without_a_database_or_readings_says_what_to_do(sqlite, browser):
    with Page(sqlite) as server, browser.page(server.url, ready="[data-testid=stAlert]") as page:
        assert "The database has no tables yet" in told(page)[0]
        readings = Readings(sqlite)
        until(page, lambda: any("No readings yet." in one for one in told(page)), "it has no readings")
        three_metrics(readings)
        until(page, lambda: page.locator(READY).count() == 4, "the charts are there")
        readings.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_and_the_page_fits(running, browser, scheme, width):
    readings, server = running
    three_metrics(readings)
    readings.send("sensor-01", "temperature", 100.0)
    readings.part("consumer two", "Kafka does not answer")
    with browser.page(server.url, ready=READY, scheme=scheme, width=width) as page:
        until(page, lambda: page.locator(READY).count() == 4, "the charts are there")
        until(page, lambda: rows(page, "log"), "so are the tables")
        assert hindrances(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


HOSTILE = [
    "<img src=x onerror=window.hacked=1>",
    "![x](http://192.0.2.1/x.png)",
    "[x](javascript:window.hacked=1)",
    "$x^2$",
    ":red[x] :material/delete:",
    "**b** `c` # h",
    "</script><script>window.hacked=1",
    "{{7*7}}",
    "__proto__",
]


def test_hostile_names_stay_text(running, browser):
    readings, server = running
    for name in HOSTILE:
        readings.ordinary(name, name[::-1], 20)
        readings.send(name, name[::-1], 100.0)
    readings.part("consumer " + HOSTILE[0], HOSTILE[1], ago=-600)
    with browser.page(server.url, ready=READY) as page:
        until(page, lambda: number(page, "Anomalies") == len(HOSTILE), "all are counted")
        until(page, lambda: {row[1] for row in rows(page, "log")} == set(HOSTILE), "the log has their names")
        assert {row[2] for row in rows(page, "log")} == {name[::-1] for name in HOSTILE}
        until(page, lambda: any(HOSTILE[0] in one and HOSTILE[1] in one for one in told(page)), "so has a message")
        bars = page.locator(".st-key-card_By-sensor [data-testid=stVegaLiteChart]")  # eight, with names that are cut
        until(page, lambda: sum(name[:9] in bars.text_content() for name in HOSTILE) == 8, "so has the chart")
        page.locator(".st-key-sensor input").click()
        until(page, lambda: set(page.get_by_role("option").all_text_contents()) >= set(HOSTILE), "so has the choice")
        page.get_by_role("option", name=HOSTILE[1], exact=True).click()
        until(page, lambda: number(page, "Readings") == 31, "one is chosen")
        page.mouse.move(700, 560)  # over the chart
        page.wait_for_timeout(500)
        assert page.evaluate("window.hacked") is None
        main = page.locator("[data-testid=stMain]")
        assert main.locator("img, script, a[href^=javascript], code, .katex").count() == 0


def test_the_page_of_the_described_run(sqlite):
    """31 rounds of three metrics, the last temperature is 100: by Streamlit's own way to test a page."""
    readings = Readings(sqlite)
    three_metrics(readings)
    readings.send("sensor-01", "humidity", 40.0)
    readings.send("sensor-01", "pressure", 1010.0)
    readings.send("sensor-01", "temperature", 100.0)
    readings.close()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DASHBOARD_DATABASE_URL", sqlite)
        page = AppTest.from_file("../dashboard/app.py", default_timeout=120).run()
    assert not page.exception
    feed, log = (table.value for table in page.dataframe)
    assert len(log) == 1
    # Thirty values 20.0 to 20.9, three of each: mean 20.45, variance 0.0825 * 30 / 29.
    assert log["z_score"].iloc[0] == pytest.approx(272.3025, abs=5e-5)
    assert list(feed["timestamp"]) == sorted(feed["timestamp"], reverse=True)
    assert (feed["value"].iloc[0], len(feed)) == (100.0, 10)
    assert [metric.value for metric in page.metric] == ["93", "1", "1", "1"]
    assert Source(sqlite).view(Choice()).by_sensor.to_dict("list") == {"name": ["sensor-01"], "count": [1]}
