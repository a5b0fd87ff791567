#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the data of docs/cookbook.md: what people have, with something planted in it; the same bytes on each machine.

    python3 trades.py logins >logins.csv

logins      logins each quarter of an hour, four weeks: a surge one night, an outage one noon
disks       NDJSON, six disks each minute, a day: one disk is slow for ten minutes
payments    the amounts of three shops: one payment is a hundred times what is usual there
sensors     a room each minute, in tenths of a degree, two days: the sensor is stuck for three hours, a window stands open
clients     requests of each web client each minute: two bots come
counters    a Prometheus server's answer to query_range: bytes that two hosts have sent; one of them uploads something large
sheet       an export from a spreadsheet, with a title, semicolons and decimal commas: one typing mistake
"""

import json
import math
import random
import sys
from datetime import datetime, timedelta, timezone

START = datetime(2025, 3, 3, tzinfo=timezone.utc)  # a Monday
MINUTE, HOUR, DAY = 60, 3600, 86400
chance = random.Random(7)


def noise():
    """Nearly normal, of sums alone: no function of a library that differs from machine to machine."""
    return sum(chance.random() for _ in range(12)) - 6


def at(seconds):
    return (START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def wave(seconds, peak):
    """1 at the hour of the peak, 0 twelve hours later."""
    x = (seconds / HOUR - peak) % 24 / 12 - 1
    return x * x


def logins():
    print("time,logins")
    for t in range(0, 28 * DAY, 15 * MINUTE):
        weekend = t // DAY % 7 >= 5
        usual = (20 + 380 * wave(t, 13)) * (0.4 if weekend else 1)
        count = usual + 2 * noise() * usual**0.5
        if 22 * DAY + 3 * HOUR <= t < 22 * DAY + 4 * HOUR:
            count += 160  # somebody tries passwords
        if 24 * DAY + 12 * HOUR <= t < 24 * DAY + 13 * HOUR:
            count *= 0.05
        print(f"{at(t)},{max(0, round(count))}")


def disks():
    for t in range(0, DAY, MINUTE):
        for number, (host, disk) in enumerate([(h, d) for h in ("db1", "db2", "web1") for d in ("sda", "sdb")]):
            wait = (1 + number) * math.exp(0.25 * noise())
            if (host, disk) == ("db2", "sdb") and 50400 <= t < 51000:
                wait *= 12
            print(json.dumps({"time": at(t), "host": host, "disk": disk, "wait_ms": round(wait, 2)}))


def payments():
    print("time,shop,amount")
    t = 0
    for number in range(3000):
        t += round(300 * -math.log(1 - chance.random()))
        shop, usual = (("books", 20), ("garden", 60), ("travel", 700))[int(3 * chance.random())]
        amount = usual * math.exp(0.6 * noise())
        if number == 2400:
            shop, amount = "books", 4999
        print(f"{at(t)},{shop},{amount:.2f}")


def sensors():
    print("time,celsius")
    celsius = 0
    for t in range(0, 2 * DAY, MINUTE):
        if not 108000 <= t < 118800:
            celsius = 20 + 2 * wave(t, 15) + 0.08 * noise() - (5 if 147600 <= t < 149400 else 0)
        print(f"{at(t)},{celsius:.1f}")


def clients():
    print("time,client,requests")
    for t in range(0, 4 * HOUR, MINUTE):
        for number in range(40):
            if chance.random() < 0.7:
                print(f"{at(t)},10.0.0.{number + 1},{1 + round(4 * math.exp(0.5 * noise()))}")
        if 2 * HOUR <= t < 2 * HOUR + 5 * MINUTE:
            print(f"{at(t)},203.0.113.9,{600 + round(20 * noise())}")
        if 3 * HOUR <= t < 3 * HOUR + 5 * MINUTE:
            print(f"{at(t)},198.51.100.4,{240 + round(9 * noise())}")


def counters():
    result = []
    for host, pace in (("web1", 40000), ("web2", 90000)):
        sent, values = 5e9, []
        for t in range(0, 12 * HOUR, MINUTE):
            sent += MINUTE * pace * (1 + 0.1 * noise()) * (9 if host == "web2" and 30600 <= t < 31200 else 1)
            if t == 20000 // MINUTE * MINUTE:
                sent = 0  # the host was started anew
            values.append([START.timestamp() + t, str(round(sent))])
        result.append({"metric": {"__name__": "node_network_transmit_bytes_total", "instance": host}, "values": values})
    json.dump({"status": "success", "data": {"resultType": "matrix", "result": result}}, sys.stdout)
    print()


def sheet():
    print("Umsatz je Filiale\nStand 31.03.2025\nDatum;Filiale;Umsatz")
    for day in range(30):
        for shop, usual in (("Nord", 1800), ("Mitte", 5200)):
            amount = usual * (1 + 0.08 * noise()) * (10 if (day, shop) == (21, "Nord") else 1)
            print(f"{at(day * DAY)[:10]};{shop};{amount:.2f}".replace(".", ","))


if __name__ == "__main__":
    trades = {f.__name__: f for f in (logins, disks, payments, sensors, clients, counters, sheet)}
    if len(sys.argv) != 2 or sys.argv[1] not in trades:
        sys.exit(f"usage: trades.py {' | '.join(trades)}")
    trades[sys.argv[1]]()
