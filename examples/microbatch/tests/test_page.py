# SPDX-License-Identifier: MIT
"""The page in a real browser: what it shows, what it says while the back end or its server is away, hostile names."""

import json
import os
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import expect

import store
from common.browser import chromium, hindrances
from common.servers import wait_until
from conftest import Site
from handler import wake
from judge import Settings
from traffic import BOT, DDOS, Traffic, text


def history(where, seed=1, batches=10):
    """Ten minutes of traffic until now, judged."""
    traffic, begin = Traffic(seed), int(time.time()) - 60 * batches
    for i in range(batches):
        where.put(f"traffic/{begin + 60 * i}.csv", text(traffic.seconds(begin + 60 * i, 60 * i, 60)), 0)
    wake(where, Settings())


def one_more(where, name, data):
    where.put(f"traffic/{name}.csv", data, 0)
    wake(where, Settings())


@pytest.fixture(scope="module")
def browser():
    with chromium() as one:
        yield one


@pytest.fixture
def where(tmp_path):
    return store.Directory(tmp_path / "dev")


@pytest.fixture
def site(where, tmp_path):
    with Site(tmp_path, os.environ) as one:
        yield one


def opened(browser, url, state="fresh", **options):
    return browser.page(url, ready=f"#age[data-state={state}]", **options)


def wait_for(page, selector, wanted):
    expect(page.locator(selector)).to_have_text(wanted, timeout=30000)


def wait_for_state(page, wanted):
    expect(page.locator(f"#age[data-state={wanted}]")).to_be_visible(timeout=30000)


def test_the_page_shows_what_was_found(browser, site, where):
    history(where)
    with opened(browser, site.url) as page:
        wait_for(page, "#batches", "10")
        assert page.locator("#timeline").get_attribute("aria-label").startswith(f"600 seconds, {len(DDOS)} of them odd")
        assert page.locator("#timeline .mark").get_attribute("d").count("M") == len(DDOS)
        cells = page.locator("#clients tr").first.locator("td").all_text_contents()
        assert cells[1] == str(len(BOT))
        assert page.locator("#stage").text_content() == "dev"
        assert page.locator("#problems").is_hidden()


def test_a_new_batch_is_there_after_the_next_question(browser, site, where):
    with opened(browser, site.url, "waiting", expected=["404"]) as page:
        wait_for(page, "#age", "No insights yet")
        history(where, batches=2)
        wait_for(page, "#batches", "2")
        one_more(where, "9", b"time,client,requests\nsoon,a,1\n")
        wait_for(page, "#batches", "3")
        wait_for(page, "#notes", "line 2: time: 'soon' is no number")


def test_403_before_the_first_insights_means_that_there_are_none_and_later_that_they_cannot_be_had(browser, site, where):
    """What CloudFront answers for an object that is not in the bucket, as its policy does not let it list names."""
    with opened(browser, site.url, "waiting", expected=["404", "403"]) as page:
        page.route("**/insights/latest.json", lambda route: route.fulfill(status=403))
        with page.expect_response(lambda answer: answer.status == 403):
            pass
        wait_for(page, "#age", "No insights yet")
        page.unroute("**/insights/latest.json")
        history(where, batches=1)
        wait_for(page, "#batches", "1")
        page.route("**/insights/latest.json", lambda route: route.fulfill(status=403))
        wait_for_state(page, "away")
        assert "No answer (status 403), asking again" in page.locator("#age").text_content()


def test_the_page_stays_while_the_back_end_is_stopped_and_goes_on_when_it_is_back(browser, site, where):
    history(where)
    with opened(browser, site.url + "/?late=4") as page:
        wait_for_state(page, "late")  # nobody writes any more
        assert "nothing new is being written" in page.locator("#age").text_content()
        assert page.locator("#clients tr").count() == 1
        one_more(where, "9999999999", text(Traffic(5).seconds(int(time.time()), 0, 5)))
        wait_for(page, "#batches", "11")
        wait_for_state(page, "fresh")


def test_the_page_stays_while_nobody_answers_and_goes_on_when_the_server_is_back(browser, site, where):
    history(where)
    with opened(browser, site.url, expected=["ERR_CONNECTION_REFUSED"]) as page:
        before = page.locator("#clients").inner_text()
        site.kill()
        wait_for_state(page, "away")
        assert "asking again" in page.locator("#age").text_content()
        assert page.locator("#clients").inner_text() == before
        one_more(where, "9999999999", text(Traffic(5).seconds(int(time.time()), 0, 5)))
        site.start()
        wait_for(page, "#batches", "11")
        wait_for_state(page, "fresh")


def test_the_page_and_the_clock_stay_while_the_handler_fails_and_what_waited_is_judged(browser, where, tmp_path):
    (where.path / "state").write_bytes(b"rubbish")
    with Site(tmp_path, os.environ, every=0.2) as site, opened(browser, site.url, "waiting", expected=["404"]) as page:
        wait_until(lambda: site.log().count("handler failed with status 1") > 2, "the handler has failed three times")
        assert "state: begins with b'rubbish'" in site.log()
        waiting = where.names("traffic/")
        assert len(waiting) > 2
        (where.path / "state").unlink()
        wait_for_state(page, "fresh")
        wait_until(lambda: set(where.names("judged/")) >= set(waiting), "all that waited is judged")


def test_what_the_clock_cannot_do_is_told_in_one_line(site, tmp_path):
    for given, words in (
        ({"BUCKET": "mine"}, "BUCKET is set, but this serves the directory DATA"),
        ({"THRESHOLD": "much"}, "THRESHOLD: 'much' is no float"),
        ({"STAGE": "../x"}, "STAGE: '../x' has other characters"),
        ({}, f"Address already in use (127.0.0.1, port {site.port})"),
    ):
        env = {**os.environ, "DATA": str(tmp_path), **given}
        told = subprocess.run([*site.command], env=env, capture_output=True, text=True, timeout=120, check=False)
        assert told.returncode == 2
        assert words in told.stderr.splitlines()[-1]


def test_hostile_names_are_text(browser, site, where):
    evil = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
    rows = [f'{t},"{evil.replace(chr(34), chr(34) * 2)}",{500 if t > 50 else 1}' for t in range(60)]
    one_more(where, "1", ("time,client,requests\n" + "\n".join(rows)).encode())
    with opened(browser, site.url) as page:
        wait_for(page, "#clients td:first-child", evil)
        assert page.title() == "Traffic"
        assert page.locator("#clients img").count() == 0


LONG = ["2001:db8:1234:5678:9abc:def0:1234:5678", "w" * 255]


@pytest.mark.parametrize(("width", "scheme"), [(1100, "light"), (390, "dark"), (320, "light")])
def test_the_page_is_accessible_and_fits(browser, site, where, width, scheme):
    begin = int(time.time()) - 60
    rows = [f"{begin + t},{name},{900 if t > 50 else 1}\n" for t in range(60) for name in LONG]
    one_more(where, "1", ("time,client,requests\n" + "".join(rows)).encode())
    with opened(browser, site.url, width=width, scheme=scheme) as page:
        assert hindrances(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert sorted(page.locator("#clients td:first-child").all_text_contents()) == LONG
        outside = (
            "[...document.querySelectorAll('#clients td')].filter(one => one.getBoundingClientRect().right > innerWidth)"
        )
        assert page.evaluate(outside + ".map(one => one.textContent)") == []


def get(url):
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, b""


def test_the_server_gives_the_page_and_the_insights_and_nothing_else(site, where):
    history(where, batches=1)
    assert get(site.url + "/")[1].startswith(b"<!doctype html>")
    assert json.loads(get(site.url + "/insights/latest.json")[1])["revision"] == 1
    for path in ("state", "traffic/", "judged/", "insights/", "handler.py", "insights/../state",
                 "insights/%2e%2e/state", "page/../handler.py", "page/..%2fhandler.py", ".lock", "insights%00"):  # fmt: skip
        assert get(f"{site.url}/{path}")[0] in (400, 404), path
