# SPDX-License-Identifier: MIT
"""The service: endpoints, uploads, WebSocket, page."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import islice
from typing import Annotated, Any

from fastapi import Depends, FastAPI, File, HTTPException, Query, Request, UploadFile, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from anomaly import models, readers
from anomaly.config import Settings
from anomaly.detector import Judge
from anomaly.page import PageFiles, page
from anomaly.persistence import FullError, MemoryStore, Store
from anomaly.processor import Processor
from anomaly.sockets import Sockets

FULL = "the queue is full; try again"
ROWS = 200  # of a file, before others have their turn
PATIENCE = 30.0  # seconds that an upload waits for room in the queue


class Service:
    """What the endpoints work with."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store: Store = MemoryStore(settings.max_queue_size, settings.keep_anomalies, settings.keep_points)
        self.processor = Processor(self.store, settings, Judge(settings))
        self.sockets = Sockets()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self) -> None:
        parts = {"processor": self.processor.run(), "report": self.processor.report(), "websocket": self.sockets.run(self.store)}
        self._tasks = {name: asyncio.create_task(part, name=name) for name, part in parts.items()}

    async def stop(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        for task in self._tasks.values():
            with suppress(asyncio.CancelledError, Exception):
                await task
        await self.store.close()

    async def parts(self) -> dict[str, str]:
        states = {name: _state(task) for name, task in self._tasks.items() if name != "report"}
        return {"store": await self.store.state()} | states


def _state(task: asyncio.Task[None]) -> str:
    if not task.done():
        return "ok"
    return f"ended: {task.exception()}" if not task.cancelled() and task.exception() else "ended"


def service_of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


TheService = Annotated[Service, Depends(service_of)]


def create_app(settings: Settings | None = None) -> FastAPI:
    settings = settings or Settings()

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        app.state.service = service = Service(settings)
        service.start()
        yield
        await service.stop()

    app = FastAPI(title="Live metrics", lifespan=life)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(FullError, _full)
    for method, path, endpoint, options in ROUTES:
        app.add_api_route(path, endpoint, methods=[method], **options)
    app.add_api_websocket_route("/ws/anomalies", anomalies_live)
    app.mount("/static", PageFiles(), name="static")
    return app


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    """422 without the input, which may hold what JSON cannot."""
    assert isinstance(error, RequestValidationError)
    detail = [{"loc": list(e["loc"]), "msg": readers.message(e), "type": e["type"]} for e in error.errors()]
    return JSONResponse({"detail": detail}, 422)


async def _full(*_: Any) -> JSONResponse:
    return JSONResponse({"detail": FULL}, 429, {"Retry-After": "1"})


def queued(event: models.Event) -> dict[str, Any]:
    return event.model_dump() | {"event_id": secrets.token_hex(8)}


async def health(service: TheService) -> models.Health:
    """What is up, and how much waits."""
    parts, processor, settings = await service.parts(), service.processor, service.settings
    return models.Health(
        status="ok" if all(state in ("ok", "off") for state in parts.values()) else "degraded",
        environment=settings.environment,
        backend=settings.backend,
        queue_size=await service.store.depth(),
        max_queue_size=settings.max_queue_size,
        parts=parts,
        processed=processor.processed,
        anomalies=processor.anomalies,
        anomalies_last_minute=service.sockets.last_minute(),
        events_per_second=round(processor.rate, 1),
        metrics=(await service.store.metrics(0))[1],
        websockets=len(service.sockets),
    )


async def raw_event(event: models.Event, service: TheService) -> models.Accepted:
    """Takes one event. 429: the queue is full, nothing was taken."""
    record = queued(event)
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
    answer = models.Upload(
        success=True, message="", filename=name, total_rows=0, success_count=0, error_count=0, errors=[]
    )
    found = readers.rows(name, file.file)
    try:
        while chunk := list(islice(found, ROWS)):
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
            events.append(queued(row))
    await _push_when_there_is_room(service.store, events)
    answer.success_count += len(events)


async def _push_when_there_is_room(store: Store, events: list[dict[str, Any]]) -> None:
    end = asyncio.get_running_loop().time() + PATIENCE
    while True:
        try:
            await store.push(events)
        except FullError:
            if asyncio.get_running_loop().time() > end:
                raise
            await asyncio.sleep(0.02)
        else:
            await asyncio.sleep(0)
            return


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
    ("GET", "/series", series, {}),
]

app = create_app()
