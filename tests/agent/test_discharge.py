"""Discharge is mentioned only where everything it rests on is known and fits; the rest is named.

The base case is fully documented and ends low. Each case takes one thing away or changes it, and
what is expected is what an emergency physician would do with that.
"""

from pathlib import Path
from typing import Any

import pytest

from agent.assessment import Assessment
from knowledge.clinical_inputs import catalogue
from knowledge.finding import State
from knowledge.pathways import Urgency, pathway
from tests.agent.cases import (
    answered,
    assessed,
    change_case,
    change_chart,
    low_risk_case,
    resources,
    risk,
)
from tests.agent.test_never_low import is_low
from tests.data_folder import shared_data

BLOOD_PRESSURE, SYSTOLIC = "85354-9", "8480-6"


def advised(found: Assessment) -> list[str]:
    return [r.id for r in found.recommendations]


def without(case: Path, kind: str) -> Path:
    """Take the observations of one id out of the chart."""

    def drop(chart: dict[str, Any]) -> None:
        chart["entry"] = [
            e for e in chart["entry"] if not e["resource"].get("id", "").startswith(kind)
        ]

    change_chart(case, drop)
    return case


def observed(case: Path, **fields: Any) -> Path:
    """Add one observation to the chart, of 19:00 unless said otherwise."""
    resource = {
        "resourceType": "Observation",
        "status": "final",
        "subject": {"reference": "Patient/patient"},
        "effectiveDateTime": "2026-11-20T19:00:00+01:00",
        **fields,
    }
    change_chart(case, lambda chart: chart["entry"].append({"resource": resource}))
    return case


def loinc(code: str) -> dict[str, Any]:
    return {"coding": [{"system": "http://loinc.org", "code": code}]}


def pressure(case: Path, systolic: float, *, at: str = "18:43", site: str | None = None) -> Path:
    """Add a blood pressure; the one of the base case is 131 mmHg at 18:43."""
    return observed(
        case,
        id=f"bp-{systolic}-{site}",
        code=loinc(BLOOD_PRESSURE),
        effectiveDateTime=f"2026-11-20T{at}:00+01:00",
        component=[
            {"code": loinc(SYSTOLIC), "valueQuantity": {"value": systolic, "unit": "mmHg"}},
        ],
        **({"bodySite": {"text": site}} if site else {}),
    )


# ---- finding 1: unknown is not enough


def test_a_fully_documented_patient_of_low_risk_gets_the_low_headline(tmp_path: Path) -> None:
    found = assessed(low_risk_case(tmp_path))
    assert found.narrative.headline.startswith("Infarction is ruled out by troponin and")
    assert "rule_out_low" in advised(found)
    assert "discharge_open" not in advised(found)


UNKNOWN = [
    ("systolic_bp", "blood pressure", "blood-pressure"),
    ("heart_rate", "heart rate", "heart-rate"),
    ("spo2", "oxygen saturation", "spo2"),
    ("respiratory_rate", "respiratory rate", "respiratory-rate"),
]


@pytest.mark.parametrize(("input_id", "words", "kind"), UNKNOWN, ids=[u[0] for u in UNKNOWN])
def test_without_a_vital_sign_discharge_is_open_and_it_is_asked_for_first(
    tmp_path: Path, input_id: str, words: str, kind: str
) -> None:
    found = assessed(without(low_risk_case(tmp_path), kind))
    assert not is_low(found)
    assert found.narrative.headline.startswith("Infarction is ruled out by troponin. Still open")
    assert words in found.narrative.headline
    assert found.missing[0].input == input_id
    assert "discharge" in found.missing[0].unlocks[-1] + found.missing[0].unlocks[0]


def test_pain_that_nobody_asked_about_leaves_discharge_open(tmp_path: Path) -> None:
    case = low_risk_case(tmp_path)
    change_case(case, "  pain_ongoing: no\n", "")
    found = assessed(case)
    assert not is_low(found)
    assert "freedom from pain" in found.narrative.headline
    assert found.missing[0].input == "pain_ongoing"


def test_an_embolism_that_nobody_asked_about_leaves_discharge_open(tmp_path: Path) -> None:
    case = low_risk_case(tmp_path)
    for fact in ("dvt_signs", "pe_most_likely", "prior_vte", "haemoptysis"):
        change_case(case, f"  {fact}: no\n", "")
    change_case(case, "  pe_gestalt_below_15: yes\n", "")
    found = assessed(case)
    assert not is_low(found)
    assert "pulmonary embolism" in found.narrative.headline
    assert found.missing[0].input == "pe_gestalt_below_15"


def test_every_question_of_discharge_is_of_the_catalogue_or_about_a_sample() -> None:
    from knowledge.troponin import pathways as troponin

    asked = {i for row in pathway("chest_pain").discharge.values() for i in row.asks}
    assert asked <= set(catalogue().inputs) | set(troponin().questions)


# ---- finding 2: abnormal vital signs, and PERC positive without a D-dimer

ABNORMAL = [
    "heart_rate: 125 /min",
    "systolic_bp: 230 mmHg",
    "systolic_bp: 95 mmHg",
    "spo2: 91 %",
    "respiratory_rate: 28 /min",
    "body_temperature: 39 Cel",
]


@pytest.mark.parametrize("answer", ABNORMAL)
def test_an_abnormal_vital_sign_does_not_go_home_as_low(tmp_path: Path, answer: str) -> None:
    found = assessed(answered(low_risk_case(tmp_path), answer))
    assert not is_low(found)
    assert found.recommendations


def test_perc_positive_without_a_d_dimer_asks_for_one(tmp_path: Path) -> None:
    found = assessed(answered(low_risk_case(tmp_path), "spo2: 92 %"))
    # PERC: oxygen saturation below 95 % is one of its eight criteria
    assert risk(found, "perc").category == "positive"
    assert "pe_d_dimer_due" in advised(found)
    assert "Not met: oxygen saturation" in found.narrative.headline
    assert "Still open: evidence against pulmonary embolism" in found.narrative.headline


# ---- finding 4: a diagnosis of today


def diagnosis(case: Path, code: str, recorded: str) -> Path:
    condition = {
        "resourceType": "Condition",
        "id": "diagnosis",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "verificationStatus": {"coding": [{"code": "confirmed"}]},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": code}]},
        "subject": {"reference": "Patient/patient"},
        "recordedDate": recorded,
    }
    change_chart(case, lambda chart: chart["entry"].append({"resource": condition}))
    return case


def test_an_embolism_charted_today_is_not_only_a_previous_one(tmp_path: Path) -> None:
    found = assessed(diagnosis(low_risk_case(tmp_path), "I26.9", "2026-11-20T19:00:00+01:00"))
    assert not is_low(found)
    assert "pulmonary embolism" in found.narrative.headline
    assert "pe_diagnosed" in advised(found)
    entry = next(e for e in found.differential if e.id == "pulmonary_embolism")
    assert entry.verdict == "supported"


def test_an_embolism_of_years_ago_is_a_previous_one(tmp_path: Path) -> None:
    found = assessed(diagnosis(low_risk_case(tmp_path), "I26.9", "2019-03-01"))
    assert "pe_diagnosed" not in advised(found)
    assert not is_low(found), "prior_vte is denied by hand and charted: a disagreement"


@pytest.mark.parametrize("code", ["I24.9", "I20.0", "I21.4", "I71.1", "I46.9"])
def test_an_acute_diagnosis_of_today_is_named_and_blocks_low(tmp_path: Path, code: str) -> None:
    found = assessed(diagnosis(low_risk_case(tmp_path), code, "2026-11-20T19:00:00+01:00"))
    assert not is_low(found)
    assert any("not understood" in s.text for s in found.narrative.sentences) or code == "I46.9"


# ---- finding 5: several values of one minute, and the worst value


def test_two_pressures_of_one_minute_are_a_conflict_and_the_worse_one_counts(
    tmp_path: Path,
) -> None:
    found = assessed(pressure(low_risk_case(tmp_path), 85))
    conflict = next(c for c in found.conflicts if c.input == "systolic_bp")
    assert sorted(side.says for side in conflict.sides) == ["131 mm[Hg]", "85 mm[Hg]"]
    assert "unstable" in advised(found)  # 85 is under 90
    grace = next(i for i in risk(found, "grace_in_hospital").items if "ystolic" in i.label)
    assert (grace.low, grace.high) == (34, 53)  # 120-139 gives 34, 80-99 gives 53


def test_two_close_pressures_of_one_minute_are_no_conflict(tmp_path: Path) -> None:
    found = assessed(pressure(low_risk_case(tmp_path), 126))
    assert not [c for c in found.conflicts if c.input == "systolic_bp"]
    assert is_low(found)


def test_a_low_pressure_is_not_undone_by_a_later_normal_one(tmp_path: Path) -> None:
    case = pressure(low_risk_case(tmp_path), 84, at="18:41")
    found = assessed(case)
    assert "unstable" in advised(found)
    assert "hypotension_shock" in [c.input for c in found.conflicts]
    item = next(i for i in risk(found, "grace_in_hospital").items if "ystolic" in i.label)
    assert item.low == item.high == 53  # on admission 84 mmHg: 80-99 gives 53 points


def test_grace_takes_the_admission_and_not_the_latest_pressure(tmp_path: Path) -> None:
    found = assessed(pressure(low_risk_case(tmp_path), 165, at="19:30"))
    item = next(i for i in risk(found, "grace_in_hospital").items if "ystolic" in i.label)
    assert item.low == item.high == 34  # 131 on admission, 165 later


def test_perc_takes_the_worst_heart_rate_of_the_presentation(tmp_path: Path) -> None:
    case = observed(
        low_risk_case(tmp_path),
        id="fast",
        code=loinc("8867-4"),
        effectiveDateTime="2026-11-20T18:40:00+01:00",
        valueQuantity={"value": 118, "unit": "/min"},
    )
    assert risk(assessed(case), "perc").category == "positive"


@pytest.mark.parametrize(
    ("right", "counts"), [(100, True), (115, False)], ids=["31 apart", "16 apart"]
)
def test_a_difference_between_the_arms_is_a_criterion_of_add_rs(
    tmp_path: Path, right: float, counts: bool
) -> None:
    case = without(low_risk_case(tmp_path), "blood-pressure")
    change_case(case, "  pulse_deficit: no\n", "")
    pressure(case, 131, site="left arm")
    pressure(case, right, site="right arm")
    found = assessed(case)
    add_rs = risk(found, "add_rs")
    assert (add_rs.value == 1) is counts  # one category: more than 20 mmHg between the arms
    assert not is_low(found) or not counts


# ---- finding 6: dissection and infarction together


def rising(case: Path) -> Path:
    """Let the second troponin rise from 2.6 to 90 ng/L: rule-in by Architect (64 ng/L)."""

    def raised(chart: dict[str, Any]) -> None:
        for item in resources(chart, "Observation"):
            if item["id"] == "hs-ctni-late":
                item["valueQuantity"]["value"] = 90

    change_chart(case, raised)
    return case


@pytest.mark.parametrize(
    "answers",
    [("cta_aortic_dissection: yes",), ("pain_tearing: yes", "pulse_deficit: yes")],
    ids=["shown", "ADD-RS 2"],
)
def test_with_a_dissection_no_invasive_strategy_is_advised(
    tmp_path: Path, answers: tuple[str, ...]
) -> None:
    found = assessed(answered(rising(low_risk_case(tmp_path)), *answers))
    assert not {"nste_very_high_risk", "nstemi_early_invasive", "grace_high"} & set(advised(found))
    assert any("no antithrombotic" in r.text for r in found.recommendations)


def test_without_a_dissection_the_invasive_strategy_stays(tmp_path: Path) -> None:
    assert "nstemi_early_invasive" in advised(assessed(rising(low_risk_case(tmp_path))))


def test_a_rule_in_in_an_unstable_patient_is_immediate_in_the_headline(tmp_path: Path) -> None:
    found = assessed(answered(rising(low_risk_case(tmp_path)), "systolic_bp: 70 mmHg"))
    assert found.narrative.urgency is Urgency.IMMEDIATE
    assert "nste_very_high_risk" in advised(found)


# ---- finding 7: fibrinolysis


def test_fibrinolysis_is_offered_with_its_contraindications_where_add_rs_is_low(
    tmp_path: Path,
) -> None:
    from tests.agent.cases import example

    found = assessed(answered(example("stemi", tmp_path), "pain_severe: no"))
    assert risk(found, "add_rs").category == "low"
    row = next(r for r in found.recommendations if r.id == "stemi_lysis")
    assert "intracranial haemorrhage" in row.text
    assert "anticoagulants" in row.text
    assert "stemi_no_lysis_yet" not in advised(found)


@pytest.mark.parametrize(
    "answers",
    [
        ("pain_tearing: yes",),
        ("pain_severe: no", "pain_tearing: unknown"),
        ("pain_severe: no", "systolic_bp: 70 mmHg"),
    ],
    ids=["ADD-RS 1", "ADD-RS unknown", "shock"],
)
def test_before_fibrinolysis_a_dissection_is_excluded_unless_add_rs_is_low(
    tmp_path: Path, answers: tuple[str, ...]
) -> None:
    from tests.agent.cases import example

    found = assessed(answered(example("stemi", tmp_path), *answers))
    assert "stemi_lysis" not in advised(found)
    assert "stemi_no_lysis_yet" in advised(found)
    assert "stemi_reperfusion" in advised(found)


def test_a_shown_dissection_is_not_asked_to_be_imaged_again(tmp_path: Path) -> None:
    from tests.agent.cases import example

    found = assessed(answered(example("stemi", tmp_path), "cta_aortic_dissection: yes"))
    assert "image the aorta" not in found.narrative.headline
    assert "no fibrinolysis" in found.narrative.headline
    assert "stemi_lysis" not in advised(found)


# ---- finding 8: no D-dimer is invented


def test_wells_likely_without_a_d_dimer_says_nothing_of_one(tmp_path: Path) -> None:
    found = assessed(answered(low_risk_case(tmp_path), "dvt_signs: yes", "pe_most_likely: yes"))
    assert "pe_d_dimer" not in advised(found)
    assert "wells_likely" in advised(found)
    assert not any("above the limit" in r.text for r in found.recommendations)
    assert risk(found, "perc").category == "not assessed"


# ---- finding 9: the device disagrees


def test_st_elevation_read_by_the_device_only_keeps_the_case_open(tmp_path: Path) -> None:
    case = low_risk_case(tmp_path)
    name = "3191723_ZZDEMOPTONLY_1-04_orig.xml"
    (case / "ecg.dcm").unlink()
    (case / name).write_bytes((shared_data("ecg-sierra-xml") / name).read_bytes())
    change_case(
        case,
        "facts:\n",
        f'attach:\n  - {{file: "{name}", patient: same, '
        "recorded_at: 2026-11-20T18:46:00+01:00}\nfacts:\n",
    )
    found = assessed(case)
    assert any(c.input == "st_deviation" for c in found.conflicts)
    assert not is_low(found)
    assert "st_claimed" in advised(found)
    assert found.narrative.urgency is not Urgency.ROUTINE


# ---- finding 10: preliminary results


@pytest.mark.parametrize("status", ["preliminary", "unknown"])
@pytest.mark.parametrize("which", ["hs-ctni-late", "hs-ctni-1"])
def test_a_result_that_is_not_final_rules_nothing_out(
    tmp_path: Path, status: str, which: str
) -> None:
    case = low_risk_case(tmp_path)

    def not_final(chart: dict[str, Any]) -> None:
        for item in resources(chart, "Observation"):
            if item["id"] == which:
                item["status"] = status

    change_chart(case, not_final)
    found = assessed(case)
    assert risk(found, "ESC 0/1 h").category != "rule-out"
    assert not is_low(found)
    assert "troponin_final_result" in [m.input for m in found.missing]


def test_a_troponin_that_the_laboratory_marks_as_high_is_not_low(tmp_path: Path) -> None:
    case = low_risk_case(tmp_path)

    def marked(chart: dict[str, Any]) -> None:
        for item in resources(chart, "Observation"):
            if item["id"] == "hs-ctni-late":
                item["interpretation"] = [{"coding": [{"code": "HH"}]}]

    change_chart(case, marked)
    assert not is_low(assessed(case))


# ---- finding 11: positive signs

SIGNS = [
    (("tracheal_deviation: yes",), "tracheal_deviation"),
    (("distended_neck_veins: yes", "muffled_heart_sounds: yes"), "beck_incomplete"),
    (("vomiting: yes",), "vomiting"),
    (("potassium: 7.5 mmol/L",), "critical_laboratory"),
    (("haemoglobin: 5 g/dL",), "critical_laboratory"),
]


@pytest.mark.parametrize(("answers", "action"), SIGNS, ids=[row[1] for row in SIGNS])
def test_a_positive_sign_has_its_action_and_is_not_low(
    tmp_path: Path, answers: tuple[str, ...], action: str
) -> None:
    found = assessed(answered(low_risk_case(tmp_path), *answers))
    assert action in advised(found)
    assert not is_low(found)


def test_a_creatinine_of_8_beside_no_renal_disease_is_a_conflict(tmp_path: Path) -> None:
    case = low_risk_case(tmp_path)

    def high(chart: dict[str, Any]) -> None:
        for item in resources(chart, "Observation"):
            if item["id"].startswith("creatinine"):
                item["valueQuantity"]["value"] = 8.0

    change_chart(case, high)
    found = assessed(case)
    # CKD-EPI 2021 gives an eGFR of 8 at 43 years: far below 15
    assert "esrd_dialysis" in [c.input for c in found.conflicts]
    assert any(f.concept.text.startswith("Chronic kidney") for f in found.findings)
    assert not is_low(found)


# ---- finding 12: two scores that do not agree


def test_an_edacs_that_is_not_low_contradicts_a_low_heart_score(tmp_path: Path) -> None:
    answers = ("diaphoresis: yes", "pain_radiation_arm: yes", "pain_pleuritic: no")
    found = assessed(answered(low_risk_case(tmp_path), *answers))
    # Man of 43: age 2, male 6, diaphoresis 3, radiation 5 = 16, not below 16; HEART stays 1
    assert risk(found, "edacs").value == 16
    assert risk(found, "heart").category == "low"
    assert not is_low(found)
    assert "EDACS" in found.narrative.headline


def test_the_low_recommendation_does_not_cite_a_rule_that_was_not_determined(
    tmp_path: Path,
) -> None:
    found = assessed(low_risk_case(tmp_path))
    row = next(r for r in found.recommendations if r.id == "rule_out_low")
    assert "heart-pathway" not in row.citation


# ---- finding 13: an ECG that nobody dated

STATED_ECG = """\
  stemi_criteria: {time}
  omi_equivalent: no
  multivessel_ischaemia_pattern: no
  ecg_heart_category: normal
  lbbb: no
  paced_rhythm: no
"""


@pytest.mark.parametrize(
    ("stated", "low"),
    [
        ("no", False),
        ("{value: no, time: 2026-11-20T18:46:00+01:00, by: Dr. M}", True),
    ],
    ids=["undated", "dated"],
)
def test_an_ecg_read_by_a_person_counts_only_with_its_time(
    tmp_path: Path, stated: str, low: bool
) -> None:
    case = low_risk_case(tmp_path)
    (case / "ecg.dcm").unlink()
    change_case(case, "facts:\n", "facts:\n" + STATED_ECG.replace("{time}", stated))
    found = assessed(case)
    assert is_low(found) is low
    assert not any("none in the case" in s.text for s in found.narrative.sentences)


# ---- finding 14: a second, normal ECG

TWO = """\
schema: epicrisis/case/1
case: two-recordings
synthetic: true
time_zone: Europe/Berlin
at: 2026-11-20T09:30:00+01:00
patient: {family: Erfunden, given: [Test], birth_date: 1950-02-01, sex: female}
attach:
  - {file: s0010_re.hea, patient: same, recorded_at: 2026-11-20T09:10:00+01:00}
  - {file: waveform_ecg.dcm, patient: same, recorded_at: 2026-11-20T09:25:00+01:00}
"""


def test_a_later_normal_ecg_does_not_withdraw_the_posterior_leads(tmp_path: Path) -> None:
    for ending in ("hea", "dat", "xyz"):
        name = f"s0010_re.{ending}"
        (tmp_path / name).write_bytes((shared_data("ecg-wfdb-samples") / name).read_bytes())
    normal = shared_data("ecg-dicom") / "waveform_ecg.dcm"
    (tmp_path / "waveform_ecg.dcm").write_bytes(normal.read_bytes())
    (tmp_path / "case.yaml").write_text(TWO, "utf-8")
    found = assessed(tmp_path)
    assert sum(s.text.startswith("ECG ") for s in found.narrative.sentences) == 2
    assert "posterior_leads" in advised(found)


# ---- finding 15: seventeen or eighteen


@pytest.mark.parametrize("born", ["2008", "2008-11-21"], ids=["year only", "birthday tomorrow"])
def test_whether_the_patient_is_an_adult_is_asked_and_nothing_is_low(
    tmp_path: Path, born: str
) -> None:
    from pydicom import dcmread

    case = low_risk_case(tmp_path)

    def younger(chart: dict[str, Any]) -> None:
        resources(chart, "Patient")[0]["birthDate"] = born

    change_chart(case, younger)
    dataset = dcmread(case / "ecg.dcm")
    dataset.PatientBirthDate = ""
    dataset.save_as(case / "ecg.dcm")
    found = assessed(case)
    assert not is_low(found)
    assert "not_excluded_age_unknown" in advised(found)
    assert found.missing[0].input == "age_years"
    assert risk(found, "heart").value is None
    assert risk(found, "ESC 0/1 h").category != "rule-out"


# ---- finding 16: order and wording


def test_a_tension_pneumothorax_goes_before_reperfusion(tmp_path: Path) -> None:
    from tests.agent.cases import example

    case = example("stemi", tmp_path)
    answers = ("breath_sounds_absent_one_side: yes", "tracheal_deviation: yes")
    found = assessed(answered(case, *answers))
    assert found.recommendations[0].id == "tension"
    assert "decompress" in found.narrative.headline


@pytest.mark.parametrize("answer", ["cardiac_arrest: yes", "spo2: 80 %"])
def test_an_unstable_patient_is_not_told_about_tests_before_discharge(
    tmp_path: Path, answer: str
) -> None:
    found = assessed(answered(low_risk_case(tmp_path), answer))
    assert found.narrative.urgency is Urgency.IMMEDIATE
    assert not any("before discharge" in r.text for r in found.recommendations)


def test_the_early_presenter_is_asked_for_the_second_sample_then_for_pain() -> None:
    from tests.agent.cases import EXAMPLES

    asked = [m.input for m in assessed(EXAMPLES / "early_presenter").missing]
    assert asked[:2] == ["troponin_second_sample", "pain_ongoing"]
    assert "d_dimer_feu" in asked[2:]


def test_a_high_sample_of_yesterday_is_named_with_its_value_and_blocks_low(tmp_path: Path) -> None:
    case = observed(
        low_risk_case(tmp_path),
        id="yesterday",
        code=loinc("89579-7"),
        effectiveDateTime="2026-11-19T17:00:00+01:00",
        valueQuantity={"value": 900, "unit": "ng/L"},
    )
    found = assessed(case)
    note = next(s.text for s in found.narrative.sentences if s.text.startswith("Not used"))
    assert "troponin I 900 ng/L" in note
    assert "2026-11-19 17:00" in note
    assert not is_low(found)
    assert "left_out" in advised(found)


def test_a_patient_who_has_died_is_never_sent_home(tmp_path: Path) -> None:
    case = low_risk_case(tmp_path)
    change_chart(case, lambda c: resources(c, "Patient")[0].update({"deceasedBoolean": True}))
    found = assessed(case)
    assert not is_low(found)
    assert "has died" in found.narrative.headline


def test_a_disagreement_that_only_scores_does_not_block_low(tmp_path: Path) -> None:
    """Obesity is one point of HEART at most: 1 or 2, low either way."""
    case = observed(
        low_risk_case(tmp_path),
        id="bmi",
        code=loinc("39156-5"),
        valueQuantity={"value": 34, "unit": "kg/m2"},
    )
    found = assessed(case)
    assert "obesity" in [c.input for c in found.conflicts]
    assert is_low(found)


def test_an_answer_that_items_were_read_is_in_the_catalogue_and_unknown_by_default(
    tmp_path: Path,
) -> None:
    found = assessed(low_risk_case(tmp_path))
    states = {f.concept.text: f.state for f in found.findings}
    assert states.get("Chart items that were not understood have been read") is not State.PRESENT
