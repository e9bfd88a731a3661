"""The pool as the service runs it: who asks, what is counted, who may see it, what is said."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from agent.llm.choice import llm_from
from agent.llm.fake_server import Scripted, completion, fake_server, refusal
from agent.llm.pool.caller import Caller, asked_by
from agent.llm.pool.host import _HOSTS
from knowledge.errors import InvalidValueError
from knowledge.settings import Settings
from serving.access.principal import Principal, Role
from serving.app import create_app
from serving.assembly import assemble
from serving.cases.model import Case
from serving.llm.gateway.callers import caller_for
from tests.agent.llm.asking import asking

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
POOL = """
schema: epicrisis/llm-pool/1
models: {{fake-model: {{revision: r1}}, small: {{revision: r2}}}}
approval: {{required: {required}}}
health: {{every_s: 600}}
tenants:
  north: {{match: ["https://ehr.north.example.org/fhir"]}}
backends:
  - {{name: moe, url: "{first}", model: fake-model, patient_data: allowed}}
  - {{name: cpu, url: "{second}", model: small, served_as: fake-model, priority: 9,
     patient_data: allowed}}
"""


@contextmanager
def served(*scripts: list[Scripted]) -> Iterator[list[str]]:
    """Give the addresses of servers that run in another thread."""
    ready, over = threading.Event(), threading.Event()
    urls: list[str] = []

    async def main() -> None:
        async with (
            fake_server(*scripts[0], kind="vllm") as one,
            fake_server(*scripts[1], kind="vllm") as two,
        ):
            urls.extend((one.url, two.url))
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    assert ready.wait(10)
    try:
        yield urls
    finally:
        over.set()
        thread.join()


@contextmanager
def app(
    folder: Path, urls: list[str], *, role: Role = Role.ADMIN, required: bool = False
) -> Iterator[TestClient]:
    file = folder / "pool.yaml"
    file.write_text(POOL.format(first=urls[0], second=urls[1], required=str(required).lower()))
    settings = Settings(data_dir=folder, llm_pool=file)
    services = assemble(settings, clock=lambda: NOON)
    services.authenticate = lambda request: Principal(
        subject="t", name="T", roles=frozenset({role}), via="local"
    )
    with TestClient(create_app(services), base_url="http://127.0.0.1") as client:
        yield client
    services.database.close()
    assert _HOSTS == {}  # closed with the service


def chats(settings: Settings, count: int, caller: Caller) -> list[str]:
    """Ask as a run of the service does, in a loop of its own."""

    async def main() -> list[str]:
        async with llm_from(settings) as choice:
            assert choice.llm is not None
            llm = asked_by(choice.llm, caller)
            return [(await llm.chat(asking())).backend for _ in range(count)]

    return asyncio.run(main())


def until(true: Callable[[], bool]) -> None:
    """Wait until it is so, ten seconds at most."""
    patience = threading.Event()
    for _ in range(200):
        if true():
            return
        patience.wait(0.05)
    raise AssertionError("it did not become so within ten seconds")


def test_status_page_and_counters_are_those_of_the_pool_that_runs_use(tmp_path: Path) -> None:
    ok = [completion("ok")] * 20
    with served(ok, ok) as urls, app(tmp_path, urls) as client:
        until(lambda: all(
            one["last_answer_s"] is not None
            for one in client.get("/v1/llm/pool").json()["pool"]["backends"]
        ))  # fmt: skip
        settings = client.app.state.services.settings  # type: ignore[attr-defined]
        caller = Caller(tenant="https://ehr.north.example.org/fhir", conversation="run-1")
        assert chats(settings, 3, caller) == ["moe"] * 3
        found = client.get("/v1/llm/pool").json()
        moe, cpu = found["pool"]["backends"]
        assert (moe["name"], moe["answered"], moe["state"]) == ("moe", 3, "closed")
        assert (cpu["name"], cpu["answered"]) == ("cpu", 0)
        assert [one["name"] for one in found["pool"]["tenants"]] == ["north"]
        text = client.get("/metrics").text
        assert 'requests_total{backend="moe",model="fake-model",outcome="answered"} 3.0' in text
        # the fake server says 11 prompt tokens an answer
        assert 'tokens_total{backend="moe",kind="prompt",tenant="north"} 33.0' in text
        assert 'epicrisis_llm_breaker_state{backend="cpu"} 0.0' in text
        page = client.get("/llm/pool", headers={"accept": "text/html"}).text
        assert "moe (127.0.0.1:" in page


def test_a_change_of_model_is_counted_and_an_open_breaker_shown(tmp_path: Path) -> None:
    first = [completion("ok")] * 2 + [refusal(500)] * 20
    with served(first, [completion("ok")] * 20) as urls, app(tmp_path, urls) as client:
        until(lambda: client.get("/v1/llm/pool").json()["pool"]["backends"][0]["last_answer_s"]
              is not None)  # fmt: skip
        settings = client.app.state.services.settings  # type: ignore[attr-defined]
        assert chats(settings, 2, Caller(conversation="run-1")) == ["moe", "cpu"]
        chats(settings, 3, Caller(conversation=""))
        text = client.get("/metrics").text
        assert 'model_changes_total{before="fake-model",now="small"} 1.0' in text
        assert 'epicrisis_llm_breaker_state{backend="moe"} 2.0' in text
        found = client.get("/v1/llm/pool").json()["pool"]
        assert found["model_changes"] == 1
        assert "status 500" in found["backends"][0]["why_not"]


def test_only_who_operates_the_service_sees_it(tmp_path: Path) -> None:
    with served([], []) as urls, app(tmp_path, urls, role=Role.CLINICIAN) as client:
        assert client.get("/v1/llm/pool").status_code == 403
        assert client.get("/llm/pool").status_code == 403


def test_without_a_pool_it_says_so(tmp_path: Path) -> None:
    services = assemble(Settings(data_dir=tmp_path), clock=lambda: NOON)
    services.authenticate = lambda request: Principal(
        subject="t", name="T", roles=frozenset({Role.ADMIN}), via="local"
    )
    with TestClient(create_app(services), base_url="http://127.0.0.1") as client:
        assert client.get("/v1/llm/pool").json()["configured"] is False
        assert "No pool of language models" in client.get("/llm/pool").text
        assert "epicrisis_llm" not in client.get("/metrics").text
    services.database.close()


def test_a_service_with_a_wrong_file_does_not_start(tmp_path: Path) -> None:
    with (
        pytest.raises(InvalidValueError, match="first"),
        served([], []) as urls,
        app(tmp_path, [urls[0], urls[1] + '", first: "'], role=Role.ADMIN),
    ):
        pass


def test_a_damaged_record_of_approvals_closes_the_pool_and_is_said(tmp_path: Path) -> None:
    (tmp_path / "llm-approvals.jsonl").write_text("{}\n")
    with served([], []) as urls, app(tmp_path, urls, required=True) as client:
        found = client.get("/v1/llm/pool").json()
        assert found["pool"] is None
        assert "is not a record" in found["problem"]
        settings = client.app.state.services.settings  # type: ignore[attr-defined]

        async def reason() -> str:
            async with llm_from(settings) as choice:
                return choice.reason

        assert "is not a record" in asyncio.run(reason())
        ready = client.get("/readyz").json()
        (models,) = (c for c in ready["checks"] if c["name"] == "language models")
        assert ready["status"] == "ready"  # it answers from the facts
        assert (models["status"], "is not a record" in models["detail"]) == ("degraded", True)


@pytest.mark.parametrize(
    ("patient", "tenant"),
    [
        ("https://EHR.north.example.org/fhir/|Patient/1", "https://ehr.north.example.org/fhir"),
        ("5f1e0c", ""),
        (None, ""),
    ],
)
def test_a_case_is_of_the_hospital_its_patient_is_of(patient: str | None, tenant: str) -> None:
    case = Case(
        id="case-1", label="x", patient=patient, source="fhir", created_at=NOON, created_by="t"
    )
    found = caller_for(case, conversation="run-1")
    assert (found.tenant, found.case, found.conversation) == (tenant, "case-1", "run-1")
    assert found.patient_data
