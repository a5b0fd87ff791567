# SPDX-License-Identifier: MIT
"""What has been found so far: `python -m pipeline.shown`. It waits for the first anomaly."""

from __future__ import annotations

import time

from pipeline.config import read_settings
from pipeline.store import DownError, Store, open_store

COLUMNS = "sensor_id, metric_type, value, z_score, lower, upper"


def look(store: Store) -> tuple[int, list[tuple[str, str, float, float, float, float]]]:
    with store.transaction():
        ((readings,),) = store.execute("SELECT count(*) FROM sensor_data")
        found = store.execute(f"SELECT {COLUMNS} FROM anomalies ORDER BY id DESC LIMIT 5")
    return readings, found


def main() -> None:
    store, end = open_store(read_settings().database_url.get_secret_value()), time.monotonic() + 120
    while time.monotonic() < end:
        try:
            readings, found = look(store)
        except DownError:
            found = []
        if found:
            break
        time.sleep(0.5)
    else:
        raise SystemExit("nothing was found in two minutes")
    print(f"{readings} readings; the newest anomalies:")
    for sensor, metric, value, z, lower, upper in found:
        print(f"{sensor}, {metric} = {value:g}: z-score {z:+.2f}, usual is {lower:.2f} to {upper:.2f}")


if __name__ == "__main__":
    main()
