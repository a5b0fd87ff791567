# SPDX-License-Identifier: MIT
"""Verdicts as a picture; needs matplotlib: in a clone, `pip install './bindings/python[plot]'`.

>>> import numpy as np
>>> from libanomaly import ZScore, plot
>>> values = np.sin(np.arange(500) / 20)
>>> values[300] += 4
>>> found = ZScore(window=100).update_rows(values, columns=plot.COLUMNS)
>>> plot.verdicts(values, found).savefig("found.png")  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from libanomaly import Flag, Verdicts
from libanomaly._rows import check_index, index_of
from libanomaly._times import LEAST_NS, times_array
from libanomaly._values import in_order, is_frame, names_in, numbers_in

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

try:
    import matplotlib
    import numpy as np
    from matplotlib import dates as _dates
    from matplotlib import pyplot
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
except ImportError as error:
    raise ImportError("libanomaly.plot needs matplotlib: pip install 'matplotlib>=3.7'") from error

__all__ = ["COLUMNS", "verdicts"]

COLUMNS = ("score", "flags", "threshold", "expected", "lower", "upper", "feature")
"""The columns of verdicts that a picture needs: `update_rows(values, columns=plot.COLUMNS)`."""

dates: Any = _dates  # which has no types
# Okabe and Ito's palette, https://jfly.uni-koeln.de/color/. What is told apart by colour is so by shape or line as well.
BLUE, SKY, VERMILION, ORANGE, DARK, GREY = "#0072B2", "#56B4E9", "#D55E00", "#E69F00", "#4D4D4D", "#BBBBBB"
DASHES = (0, (5, 2))
STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#777777",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.labelcolor": "#333333",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 9,
    "grid.color": "#E6E6E6",
    "legend.columnspacing": 1.2,
    "legend.frameon": False,
    "xtick.color": "#555555",
    "ytick.color": "#555555",
}
MARK: dict[str, Any] = {"color": VERMILION, "markersize": 7, "markeredgecolor": "white", "markeredgewidth": 0.7}
HELD: dict[str, Any] = {**MARK, "markersize": 4, "markerfacecolor": "white", "markeredgecolor": VERMILION}
COLD: dict[str, Any] = {"color": GREY, "alpha": 0.25, "linewidth": 0}
EPISODE: dict[str, Any] = {"color": ORANGE, "alpha": 0.25, "linewidth": 0}
SLICES = 2000  # of the time axis: more than a picture has columns of pixels
MARKED_SLICES = 300  # so many marks a panel at least are all drawn; a mark is some pixels wide


class _Axis(NamedTuple):
    """The positions of the events along the time axis, and how they are told."""

    at: Any
    label: str
    zone: Any = None


def verdicts(
    values: Any,
    found: Verdicts,
    times: Any = None,
    *,
    where: Any = None,
    names: Sequence[str] | None = None,
    title: str = "",
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Draws the values with their usual range, the anomalies marked, and the score with its threshold below.

    values: what update_rows() got, (n,) or (n, features): a panel for each feature.
    found: what it returned, with `columns=plot.COLUMNS` or "all".
    times: as for update_rows(); by default the index of pandas objects, else the events are numbered.
    where: a mask of n booleans, e.g. `keys == "sensor-7"` for the verdicts of a Pool.
    names: of the features; by default the names of a DataFrame's columns or of a Series.
    figure: a Figure or SubFigure to draw into; by default a new one of pyplot. It is returned.

    A band much wider than the values is cut off.

    Of a long series those points are drawn that make a difference: in each slice of the time axis the first, last, smallest
    and largest. Marks of anomalies are thinned out in the same way, but not below 300.

    With the options rest, confirm or min_change alarms are filled marks, other anomalies small and empty ones, and episodes
    are shaded from the alarm to their end.

    Triangles point to where the value lies; other anomalies are round. With several features the mark is on the one the
    verdict names, with a bar from `lower` to `upper`. Infinite values are marked by a line, infinite scores at the top.
    """
    columns = _columns(found)
    if is_frame(values):
        values = in_order(values, names_in(values), found._labels.names)
    rows = numbers_in(np, values)
    if len(rows) != len(found):
        raise ValueError(f"{len(rows)} values for {len(found)} verdicts")
    rows = rows.reshape(len(rows), -1 if rows.size else 1)
    axis = _axis(times, index_of(values), len(rows))
    check_index("times", times, values)
    order = np.arange(len(rows)) if where is None else np.flatnonzero(np.asarray(where, dtype=bool))
    order = order[np.argsort(axis.at[order], kind="stable")]
    columns = {name: column[order] for name, column in columns.items()}
    axis, rows = axis._replace(at=axis.at[order]), rows[order]
    names = _names(values, rows.shape[1], names)
    points = _Points(axis.at)
    with matplotlib.rc_context(STYLE):
        figure = figure or pyplot.figure(figsize=(9, 1.8 + 1.9 * rows.shape[1]), dpi=100, layout="constrained")
        panels = figure.subplots(
            rows.shape[1] + 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": [3] * rows.shape[1] + [2]}
        )[:, 0]
        for feature, panel in enumerate(panels[:-1]):
            _draw_feature(panel, points, rows, feature, columns)
            panel.set_ylabel(names[feature])
        _draw_score(panels[-1], points, columns)
        _finish(figure, panels, axis, columns, title)
    return figure


# ---- what is to be drawn ----


def _columns(found: Verdicts) -> dict[str, Any]:
    missing = [name for name in COLUMNS if name not in found]
    if missing:
        raise ValueError(
            f"the verdicts have no {', '.join(missing)}; a picture needs update_rows(values, columns=plot.COLUMNS)"
        )
    return {name: np.asarray(found._plain(name)) for name in COLUMNS}


def _names(values: Any, features: int, names: Sequence[str] | None) -> Sequence[str]:
    if names is None:
        own = (names_in(values) or values.columns) if is_frame(values) else [getattr(values, "name", None) or "value"]
        names = list(map(str, own))
        names = names if len(names) == features else [f"feature {f}" for f in range(features)]
    if len(names) != features:
        raise ValueError(f"{len(names)} names for {features} features")
    return names


def _axis(times: Any, index: Any, count: int) -> _Axis:
    if times is None and index is not None and index.dtype.kind in "Mmifu":
        if index.dtype.kind not in "Mm":
            return _Axis(np.asarray(index, dtype=float), str(index.name or ""))
        times = index
    if times is None:
        return _Axis(np.arange(count, dtype=float), "event")
    ns = np.asarray(times_array(times))
    if len(ns) != count:
        raise ValueError(f"{len(ns)} times for {count} values")
    if len(ns) and abs(ns).max() < LEAST_NS:
        return _Axis(ns / 1e9, "seconds")
    zone = getattr(getattr(times, "dtype", None), "tz", None)
    return _Axis(dates.date2num(ns.view("datetime64[ns]")), "", zone)


class _Points:
    """Which points of a long series are to be drawn, with `at` in order: of each slice of the time axis the first, the last,
    and each column's smallest and largest. A line through them covers the same pixels as one through all.

    Source: Jugel, Jerzak, Hackenbroich, Markl: M4, a visualization-oriented time series data aggregation. VLDB 7 (2014)
    797-808.
    """

    def __init__(self, at: Any, slices: int = SLICES) -> None:
        self.at = at
        self.long = len(at) > 4 * slices
        if self.long:
            self.slice_of = ((at - at[0]) * (slices / (at[-1] - at[0] or 1))).astype(np.int64)
            self.first = np.flatnonzero(np.diff(self.slice_of, prepend=-1))
            self.sizes = np.diff(self.first, append=len(at))

    def seen(self, *columns: Any) -> Any:
        if not self.long:
            return np.arange(len(self.at))
        kept = [self.first, self.first + self.sizes - 1]
        for column in columns:
            for extreme in (np.fmin, np.fmax):  # they leave NaN out
                there = np.flatnonzero(column == np.repeat(extreme.reduceat(column, self.first), self.sizes))
                kept.append(there[np.unique(self.slice_of[there], return_index=True)[1]])
        return np.unique(np.concatenate(kept))


def _has(columns: dict[str, Any], flags: int) -> Any:
    return columns["flags"] & flags != 0


def _shapes(columns: dict[str, Any]) -> list[tuple[str, Any]]:
    """Markers and the events they are for."""
    marked = _has(columns, Flag.IS_ANOMALY)
    above, below = marked & _has(columns, Flag.ABOVE), marked & _has(columns, Flag.BELOW)
    return [("^", above), ("v", below), ("o", marked & ~above & ~below)]


def _styles(columns: dict[str, Any]) -> list[tuple[dict[str, Any], Any]]:
    """How a mark looks, and the events it is for: without a decision who is told, all anomalies alike."""
    held = _has(columns, Flag.HELD)
    return [(HELD, held), (MARK, ~held)]


def _runs(mask: Any) -> Any:
    """The first and the last of each run of events."""
    edges = np.diff(np.concatenate(([False], mask, [False])).astype(np.int8))
    return np.column_stack((np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1))


def _episodes(columns: dict[str, Any]) -> Any:
    """From the alarm, unless the picture begins later."""
    runs = _runs(_has(columns, Flag.EPISODE))
    runs[:, 0] -= runs[:, 0] > 0
    return runs


# ---- drawing ----


def _line(panel: Axes, points: _Points, column: Any, **style: Any) -> None:
    shown = points.seen(column)
    panel.plot(points.at[shown], column[shown], **style)


def _mark(panel: Axes, at: Any, height: Any, columns: dict[str, Any], which: Any) -> None:
    for style, styled in _styles(columns):
        for marker, marked in _shapes(columns):
            chosen = np.flatnonzero(marked & styled & which)
            chosen = chosen[_Points(at[chosen], MARKED_SLICES).seen(height[chosen])]
            panel.plot(at[chosen], height[chosen], marker, zorder=5, **style)


def _draw_feature(panel: Axes, points: _Points, rows: Any, feature: int, columns: dict[str, Any]) -> None:
    finite = np.isfinite(rows[:, feature])
    values = np.where(finite, rows[:, feature], np.nan)
    here = columns["feature"] == feature
    _line(panel, points, values, color=DARK, linewidth=0.8, zorder=3)
    if rows.shape[1] == 1:
        _draw_band(panel, points, values, columns)
    else:
        _draw_bars(panel, points.at, columns, here)
    _mark(panel, points.at, values, columns, here & finite)
    infinite = _has(columns, Flag.IS_ANOMALY) & np.isinf(rows[:, feature])
    if infinite.any():
        panel.vlines(points.at[infinite], 0, 1, transform=panel.get_xaxis_transform(), color=VERMILION, linewidth=1)


def _draw_band(panel: Axes, points: _Points, values: Any, columns: dict[str, Any]) -> None:
    lower, upper = columns["lower"], columns["upper"]
    if np.isnan(lower).all():
        return
    # A side that is not watched is open: its band ends a little outside the picture's values. A wide one is cut off, so
    # that the values keep a third of the panel.
    low, high = np.nanmin(values), np.nanmax(values)
    span = high - low
    lower = np.where(np.isneginf(lower), low - 0.05 * span, lower)
    upper = np.where(np.isposinf(upper), high + 0.05 * span, upper)
    expected = columns["expected"]
    if span > 0:
        lower, upper = np.clip(lower, low - span, high + span), np.clip(upper, low - span, high + span)
        expected = np.where((expected >= low - span) & (expected <= high + span), expected, np.nan)
    shown = points.seen(lower, upper)
    panel.fill_between(points.at[shown], lower[shown], upper[shown], color=SKY, alpha=0.4, linewidth=0, zorder=1)
    _line(panel, points, expected, color=BLUE, linewidth=1.3, zorder=4)


def _draw_bars(panel: Axes, at: Any, columns: dict[str, Any], here: Any) -> None:
    lower, upper = columns["lower"], columns["upper"]
    shown = _has(columns, Flag.IS_ANOMALY) & here & np.isfinite(lower) & np.isfinite(upper)
    panel.vlines(at[shown], lower[shown], upper[shown], color=SKY, linewidth=4, alpha=0.6, zorder=2)
    panel.plot(at[shown], columns["expected"][shown], "_", color=BLUE, markersize=8, zorder=4)


def _draw_score(panel: Axes, points: _Points, columns: dict[str, Any]) -> None:
    score, threshold = columns["score"], columns["threshold"]
    finite = score[np.isfinite(score)]
    top = finite.max() if len(finite) else 1.0
    if np.nanmax(threshold, initial=0) > 0 and top > 20 * np.nanmax(threshold):
        panel.set_yscale("symlog", linthresh=float(np.nanmax(threshold)))
        locator: Any = panel.yaxis.get_major_locator()
        locator.set_params(numticks=5)
    score = np.where(np.isinf(score), top * 1.1, score)
    _line(panel, points, score, color=DARK, linewidth=0.8, zorder=3)
    _line(panel, points, threshold, color=VERMILION, linewidth=1.1, linestyle=DASHES, zorder=4)
    _mark(panel, points.at, score, columns, ~np.isnan(score))
    panel.set_ylabel("score")


def _finish(figure: Any, panels: Any, axis: _Axis, columns: dict[str, Any], title: str) -> None:
    cold = _runs(_has(columns, Flag.WARMING_UP))
    _shade(panels, axis.at, np.column_stack((cold[:, 0], np.minimum(cold[:, 1] + 1, len(axis.at) - 1))), **COLD)
    _shade(panels, axis.at, _episodes(columns), **EPISODE)
    if axis.label:
        panels[-1].set_xlabel(axis.label)
        panels[-1].xaxis.set_major_formatter("{x:,.10g}")
    else:
        locator = dates.AutoDateLocator(tz=axis.zone)
        panels[-1].xaxis.set_major_locator(locator)
        panels[-1].xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, tz=axis.zone))
    panels[0].margins(x=0.01)
    known = _known(columns)
    lines = 1 if len(known) <= 7 else 2
    panels[0].legend(
        handles=known, ncols=-(-len(known) // lines), loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.2
    )
    if title:
        panels[0].set_title(title, loc="left", fontsize=11, pad=10 + 14 * lines)
    figure.align_ylabels(panels)


def _known(columns: dict[str, Any]) -> list[Any]:
    """The legend: of what is there."""
    known: list[Any] = [Line2D([], [], color=DARK, linewidth=0.8, label="value, score")]
    if not np.isnan(columns["lower"]).all():
        known.append(Line2D([], [], color=BLUE, linewidth=1.3, label="expected"))
        known.append(Patch(color=SKY, alpha=0.4, linewidth=0, label="usual range"))
    known.append(Line2D([], [], color=VERMILION, linewidth=1.1, linestyle=DASHES, label="threshold"))
    known += _known_marks(columns)
    if _has(columns, Flag.EPISODE).any():
        known.append(Patch(label="episode", **EPISODE))
    if _has(columns, Flag.WARMING_UP).any():
        known.append(Patch(label="warming up", **COLD))
    return known


def _known_marks(columns: dict[str, Any]) -> list[Any]:
    """By direction, or by who is told: the triangles tell the direction."""
    decided = _has(columns, Flag.ALARM | Flag.HELD).any()
    known = []
    for (marker, marked), label in zip(_shapes(columns), ("too high", "too low", "anomaly")):
        if marked.any() and not decided:
            known.append(Line2D([], [], marker=marker, linestyle="", label=label, **MARK))
    for (style, styled), label in zip(_styles(columns), ("anomaly, no alarm", "alarm")):
        markers = [marker for marker, marked in _shapes(columns) if (marked & styled).any()]
        if markers and decided:
            known.insert(0, Line2D([], [], marker=markers[0], linestyle="", label=label, **style))
    return known


def _shade(panels: Any, at: Any, runs: Any, **style: Any) -> None:
    for first, last in runs:
        for panel in panels:
            panel.axvspan(at[first], at[last], zorder=0, **style)
