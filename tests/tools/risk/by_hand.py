"""The scores once more, written by hand from the publications' tables as plain arithmetic.

Nothing here reads the product's data or engine. `GRID` holds values that meet every limit of the
tables from both sides; the first function argument is a complete set of answers.
"""

from collections.abc import Callable, Mapping
from typing import Any

Answers = Mapping[str, Any]
Outcome = tuple[float | None, str]
"""(points, category); a rule has no points."""

YES_NO = (False, True)
GRID: dict[str, tuple[Any, ...]] = {
    "age_years": (
        18, 29, 30, 39, 40, 44, 45, 46, 49, 50, 51, 55, 56, 59, 60, 61, 64, 65, 66, 69, 70, 71, 75,
        76, 78, 79, 80, 81, 85, 86, 89, 90, 100, 101, 125,
    ),
    "heart_rate": (10, 49, 50, 69, 70, 89, 90, 99, 100, 101, 109, 110, 149, 150, 199, 200, 350),
    "systolic_bp": (20, 79, 80, 99, 100, 119, 120, 139, 140, 159, 160, 199, 200, 350),
    "creatinine": (0.05, 0.39, 0.4, 0.79, 0.8, 1.19, 1.2, 1.59, 1.6, 1.99, 2.0, 3.99, 4.0, 40),
    "spo2": (20, 94, 94.5, 95, 100),
    "d_dimer_feu": (
        0, 300, 499, 500, 501, 599, 600, 609, 610, 755, 779, 780, 999, 1000, 1001, 1250, 1000000,
    ),
    "troponin_times_limit": (0, 0.5, 1, 1.01, 3, 3.01, 1000000),
    "history_suspicion": ("slightly", "moderately", "highly"),
    "ecg_heart_category": ("normal", "nonspecific", "st_deviation"),
    "killip_class": ("I", "II", "III", "IV"),
    "sex": ("female", "male"),
}  # fmt: skip

FACTORS = (
    "hypertension", "hypercholesterolaemia", "diabetes", "smoking_current", "obesity",
    "family_history_cvd",
)  # fmt: skip
INPUTS: dict[str, tuple[str, ...]] = {
    "heart": (
        "history_suspicion", "ecg_heart_category", "age_years", "known_cad", "prior_stroke_tia",
        "peripheral_artery_disease", *FACTORS, "troponin_times_limit",
    ),
    "edacs": (
        "age_years", "sex", "known_cad", "family_history_cvd", "hypercholesterolaemia", "diabetes",
        "hypertension", "smoking_current", "diaphoresis", "pain_radiation_arm", "pain_pleuritic",
        "pain_palpation",
    ),
    "grace_in_hospital": (
        "age_years", "heart_rate", "systolic_bp", "creatinine", "killip_class", "cardiac_arrest",
        "st_deviation", "troponin_times_limit", "stemi_criteria",
    ),
    "add_rs": (
        "aortic_predisposition", "pain_abrupt", "pain_severe", "pain_tearing", "pulse_deficit",
        "focal_neuro_deficit", "new_aortic_regurgitation", "hypotension_shock",
    ),
    "wells_pe": (
        "dvt_signs", "pe_most_likely", "heart_rate", "immobilisation_or_surgery", "prior_vte",
        "haemoptysis", "malignancy_active",
    ),
    "perc": (
        "age_years", "heart_rate", "spo2", "haemoptysis", "oestrogen_use", "prior_vte",
        "unilateral_leg_swelling", "surgery_trauma_admission",
    ),
    "years": ("dvt_signs", "haemoptysis", "pe_most_likely", "d_dimer_feu"),
}  # fmt: skip
INPUTS["heart_pathway"] = (*INPUTS["heart"], "ecg_new_ischaemia", "troponin_not_elevated_0_3h")
INPUTS["edacs_adp"] = (*INPUTS["edacs"], "ecg_new_ischaemia", "troponin_not_elevated_0_2h")
INPUTS["add_rs_d_dimer"] = (*INPUTS["add_rs"], "d_dimer_feu")
INPUTS["wells_pe_three_tier"] = INPUTS["wells_pe"]
INPUTS["wells_d_dimer"] = (*INPUTS["wells_pe"], "d_dimer_feu", "age_years")


def _step(value: float, *steps: tuple[float, float]) -> float:
    """Return the points of the last (from, points) step that `value` reaches."""
    reached = 0.0
    for start, points in steps:
        if value >= start:
            reached = points
    return reached


def heart(a: Answers) -> Outcome:
    factors = sum(a[f] for f in FACTORS)
    atheroma = a["known_cad"] or a["prior_stroke_tia"] or a["peripheral_artery_disease"]
    troponin = a["troponin_times_limit"]
    total = (
        {"slightly": 0, "moderately": 1, "highly": 2}[a["history_suspicion"]]
        + {"normal": 0, "nonspecific": 1, "st_deviation": 2}[a["ecg_heart_category"]]
        + (0 if a["age_years"] < 45 else 1 if a["age_years"] < 65 else 2)
        + (2 if atheroma or factors >= 3 else 1 if factors else 0)
        + (0 if troponin <= 1 else 1 if troponin <= 3 else 2)
    )
    return total, "low" if total < 4 else "moderate" if total < 7 else "high"


def heart_pathway(a: Answers) -> Outcome:
    total, _ = heart(a)
    low = total is not None and total <= 3 and a["troponin_not_elevated_0_3h"]
    return None, "low" if low and not a["ecg_new_ischaemia"] and not a["known_cad"] else "not-low"


def edacs(a: Answers) -> Outcome:
    age = a["age_years"]
    total = 2.0 if age <= 45 else min(20, 4 + 2 * ((age - 46) // 5))
    total += 6 if a["sex"] == "male" else 0
    factors = ("family_history_cvd", "hypercholesterolaemia", "diabetes", "hypertension")
    count = sum(a[f] for f in factors) + a["smoking_current"]
    total += 4 if age <= 50 and (a["known_cad"] or count >= 3) else 0
    total += 3 * a["diaphoresis"] + 5 * a["pain_radiation_arm"]
    total -= 4 * a["pain_pleuritic"] + 6 * a["pain_palpation"]
    return total, "low" if total < 16 else "not-low"


def edacs_adp(a: Answers) -> Outcome:
    low = edacs(a)[1] == "low" and a["troponin_not_elevated_0_2h"] and not a["ecg_new_ischaemia"]
    return None, "low" if low else "not-low"


def grace_in_hospital(a: Answers) -> Outcome:
    total = _step(
        a["age_years"], (30, 8), (40, 25), (50, 41), (60, 58), (70, 75), (80, 91), (90, 100)
    )
    total += _step(a["heart_rate"], (50, 3), (70, 9), (90, 15), (110, 24), (150, 38), (200, 46))
    total += _step(
        a["systolic_bp"], (0, 58), (80, 53), (100, 43), (120, 34), (140, 24), (160, 10), (200, 0)
    )
    total += _step(
        a["creatinine"], (0, 1), (0.4, 4), (0.8, 7), (1.2, 10), (1.6, 13), (2.0, 21), (4.0, 28)
    )
    total += {"I": 0, "II": 20, "III": 39, "IV": 59}[a["killip_class"]]
    total += 39 * a["cardiac_arrest"] + 28 * a["st_deviation"]
    total += 14 if a["troponin_times_limit"] > 1 else 0
    low, middle = (125, 154) if a["stemi_criteria"] else (108, 140)
    return total, "low" if total <= low else "intermediate" if total <= middle else "high"


def add_rs(a: Answers) -> Outcome:
    pain = a["pain_abrupt"] or a["pain_severe"] or a["pain_tearing"]
    found = a["pulse_deficit"] or a["focal_neuro_deficit"] or a["new_aortic_regurgitation"]
    total = int(a["aortic_predisposition"]) + int(pain) + int(found or a["hypotension_shock"])
    return total, ("low", "intermediate", "high", "high")[total]


def add_rs_d_dimer(a: Answers) -> Outcome:
    low = add_rs(a)[1] != "high" and a["d_dimer_feu"] < 500
    return None, "rule-out" if low else "imaging"


def _wells(a: Answers) -> float:
    return float(
        3 * a["dvt_signs"]
        + 3 * a["pe_most_likely"]
        + 1.5 * (a["heart_rate"] > 100)
        + 1.5 * a["immobilisation_or_surgery"]
        + 1.5 * a["prior_vte"]
        + a["haemoptysis"]
        + a["malignancy_active"]
    )


def wells_pe(a: Answers) -> Outcome:
    return _wells(a), "unlikely" if _wells(a) <= 4 else "likely"


def wells_pe_three_tier(a: Answers) -> Outcome:
    return None, "low" if _wells(a) < 2 else "moderate" if _wells(a) <= 6 else "high"


def wells_d_dimer(a: Answers) -> Outcome:
    limit = 10 * a["age_years"] if a["age_years"] > 50 else 500
    low = _wells(a) <= 4 and a["d_dimer_feu"] < limit
    return None, "rule-out" if low else "imaging"


def perc(a: Answers) -> Outcome:
    others = (
        "haemoptysis", "oestrogen_use", "prior_vte", "unilateral_leg_swelling",
        "surgery_trauma_admission",
    )  # fmt: skip
    total = (a["age_years"] >= 50) + (a["heart_rate"] >= 100) + (a["spo2"] < 95)
    total += sum(a[i] for i in others)
    return total, "positive" if total else "rule-out"


def years(a: Answers) -> Outcome:
    items = a["dvt_signs"] + a["haemoptysis"] + a["pe_most_likely"]
    return None, "rule-out" if a["d_dimer_feu"] < (500 if items else 1000) else "imaging"


SCORES: dict[str, Callable[[Answers], Outcome]] = {
    f.__name__: f
    for f in (
        heart, heart_pathway, edacs, edacs_adp, grace_in_hospital, add_rs, add_rs_d_dimer,
        wells_pe, wells_pe_three_tier, wells_d_dimer, perc, years,
    )
}  # fmt: skip
