# SPDX-License-Identifier: MIT
"""Web traffic from a seed: users, and two kinds of attack, each request of which is labelled.

    python traffic.py --seed 1 --batches 10 --to data/dev/traffic    files of 60 seconds, the first at --start

user   comes, looks at pages with pauses between them, and goes
bot    one address that asks steadily, far more than a user does
ddos   hundreds of addresses, each of which asks no more than a user does
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROUND = 600  # seconds, after which the attacks come again
BOT, DDOS = range(320, 410), range(480, 510)


class Row(NamedTuple):
    time: int
    client: str
    requests: int
    label: str


class Traffic:
    def __init__(self, seed: int, users: int = 80, attackers: int = 400) -> None:
        self.chance = random.Random(seed)
        self.users, self.attackers = users, attackers
        self._busy: dict[str, int] = {}  # client: seconds for which it stays
        self._round = -1
        self._bot, self._army = "", [""]

    def _address(self) -> str:
        return ".".join(str(self.chance.randint(1, 250)) for _ in range(4))

    def _attackers(self, number: int) -> None:
        if number != self._round:
            self._round, self._bot = number, self._address()
            self._army = [self._address() for _ in range(self.attackers)]

    def seconds(self, start: int, since: int, seconds: int) -> Iterator[Row]:
        """The seconds from `start`, which is `since` seconds after the traffic began."""
        chance = self.chance
        for at in range(since, since + seconds):
            self._attackers(at // ROUND)
            self._busy = {client: left - 1 for client, left in self._busy.items() if left}
            while len(self._busy) < self.users:
                self._busy[self._address()] = chance.randint(30, 300)
            now = start + at - since
            for client in self._busy:
                if chance.random() < 0.35:
                    yield Row(now, client, min(1 + int(chance.expovariate(0.8)), 6), "user")
            if at % ROUND in BOT:
                yield Row(now, self._bot, chance.randint(20, 30), "bot")
            if at % ROUND in DDOS:
                for client in self._army:
                    yield Row(now, client, chance.randint(1, 2), "ddos")


def text(rows: Iterable[Row]) -> bytes:
    return ("time,client,requests,label\n" + "".join(f"{','.join(map(str, row))}\n" for row in rows)).encode()


def main() -> None:
    parser = argparse.ArgumentParser(description="Web traffic with attacks, as batches")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batches", type=int, default=10)
    parser.add_argument("--start", type=int, default=1737460800)
    parser.add_argument("--to", type=Path, required=True)
    given = parser.parse_args()
    given.to.mkdir(parents=True, exist_ok=True)
    traffic = Traffic(given.seed)
    for i in range(given.batches):
        start = given.start + 60 * i
        (given.to / f"{start}.csv").write_bytes(text(traffic.seconds(start, 60 * i, 60)))


if __name__ == "__main__":
    main()
