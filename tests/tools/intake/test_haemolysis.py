"""A haemolysed specimen is flagged wherever the source says so, and never where it says not."""

from typing import Any

import pytest

from knowledge.clinical_time import parse_fhir
from knowledge.quantity import Quantity
from tests.tools.intake.samples import chart, observation, only_fact
from tools.intake.fhir.haemolysis import says_haemolysed

TABLE_0493 = "http://terminology.hl7.org/CodeSystem/v2-0493"
SAID = [
    "Specimen haemolysed",
    "HEMOLYZED",
    "hemolysed sample, result may be low",
    "Gross haemolysis",
    "Moderately hemolyzed; interpret with care",
    "Not icteric, haemolysed",
    "No lipaemia, haemolysis present",
    "No lipaemia. Specimen haemolysed.",
    "Haemolysis: present",
    "Haemolysis 2+",
    "haemolysed, not repeated",
]
NOT_SAID = [
    "not haemolysed",
    "Not visibly hemolyzed",
    "no haemolysis",
    "No evidence of hemolysis",
    "no icterus, lipaemia or haemolysis",
    "No lipaemia/haemolysis",
    "no icterus, haemolysis or lipaemia",
    "without significant haemolysis",
    "non-haemolysed",
    "unhaemolysed",
    "Haemolysis: none",
    "haemolysis not detected",
    "Hemolysis negative",
    "Haemolysis index 4",
    "haemolytic anaemia",
    "repeat if haemolysed",
    "",
]


@pytest.mark.parametrize("text", SAID)
def test_words_that_say_haemolysed_are_understood(text: str) -> None:
    assert says_haemolysed(text)


@pytest.mark.parametrize("text", NOT_SAID)
def test_a_negated_or_another_word_is_not_haemolysis(text: str) -> None:
    assert not says_haemolysed(text)


@pytest.mark.parametrize(
    "change",
    [
        {"interpretation": [{"coding": [{"code": "HEMOLYZED"}]}]},
        {"interpretation": [{"coding": [{"code": "HH"}], "text": "haemolysed"}]},
        {"interpretation": [{"coding": [{"code": "x", "display": "Hemolyzed specimen"}]}]},
        {"note": [{"text": "Result checked."}, {"text": "Specimen haemolysed."}]},
    ],
    ids=["code", "text", "display", "note"],
)
def test_the_result_itself_says_that_it_is_haemolysed(change: dict[str, Any]) -> None:
    assert only_fact(observation(**change)).finding.flags.count("haemolysed") == 1


@pytest.mark.parametrize(
    "change",
    [{"note": [{"text": "not haemolysed"}]}, {"interpretation": [{"text": "no haemolysis"}]}, {}],
    ids=["note", "interpretation", "silent"],
)
def test_a_result_that_is_not_haemolysed_has_no_flag(change: dict[str, Any]) -> None:
    assert "haemolysed" not in only_fact(observation(**change)).finding.flags


@pytest.mark.parametrize(
    "said",
    [
        {"condition": [{"coding": [{"system": TABLE_0493, "code": "HEM"}]}]},
        {"condition": [{"text": "haemolysed"}]},
        {"note": [{"text": "grossly hemolyzed"}]},
    ],
    ids=["code-0493", "words", "note"],
)
def test_the_specimen_says_that_it_is_haemolysed(said: dict[str, Any]) -> None:
    specimen = {"resourceType": "Specimen", "id": "s1", **said}
    referred = only_fact(observation(specimen={"reference": "Specimen/s1"}), specimen)
    inner = only_fact(observation(contained=[specimen], specimen={"reference": "#s1"}))
    assert "haemolysed" in referred.finding.flags
    assert "haemolysed" in inner.finding.flags


def test_both_the_note_and_the_interpretation_give_one_flag() -> None:
    change: dict[str, Any] = {
        "note": [{"text": "haemolysed"}],
        "interpretation": [{"text": "haemolysed"}],
    }
    assert only_fact(observation(**change)).finding.flags.count("haemolysed") == 1


def test_a_condition_that_cannot_be_read_is_told_and_costs_neither_value_nor_time() -> None:
    specimen = {
        "resourceType": "Specimen",
        "id": "s1",
        "condition": "HEM",
        "collection": {"collectedDateTime": "2026-11-20T08:00:00Z"},
    }
    made = observation(effectiveDateTime=None, specimen={"reference": "Specimen/s1"})
    found = chart(made, specimen)
    assert found.facts[0].finding.value == Quantity(value=12, unit="ng/L")
    assert found.facts[0].finding.time == parse_fhir("2026-11-20T08:00:00Z", clock="c")
    assert "condition" in " ".join(found.problems["c.json"])
