"""Results the chart speaks of and does not hold are items that are not assessed, by name."""

from typing import Any

import pytest

from knowledge.clinical_time import ClinicalTime
from knowledge.finding import State
from knowledge.timeline import AWAITED, NOT_SENT, Fact
from tests.tools.intake.samples import bundle, chart, observation
from tools.chart.not_understood import NotUnderstood, not_understood
from tools.intake.fhir.chart import Chart

REF = "https://ehr.example/fhir/Observation/o1"


def report(*results: dict[str, Any], **changes: Any) -> dict[str, Any]:
    made = {
        "resourceType": "DiagnosticReport",
        "id": "r1",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "67151-1"}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-11-20T10:00:00+01:00",
        **({"result": list(results)} if results else {}),
        **changes,
    }
    return {key: element for key, element in made.items() if element is not None}


def open_items(found: Chart) -> list[Fact]:
    return [f for f in found.facts if {AWAITED, NOT_SENT} & set(f.finding.flags)]


@pytest.mark.parametrize(
    "reference",
    [
        {"reference": "Observation/elsewhere"},
        {"reference": "#inside"},
        {"reference": "urn:uuid:0"},
        {"display": "Troponin"},
        {"identifier": {"value": "7"}},
    ],
    ids=str,
)
def test_a_result_that_is_not_there_is_an_item(reference: dict[str, Any]) -> None:
    (item,) = open_items(chart(observation(), report(reference)))
    assert item.finding.state is State.NOT_ASSESSED
    # LOINC 67151-1: Troponin T.cardiac, high sensitivity
    assert "troponin T" in item.finding.concept.text
    assert item.finding.not_assessed is not None
    assert "not in the data" in item.finding.not_assessed.detail


@pytest.mark.parametrize(
    "text", ["Observation/o1", "Observation/o1/_history/3", REF, f"{REF}/_history/3"]
)
def test_a_result_that_is_there_is_none(text: str) -> None:
    assert open_items(chart(observation(), report({"reference": text}))) == []


def test_a_contained_result_is_there_listed_or_not() -> None:
    inside = observation(id="in")
    assert open_items(chart(report({"reference": "#in"}, contained=[inside]))) == []
    assert open_items(chart(report(contained=[inside]))) == []


def test_a_result_that_was_taken_back_was_sent() -> None:
    gone = observation(status="entered-in-error")
    assert open_items(chart(gone, report({"reference": "Observation/o1"}))) == []


def test_several_that_are_not_there_are_named_once_each() -> None:
    found = chart(
        report(
            {"reference": "Observation/a", "display": "Troponin T"},
            {"reference": "Observation/b", "display": "CK-MB"},
            {"reference": "Observation/c"},
            {"reference": "Observation/d"},
        )
    )
    texts = [item.finding.concept.text for item in open_items(found)]
    assert len(texts) == 3
    assert any(text.startswith("CK-MB") for text in texts)


@pytest.mark.parametrize("status", ["registered", "partial", "preliminary"])
def test_a_report_without_a_result_yet_is_awaited(status: str) -> None:
    (item,) = open_items(chart(report(status=status)))
    assert item.finding.flags == (AWAITED,)


def test_an_announced_result_is_awaited_and_not_taken_back() -> None:
    found = chart(observation(status="registered"))
    (item,) = found.facts
    assert item.finding.flags == (AWAITED,)
    assert item.finding.value is None
    assert found.retracted == ()
    assert found.counts["c.json"] == {"Observation": 1}


def critical(*resources: dict[str, Any]) -> NotUnderstood:
    from knowledge.patient import Patient
    from knowledge.timeline import Timeline
    from tests.tools.intake.samples import AT

    at: ClinicalTime = AT
    return not_understood(Timeline.of(Patient(), chart(*resources).facts), at=at)


PENDING: dict[str, Any] = {"id": "o2", "status": "registered", "valueQuantity": None}
LONG_AGO: dict[str, Any] = {"effectiveDateTime": None, "issued": "2026-11-18T10:00:00Z"}
LATER: dict[str, Any] = {"id": "o3", "effectiveDateTime": "2026-11-20T11:00:00+01:00"}


@pytest.mark.parametrize(
    ("resources", "is_open"),
    [
        ([observation(**PENDING)], True),
        ([observation(**PENDING), observation(id="o3")], True),
        ([observation(**PENDING), observation(**LATER)], False),
        ([observation(**PENDING | {"code": {"text": "Hs-TnT local"}})], True),
        ([observation(**PENDING | {"code": {"text": "Potassium"}})], False),
        ([observation(**PENDING | {"effectiveDateTime": None})], True),
        (
            [
                observation(
                    **PENDING | {"effectiveDateTime": None, "issued": "2026-11-18T10:00:00Z"}
                )
            ],
            False,
        ),
        ([report()], True),
        ([report(), observation()], False),
        ([report(code={"text": "Chest X-ray"})], False),
        ([report(status="partial")], True),
        ([report({"reference": "Observation/x"}, code={"text": "Chest X-ray"})], True),
        ([report({"reference": "Observation/x"}), observation()], True),
        ([report({"reference": "Observation/x"}, effectiveDateTime="2026-11-18T10:00:00Z")], False),
        ([report({"reference": "Observation/x"}, effectiveDateTime=None)], True),
    ],
    ids=[
        "announced",
        "announced at the time of another result",
        "announced and overtaken by a later sample",
        "announced under a local name",
        "announced and of no concern",
        "announced at no time",
        "announced two days ago",
        "report that holds nothing",
        "report of a sample whose result stands alone",
        "another report that holds nothing",
        "partial report",
        "any result that was not sent",
        "result that was not sent beside another of its time",
        "result of days ago that was not sent",
        "result of no time that was not sent",
    ],
)
def test_what_is_open_blocks_low_only_where_it_matters_now(
    resources: list[dict[str, Any]], is_open: bool
) -> None:
    assert bool(critical(*resources).critical) == is_open


def test_an_open_cardiac_marker_is_settled_by_nothing_but_a_result() -> None:
    assert critical(observation(**PENDING)).need_result
    assert critical(report({"reference": "Observation/x"})).need_result


def test_a_result_in_another_file_is_there() -> None:
    import orjson

    from tools.intake.fhir.bundle import parse
    from tools.intake.fhir.chart import read_chart

    files = [
        parse(orjson.dumps(bundle(report({"reference": "Observation/o1"}))), "a.json"),
        parse(orjson.dumps(bundle(observation())), "b.json"),
    ]
    assert open_items(read_chart(files)) == []
