# SPDX-License-Identifier: MIT
"""The whole pipeline in one process, without Kafka: `python -m pipeline.local`. Started again it goes on."""

from __future__ import annotations

import argparse
import itertools
import logging
import math
import signal
import threading
from datetime import datetime, timedelta, timezone

from common.events import sensors
from pipeline.config import Settings, read_settings
from pipeline.judge import Judge
from pipeline.kafka_producer import encoded
from pipeline.store import DownError, FencedError, PartitionsError, open_store
from pipeline.webhook import sender

log = logging.getLogger("pipeline.local")


def work(settings: Settings, given: argparse.Namespace, stopping: threading.Event) -> None:
    store = open_store(settings.database_url.get_secret_value())
    store.fix_partitions(1)
    sending = sender(settings)
    judge = Judge(settings, 0, 1, store.claim(0))
    source = itertools.islice(sensors(given.seed), judge.position, None)
    past = 0 if judge.position else given.history
    begin, done, most = datetime.now(timezone.utc), 0, math.inf if given.count is None else given.count
    while not stopping.is_set() and done < most:
        elapsed = (datetime.now(timezone.utc) - begin).total_seconds()
        due = min(past + int(elapsed * given.rate) + 1 - done, most - done, settings.batch_events)
        times = (begin + timedelta(seconds=(done + i - past) / given.rate) for i in range(int(due)))
        batch = judge.judge(enumerate(map(encoded, source, times), judge.position))
        store.write([batch])
        done += batch.end - batch.begin
        for _, sensor, metric, value, z, *_ in batch.anomalies:
            log.info("anomaly: %s, %s = %g, z %+.2f", sensor, metric, value, z)
        store.tell("consumer")
        stopping.wait(0.5 if done >= past else 0)
    sending.close()
    store.part_ended("consumer")
    store.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m pipeline.local", description="Producer and consumer in one process.")
    parser.add_argument("--rate", type=float, default=30.0, help="readings a second (30)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other values (1)")
    parser.add_argument("--history", type=int, default=9000, help="so many of before, where nothing is kept yet (9000)")
    parser.add_argument("--count", type=int, help="ends after so many; else at Ctrl-C")
    given = parser.parse_args()
    settings = read_settings()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        work(settings, given, stopping)
    except FencedError:
        raise SystemExit("another process judges into this database now: this one ends") from None
    except (DownError, PartitionsError) as error:
        raise SystemExit(f"it ends, and goes on where it was when it is started again: {error}") from None


if __name__ == "__main__":
    main()
