import asyncio

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from serving.operations.traces import TracesMiddleware, provider_for

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
# The example of the W3C Trace Context recommendation, section 3.2.


async def spans_of(path: str) -> tuple[int, InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = provider_for(exporter)
    app = FastAPI()

    @app.get("/cases/{case_id}")
    def read(case_id: str) -> dict[str, str]:
        if case_id == "broken":
            raise ValueError("Jane Roe")
        return {"name": "Jane Roe"}

    app.add_middleware(TracesMiddleware, provider=provider)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
        answer = await client.get(path, headers={"traceparent": PARENT})
    provider.shutdown()
    return answer.status_code, exporter


def test_a_span_names_the_pattern_and_continues_the_callers_trace() -> None:
    status, exporter = asyncio.run(spans_of("/cases/case-1?name=Roe"))
    (span,) = exporter.get_finished_spans()
    assert status == 200
    assert span.name == "GET /cases/{case_id}"
    assert f"{span.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == "b7ad6b7169203331"


@pytest.mark.parametrize("path", ["/cases/case-1?name=Roe", "/cases/broken"])
def test_no_patient_data_is_in_a_span(path: str) -> None:
    _, exporter = asyncio.run(spans_of(path))
    assert "Roe" not in "".join(span.to_json() for span in exporter.get_finished_spans())


def test_a_broken_request_is_an_error_in_its_span() -> None:
    status, exporter = asyncio.run(spans_of("/cases/broken"))
    (span,) = exporter.get_finished_spans()
    assert status == 500
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes is not None
    assert span.attributes["error.type"] == "ValueError"


def test_an_address_that_is_not_there_is_not_a_name_of_its_own() -> None:
    _, exporter = asyncio.run(spans_of("/secret-roe"))
    (span,) = exporter.get_finished_spans()
    assert span.name == "GET unknown address"
