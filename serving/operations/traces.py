"""Traces by OpenTelemetry: the pattern of the address, ids and durations; nothing of a record."""

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from knowledge.errors import MissingExtraError
from knowledge.settings import Settings

_SERVER_ERROR = 500
_PATTERN_UNKNOWN = "unknown address"


class TracesMiddleware:
    """One span a request, a child of the caller's where it sends a ``traceparent``.

    Args:
        app: The application.
        provider: Where spans go.
    """

    def __init__(self, app: ASGIApp, provider: TracerProvider) -> None:
        self._app = app
        self._tracer = provider.get_tracer("epicrisis")
        self._propagator = TraceContextTextMapPropagator()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on within its span."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        parent = self._propagator.extract(headers)
        with self._tracer.start_as_current_span(
            scope["method"],
            context=parent,
            kind=SpanKind.SERVER,
            record_exception=False,  # its message may carry patient data
            set_status_on_exception=False,
        ) as span:

            async def watched(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= _SERVER_ERROR:
                        span.set_status(Status(StatusCode.ERROR))
                await send(message)

            try:
                await self._app(scope, receive, watched)
            except Exception as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(Status(StatusCode.ERROR))
                raise
            finally:
                route = getattr(scope.get("route"), "path", _PATTERN_UNKNOWN)
                span.update_name(f"{scope['method']} {route}")
                span.set_attribute("http.request.method", scope["method"])
                span.set_attribute("http.route", route)
                case = scope.get("path_params", {}).get("case_id")
                if case is not None:
                    span.set_attribute("epicrisis.case", str(case))


def provider_of(settings: Settings) -> TracerProvider | None:
    """Return the way to the collector that is configured; None without one.

    Raises:
        MissingExtraError: A collector is configured and its exporter is not installed.
    """
    return None if settings.trace_url is None else provider_for(_exporter(settings.trace_url))


def provider_for(exporter: SpanExporter) -> TracerProvider:
    """Return a provider that sends spans to an exporter in the background."""
    provider = TracerProvider(resource=Resource.create({"service.name": "epicrisis"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _exporter(url: str) -> SpanExporter:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (
            OTLPSpanExporter,
        )
    except ImportError as error:
        raise MissingExtraError(
            "traces", "the exporter is not installed", "install epicrisis[traces]"
        ) from error
    made: SpanExporter = OTLPSpanExporter(endpoint=url)
    return made
