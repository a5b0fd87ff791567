#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the Grafana dashboard of the service as JSON, to be imported: python dashboard.py > dashboard.json"""

from __future__ import annotations

from grafana_foundation_sdk.builders import timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import TimeZoneUtc

PANELS = [
    ("Predictions a second", [("rate(predictions_total[1m])", "rows"), ("rate(inference_requests_total[1m])", "requests")]),
    ("Share of anomalies", [("anomaly_share", "of the last predictions")]),
    ("Anomalies a minute by main cause", [("60 * rate(anomaly_causes_total[5m])", "{{feature}}")]),
    (
        "Time of a request",
        [
            (f"histogram_quantile({q}, sum by (le) (rate(inference_seconds_bucket[5m])))", f"{q:.0%} are faster")
            for q in (0.5, 0.99)
        ],
    ),
    ("Mean of each feature, in standard deviations of training", [("drift_mean_diff", "{{feature}}")]),
    ("Difference of the distributions", [("drift_ks", "{{feature}}")]),
    ("Drift and retraining", [("drift_detected", "drift"), ("increase(retrainings_total[1h])", "retraining {{result}}")]),
    (
        "Model",
        [("time() - model_loaded_timestamp_seconds", "seconds in service"), ("model_load_failures_total", "not loaded")],
    ),
    ("Refused requests a minute", [("60 * rate(inference_refused_total[5m])", "{{status}}")]),
]


def dashboard() -> str:
    board = Dashboard("A model that watches itself").uid("model").refresh("10s").time("now-1h", "now").timezone(TimeZoneUtc)
    for title, queries in PANELS:
        panel = timeseries.Panel().title(title).span(8).height(8)
        for name, (expression, legend) in zip("ABC", queries):
            panel.with_target(Dataquery().ref_id(name).expr(expression).legend_format(legend))
        board.with_panel(panel)
    return JSONEncoder(sort_keys=True, indent=2).encode(board.build())


if __name__ == "__main__":
    print(dashboard())
