# SPDX-License-Identifier: MIT
"""What stands before every request: its origin, API key, rate and size; and the audit log."""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import time
from urllib.parse import urlsplit

from starlette.datastructures import Headers, QueryParams
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from anomaly.config import Settings
from common.alerts import Limiter

audit = logging.getLogger("anomaly.audit")
OPEN = ("/", "/health", "/docs", "/openapi.json")  # without a key: the page asks for it, monitors have none
READING = ("GET", "HEAD", "OPTIONS")

Refusal = tuple[int, str]


class Guard:
    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.settings = app, settings
        self._limiter = Limiter(settings.rate_limit, settings.rate_limit_burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        exchange = Exchange(scope, receive, send, self._limit(scope))
        client, key = (scope.get("client") or ["unknown"])[0], self._key(scope)
        refusal = self._refusal(scope, client, key)
        if refusal:
            await exchange.refuse(*refusal)
        else:
            await self.app(scope, exchange.receive, exchange.send)
        self._note(scope, client, key, exchange)

    def _limit(self, scope: Scope) -> int:
        return self.settings.max_upload_bytes if scope["path"].startswith("/upload") else self.settings.max_body_bytes

    def _key(self, scope: Scope) -> str:
        """The API key; browsers cannot give a WebSocket a header, so there it may stand in the address."""
        in_address = QueryParams(scope["query_string"]).get("api_key") if scope["type"] == "websocket" else None
        return in_address or Headers(scope=scope).get("x-api-key", "")

    def _refusal(self, scope: Scope, client: str, key: str) -> Refusal | None:
        method = scope.get("method", "")
        if method not in READING and not self._own_page(scope):
            return 403, "a page of another site may not do that"
        if not self._allowed(scope["path"], key):
            return 401, "the API key is missing or wrong: header X-API-Key"
        if self.settings.rate_limit and not self._limiter.take(
            key if self.settings.api_keys and key else client, time.monotonic()
        ):
            return 429, "too many requests; try again"
        headers = Headers(scope=scope)
        if headers.get("content-encoding", "identity") != "identity":
            return 415, "packed requests are not taken"
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > self._limit(scope):
            return 413, f"at most {self._limit(scope)} bytes"
        return None

    def _own_page(self, scope: Scope) -> bool:
        """Programs have no origin; a page that does must be ours or one of CORS_ORIGINS."""
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        return not origin or origin in self.settings.cors_origins or urlsplit(origin).netloc == headers.get("host")

    def _allowed(self, path: str, key: str) -> bool:
        if not self.settings.api_keys or path in OPEN or path.startswith("/static/"):
            return True
        return any(secrets.compare_digest(key.encode(), known.encode()) for known in self.settings.api_keys)

    def _note(self, scope: Scope, client: str, key: str, exchange: Exchange) -> None:
        """Who changed something, and who was refused; of a key only its mark."""
        if not self.settings.audit_log or (scope.get("method") == "GET" and exchange.status < 400):
            return
        mark = hashlib.sha256(key.encode()).hexdigest()[:8] if key else None
        entry = {"time": time.time(), "client": client, "key": mark, "method": scope.get("method", "WEBSOCKET")}
        audit.info(json.dumps(entry | {"path": scope["path"], "status": exchange.status, "bytes": exchange.received}))


class Exchange:
    """A request and its answer: counts what comes, so that no more than the limit does, whatever its header says."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        self.scope, self._receive, self._send, self._limit = scope, receive, send, limit
        self.received = self.status = 0
        self._too_large = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self.received += len(message.get("body", b""))
            if self.received > self._limit:
                self._too_large = True
                raise ValueError("the body is too large")
        return message

    async def send(self, message: Message) -> None:
        if self._too_large:
            if not self.status:
                await self.refuse(413, f"at most {self._limit} bytes")
            return
        self.status = message.get("status", self.status)
        await self._send(message)

    async def refuse(self, status: int, detail: str) -> None:
        """An answer before the body is read; the connection ends, so the rest of the body need not come."""
        self.status = status
        if self.scope["type"] == "websocket":
            await self._send({"type": "websocket.close", "code": 1008, "reason": detail})
            return
        headers = {"Connection": "close"} | ({"Retry-After": "1"} if status == 429 else {})
        await JSONResponse({"detail": detail}, status, headers)(self.scope, self._receive, self._send)
