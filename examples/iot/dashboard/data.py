# SPDX-License-Identifier: MIT
"""What the page shows, read from the pipeline's database: SQLite or PostgreSQL. Nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pandas as pd
import sqlalchemy as sa

SECONDS = 10  # that the database may take to connect, and for a query
NAMES, FEED, LOG, POINTS, BARS, COUNTED = 10_000, 10, 200, 600, 8, 20_000  # the most of each
STEPS = (1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400, 604_800, 31_536_000)  # seconds; what a bar stands for
TIMES = ("timestamp", "seen")


def _table(name: str, columns: str) -> sa.TableClause:
    moment = sa.DateTime(timezone=True)
    return sa.table(name, *(sa.column(one, moment if one in TIMES else None) for one in columns.split()))


readings = _table("sensor_data", "id sensor_id metric_type value timestamp expected lower upper is_anomaly")
anomalies = _table("anomalies", "id sensor_id metric_type value z_score timestamp lower upper")
states = _table("states", "sensor_id metric_type")
health = _table("health", "part seen problem")
outbox = _table("outbox", "id")
count = sa.func.count().label("count")


@dataclass(frozen=True)
class Choice:
    """What is looked at; no names mean all, no span means all that is kept."""

    sensors: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    span: timedelta | None = None


@dataclass(frozen=True)
class Known:
    """What there is, and how the parts do."""

    sensors: list[str]
    metrics: list[str]
    parts: pd.DataFrame  # part, seen, problem
    waiting: int  # alerts
    newest: datetime | None  # of all readings
    odd: tuple[str, str] | None  # sensor and metric of the newest anomaly


@dataclass(frozen=True)
class View:
    feed: pd.DataFrame
    log: pd.DataFrame
    readings: int
    found: int  # anomalies
    over_time: pd.DataFrame  # time, metric, count
    by_sensor: pd.DataFrame  # name, count
    by_metric: pd.DataFrame


class Source:
    def __init__(self, url: str) -> None:
        address = sa.make_url(url)
        options: dict[str, Any] = {"connect_timeout": SECONDS, "options": f"-c statement_timeout={SECONDS}s -c timezone=UTC"}
        if address.get_backend_name() == "sqlite":  # never makes the file
            address, options = sa.make_url(f"sqlite:///file:{address.database}?mode=ro&uri=true"), {"timeout": SECONDS}
        else:
            address = address.set(drivername="postgresql+psycopg")
        self._engine = sa.create_engine(address, pool_pre_ping=True, connect_args=options)

    def _rows(self, query: sa.Select[Any]) -> pd.DataFrame:
        with self._engine.connect() as connection:
            rows = pd.DataFrame(connection.execute(query).mappings().all(), columns=list(query.selected_columns.keys()))
        for name in rows.columns.intersection([*TIMES, "time"]):
            rows[name] = pd.to_datetime(rows[name], utc=True)
        return rows

    def _one(self, query: sa.Select[Any]) -> Any:
        with self._engine.connect() as connection:
            return connection.execute(query).scalar()

    def known(self) -> Known:
        keys = self._rows(sa.select(states).distinct().limit(NAMES))
        newest = self._rows(sa.select(readings.c.timestamp).order_by(readings.c.timestamp.desc()).limit(1))
        odd = self._rows(_newest(anomalies).limit(1))
        return Known(
            sensors=sorted(keys["sensor_id"].unique()),
            metrics=sorted(keys["metric_type"].unique()),
            parts=self._rows(sa.select(health).order_by("part")),
            waiting=self._one(sa.select(count).select_from(outbox)),
            newest=None if newest.empty else newest["timestamp"].iloc[0].to_pydatetime(),
            odd=None if odd.empty else (odd["sensor_id"].iloc[0], odd["metric_type"].iloc[0]),
        )

    def view(self, choice: Choice) -> View:
        wanted = _where(anomalies, choice)
        times = sa.select(anomalies.c.timestamp.label("time"), anomalies.c.metric_type.label("metric"))
        return View(
            feed=self._rows(_newest(readings).where(*_where(readings, choice)).limit(FEED)),
            log=self._rows(_newest(anomalies).where(*wanted).limit(LOG)),
            readings=self._one(sa.select(count).select_from(readings).where(*_where(readings, choice))),
            found=self._one(sa.select(count).select_from(anomalies).where(*wanted)),
            over_time=_bars(self._rows(times.where(*wanted).order_by(sa.desc("time")).limit(COUNTED))),
            by_sensor=self._rows(_most(anomalies.c.sensor_id).where(*wanted)),
            by_metric=self._rows(_most(anomalies.c.metric_type).where(*wanted)),
        )

    def series(self, sensor: str, metric: str, choice: Choice) -> pd.DataFrame:
        """The newest readings of one metric of a sensor, the oldest first."""
        rows = self._rows(
            _newest(readings).where(*_where(readings, Choice((sensor,), (metric,), choice.span))).limit(POINTS)
        )
        rows = rows.iloc[::-1].rename(columns={"timestamp": "time", "is_anomaly": "odd"})
        return rows[["time", "value", "expected", "lower", "upper", "odd"]].astype({"odd": bool})


def _newest(table: sa.TableClause) -> sa.Select[Any]:
    return sa.select(table).order_by(table.c.timestamp.desc(), table.c.id.desc())


def _most(name: sa.ColumnClause[Any]) -> sa.Select[Any]:
    return sa.select(name.label("name"), count).group_by(name).order_by(count.desc(), name).limit(BARS)


def _where(table: sa.TableClause, choice: Choice) -> list[sa.ColumnElement[bool]]:
    wanted: list[sa.ColumnElement[bool]] = []
    if choice.sensors:
        wanted.append(table.c.sensor_id.in_(choice.sensors))
    if choice.metrics:
        wanted.append(table.c.metric_type.in_(choice.metrics))
    if choice.span is not None:
        wanted.append(table.c.timestamp > datetime.now(timezone.utc) - choice.span)
    return wanted


def _bars(times: pd.DataFrame) -> pd.DataFrame:
    """How many of each metric in each of some equal parts of the time."""
    if times.empty:
        return pd.DataFrame(columns=["time", "metric", "count"])
    seconds = (times["time"].max() - times["time"].min()).total_seconds()
    step = next(step for step in STEPS if seconds <= step * 60 or step == STEPS[-1])
    parts = times.assign(time=times["time"].dt.floor(f"{step}s")).groupby(["time", "metric"])
    return parts.size().reset_index(name="count")
