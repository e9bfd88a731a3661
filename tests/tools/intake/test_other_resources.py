"""Conditions, medications, procedures, encounters, reports and documents."""

import base64
from typing import Any

import pytest

from knowledge.clinical_time import parse_fhir
from knowledge.finding import State, Why
from knowledge.quantity import Text
from knowledge.timeline import Category
from tests.tools.intake.samples import chart, only_fact


def coded(code: str) -> dict[str, Any]:
    return {"coding": [{"code": code}]}


def condition(**changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": "c1",
        "clinicalStatus": coded("active"),
        "verificationStatus": coded("confirmed"),
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "I10"}]},
        "subject": {"reference": "Patient/p1"},
        "onsetDateTime": "2010-05",
        **changes,
    }


def test_an_active_condition_is_present() -> None:
    fact = only_fact(condition())
    assert fact.category is Category.CONDITION
    assert fact.finding.state is State.PRESENT
    assert fact.finding.flags == ()
    assert fact.finding.time == parse_fhir("2010-05", clock="c.json")


def test_a_refuted_condition_is_absent() -> None:
    assert only_fact(condition(verificationStatus=coded("refuted"))).finding.state is State.ABSENT


@pytest.mark.parametrize("status", ["unconfirmed", "provisional", "differential"])
def test_a_suspicion_is_neither_present_nor_absent(status: str) -> None:
    finding = only_fact(condition(verificationStatus=coded(status))).finding
    assert finding.state is State.NOT_ASSESSED
    assert finding.not_assessed is not None
    assert finding.not_assessed.why is Why.UNCONFIRMED


@pytest.mark.parametrize("status", ["resolved", "inactive", "remission"])
def test_a_condition_that_is_over_is_flagged_past(status: str) -> None:
    finding = only_fact(condition(clinicalStatus=coded(status))).finding
    assert finding.state is State.PRESENT
    assert finding.flags == ("past", status)


def test_a_condition_with_an_end_keeps_it() -> None:
    fact = only_fact(condition(clinicalStatus=None, abatementDateTime="2012-01-01"))
    assert fact.period_end == parse_fhir("2012-01-01", clock="c.json")
    assert "past" in fact.finding.flags


def test_a_condition_entered_in_error_is_retracted() -> None:
    found = chart(condition(verificationStatus=coded("entered-in-error")))
    assert found.facts == ()
    assert found.retracted[0].reason == "entered-in-error"


def medication(kind: str = "MedicationRequest", **changes: Any) -> dict[str, Any]:
    return {
        "resourceType": kind,
        "id": "m1",
        "status": "active",
        "medicationCodeableConcept": {"text": "Aspirin 100 mg"},
        "authoredOn": "2026-11-01",
        **changes,
    }


MEDICATIONS = [
    (medication(), State.PRESENT, ()),
    (medication(status="stopped"), State.PRESENT, ("past", "stopped")),
    (medication(doNotPerform=True), State.ABSENT, ()),
    (medication("MedicationStatement", status="not-taken"), State.ABSENT, ("not-taken",)),
    (medication(intent="proposal"), State.NOT_ASSESSED, ()),
    (medication(status="draft"), State.NOT_ASSESSED, ("draft",)),
    (medication("MedicationAdministration", status="not-done"), State.ABSENT, ("not-done",)),
]


@pytest.mark.parametrize(
    ("resource", "state", "flags"),
    MEDICATIONS,
    ids=["active", "stopped", "prohibited", "not taken", "proposed", "draft", "not given"],
)
def test_a_medication_is_taken_not_taken_or_only_planned(
    resource: dict[str, Any], state: State, flags: tuple[str, ...]
) -> None:
    fact = only_fact(resource)
    assert (fact.category, fact.finding.state) == (Category.MEDICATION, state)
    assert fact.finding.flags == flags


def test_a_referenced_medication_is_named() -> None:
    aspirin = {"resourceType": "Medication", "id": "a", "code": {"text": "Aspirin"}}
    reference = {"reference": "https://ehr.example/fhir/Medication/a"}
    made = medication(medicationCodeableConcept=None, medicationReference=reference)
    assert only_fact(made, aspirin).finding.concept.text == "Aspirin"


def test_a_medication_without_a_name_is_told() -> None:
    found = chart(medication(medicationCodeableConcept=None))
    assert found.facts == ()
    assert "medication: not stated" in found.problems["c.json"][0]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("completed", State.PRESENT),
        ("not-done", State.ABSENT),
        ("preparation", State.NOT_ASSESSED),
        ("in-progress", State.PRESENT),
    ],
)
def test_a_procedure_is_done_not_done_or_planned(status: str, state: State) -> None:
    made = {"resourceType": "Procedure", "id": "x", "status": status, "code": {"text": "PCI"}}
    assert only_fact(made).finding.state is state


def test_an_encounter_keeps_its_period_and_class() -> None:
    made = {
        "resourceType": "Encounter",
        "id": "e",
        "status": "in-progress",
        "class": {"system": "urn:act", "code": "EMER"},
        "period": {"start": "2026-11-20T09:00:00Z"},
    }
    fact = only_fact(made)
    assert (fact.category, fact.finding.concept.text) == (Category.ENCOUNTER, "EMER")
    assert fact.finding.time == parse_fhir("2026-11-20T09:00:00Z", clock="c")


def test_a_class_without_a_code_does_not_name_an_encounter() -> None:
    fact = only_fact({"resourceType": "Encounter", "id": "e", "class": {"display": "somewhere"}})
    assert fact.finding.concept.text == "encounter"


def text(words: str, **changes: Any) -> dict[str, Any]:
    data = base64.b64encode(words.encode()).decode()
    return {"contentType": "text/plain", "data": data, **changes}


def report(*forms: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "code": {"text": "Chest film"},
        "conclusion": "No pneumothorax.",
        "presentedForm": list(forms),
        **changes,
    }


def test_a_report_keeps_its_conclusion_and_its_text() -> None:
    found = chart(report(text("Findings: clear lungs.")))
    assert found.facts[0].finding.value == Text(text="No pneumothorax.")
    assert [(d.title, d.text) for d in found.documents] == [
        ("Chest film", "Findings: clear lungs.")
    ]


def test_a_long_conclusion_is_cut_and_says_so() -> None:
    finding = only_fact(report(conclusion="x" * 5000)).finding
    assert "text-truncated" in finding.flags
    assert finding.value == Text(text="x" * 4000)


def test_a_document_reference_gives_its_text() -> None:
    made = {
        "resourceType": "DocumentReference",
        "id": "d",
        "status": "current",
        "type": {"text": "Admission note"},
        "content": [{"attachment": text("Chest pain since 8.", title="Note")}],
    }
    found = chart(made)
    assert found.facts == ()
    assert [(d.title, d.text) for d in found.documents] == [("Note", "Chest pain since 8.")]


@pytest.mark.parametrize(
    ("form", "told"),
    [
        (text("x", contentType="application/pdf"), "only text/plain"),
        ({"contentType": "text/plain", "url": "https://elsewhere.example/x"}, "not fetched"),
        ({"contentType": "text/plain", "data": "%%%"}, "cannot be decoded"),
        (text("ü", contentType="text/plain; charset=nonsense"), "cannot be decoded"),
    ],
    ids=["pdf", "elsewhere", "not base64", "unknown charset"],
)
def test_an_attachment_that_is_not_read_is_told(form: dict[str, Any], told: str) -> None:
    found = chart(report(form))
    assert found.documents == ()
    assert told in found.problems["c.json"][0]


def test_types_that_are_not_used_are_counted() -> None:
    found = chart({"resourceType": "AllergyIntolerance", "id": "a"}, {"resourceType": "Claim"})
    assert found.ignored["c.json"] == {"AllergyIntolerance": 1, "Claim": 1}
    assert found.facts == ()
