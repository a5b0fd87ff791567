# SPDX-License-Identifier: MIT
"""Mail, by a real SMTP server on loopback."""

import email
import email.policy
import os
import subprocess
import sys
import time

import pytest

from common.servers import Mails, redis_server, wait_until
from conftest import EXAMPLE, START, Inside, Service

TO = "admin@example.com,ops@example.com"


def mailing(mails, kind=Inside, **settings):
    given = {"email_enabled": True, "smtp_host": "127.0.0.1", "smtp_port": mails.port, "smtp_tls": False, "email_to": TO}
    return kind(**given, **settings)


def odd(service, *metrics):
    """Ten equal values and another one of each, as one upload."""
    lines = [f"{metric},{value},{START}\n" for metric in metrics for value in [50] * 10 + [200]]
    assert service.upload("a.txt", "".join(lines)).json()["success_count"] == len(lines)


def test_ten_anomalies_are_one_mail_and_a_later_one_tells_of_the_others():
    with Mails() as mails, mailing(mails, email_rate_limit_seconds=6) as one:
        odd(one, *(f"m{i}" for i in range(10)))
        first = time.monotonic()
        assert len(one.settled()) == 10
        wait_until(lambda: len(mails.mails) == 1, "a mail")
        assert one.health()["mails_suppressed"] == 9
        time.sleep(max(0, first + 6.5 - time.monotonic()))
        odd(one, "later")
        wait_until(lambda: len(mails.mails) == 2, "another mail")
        assert one.health()["mails_sent"] == 2
    assert [recipients for recipients, _ in mails.mails] == [TO.split(",")] * 2
    assert "Subject: Anomaly: m0 = 200" in mails.mails[0][1]
    assert "9 further anomalies" in mails.mails[1][1]


def test_a_slow_server_delays_no_verdict_and_one_that_is_away_gets_its_mail_later():
    with Mails() as mails:
        mails.slow = 5
        with mailing(mails, email_rate_limit_seconds=0.001) as one:
            odd(one, "slow")
            begin = time.monotonic()
            odd(one, "quick")
            assert len(one.settled()) == 2
            assert time.monotonic() < begin + 4
            assert one.health()["mails_waiting"] >= 1
            mails.slow = 0
            wait_until(lambda: len(mails.mails) == 2, "both mails")
            mails.stop()
            odd(one, "away")
            wait_until(lambda: one.health()["status"] == "degraded", "the health tells it")
            assert "refused" in one.health()["parts"]["email"]
            mails.start()
            wait_until(lambda: len(mails.mails) == 3, "the mail arrives")
            wait_until(lambda: one.health()["status"] == "ok", "all is well again")


@pytest.mark.parametrize(
    ("kind", "ended"),
    [("memory", "stop"), pytest.param("redis", "stop", marks=pytest.mark.on_demand), ("redis", "kill")],
)
def test_a_mail_that_is_not_sent_goes_out_after_a_restart(kind, ended, tmp_path):
    with Mails() as mails, redis_server() as redis:
        settings = {"state_file": tmp_path / "state"} if kind == "memory" else {"backend": "redis", "redis_url": redis.url}
        mails.stop()
        with mailing(mails, Service, wait=False, **settings) as one:
            wait_until(lambda: one.health()["status"] == "ok", "all is up")
            odd(one, "late")
            wait_until(lambda: "refused" in one.health()["parts"]["email"], "it could not be sent")
            getattr(one, ended)()
            mails.start()
            one.start()
            wait_until(lambda: mails.mails, "the mail arrives", 60)
            wait_until(lambda: one.health()["status"] == "ok", "all is well")
            odd(one, "next")
            wait_until(lambda: one.health()["mails_suppressed"] == 1, "the rate is kept")
    assert ["= 200" in text and "late" in text for _, text in mails.mails] == [True]


def test_a_name_adds_nothing_to_the_head_of_a_mail():
    name = "cpu\r\nBcc: evil@example.com\n\nhello\u2028\x00" + "\N{SNOWMAN}" * 100
    with Mails() as mails, mailing(mails) as one:
        for value in [50] * 10 + [200]:
            assert one.send(name, value).status_code == 201
        wait_until(lambda: mails.mails, "a mail", 60)
    recipients, text = mails.mails[0]
    mail = email.message_from_string(text, policy=email.policy.default)
    assert recipients == TO.split(",")
    assert (mail["To"], mail["Bcc"]) == ("admin@example.com, ops@example.com", None)
    assert mail["Subject"].startswith("Anomaly: cpu??Bcc: evil@example.com??hello")
    assert mail["Subject"].endswith(" = 200")


def test_the_test_mail_is_sent_or_says_why_not():
    with Mails() as mails:
        settings = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(mails.port), "SMTP_TLS": "false", "EMAIL_TO": TO}

        def sending():
            command = [sys.executable, "-m", "anomaly.email_sender"]
            return subprocess.run(command, env={**os.environ, **settings}, cwd=EXAMPLE, capture_output=True, text=True)

        told = sending()
        assert (told.returncode, told.stdout) == (0, "sent to admin@example.com, ops@example.com\n")
        assert mails.mails[0][0] == TO.split(",")
        mails.stop()
        told = sending()
        assert told.returncode == 1
        assert f"127.0.0.1:{mails.port}: ConnectionRefusedError" in told.stderr
