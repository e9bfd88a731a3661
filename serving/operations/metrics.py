"""Counters for Prometheus: by pattern of the address, never by an id of a patient or case."""

import time
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client import generate_latest as exposition
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.access.guard import allowed
from serving.access.principal import Permission, Principal
from serving.services import Services

router = APIRouter(tags=["operations"])

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_UNKNOWN = "unknown address"


class Metrics:
    """The counters of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "epicrisis_http_requests_total",
            "Requests by method, pattern of the address and status.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "epicrisis_http_request_seconds",
            "Time to the end of the answer, s.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.open = Gauge(
            "epicrisis_http_requests_open", "Requests being answered.", registry=self.registry
        )
        self.assessments = Counter(
            "epicrisis_assessments_total",
            "Assessments kept, by status, author of the words and what they were made for.",
            ("status", "author", "why"),
            registry=self.registry,
        )

    def listen(self, services: Services) -> None:
        """Count every assessment that is kept."""
        services.listeners.append(
            lambda case, new, before: self.assessments.labels(new.status, new.author, new.why).inc()
        )


class MetricsMiddleware:
    """Counts every request.

    Args:
        app: The application.
        metrics: Where to.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and count how it ended."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = "500"
        begin = time.perf_counter()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        self._metrics.open.inc()
        try:
            await self._app(scope, receive, watched)
        finally:
            self._metrics.open.dec()
            route = getattr(scope.get("route"), "path", _UNKNOWN)
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.requests.labels(method, route, status).inc()
            self._metrics.seconds.labels(method, route).observe(time.perf_counter() - begin)


_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


def install(app: FastAPI, services: Services) -> Metrics:
    """Count the requests and assessments of an application."""
    metrics = Metrics()
    metrics.listen(services)
    app.state.metrics = metrics
    app.add_middleware(MetricsMiddleware, metrics=metrics)
    return metrics


@router.get("/metrics", summary="Counters for Prometheus", response_class=Response)
def metrics_of(
    request: Request, principal: Annotated[Principal, Depends(allowed(Permission.OPERATE))]
) -> Response:
    """Return the counters in Prometheus's text form."""
    metrics: Metrics = request.app.state.metrics
    return Response(exposition(metrics.registry), media_type=CONTENT_TYPE_LATEST)
