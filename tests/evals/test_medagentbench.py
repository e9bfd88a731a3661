"""MedAgentBench on our own store: the harness can score everything, and nothing by luck."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.llm.choice import Choice
from agent.llm.fake import FakeLLM
from agent.llm.seam import ChatRequest
from evals.fhir_store.server import MAX_BODY, Served, serve
from evals.fhir_store.store import FhirStore
from evals.results import TaskResult
from evals.runner import Plan, run_task
from evals.tasks.medagentbench import seed, truth
from evals.tasks.medagentbench.agent import MAX_TURNS, Run, solve
from evals.tasks.medagentbench.functions import Function, functions, tasks
from evals.tasks.medagentbench.task import TASK
from evals.tasks.medagentbench.truth import Done, wrong
from knowledge.settings import Settings
from tests.data_folder import shared_data
from tests.evals.medagentbench_oracle import call, finish, oracle

ADA = {
    "resourceType": "Patient",
    "id": "S1",
    "identifier": [{"value": "S1"}],
    "name": [{"given": ["Ada", "May"], "family": "Byron"}],
    "birthDate": "1950-02-03",
    "gender": "female",
}
SEARCH = Function(
    name="Patient_Search",
    verb="GET",
    kind="Patient",
    about="",
    arguments={"type": "object", "properties": {}},
)


def lab(number: int, at: str, code: str = "K", patient: str = "S1") -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"lab-{number}",
        "code": {"coding": [{"system": "urn:lab", "code": code}], "text": code},
        "category": [{"coding": [{"code": "laboratory"}]}],
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": at,
        "valueQuantity": {"value": 4.0, "unit": "mmol/L"},
    }


@pytest.fixture
def served() -> Iterator[Served]:
    days = [lab(n, f"2023-11-{n:02}T08:00:00+00:00") for n in range(1, 26)]
    with serve(FhirStore([ADA, *days, lab(99, "2023-11-01T08:00:00+00:00", patient="S2")])) as one:
        yield one


def get(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310
        found: dict[str, Any] = json.load(answer)
        return found


def post(url: str, body: bytes) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(url, data=body, timeout=5) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("Patient?name=byr", ["S1"]),
        ("Patient?name=Ada%20May%20Byron&birthdate=1950-02-03", ["S1"]),
        ("Patient?family=Byron&birthdate=1951", []),
        ("Patient?identifier=S1", ["S1"]),
        ("Patient?given=may&gender=female", ["S1"]),
        ("Observation?patient=S1&code=K&date=ge2023-11-24", ["lab-24", "lab-25"]),
        ("Observation?patient=S1&date=gt2023-11-24", ["lab-25"]),
        ("Observation?patient=S1&date=ge2023-11-24T08:00:01%2B00:00", ["lab-25"]),
        ("Observation?patient=Patient/S1&date=2023-11-03", ["lab-3"]),
        ("Observation?patient=S1&date=ge2023-11-03&date=lt2023-11-05", ["lab-3", "lab-4"]),
        ("Observation?patient=S1&date=le2023-11-01", ["lab-1"]),
        ("Observation?patient=S1&code=urn:lab|K&_sort=-date&_count=1", ["lab-25"]),
        ("Observation?patient=S1&code=urn:other|K", []),
        ("Observation?patient=S1&category=vital-signs", []),
    ],
)
def test_search_finds_what_fhir_says_it_finds(served: Served, query: str, ids: list[str]) -> None:
    base, _ = served.open_session()
    assert [e["resource"]["id"] for e in get(f"{base}/{query}")["entry"]] == ids


def test_following_the_next_links_gives_every_result_once(served: Served) -> None:
    base, _ = served.open_session()
    url, seen = f"{base}/Observation?patient=S1", []
    while url:
        bundle = get(url)
        seen += [e["resource"]["id"] for e in bundle["entry"]]
        url = next((k["url"] for k in bundle["link"] if k["relation"] == "next"), "")
    assert seen == [f"lab-{n}" for n in range(1, 26)]


@pytest.mark.parametrize(
    "query",
    ["Observation?patient=S1&colour=red", "Observation?date=yesterday", "Patient?name=", "Bed?a=b"],
)
def test_a_search_that_cannot_be_made_is_refused_not_emptied(served: Served, query: str) -> None:
    base, _ = served.open_session()
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(f"{base}/{query}")
    with refused.value as answer:
        assert answer.code == 400
        assert json.load(answer)["resourceType"] == "OperationOutcome"


def order(**changed: Any) -> bytes:
    body: dict[str, Any] = {
        "resourceType": "ServiceRequest",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]},
        "authoredOn": "2023-11-13T10:15:00+00:00",
        "status": "active",
        "intent": "order",
        "priority": "stat",
        "subject": {"reference": "Patient/S1"},
    }
    return json.dumps({k: v for k, v in {**body, **changed}.items() if v is not None}).encode()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (order(), 201),
        (order(priority=None), 422),
        (order(status="done"), 422),
        (order(authoredOn="today"), 422),
        (order(code="2823-3"), 422),
        (order(subject={"reference": "S1"}), 422),
        (order(subject={"reference": "Patient/S404"}), 422),
        (order(resourceType="Patient"), 422),
        (b"{", 422),
        (b" " * (MAX_BODY + 1), 413),
    ],
    ids=lambda value: str(value)[:30],
)
def test_only_a_valid_resource_of_a_known_patient_is_created(
    served: Served, body: bytes, status: int
) -> None:
    base, session = served.open_session()
    assert post(f"{base}/ServiceRequest", body)[0] == status
    assert len(session.created) == (status == 201)


def test_what_a_session_creates_no_other_session_finds(served: Served) -> None:
    mine, _ = served.open_session()
    other, _ = served.open_session()
    post(f"{mine}/ServiceRequest", order())
    assert get(f"{mine}/ServiceRequest?patient=S1")["total"] == 1
    assert get(f"{other}/ServiceRequest?patient=S1")["total"] == 0


def test_the_server_is_gone_after_its_block() -> None:
    with serve(FhirStore([ADA])) as served:
        base, _ = served.open_session()
    with pytest.raises(urllib.error.URLError):
        get(f"{base}/Patient?name=Ada")


def run_with(script: Callable[[ChatRequest], Any], *, system: str = "llm-alone") -> TaskResult:
    plan = Plan.model_validate({"systems": (system,)})
    return asyncio.run(run_task(TASK, Choice(llm=FakeLLM(script)), Settings(), plan))


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPICRISIS_TEST_DATA", str(shared_data("medagentbench").parent))


@pytest.mark.usefixtures("benchmark")
def test_an_agent_that_works_from_the_answers_gets_all_thirty_right() -> None:
    result = run_with(oracle)
    assert [(t.case, t.failure, t.measured.notes) for t in result.trials if wrong_in(t)] == []
    assert result.share("llm-alone", "right").hits == 30


def wrong_in(trial: Any) -> bool:
    return bool(trial.measured.counts["right"].hits != 1)


@pytest.mark.usefixtures("benchmark")
@pytest.mark.parametrize("answer", [(-1,), ("Patient not found",)])
def test_an_agent_that_never_looks_gets_nothing_right(answer: tuple[Any, ...]) -> None:
    assert run_with(lambda request: finish(*answer)).share("llm-alone", "right").hits == 0


def astray(request: ChatRequest) -> dict[str, Any]:
    """Do as the oracle, and get the last thing wrong: the answer, or what is created."""
    turn = oracle(request)
    if turn["function"].endswith(("Create", "Create_Vitals")):
        body = dict(turn["arguments"])
        body["subject"] = {"reference": body["subject"]["reference"]}
        body["status"] = "final" if "valueString" in body else "draft"
        if "valueString" in body:
            body["valueString"] = "77/118 mmHg"
        return {**turn, "arguments": body}
    if turn["function"] == "finish":
        wrong_answer = [f"{one}0" if isinstance(one, str) else one + 1 for one in turn["answer"]]
        if wrong_answer or len(request.messages) > 4:
            return finish(*wrong_answer)
        # Nothing was to be done: do it all the same.
        patient = request.messages[1].content.partition("patient ")[2][:8]
        return call(
            "ServiceRequest_Create",
            **{**json.loads(order()), "subject": {"reference": f"Patient/{patient}"}},
        )
    return turn


@pytest.mark.usefixtures("benchmark")
def test_an_agent_that_looks_and_then_errs_gets_nothing_right() -> None:
    result = run_with(astray)
    assert [t.case for t in result.trials if not wrong_in(t)] == []


@pytest.mark.usefixtures("benchmark")
def test_no_model_scores_nothing() -> None:
    result = asyncio.run(run_task(TASK, Choice(llm=None, reason="none"), Settings(), Plan()))
    assert result.share("rules", "right").hits == 0
    assert result.share("rules", "right").of == 30


@pytest.mark.usefixtures("benchmark")
def test_the_store_is_the_same_each_time() -> None:
    assert seed.store_for(tasks()).resources == seed.store_for(tasks()).resources


@pytest.mark.usefixtures("benchmark")
def test_the_functions_are_those_of_the_file_with_one_name_each() -> None:
    names = [f.name for f in functions()]
    assert len(names) == len(set(names)) == 9
    assert [f.verb for f in functions()].count("POST") == 3


def test_the_tasks_are_skipped_with_the_reason_where_they_are_not_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EPICRISIS_TEST_DATA", str(tmp_path))
    assert "EPICRISIS_TEST_DATA" in TASK.missing()


def solved(served: Served, script: Callable[[ChatRequest], Any]) -> tuple[Run, FakeLLM]:
    base, _ = served.open_session()
    llm = FakeLLM(script)
    offered = [SEARCH.model_copy(update={"name": n}) for n in ("Patient_Search", "Patient_Again")]
    return asyncio.run(solve(llm, "How old is patient S1?", "", offered, base, timeout_s=5)), llm


def test_a_patient_from_nowhere_is_never_asked_for(served: Served) -> None:
    turns = iter([call("Patient_Search", identifier="S2"), call("Patient_Again", identifier="S2")])
    run, _ = solved(served, lambda request: next(turns, finish()))
    assert [step.result for step in run.steps] == ["refused", "refused", "done"]


def test_a_patient_the_server_named_may_be_asked_for(served: Served) -> None:
    turns = iter([call("Patient_Search", name="Ada"), call("Patient_Again", identifier="S1")])
    run, _ = solved(served, lambda request: next(turns, finish()))
    assert [step.result for step in run.steps] == ["done", "done", "done"]


def test_an_endless_agent_is_stopped_without_an_answer(served: Served) -> None:
    run, llm = solved(served, lambda request: call("Patient_Search", name="Ada"))
    assert run.answer is None
    assert len(llm.requests) == MAX_TURNS
    task = {"id": "task2_1", "eval_MRN": "S1"}
    assert wrong(task, [ADA], Done(answer=None, created=(), searched=())) == "no final answer"


@pytest.mark.parametrize(
    ("value", "grams"),
    [(0.99, 4.0), (1.0, 2.0), (1.49, 2.0), (1.5, 1.0), (1.9, 1.0), (2.0, None)],
)
def test_magnesium_doses_are_those_the_task_prints(value: float, grams: float | None) -> None:
    assert truth._magnesium_grams(value) == grams


def test_a_birthday_later_in_the_year_is_not_counted() -> None:
    born = {**ADA, "birthDate": "1950-11-14"}
    done = Done(answer=(72,), created=(), searched=(("Patient", (("identifier", "S1"),)),))
    assert wrong({"id": "task2_1", "eval_MRN": "S1"}, [born], done) == ""


def test_the_model_is_shown_how_a_resource_looks_that_it_may_create(served: Served) -> None:
    made = {"type": "object", "properties": {"note": {"type": "string", "description": "Free."}}}
    create = Function(
        name="Make", verb="POST", kind="ServiceRequest", about="Makes.", arguments=made
    )
    base, _ = served.open_session()
    llm = FakeLLM(lambda request: finish())
    asyncio.run(solve(llm, "Order it.", "", [create], base, timeout_s=5))
    assert '{"note": "Free."}' in llm.requests[0].messages[0].content
