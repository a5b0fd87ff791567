# SPDX-License-Identifier: MIT
"""What Prometheus can ask for: one registry for each service."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

from inference.drift import Report

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class Metrics:
    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter("inference_requests", "Requests that were answered with predictions", registry=registry)
        self.refused = Counter("inference_refused", "Requests that were refused", ["status"], registry=registry)
        self.seconds = Histogram("inference_seconds", "How long a request took", buckets=SECONDS, registry=registry)
        self.predictions = Counter("predictions", "Rows that were judged", registry=registry)
        self.anomalies = Counter("anomaly_predictions", "Rows that were judged odd", registry=registry)
        self.causes = Counter("anomaly_causes", "Anomalies by their main cause", ["feature"], registry=registry)
        self.share = Gauge("anomaly_share", "Share of anomalies among the last predictions", registry=registry)
        self.share_alerts = Counter("anomaly_share_alerts", "How often that share rose above its limit", registry=registry)
        self.drift_checks = Counter("drift_checks", "Windows that were compared with the training rows", registry=registry)
        self.drift_alerts = Counter("drift_alerts", "Windows in which the features had drifted", registry=registry)
        self.drift = Gauge("drift_detected", "1 if the last window had drifted", registry=registry)
        self.mean = Gauge("drift_mean_diff", "Shift of the mean in standard deviations", ["feature"], registry=registry)
        self.std = Gauge("drift_std_diff", "Change of the standard deviation, in the same", ["feature"], registry=registry)
        self.ks = Gauge("drift_ks", "Largest difference of the distributions", ["feature"], registry=registry)
        self.retrainings = Counter("retrainings", "Retrainings by what became of them", ["result"], registry=registry)
        self.swaps = Counter("model_swaps", "Models that took the place of another while serving", registry=registry)
        self.failures = Counter("model_load_failures", "Models that were not taken", registry=registry)
        self.model = Info("model", "The model that is served", registry=registry)
        self.loaded = Gauge("model_loaded_timestamp_seconds", "Since when", registry=registry)
        for result in ("started", "cooling", "failed", "done"):
            self.retrainings.labels(result)

    def compared(self, report: Report) -> None:
        self.drift_checks.inc()
        self.drift_alerts.inc(int(report.drift_detected))
        self.drift.set(int(report.drift_detected))
        for name, feature in report.features.items():
            self.mean.labels(name).set(feature.mean_diff)
            self.std.labels(name).set(feature.std_diff)
            self.ks.labels(name).set(feature.ks)

    def forget_features(self) -> None:
        """A new model may have others."""
        for metric in (self.mean, self.std, self.ks):
            metric.clear()
        self.drift.set(0)
