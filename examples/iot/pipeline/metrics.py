# SPDX-License-Identifier: MIT
"""What a consumer counts, for Prometheus, at http://METRICS_HOST:METRICS_PORT/metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from pipeline.store import Batch, Key


class Metrics:
    """`newest` answers the newest value of each sensor and metric; it is asked when somebody asks, in another thread."""

    def __init__(self, newest: Callable[[], Iterable[tuple[Key, float]]]) -> None:
        self.registry = CollectorRegistry()
        self.processed = Counter("messages_processed", "Messages that were judged and written.", registry=self.registry)
        self.rejected = Counter("messages_rejected", "Messages that were not understood.", registry=self.registry)
        self.anomalies = Counter("anomalies_detected", "Anomalies.", ["metric_type"], registry=self.registry)
        self.kept = Counter("snapshots_written", "Detectors that were written.", registry=self.registry)
        self.refused = Counter("writes_refused", "Writes by a former owner of a partition.", registry=self.registry)
        self.latency = Histogram("processing_latency_seconds", "From arrival to commit.", registry=self.registry)
        self.registry.register(_Newest(newest))

    def written(self, batches: Iterable[Batch], seconds: float) -> None:
        for batch in batches:
            self.processed.inc(len(batch.readings))
            self.rejected.inc(len(batch.rejected))
            self.kept.inc(len(batch.snapshots))
            for _, _, metric, *_ in batch.anomalies:
                self.anomalies.labels(metric).inc()
        self.latency.observe(seconds)

    def serve(self, port: int, host: str) -> None:
        start_http_server(port, host, self.registry)


class _Newest(Collector):
    def __init__(self, newest: Callable[[], Iterable[tuple[Key, float]]]) -> None:
        self._newest = newest

    def collect(self) -> Iterator[GaugeMetricFamily]:
        gauge = GaugeMetricFamily("current_sensor_value", "The newest value.", labels=["sensor_id", "metric_type"])
        for key, value in self._newest():
            gauge.add_metric(key, value)
        yield gauge
