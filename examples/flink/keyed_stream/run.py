# SPDX-License-Identifier: MIT
"""Runs the Flink job on this machine, until its source ends, or until SIGTERM or Ctrl-C, which take a savepoint.

FLINK_STATE is a folder for checkpoints, savepoints, logs and the files of alerts. A start goes on from the newest checkpoint
or savepoint in it, at the parallelism that is asked for now.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

from pyflink.common import Configuration
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway

from keyed_stream import brokers, job
from keyed_stream.config import Settings, settings


def newest(state: Path) -> Path | None:
    """The newest complete checkpoint or savepoint."""
    found = [*state.glob("checkpoints/*/chk-*/_metadata"), *state.glob("savepoints/*/_metadata")]
    return max(found, key=lambda path: path.stat().st_mtime_ns).parent if found else None


def environment(given: Settings, restore: Path | None = None) -> StreamExecutionEnvironment:
    state = given.flink_state.resolve()
    os.environ["FLINK_LOG_DIR"] = str(state / "log")
    os.environ["_python_worker_execution_mode"] = "process" if given.flink_worker_processes else "loopback"  # noqa: SIM112
    (state / "log").mkdir(parents=True, exist_ok=True)
    config = Configuration()
    for name, value in {
        "parallelism.default": given.flink_parallelism,
        "pipeline.max-parallelism": 128,
        "pipeline.jars": given.flink_jars,
        "python.executable": sys.executable,
        "python.client.executable": sys.executable,
        "python.fn-execution.bundle.size": given.flink_bundle_size,
        "python.fn-execution.bundle.time": given.flink_bundle_ms,
        "python.state.cache-size": given.flink_state_cache,
        "execution.checkpointing.interval": f"{given.flink_checkpoint_ms} ms",
        "execution.checkpointing.dir": (state / "checkpoints").as_uri(),
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "execution.state-recovery.path": restore.as_uri() if restore else "",
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.attempts": given.flink_restarts,
        "restart-strategy.fixed-delay.delay": "1 s",
        "rest.bind-address": "127.0.0.1",
        "rest.bind-port": given.flink_rest_port,
    }.items():
        if value != "":
            config.set_string(name, str(value))
    return StreamExecutionEnvironment.get_execution_environment(config)


def connect(environment: StreamExecutionEnvironment, source: str, given: Settings, bounded: bool) -> DataStream:
    kind, _, name = source.partition(":")
    if kind == "kafka":
        return job.from_kafka(environment, name, given, bounded)
    if kind != "kinesis":
        return job.from_file(environment, Path(source).resolve())
    landed = given.flink_state.resolve() / f"{name}.ndjson"  # what the stream holds now, so that a restart reads the same
    if not landed.exists():
        part = landed.with_suffix(".part")
        part.write_bytes(b"".join(line + b"\n" for line in brokers.from_kinesis(name)))
        part.replace(landed)
    return job.from_file(environment, landed)


def sinks(alerts: DataStream, refused: DataStream, kafka: bool, given: Settings) -> None:
    state = given.flink_state.resolve()
    for stream, topic in ((alerts, given.kafka_alerts_topic), (refused, given.kafka_refused_topic)):
        stream.sink_to(job.to_kafka(topic, given) if kafka else job.to_files(state / topic)).uid(topic).name(topic)


def check(state: Path, given: Settings, restore: Path | None) -> None:
    """A user who is known keeps the settings that the detector was made with: others are not taken silently."""
    judged_by = {
        name: value for name, value in given.model_dump().items() if name.startswith(("rules", "anomaly_", "tumbling_"))
    }
    kept = state / "settings.json"
    if restore and kept.exists() and (before := json.loads(kept.read_text())) != judged_by:
        changed = ", ".join(f"{name.upper()}={before[name]}" for name in judged_by if before.get(name) != judged_by[name])
        sys.exit(f"{state} was made with {changed}: give these, or another FLINK_STATE to begin anew")
    earlier = [topic for topic in (given.kafka_alerts_topic, given.kafka_refused_topic) if (state / topic).exists()]
    if not restore and earlier:
        sys.exit(f"{state / earlier[0]} is of an earlier run: move it, or give another FLINK_STATE")
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(judged_by))


def savepoint(client: Any, state: Path) -> str:
    """Stops the job. (JobClient.stop_with_savepoint calls a Java method that Flink 2.3 no longer has.)"""
    canonical = get_gateway().jvm.org.apache.flink.core.execution.SavepointFormatType.CANONICAL
    return str(client._j_job_client.stopWithSavepoint(False, (state / "savepoints").as_uri(), canonical).get())


def run(environment: StreamExecutionEnvironment, state: Path) -> None:
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: asked.append(number))
    client = environment.execute_async("keyed stream")
    print("running", client.get_job_id(), flush=True)
    result = client.get_job_execution_result()
    while not result.done():
        if asked:
            print("stopped, to go on from", savepoint(client, state), flush=True)
            return
        time.sleep(0.05)
    result.result()
    for folder in ("checkpoints", "savepoints"):  # the source has ended: there is nothing to go on with
        shutil.rmtree(state / folder, ignore_errors=True)
    print("finished", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="a file, kafka:TOPIC or kinesis:STREAM")
    parser.add_argument("--bounded", action="store_true", help="of Kafka, what is there now")
    asked = parser.parse_args()
    given = settings()
    state, kafka = given.flink_state.resolve(), asked.source.startswith("kafka:")
    restore = newest(state)
    check(state, given, restore)
    print(f"going on from {restore}" if restore else "beginning anew", flush=True)
    streams = environment(given, restore)
    lines = connect(streams, asked.source, given, asked.bounded)
    sinks(*job.build(lines, given), kafka, given)
    run(streams, state)


if __name__ == "__main__":
    main()
