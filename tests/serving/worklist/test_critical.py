"""Which results a person must know at once, by the limits of the data file."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.assess import assess_paths
from agent.assessment import Assessment, Status, Verdict
from agent.laboratory.report import laboratory_report
from knowledge.clinical_time import ClinicalTime, parse_fhir
from knowledge.codes import ANALYTE, Coding, Concept
from knowledge.critical_results import critical_results
from knowledge.evidence import FhirEvidence
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.laboratory_site import laboratory_reference
from knowledge.pathways import Urgency, pathway
from knowledge.patient import Patient
from knowledge.quantity import Interval, Quantity, QuantityInterval
from knowledge.settings import Settings
from knowledge.timeline import Category, Fact, Timeline
from serving.worklist.critical import covers, critical, no_longer, not_judged
from serving.worklist.model import Critical
from tests.serving.audit.site import EXAMPLES, NOON


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Assessment:
    """An assessment for 2026-11-20 18:05 UTC that is neither immediate nor ruled in."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"))
    return assess_paths(
        [EXAMPLES / "early_presenter"], at=None, now=ClinicalTime(at=NOON), settings=settings
    ).assessment


def result(
    analyte: str,
    value: float | Interval | NotAssessed,
    at: str | None = "2026-11-20T17:00:00Z",
    *,
    unit: str = "mmol/L",
    resource: str = "",
) -> Finding:
    """Return a laboratory result as intake makes it."""
    time = None if at is None else parse_fhir(at, clock="chart")
    place = FhirEvidence(
        file="chart.json",
        resource=resource or f"Observation/{analyte}-{at}",
        path="Observation.valueQuantity",
    )
    concept = Concept(text=analyte, codings=(Coding(system=ANALYTE, code=analyte),))
    if isinstance(value, NotAssessed):
        return Finding(
            concept=concept,
            state=State.NOT_ASSESSED,
            not_assessed=value,
            time=time,
            evidence=(place,),
        )
    measured = (
        QuantityInterval(interval=value, unit=unit)
        if isinstance(value, Interval)
        else Quantity(value=value, unit=unit)
    )
    return Finding(
        concept=concept, state=State.PRESENT, value=measured, time=time, evidence=(place,)
    )


def with_results(assessment: Assessment, *findings: Finding) -> Assessment:
    """Return an assessment of these results alone, with its laboratory part."""
    facts = tuple(Fact(category=Category.LABORATORY, finding=finding) for finding in findings)
    laboratory = laboratory_report(
        Timeline.of(Patient(), facts), at=assessment.provenance.at, answers={}
    )
    return assessment.model_copy(update={"findings": findings, "laboratory": laboratory})


def words(found: Sequence[Critical]) -> list[str]:
    return [one.words for one in found if one.kind == "value"]


@pytest.mark.parametrize(
    ("analyte", "value", "unit", "is_critical"),
    [
        ("potassium", 6.5, "mmol/L", True),
        ("potassium", 6.4, "mmol/L", False),
        ("potassium", 2.5, "mmol/L", True),
        ("potassium", 2.6, "mmol/L", False),
        ("sodium", 120, "mmol/L", True),
        ("sodium", 160, "mmol/L", True),
        ("sodium", 140, "mmol/L", False),
        ("glucose", 50, "mg/dL", True),
        ("glucose", 400, "mg/dL", True),
        ("haemoglobin", 7.0, "g/dL", True),
        ("haemoglobin", 7.1, "g/dL", False),
        ("platelets", 1000, "10*9/L", True),
        ("inr", 5.0, "1", True),
        ("lactate", 3.9, "mmol/L", False),
    ],
)
def test_the_limit_itself_is_critical(
    example: Assessment, analyte: str, value: float, unit: str, is_critical: bool
) -> None:
    found = critical(with_results(example, result(analyte, value, unit=unit)))
    assert bool(words(found)) is is_critical


def test_an_assessment_of_before_the_laboratory_part_is_judged_by_the_packaged_limits(
    example: Assessment,
) -> None:
    now = with_results(example, result("potassium", 7.0))
    before = now.model_copy(update={"laboratory": None})
    assert [one.key for one in critical(before)] == [one.key for one in critical(now)]


def test_a_site_sets_its_own_limit_and_the_list_follows_it(
    example: Assessment, tmp_path: Path
) -> None:
    rows = tmp_path / "site.yaml"
    rows.write_text(
        "title: Site\nversion: '1'\nlicence: x\nsources: {own: {title: Our list, year: 2026}}\n"
        "critical:\n  potassium:\n    high: {limit: 6.0, source: own, review: N}\n"
    )
    finding = result("potassium", 6.1)
    facts = (Fact(category=Category.LABORATORY, finding=finding),)
    laboratory = laboratory_report(
        Timeline.of(Patient(), facts),
        at=example.provenance.at,
        answers={},
        reference=laboratory_reference(rows),
    )
    packaged = with_results(example, finding)
    assert not words(critical(packaged))
    ours = packaged.model_copy(update={"laboratory": laboratory})
    (found,) = critical(ours)
    assert "at or above 6" in found.words
    assert "Our list" in found.citation


def test_every_limit_names_its_source_and_review_state() -> None:
    table = critical_results()
    for row in table.values.values():
        for bound in (row.low, row.high):
            if bound is not None:
                assert bound.source in table.sources
                assert bound.review


def test_a_value_within_bounds_that_reach_the_limit_may_be_critical(example: Assessment) -> None:
    above = Interval(low=6.0, low_closed=False)
    (found,) = critical(with_results(example, result("potassium", above)))
    assert found.certain is False
    assert "may be at or above 6.5" in found.words


def test_a_value_that_stays_critical_is_raised_once_and_a_worse_one_again(
    example: Assessment,
) -> None:
    series = [
        result("potassium", value, f"2026-11-20T{hour}:00:00Z")
        for hour, value in ((10, 6.6), (11, 6.6), (12, 6.5), (13, 7.1))
    ]
    assert words(critical(with_results(example, *series))) == [
        "Potassium 6.6 mmol/L is at or above 6.5",
        "Potassium 7.1 mmol/L is at or above 6.5",
    ]


def test_a_value_that_recovered_and_is_critical_again_is_raised_again(example: Assessment) -> None:
    series = [
        result("potassium", value, f"2026-11-20T{hour}:00:00Z")
        for hour, value in ((10, 6.6), (11, 4.5), (12, 6.6))
    ]
    found = critical(with_results(example, *series))
    assert len(words(found)) == 2
    assert len({one.key for one in found}) == 2


def test_a_result_of_days_ago_is_not_news_and_an_undated_one_may_be(example: Assessment) -> None:
    old = result("potassium", 7.0, "2026-11-18T10:00:00Z")
    undated = result("sodium", 110, None)
    assert words(critical(with_results(example, old, undated))) == [
        "Sodium 110 mmol/L is at or below 120"
    ]


def test_a_value_that_cannot_be_compared_is_named_and_is_no_normal_one(
    example: Assessment,
) -> None:
    reason = NotAssessed(why=Why.UNIT_NOT_RECOGNISED, detail="unit not recognised: 'foo'")
    unread = with_results(example, result("potassium", reason))
    assert critical(unread) == ()
    assert not_judged(unread.findings, unread.provenance.at) == (
        "potassium: unit not recognised: 'foo'",
    )


def test_the_same_result_in_another_file_has_the_same_key(example: Assessment) -> None:
    first = result("potassium", 7.0)
    place = first.evidence[0].model_copy(update={"file": "again.json"})
    again = first.model_copy(update={"evidence": (place,)})
    keys = {critical(with_results(example, one))[0].key for one in (first, again)}
    assert len(keys) == 1


def test_a_corrected_value_does_not_hold_and_says_what_it_is_now(example: Assessment) -> None:
    (known,) = critical(with_results(example, result("potassium", 7.0, resource="Observation/k")))
    now = with_results(example, result("potassium", 4.1, resource="Observation/k"))
    assert no_longer(known, now) == "corrected: 4.1 mmol/L"


def test_a_retracted_value_does_not_hold(example: Assessment) -> None:
    (known,) = critical(with_results(example, result("potassium", 7.0)))
    assert no_longer(known, with_results(example)) is not None


def test_a_value_that_only_grew_old_or_is_followed_by_a_better_one_still_holds(
    example: Assessment,
) -> None:
    first = result("potassium", 7.0, "2026-11-20T10:00:00Z")
    (known,) = critical(with_results(example, first))
    later = result("potassium", 4.1, "2026-11-20T17:00:00Z")
    assert no_longer(known, with_results(example, first, later)) is None


@pytest.mark.parametrize("status", [Status.REFUSED, Status.NOT_ASSESSABLE])
def test_what_could_not_be_assessed_takes_nothing_back(example: Assessment, status: Status) -> None:
    (known,) = critical(with_results(example, result("potassium", 7.0)))
    unseen = with_results(example).model_copy(update={"status": status})
    assert no_longer(known, unseen) is None


@pytest.fixture(scope="module")
def stemi(tmp_path_factory: pytest.TempPathFactory) -> Assessment:
    """An assessment with immediate actions."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"))
    return assess_paths(
        [EXAMPLES / "stemi"], at=None, now=ClinicalTime(at=NOON), settings=settings
    ).assessment


def test_a_supported_diagnosis_with_immediate_actions_is_one_critical_result(
    stemi: Assessment,
) -> None:
    (found,) = critical(stemi)
    assert found.kind == "immediate"
    assert "Supported: Acute coronary syndrome." in found.words
    assert "Immediate: Activate the ST-elevation infarction pathway now." in found.words
    assert "diagnosis:acs" in found.parts
    fewer = found.model_copy(update={"parts": found.parts[:1], "key": "r-fewer"})
    more = found.model_copy(update={"parts": (*found.parts, "zz"), "key": "r-more"})
    assert covers(found, fewer), "nothing more to do"
    assert not covers(found, more), "something more to do"
    assert no_longer(found, stemi) is None


def test_an_immediate_action_without_a_diagnosis_is_critical_too(stemi: Assessment) -> None:
    (found,) = critical(_with_verdict(stemi, Verdict.NOT_ASSESSED))
    assert "Supported" not in found.words
    assert found.words.startswith(stemi.narrative.headline)


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (Verdict.ARGUED_AGAINST, "now urgent"),
        (Verdict.SUPPORTED, "now urgent"),
        (Verdict.NOT_ASSESSED, None),
    ],
)
def test_a_diagnosis_that_is_only_not_assessed_any_more_is_not_resolved(
    stemi: Assessment, verdict: Verdict, expected: str | None
) -> None:
    (found,) = critical(stemi)
    calmer = stemi.narrative.model_copy(update={"urgency": Urgency.URGENT})
    later = _with_verdict(stemi, verdict).model_copy(update={"narrative": calmer})
    assert no_longer(found, later) == expected


def test_a_troponin_rule_in_is_critical_until_it_is_another_category(tmp_path: Path) -> None:
    nstemi = assess_paths(
        [EXAMPLES / "nstemi"],
        at=None,
        now=ClinicalTime(at=NOON),
        settings=Settings(data_dir=tmp_path),
    ).assessment
    (found,) = critical(nstemi)
    assert found.kind == "rule"
    for category, expected in (("observe", "now observe"), ("not assessed", None)):
        risks = tuple(
            risk.model_copy(update={"category": category}) if risk.name == "ESC 0/1 h" else risk
            for risk in nstemi.risks
        )
        assert no_longer(found, nstemi.model_copy(update={"risks": risks})) == expected


def test_one_series_is_one_critical_result_however_many_rules_say_so(tmp_path: Path) -> None:
    nstemi = assess_paths(
        [EXAMPLES / "nstemi"],
        at=None,
        now=ClinicalTime(at=NOON),
        settings=Settings(data_dir=tmp_path),
    ).assessment
    (one,) = critical(nstemi)
    both = tuple(
        risk.model_copy(update={"category": "rule-in"}) if risk.name == "ESC 0/3 h" else risk
        for risk in nstemi.risks
    )
    (found,) = critical(nstemi.model_copy(update={"risks": both}))
    assert found.parts == ("ESC 0/1 h", "ESC 0/3 h")
    assert found.words.endswith("Also ESC 0/3 h.")
    assert covers(one, found), "a second rule says nothing new of the same samples"
    assert [rested.value for rested in found.rests_on] == ["24 ng/L", "43 ng/L"]


def test_a_sample_that_is_late_beside_an_instability_does_not_raise_it_again(
    stemi: Assessment,
) -> None:
    (found,) = critical(stemi)
    first = stemi.recommendations[0]
    due = ClinicalTime(at=NOON)
    late = first.model_copy(
        update={"id": "next_sample", "urgency": Urgency.IMMEDIATE, "due": due, "text": "Late."}
    )
    (again,) = critical(
        stemi.model_copy(update={"recommendations": (late, *stemi.recommendations)})
    )
    assert again.key == found.key
    alone = stemi.model_copy(update={"recommendations": (late,)})
    (reminder,) = critical(alone)
    assert (reminder.subject, reminder.parts) == ("reminder", ("next_sample",))


def _with_verdict(assessment: Assessment, verdict: Verdict) -> Assessment:
    entries = tuple(
        entry.model_copy(update={"verdict": verdict}) for entry in assessment.differential
    )
    return assessment.model_copy(update={"differential": entries})


def test_every_name_in_the_data_is_one_of_the_pathway() -> None:
    table, path = critical_results(), pathway("chest_pain")
    assert set(table.said_by_values.recommendations) <= set(path.recommendations)
    assert set(table.risks) <= {step.tool for step in path.steps}
