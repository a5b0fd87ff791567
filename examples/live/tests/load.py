#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""POST to WebSocket, and how many events a second in files and through Kafka; on loopback, bounded. `make bench-live`.

Events are sent at a given rate whatever the answers take (open loop); each hundredth is odd and carries the time at which
it was due, so that waiting counts. Load generator and service share the machine.
"""

import argparse
import asyncio
import json
import subprocess
import time

from websockets.asyncio.client import connect

from common.servers import kafka_server, redis_server, wait_until
from conftest import Service, csv_of

ODD_EVERY = 100


def request(value, due):
    event = {"metric": "load", "value": value, "timestamp": time.time(), "meta": {"due": due}}
    body = json.dumps(event).encode()
    return b"POST /events/raw HTTP/1.1\r\nHost: load\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


async def send(port, due_times):
    """Sends the numbered events when they are due, over one connection; how many were acknowledged."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken = 0
    for i, due in due_times:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        writer.write(request(1000 if i % ODD_EVERY == ODD_EVERY - 1 else 50 + i % 10, due))
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
        taken += head.startswith(b"HTTP/1.1 201")
    writer.close()
    return taken


async def listen(socket, expected, delays):
    async for message in socket:
        delays.append(time.perf_counter() - json.loads(message)["event_meta"]["due"])
        if len(delays) == expected:
            return


async def single_events(service, rate, seconds, connections):
    total = int(rate * seconds)
    async with connect(service.url.replace("http", "ws") + "/ws/anomalies") as socket:
        delays, start = [], time.perf_counter() + 0.2
        listening = asyncio.create_task(listen(socket, total // ODD_EVERY, delays))
        shares = [[(i, start + i / rate) for i in range(k, total, connections)] for k in range(connections)]
        taken = sum(await asyncio.gather(*(send(service.port, share) for share in shares)))
        took = time.perf_counter() - start
        await asyncio.wait_for(listening, 30)
    delays.sort()
    places = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    times = [f"{name} {1000 * delays[min(len(delays) - 1, int(s * len(delays)))]:.1f} ms" for name, s in places.items()]
    print(f"single events: {taken} of {total} acknowledged, {total / took:,.0f}/s of {rate:,.0f}/s wanted")
    print(f"POST to WebSocket of {len(delays)} anomalies: {', '.join(times)}")
    assert taken == total
    return delays


def file_of_events(service, count):
    rows = csv_of(("file", 50 + k % 10, 1_700_000_000 + k) for k in range(count))
    before, start = service.health()["processed"], time.perf_counter()
    answer = service.client.post("/upload", files={"file": ("load.csv", rows)}).json()
    wait_until(lambda: service.health()["processed"] >= before + count, "the file is judged")
    took = time.perf_counter() - start
    assert answer["success_count"] == count, answer
    print(f"a file of {count:,} events ({len(rows) / 1e6:.1f} MB): {count / took:,.0f} events/s until the last was judged")


def bulk(service, files, each):
    names = [
        ("files", (f"{k}.csv", csv_of((f"bulk{k}", 50 + i % 10, 1_700_000_000 + i) for i in range(each))))
        for k in range(files)
    ]
    start = time.perf_counter()
    answer = service.client.post("/upload/bulk", files=names).json()
    took = time.perf_counter() - start
    assert answer["total_success_count"] == files * each, answer
    print(f"{files} files of {each:,} events at once: {files * each / took:,.0f} events/s acknowledged")


def fill(broker, topic, events):
    """Events as messages; those of a metric keep their order."""
    lines = "".join(f"{event['metric']}\t{json.dumps(event)}\n" for event in events)
    kcat = ["kcat", "-P", "-b", broker, "-t", topic, "-K", "\t", "-X", "acks=all"]
    subprocess.run(kcat, input=lines, text=True, check=True)


def from_kafka(service, broker, count):
    events = [{"metric": f"kafka{k % 20}", "value": 50 + k % 10, "timestamp": 1_700_000_000 + k} for k in range(count)]
    before, start = service.health()["processed"], time.perf_counter()
    fill(broker, "events", events)
    wait_until(lambda: service.health()["processed"] >= before + count, "all of Kafka is judged")
    print(f"{count:,} events through Kafka: {count / (time.perf_counter() - start):,.0f} events/s until the last was judged")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rate", type=float, default=2000, help="single events a second (2000)")
    parser.add_argument("--seconds", type=float, default=5, help="for so long (5)")
    parser.add_argument("--connections", type=int, default=16, help="over so many connections (16)")
    parser.add_argument("--file", type=int, default=100_000, help="events in the file (100000)")
    given = parser.parse_args()
    with Service() as service:
        asyncio.run(single_events(service, given.rate, given.seconds, given.connections))
        file_of_events(service, given.file)
        bulk(service, 10, given.file // 10)
    with kafka_server() as kafka, redis_server() as redis:
        for store in ({"backend": "memory"}, {"backend": "redis", "redis_url": redis.url}):
            with Service(**store, kafka_broker=kafka.broker, kafka_group_id=store["backend"], wait=False) as service:
                fill(kafka.broker, "events", [{"metric": "first", "value": 1, "timestamp": 1_700_000_000}])
                wait_until(lambda: service.health()["status"] == "ok", "all parts are up")
                print(f"{store['backend']}:", end=" ")
                from_kafka(service, kafka.broker, given.file)


if __name__ == "__main__":
    main()
