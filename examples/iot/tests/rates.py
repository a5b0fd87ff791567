#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Readings a second through Kafka, one consumer and PostgreSQL, which waits for the disk: `make bench-iot`."""

from __future__ import annotations

import argparse
import itertools
import time

from common.events import sensors
from common.servers import kafka_server, postgres_server, wait_until
from conftest import new_pipeline

WAYS = ((10, 5000), (3334, 5000), (3334, 50_000))  # sensors of three metrics, BATCH_EVENTS


def read(pipeline):
    """How many messages are judged and written."""
    return int(pipeline.rows("SELECT coalesce(sum(next), 0) FROM offsets")[0][0])


def wal(pipeline):
    return int(pipeline.rows("SELECT pg_current_wal_lsn() - '0/0'")[0][0])


def end_to_end(pipeline, readings):
    """Seconds from the first reading that is sent to the last that is written; bytes of PostgreSQL's log."""
    warm = readings[: len(readings) // 10]
    with pipeline.consumer():
        pipeline.send(warm)
        wait_until(lambda: read(pipeline) == len(warm), "it is warm", 600)
        begin, before = time.monotonic(), wal(pipeline)
        pipeline.send(readings)
        wait_until(lambda: read(pipeline) == len(warm) + len(readings), "all is written", 600)
        return time.monotonic() - begin, wal(pipeline) - before


def catching_up(pipeline, number):
    """Readings a second, and detectors that are written for each, where all of them are in Kafka already."""
    with pipeline.consumer() as consumer:
        wait_until(lambda: read(pipeline), "it has begun", 600)
        begin, before = time.monotonic(), read(pipeline)
        wait_until(lambda: read(pipeline) == number, "all is written", 600)
        rate = (number - before) / (time.monotonic() - begin)
        time.sleep(1)  # it counts after the commit
        told = dict(line.rsplit(" ", 1) for line in consumer.metrics().splitlines() if line[0] != "#")
    return rate, float(told["snapshots_written_total"]) / number


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=300_000, help="readings that are sent (300000)")
    events = parser.parse_args().events
    print("Readings a second; for each reading the detectors that are written, and bytes of PostgreSQL's log.")
    print("| keys | BATCH_EVENTS | end to end | catching up | detectors | bytes |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    with kafka_server() as kafka, postgres_server(fsync="on", max_wal_size="4GB") as postgres:
        for number, batch in WAYS:
            readings = list(itertools.islice(sensors(1, number), events))
            one = new_pipeline(kafka, postgres, batch_events=batch)
            seconds, logged = end_to_end(one, readings)
            sent = events + events // 10
            other = new_pipeline(kafka, postgres, batch_events=batch, kafka_topic=one.settings.kafka_topic)
            rate, kept = catching_up(other, sent)
            cells = [f"{3 * number:,}", f"{batch:,}", f"{events / seconds:,.0f}", f"{rate:,.0f}"]
            cells += [f"{kept:.3f}", f"{logged / events:,.0f}"]  # for each reading
            print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
