"""What a pattern may read: results in time, as far as nothing interferes, never mixed methods."""

from typing import Any

import pytest

from knowledge.clinical_time import ClinicalTime, Precision
from knowledge.codes import LOINC, Coding, Concept
from knowledge.evidence import RecordEvidence
from knowledge.finding import Finding, State, Why, not_assessed
from knowledge.laboratory_patterns import LaboratoryPattern, laboratory_patterns, pattern_words
from knowledge.quantity import Interval, Text
from knowledge.reference import raw
from knowledge.timeline import Category, Fact
from tests.tools.labs.patterns.golden import BEFORE, NOW, Case, chart, chart_of, every
from tools.labs.patterns.judge import judge, judge_patterns
from tools.labs.patterns.read import facts_of
from tools.labs.patterns.verdict import PatternVerdict


def case(**given: Any) -> Case:
    return Case(name="-", verdict="-", by="-", **given)


def verdict(pattern: str, **given: Any) -> PatternVerdict:
    return judge(laboratory_patterns()[pattern], chart_of(case(**given)))


def fact(pattern: str, name: str, **given: Any) -> Any:
    facts, _ = facts_of(laboratory_patterns()[pattern], chart_of(case(**given)), {})
    return facts[name]


def test_the_newest_result_counts_and_an_older_one_does_not_stand_in_for_it() -> None:
    facts = (*case(results={"ferritin": {-50: 10}}).facts(),)
    concept = facts[0].finding.concept
    whole = not_assessed(
        concept, Why.UNIT_NOT_RECOGNISED, "unit not recognised", time=ClinicalTime(at=NOW)
    )
    found = judge(
        laboratory_patterns()["iron_deficiency"],
        chart((*facts, Fact(category=Category.LABORATORY, finding=whole)), {}),
    )
    assert found.verdict == "not assessed"
    assert found.missing[0].reason.why is Why.UNIT_NOT_RECOGNISED


@pytest.mark.parametrize(
    ("hours", "why"), [(-2 - 1.1, Why.OUTSIDE_WINDOW), (-2 - 0.9, None)], ids=["1.1 h", "0.9 h"]
)
def test_results_of_two_times_are_not_put_together(hours: float, why: Why | None) -> None:
    # ketoacidosis: 1 hour, as glucose and the blood gas change within hours
    results = {"glucose": 500, "beta_hydroxybutyrate": 6, "ph_arterial": {hours: 7.1}}
    found = fact("diabetic_ketoacidosis", "ph_a", results=results)
    assert (found.why.why if found.why else None) is why


def test_a_date_without_an_hour_is_not_known_to_be_together() -> None:
    facts = list(case(results={"glucose": 500, "ph_arterial": 7.1}).facts())
    day = ClinicalTime(at=NOW.replace(hour=0, minute=0), precision=Precision.DAY)
    facts[1] = Fact(
        category=Category.LABORATORY, finding=facts[1].finding.model_copy(update={"time": day})
    )
    read, _ = facts_of(laboratory_patterns()["diabetic_ketoacidosis"], chart(tuple(facts), {}), {})
    assert read["ph_a"].why is not None
    assert read["ph_a"].why.why is Why.OUTSIDE_WINDOW


def test_a_haemolysed_result_is_a_bound() -> None:
    results = {"potassium": 6.8, "platelets": 250, "wbc": 7}
    found = fact(
        "hyperkalaemia", "potassium", results=results, flags={"potassium": ("haemolysed",)}
    )
    assert found.answer == Interval(low=0, high=6.8)
    assert "Haemolysis" in found.caveats[0].en
    assert "溶血" in found.caveats[0].zh


def test_haemolysis_said_of_one_result_reaches_its_whole_specimen_and_no_other_time() -> None:
    given = {
        "results": {"ldh": {-30: 900, -2: 900}, "potassium": {-2: 5}, "haptoglobin": {-2: 10}},
        "flags": {"potassium": ("haemolysed",)},
    }
    assert fact("haemolysis", "ldh", **given).answer == frozenset({"low", "normal", "high"})
    assert fact("haemolysis", "hapto", **given).answer == Interval(low=10)
    alone = given | {"results": {"ldh": {-2: 900}, "potassium": {-30: 5}}}
    assert fact("haemolysis", "ldh", **alone).answer == frozenset({"high"})


def test_the_upper_limit_is_that_of_the_interval_used() -> None:
    printed = fact("hys_law", "alt", results={"alt": 120}, limits={"alt": "<40"})
    fallback = fact("hys_law", "alt", results={"alt": 112})  # fallback of the table: 56
    assert printed.answer == Interval.exact(3)
    assert fallback.answer == Interval.exact(2)
    assert any("fallback" in words.en for words in fallback.caveats)
    assert not printed.caveats


def test_a_limit_that_depends_on_the_sex_gives_an_interval() -> None:
    # CK: men up to 170, women up to 135; 850/170 = 5, 850/135 = 6.3
    found = fact("rhabdomyolysis", "ck_times", sex=None, results={"ck": 850})
    assert found.answer.low == pytest.approx(5)
    assert found.answer.high == pytest.approx(850 / 135)


def test_a_child_gets_no_interval_of_adults() -> None:
    found = fact("anaemia", "mcv", age=5, results={"haemoglobin": 9, "mcv": 75})
    assert found.answer is None
    assert "interval" in found.why.detail


def test_point_of_care_and_laboratory_are_never_one_series() -> None:
    series = {"creatinine": {-26: 1.0, -2: 1.6}}
    mixed = fact(
        "acute_kidney_injury",
        "rise",
        results=series,
        methods={"creatinine": ("point-of-care", "laboratory")},
    )
    alike = fact(
        "acute_kidney_injury",
        "rise",
        results=series,
        methods={"creatinine": ("laboratory", "laboratory")},
    )
    unstated = fact("acute_kidney_injury", "rise", results=series)
    assert mixed.answer is None
    assert alike.answer == Interval.exact(0.6)
    assert not alike.caveats
    assert unstated.answer == Interval.exact(0.6)
    assert "not stated" in unstated.caveats[0].en


def test_three_months_are_not_counted_over_two_kinds_of_method() -> None:
    series = {"egfr": {-2402: 42, -2: 40}}
    kinds = {"egfr": ("point-of-care", "laboratory")}
    mixed = fact("chronic_kidney_disease", "egfr_sustained", results=series, methods=kinds)
    alike = fact("chronic_kidney_disease", "egfr_sustained", results=series)
    assert mixed.answer is None
    assert alike.answer == Interval.exact(42)


def test_a_preliminary_result_is_said_to_be_one() -> None:
    found = verdict(
        "iron_deficiency", results={"ferritin": 8}, flags={"ferritin": ("preliminary",)}
    )
    assert found.verdict == "supported"
    assert any("preliminary" in words.en for words in found.caveats)


def test_the_film_of_the_laboratory_answers_for_schistocytes() -> None:
    def film(text: str) -> Fact:
        code = Coding(system=LOINC, code="800-3")
        return Fact(
            category=Category.LABORATORY,
            finding=Finding(
                concept=Concept(text="Schistocytes", codings=(code,)),
                state=State.PRESENT,
                value=Text(text=text),
                time=ClinicalTime(at=NOW),
                evidence=(RecordEvidence(file="laboratory.csv", record="film"),),
            ),
        )

    facts = tuple(case(results={"platelets": 12, "ldh": 1800}).facts())
    row = laboratory_patterns()["thrombotic_microangiopathy"]
    assert judge(row, chart((*facts, film("positive")), {})).verdict == "supported"
    assert judge(row, chart((*facts, film("not seen")), {})).verdict == "argued against"
    assert judge(row, chart((*facts, film("see comment")), {})).verdict == "not assessed"


@pytest.mark.parametrize(("pattern", "golden"), every(), ids=[f"{p}: {c.name}" for p, c in every()])
def test_the_order_of_results_changes_nothing(pattern: str, golden: Case) -> None:
    row = laboratory_patterns()[pattern]
    facts = tuple(golden.facts())
    backwards = chart(facts[::-1], golden.answers, sex=golden.sex, age=golden.age)
    assert judge(row, backwards) == judge(row, chart_of(golden))


def test_a_result_after_the_moment_is_not_read() -> None:
    found = verdict("iron_deficiency", results={"ferritin": {5: 3}})
    assert found.verdict == "not assessed"


def test_every_clinical_input_that_is_shown_has_a_chinese_name() -> None:
    shown = {
        missing.fact: missing.label
        for _, golden in every()
        for one in judge_patterns(chart_of(golden))
        for missing in one.missing
    }
    assert shown
    for name, label in shown.items():
        assert label.zh != label.en or label.en in ("eGFR", "SOFA", "INR", "CK-MB"), name


def test_every_input_a_pattern_names_has_a_chinese_name() -> None:
    known = pattern_words().inputs
    for pattern in laboratory_patterns().values():
        clinical = [row.clinical for row in pattern.facts.values() if row.clinical]
        clinical += [
            name
            for _, condition in pattern.conditions()
            for name in condition.inputs()
            if name not in pattern.facts and pattern.criterion(name) is None
        ]
        assert set(clinical) <= set(known), pattern.id


def test_a_new_pattern_is_its_file_and_nothing_else() -> None:
    head = raw("laboratory_patterns/rhabdomyolysis")
    cited = {"source": "epicrisis", "review": "R70"}
    new = head | {
        "id": "magnesium_low",
        "relevant": ["magnesium"],
        "facts": {"magnesium": {"analyte": "magnesium", "read": "level"}},
        "criteria": [
            {
                "id": "low",
                "en": "low",
                "zh": "低",
                "when": {"input": "magnesium", "is": "low"},
                **cited,
            }
        ],
        "sets": [
            {"id": "own", "name": {"en": "low", "zh": "低"}, "supported_when": "low", **cited}
        ],
        "settle": [],
        "caveats": [],
    }
    row = LaboratoryPattern.model_validate(new)

    def found(value: float | None) -> str:
        results = {} if value is None else {"magnesium": value}
        return judge(row, chart_of(case(results=results))).verdict

    # the interval of the table begins at 0.6171 mmol/L
    assert (found(0.4), found(0.8), found(None)) == ("supported", "argued against", "not assessed")


def test_a_bound_stays_a_bound_through_a_quotient() -> None:
    # 5 of [6, 8] is 0.625 to 0.833
    found = fact(
        "pleural_exudate",
        "protein_ratio",
        results={"total_protein": [6, 8]},
        answers={"pleural_fluid_protein": 5},
    )
    assert found.answer.low == pytest.approx(0.625)
    assert found.answer.high == pytest.approx(5 / 6)
    assert BEFORE < 0
