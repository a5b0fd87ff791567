# SPDX-License-Identifier: MIT
"""The page: `streamlit run dashboard/app.py`. What comes from the database is shown as text, never as markup."""

from __future__ import annotations

import logging
import os
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable

import pandas as pd
import sqlalchemy as sa
import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dashboard import charts, status
from dashboard.data import Choice, Known, Source, View

log = logging.getLogger("dashboard")
REFRESH = float(os.environ.get("DASHBOARD_REFRESH_SECONDS", "2"))
DATABASE = os.environ.get("DASHBOARD_DATABASE_URL") or os.environ.get("DATABASE_URL") or "sqlite:///iot.sqlite"
SPANS = {
    "5 min": timedelta(minutes=5),
    "15 min": timedelta(minutes=15),
    "1 h": timedelta(hours=1),
    "24 h": timedelta(days=1),
    "All": None,
}
EMPTY = "**No readings yet.** `python3 -m pipeline.kafka_producer` sends some; `python3 -m pipeline.local` needs no Kafka."
BADGES = {"ok": ("check_circle", "green"), "off": ("do_not_disturb_on", "gray"), "bad": ("error", "red")}
TIME = st.column_config.DatetimeColumn("Time (UTC)", format="MMM DD, HH:mm:ss", timezone="UTC")
COLUMNS: dict[str, Any] = {
    "timestamp": TIME,
    "sensor_id": st.column_config.TextColumn("Sensor"),
    "metric_type": st.column_config.TextColumn("Metric"),
    "value": st.column_config.NumberColumn("Value", format="%.6g"),
}


@st.cache_resource
def source() -> Source:
    return Source(DATABASE)


def ask(name: str, call: Callable[..., Any], *arguments: Any) -> Any:
    """What the database says; where it does not answer, what it said the last time."""
    state = st.session_state
    if state.get("down"):
        return state.get(name)
    try:
        state[name] = call(*arguments)
    except sa.exc.SQLAlchemyError as error:
        log.warning("%s: %s", name, getattr(error, "orig", error))
        state.down = reason(error)
    return state.get(name)


def reason(error: sa.exc.SQLAlchemyError) -> str:
    told = str(getattr(error, "orig", error)).lower()
    if "no such table" in told or "relation" in told or "unable to open database file" in told:
        return "**The database has no tables yet**: the consumer makes them when it starts."
    if "statement timeout" in told:
        return "**The database takes too long** for this much data: choose a shorter time."
    return "**The database does not answer.** The page tries again by itself."


def head(parts: list[status.Part], down: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title("IoT sensors", anchor=False, width="content")
        with st.container(horizontal=True, width="content", gap="small", key="parts"):
            for part in [status.Part("Database", "bad" if down else "ok"), *parts]:
                icon, colour = BADGES[part.state]
                st.badge(part.name + (" off" if part.state == "off" else ""), icon=f":material/{icon}:", color=colour)  # type: ignore[arg-type]
    with st.container(
        key="told"
    ):  # always there: what comes and goes must not move what is below, which would be drawn anew
        if down:
            seen = st.session_state.get("seen")
            st.error(
                down + (f" Below is what was known at {seen:%H:%M:%S} UTC." if seen else ""), icon=":material/database_off:"
            )
        for part in parts:
            if part.told:
                st.warning(part.told, icon=":material/warning:")


def filters(known: Known) -> Choice:
    with st.container(horizontal=True, key="filters"):
        sensors = st.multiselect("Sensors", known.sensors, key="sensor", placeholder="All sensors", width=380)
        metrics = st.multiselect("Metrics", known.metrics, key="metric", placeholder="All metrics", width=280)
        span = st.segmented_control("Time", list(SPANS), default="15 min", required=True, key="span", width="content")
    return Choice(tuple(sensors), tuple(metrics), SPANS[span])


def numbers(known: Known, view: View) -> None:
    with st.grid(4, min_column_width=150):
        st.metric("Readings", f"{view.readings:,}", border=True)
        st.metric("Anomalies", f"{view.found:,}", border=True)
        st.metric("Sensors", f"{len(known.sensors):,}", border=True)
        st.metric("Alerts waiting", f"{known.waiting:,}", border=True)


def band(known: Known, choice: Choice, theme: str) -> None:
    sensors, metrics = list(choice.sensors) or known.sensors, list(choice.metrics) or known.metrics
    for key, options, odd in zip(("shown_sensor", "shown_metric"), (sensors, metrics), known.odd or ("", "")):
        if st.session_state.get(key) not in options:  # at first what was odd last
            st.session_state[key] = odd if odd in options else options[0]
    with st.container(border=True, key="card_band"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.header("Values and what was usual", anchor=False, width="content")
            with st.container(horizontal=True, width="content", gap="small"):
                sensor = st.selectbox("Sensor", sensors, key="shown_sensor", width=230, label_visibility="collapsed")
                metric = st.selectbox("Metric", metrics, key="shown_metric", width=170, label_visibility="collapsed")
        series = ask("series", source().series, sensor, metric, choice)
        if series is None or series.empty:
            st.info("No readings of this metric in this time.", icon=":material/show_chart:")
            return
        found, newest = int(series["odd"].sum()), series["value"].iloc[-1]
        told = f"{len(series)} values, anomalies: {found}, newest value: {newest:g}"
        st.vega_lite_chart(
            series, charts.band(theme), key="band", alt="Values of the chosen metric in the band of what was usual"
        )
        st.caption(told)


def tables(view: View, theme: str) -> None:
    left, right = st.columns([4, 5])
    with left.container(border=True, height="stretch", key="card_feed"):
        st.header("Newest readings", anchor=False)
        feed = view.feed.assign(verdict=view.feed.apply(verdict, axis=1) if len(view.feed) else [])
        colour = charts.COLOURS[theme]["odd"]
        shown = feed[["timestamp", "sensor_id", "metric_type", "value", "verdict"]]
        styled = shown.style.apply(lambda row: [f"color: {colour}" * (row["verdict"] == "anomaly")] * len(row), axis=1)
        config = {**COLUMNS, "verdict": st.column_config.TextColumn("Verdict", width="small")}
        st.dataframe(styled, hide_index=True, column_config=config, key="feed", height=388)
    with right.container(border=True, height="stretch", key="card_log"):
        st.header("Anomalies", anchor=False)
        if view.log.empty:
            st.info("None in this time.", icon=":material/check_circle:")
            return
        rows = view.log.assign(usual=[usual(low, high) for low, high in zip(view.log["lower"], view.log["upper"])])
        config = {
            **COLUMNS,
            "z_score": st.column_config.NumberColumn("z-score", format="%+.1f"),
            "usual": st.column_config.TextColumn("Usual was"),
        }
        order = ["timestamp", "sensor_id", "metric_type", "value", "z_score", "usual"]
        st.dataframe(rows[order], hide_index=True, column_config=config, key="log", height=388)
        if view.found > len(view.log):
            st.caption(f"The newest {len(view.log)} of {view.found:,}.")


def usual(low: float | None, high: float | None) -> str:
    return "" if pd.isna(low) or pd.isna(high) else f"{low:.5g} to {high:.5g}"


def verdict(row: pd.Series[Any]) -> str:
    if row["is_anomaly"]:
        return "anomaly"
    return "learning" if pd.isna(row["lower"]) else "usual"


def summary(known: Known, view: View, theme: str) -> None:
    shown = {
        "Anomalies over time": (view.over_time, charts.over_time(theme, known.metrics)),
        "By sensor": (view.by_sensor, charts.by_name(theme)),
        "By metric": (view.by_metric, charts.by_name(theme)),
    }
    for column, (title, (rows, chart)) in zip(st.columns([2, 1, 1]), shown.items()):
        with column.container(border=True, height="stretch", key=f"card_{title}"):
            st.header(title, anchor=False)
            st.vega_lite_chart(rows, chart, key=title, alt=title)


@st.fragment(run_every=REFRESH)
def page() -> None:
    state, now = st.session_state, datetime.now(timezone.utc)
    theme = "dark" if st.context.theme.type == "dark" else "light"
    state.down = ""
    known: Known | None = ask("known", source().known)
    down = state.down
    head([] if known is None or down else [part(known, now) for part in status.PARTS], down)
    if known is not None and known.sensors:
        choice = filters(known)
        view: View | None = ask("view", source().view, choice)
        if state.down and not down:  # only now
            st.error(state.down, icon=":material/database_off:")
        if view is not None:
            content(known, view, choice, theme)
    elif known is not None:
        st.info(EMPTY, icon=":material/sensors:")
    if not state.down:
        state.seen = now
        st.caption(f"Updated {now:%H:%M:%S} UTC")


def content(known: Known, view: View, choice: Choice, theme: str) -> None:
    numbers(known, view)
    if view.feed.empty:
        st.info("No readings match these filters.", icon=":material/filter_alt_off:")
        return
    band(known, choice, theme)
    tables(view, theme)
    summary(known, view, theme)


st.set_page_config(page_title="IoT sensors", page_icon=str(Path(__file__).parent / "icon.svg"), layout="wide")
page()
