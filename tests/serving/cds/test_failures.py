"""A failure inside is a card or an error that says so, never an empty answer; nothing is lost."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from knowledge.errors import UnavailableError, UnreadableError
from serving.cds.assessing import Assessing
from serving.cds.computing import Computing
from tests.serving.cds.hooks import MOMENTS, Clock, Hooks, example, hooks, view


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Hooks]:
    with hooks(tmp_path, clock=Clock(MOMENTS["nstemi"])) as made:
        yield made


@pytest.mark.parametrize(
    "error",
    [
        UnreadableError("chart", "cannot be read", ""),
        UnavailableError("work folder", "cannot be written: No space left on device", ""),
        ZeroDivisionError("Clara Muster"),
        RecursionError("Clara Muster"),
    ],
    ids=lambda e: type(e).__name__,
)
def test_an_assessment_that_breaks_is_said(
    client: Hooks, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(Assessing, "begin", broken)
    for _ in range(2):  # the same failure again is said again
        (card,) = client.view(example("nstemi"))
        assert card["summary"] == "Epicrisis failed: nothing was assessed. Go on without it."
        assert card["source"]["topic"]["code"] == "failure"
        assert "Muster" not in str(card)
    monkeypatch.undo()
    assert client.view(example("nstemi"))[0]["source"]["topic"]["code"] == "data-gap"


def test_what_takes_too_long_is_still_computing_and_there_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = threading.Event()
    real = Assessing.begin

    def slow(*args: Any, **more: Any) -> Any:
        assert held.wait(30)
        return real(*args, **more)

    monkeypatch.setattr(Assessing, "begin", slow)
    with hooks(tmp_path, clock=Clock(MOMENTS["nstemi"]), cds_budget_ms=50) as client:
        for _ in range(2):
            (card,) = client.view(example("nstemi"))
            assert card["summary"].startswith("Still computing")
            assert card["links"]
            assert card["indicator"] == "info"
        held.set()
        client.services.cds.computing.close()  # until what runs has ended
        (card,) = client.view(example("nstemi"))
        assert card["source"]["topic"]["code"] == "data-gap"
        assert len(client.services.cases.list()) == 1


def test_a_database_that_is_gone_is_an_error_and_no_empty_answer(
    client: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: Any, **__: Any) -> None:
        raise UnavailableError("database", "cannot be used", "")

    monkeypatch.setattr(client.services.audit, "used", gone)
    answer = client.call("chest-pain-patient-view", view(example("nstemi")))
    assert answer.status_code == 503
    assert answer.json()["resourceType"] == "OperationOutcome"
    monkeypatch.undo()
    assert client.view(example("nstemi"))


def test_what_is_not_audited_is_not_shown(client: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    real = client.services.audit.used

    def watched(principal: Any, action: str, **more: Any) -> None:
        calls.append(action)
        real(principal, action, **more)

    monkeypatch.setattr(client.services.audit, "used", watched)
    assert client.view(example("nstemi"))
    assert client.view(example("nstemi")) == []
    assert calls == ["card.shown", "cds.call"]


def test_an_answer_in_the_workspace_counts_at_once(client: Hooks) -> None:
    from serving.access.principal import Principal, Role
    from serving.cases.service import CaseService

    (first,) = client.view(example("nstemi"))
    assert "no assay named" in first["detail"]
    (case,) = client.services.cases.list()
    anna = Principal(subject="a", name="Anna", roles=frozenset({Role.CLINICIAN}), via="local")
    CaseService(client.services).answer(
        case, "troponin_assay", "roche-elecsys-hs-ctnt", principal=anna
    )
    (second,) = client.view(example("nstemi"))
    assert "no assay named" not in second["detail"]


def test_an_unchanged_chart_is_kept_once(client: Hooks) -> None:
    for number in range(3):
        client.view(example("nstemi"), user=f"Practitioner/{number}")
        client.clock.pass_(minutes=3)
    (case,) = client.services.cases.list()
    assert len(client.services.cases.assessments(case.id)) == 1
    assert [file.name for file in client.services.cases.files(case.id)] == ["ehr-chart.json"]


def test_a_new_result_makes_the_next_version(client: Hooks) -> None:
    sent = example("nstemi")
    last = sent["observations"]["entry"].pop(1)
    sent["observations"]["total"] -= 1
    client.view(sent)
    sent["observations"]["entry"].append(last)
    sent["observations"]["total"] += 1
    (card,) = client.view(sent)
    assert "43 ng/L" in card["detail"]
    (case,) = client.services.cases.list()
    assert len(client.services.cases.assessments(case.id)) == 2


def test_more_calls_than_there_are_places_for_are_refused_soon(tmp_path: Path) -> None:
    with hooks(tmp_path, clock=Clock(MOMENTS["nstemi"]), cds_at_once=1, cds_budget_ms=50) as client:
        with client.services.cds.place():
            answer = client.call("chest-pain-patient-view", view(example("nstemi")))
        assert answer.status_code == 503
        assert "too many calls" in answer.json()["issue"][0]["diagnostics"]
        assert client.call("chest-pain-patient-view", view(example("nstemi"))).status_code == 200


def test_a_result_is_computed_once_for_many_who_ask() -> None:
    clock = Clock()
    made: list[int] = []
    gate = threading.Event()

    def make() -> int:
        gate.wait(10)
        made.append(1)
        return len(made)

    computing: Computing[int] = Computing(clock, fresh_s=60, workers=2)
    found: list[int | None] = []

    def ask() -> None:
        found.append(computing.get("key", make, timeout_s=10))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join(10)
    assert found == [1] * 8
    clock.pass_(seconds=59)
    assert computing.get("key", make, timeout_s=10) == 1
    clock.pass_(seconds=2)
    assert computing.get("key", make, timeout_s=10) == 2
    computing.close()


def test_what_failed_is_tried_again() -> None:
    tries: list[int] = []

    def make() -> str:
        tries.append(1)
        if len(tries) == 1:
            raise UnavailableError("disk", "full", "")
        return "made"

    computing: Computing[str] = Computing(Clock(), fresh_s=60, workers=1)
    with pytest.raises(UnavailableError):
        computing.get("key", make, timeout_s=10)
    assert computing.get("key", make, timeout_s=10) == "made"
    computing.close()
