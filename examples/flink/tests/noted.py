# SPDX-License-Identifier: MIT
"""The job, slowed down, which notes in the folder NOTES each start of a detector's worker and the first record it got.

PAUSE is how many seconds a record takes. A worker that has had 300 records touches `midway`. FAIL=1: once there is a
checkpoint newer than that, the detector raises an exception, once.
"""

import json
import os
import pathlib
import time
import uuid

from keyed_stream import job, run

NOTES, STATE = pathlib.Path(os.environ["NOTES"]), pathlib.Path(os.environ["FLINK_STATE"])
PAUSE, FAIL = float(os.environ.get("PAUSE", "0.002")), os.environ.get("FAIL") == "1"


def checkpoint_is_newer_than(mark):
    done = [path.stat().st_mtime_ns for path in STATE.glob("checkpoints/*/chk-*/_metadata")]
    return mark.exists() and any(at > mark.stat().st_mtime_ns for at in done)


class SlowParse(job.Parse):
    def process_element(self, value, ctx):
        time.sleep(PAUSE)
        yield from super().process_element(value, ctx)


class NotedDetect(job.Detect):
    def open(self, runtime_context):
        super().open(runtime_context)
        self.seen = 0

    def process_element(self, value, ctx):
        if self.seen == 0:
            start = {"at": time.time(), "process": os.getpid(), "first": value["transactionId"]}
            part = NOTES / f"part-{uuid.uuid4()}"
            part.write_text(json.dumps(start))
            part.rename(NOTES / part.name.replace("part", "start"))
        self.seen += 1
        if self.seen == 300:
            (NOTES / "midway").touch()
        if FAIL and self.seen % 20 == 0 and not (NOTES / "failed").exists() and checkpoint_is_newer_than(NOTES / "midway"):
            (NOTES / "failed").touch()
            raise RuntimeError("the detector fails, as the test has it")
        yield from super().process_element(value, ctx)


job.Parse, job.Detect = SlowParse, NotedDetect
run.main()
