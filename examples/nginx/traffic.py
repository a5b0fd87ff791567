#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Visits a web server on this machine as many people and a few attackers would, and prints what was planted.

The visit is planned first, from the seed alone: a list of (seconds, client, label). It is then played. Each client has an
address of its own in 127.0.0.0/8, which Linux answers without set-up, and keeps one connection. Labels: browser, app and
crawler are normal; bot, flood and turncoat are planted.
"""

import argparse
import csv
import random
import selectors
import socket
import sys
import time
from collections import Counter, namedtuple

Request = namedtuple("Request", "at client label")
Planted = namedtuple("Planted", "client label at rate")
NORMAL = ("browser", "app", "crawler")


def browser(rng, start, end):
    """A person: a page and what belongs to it within a second, then some time to read."""
    at = start
    while at < end:
        yield at
        for _ in range(min(int(rng.expovariate(1 / 5)), 12)):
            yield at + rng.uniform(0.1, 1.2)
        at += 2 + rng.expovariate(1 / 5)


def steady(rng, start, end, rate, jitter):
    """A machine: so many requests a second, each apart from the last by 1/rate, give or take `jitter` of it."""
    at = start
    while at < end:
        yield at
        at += rng.uniform(1 - jitter, 1 + jitter) / rate


def address(rng, taken):
    while True:
        client = "127.%d.%d.%d" % (rng.randint(1, 254), rng.randint(0, 255), rng.randint(1, 254))
        if client not in taken:
            taken.add(client)
            return client


def plan_normal(rng, seconds, users, taken):
    """Half of the users are there from the start, the others come in the course of the visit."""
    requests, clients = [], []
    for i in range(users):
        client, start = address(rng, taken), rng.uniform(0, 3) if i % 2 else rng.uniform(0, seconds)
        label = "crawler" if i == 1 else "app" if i % 5 == 3 else "browser"
        if label == "browser":
            times = browser(rng, start, seconds)
        else:
            rate = 2 if label == "crawler" else rng.uniform(0.3, 1)
            times = steady(rng, start, seconds, rate, 0.3)
        requests += (Request(at, client, label) for at in times if at < seconds)
        clients.append((client, start))
    return requests, clients


def plan_attack(rng, seconds, attack, clients, taken):
    """A bot, a flood from four addresses, or a normal client that turns into a bot, in the last third of the visit."""
    begin = rng.uniform(0.67, 0.8) * seconds
    if attack == "flood":
        attackers = [(address(rng, taken), begin + rng.uniform(0, 1), rng.uniform(45, 60)) for _ in range(4)]
    elif attack == "turncoat":
        attackers = [(clients[3][0], begin, rng.uniform(50, 90))]
    else:
        attackers = [(address(rng, taken), begin, rng.uniform(50, 90))]
    requests, planted = [], []
    for client, start, rate in attackers:
        requests += (Request(at, client, attack) for at in steady(rng, start, seconds, rate, 0.5))
        planted.append(Planted(client, attack, start, rate))
    return requests, planted


def plan(seed, seconds=60, users=40, attack="bot"):
    """The requests in order of time, and who was planted among them."""
    rng = random.Random(seed)
    taken = set()
    requests, clients = plan_normal(rng, seconds, users, taken)
    planted = []
    if attack != "none":
        more, planted = plan_attack(rng, seconds, attack, clients, taken)
        requests += more
    return sorted(requests), planted


class Client:
    """One address with one connection, made anew when the server has closed it. Counts the answers by status."""

    def __init__(self, address, server, selector, random_header):
        self.address, self.server, self.selector = address, server, selector
        self.statuses, self.connection, self.tail = Counter(), None, b""
        self.request = (
            "GET /?token=s3cret HTTP/1.1\r\nHost: example\r\nAuthorization: Bearer s3cret\r\n"
            "X-Forwarded-For: %s\r\n\r\n" % random_header
        ).encode()

    def send(self):
        if self.connection is None:
            self.connection = socket.create_connection(self.server, 5, (self.address, 0))
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.selector.register(self.connection, selectors.EVENT_READ, self)
        try:
            self.connection.sendall(self.request)
        except OSError:
            self.close()

    def receive(self):
        try:
            data = self.connection.recv(65536)
        except OSError:
            data = b""
        for piece in (self.tail + data).split(b"HTTP/1.1 ")[1:]:
            if len(piece) >= 3:
                self.statuses[int(piece[:3])] += 1
        self.tail = data[-11:] if data else b""
        if not data:
            self.close()

    def close(self):
        if self.connection is not None:
            self.selector.unregister(self.connection)
            self.connection.close()
            self.connection, self.tail = None, b""


class Visit:
    """Plays planned requests against a server, `speed` times as fast as planned."""

    def __init__(self, port, speed=1.0, host="127.0.0.1"):
        self.server, self.speed = (host, port), speed
        self.selector, self.clients = selectors.DefaultSelector(), {}
        self.first = {}  # client: when its first request of a label was sent, on the wall clock
        self.sent = self.given_up = 0

    def play(self, requests):
        """A request that is late by half a planned second is given up: who catches up would look like a bot."""
        start = time.monotonic()
        for request in requests:
            self.read_until(start + request.at / self.speed)
            if time.monotonic() - start > (request.at + 0.5) / self.speed:
                self.given_up += 1
                continue
            self.first.setdefault((request.client, request.label), time.time())
            self.client(request.client).send()
            self.sent += 1
        self.read_until(time.monotonic() + 0.1)

    def client(self, address):
        if address not in self.clients:
            forged = "198.51.100.%d" % (len(self.clients) % 254 + 1)
            self.clients[address] = Client(address, self.server, self.selector, forged)
        return self.clients[address]

    def read_until(self, deadline):
        while True:
            left = deadline - time.monotonic()
            for key, _ in self.selector.select(max(left, 0)):
                key.data.receive()
            if left <= 0:
                return

    def statuses(self, address):
        return self.clients[address].statuses if address in self.clients else Counter()

    def close(self):
        for client in self.clients.values():
            client.close()
        self.selector.close()


def write_plan(path, requests):
    with open(path, "w", newline="") as f:
        out = csv.writer(f)
        out.writerow(("time", "client", "label"))
        out.writerows(("%.6f" % r.at, r.client, r.label) for r in requests)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--port", type=int, help="of the server on 127.0.0.1; without it nothing is sent")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--seconds", type=float, default=60, help="length of the visit as planned (60)")
    p.add_argument("--users", type=int, default=40, help="normal clients (40)")
    p.add_argument("--attack", choices=("bot", "flood", "turncoat", "none"), default="bot")
    p.add_argument("--speed", type=float, default=1, help="play it so many times as fast (1)")
    p.add_argument("--plan", metavar="FILE", help="write the requests with their labels as CSV")
    args = p.parse_args()

    requests, planted = plan(args.seed, args.seconds, args.users, args.attack)
    if args.plan:
        write_plan(args.plan, requests)
    print("seed %d: %d requests in %g s by %d normal clients" % (args.seed, len(requests), args.seconds, args.users))
    for who in planted:
        print("planted: %s, a %s with %.0f requests a second from second %.1f" % (who.client, who.label, who.rate, who.at))
    if args.port is None:
        return
    visit = Visit(args.port, args.speed)
    try:
        visit.play(requests)
    except OSError as error:
        sys.exit("traffic.py: 127.0.0.1:%d: %s" % (args.port, error))
    for label, sent in Counter(r.label for r in requests).items():
        statuses = sum((visit.statuses(c) for c in {r.client for r in requests if r.label == label}), Counter())
        answers = ", ".join("%d times %d" % (n, status) for status, n in sorted(statuses.items()))
        print("%-8s %5d requests, answers: %s" % (label, sent, answers))
    print("sent %d, given up because this machine was late: %d" % (visit.sent, visit.given_up))
    visit.close()


if __name__ == "__main__":
    sys.exit(main())
