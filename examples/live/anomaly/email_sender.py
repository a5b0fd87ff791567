# SPDX-License-Identifier: MIT
"""Anomalies by mail: few, to several recipients, and in nobody's way. `python -m anomaly.email_sender` sends a test mail."""

from __future__ import annotations

import asyncio
import logging
import smtplib
from collections import deque
from email.message import EmailMessage
from typing import Any

from anomaly.config import Settings, prepare
from anomaly.persistence import DownError, Record, Store
from common.alerts import Outbox, TokenBucket

log = logging.getLogger("anomaly.email")
SECONDS = 30.0  # for a server's answer


def message_of(settings: Settings, anomaly: Record, suppressed: int = 0) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = settings.email_from, ", ".join(settings.email_to)
    metric = "".join(c if c.isprintable() else "?" for c in anomaly["metric"])  # no line may begin in a header
    message["Subject"] = f"Anomaly: {metric[:80]} = {anomaly['value']:g}"
    lines = [
        f"{name}: {anomaly[name]}"
        for name in ("metric", "value", "mean", "lower", "upper", "z_score", "timestamp", "event_meta")
    ]
    if suppressed:
        lines.append(f"\n{suppressed} further anomalies since the last mail were not mailed.")
    message.set_content("\n".join(lines))
    return message


def send(settings: Settings, message: EmailMessage) -> None:
    with smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=SECONDS) as server:
        if settings.smtp_tls:
            server.starttls()
        if settings.smtp_user:
            server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
        server.send_message(message)


class Mailer:
    """Follows the anomalies. Where it was is noted once nothing is on its way: a mail may come twice, but none is lost."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._store = store
        bucket = TokenBucket(1 / settings.email_rate_limit_seconds)
        self.outbox = Outbox(lambda anomaly, untold: send(settings, message_of(settings, anomaly, untold)), bucket)

    async def run(self) -> None:
        last: deque[str] = deque(maxlen=1)
        noting = asyncio.create_task(self._note(last))
        try:
            async for place, anomaly in self._store.follow("email"):
                self.outbox.offer(anomaly)
                last.append(place)
        finally:
            noting.cancel()
            await asyncio.to_thread(self.outbox.close)
            await self._note_once(last)

    async def _note(self, last: deque[str]) -> None:
        while True:
            await asyncio.sleep(0.5)
            await self._note_once(last)

    async def _note_once(self, last: deque[str]) -> None:
        if last and not self.outbox.pending:
            try:
                await self._store.done("email", last[0])
                last.clear()
            except DownError:
                pass  # the next time

    def told(self) -> dict[str, int]:
        """As models.Health names them."""
        box = self.outbox
        return {"mails_sent": box.sent, "mails_suppressed": box.suppressed, "mails_waiting": box.pending}

    @property
    def state(self) -> str:
        return self.outbox.problem or "ok"


def main() -> None:
    settings = prepare(Settings())
    example: dict[str, Any] = dict.fromkeys(("value", "mean", "lower", "upper", "z_score", "timestamp"), 0.0)
    example |= {"metric": "test", "event_meta": None}
    try:
        send(settings, message_of(settings, example))
    except OSError as error:  # smtplib's are of this kind
        raise SystemExit(f"{settings.smtp_host}:{settings.smtp_port}: {type(error).__name__}: {error}") from None
    print(f"sent to {', '.join(settings.email_to)}")


if __name__ == "__main__":
    main()
