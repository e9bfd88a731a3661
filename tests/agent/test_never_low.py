"""A low conclusion is taken back by anything that speaks against it, and never stands on a gap.

The base case ends low: a late presenter, two low troponins, a normal ECG. Each case changes one
thing; what is expected is what a physician would do with that one thing.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.assessment import Assessment
from knowledge.clinical_time import parse_fhir
from knowledge.pathways import Urgency
from tests.agent.cases import (
    EXAMPLES,
    answered,
    assessed,
    change_chart,
    low_risk_case,
    resources,
)


def is_low(found: Assessment) -> bool:
    advised = {r.id for r in found.recommendations}
    return (
        "rule_out_low" in advised
        or found.narrative.urgency is Urgency.ROUTINE
        or "score is low" in found.narrative.headline
    )


def test_the_base_case_ends_low(tmp_path: Path) -> None:
    found = assessed(low_risk_case(tmp_path))
    assert is_low(found)
    assert found.narrative.urgency is Urgency.ROUTINE


DANGERS = [
    "cta_aortic_dissection: yes",
    "ctpa_pulmonary_embolism: yes",
    "hypotension_shock: yes",
    "haemodynamic_instability: yes",
    "cardiac_arrest: yes",
    "life_threatening_arrhythmia: yes",
    "acute_heart_failure: yes",
    "killip_class: III",
    "pain_ongoing: yes",
    "imaging_pneumothorax: yes",
    "imaging_pneumomediastinum: yes",
    "imaging_tamponade_signs: yes",
    "imaging_pericardial_effusion: yes",
    "pulse_deficit: yes",
    "pain_tearing: yes",
    "syncope: yes",
    "breath_sounds_absent_one_side: yes",
    "d_dimer_feu: 3000 ng/mL FEU",
    "systolic_bp: 60 mmHg",
    "spo2: 75 %",
    "heart_rate: 170 /min",
    "omi_equivalent: yes",
    "multivessel_ischaemia_pattern: yes",
    "ecg_new_ischaemia: yes",
    "stemi_criteria: yes",
    "st_deviation: unknown",
    "known_cad: unknown",
    "esrd_dialysis: unknown",
    "omi_equivalent: unknown",
    "age_years: unknown",
    "pregnancy: yes",
    "age_years: 12 a",
]


@pytest.mark.parametrize("answer", DANGERS)
def test_one_danger_takes_the_low_conclusion_back(tmp_path: Path, answer: str) -> None:
    found = assessed(answered(low_risk_case(tmp_path), answer))
    assert not is_low(found)
    assert found.recommendations, "something open or dangerous is never without an action"


ACTIONS = [
    ("cta_aortic_dissection: yes", "aortic_shown", "aortic"),
    ("ctpa_pulmonary_embolism: yes", "pe_shown", "pulmonary embolism"),
    ("hypotension_shock: yes", "unstable", "instability"),
    ("pain_ongoing: yes", "unstable", "ongoing pain"),
    ("imaging_pneumothorax: yes", "pneumothorax", "pneumothorax"),
    ("imaging_pneumomediastinum: yes", "oesophagus", "ophageal"),
    ("imaging_tamponade_signs: yes", "tamponade", "tamponade"),
    ("d_dimer_feu: 3000 ng/mL FEU", "pe_d_dimer", "D-dimer"),
    ("systolic_bp: 60 mmHg", "unstable", "instability"),
    ("age_years: 12 a", "not_excluded_age_unknown", "neither ruled in nor ruled out"),
    ("omi_equivalent: yes", "omi_equivalent", "equivalent"),
    ("pregnancy: yes", "pregnant", ""),
]


@pytest.mark.parametrize(("answer", "action", "headline"), ACTIONS, ids=[a[0] for a in ACTIONS])
def test_a_danger_has_its_action_and_its_headline(
    tmp_path: Path, answer: str, action: str, headline: str
) -> None:
    found = assessed(answered(low_risk_case(tmp_path), answer))
    assert action in [r.id for r in found.recommendations]
    assert headline in found.narrative.headline


def test_a_child_whose_birth_date_is_not_in_the_record_is_outside(tmp_path: Path) -> None:
    case = low_risk_case(tmp_path)
    (case / "ecg.dcm").unlink()  # it states the date of birth as well
    change_chart(case, lambda chart: resources(chart, "Patient")[0].pop("birthDate"))
    found = assessed(answered(case, "age_years: 12 a"))
    assert "outside_age" in [r.id for r in found.recommendations]
    assert "under 18" in found.narrative.headline


def test_a_stated_yes_against_the_tool_calls_a_cardiologist(tmp_path: Path) -> None:
    case = low_risk_case(tmp_path)
    text = (case / "case.yaml").read_text("utf-8")
    (case / "case.yaml").write_text(text + "  omi_equivalent: yes\n", "utf-8")
    found = assessed(case)
    assert "equivalent_claimed" in [r.id for r in found.recommendations]
    assert found.narrative.urgency is Urgency.IMMEDIATE


def test_a_low_pressure_beside_no_shock_is_a_conflict(tmp_path: Path) -> None:
    case = low_risk_case(tmp_path)

    def lower(chart: dict[str, Any]) -> None:
        for item in resources(chart, "Observation"):
            if item["id"] == "blood-pressure":
                item["component"][0]["valueQuantity"]["value"] = 70

    change_chart(case, lower)
    found = assessed(case)
    assert "hypotension_shock" in [c.input for c in found.conflicts]
    assert not is_low(found)


def test_a_dialysis_in_the_chart_beside_no_renal_disease_is_a_conflict(tmp_path: Path) -> None:
    case = low_risk_case(tmp_path)
    procedure = {
        "resourceType": "Procedure",
        "id": "dialysis",
        "status": "completed",
        "code": {"text": "Hemodialysis"},
        "subject": {"reference": "Patient/patient"},
        "performedDateTime": "2026-11-18T09:00:00+01:00",
    }
    change_chart(case, lambda chart: chart["entry"].append({"resource": procedure}))
    found = assessed(case)
    assert "esrd_dialysis" in [c.input for c in found.conflicts]
    assert not is_low(found)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("b.dcm", (EXAMPLES / "stemi" / "ecg.dcm").read_bytes()[:30000], id="ECG"),
        pytest.param("chart2.json", b'{"resourceType": "Bundle", ', id="chart"),
    ],
)
def test_a_file_that_cannot_be_read_leaves_the_case_open(
    tmp_path: Path, name: str, content: bytes
) -> None:
    case = low_risk_case(tmp_path)
    (case / name).write_bytes(content)
    found = assessed(case)
    assert found.status == "partial"
    assert not is_low(found)
    assert any(name in s.text for s in found.narrative.sentences)


def test_a_mistyped_fact_leaves_the_case_open_and_is_named(tmp_path: Path) -> None:
    case = low_risk_case(tmp_path)
    text = (case / "case.yaml").read_text("utf-8")
    (case / "case.yaml").write_text(text.replace("  known_cad: no", "  known_cd: no"), "utf-8")
    found = assessed(case)
    assert not is_low(found)
    assert any("known_cd" in s.text for s in found.narrative.sentences)


def test_an_undated_ecg_is_named_and_carries_no_low_conclusion(tmp_path: Path) -> None:
    from pydicom import dcmread

    case = low_risk_case(tmp_path)
    dataset = dcmread(case / "ecg.dcm")
    for name in ("AcquisitionDateTime", "StudyDate", "StudyTime", "ContentDate", "ContentTime"):
        setattr(dataset, name, "")
    dataset.save_as(case / "ecg.dcm")
    found = assessed(case)
    assert not is_low(found)
    assert any("time of the ECG" in s.text for s in found.narrative.sentences)


def test_an_assessment_long_after_the_last_sample_is_not_low(tmp_path: Path) -> None:
    later = parse_fhir("2026-11-21T15:00:00+01:00", clock="test")
    assert not is_low(assessed(low_risk_case(tmp_path), at=later))


def test_an_earlier_ecg_with_st_depression_still_counts(tmp_path: Path) -> None:
    from pydicom import dcmread

    case = low_risk_case(tmp_path)
    other = dcmread(EXAMPLES / "nstemi" / "ecg.dcm")
    own = dcmread(case / "ecg.dcm")
    for name in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex"):
        setattr(other, name, getattr(own, name))
    other.AcquisitionDateTime = "20261120180000"
    other.StudyDate = other.ContentDate = "20261120"
    other.StudyTime = other.ContentTime = "180000"
    other.save_as(case / "earlier.dcm")
    found = assessed(case)
    heart = next(r for r in found.risks if r.tool == "heart")
    assert next(i for i in heart.items if "ECG" in i.label).low == 2
    assert not is_low(found)


def test_with_the_tool_switched_off_the_ecg_is_asked_for_first(tmp_path: Path) -> None:
    found = assessed(low_risk_case(tmp_path), device_functions=False)
    assert found.recommendations[0].id == "ecg_unread"
    assert found.narrative.urgency is Urgency.IMMEDIATE
    assert "ECG" in found.narrative.headline


def test_st_elevation_with_dissection_features_warns_before_lysis(tmp_path: Path) -> None:
    from tests.agent.cases import example

    case = answered(example("stemi", tmp_path), "pain_abrupt: yes", "pulse_deficit: yes")
    found = assessed(case)
    assert found.recommendations[0].id == "stemi_with_dissection"
    assert "stemi_reperfusion" not in [r.id for r in found.recommendations]
    assert "dissection" in found.narrative.headline


@pytest.mark.parametrize(
    ("answers", "gone"),
    [
        (("pulse_deficit: yes", "pain_abrupt: yes", "cta_aortic_dissection: no"), "add_rs_high"),
        (("pe_most_likely: yes", "dvt_signs: yes", "ctpa_pulmonary_embolism: no"), "wells_likely"),
    ],
)
def test_a_negative_scan_ends_the_question(
    tmp_path: Path, answers: tuple[str, ...], gone: str
) -> None:
    found = assessed(answered(low_risk_case(tmp_path), *answers))
    assert gone not in [r.id for r in found.recommendations]
    key = "aortic_dissection" if gone == "add_rs_high" else "pulmonary_embolism"
    assert next(e for e in found.differential if e.id == key).verdict == "argued against"


@pytest.mark.parametrize(
    "answer", ["dvt_signs: yes", "pe_most_likely: yes", "d_dimer_feu: 3000 ng/mL FEU"]
)
def test_perc_does_not_stand_against_what_contradicts_it(tmp_path: Path, answer: str) -> None:
    found = assessed(answered(low_risk_case(tmp_path), answer))
    entry = next(e for e in found.differential if e.id == "pulmonary_embolism")
    assert entry.verdict != "argued against"


def test_old_samples_are_named_as_not_used(tmp_path: Path) -> None:
    case = low_risk_case(tmp_path)

    def last_week(chart: dict[str, Any]) -> None:
        first = next(r for r in resources(chart, "Observation") if r["id"].startswith("hs-ctni"))
        old = {**first, "id": "old", "effectiveDateTime": "2026-11-13T18:49:00+01:00"}
        old["valueQuantity"] = {"value": 70, "unit": "ng/L"}
        chart["entry"].append({"resource": old})

    change_chart(case, last_week)
    found = assessed(case)
    assert any("more than 24 h" in s.text for s in found.narrative.sentences)
    assert json.dumps(found.to_json()).count("2026-11-13")
