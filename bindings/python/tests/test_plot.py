# SPDX-License-Identifier: MIT
"""libanomaly.plot: what is in a picture, looked up in its parts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from io import BytesIO
from typing import Any

import matplotlib
import numpy as np
import pandas
import polars as pl
import pytest
from matplotlib import pyplot

from libanomaly import IsolationForest, Percentile, Pool, ZScore, plot

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    pyplot.close("all")


def drawn(figure: Any) -> None:
    """Everything is laid out and painted; a warning is an error."""
    figure.savefig(BytesIO(), format="png")


def marks(panel: Any) -> dict[str, list[float]]:
    """Positions of the marks in a panel, by shape."""
    lines = [line for line in panel.get_lines() if line.get_marker() in ("^", "v", "o")]
    return {line.get_marker(): line.get_xdata().tolist() for line in lines}


def noise(count: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=count)


def test_every_anomaly_is_marked_where_it_is_and_as_what_it_is() -> None:
    values = noise(1000)
    values[[300, 700]] = 12, -12
    found = ZScore(window=100, threshold=6).update_rows(values, columns=plot.COLUMNS)
    figure = plot.verdicts(values, found, title="a title")
    drawn(figure)
    series, score = figure.axes
    assert marks(series) == marks(score) == {"^": [300], "v": [700], "o": []}
    assert series.get_title(loc="left") == "a title"
    assert len(series.collections) == 1  # the band
    labels = [text.get_text() for text in series.get_legend().get_texts()]
    assert labels == ["value, score", "expected", "usual range", "threshold", "too high", "too low", "warming up"]


def test_columns_that_are_not_there_are_named() -> None:
    with pytest.raises(ValueError, match=r"no threshold, expected, lower, upper, feature; .*columns=plot\.COLUMNS"):
        plot.verdicts([1, 2], ZScore().update_rows([1, 2]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"values": [1, 2, 3]}, "3 values for 2 verdicts"),
        ({"times": [1.0]}, "1 times for 2 values"),
        ({"names": ["a", "b"]}, "2 names for 1 features"),
    ],
)
def test_lengths_that_differ_are_refused(arguments: dict[str, Any], message: str) -> None:
    found = ZScore().update_rows([1, 2], columns="all")
    with pytest.raises(ValueError, match=message):
        plot.verdicts(**{"values": [1, 2], "found": found, **arguments})


def test_of_millions_of_events_few_points_are_drawn_and_no_extreme_is_lost() -> None:
    values = noise(1_000_000)
    odd = np.array([123_456, 123_457, 500_000, 999_999])
    values[odd] = 40, -40, 30, -30
    found = Percentile(window=1000, threshold=2).update_rows(values, columns=plot.COLUMNS)
    figure = plot.verdicts(values, found)
    drawn(figure)
    series = figure.axes[0]
    assert marks(series) == {"^": [123_456, 500_000], "v": [123_457, 999_999], "o": []}
    line = series.get_lines()[0]
    assert len(line.get_xdata()) < 10_000
    assert set(odd) <= set(line.get_xdata())
    assert (line.get_ydata().min(), line.get_ydata().max()) == (-40, 40)


def test_a_thinned_line_has_each_slices_first_last_least_and_greatest() -> None:
    at, column = np.sort(noise(50_000, 1)), noise(50_000, 2)
    column[::7] = np.nan
    points = plot._Points(at, 100)
    seen = points.seen(column)
    assert len(seen) <= 4 * 101
    slices = ((at - at[0]) / (at[-1] - at[0]) * 100).astype(int)
    for number in np.unique(slices):
        members = np.flatnonzero(slices == number)
        wanted = {members[0], members[-1]}
        if np.isfinite(column[members]).any():
            wanted |= {members[np.nanargmin(column[members])], members[np.nanargmax(column[members])]}
        assert wanted <= set(seen)


def test_crowds_of_marks_are_thinned_but_not_below_300() -> None:
    values = noise(100_000)
    found = ZScore(window=1000, threshold=1).update_rows(values, columns=plot.COLUMNS)
    shown = marks(plot.verdicts(values, found).axes[0])
    assert all(300 < len(shown[shape]) < 2000 for shape in "^v")


def test_each_feature_has_its_panel_and_the_verdicts_feature_the_mark() -> None:
    index = pandas.date_range("2026-03-02", periods=600, freq="min", tz="Europe/Berlin")
    frame = pandas.DataFrame({"a": noise(600, 1), "b": noise(600, 2)}, index)
    frame.iloc[400, 1] = 15
    figure = plot.verdicts(frame, ZScore(features=2, threshold=8).update_rows(frame, columns=plot.COLUMNS))
    drawn(figure)
    assert [panel.get_ylabel() for panel in figure.axes] == ["a", "b", "score"]
    assert [len(marks(panel)["^"]) for panel in figure.axes] == [0, 1, 1]
    at = matplotlib.dates.num2date(marks(figure.axes[1])["^"][0])
    assert abs((at - index[400]).total_seconds()) < 1e-3
    assert figure.axes[-1].xaxis.get_major_formatter()._tz is index.tz


def test_a_forest_has_no_band() -> None:
    values = np.column_stack([noise(400, 1), noise(400, 2)])
    values[300] = 9, -9
    forest = IsolationForest(features=2, window=256, contamination=0, threshold=0.8)
    figure = plot.verdicts(values, forest.update_rows(values, columns=plot.COLUMNS), names=["x", "y"])
    drawn(figure)
    assert sum(marks(panel)["o"].count(300) for panel in figure.axes[:2]) == 1
    assert "usual range" not in [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


@pytest.mark.parametrize(
    ("times", "label", "last"),
    [
        (np.arange(50) * 1.5, "seconds", 73.5),
        (np.arange(50).astype("m8[s]"), "seconds", 49),
        (1_772_409_600.0 + np.arange(50), "", 20514 + 49 / 86400),
        ([datetime(2026, 3, 2, 0, minute, tzinfo=timezone.utc) for minute in range(50)], "", 20514 + 49 / 1440),
        (None, "event", 49),
    ],
)
def test_times_of_every_kind(times: Any, label: str, last: float) -> None:
    values = noise(50)
    figure = plot.verdicts(values, ZScore().update_rows(values, columns="all"), times)
    drawn(figure)
    assert figure.axes[-1].get_xlabel() == label
    assert figure.axes[0].get_lines()[0].get_xdata()[-1] == pytest.approx(last, abs=1e-9)


def test_a_frame_names_its_panels_and_marks_the_right_one() -> None:
    values = pandas.DataFrame({"load": noise(400), "heat": noise(400, 2)})
    values.loc[300, "heat"] = 100.0
    detector = ZScore(features=2, window=100, threshold=6)
    found = detector.update_rows(values, columns=plot.COLUMNS)
    for given_as in (values, values[["heat", "load"]], pl.from_pandas(values)):
        figure = plot.verdicts(given_as, found)
        drawn(figure)
        assert [panel.get_ylabel() for panel in figure.axes] == ["load", "heat", "score"]
        assert [300 in marks(panel)["^"] for panel in figure.axes[:2]] == [False, True]
    with pytest.raises(ValueError, match="times: another index"):
        plot.verdicts(values, found, pandas.Series(np.arange(400.0), index=range(1, 401)))


def test_events_out_of_order_are_drawn_in_order() -> None:
    values, times = noise(100), np.random.default_rng(1).permutation(100).astype(float)
    found = ZScore(window="50s").update_rows(values, times, columns=plot.COLUMNS)
    line = plot.verdicts(values, found, times).axes[0].get_lines()[0]
    assert np.array_equal(line.get_xdata(), np.arange(100))
    assert np.array_equal(line.get_ydata(), values[np.argsort(times)])


def test_one_key_of_a_pool() -> None:
    keys = np.tile(["m07", "m13"], 200)
    values = np.where(keys == "m07", noise(400), 100 + noise(400))
    values[201] = 200
    found = Pool("zscore", window=50, threshold=8).update_rows(keys, values, columns=plot.COLUMNS)
    of = {key: marks(plot.verdicts(values, found, where=keys == key).axes[0])["^"] for key in ("m07", "m13")}
    assert of == {"m07": [], "m13": [201]}


def test_nan_infinity_flat_windows_and_one_side() -> None:
    values = np.concatenate([np.ones(60), [9, np.nan, np.inf], np.ones(40)])
    figure = plot.verdicts(values, ZScore(window=50, side="upper").update_rows(values, columns=plot.COLUMNS))
    drawn(figure)
    assert marks(figure.axes[0])["^"] == [60]
    assert marks(figure.axes[1])["^"] == [60, 62]  # of infinite score, and value
    lower = figure.axes[0].collections[0].get_paths()[0].vertices
    assert np.isfinite(lower).all()


def days(count: int, per_day: int = 96) -> tuple[Any, Any]:
    """Values of 100 from noon to one, else of 10, and their times."""
    steps = np.arange(count * per_day)
    at_noon = (steps % per_day >= per_day // 2) & (steps % per_day < per_day // 2 + per_day // 24)
    return np.where(at_noon, 100, 10) * np.exp(noise(len(steps)) / 20), 1_772_409_600.0 + steps * 86400 / per_day


def test_the_band_follows_the_hour_in_the_unit_of_the_values() -> None:
    values, times = days(6)
    found = ZScore(window=300, season="1d", transform="log").update_rows(values, times, columns=plot.COLUMNS)
    figure = plot.verdicts(values, found, times)
    drawn(figure)
    expected = next(line for line in figure.axes[0].get_lines() if line.get_color() == plot.BLUE).get_ydata()
    noon = 5 * 96 + 48
    assert expected[noon] == pytest.approx(100, rel=0.1)
    assert expected[noon - 4] == pytest.approx(10, rel=0.1)
    band = figure.axes[0].collections[0].get_paths()[0].vertices
    assert 50 < band[:, 1].max() < 200
    assert 5 < band[:, 1].min() < 10


def test_an_alarm_is_marked_apart_and_its_episode_shaded() -> None:
    values, times = days(6)
    values[500:510] *= 9
    values[560] *= 9
    detector = ZScore(window=300, season="1d", transform="log", threshold=8, learn="normal", rest=20, confirm="2/3")
    found = detector.update_rows(values, times, columns=plot.COLUMNS)
    figure = plot.verdicts(values, found)
    drawn(figure)
    triangles = [line for line in figure.axes[0].get_lines() if line.get_marker() == "^"]
    by_fill = {line.get_markerfacecolor(): list(line.get_xdata()) for line in triangles}
    assert by_fill == {plot.VERMILION: [501], "white": [500, *range(502, 510), 560]}
    shades = [patch.get_extents().transformed(figure.axes[0].transData.inverted()) for patch in figure.axes[0].patches]
    assert [(round(shade.x0), round(shade.x1)) for shade in shades[-1:]] == [(501, 529)]
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels[-4:] == ["alarm", "anomaly, no alarm", "episode", "warming up"]
    tail = np.arange(len(values)) >= 505
    assert len(plot.verdicts(values, found, where=tail).axes[0].patches) == 1


def test_a_wide_band_leaves_the_values_a_third_of_the_panel() -> None:
    values = noise(400)
    values[200] = 1e9
    found = ZScore(window=20).update_rows(values[:230], columns=plot.COLUMNS)
    shown = np.arange(230) > 200
    low, high = plot.verdicts(values[:230], found, where=shown).axes[0].get_ylim()
    inside = values[201:230]
    assert (high - low) < 3.5 * (inside.max() - inside.min())


def test_nothing_to_draw_and_figures_of_the_caller() -> None:
    drawn(plot.verdicts([], ZScore().update_rows([], columns=plot.COLUMNS)))
    nothing_judged = [float("nan")] * 5
    drawn(plot.verdicts(nothing_judged, ZScore().update_rows(nothing_judged, columns=plot.COLUMNS)))
    whole = pyplot.figure(figsize=(16, 4), layout="constrained")
    left, right = whole.subfigures(1, 2)
    values = noise(100)
    assert plot.verdicts(values, ZScore().update_rows(values, columns=plot.COLUMNS), figure=left) is left
    assert len(right.axes) == 0
    drawn(whole)
