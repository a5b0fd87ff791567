# SPDX-License-Identifier: MIT
"""How the parts do, in words for the page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from dashboard.data import Known

SILENT, IDLE = 20.0, 60.0  # seconds without a sign of life of a part, and without a reading


@dataclass(frozen=True)
class Part:
    name: str
    state: str  # ok, off, bad
    told: str = ""  # what is wrong, as Markdown; empty when nothing is


def plain(text: str) -> str:
    """Markdown that shows just this text: it may come from anybody."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))


def since(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def consumer(known: Known, now: datetime) -> Part:
    problems = []
    for _, row in known.parts[known.parts["part"].str.startswith("consumer")].iterrows():
        age = (now - row["seen"]).total_seconds()
        if age > SILENT:
            problems.append(f"**{plain(row['part'])}** has given no sign of life for {since(age)}: it was killed, or hangs.")
        elif row["problem"]:
            problems.append(f"**{plain(row['part'])}**: {plain(row['problem'])}")
    if not known.parts["part"].str.startswith("consumer").any():
        problems.append("**No consumer is running**: readings are neither judged nor stored.")
    return Part("Consumer", "bad" if problems else "ok", "  \n".join(problems))


def readings(known: Known, now: datetime) -> Part:
    age = (now - known.newest).total_seconds() if known.newest else 0.0
    if age <= IDLE:
        return Part("Readings", "ok")
    return Part(
        "Readings", "bad", f"**No reading for {since(age)}**: the newest is of {known.newest:%Y-%m-%d %H:%M:%S} UTC."
    )


def webhook(known: Known, now: datetime) -> Part:
    rows = known.parts[known.parts["part"] == "webhook"]
    wait = f"**{known.waiting} alert{'s wait' if known.waiting != 1 else ' waits'}**"
    if rows.empty:
        told = f"{wait}: nobody sends alerts." if known.waiting else ""
        return Part("Webhook", "bad" if told else "off", told)
    problem, age = rows["problem"].iloc[0], (now - rows["seen"].iloc[0]).total_seconds()
    if problem.startswith("off"):
        return Part("Webhook", "off")
    if problem:
        return Part("Webhook", "bad", f"{wait}: the webhook takes none. {plain(problem)}.")
    if age > SILENT:
        return Part("Webhook", "bad", f"**The sender of alerts** has given no sign of life for {since(age)}. {wait}.")
    return Part("Webhook", "ok")


PARTS = (consumer, readings, webhook)
