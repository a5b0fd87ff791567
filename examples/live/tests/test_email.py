# SPDX-License-Identifier: MIT
"""Mail, by a real SMTP server on loopback."""

import time

from common.servers import Mails, wait_until
from conftest import START, Service

TO = "admin@example.com,ops@example.com"


def mailing(mails, **settings):
    given = {"email_enabled": True, "smtp_host": "127.0.0.1", "smtp_port": mails.port, "smtp_tls": False, "email_to": TO}
    return Service(**given, **settings)


def odd(service, metric):
    """Ten equal values and another one, as one upload."""
    lines = [f"{metric},{value},{START}\n" for value in [50] * 10 + [200]]
    assert service.upload("a.txt", "".join(lines)).json()["success_count"] == 11


def test_ten_anomalies_are_one_mail_and_a_later_one_tells_of_the_others():
    with Mails() as mails, mailing(mails, email_rate_limit_seconds=20) as one:
        for i in range(10):
            odd(one, f"m{i}")
        first = time.monotonic()
        assert len(one.settled()) == 10
        wait_until(lambda: len(mails.mails) == 1, "a mail")
        assert one.health()["mails_suppressed"] == 9
        time.sleep(max(0, first + 20.5 - time.monotonic()))
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
