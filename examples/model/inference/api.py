# SPDX-License-Identifier: MIT
"""The service: predictions, metrics, what drifted, retraining."""

from __future__ import annotations

import asyncio
import io
import logging
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Receive, Scope, Send

from inference.messages import Batch, Dispatch, Prediction, Predictions, Row, Running, Told
from inference.model import Judged
from inference.retrain import CoolingError
from inference.rows import write
from inference.service import Service, matrix
from inference.settings import Settings


class Sized:
    """Lets in bodies of at most so many bytes, which their header has to tell."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app, self.most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            length = int(headers.get(b"content-length", b"0"))  # the server has seen that it is a number
            if b"transfer-encoding" in headers or length > self.most:
                told = {"detail": f"at most {self.most} bytes, with a content-length"}
                await JSONResponse(told, 413, {"Connection": "close"})(scope, receive, send)
                return
        await self.app(scope, receive, send)


def service_of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def allowed(request: Request, x_api_key: Annotated[str, Header()] = "") -> None:
    wanted = service_of(request).settings.api_key.get_secret_value()
    if wanted and not secrets.compare_digest(x_api_key.encode(), wanted.encode()):
        raise HTTPException(401, "the API key is missing or wrong: header X-API-Key")


TheService = Annotated[Service, Depends(service_of)]


def create_app(settings: Settings) -> FastAPI:

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        app.state.service = service = await asyncio.to_thread(Service, settings)
        following = asyncio.create_task(service.follow())
        yield
        following.cancel()
        await service.stop()

    refusals: Any = {status: {"model": Told} for status in (401, 413)}
    app: FastAPI = FastAPIOffline(title="A model that watches itself", lifespan=life, redoc_url=None, responses=refusals)
    app.add_exception_handler(RequestValidationError, _invalid)
    for method, path, endpoint, options in ROUTES:
        closed = [] if path in ("/", "/metrics") else [Depends(allowed)]
        app.add_api_route(path, endpoint, methods=[method], dependencies=closed, **options)
    app.add_middleware(Sized, most=settings.max_body_bytes)
    return app


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """422 without the input, which may hold what JSON cannot."""
    assert isinstance(error, RequestValidationError)
    service_of(request).metrics.refused.labels("422").inc()
    detail = [{"loc": list(e["loc"]), "msg": e["msg"], "type": e["type"]} for e in error.errors()]
    return JSONResponse({"detail": detail}, 422)


async def running(service: TheService) -> Running:
    """Which model is served, and the order of its features."""
    facts = service.model.facts
    measured = facts.get("measured") or {}
    names = list(service.model.names)
    return Running(model=service.model.version, features=names, trained_rows=facts["rows"], measured=measured)


async def predict(row: Row, service: TheService) -> Prediction:
    """Judges a row of features."""
    found, version = await _judge(service, [row], ["body"])
    return Prediction(**asdict(found[0]), drift_score=service.share.value, model=version)


async def predict_batch(batch: Batch, service: TheService) -> Predictions:
    """Judges rows, all by the same model."""
    if len(batch.rows) > service.settings.max_batch_rows:
        service.metrics.refused.labels("413").inc()
        raise HTTPException(413, f"at most {service.settings.max_batch_rows} rows at once")
    found, version = await _judge(service, batch.rows, ["body", "rows"])
    told = [asdict(one) for one in found]
    return Predictions.model_validate({"predictions": told, "drift_score": service.share.value, "model": version})


async def _judge(service: Service, rows: Sequence[Row], where: list[str]) -> tuple[list[Judged], str]:
    begun, now, model = time.perf_counter(), time.time(), service.model
    problems = [
        {"loc": [*where, *([i] if len(where) > 1 else []), "features"], "msg": problem, "type": "features"}
        for i, row in enumerate(rows)
        if (problem := _problem(row, model.names))
    ]
    if problems:
        service.metrics.refused.labels("422").inc()
        raise HTTPException(422, problems)
    values = matrix([row.features for row in rows])
    found = await run_in_threadpool(model.judge, values)
    service.note(model, values, [now if row.time is None else row.time for row in rows], found)
    service.metrics.requests.inc()
    service.metrics.seconds.observe(time.perf_counter() - begun)
    return found, model.version


def _problem(row: Row, names: Sequence[str]) -> str:
    if len(row.features) != len(names):
        return f"{len(row.features)} values; the model has {len(names)} features: {', '.join(names)}"
    return "every value is missing" if all(value is None for value in row.features) else ""


async def drift(service: TheService) -> dict[str, Any]:
    """The share of anomalies, and the last window of rows beside the training rows."""
    report = service.report.to_dict() if service.report else None
    share = {"value": service.share.value, "limit": service.share.limit, "exceeded": service.share.drifted}
    return {"share": share, "distribution": report, "rows_until_next": service.settings.drift_rows - len(service.fresh)}


async def rows(service: TheService) -> Response:
    """The last rows that were judged, as CSV: for drift_check.py and train.py."""
    file = io.StringIO()
    write(file, service.model.names, list(service.recent))
    return Response(file.getvalue(), media_type="text/csv")


async def retrain(dispatch: Dispatch, service: TheService) -> Told:
    """Starts a retraining. 429: one was started a short time ago; 502: RETRAIN_URL did not take it."""
    logging.getLogger("inference").info("a retraining is asked for, ref %r", dispatch.ref)
    try:
        return Told(detail=await service.retrain(len(service.recent)))
    except CoolingError as error:
        raise HTTPException(429, str(error), {"Retry-After": str(int(error.seconds) + 1)}) from None
    except OSError as error:
        raise HTTPException(502, f"RETRAIN_URL: {error}") from None


async def metrics(service: TheService) -> Response:
    """For Prometheus."""
    return Response(generate_latest(service.metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


ROUTES: list[tuple[str, str, Any, dict[str, Any]]] = [
    ("GET", "/", running, {}),
    ("POST", "/predict", predict, {}),
    ("POST", "/predict/batch", predict_batch, {}),
    ("GET", "/drift", drift, {}),
    ("GET", "/rows", rows, {"response_class": Response}),
    ("POST", "/retrain", retrain, {"status_code": 202, "responses": {429: {"model": Told}, 502: {"model": Told}}}),
    ("GET", "/metrics", metrics, {"response_class": Response}),
]
