"""What one presentation's data may and may not set off, and what the headline then says.

Old diagnoses, the ECG's own findings, other causes of a raised troponin, contraindications in the
case. Expected values are what the guidelines of the pathway's sources, or an emergency physician,
ask for.
"""

from pathlib import Path
from typing import Any

import pytest

from agent.assessment import Assessment
from knowledge.finding import State
from knowledge.pathways import Urgency, pathway
from tests.agent.cases import (
    EXAMPLES,
    answered,
    assessed,
    change_chart,
    example,
    low_risk_case,
    resources,
    risk,
)
from tests.agent.test_discharge import SIGNS, advised, loinc, observed, rising
from tests.agent.test_never_low import DANGERS, is_low

ORDER = list(Urgency)


def diagnosed(case: Path, name: str, recorded: str | None, *, status: str = "active") -> Path:
    """Add a diagnosis in words to the problem list."""
    condition: dict[str, Any] = {
        "resourceType": "Condition",
        "id": "diagnosis",
        "clinicalStatus": {"coding": [{"code": status}]},
        "verificationStatus": {"coding": [{"code": "confirmed"}]},
        "code": {"text": name},
        "subject": {"reference": "Patient/patient"},
    }
    if recorded is not None:
        condition["onsetDateTime"] = recorded
    change_chart(case, lambda chart: chart["entry"].append({"resource": condition}))
    return case


# ---- 1: the age of a diagnosis


def test_an_old_pneumothorax_does_not_turn_shock_into_tension(tmp_path: Path) -> None:
    case = diagnosed(low_risk_case(tmp_path), "Tension pneumothorax", "2010-03-01")
    found = assessed(answered(case, "systolic_bp: 85 mmHg"))
    assert "tension" not in advised(found)
    assert "decompress" not in found.narrative.headline
    assert "unstable" in advised(found)


@pytest.mark.parametrize("name", ["Pneumothorax", "Pneumomediastinum", "Cardiac arrest"])
def test_an_acute_diagnosis_without_a_date_is_asked_and_never_low(
    tmp_path: Path, name: str
) -> None:
    found = assessed(diagnosed(low_risk_case(tmp_path), name, None))
    assert not is_low(found)
    assert "undated_diagnosis" in advised(found)
    assert found.narrative.headline.startswith("An acute diagnosis of unknown date")


def test_a_dissection_of_years_ago_does_not_withhold_reperfusion(tmp_path: Path) -> None:
    found = assessed(diagnosed(example("stemi", tmp_path), "Aortic dissection", "2015-01-01"))
    assert "stemi_reperfusion" in advised(found)
    assert "stemi_lysis" not in advised(found)
    assert "aortic syndrome" not in found.narrative.headline


@pytest.mark.parametrize("status", ["active", "resolved"])
def test_a_dissection_of_years_ago_predisposes_against_the_word_of_the_sheet(
    tmp_path: Path, status: str
) -> None:
    case = diagnosed(low_risk_case(tmp_path), "Aortic dissection", "2015-01-01", status=status)
    found = assessed(case)
    assert "aortic_predisposition" in [c.input for c in found.conflicts]
    assert not is_low(found)


def test_a_dissection_diagnosed_today_is_not_called_a_result_of_imaging(tmp_path: Path) -> None:
    found = assessed(diagnosed(low_risk_case(tmp_path), "Aortic dissection", "2026-11-20"))
    said = found.narrative.headline + " ".join(r.text for r in found.recommendations)
    assert "CT angiography shows" not in said
    assert "current diagnosis of an acute aortic syndrome" in found.narrative.headline
    assert found.recommendations[0].urgency is Urgency.IMMEDIATE
    assert not is_low(found)


def test_a_dissection_of_today_that_ct_is_said_to_exclude_is_cleared_up(tmp_path: Path) -> None:
    case = diagnosed(low_risk_case(tmp_path), "Aortic dissection", "2026-11-20")
    found = assessed(answered(case, "cta_aortic_dissection: no"))
    assert "aortic_diagnosis_denied" in advised(found)
    assert not is_low(found)


# ---- 5: what the ECG says by itself


def ecg_rate(monkeypatch: pytest.MonkeyPatch, *, rate: float | None, present: str = "") -> None:
    """Let the ECG of a case be read with another rate, or with one more statement."""
    from agent.ecg_step import EcgRun, run_ecg

    def changed(*args: Any, **kwargs: Any) -> Any:
        runs = []
        for run in run_ecg(*args, **kwargs):
            report = run.report
            measured = [
                m.model_copy(update={"value": m.value.model_copy(update={"value": rate})})
                if rate is not None and m.concept.text.startswith("Heart rate") and m.value
                else m
                for m in report.measurements
            ]
            said = [
                f.model_copy(update={"state": State.PRESENT, "not_assessed": None})
                if any(c.code == present for c in f.concept.codings)
                else f
                for f in report.findings
            ]
            report = report.model_copy(
                update={"measurements": tuple(measured), "findings": tuple(said)}
            )
            runs.append(EcgRun(recording=run.recording, report=report, analysed=run.analysed))
        return tuple(runs)

    monkeypatch.setattr("agent.assess.run_ecg", changed)


def test_a_fast_rate_on_the_ecg_counts_for_perc_and_against_discharge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ecg_rate(monkeypatch, rate=116)
    found = assessed(low_risk_case(tmp_path))
    assert risk(found, "perc").category == "positive"  # PERC asks for a rate below 100
    wells = next(i for i in risk(found, "wells_pe").items if "rate" in i.label.casefold())
    assert wells.low == wells.high == 1.5  # above 100
    assert not is_low(found)
    assert "heart rate of 45 to 100/min" in found.narrative.headline
    assert any("dcm" in e.model_dump_json() for e in wells.evidence)


def test_the_rate_of_the_ecg_does_not_stand_for_one_taken_at_the_bedside(tmp_path: Path) -> None:
    from tests.agent.test_discharge import without

    found = assessed(without(low_risk_case(tmp_path), "heart-rate"))
    assert not is_low(found)
    assert found.missing[0].input == "heart_rate"


ECG_FINDINGS = [
    ("atrial-fibrillation", "atrial_fibrillation_new"),
    ("qtc-above-500", "qtc_high_risk"),
    ("pathological-q", "q_waves"),
    ("wellens", "wellens"),
    ("de-winter", "de_winter"),
    ("posterior-lead-elevation", "posterior_lead"),
]


@pytest.mark.parametrize(("code", "row"), ECG_FINDINGS, ids=[r[1] for r in ECG_FINDINGS])
def test_a_finding_of_the_ecg_has_its_advice_and_is_not_low(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, row: str
) -> None:
    ecg_rate(monkeypatch, rate=None, present=code)
    found = assessed(low_risk_case(tmp_path))
    assert row in advised(found)
    assert not is_low(found)


@pytest.mark.parametrize("code", ["de-winter", "posterior-lead-elevation"])
def test_an_equivalent_of_st_elevation_infarction_is_an_immediate_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """ACC/AHA 2025 and ACC 2022 list both among the equivalents."""
    ecg_rate(monkeypatch, rate=None, present=code)
    found = assessed(low_risk_case(tmp_path))
    assert found.narrative.urgency is Urgency.IMMEDIATE
    assert "de Winter pattern or ST elevation in a posterior lead" in found.narrative.headline
    acs = next(d for d in found.differential if d.id == "acs")
    assert acs.verdict == "supported"


def test_atrial_fibrillation_that_is_charted_is_not_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ecg_rate(monkeypatch, rate=None, present="atrial-fibrillation")
    case = diagnosed(low_risk_case(tmp_path), "Permanent atrial fibrillation", "2018-01-01")
    assert "atrial_fibrillation_new" not in advised(assessed(case))


def test_a_high_grade_block_is_an_immediate_call(tmp_path: Path) -> None:
    found = assessed(diagnosed(low_risk_case(tmp_path), "Complete heart block", "2026-11-20"))
    assert found.recommendations[0].id == "high_grade_block"
    assert found.narrative.urgency is Urgency.IMMEDIATE
    assert not is_low(found)


# ---- 6: a rule-in beside another cause

INVASIVE = {"nste_very_high_risk", "nstemi_early_invasive", "grace_high", "ecg_ischaemia"}
CAUSES = [
    ("ctpa_pulmonary_embolism: yes",),
    ("ctpa_pulmonary_embolism: yes", "systolic_bp: 80 mmHg"),
    ("pulmonary_embolism_diagnosed: yes",),
    ("imaging_tamponade_signs: yes",),
    ("myopericarditis_diagnosed: yes",),
    ("haemoglobin: 5 g/dL",),
]


@pytest.mark.parametrize("answers", CAUSES, ids=["+".join(c) for c in CAUSES])
def test_another_cause_of_the_troponin_goes_before_the_coronary_arteries(
    tmp_path: Path, answers: tuple[str, ...]
) -> None:
    found = assessed(answered(rising(low_risk_case(tmp_path)), *answers))
    assert not INVASIVE & set(advised(found))
    row = next(r for r in found.recommendations if r.id == "rule_in_other_cause")
    assert "{" not in row.text
    assert found.narrative.urgency is Urgency.IMMEDIATE


def test_a_likely_embolism_is_imaged_before_an_invasive_strategy(tmp_path: Path) -> None:
    answers = ("dvt_signs: yes", "pe_most_likely: yes")
    found = assessed(answered(rising(low_risk_case(tmp_path)), *answers))
    assert not INVASIVE & set(advised(found))
    assert {"rule_in_embolism_likely", "wells_likely"} <= set(advised(found))


VERY_HIGH = [
    "pain_ongoing: yes",
    "haemodynamic_instability: yes",
    "cardiac_arrest: yes",
    "life_threatening_arrhythmia: yes",
    "acute_heart_failure: yes",
    "mechanical_complication: yes",
    "dynamic_st_changes: yes",
]


@pytest.mark.parametrize("answer", VERY_HIGH)
def test_a_feature_of_the_esc_list_calls_for_angiography_within_2_hours(
    tmp_path: Path, answer: str
) -> None:
    assert "nste_very_high_risk" in advised(
        assessed(answered(rising(low_risk_case(tmp_path)), answer))
    )


@pytest.mark.parametrize("answer", ["heart_rate: 160 /min", "systolic_bp: 230 mmHg", "spo2: 85 %"])
def test_a_vital_sign_that_is_not_of_the_esc_list_calls_a_senior_and_not_the_laboratory(
    tmp_path: Path, answer: str
) -> None:
    found = assessed(answered(rising(low_risk_case(tmp_path)), answer))
    assert "nste_very_high_risk" not in advised(found)
    assert {"unstable", "nstemi_early_invasive"} <= set(advised(found))
    assert found.narrative.urgency is Urgency.IMMEDIATE


# ---- 7: what speaks against fibrinolysis

AGAINST_LYSIS = [
    ("intracranial_haemorrhage: yes", "intracranial haemorrhage"),
    ("prior_stroke_tia: yes", "earlier stroke"),
    ("bleeding_recent: yes", "bleeding"),
    ("surgery_trauma_admission: yes", "surgery"),
    ("anticoagulant_use: yes", "anticoagulant"),
    ("pregnancy: yes", "pregnancy"),
    ("systolic_bp: 210 mmHg", "180/110"),
    ("haemoglobin: 5 g/dL", "haemoglobin"),
]


@pytest.mark.parametrize(("answer", "words"), AGAINST_LYSIS, ids=[r[0] for r in AGAINST_LYSIS])
def test_a_contraindication_in_the_case_is_named_and_fibrinolysis_not_offered(
    tmp_path: Path, answer: str, words: str
) -> None:
    found = assessed(answered(example("stemi", tmp_path), "pain_severe: no", answer))
    assert risk(found, "add_rs").category == "low"
    assert "stemi_lysis" not in advised(found)
    row = next(r for r in found.recommendations if r.id == "stemi_lysis_contraindicated")
    assert words in row.text
    assert "stemi_reperfusion" in advised(found)


@pytest.mark.parametrize(("status", "named"), [("active", True), ("stopped", False)])
def test_an_anticoagulant_of_the_medication_list_counts_while_it_is_taken(
    tmp_path: Path, status: str, named: bool
) -> None:
    case = answered(example("stemi", tmp_path), "pain_severe: no")
    medicine = {
        "resourceType": "MedicationStatement",
        "id": "anticoagulant",
        "status": status,
        "medicationCodeableConcept": {"text": "Apixaban 5 mg tablet"},
        "subject": {"reference": f"Patient/{_patient_id(case)}"},
        "effectiveDateTime": "2026-11-01",
    }
    change_chart(case, lambda chart: chart["entry"].append({"resource": medicine}))
    found = assessed(case)
    assert ("stemi_lysis_contraindicated" in advised(found)) is named
    assert ("stemi_lysis" in advised(found)) is not named


def _patient_id(case: Path) -> str:
    found: list[str] = []
    change_chart(case, lambda chart: found.append(resources(chart, "Patient")[0]["id"]))
    return found[0]


# ---- 8: the headline


@pytest.mark.parametrize("kind", ["local code", "yesterday"])
def test_a_troponin_that_was_not_used_opens_the_headline_with_its_value(
    tmp_path: Path, kind: str
) -> None:
    case = low_risk_case(tmp_path)
    if kind == "local code":
        observed(
            case,
            id="local",
            code={"text": "Troponin I"},
            valueQuantity={"value": 900, "unit": "ng/L"},
        )
    else:
        observed(
            case,
            id="yesterday",
            code=loinc("89579-7"),
            effectiveDateTime="2026-11-19T17:00:00+01:00",
            valueQuantity={"value": 900, "unit": "ng/L"},
        )
    headline = assessed(case).narrative.headline
    assert headline.startswith("Not understood or not used: ")
    assert "900 ng/L" in headline
    assert "Infarction is ruled out" not in headline
    assert "{" not in headline


@pytest.mark.parametrize(("answers", "row"), SIGNS[:3], ids=[s[1] for s in SIGNS[:3]])
def test_a_danger_sign_opens_the_headline(
    tmp_path: Path, answers: tuple[str, ...], row: str
) -> None:
    found = assessed(answered(low_risk_case(tmp_path), *answers))
    assert not found.narrative.headline.startswith("Infarction is ruled out")
    assert "another dangerous cause is looked for" in found.narrative.headline
    assert found.recommendations[0].id == row


ANY_ANSWER = list(
    dict.fromkeys(
        [
            *((d,) for d in DANGERS),
            *(s[0] for s in SIGNS),
            *CAUSES,
            *((v,) for v in VERY_HIGH),
            *((a[0],) for a in AGAINST_LYSIS),
        ]
    )
)


def _is_covered(found: Assessment) -> bool:
    if not found.recommendations:
        return True
    top = min(ORDER.index(r.urgency) for r in found.recommendations)
    return ORDER.index(found.narrative.urgency) <= top


@pytest.mark.parametrize("name", ["stemi", "nstemi", "early_presenter", "half_missing"])
def test_the_headline_of_a_bundled_case_is_as_urgent_as_its_first_advice(name: str) -> None:
    assert _is_covered(assessed(EXAMPLES / name))


@pytest.mark.parametrize("base", ["low", "rising", "stemi", "half_missing"])
@pytest.mark.parametrize("answers", ANY_ANSWER, ids=["+".join(a) for a in ANY_ANSWER])
def test_the_headline_is_as_urgent_as_the_first_advice(
    tmp_path: Path, base: str, answers: tuple[str, ...]
) -> None:
    if base in ("low", "rising"):
        case = low_risk_case(tmp_path)
        case = rising(case) if base == "rising" else case
    else:
        case = example(base, tmp_path)
    found = assessed(answered(case, *answers))
    assert _is_covered(found)
    assert "{" not in found.narrative.headline


# ---- 9: low and "another sample" never together


@pytest.mark.parametrize("minutes", range(0, 60, 5))
def test_no_case_is_low_while_a_rule_asks_for_a_sample(tmp_path: Path, minutes: int) -> None:
    """The second sample between 18:50 and 19:45 falls into and out of every window."""
    case = low_risk_case(tmp_path)
    when = 18 * 60 + 50 + minutes

    def moved(chart: dict[str, Any]) -> None:
        for item in resources(chart, "Observation"):
            if item["id"] == "hs-ctni-late":
                item["effectiveDateTime"] = f"2026-11-20T{when // 60}:{when % 60:02d}:00+01:00"

    change_chart(case, moved)
    found = assessed(case)
    assert not (is_low(found) and "next_sample" in advised(found))
    assert not (is_low(found) and any(r.next_due is not None for r in found.risks))


def test_a_rule_out_by_one_rule_waits_for_the_sample_another_rule_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agent.troponin_step import run_troponin

    case = low_risk_case(tmp_path)

    def one_more_due(*args: Any, **kwargs: Any) -> Any:
        risks, said = run_troponin(*args, **kwargs)
        asking = risks["troponin_esc_0_2h"].model_copy(update={"next_due": kwargs["at"]})
        return {**risks, "troponin_esc_0_2h": asking}, said

    monkeypatch.setattr("agent.assess.run_troponin", one_more_due)
    found = assessed(case)
    assert "next_sample" in advised(found)
    assert not is_low(found)


# ---- 13: who has died


@pytest.mark.parametrize("name", ["stemi", "nstemi", "early_presenter", "half_missing"])
def test_nothing_is_advised_beside_checking_the_record_of_who_has_died(
    tmp_path: Path, name: str
) -> None:
    case = example(name, tmp_path)
    change_chart(case, lambda c: resources(c, "Patient")[0].update({"deceasedBoolean": True}))
    found = assessed(case)
    assert advised(found) == ["deceased"]
    assert found.narrative.headline.startswith("The record says that the patient has died")
    assert found.narrative.urgency is Urgency.URGENT


def test_every_condition_whose_label_a_recommendation_names_exists() -> None:
    path = pathway("chest_pain")
    for row in path.recommendations.values():
        assert ("{present}" in row.text) == bool(row.names)
