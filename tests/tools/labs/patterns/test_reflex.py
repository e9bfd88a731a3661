"""Reflex suggestions: made where a result calls for them, and never for what is there already."""

from typing import Any

import pytest

from knowledge.clinical_time import ClinicalTime
from knowledge.codes import ANALYTE, Coding, Concept
from knowledge.finding import Why, not_assessed
from knowledge.reflex_tests import reflex_tests
from knowledge.timeline import AWAITED, Category, Fact
from tests.tools.labs.patterns.golden import NOW, Case, chart, chart_of
from tools.labs.patterns.judge import judge_patterns
from tools.labs.patterns.reflex import reflex_suggestions
from tools.labs.patterns.verdict import ReflexSuggestion


def suggested(**case: Any) -> dict[str, ReflexSuggestion]:
    found = chart_of(Case(name="-", verdict="-", by="-", **case))
    return {one.id: one for one in reflex_suggestions(found, judge_patterns(found))}


# expected: what the cited guideline asks for next
@pytest.mark.parametrize(
    ("case", "row", "tests"),
    [
        ({"results": {"tsh": 9}}, "free_t4_for_tsh", ("free_t4",)),
        ({"results": {"tsh": 0.1, "free_t4": 1.2}}, "free_t3_for_low_tsh", ("free_t3",)),
        (
            {"results": {"mcv": 70}},
            "iron_status_for_microcytosis",
            ("ferritin", "transferrin_saturation", "crp"),
        ),
        (
            {"results": {"sodium": 120, "glucose": 90}},
            "hyponatraemia_work_up",
            ("osmolality", "urine_osmolality", "urine_sodium"),
        ),
        ({"results": {"alp": 400}}, "ggt_for_alp", ("ggt",)),
        ({"results": {"egfr": 45}}, "acr_for_low_egfr", ("urine_acr",)),
        (
            {"results": {"vitamin_b12": 250}},
            "mma_for_grey_b12",
            ("methylmalonic acid", "homocysteine"),
        ),
        (
            {"results": {"ph_arterial": 7.2, "bicarbonate": 10, "sodium": 140, "chloride": 100}},
            "high_gap",
            ("lactate", "beta_hydroxybutyrate", "creatinine", "osmolality"),
        ),
        (
            {"results": {"platelets": 12, "ldh": 1800}, "answers": {"schistocytes": "present"}},
            "adamts13",
            ("ADAMTS13 activity",),
        ),
        (
            {"answers": {"infection_suspected": "present"}, "results": {"crp": 200}},
            "infection_lactate",
            ("lactate", "blood_culture"),
        ),
        ({"results": {"potassium": 2.7}}, "magnesium_for_low_potassium", ("magnesium",)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_result_calls_for_the_next_test(
    case: dict[str, Any], row: str, tests: tuple[str, ...]
) -> None:
    found = suggested(**case)[row]
    assert found.tests == tests
    assert found.source.label
    assert found.evidence
    assert any("\u4e00" <= letter <= "\u9fff" for letter in found.words.zh)


def test_what_is_there_already_is_not_suggested() -> None:
    assert "free_t4_for_tsh" not in suggested(results={"tsh": 9, "free_t4": 1.1})


def test_a_test_of_long_ago_is_suggested_again() -> None:
    # free T4 again after 168 h: 200 h ago is too long ago
    assert "free_t4_for_tsh" in suggested(results={"tsh": 9, "free_t4": {-200: 1.1}})


def test_an_answer_that_is_known_is_not_asked_for_again() -> None:
    found = suggested(
        results={"potassium": 6.0, "creatinine": 1.0, "bicarbonate": 24},
        answers={"ecg_hyperkalaemia": "absent"},
    )
    assert "hyperkalaemia_check" not in found


def test_an_awaited_result_counts_as_there() -> None:
    awaited = not_assessed(
        Concept(text="Free T4", codings=(Coding(system=ANALYTE, code="free_t4"),)),
        Why.MISSING,
        "awaited",
        time=ClinicalTime(at=NOW),
    ).model_copy(update={"flags": (AWAITED,)})
    case = Case(name="-", verdict="-", by="-", results={"tsh": 9})
    facts = (*case.facts(), Fact(category=Category.LABORATORY, finding=awaited))
    found = chart(facts, {})
    rows = {one.id for one in reflex_suggestions(found, judge_patterns(found))}
    assert "free_t4_for_tsh" not in rows


def test_nothing_is_suggested_for_what_is_normal_old_or_not_known() -> None:
    assert suggested(results={"tsh": 2, "mcv": 90, "sodium": 140, "alp": 80, "egfr": 95}) == {}
    assert "free_t4_for_tsh" not in suggested(results={"tsh": {-400: 9}})
    assert "iron_status_for_microcytosis" not in suggested(results={"mcv": [75, 85]})
    assert suggested() == {}


def test_every_row_is_in_both_languages_and_cites_a_source() -> None:
    table = reflex_tests()
    assert len(table.tests) > 25
    for row in table.tests:
        assert row.source in table.sources
        assert any("\u4e00" <= letter <= "\u9fff" for letter in row.zh), row.id
