# SPDX-License-Identifier: MIT
"""Anomalies to every WebSocket that is open. One that does not read holds up none of the others."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections import Counter

from fastapi import WebSocket, WebSocketDisconnect

from anomaly.persistence import Store

log = logging.getLogger("anomaly.sockets")
BEHIND = 1000  # messages that may wait for a client
MINUTE = 60  # seconds
TOO_SLOW = 1013  # "try again later"


class Sockets:
    def __init__(self) -> None:
        self._waiting: set[asyncio.Queue[str | None]] = set()
        self._seconds: Counter[int] = Counter()  # anomalies in each of the last sixty

    def _count(self, second: int) -> None:
        self._seconds[second] += 1
        for old in [at for at in self._seconds if at <= second - MINUTE]:
            del self._seconds[old]

    def last_minute(self) -> int:
        now = time.time()
        return sum(count for second, count in self._seconds.items() if second > now - MINUTE)

    def __len__(self) -> int:
        return len(self._waiting)

    async def run(self, store: Store) -> None:
        async for _, record in store.follow():
            self._count(int(record["detected_at"]))
            text = json.dumps(record)
            for queue in self._waiting:
                if queue.full():  # the last it sees is that it was too slow
                    queue.get_nowait()
                    queue.put_nowait(None)
                else:
                    queue.put_nowait(text)

    async def serve(self, socket: WebSocket) -> None:
        queue: asyncio.Queue[str | None] = asyncio.Queue(BEHIND)
        await socket.accept()
        self._waiting.add(queue)
        log.info("%d WebSockets", len(self))
        sending = asyncio.create_task(self._send(socket, queue))
        try:
            while True:
                if await socket.receive_text() == "ping":
                    await socket.send_text("pong")
        except (WebSocketDisconnect, RuntimeError, KeyError):  # RuntimeError: closed from here; KeyError: bytes came
            pass
        finally:
            sending.cancel()
            self._waiting.discard(queue)
            log.info("%d WebSockets", len(self))

    async def _send(self, socket: WebSocket, queue: asyncio.Queue[str | None]) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while (text := await queue.get()) is not None:
                await socket.send_text(text)
            await socket.close(TOO_SLOW, "too slow")
