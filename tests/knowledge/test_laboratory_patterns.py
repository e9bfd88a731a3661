"""A pattern file that makes no sense is refused; every text is in two languages."""

import re
from typing import Any

import pytest
from pydantic import ValidationError

from knowledge.errors import ReferenceDataError
from knowledge.laboratory_patterns import (
    FOLDER,
    CriteriaSet,
    FactRow,
    LaboratoryPattern,
    Supply,
    _problems,
    laboratory_pattern,
    laboratory_patterns,
)
from knowledge.reference import raw
from knowledge.rules import Condition

B7 = {
    "iron_deficiency", "anaemia_of_inflammation", "thalassaemia_trait", "b12_folate_deficiency",
    "haemolysis", "thrombotic_microangiopathy", "dic_overt", "sepsis_induced_coagulopathy",
    "heparin_induced_thrombocytopenia", "tumour_lysis", "diabetic_ketoacidosis",
    "hyperosmolar_hyperglycaemic_state", "rhabdomyolysis", "acute_kidney_injury",
    "chronic_kidney_disease", "hys_law", "acute_liver_failure", "acute_pancreatitis",
    "pleural_exudate", "sepsis", "hypotonic_hyponatraemia", "hyperkalaemia",
    "primary_hypothyroidism", "hyperthyroidism", "myocardial_injury", "metabolic_acidosis",
    "metabolic_alkalosis", "respiratory_acidosis", "respiratory_alkalosis",
}  # fmt: skip
"""Every row of the fact sheet's table of patterns; SOFA, SIRS and qSOFA stand in sepsis."""


def test_every_row_of_the_fact_sheet_has_a_pattern() -> None:
    assert set(laboratory_patterns()) >= B7


def test_ketoacidosis_has_both_sets_of_criteria() -> None:
    sets = laboratory_patterns()["diabetic_ketoacidosis"].sets
    assert [one.id for one in sets] == ["consensus-2024", "ada-2009"]


@pytest.mark.parametrize("key", sorted(laboratory_patterns()))
def test_every_text_is_in_chinese_too(key: str) -> None:
    pattern = laboratory_patterns()[key]
    texts = [pattern.name.zh, *(row.zh for row in pattern.criteria)]
    texts += [row.zh for row in pattern.settle] + [row.zh for row in pattern.caveats]
    texts += [one.name.zh for one in pattern.sets]
    texts += [grade.zh for one in pattern.sets for grade in one.grades]
    for text in texts:
        chinese = any("\u4e00" <= letter <= "\u9fff" for letter in text)
        assert chinese or re.search("[a-z]{4}", text) is None, text  # INR, KDIGO, G5 are no words


def changed(**change: Any) -> LaboratoryPattern:
    return LaboratoryPattern.model_validate(raw(FOLDER + "rhabdomyolysis") | change)


def test_a_bare_word_is_the_test_of_a_criterion() -> None:
    rule = laboratory_patterns()["rhabdomyolysis"].sets[0].supported_when
    assert rule == Condition.model_validate({"input": "criterion.ck_5_times", "is": "present"})


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"facts": {"ck": {"analyte": "no_such"}}}, "no such analyte"),
        ({"facts": {"x": {"score": "no_such"}}}, "no such score"),
        ({"facts": {"x": {"index": "no_such"}}}, "no such index"),
        ({"facts": {"x": {"clinical": "no_such"}}}, "no such clinical input"),
        ({"settle": [{"test": "x", "en": "x", "zh": "x", "facts": ["gone"]}]}, "no such fact"),
        ({"sources": {}}, "no such source"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_names_what_is_not_there_is_refused(
    change: dict[str, Any], problem: str
) -> None:
    assert any(problem in found for _, found in _problems(changed(**change)))


def test_a_mistyped_criterion_is_found() -> None:
    sets = raw(FOLDER + "rhabdomyolysis")["sets"]
    wrong = [{**sets[0], "supported_when": "ck_5_tims"}]
    assert any("ck_5_tims" in found for _, found in _problems(changed(sets=wrong)))


def test_a_mistyped_level_is_found() -> None:
    criteria = raw(FOLDER + "rhabdomyolysis")["criteria"]
    wrong = [{**criteria[2], "when": {"input": "myoglobin", "is": "hihg"}}, *criteria[:2]]
    assert any("hihg" in found for _, found in _problems(changed(criteria=wrong)))


def test_a_score_is_read_through_a_fact() -> None:
    criteria = raw(FOLDER + "rhabdomyolysis")["criteria"]
    wrong = [{**criteria[2], "when": {"score": "mcmahon", "ge": 6}}, *criteria[:2]]
    assert any("through a fact" in found for _, found in _problems(changed(criteria=wrong)))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({}, "exactly one thing"),
        ({"analyte": "ck", "score": "sofa"}, "exactly one thing"),
        ({"analyte": "ck", "read": "rise"}, "within_hours"),
        ({"analyte": "ck", "read": "sustained_max"}, "days_apart"),
        ({"analyte": "ck", "read": "rise", "within_hours": 48}, "source and a review"),
        ({"quotient": ["a", "b"]}, "has a label"),
        ({"interference": "haemolysis"}, "on an analyte"),
    ],
)
def test_a_fact_that_makes_no_sense_is_refused(row: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        FactRow.model_validate(row)


def test_a_set_says_why_neither_is_so() -> None:
    row = {
        "id": "x",
        "name": {"en": "x", "zh": "x"},
        "supported_when": "a",
        "against_when": "b",
        "source": "s",
        "review": "R90",
    }
    with pytest.raises(ValidationError, match="go together"):
        CriteriaSet.model_validate(row)


def test_a_supply_has_one_form() -> None:
    with pytest.raises(ValidationError, match="a fact or choices"):
        Supply.model_validate({"source": "s", "review": "R90"})


def test_a_pattern_that_is_not_there() -> None:
    with pytest.raises(ReferenceDataError, match="no such pattern"):
        laboratory_pattern("no_such")
