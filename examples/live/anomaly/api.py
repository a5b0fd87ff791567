# SPDX-License-Identifier: MIT
"""The service: endpoints, uploads, WebSocket, page."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import islice
from typing import Annotated, Any

from fastapi import Depends, FastAPI, File, HTTPException, Query, Request, UploadFile, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline

from anomaly import models, readers
from anomaly.config import Settings, prepare
from anomaly.email_sender import Mailer
from anomaly.guard import Guard
from anomaly.page import STATIC, PageFiles, page
from anomaly.persistence import DownError, FullError, MemoryStore, Store, push_when_there_is_room
from anomaly.processor import Processor
from anomaly.sockets import Sockets

log = logging.getLogger("anomaly.api")
FULL = "the queue is full; try again"
ROWS = 200  # of a file, before others have their turn
SILENT = 5.0  # seconds without a sign of a processor
PATIENCE = 30.0  # seconds that an upload waits for room in the queue


class Service:
    """What the endpoints work with."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.sockets = Sockets()
        self.store: Store
        self.processor: Processor | None = None
        if settings.backend == "redis":
            from anomaly.persistence_redis import RedisStore

            self.store = RedisStore(settings)
        else:
            self.store = MemoryStore(settings)
            self.processor = Processor(self.store, settings)
        self.mailer = Mailer(settings, self.store) if settings.email_enabled else None
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self) -> None:
        parts: dict[str, Any] = {"websocket": self.sockets.run(self.store)}
        if self.mailer:
            parts["email"] = self.mailer.run()
        if self.processor:
            parts["processor"] = self.processor.run()
            if self.settings.kafka_broker:
                from anomaly.ingest import Ingest

                parts["kafka"] = Ingest(self.store, self.settings).run()
        self._tasks = {name: asyncio.create_task(part, name=name) for name, part in parts.items()}

    async def stop(self) -> None:
        """The processor last: it keeps how far the others are."""
        judging = self._tasks.pop("processor", None)
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        if self.processor and judging:
            self.processor.stop()
            await asyncio.wait([judging])
        await self.store.close()

    async def parts(self, beats: dict[str, Any]) -> dict[str, str]:
        """What is wrong with each, or ok, or off."""
        states = {"store": await self.store.state(), "email": self.mailer.state if self.mailer else "off", "kafka": "off"}
        beating = [f"processor {i}" if i else "processor" for i in range(self.settings.processors)]
        for name in beating + (["kafka"] if self.settings.kafka_broker else []):
            beat = beats.get(name, {"at": 0})
            states[name] = beat.get("state", "ok") if time.time() - beat["at"] < SILENT else "no sign of it"
        return states | {name: state for name, task in self._tasks.items() if (state := _end_of(task))}


def _end_of(task: asyncio.Task[None]) -> str:
    if not task.done():
        return ""
    return f"ended: {task.exception()}" if not task.cancelled() and task.exception() else "ended"


def service_of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


TheService = Annotated[Service, Depends(service_of)]


def create_app(settings: Settings) -> FastAPI:

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        app.state.service = service = Service(settings)
        service.start()
        yield
        await service.stop()

    refusals: Any = {status: {"model": models.Refusal} for status in (400, 401, 403, 413, 415, 429, 503)}
    app = FastAPIOffline(title="Live metrics", lifespan=life, redoc_url=None, static_url="/static/docs", responses=refusals)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(FullError, _full)
    app.add_exception_handler(DownError, _down)
    for method, path, endpoint, options in ROUTES:
        app.add_api_route(path, endpoint, methods=[method], **options)
    app.add_api_websocket_route("/ws/anomalies", anomalies_live)
    app.add_middleware(CORSMiddleware, allow_origins=settings.cors_origins, allow_methods=["*"], allow_headers=["*"])
    app.add_middleware(Guard, settings=settings)
    app.mount("/static", PageFiles(directory=STATIC), name="static")
    return app


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    """422 without the input, which may hold what JSON cannot."""
    assert isinstance(error, RequestValidationError)
    detail = [{"loc": list(e["loc"]), "msg": readers.message(e), "type": e["type"]} for e in error.errors()]
    return JSONResponse({"detail": detail}, 422)


async def _full(*_: Any) -> JSONResponse:
    return JSONResponse({"detail": FULL}, 429, {"Retry-After": "1"})


async def _down(_: Request, error: Exception) -> JSONResponse:
    log.warning("%s", error)
    return JSONResponse({"detail": "the store does not answer; try again"}, 503, {"Retry-After": "1"})


async def health(service: TheService) -> models.Health:
    """What is up, and how much waits."""
    try:
        beats, depth, count = await service.store.beats(), await service.store.depth(), (await service.store.metrics(0))[1]
    except DownError:
        beats, depth, count = {}, 0, 0
    if service.processor:  # the same process: as it is now
        beats = {**beats, service.processor.name: service.processor.told()}
    parts = await service.parts(beats)
    told = [*beats.values(), service.mailer.told() if service.mailer else {}]
    return models.Health(
        status="ok" if all(state in ("ok", "off") for state in parts.values()) else "degraded",
        environment=service.settings.environment,
        backend=service.settings.backend,
        queue_size=depth,
        max_queue_size=service.settings.max_queue_size * service.settings.processors,
        parts=parts,
        anomalies_last_minute=service.sockets.last_minute(),
        metrics=count,
        websockets=len(service.sockets),
        **{name: sum(one.get(name, 0) for one in told) for name in models.COUNTS},
    )


async def raw_event(event: models.Event, service: TheService) -> models.Accepted:
    """Takes one event. 429: the queue is full, nothing was taken."""
    record = models.queued(event)
    await service.store.push([record])
    return models.Accepted(message="the event is queued", event_id=record["event_id"])


async def upload(file: Annotated[UploadFile, File()], service: TheService) -> models.Upload:
    """Takes the events of one file: CSV with a header, JSON, or text."""
    return await _take_file(service, file)


async def upload_bulk(files: Annotated[list[UploadFile], File()], service: TheService) -> models.BulkUpload:
    """Takes the events of several files, of any kinds."""
    if len(files) > service.settings.max_files:
        raise HTTPException(413, f"at most {service.settings.max_files} files at once")
    taken = [await _take_file(service, file, alone=False) for file in files]
    return models.BulkUpload(
        total_files=len(taken),
        total_success_count=sum(one.success_count for one in taken),
        total_error_count=sum(one.error_count for one in taken),
        files=taken,
    )


async def _take_file(service: Service, file: UploadFile, alone: bool = True) -> models.Upload:
    name = file.filename or ""
    answer = models.Upload(success=True, message="", filename=name, total_rows=0, success_count=0, error_count=0, errors=[])
    found = readers.rows(name, file.file)
    try:
        while chunk := list(islice(found, min(ROWS, service.settings.max_queue_size))):
            await _take_rows(service, chunk, answer)
    except readers.FileError as error:
        if alone and not answer.total_rows:
            raise HTTPException(400, str(error)) from None
        answer.errors.append(models.RowError(row=0, error=str(error)))
        answer.error_count += 1
    answer.success = answer.error_count == 0
    answer.message = f"{answer.success_count} of {answer.total_rows} rows taken"
    return answer


async def _take_rows(service: Service, chunk: list[readers.Row], answer: models.Upload) -> None:
    events = []
    for number, row in chunk:
        answer.total_rows += 1
        if isinstance(row, str):
            answer.error_count += 1
            if len(answer.errors) < 10:
                answer.errors.append(models.RowError(row=number, error=row))
        else:
            events.append(models.queued(row))
    await push_when_there_is_room(service.store, events, patience=PATIENCE)
    answer.success_count += len(events)
    await asyncio.sleep(0)  # others have their turn


async def anomalies(service: TheService, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> models.Anomalies:
    """The newest anomalies, newest first."""
    found = await service.store.anomalies(limit)
    return models.Anomalies.model_validate({"anomalies": found, "count": len(found)})


async def metrics(
    service: TheService,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    search: Annotated[str, Query(max_length=255)] = "",
) -> models.Metrics:
    """The metrics there are, or those with a text in their name, by name."""
    found, count = await service.store.metrics(limit, search)
    return models.Metrics.model_validate({"metrics": found, "count": count})


async def series(
    service: TheService,
    metric: Annotated[str, Query(min_length=1, max_length=255)],
    after: Annotated[int, Query(ge=0)] = 0,
) -> models.Series:
    """The newest points of a metric, for the chart."""
    found = await service.store.series(metric, after)
    if found is None:
        raise HTTPException(404, "there is no such metric")
    return models.Series(metric=metric, points=found[0], next=found[1])


async def anomalies_live(socket: WebSocket) -> None:
    service: Service = socket.app.state.service
    await service.sockets.serve(socket)


ROUTES: list[tuple[str, str, Any, dict[str, Any]]] = [
    ("GET", "/", page, {"include_in_schema": False}),
    ("GET", "/health", health, {}),
    ("POST", "/events/raw", raw_event, {"status_code": 201}),
    ("POST", "/upload", upload, {"status_code": 201}),
    ("POST", "/upload/bulk", upload_bulk, {"status_code": 201}),
    ("GET", "/anomalies", anomalies, {}),
    ("GET", "/metrics", metrics, {}),
    ("GET", "/series", series, {"responses": {404: {"model": models.Refusal}}}),
]


def __getattr__(name: str) -> FastAPI:
    """`uvicorn anomaly.api:app`."""
    if name != "app":
        raise AttributeError(name)
    return create_app(prepare(Settings()))
