# SPDX-License-Identifier: MIT
"""Alerts to a webhook that is slow, refuses, goes and comes back; and a sender that is killed."""

import json
import os
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest

from common.servers import Server, Webhook, wait_until
from conftest import new_database
from pipeline import slack
from pipeline.store import open_store

EXAMPLE = Path(__file__).resolve().parents[1]
AT = datetime(2025, 7, 20, 10, 19, 16, tzinfo=timezone.utc)


def anomaly(sensor="sensor-01", value=100.0, z=272.3025):
    return {"sensor_id": sensor, "metric_type": "temperature", "value": value, "z_score": z, "timestamp": AT}


class Sending(Server):
    """The sender as a process of its own."""

    def __init__(self, database, url, *arguments, **settings):
        self.store = open_store(database)  # makes the tables
        given = {"DATABASE_URL": database, "SLACK_WEBHOOK_URL": url, "WEBHOOK_PER_SECOND": 1000, "LOG_LEVEL": "DEBUG"}
        environment = {**os.environ, "NO_PROXY": "*", **{name: str(value) for name, value in {**given, **settings}.items()}}
        command = [sys.executable, "-m", "pipeline.webhook", *arguments]
        super().__init__(command, lambda: True, name="webhook", env=environment, cwd=EXAMPLE)

    def __exit__(self, *_):
        super().__exit__()
        self.store.close()

    def alert(self, *numbers):
        rows = [(number, json.dumps(slack.message(anomaly(f"sensor-{number}")))) for number in numbers]
        with self.store.transaction():
            self.store.insert("outbox", ("id", "message"), rows)

    def table(self, sql):
        with self.store.transaction():
            return self.store.execute(sql)

    @property
    def waiting(self):
        return [number for (number,) in self.table("SELECT id FROM outbox ORDER BY id")]

    @property
    def problem(self):
        return dict(self.table("SELECT part, problem FROM health")).get("webhook")


def numbers(hook):
    """Whose sensors the webhook has heard of, in order."""
    return [int(post["text"].split("sensor-")[1].split(",")[0]) for post in hook.posts]


@pytest.fixture
def database(tmp_path):
    return f"sqlite:///{tmp_path}/iot.sqlite"


@pytest.fixture
def hook():
    with Webhook() as one:
        yield one


@pytest.fixture
def sending(database, hook):
    with Sending(database, hook.url) as one:
        yield one


def fields(message):
    return dict(field["text"].split("\n") for field in message["blocks"][1]["fields"])


def test_a_message_names_sensor_metric_value_z_and_time():
    message = slack.message(anomaly())
    assert message["text"] == "Anomaly: sensor-01, temperature 100"
    assert [block["type"] for block in message["blocks"]] == ["header", "section", "divider"]
    assert message["blocks"][0]["text"]["text"] == ":warning: Anomaly Detected! :warning:"
    assert fields(message) == {
        "*Sensor ID:*": "sensor-01",
        "*Metric:*": "temperature",
        "*Anomalous Value:*": "100",
        "*Z-Score:*": "+272.3025",
        "*Timestamp (UTC):*": "2025-07-20 10:19:16",
    }


def test_text_of_a_message_is_escaped_as_slack_wants_it():
    message = slack.message(anomaly("<!channel> & <http://x|y>\n\u202e*b*"))
    escaped = "&lt;!channel&gt; &amp; &lt;http://x|y&gt;\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}*b*"
    assert fields(message)["*Sensor ID:*"] == escaped
    assert message["text"] == f"Anomaly: {escaped}, temperature 100"
    assert all(field["verbatim"] for field in message["blocks"][1]["fields"])  # no link is made of what looks like one


@pytest.mark.parametrize(("z", "told"), [(-3.5, "-3.5000"), (float("inf"), "none: the values before were all the same")])
def test_the_sign_of_a_score_is_told_and_an_infinite_one_in_words(z, told):
    assert fields(slack.message(anomaly(z=z)))["*Z-Score:*"] == told


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        *[("7", 7), ("0.5", 0.5), ("-3", 0), ("nan", 0), ("inf", 0), ("soon", 0), ("", 0), ("1e9", 3600)],
        *[("Sun, 06 Nov 1994 08:49:37 GMT", 0), ("Sun, 06 Nov 2094 08:49:37 GMT", 3600)],
    ],
)
def test_retry_after_is_seconds_or_a_date_and_at_most_an_hour(said, seconds):
    assert slack._pause(said) == seconds


@pytest.mark.parametrize("url", ["", "ftp://x/y", "https://", "hooks.slack.com/services/SECRET"])
def test_an_address_that_is_none_is_refused_without_being_shown(url):
    with pytest.raises(ValueError, match="https://") as told:
        slack.Webhook(url)
    assert "SECRET" not in str(told.value)


def test_alerts_arrive_once_each_in_order(sending, hook):
    sending.alert(*range(20))
    wait_until(lambda: not sending.waiting, "all are sent")
    sending.alert(20, 21)
    wait_until(lambda: not sending.waiting, "these too")
    assert numbers(hook) == list(range(22))
    assert sending.stop() == 0


def test_alerts_go_no_faster_than_is_allowed(database, hook):
    with Sending(database, hook.url, WEBHOOK_PER_SECOND=4) as sending:
        sending.alert(*range(5))
        wait_until(lambda: not sending.waiting, "all are sent")
    assert hook.tries[-1] - hook.tries[0] >= 4 / 4 - 0.1


def test_a_webhook_that_fails_gets_everything_later(sending, hook):
    hook.answers = [(500, {}, "<html>"), (429, {"Retry-After": "3"}, "rate_limited")]
    sending.alert(1, 2, 3)
    wait_until(lambda: sending.problem == "127.0.0.1 answers 429 (rate_limited)", "that is told")
    wait_until(lambda: not sending.waiting, "all are sent")
    assert numbers(hook) == [1, 2, 3]
    pauses = [later - before for before, later in zip(hook.tries, hook.tries[1:])]
    assert pauses[0] >= 1
    assert pauses[1] >= 3
    wait_until(lambda: sending.problem == "", "all is well again")


def test_a_webhook_that_sends_elsewhere_is_not_followed(sending, hook):
    with Webhook() as other:
        hook.answers = [(307, {"Location": other.url}, "")]
        sending.alert(1)
        wait_until(lambda: sending.problem == "127.0.0.1 answers 307", "that is told")
        wait_until(lambda: not sending.waiting, "it is sent")
        assert (numbers(hook), other.tries) == ([1], [])


def test_a_webhook_that_is_killed_and_comes_back_gets_everything_once(sending, hook):
    sending.alert(1, 2)
    wait_until(lambda: not sending.waiting, "two are sent")
    hook.stop()
    sending.alert(3, 4)
    wait_until(lambda: "127.0.0.1 does not answer" in (sending.problem or ""), "that is told")
    sending.alert(5)
    assert sending.waiting == [3, 4, 5]
    hook.start()
    wait_until(lambda: not sending.waiting, "all are sent")
    assert numbers(hook) == [1, 2, 3, 4, 5]


def test_a_sender_that_is_killed_loses_nothing_and_doubles_at_most_what_was_on_its_way(sending, hook):
    hook.slow, kills = 0.02, 5
    sending.alert(*range(60))
    for kill in range(kills):
        wait_until(lambda: len(hook.posts) >= 10 * (kill + 1), "some have come")  # noqa: B023
        sending.kill()
        sending.start()
    wait_until(lambda: not sending.waiting, "all are sent")
    got = numbers(hook)
    assert sorted(set(got)) == list(range(60))
    assert got == sorted(got)  # what came twice came one after the other
    assert len(got) <= 60 + kills


def test_what_a_webhook_will_never_take_is_kept_apart_and_the_next_goes_out(sending, hook):
    hook.answers = [(400, {}, "invalid_blocks")]
    sending.alert(1, 2)
    wait_until(lambda: not sending.waiting, "none waits")
    assert numbers(hook) == [2]
    ((number, reason, kept),) = sending.table("SELECT id, reason, message FROM rejected")
    assert (number, reason) == (1, "127.0.0.1 answers 400 (invalid_blocks)")
    assert json.loads(bytes(kept)) == slack.message(anomaly("sensor-1"))


def test_while_a_webhook_hangs_the_database_is_written(sending, hook):
    hook.slow = 2.0
    sending.alert(1)
    wait_until(lambda: hook.tries, "it hangs")
    begin = time.monotonic()
    sending.alert(*range(2, 50))
    assert not hook.posts or time.monotonic() - begin < 2.0
    hook.slow = 0.0
    wait_until(lambda: not sending.waiting, "all are sent")
    assert numbers(hook) == list(range(1, 50))


def test_a_webhook_that_answers_too_late_may_get_it_twice(database, hook):
    with Sending(database, hook.url, WEBHOOK_SECONDS=0.5) as sending:
        hook.slow = 1.5
        sending.alert(1)
        wait_until(lambda: sending.problem == "127.0.0.1 does not answer: ReadTimeout", "that is told")
        hook.slow = 0.0
        wait_until(lambda: not sending.waiting, "it is sent")
    wait_until(lambda: numbers(hook) == [1, 1], "both are there", 30)


def test_the_address_is_in_no_log_and_no_table(sending, hook):
    hook.answers = [(404, {}, f"Cannot POST {hook.url}"), (410, {}, "SECRET"), (403, {}, "invalid_token")]
    sending.alert(1)
    wait_until(lambda: sending.problem == "127.0.0.1 answers 403 (invalid_token)", "it has been refused")
    hook.stop()
    wait_until(lambda: "does not answer" in sending.problem, "it has gone")
    everything = sending.log() + repr(sending.table("SELECT * FROM health"))
    assert "answers 404" in everything
    assert "SECRET" not in everything
    assert "/services" not in everything


def test_without_an_address_alerts_wait_and_that_is_told_until_there_is_one(database, hook):
    with Sending(database, "") as without:
        without.alert(1, 2)
        wait_until(lambda: without.problem == "off: SLACK_WEBHOOK_URL is not set", "that is told")
        assert "SLACK_WEBHOOK_URL is not set: alerts wait" in without.log()
        assert without.waiting == [1, 2]
        with Sending(database, hook.url) as sending:  # the other holds up nobody
            wait_until(lambda: not sending.waiting, "all are sent")
    assert numbers(hook) == [1, 2]


def discard(database):
    with Sending(database, "", "--discard") as discarding:
        return discarding.process.wait(60), discarding.log()


def test_alerts_are_thrown_away_where_that_is_asked_for_and_nobody_sends(database, hook):
    hook.stop()
    with Sending(database, hook.url) as sending:
        sending.alert(1, 2, 3)
        wait_until(lambda: "does not answer" in (sending.problem or ""), "it tries")
        assert discard(database) == (1, "nothing is thrown away: a process sends the alerts, end it first\n")
        assert sending.waiting == [1, 2, 3]
        sending.kill()
        assert discard(database) == (0, "3 alerts are thrown away; their anomalies stay in the database\n")
        assert sending.waiting == []


def test_of_two_senders_on_a_file_one_sends(database, hook):
    hook.slow = 0.05
    with Sending(database, hook.url) as one, Sending(database, hook.url) as two:
        one.alert(*range(20))
        wait_until(lambda: not one.waiting, "all are sent")
        assert numbers(hook) == list(range(20))
        one.kill()
        two.alert(20, 21)
        wait_until(lambda: not two.waiting, "the other sends")
    assert numbers(hook) == list(range(22))


def test_a_test_message(database, hook):
    with Sending(database, hook.url, "--test") as sending:
        assert sending.process.wait(60) == 0
    assert fields(hook.posts[0])["*Sensor ID:*"] == "test"
    hook.answers = [(404, {}, "no_service")]
    with Sending(database, hook.url, "--test") as sending:
        assert sending.process.wait(60) == 1
        assert sending.log().strip().endswith("not sent: 127.0.0.1 answers 404 (no_service)")


def test_of_two_senders_one_sends_and_a_database_that_is_killed_loses_nothing(postgres, hook):
    url, _ = new_database(postgres)
    with Sending(url, hook.url) as one, Sending(url, hook.url) as two:
        hook.slow = 0.05
        one.alert(*range(20))
        wait_until(lambda: len(hook.posts) >= 5, "some have come")
        postgres.kill()
        postgres.start()
        wait_until(lambda: not one.waiting, "all are sent")
        got = numbers(hook)
        assert sorted(set(got)) == list(range(20))
        assert len(got) <= 21  # the one on its way when the other took over
        one.kill()
        two.alert(20, 21)
        wait_until(lambda: not two.waiting, "the other sends")
        assert numbers(hook)[-2:] == [20, 21]
