"""Every test vector of the fact sheet's sections F and F2, one after the other.

F was computed for the sheet and compared with other programs (clincalc 0.4.0, medcalc-bench 1.7.0),
F2 was worked by hand from the published rules. A line here is a line there.
"""

# ruff: noqa: E501 - one row of a table on one line
from typing import Any

import pytest

from knowledge.quantity import Interval, Quantity
from knowledge.risk import NOT_DETERMINED
from tests.tools.labs.troponin_cases import TNI, TNT, answers, risk, run, sample
from tests.tools.risk.by_hand import INPUTS
from tests.tools.risk.given import given, no
from tests.tools.risk.golden import Case, golden
from tools.labs.indices.compute import function_of
from tools.labs.reference_change import linear, log_normal
from tools.risk.score import evaluate

OUT, IN, OBSERVE, SECOND = "rule-out", "rule-in", "observe", "need second sample"
PENDING = "rule-out pending a 3 h sample"
# assay, first sample, sample after an hour, hours from onset to the first, categories
TROPONIN: list[tuple[str, str, str | None, float, set[str]]] = [
    (TNT, "4", None, 5, {OUT}),
    (TNT, "4", None, 2, {SECOND}),
    (TNT, "10", "12", 5, {OUT}),
    (TNT, "10", "15", 5, {IN}),
    (TNT, "10", "14", 5, {OBSERVE}),
    (TNT, "60", None, 5, {IN}),
    (TNT, "30", "25", 5, {IN}),
    (TNI, "3", None, 6, {OUT}),
    (TNI, "4", "5", 6, {OUT}),
    (TNI, "5", "6", 6, {OBSERVE}),
    (TNI, "20", "26", 6, {IN}),
    (TNT, "8", "9", 0.5, {PENDING}),
    (TNT, "<6", None, 5, {OUT, SECOND}),  # not computable: both ends of [0, 6)
]


@pytest.mark.parametrize(("assay", "first", "second", "onset", "expected"), TROPONIN)
def test_troponin(
    assay: str, first: str, second: str | None, onset: float, expected: set[str]
) -> None:
    analyte = "hs_ctnt" if assay == TNT else "hs_ctni"
    samples = [sample(0, first, analyte=analyte)]
    samples += [] if second is None else [sample(60, second, analyte=analyte)]
    found = risk(
        run(*samples, assay=assay, onset_h=onset, now=5 if second is None else 60), "ESC 0/1 h"
    )
    assert answers(found) == expected
    assert (found.category == NOT_DETERMINED) == (len(expected) > 1)


CKD, SEX = "egfr_ckd_epi_2021", "sex"
LDL_1 = {"cholesterol_mg_dl": 200, "hdl_mg_dl": 45, "triglycerides_mg_dl": 150}
LDL_2 = {"cholesterol_mg_dl": 250, "hdl_mg_dl": 40, "triglycerides_mg_dl": 350}
QT = {"qt_ms": 400, "heart_rate_per_min": 75}
SODIUM = {"sodium_mmol_l": 130, "glucose_mg_dl": 600}
GAP = {"sodium_mmol_l": 140, "chloride_mmol_l": 100, "bicarbonate_mmol_l": 20}
# index, inputs, value as the sheet prints it, half of its last digit
INDICES: list[tuple[str, dict[str, Any], float, float]] = [
    (CKD, {"creatinine_mg_dl": 1.0, "age_years": 60, SEX: "male"}, 86.2, 0.05),
    (CKD, {"creatinine_mg_dl": 1.0, "age_years": 60, SEX: "female"}, 64.5, 0.05),
    (CKD, {"creatinine_mg_dl": 0.6, "age_years": 30, SEX: "female"}, 123.8, 0.05),
    (CKD, {"creatinine_mg_dl": 2.5, "age_years": 75, SEX: "male"}, 26.1, 0.05),
    (
        "creatinine_clearance",
        {"creatinine_mg_dl": 1.5, "age_years": 70, "weight_kg": 60, SEX: "female"},
        33.06,
        0.005,
    ),
    (
        "meld_3",
        {
            "bilirubin_mg_dl": 5,
            "sodium_mmol_l": 130,
            "inr": 2.0,
            "creatinine_mg_dl": 1.8,
            "albumin_g_dl": 2.6,
            "age_years": 50,
            SEX: "female",
            "dialysis": False,
        },
        31,
        0,
    ),
    (
        "fib_4",
        {"age_years": 60, "ast_u_l": 80, "alt_u_l": 50, "platelets_10_9_l": 120},
        5.66,
        0.005,
    ),
    ("ldl_friedewald", LDL_1, 125, 0.5),
    ("ldl_sampson", LDL_1, 128.2, 0.05),
    ("ldl_martin_hopkins", {**LDL_1, "factor": 5.7}, 128.7, 0.05),
    ("ldl_friedewald", LDL_2, 140, 0.5),
    ("ldl_sampson", LDL_2, 145.5, 0.05),
    ("ldl_martin_hopkins", {**LDL_2, "factor": 6.5}, 156.2, 0.05),
    ("corrected_sodium_katz", SODIUM, 138, 0.5),
    ("corrected_sodium_hillier", SODIUM, 142, 0.5),
    ("anion_gap", GAP, 20, 0.5),
    ("anion_gap_albumin_corrected", {**GAP, "albumin_g_l": 20}, 25, 0.5),
    ("corrected_calcium_si", {"calcium_mmol_l": 2.0, "albumin_g_l": 25}, 2.30, 0.005),
    ("qtc_bazett", QT, 447.2, 0.05),
    ("qtc_fridericia", QT, 430.9, 0.05),
    ("qtc_framingham", QT, 430.8, 0.05),
    ("qtc_hodges", QT, 426.25, 0.005),
    ("qtc_rautaharju", QT, 433.3, 0.05),
    (
        "a_a_gradient",
        {"fio2_fraction": 0.21, "pao2_mmhg": 70, "paco2_mmhg": 40, "barometric_pressure_mmhg": 760},
        29.7,
        0.05,
    ),
    (
        "osmolality",
        {"sodium_mmol_l": 140, "glucose_mg_dl": 90, "urea_nitrogen_mg_dl": 14},
        290,
        0.5,
    ),
    ("estimated_average_glucose", {"hba1c_percent": 7.0}, 154.2, 0.05),
    ("hba1c_ifcc", {"hba1c_percent": 7.0}, 53.0, 0.05),
]


@pytest.mark.parametrize(("index", "inputs", "expected", "half"), INDICES)
def test_derived_index(index: str, inputs: dict[str, Any], expected: float, half: float) -> None:
    plain = {k: v if isinstance(v, str | bool) else Interval.exact(v) for k, v in inputs.items()}
    found = function_of(index)(**plain)
    assert isinstance(found.value, Quantity)
    assert found.value.value == pytest.approx(expected, rel=0, abs=half + 1e-9)


def test_reference_change_of_potassium() -> None:
    assert linear(cva=1.5, cvi=3.9, deviate=1.96) == pytest.approx(11.6, abs=0.05)
    rise, fall = log_normal(cva=1.5, cvi=3.9, deviate=1.96)
    assert rise == pytest.approx(12.3, abs=0.05)
    assert fall == pytest.approx(10.9, abs=0.05)


GRACE = {
    "cardiac_arrest": False,
    "st_deviation": False,
    "stemi_criteria": False,
    "troponin_times_limit": 2,
}
NONE = {s: no(*INPUTS[s]) for s in ("heart", "edacs", "wells_pe", "perc", "add_rs")}
HEART = {**NONE["heart"], "troponin_times_limit": 1}
# score, answers (the rest is "no" or as the golden file starts), points or range, band
SCORES: list[tuple[str, dict[str, Any], float | tuple[float, float] | None, str]] = [
    ("child_pugh", {"bilirubin": 2.5, "albumin": 2.7, "inr": 1.8, "ascites": "mild"}, 10, "class-C"),
    ("grace_in_hospital", {**GRACE, "age_years": 55, "heart_rate": 80, "systolic_bp": 135, "creatinine": 1.0, "killip_class": "I"}, 105, "low"),
    ("grace_in_hospital", {**GRACE, "age_years": 70, "heart_rate": 95, "systolic_bp": 120, "creatinine": 1.3, "killip_class": "II", "st_deviation": True}, 196, "high"),
    ("grace_in_hospital", {**GRACE, "age_years": 80, "heart_rate": 110, "systolic_bp": 95, "creatinine": 2.2, "killip_class": "III", "st_deviation": True}, 270, "high"),
    ("grace_in_hospital", {**GRACE, "age_years": 45, "heart_rate": 70, "systolic_bp": 150, "creatinine": 0.9, "killip_class": "I", "troponin_times_limit": 1}, 65, "low"),
    ("mayo_nodule", {"age_years": 55, "nodule_diameter": 20}, 10.63, "intermediate"),
    ("mayo_nodule", {"age_years": 70, "smoking_ever": True, "nodule_diameter": 12, "nodule_spiculated": True, "nodule_upper_lobe": True}, 51.37, "intermediate"),
    ("brock_nodule", {"age_years": 62, "sex": "female", "nodule_diameter": 8, "nodule_upper_lobe": True, "nodule_count": 1, "nodule_spiculated": True}, 11.75, "at-least-10"),
    ("brock_nodule_2a", {"age_years": 62, "sex": "female", "nodule_diameter": 8, "nodule_upper_lobe": True}, 6.5, "below-10"),
    ("brock_nodule", {"age_years": 62, "sex": "male", "nodule_diameter": 4, "nodule_upper_lobe": False, "nodule_count": 4, "nodule_spiculated": False}, 0.11, "below-10"),
    ("heart", {**HEART, "age_years": 52, "history_suspicion": "highly", "ecg_heart_category": "nonspecific", "hypertension": True}, 5, "moderate"),
    ("heart", {**HEART, "age_years": 50, "history_suspicion": "slightly", "ecg_heart_category": "normal", "known_cad": True}, 3, "low"),
    ("heart", {"age_years": 70, "hypertension": True, "known_cad": True}, (4, 10), NOT_DETERMINED),
    ("edacs", {**NONE["edacs"], "age_years": 48, "sex": "male", "diaphoresis": True}, 13, "low"),
    ("edacs", {**NONE["edacs"], "age_years": 62, "sex": "female", "pain_radiation_arm": True, "pain_palpation": True}, 9, "low"),
    ("timi_nstemi", {"age_years": 67, "aspirin_7d": True, "troponin_times_limit": 2}, 3, "intermediate"),
    ("wells_pe", {**NONE["wells_pe"], "heart_rate": 110, "haemoptysis": True, "prior_vte": True}, 4.0, "unlikely"),
    ("wells_pe_three_tier", {**NONE["wells_pe"], "heart_rate": 110, "haemoptysis": True, "prior_vte": True}, None, "moderate"),
    ("perc", {**NONE["perc"], "age_years": 49, "heart_rate": 99, "spo2": 95, "pe_gestalt_below_15": True}, 0, "rule-out"),
    ("perc", {**NONE["perc"], "age_years": 49, "heart_rate": 100, "spo2": 95, "pe_gestalt_below_15": True}, 1, "positive"),
    ("pesi", {"age_years": 60, "sex": "male", "heart_rate": 115, "oxygen_saturation": 88}, 110, "class-IV"),
    ("spesi", {"age_years": 60, "heart_rate": 115, "oxygen_saturation": 88}, 2, "high"),
    ("add_rs", {**NONE["add_rs"], "pain_abrupt": True, "pain_severe": True, "pulse_deficit": True}, 2, "high"),
    ("curb65", {"confusion_new": True, "urea": 8, "respiratory_rate": 24, "systolic_bp": 110, "diastolic_bp": 70, "age_years": 66}, 3, "high"),
]  # fmt: skip
GOLDEN = {
    "child_pugh",
    "mayo_nodule",
    "brock_nodule",
    "brock_nodule_2a",
    "timi_nstemi",
    "pesi",
    "spesi",
    "curb65",
}


@pytest.mark.parametrize(("score_id", "known", "points", "band"), SCORES)
def test_score(
    score_id: str,
    known: dict[str, Any],
    points: float | tuple[float, float] | None,
    band: str,
) -> None:
    if score_id in GOLDEN:
        case = Case.model_validate(
            {"name": "vector", "set": known, "band": band, "by": "the sheet"}
        )
        findings = golden(score_id).findings(case)
    else:
        findings = given(**known)
    found = evaluate(score_id, findings)
    assert (found.range if isinstance(points, tuple) else found.value) == points
    assert found.category == band


def test_two_categories_of_add_rs_are_imaged_whatever_the_d_dimer() -> None:
    known = {**NONE["add_rs"], "pain_abrupt": True, "pulse_deficit": True}
    for dimer in (100, 5000):
        assert evaluate("add_rs_d_dimer", given(**known, d_dimer_feu=dimer)).category == "imaging"
