# SPDX-License-Identifier: MIT
"""What load.py measures, in small: every event is acknowledged and judged, every odd one arrives, whatever the speed."""

import asyncio

import load
from common.servers import wait_until


def test_of_many_events_over_several_connections_none_is_lost(service):
    before = service.health()["processed"]
    delays = asyncio.run(load.single_events(service, rate=400, seconds=1, connections=4))
    assert len(delays) == 4  # each hundredth is odd
    assert delays[-1] < 10  # seconds, where a quiet machine takes milliseconds; `make bench-live` measures
    load.file_of_events(service, 2000)
    load.bulk(service, files=5, each=200)
    wait_until(lambda: service.health()["processed"] == before + 400 + 2000 + 1000, "every event is judged")
