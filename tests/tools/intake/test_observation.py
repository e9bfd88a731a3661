"""Observation to facts: values, units, reasons, times, corrections."""

from typing import Any

import pytest

from knowledge.clinical_time import parse_fhir
from knowledge.codes import ANALYTE, LOINC
from knowledge.evidence import FhirEvidence
from knowledge.finding import State, Why
from knowledge.quantity import Interval, Quantity, QuantityInterval, Text
from knowledge.timeline import Category
from tests.tools.intake.samples import UCUM, chart, observation, only_fact, patient


def reason(fact: Any) -> Why:
    assert fact.finding.state is State.NOT_ASSESSED
    assert fact.finding.not_assessed is not None
    why: Why = fact.finding.not_assessed.why
    return why


def test_a_known_analyte_is_in_its_canonical_unit_with_the_original_beside_it() -> None:
    fact = only_fact(observation(0.012, "ug/L"))
    assert fact.category is Category.LABORATORY
    assert fact.finding.value == Quantity(value=12.0, unit="ng/L")
    assert fact.finding.reported == "0.012 ug/L"
    assert fact.finding.concept.has(LOINC, "67151-1")
    assert fact.finding.concept.has(ANALYTE, "hs_ctnt")
    assert fact.finding.evidence == (
        FhirEvidence(file="c.json", resource="Observation/o1", path="Observation.valueQuantity"),
    )


def test_an_unknown_code_keeps_value_and_unit_as_stated() -> None:
    fact = only_fact(observation(88.0, "umol/L", "99999-9"))
    assert fact.finding.value == Quantity(value=88.0, unit="umol/L")
    assert fact.finding.reported is None


COMPARATORS = [
    ("<", Interval(low=0, high=6, high_closed=False)),
    ("<=", Interval(low=0, high=6)),
    (">", Interval(low=6, low_closed=False)),
    (">=", Interval(low=6)),
]


@pytest.mark.parametrize(("comparator", "expected"), COMPARATORS, ids=[c[0] for c in COMPARATORS])
def test_a_censored_result_is_an_interval(comparator: str, expected: Interval) -> None:
    quantity = {"value": 6, "unit": "ng/L", "comparator": comparator}
    fact = only_fact(observation(valueQuantity=quantity))
    assert fact.finding.value == QuantityInterval(interval=expected, unit="ng/L")


STRINGS = [
    ("<6 ng/L", QuantityInterval(interval=COMPARATORS[0][1], unit="ng/L")),
    ("12 pg/mL", Quantity(value=12, unit="ng/L")),
]


@pytest.mark.parametrize(("text", "value"), STRINGS, ids=[s[0] for s in STRINGS])
def test_a_printed_number_is_read(text: str, value: Any) -> None:
    assert only_fact(observation(valueQuantity=None, valueString=text)).finding.value == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("haemolysed", Why.UNREADABLE),
        ("0,012 ug/L", Why.UNREADABLE),
        ("<0.01", Why.UNIT_NOT_RECOGNISED),
        ("12 apples", Why.UNIT_NOT_RECOGNISED),
    ],
)
def test_what_a_laboratory_wrote_in_words_is_kept_but_is_no_number(text: str, why: Why) -> None:
    fact = only_fact(observation(valueQuantity=None, valueString=text))
    assert reason(fact) is why
    assert fact.finding.reported == text


def test_words_of_an_unknown_code_stay_words() -> None:
    fact = only_fact(observation(loinc="72166-2", valueQuantity=None, valueString="1,200"))
    assert fact.finding.value == Text(text="1,200")


def test_a_coded_answer_is_kept_in_its_words() -> None:
    coded = {"coding": [{"system": "urn:x", "code": "1", "display": "Never smoker"}]}
    fact = only_fact(observation(loinc="72166-2", valueQuantity=None, valueCodeableConcept=coded))
    assert fact.finding.value == Text(text="Never smoker")


@pytest.mark.parametrize(("value", "state"), [(True, State.PRESENT), (False, State.ABSENT)])
def test_yes_and_no_are_present_and_absent(value: bool, state: State) -> None:
    fact = only_fact(observation(loinc="99999-9", valueQuantity=None, valueBoolean=value))
    assert fact.finding.state is state


def test_a_range_is_an_interval() -> None:
    ends = {"low": {"value": 10, "unit": "ng/L"}, "high": {"value": 20, "unit": "ng/L"}}
    fact = only_fact(observation(valueQuantity=None, valueRange=ends))
    assert fact.finding.interval == Interval(low=10, high=20)


@pytest.mark.parametrize(
    "ends",
    [
        {"low": {"value": 20, "unit": "ng/L"}, "high": {"value": 10, "unit": "ng/L"}},
        {"low": {"value": 10, "unit": "ng/L"}, "high": {"value": 20, "unit": "ug/L"}},
        {"low": {"value": "10", "unit": "ng/L"}, "high": {"value": 20, "unit": "ng/L"}},
        {},
    ],
    ids=["upside down", "two units", "text", "empty"],
)
def test_a_range_that_is_none_is_not_read(ends: dict[str, Any]) -> None:
    assert reason(only_fact(observation(valueQuantity=None, valueRange=ends))) is Why.UNREADABLE


@pytest.mark.parametrize("value", ["7", True, [7], {"a": 7}], ids=["text", "bool", "list", "map"])
def test_what_is_not_a_json_number_is_never_made_one(value: Any) -> None:
    fact = only_fact(observation(valueQuantity={"value": value, "unit": "ng/L"}))
    assert reason(fact) is Why.UNREADABLE


def test_a_result_that_is_absent_keeps_the_reason() -> None:
    why = {"coding": [{"code": "specimen-rejected", "display": "Specimen rejected"}]}
    fact = only_fact(observation(valueQuantity=None, dataAbsentReason=why))
    assert reason(fact) is Why.MISSING
    assert fact.finding.not_assessed is not None
    assert "Specimen rejected" in fact.finding.not_assessed.detail


def test_an_observation_without_any_value_is_listed_as_missing() -> None:
    assert reason(only_fact(observation(valueQuantity=None))) is Why.MISSING


@pytest.mark.parametrize(
    ("value", "unit", "loinc"),
    [(-3.0, "ng/L", "67151-1"), (900.0, "/min", "8867-4"), (42.0, "mmol/L", "2823-3")],
    ids=["troponin -3", "heart rate 900", "potassium 42"],
)
def test_an_impossible_value_is_not_assessed_and_keeps_its_evidence(
    value: float, unit: str, loinc: str
) -> None:
    fact = only_fact(observation(value, unit, loinc))
    assert reason(fact) is Why.VALUE_IMPOSSIBLE
    assert fact.finding.evidence


@pytest.mark.parametrize(
    ("quantity", "why"),
    [
        ({"value": 12, "unit": "ng/mL", "system": UCUM, "code": "ng/L"}, Why.CONFLICTING),
        ({"value": 12, "unit": "nanograms", "system": UCUM, "code": "ng/L"}, None),
        ({"value": 12, "unit": "ng/L", "system": UCUM, "code": "units"}, Why.UNIT_NOT_RECOGNISED),
        ({"value": 12, "unit": "ng/L", "system": "urn:local", "code": "U7"}, None),
        ({"value": 12}, Why.UNIT_NOT_RECOGNISED),
    ],
    ids=["code against text", "text not known", "code not known", "local code", "no unit"],
)
def test_the_code_and_the_text_of_a_unit_must_agree(
    quantity: dict[str, Any], why: Why | None
) -> None:
    fact = only_fact(observation(valueQuantity=quantity))
    if why is None:
        assert fact.finding.value == Quantity(value=12, unit="ng/L")
    else:
        assert reason(fact) is why


def test_the_text_of_a_unit_may_say_which_d_dimer_it_is() -> None:
    quantity = {"value": 400, "unit": "ng/mL DDU", "system": UCUM, "code": "ng/mL"}
    fact = only_fact(observation(loinc="7799-0", valueQuantity=quantity))
    assert fact.finding.value == Quantity(value=800, unit="ng/mL")
    assert "converted-ddu-to-feu" in fact.finding.flags


def test_d_dimer_of_unknown_units_is_not_assessed() -> None:
    assert reason(only_fact(observation(400, "ng/mL", "7799-0"))) is Why.UNIT_NOT_RECOGNISED


def test_components_are_facts_of_their_own() -> None:
    def component(loinc: str, value: float) -> dict[str, Any]:
        whole = observation(value, "mm[Hg]", loinc)
        return {key: whole[key] for key in ("code", "valueQuantity")}

    facts = chart(
        observation(
            loinc="85354-9",
            valueQuantity=None,
            component=[component("8480-6", 120), component("8462-4", 80)],
        )
    ).facts
    assert {
        (coding.code, fact.finding.value, fact.category)
        for fact in facts
        for coding in fact.finding.concept.codings
        if coding.system == ANALYTE
    } == {
        ("systolic_bp", Quantity(value=120, unit="mm[Hg]"), Category.VITAL_SIGN),
        ("diastolic_bp", Quantity(value=80, unit="mm[Hg]"), Category.VITAL_SIGN),
    }


def test_the_collection_time_is_the_specimens_and_never_the_message_time() -> None:
    specimen = {
        "resourceType": "Specimen",
        "id": "s1",
        "collection": {"collectedDateTime": "2026-11-20T08:00:00Z"},
    }
    issued = "2026-11-20T11:00:00Z"
    made = observation(effectiveDateTime=None, issued=issued, specimen={"reference": "Specimen/s1"})
    assert only_fact(made, specimen).finding.time == parse_fhir("2026-11-20T08:00:00Z", clock="c")
    inner = observation(effectiveDateTime=None, contained=[specimen], specimen={"reference": "#s1"})
    assert only_fact(inner).finding.time == parse_fhir("2026-11-20T08:00:00Z", clock="c")


def test_a_result_with_a_message_time_only_has_no_time() -> None:
    fact = only_fact(observation(effectiveDateTime=None, issued="2026-11-20T11:00:00Z"))
    assert fact.finding.time is None
    assert "no-collection-time" in fact.finding.flags


def test_a_period_keeps_its_start_and_its_end() -> None:
    period = {"start": "2026-11-20T08:00:00Z", "end": "2026-11-20T09:00:00Z"}
    fact = only_fact(observation(effectiveDateTime=None, effectivePeriod=period))
    assert fact.finding.time == parse_fhir(period["start"], clock="c")
    assert fact.period_end == parse_fhir(period["end"], clock="c")


def test_an_unreadable_time_is_told_and_leaves_the_result_without_one() -> None:
    found = chart(observation(effectiveDateTime="yesterday"))
    assert found.facts[0].finding.time is None
    assert "not a FHIR date" in found.problems["c.json"][0]


def test_a_result_from_the_future_is_listed_but_not_used() -> None:
    fact = only_fact(observation(effectiveDateTime="2026-11-20T12:30:00Z"))
    assert reason(fact) is Why.FUTURE_TIME
    assert "future-time" in fact.finding.flags
    assert fact.finding.reported == "12 ng/L"


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_what_was_taken_back_is_no_fact(status: str) -> None:
    found = chart(observation(status=status))
    assert found.facts == ()
    assert [(r.resource, r.reason) for r in found.retracted] == [("Observation/o1", status)]


@pytest.mark.parametrize("status", ["preliminary", "corrected", "amended"])
def test_the_status_of_a_result_is_flagged(status: str) -> None:
    assert status in only_fact(observation(status=status)).finding.flags


@pytest.mark.parametrize(
    "change",
    [
        {"status": "weird"},
        {"code": "troponin"},
        {"code": None},
        {"valueQuantity": 12},
        {"component": {}},
        {"modifierExtension": [{"url": "urn:not", "valueBoolean": True}]},
        {"focus": [{"reference": "Patient/baby"}]},
        {"subject": {"reference": "Device/d"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_resource_that_is_not_understood_is_told_and_makes_no_fact(
    change: dict[str, Any],
) -> None:
    found = chart(observation(**change), observation(id="good"))
    assert [f.finding.evidence[0].resource for f in found.facts] == ["Observation/good"]  # type: ignore[union-attr]
    assert "Observation/o1" in found.problems["c.json"][0]


WRONG_TYPES = [
    ({"valueQuantity": {"value": 12, "unit": 7}}, "valueQuantity.unit: Input should be a valid s"),
    ({"interpretation": [{"coding": [7]}]}, "interpretation.0.coding.0: Input should be a valid o"),
    ({"note": {"text": "x"}}, "note: Input should be a valid list"),
    ({"component": [{}]}, "Observation.component[0].code: Field required"),
    ({"component": [7]}, "Observation.component[0].: Input should be a valid object"),
]


@pytest.mark.parametrize(("change", "told"), WRONG_TYPES, ids=[w[1] for w in WRONG_TYPES])
def test_a_wrong_type_is_told_with_its_place(change: dict[str, Any], told: str) -> None:
    (problem,) = chart(observation(**change)).problems["c.json"]
    assert problem.startswith(f"Observation/o1: {told}")


def test_problems_carry_no_values() -> None:
    found = chart(observation(valueQuantity={"value": 12, "unit": ["SECRET-VALUE"]}))
    assert found.problems["c.json"]
    assert "SECRET-VALUE" not in " ".join(found.problems["c.json"])


def test_the_laboratorys_own_flag_and_range_are_kept_as_its_word() -> None:
    fact = only_fact(
        observation(
            interpretation=[{"coding": [{"code": "HH"}]}],
            referenceRange=[{"high": {"value": 14, "unit": "ng/L"}}],
            note=[{"text": "haemolysed"}],
        )
    )
    assert {"lab-critical-high", "has-note"} <= set(fact.finding.flags)
    assert fact.finding.reported == "12 ng/L (laboratory's range: up to 14 ng/L)"


def test_method_and_device_name_the_assay() -> None:
    device = {"resourceType": "Device", "id": "d1", "deviceName": [{"name": "cobas e 801"}]}
    fact = only_fact(
        observation(method={"text": "Elecsys"}, device={"reference": "Device/d1"}), device
    )
    assert fact.finding.method == "Elecsys; cobas e 801"


def test_codes_of_two_analytes_are_taken_for_neither() -> None:
    coding = [{"system": LOINC, "code": c} for c in ("67151-1", "2160-0")]
    fact = only_fact(observation(code={"coding": coding}))
    assert not any(c.system == ANALYTE for c in fact.finding.concept.codings)
    assert "codes-disagree" in fact.finding.flags


def test_results_contained_in_a_report_are_read() -> None:
    resource = {
        "resourceType": "DiagnosticReport",
        "id": "r1",
        "status": "final",
        "code": {"text": "Troponin"},
        "contained": [observation()],
    }
    facts = chart(patient(), resource).facts
    assert {f.category for f in facts} == {Category.REPORT, Category.LABORATORY}
    laboratory = next(f for f in facts if f.category is Category.LABORATORY)
    assert laboratory.finding.evidence[0].resource == "DiagnosticReport/r1#o1"  # type: ignore[union-attr]
