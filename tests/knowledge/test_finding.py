"""The three values of a finding, its identity, and the order of a timeline."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.clinical_time import parse_fhir
from knowledge.codes import LOINC, Coding, Concept
from knowledge.evidence import (
    DicomEvidence,
    Evidence,
    FhirEvidence,
    GuidelineEvidence,
    NoteEvidence,
    RecordEvidence,
    ReferenceEvidence,
    ToolEvidence,
)
from knowledge.finding import Finding, NotAssessed, State, Why, not_assessed
from knowledge.patient import Identity, Patient
from knowledge.quantity import Choice, Interval, Quantity, QuantityInterval, Text
from knowledge.timeline import Category, Document, Fact, RecordingRef, Timeline

CONCEPT = Concept(text="Troponin", codings=(Coding(system=LOINC, code="67151-1"),))
SOURCE = FhirEvidence(file="chart.json", resource="Observation/1", path="Observation.valueQuantity")
EVIDENCE: list[Evidence] = [
    SOURCE,
    DicomEvidence(file="e.dcm", sop_instance_uid="1.2.3", lead="II", region=(0.0, 10.0)),
    RecordEvidence(file="case.yaml", record="facts.onset"),
    NoteEvidence(file="n.txt", document="d-1", start=3, end=9),
    ReferenceEvidence(table="analytes", row="hs_ctnt"),
    GuidelineEvidence(passage="esc-0-1h", start=0, end=5),
    ToolEvidence(tool="heart", version="1", output="points", inputs=("f-1",)),
]
VALUES = [
    None,
    Quantity(value=12, unit="ng/L"),
    QuantityInterval(interval=Interval(low=0, high=6, high_closed=False), unit="ng/L"),
    Choice(choice="female"),
    Text(text="words"),
]


def finding(**changes: Any) -> Finding:
    given: dict[str, Any] = {"concept": CONCEPT, "state": State.PRESENT, "evidence": (SOURCE,)}
    return Finding.model_validate({**given, **changes})


@given(
    st.sampled_from(VALUES),
    st.sampled_from([None, "2026-11-20T10:00:00+01:00", "2026-11", "2026-11-20T10:00:00"]),
    st.sampled_from(EVIDENCE),
    st.lists(st.sampled_from(["preliminary", "haemolysed"]), unique=True).map(tuple),
)
def test_a_finding_survives_json(
    value: Any, time: str | None, evidence: Evidence, flags: tuple[str, ...]
) -> None:
    one = finding(
        value=value,
        time=parse_fhir(time, clock="c") if time else None,
        evidence=(evidence,),
        flags=flags,
    )
    again = Finding.model_validate_json(one.model_dump_json(exclude_none=True))
    assert again == one
    assert again.id == one.id


def test_a_reason_is_given_exactly_when_it_is_not_assessed() -> None:
    why = NotAssessed(why=Why.MISSING, detail="not done")
    with pytest.raises(ValueError, match="a reason is given exactly when"):
        finding(state=State.NOT_ASSESSED)
    with pytest.raises(ValueError, match="a reason is given exactly when"):
        finding(state=State.ABSENT, not_assessed=why)


@pytest.mark.parametrize("state", [State.PRESENT, State.ABSENT])
def test_no_statement_without_evidence(state: State) -> None:
    with pytest.raises(ValueError, match="needs its evidence"):
        finding(state=state, evidence=())


def test_what_is_not_assessed_has_no_value() -> None:
    why = NotAssessed(why=Why.QUALITY, detail="haemolysed")
    with pytest.raises(ValueError, match="only a present finding has a value"):
        finding(state=State.NOT_ASSESSED, not_assessed=why, value=VALUES[1])
    assert not_assessed(CONCEPT, Why.QUALITY, "haemolysed").interval is None


def test_a_finding_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        finding().state = State.ABSENT


def test_different_contents_have_different_ids() -> None:
    ids = {finding(value=v).id for v in VALUES} | {finding(flags=("preliminary",)).id}
    assert len(ids) == len(VALUES) + 1


TIMES = [
    "2026-11-20T08:00:00+01:00",
    "2026-11-20T07:30:00Z",
    "2026-11-20T02:00:00-05:00",
    "2026-11-20",
    "2026-11",
    None,
]


def facts() -> list[Fact]:
    return [
        Fact(
            category=Category.LABORATORY,
            finding=finding(
                value=Quantity(value=v, unit="ng/L"),
                time=parse_fhir(t, clock="c", zone="Europe/Berlin") if t else None,
            ),
        )
        for t in TIMES
        for v in (1.0, 2.0)
    ]


@given(st.permutations(facts()))
def test_the_order_that_facts_come_in_changes_nothing(shuffled: list[Fact]) -> None:
    assert Timeline.of(Patient(), tuple(shuffled)) == Timeline.of(Patient(), tuple(facts()))


def test_facts_are_in_the_order_of_real_time_whatever_their_zone() -> None:
    day = parse_fhir("2026-11-20", clock="c", zone="Europe/Berlin")  # from 23:00 UTC the day before
    before = parse_fhir("2026-11-19T22:59:00Z", clock="c")
    after = parse_fhir("2026-11-19T23:30:00Z", clock="c")
    made = tuple(
        Fact(category=Category.LABORATORY, finding=finding(time=t)) for t in (after, day, before)
    )
    ordered = Timeline.of(Patient(), made)
    assert [f.finding.time for f in ordered.facts] == [before, day, after]


def test_facts_out_of_order_are_refused() -> None:
    ordered = Timeline.of(Patient(), tuple(facts())).facts
    with pytest.raises(ValueError, match="not in time order"):
        Timeline(patient=Patient(), facts=tuple(reversed(ordered)))


def test_a_timeline_survives_json() -> None:
    identity = Identity(source="chart.json", identifiers=(("urn:a", "1"),), family="Muster")
    timeline = Timeline.of(
        Patient(identities=(identity,), sex="female", evidence=(SOURCE,)),
        tuple(facts()),
        (RecordingRef(id="0123456789abcdef", modality="ECG", evidence=EVIDENCE[1]),),
        (Document(id="d-1", title="note", text="words", evidence=SOURCE),),
    )
    again = Timeline.model_validate_json(timeline.model_dump_json(exclude_none=True))
    assert again == timeline
