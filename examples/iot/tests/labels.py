#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How many of the readings that are labelled ordinary are flagged, and how many of the odd ones are found; see README.md."""

import itertools

import libanomaly

from common.events import noisy, sensors
from pipeline.config import Settings
from pipeline.judge import detectors

EVENTS = 30_000


def streams():
    """Of (key, value, odd)."""
    simulated = (((one.sensor, one.metric), one.value, one.odd) for one in sensors(seed=1))
    noise = ((one.key, one.value, one.odd) for one in noisy(seed=1, keys=30, each=EVENTS // 30, start=0.0))
    return {"simulated sensors": list(itertools.islice(simulated, EVENTS)), "Gaussian noise": list(noise)}


def compared(stream, threshold):
    """Flagged of the ordinary, ordinary, found of the odd, odd."""
    pool = detectors(Settings(_env_file=None, anomaly_threshold=threshold))
    keys, values, odd = zip(*stream)
    flagged = pool.update_rows(list(keys), list(values), columns=("flags",)).flags.tolist()
    told = [bool(flags & libanomaly.Flag.IS_ANOMALY) for flags in flagged]
    both = sum(a and b for a, b in zip(told, odd))
    return sum(told) - both, len(odd) - sum(odd), both, sum(odd)


def lines():
    for name, stream in streams().items():
        for threshold in (3.0, 4.0, 5.0):
            false, ordinary, found, odd = compared(stream, threshold)
            told = f"{false} of {ordinary} ordinary readings flagged, {found} of {odd} odd ones found"
            yield f"{name}, threshold {threshold:g}: {told}"


if __name__ == "__main__":
    print(*lines(), sep="\n")
