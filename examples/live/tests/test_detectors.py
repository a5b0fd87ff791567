# SPDX-License-Identifier: MIT
"""The detectors beside the z-score, which the other tests have."""

import random

import pytest

from conftest import START, Inside, csv_of


def test_percentile_flags_what_is_beyond_the_window():
    values = [*range(1, 101), 50, 101, 0]  # 1st and 99th percentile, interpolated: 1.99 and 99.01
    with Inside(detector="percentile") as one:
        one.upload("a.csv", csv_of(("m", value, START + i) for i, value in enumerate(values)))
        low, high = [found for found in one.settled("m") if found["timestamp"] > START + 100]
        points = one.client.get("/series", params={"metric": "m"}).json()["points"]
    assert (low["value"], low["direction"], high["value"], high["direction"]) == (0, "below", 101, "above")
    assert (high["detection_method"], high["stddev"], high["variance"]) == ("percentile", None, None)
    assert points[100][3:] == [pytest.approx(1.99), pytest.approx(99.01), False]


def test_watch_needs_no_setting_and_finds_the_odd_value_of_a_day():
    chance = random.Random(4)
    values = [chance.gauss(40, 4) for _ in range(1440)]  # a day, once a minute
    values[1000] = 400
    with Inside(detector="watch") as one:
        one.upload("a.csv", csv_of(("m", value, START + 60 * i) for i, value in enumerate(values)))
        found = one.settled("m")
    assert len(found) <= 3  # about one a day
    spike = next(one for one in found if one["value"] == 400)
    assert (spike["detection_method"], spike["direction"], spike["lower"], spike["upper"]) == ("watch", "above", None, None)
