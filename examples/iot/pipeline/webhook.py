# SPDX-License-Identifier: MIT
"""From the table `outbox` to the webhook, in nobody's way: at least once, in order, not too fast, again until it is there.

`python -m pipeline.webhook` sends as long as it runs; `--test` sends a test message and says what became of it; `--discard`
throws away what waits, and says how much.
"""

from __future__ import annotations

import argparse
import json
import logging
import signal
import threading
import time
from dataclasses import dataclass

from common.alerts import PAUSES, LaterError, Sender, TokenBucket
from pipeline.config import Settings, read_settings
from pipeline.slack import RefusedError, Webhook, example, message
from pipeline.store import DownError, Store, open_store

log = logging.getLogger("pipeline.webhook")
PART = "webhook"  # in the table `health`
MOMENT, HEARTBEAT = 0.2, 5.0


@dataclass
class Alert:
    number: int
    message: str
    refused: str = ""


class Outbox:
    """The table, for a Sender. In its thread; the database is opened there."""

    def __init__(self, settings: Settings) -> None:
        url = settings.slack_webhook_url.get_secret_value()
        self._webhook = Webhook(url, settings.webhook_seconds) if url else None
        self._bucket = TokenBucket(settings.webhook_per_second)
        self._database = settings.database_url.get_secret_value()
        self._opened: Store | None = None
        self._tell_at = 0.0

    def _store(self) -> Store:
        if self._opened is None:
            self._opened = open_store(self._database)
        return self._opened

    def take(self) -> Alert | None:
        store = self._store()
        if self._webhook and not store.alone():  # another process sends
            time.sleep(MOMENT)
            return None
        if time.monotonic() >= self._tell_at:
            store.tell(PART, "" if self._webhook else "off: SLACK_WEBHOOK_URL is not set")
            self._tell_at = time.monotonic() + HEARTBEAT
        with store.transaction():
            found = store.execute("SELECT id, message FROM outbox ORDER BY id LIMIT 1")
        if not found or not self._webhook:
            time.sleep(MOMENT)
            return None
        return Alert(*found[0])

    def send(self, alert: Alert) -> None:
        assert self._webhook is not None
        while not self._bucket.take(time.monotonic()):
            time.sleep(0.02)
        try:
            self._webhook.post(json.loads(alert.message))
        except RefusedError as error:
            alert.refused = str(error)
            log.error("alert %d is kept in the table rejected: %s", alert.number, error)
        except (LaterError, OSError) as error:
            try:
                self._store().tell(PART, str(error))
                self._tell_at = 0.0  # once it goes well that is said at once
            except DownError:
                log.warning("the database does not answer")
            raise

    def done(self, alert: Alert) -> None:
        store = self._store()
        with store.transaction():
            if alert.refused:
                store.execute(
                    "INSERT INTO rejected VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                    (alert.number, alert.refused, alert.message.encode()),
                )
            store.execute("DELETE FROM outbox WHERE id = %s", (alert.number,))

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()


def sender(settings: Settings, pauses: tuple[float, ...] = PAUSES) -> Sender:
    """Sends until it is closed."""
    if not settings.slack_webhook_url.get_secret_value():
        log.warning("SLACK_WEBHOOK_URL is not set: alerts wait in the database until it is")
    outbox = Outbox(settings)
    return Sender(outbox.take, outbox.send, outbox.done, pauses)


def test(settings: Settings) -> None:
    try:
        hook = Webhook(settings.slack_webhook_url.get_secret_value(), settings.webhook_seconds)
        hook.post(message(example()))
    except (ValueError, RefusedError, LaterError, OSError) as error:
        raise SystemExit(f"not sent: {error}") from None
    print(f"{hook.host} has taken a test message")


def discard(settings: Settings) -> None:
    try:
        store = open_store(settings.database_url.get_secret_value())
        if not store.alone():
            raise SystemExit("nothing is thrown away: a process sends the alerts, end it first")
        with store.transaction():
            number = len(store.execute("DELETE FROM outbox RETURNING id"))
    except DownError as error:
        raise SystemExit(f"nothing is thrown away: {error}") from None
    store.close()
    print(f"{number} alerts are thrown away; their anomalies stay in the database")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m pipeline.webhook", description="Sends the alerts that wait to Slack.")
    parser.add_argument("--test", action="store_true", help="sends a test message and ends")
    parser.add_argument("--discard", action="store_true", help="throws away the alerts that wait, and ends")
    given, settings = parser.parse_args(), read_settings()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if given.test:
        test(settings)
        return
    if given.discard:
        discard(settings)
        return
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    sending = sender(settings)
    stopping.wait()
    sending.close(settings.webhook_seconds)


if __name__ == "__main__":
    main()
