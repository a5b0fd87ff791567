# SPDX-License-Identifier: MIT
"""The charts, as Vega-Lite. A specification stays the same while data come in, so a chart moves and does not flicker."""

from __future__ import annotations

from typing import Any

Spec = dict[str, Any]

# Okabe and Ito's colours, which the colour-blind tell apart; lighter ones on dark ground.
COLOURS: dict[str, dict[str, Any]] = {
    "light": {"value": "#0072b2", "usual": "#56b4e9", "expected": "#4d6a80", "odd": "#d55e00",
              "metrics": ["#0072b2", "#e69f00", "#009e73", "#cc79a7"]},
    "dark": {"value": "#7cc7f2", "usual": "#3d88b5", "expected": "#a9bccb", "odd": "#ff7f2a",
             "metrics": ["#56b4e9", "#f0b93a", "#2fc79a", "#d993ba"]},
}  # fmt: skip
UTC = {"type": "utc"}
TIME = {"field": "time", "type": "temporal", "title": None, "scale": UTC, "axis": {"grid": False, "labelOverlap": True}}
CLOCK = {"field": "time", "type": "temporal", "title": "Time (UTC)", "format": "%Y-%m-%d %H:%M:%S", "scale": UTC}
LEGEND = {"orient": "top", "title": None, "symbolType": "circle", "symbolOpacity": 1, "offset": 6}
NUMBER = {"field": "count", "type": "quantitative", "title": None, "axis": {"tickMinStep": 1, "format": "d", "tickCount": 4}}


def _told(field: str, title: str, number: bool = True) -> Spec:
    return {
        "field": field,
        "title": title,
        **({"type": "quantitative", "format": ".6~g"} if number else {"type": "nominal"}),
    }


SERIES = {"Value": "value", "Usual": "usual", "Expected": "expected", "Anomaly": "odd"}


def band(theme: str) -> Spec:
    """Of time, value, expected, lower, upper, odd."""
    colours = COLOURS[theme]
    series = {
        "Value": colours["value"],
        "Usual": colours["usual"],
        "Expected": colours["expected"],
        "Anomaly": colours["odd"],
    }
    scale = {"domain": list(series), "range": list(series.values())}

    def y(field: str, name: str) -> Spec:
        where = {"field": field, "type": "quantitative", "title": None, "scale": {"zero": False}}
        return {"y": where, "color": {"datum": name, "type": "nominal", "scale": scale, "legend": LEGEND}}

    told = [
        CLOCK,
        *(_told(*one) for one in [("value", "Value"), ("expected", "Expected"), ("lower", "Usual from"), ("upper", "to")]),
    ]
    near = {"type": "point", "nearest": True, "on": "pointerover", "clear": "pointerout", "encodings": ["x"]}
    seen = {"condition": {"param": "near", "empty": False, "value": 0.5}, "value": 0}
    return {
        "height": 300,
        "encoding": {"x": TIME},
        "layer": [
            {
                "mark": {"type": "area", "opacity": 0.25, "interpolate": "step-after"},
                "encoding": {**y("lower", "Usual"), "y2": {"field": "upper"}},
            },
            {
                "mark": {"type": "line", "strokeDash": [5, 4], "strokeWidth": 1.3},
                "encoding": y("expected", "Expected"),
            },
            {"mark": {"type": "line", "strokeWidth": 1.7}, "encoding": y("value", "Value")},
            {
                "params": [{"name": "near", "select": near}],
                "mark": {"type": "rule", "strokeWidth": 1, "color": "gray"},
                "encoding": {"opacity": seen, "tooltip": told},
            },
            {
                "transform": [{"filter": "datum.odd"}],
                # The log tells the same; where nothing is odd this would be a symbol without a name.
                "mark": {"type": "point", "filled": True, "size": 110, "opacity": 1, "aria": False},
                "encoding": {**y("value", "Anomaly"), "tooltip": told},
            },
        ],
    }


def _name(field: str) -> Spec:
    """With a space at its end: Vega takes names for keys of objects, where __proto__ cannot be one."""
    return {"calculate": f"datum.{field} + ' '", "as": field}


def over_time(theme: str, metrics: list[str]) -> Spec:
    """Of time, metric, count."""
    palette = COLOURS[theme]["metrics"]
    scale = {
        "domain": [metric + " " for metric in metrics],
        "range": [palette[i % len(palette)] for i in range(len(metrics))],
    }
    return {
        "height": 220,
        "transform": [_name("metric")],
        "mark": {"type": "bar", "width": 5},
        "encoding": {
            "x": TIME,
            "y": NUMBER,
            "color": {"field": "metric", "type": "nominal", "scale": scale, "legend": LEGEND},
            "tooltip": [{**CLOCK, "title": "From (UTC)"}, _told("metric", "Metric", False), _told("count", "Anomalies")],
        },
    }


def by_name(theme: str) -> Spec:
    """Of name, count; the most first."""
    return {
        "height": 220,
        "transform": [_name("name")],
        "mark": {"type": "bar", "cornerRadiusEnd": 3, "color": COLOURS[theme]["odd"], "height": {"band": 0.65}},
        "encoding": {
            "y": {"field": "name", "type": "nominal", "title": None, "sort": "-x", "axis": {"labelLimit": 110}},
            "x": NUMBER,
            "tooltip": [_told("name", "Name", False), _told("count", "Anomalies")],
        },
    }
