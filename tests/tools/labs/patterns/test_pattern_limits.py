"""Every limit that the fact sheet's table B7 prints, met from both sides.

A line is a pattern, a whole case, and what one changed value makes of it: the verdict of the pattern's
own set, its grades, or the verdict of another set. The numbers are the sheet's; whether a limit itself
counts (>= or >) is as printed there. B7 prints scores too (DIC, SIC, 4Ts, PLASMIC, SOFA, qSOFA, SIRS,
McMahon): their limits are met in ``tests/golden/scores``.
"""

# ruff: noqa: E501 - one row of a table on one line
from collections.abc import Mapping
from typing import Any

import pytest

from knowledge.laboratory_patterns import laboratory_patterns
from tests.tools.labs.patterns.golden import Case, chart_of
from tools.labs.patterns.judge import judge

YES, NO, OPEN = "supported", "argued against", "not assessed"
Given = Mapping[str, Any]
Row = tuple[str, dict[str, Any], list[tuple[Given, Given]]]


def res(**results: Any) -> dict[str, Any]:
    return {"results": results}


def ans(**answers: Any) -> dict[str, Any]:
    return {"answers": answers}


QUIET = {"ckd": "absent", "heart_failure_history": "absent"}
ROWS: list[Row] = [
    # ferritin < 15 WHO, < 30 sensitive, < 45 AGA; with CRP up, CKD or HF < 100, or 100-299 + TSAT < 20
    ("iron_deficiency", {"results": {"crp": 1}, "answers": QUIET}, [
        (res(ferritin=14.9), {"verdict": YES, "who-2020": YES, "aga-2020": YES}),
        (res(ferritin=15), {"verdict": YES, "who-2020": NO}),
        (res(ferritin=29.9), {"verdict": YES}),
        (res(ferritin=30), {"verdict": OPEN, "aga-2020": YES}),
        (res(ferritin=44.9), {"verdict": OPEN, "aga-2020": YES}),
        (res(ferritin=45), {"verdict": NO, "aga-2020": NO}),
    ]),
    ("iron_deficiency", {"results": {"crp": 60, "transferrin_saturation": 25}, "answers": QUIET}, [
        (res(ferritin=99), {"verdict": YES}),
        (res(ferritin=100), {"verdict": NO}),
        (res(ferritin=100, transferrin_saturation=19.9), {"verdict": YES}),
        (res(ferritin=299, transferrin_saturation=19.9), {"verdict": YES}),
        (res(ferritin=300, transferrin_saturation=19.9), {"verdict": NO}),
        (res(ferritin=200, transferrin_saturation=20), {"verdict": NO}),
    ]),
    # ferritin > 100
    ("anaemia_of_inflammation", res(haemoglobin=9, iron=25, tibc=260, crp=80), [
        (res(ferritin=101), {"verdict": YES}),
        (res(ferritin=100), {"verdict": OPEN}),
    ]),
    # MCV < 80, Mentzer < 13, HbA2 > 3.5 %
    ("thalassaemia_trait", res(rbc=6.2, ferritin=100, haemoglobin_a2=5), [
        (res(mcv=79), {"verdict": YES}),
        (res(mcv=80), {"verdict": NO}),
    ]),
    ("thalassaemia_trait", res(mcv=70, rbc=6, ferritin=100), [
        (res(haemoglobin_a2=3.6), {"verdict": YES, "grades": {"beta"}}),
        (res(haemoglobin_a2=3.5), {"grades": {"screen"}}),
    ]),
    # B12 < 200, grey 200-300
    ("b12_folate_deficiency", res(folate=8), [
        (res(vitamin_b12=199), {"verdict": YES, "grades": {"b12"}}),
        (res(vitamin_b12=200), {"verdict": OPEN}),
        (res(vitamin_b12=300), {"verdict": OPEN}),
        (res(vitamin_b12=301), {"verdict": NO}),
    ]),
    # D-dimer of 500: > 3 x 2 points, > 7 x 3; PLT < 100 1, < 50 2; PT +3 s 1, 6 s 2; fibrinogen < 100 1; >= 5
    ("dic_overt", {"results": {"platelets": 49, "pt": 13, "fibrinogen": 300}, "limits": {"d_dimer": "<500 ng/mL FEU"}, "answers": {"dic_underlying_disorder": "present"}}, [
        (res(d_dimer=3500), {"verdict": NO}),  # 2 + 2
        (res(d_dimer=3501), {"verdict": YES}),  # 2 + 3
        (res(d_dimer=1501, pt=16.5), {"verdict": YES}),  # 2 + 2 + 1
        (res(d_dimer=1501, pt=16.4), {"verdict": NO}),
        (res(d_dimer=1500, pt=16.5), {"verdict": NO}),  # 2 + 0 + 1
        (res(d_dimer=1501, fibrinogen=99), {"verdict": YES}),
        (res(d_dimer=1501, fibrinogen=100), {"verdict": NO}),
        (res(d_dimer=3501, platelets=50), {"verdict": NO}),  # 1 + 3
    ]),
    # urate >= 8, K >= 6.0, PO4 >= 4.5, Ca <= 7.0, two of four; creatinine >= 1.5 x 1.3
    ("tumour_lysis", {"results": {"uric_acid": 8, "potassium": 4.5, "phosphate": 3.5, "calcium": 9, "creatinine": 1.0}, "answers": {"tumour_therapy_window": "present", "life_threatening_arrhythmia": "absent", "seizure_new": "absent"}}, [
        (res(), {"verdict": NO}),
        (res(potassium=6.0), {"verdict": YES, "grades": {"laboratory"}}),
        (res(potassium={-50: 5.5, -2: 5.9}), {"verdict": NO}),
        (res(phosphate=4.5), {"verdict": YES}),
        (res(phosphate=4.4), {"verdict": NO}),
        (res(calcium=7.0), {"verdict": YES}),
        (res(calcium={-50: 7.5, -2: 7.1}), {"verdict": NO}),
        (res(uric_acid=7.9, potassium=6.0), {"verdict": NO}),
        (res(potassium=6.0, creatinine=1.95), {"grades": {"clinical"}}),
        (res(potassium=6.0, creatinine=1.94), {"grades": {"laboratory"}}),
    ]),
    # glucose >= 200, BOHB >= 3.0, pH < 7.3 or HCO3 < 18; > 7.25 mild, 7.0 to 7.25 moderate, < 7.0 severe
    ("diabetic_ketoacidosis", {"results": {"glucose": 520, "beta_hydroxybutyrate": 5, "ph_arterial": 7.28, "bicarbonate": 16}, "answers": {"diabetes": "absent"}}, [
        (res(), {"verdict": YES, "grades": {"mild"}}),
        (res(glucose=200), {"verdict": YES}),
        (res(glucose=199), {"verdict": NO}),
        (res(beta_hydroxybutyrate=3.0), {"verdict": YES}),
        (res(beta_hydroxybutyrate=2.9), {"verdict": NO}),
        (res(ph_arterial=7.3, bicarbonate=18), {"verdict": NO}),
        (res(ph_arterial=7.3, bicarbonate=17.9), {"verdict": YES}),
        (res(ph_arterial=7.29, bicarbonate=18), {"verdict": YES}),
        (res(bicarbonate=15), {"grades": {"mild"}}),
        (res(bicarbonate=14.9), {"grades": {"moderate"}}),
        (res(ph_arterial=7.25), {"grades": {"moderate"}}),
        (res(bicarbonate=10), {"grades": {"moderate"}}),
        (res(bicarbonate=9.9), {"grades": {"severe"}}),
        (res(ph_arterial=7.0), {"grades": {"moderate"}}),
        (res(ph_arterial=6.99), {"grades": {"severe"}}),
    ]),
    # 2009: glucose > 250
    ("diabetic_ketoacidosis", res(beta_hydroxybutyrate=5, ph_arterial=7.2, bicarbonate=12, sodium=140, chloride=100), [
        (res(glucose=251), {"ada-2009": YES}),
        (res(glucose=250), {"ada-2009": NO}),
    ]),
    # glucose >= 600, effective osmolality > 300, BOHB < 3, pH >= 7.3 and HCO3 >= 15
    ("hyperosmolar_hyperglycaemic_state", res(glucose=900, sodium=150, beta_hydroxybutyrate=1, ph_venous=7.35, bicarbonate=20), [
        (res(glucose=600), {"verdict": YES}),
        (res(glucose=599), {"verdict": NO}),
        (res(beta_hydroxybutyrate=3), {"verdict": NO}),
        (res(beta_hydroxybutyrate=2.9), {"verdict": YES}),
        (res(ph_venous=7.3), {"verdict": YES}),
        (res(ph_venous=7.29), {"verdict": NO}),
        (res(bicarbonate=15), {"verdict": YES}),
        (res(bicarbonate=14.9), {"verdict": NO}),
        (res(sodium=125.1), {"verdict": YES}),  # 250.2 + 50
        (res(sodium=125, osmolality=320), {"verdict": NO}),  # 250 + 50, total 320
        (res(sodium=125, osmolality=321), {"verdict": YES}),
    ]),
    # CK >= 5 x; kidney risk > 5000
    ("rhabdomyolysis", {"results": {"ck": 1000}, "limits": {"ck": "<200"}}, [
        (res(), {"verdict": YES, "grades": {"mild"}}),
        (res(ck=999), {"verdict": NO}),
        (res(ck=5000), {"grades": {"mild"}}),
    ]),
    # + 0.3 in 48 h, 1.5 x in 7 d; 2.0 x, 3.0 x or 4.0 mg/dL
    ("acute_kidney_injury", {"answers": {"oliguria": "none", "renal_replacement": "absent"}}, [
        (res(creatinine={-49.5: 1.0, -2: 1.3}), {"verdict": YES, "grades": {"stage-1"}}),
        (res(creatinine={-49.5: 1.0, -2: 1.29}), {"verdict": NO}),
        (res(creatinine={-122: 0.8, -26: 1.1, -2: 1.2}), {"verdict": YES, "grades": {"stage-1"}}),
        (res(creatinine={-122: 0.8, -26: 1.1, -2: 1.19}), {"verdict": NO}),
        (res(creatinine={-122: 1.0, -2: 1.99}), {"grades": {"stage-1"}}),
        (res(creatinine={-122: 1.0, -2: 2.0}), {"grades": {"stage-2"}}),
        (res(creatinine={-122: 1.0, -2: 2.99}), {"grades": {"stage-2"}}),
        (res(creatinine={-122: 1.0, -2: 3.0}), {"grades": {"stage-3"}}),
        (res(creatinine={-26: 3.0, -2: 3.99}), {"grades": {"stage-1"}}),
        (res(creatinine={-26: 3.0, -2: 4.0}), {"grades": {"stage-3"}}),
    ]),
    # G 90/60/45/30/15; A 30 and > 300
    ("chronic_kidney_disease", {"results": {"urine_acr": 29}, "answers": {"ckd": "present"}}, [
        (res(egfr=60), {"verdict": NO}),
        (res(egfr=59), {"verdict": YES, "grades": {"G3a"}}),
        (res(egfr=45), {"grades": {"G3a"}}),
        (res(egfr=44), {"grades": {"G3b"}}),
        (res(egfr=30), {"grades": {"G3b"}}),
        (res(egfr=29), {"grades": {"G4"}}),
        (res(egfr=15), {"grades": {"G4"}}),
        (res(egfr=14), {"grades": {"G5"}}),
        (res(egfr=90, urine_acr=30), {"verdict": YES, "grades": {"G1"}, "kdigo-a grades": {"A2"}}),
        (res(egfr=89, urine_acr=300), {"grades": {"G2"}, "kdigo-a grades": {"A2"}}),
        (res(egfr=89, urine_acr=301), {"kdigo-a grades": {"A3"}}),
    ]),
    # ALT >= 3 x, bilirubin >= 2 x, ALP < 2 x
    ("hys_law", {"results": {"alt": 120, "bilirubin_total": 2.4, "alp": 239}, "limits": {"alt": "<40", "bilirubin_total": "<1.2", "alp": "<120"}, "answers": {"liver_injury_other_cause": "absent"}}, [
        (res(), {"verdict": YES}),
        (res(alt=119, ast=20), {"verdict": NO}),
        (res(bilirubin_total=2.3), {"verdict": NO}),
        (res(alp=240), {"verdict": NO}),
    ]),
    # INR >= 1.5
    ("acute_liver_failure", {"answers": {"encephalopathy": "mild", "cirrhosis_known": "absent", "liver_illness_under_26_weeks": "present"}}, [
        (res(inr=1.5), {"verdict": YES}),
        (res(inr=1.4), {"verdict": NO}),
    ]),
    # lipase or amylase >= 3 x
    ("acute_pancreatitis", {"limits": {"lipase": "<60", "amylase": "<100"}, "answers": {"pancreatitis_pain": "present", "pancreatitis_imaging": "absent"}}, [
        (res(lipase=180), {"verdict": YES}),
        (res(lipase=179, amylase=299), {"verdict": NO}),
        (res(lipase=179, amylase=300), {"verdict": YES}),
    ]),
    # protein ratio > 0.5, LDH ratio > 0.6, LDH > 2/3 of 300
    ("pleural_exudate", {"results": {"total_protein": 8, "ldh": 250}, "limits": {"ldh": "<300"}}, [
        (ans(pleural_fluid_protein=4.0, pleural_fluid_ldh=150), {"verdict": NO}),
        (ans(pleural_fluid_protein=4.1, pleural_fluid_ldh=150), {"verdict": YES}),
        (ans(pleural_fluid_protein=4.0, pleural_fluid_ldh=151), {"verdict": YES}),
    ]),
    ("pleural_exudate", {"results": {"total_protein": 8, "ldh": 400}, "limits": {"ldh": "<300"}}, [
        (ans(pleural_fluid_protein=4.0, pleural_fluid_ldh=200), {"verdict": NO}),
        (ans(pleural_fluid_protein=4.0, pleural_fluid_ldh=201), {"verdict": YES}),
    ]),
    # lactate > 2
    ("sepsis", {"results": {"platelets": 90, "bilirubin_total": 3}, "answers": {"infection_suspected": "present", "sofa_baseline": 0, "vasopressor_for_map_65": "present"}}, [
        (res(lactate=2.0), {"verdict": YES, "grades": {"sepsis"}}),
        (res(lactate=2.1), {"grades": {"septic-shock"}}),
    ]),
    # urine osmolality > 100, urine sodium > 30
    ("hypotonic_hyponatraemia", res(sodium=120, osmolality=250, urine_sodium=31), [
        (res(urine_osmolality=100), {"grades": {"water-excess"}}),
        (res(urine_osmolality=101), {"grades": {"kidney-or-siad"}}),
        (res(urine_osmolality=500, urine_sodium=30), {"grades": {"low-volume"}}),
    ]),
    # emergency from 6.5
    ("hyperkalaemia", ans(ecg_hyperkalaemia="absent"), [
        (res(potassium={-6: 6.4, -2: 6.5}), {"verdict": YES, "grades": {"severe"}}),
        (res(potassium={-6: 6.4, -2: 6.4}), {"grades": {"moderate"}}),
    ]),
    # TSH above 4.0 and below 0.4 with FT4 0.8 to 1.8
    ("primary_hypothyroidism", {"results": {"tsh": 12}, "answers": {"non_thyroidal_illness_now": "absent"}}, [
        (res(free_t4=0.79), {"verdict": YES, "grades": {"overt"}}),
        (res(free_t4=0.8), {"verdict": YES, "grades": {"subclinical"}}),
    ]),
    ("hyperthyroidism", {"results": {"tsh": 0.1, "free_t3": 3.0}, "answers": {"takes_biotin": "absent", "non_thyroidal_illness_now": "absent"}}, [
        (res(free_t4=1.9), {"verdict": YES, "grades": {"overt"}}),
        (res(free_t4=1.8), {"verdict": YES, "grades": {"subclinical"}}),
    ]),
    # men < 13, women < 12, pregnant < 11 (B1.1)
    ("anaemia", {"sex": "female", "age": 30, "results": {"mcv": 90}}, [
        ({**res(haemoglobin=11.0), **ans(pregnant_now="present")}, {"verdict": NO}),
        ({**res(haemoglobin=10.9), **ans(pregnant_now="present")}, {"verdict": YES}),
        ({**res(haemoglobin=12.0), **ans(pregnant_now="absent")}, {"verdict": NO}),
        ({**res(haemoglobin=11.9), **ans(pregnant_now="absent")}, {"verdict": YES}),
    ]),
]  # fmt: skip
FLAT = [(p, base, change, want) for p, base, changes in ROWS for change, want in changes]


@pytest.mark.parametrize(
    ("pattern", "base", "change", "want"), FLAT, ids=[f"{n}-{r[0]}" for n, r in enumerate(FLAT)]
)
def test_a_limit_parts_where_the_table_says(
    pattern: str, base: dict[str, Any], change: Given, want: Given
) -> None:
    together = dict(base)
    for part, values in change.items():
        together[part] = {**base.get(part, {}), **values}
    case = Case.model_validate({"name": "limit", "verdict": "", "by": "B7", **together})
    found = judge(laboratory_patterns()[pattern], chart_of(case))
    sets = {one.id: one for one in found.sets}
    seen: dict[str, Any] = {"verdict": found.verdict}
    seen["grades"] = {grade.id for grade in found.sets[0].grades}
    seen |= {key: one.verdict for key, one in sets.items()}
    seen |= {f"{key} grades": {g.id for g in one.grades} for key, one in sets.items()}
    assert {key: seen[key] for key in want} == dict(want), found.statement.en
