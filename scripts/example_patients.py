"""The five invented patients of the bundled examples."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

DAY = datetime(2026, 11, 20, tzinfo=timezone(timedelta(hours=1)))


@dataclass(frozen=True, kw_only=True)
class Example:
    """One invented patient."""

    name: str
    about: str
    number: int
    family: str
    given: str
    sex: str
    birth: str
    arrival: datetime
    results: tuple[tuple[str, float | str, str, int], ...]
    """(analyte, value, unit, minutes after arrival)."""
    blood_pressure: tuple[int, int] | None
    conditions: tuple[tuple[str, str], ...] = ()
    ecg: Mapping[str, Any] = field(default_factory=dict)
    case: str = ""
    ecg_naive: bool = False
    remarks: Mapping[str, str] = field(default_factory=dict)
    """The laboratory's remark on a result of this visit, by analyte."""


EXAMPLES = (
    Example(
        name="stemi",
        about="inferior ST-elevation infarction, 55 minutes after the pain began",
        number=1,
        family="Beispiel",
        given="Arno",
        sex="male",
        birth="1964-03-09",
        arrival=DAY.replace(hour=9, minute=5),
        results=(
            ("hs_ctnt", 31, "ng/L", 12),
            ("creatinine", 1.0, "mg/dL", 12),
            ("potassium", 4.1, "mmol/L", 12),
            ("heart_rate", 62, "/min", 3),
            ("respiratory_rate", 18, "/min", 3),
            ("spo2", 97, "%", 3),
        ),
        blood_pressure=(128, 76),
        conditions=(("I10", "Essential hypertension"),),
        ecg={
            "rate_per_min": 62,
            "st_mv": {"I": -0.09, "II": 0.2, "V1": 0.0, "V2": -0.04, "V5": 0.05, "V6": 0.06},
            "t_mv": {"II": 0.5, "I": 0.05},
        },
        case="""\
facts:
  onset: 2026-11-20T08:10:00+01:00
  troponin_assay: roche-elecsys-hs-ctnt
  chest_pain: yes
  history_suspicion: highly
  diaphoresis: yes
  pain_abrupt: no
  pain_severe: yes
  pain_tearing: no
  pulse_deficit: no
  focal_neuro_deficit: no
  new_aortic_regurgitation: no
  hypotension_shock: no
  aortic_predisposition: no
  killip_class: I
  cardiac_arrest: no
  known_cad: no
  breath_sounds_absent_one_side: no
  tracheal_deviation: no
  vomiting: no
  subcutaneous_emphysema: no
""",
    ),
    Example(
        name="nstemi",
        about="non-ST-elevation infarction: troponin rises within the hour, ST depression V4-V6",
        number=2,
        family="Muster",
        given="Clara",
        sex="female",
        birth="1955-07-21",
        arrival=DAY.replace(hour=13, minute=20),
        results=(
            ("hs_ctnt", 24, "ng/L", 10),
            ("hs_ctnt", 43, "ng/L", 72),
            ("creatinine", 97, "umol/L", 10),
            ("potassium", 4.4, "mmol/L", 10),
            ("glucose", 8.9, "mmol/L", 10),
            ("haemoglobin", 12.9, "g/dL", 10),
            ("d_dimer", 0.41, "mg/L FEU", 10),
            ("heart_rate", 88, "/min", 4),
            ("respiratory_rate", 17, "/min", 4),
            ("spo2", 96, "%", 4),
            ("temperature", 36.8, "Cel", 4),
        ),
        blood_pressure=(146, 84),
        conditions=(
            ("I10", "Essential hypertension"),
            ("E11.9", "Type 2 diabetes mellitus"),
        ),
        ecg={
            "rate_per_min": 88,
            "st_mv": {"I": -0.06, "II": -0.07, "V3": -0.05, "V4": -0.14, "V5": -0.16, "V6": -0.12},
            "t_mv": {"V4": 0.1, "V5": 0.05, "V6": 0.05, "I": 0.1, "II": 0.15},
        },
        case="""\
facts:
  onset: 2026-11-20T10:30:00+01:00
  troponin_assay: roche-elecsys-hs-ctnt
  chest_pain: yes
  history_suspicion: moderately
  diaphoresis: no
  pain_radiation_arm: yes
  pain_pleuritic: no
  pain_palpation: no
  pain_ongoing: no
  hypercholesterolaemia: yes
  smoking_current: no
  obesity: no
  family_history_cvd: no
  known_cad: no
  prior_stroke_tia: no
  peripheral_artery_disease: no
  esrd_dialysis: no
  ckd: no
  killip_class: I
  cardiac_arrest: no
  haemodynamic_instability: no
  acute_heart_failure: no
  life_threatening_arrhythmia: no
  hypotension_shock: no
  pain_abrupt: no
  pain_severe: no
  pain_tearing: no
  pulse_deficit: no
  focal_neuro_deficit: no
  new_aortic_regurgitation: no
  aortic_predisposition: no
  dvt_signs: no
  pe_most_likely: no
  immobilisation_or_surgery: no
  prior_vte: no
  haemoptysis: no
  malignancy_active: no
  breath_sounds_absent_one_side: no
  tracheal_deviation: no
  vomiting: no
  subcutaneous_emphysema: no
""",
    ),
    Example(
        name="early_presenter",
        about="came 70 minutes after the pain began, one low troponin: not yet ruled out",
        number=3,
        family="Exemplo",
        given="Davi",
        sex="male",
        birth="1983-01-30",
        arrival=DAY.replace(hour=18, minute=40),
        results=(
            ("hs_ctni", 2.6, "ng/L", 9),
            ("creatinine", 0.9, "mg/dL", 9),
            ("potassium", 4.0, "mmol/L", 9),
            ("heart_rate", 78, "/min", 3),
            ("respiratory_rate", 14, "/min", 3),
            ("spo2", 99, "%", 3),
        ),
        blood_pressure=(131, 79),
        ecg={"rate_per_min": 78},
        case="""\
facts:
  onset: 2026-11-20T17:30:00+01:00
  troponin_assay: abbott-architect-hs-ctni
  chest_pain: yes
  history_suspicion: slightly
  diaphoresis: no
  pain_radiation_arm: no
  pain_pleuritic: yes
  pain_palpation: no
  hypertension: no
  hypercholesterolaemia: no
  diabetes: no
  smoking_current: yes
  obesity: no
  family_history_cvd: no
  known_cad: no
  prior_stroke_tia: no
  peripheral_artery_disease: no
  esrd_dialysis: no
  killip_class: I
  cardiac_arrest: no
  hypotension_shock: no
  pain_abrupt: no
  pain_severe: no
  pain_tearing: no
  pulse_deficit: no
  focal_neuro_deficit: no
  new_aortic_regurgitation: no
  aortic_predisposition: no
  dvt_signs: no
  pe_most_likely: no
  pe_gestalt_below_15: yes
  immobilisation_or_surgery: no
  surgery_trauma_admission: no
  prior_vte: no
  haemoptysis: no
  malignancy_active: no
  oestrogen_use: no
  unilateral_leg_swelling: no
  breath_sounds_absent_one_side: no
  tracheal_deviation: no
  vomiting: no
  subcutaneous_emphysema: no
""",
    ),
    Example(
        name="half_missing",
        about="70 years, prior infarction; no assay named, no onset, no history, no vital signs",
        number=4,
        family="Ejemplo",
        given="Elena",
        sex="female",
        birth="1956-02-11",
        arrival=DAY.replace(hour=21, minute=15),
        results=(
            ("hs_ctni", "<6", "ng/L", 15),
            ("creatinine", 88, "", 15),
            ("d_dimer", 620, "ng/mL", 15),
        ),
        blood_pressure=None,
        conditions=(
            ("I10", "Essential hypertension"),
            ("I25.2", "Old myocardial infarction"),
        ),
        ecg={"rate_per_min": 84, "t_mv": {"V5": 0.06, "V6": 0.04, "I": 0.06}},
        case="facts:\n  chest_pain: yes\n",
        ecg_naive=True,
    ),
    Example(
        name="laboratory",
        about="58 years, unwell for a day: two laboratory samples, the later one haemolysed",
        number=5,
        family="Esempio",
        given="Carlo",
        sex="male",
        birth="1968-02-03",
        arrival=DAY.replace(hour=9, minute=20),
        results=(
            ("potassium", 4.2, "mmol/L", -2940),
            ("sodium", 139, "mmol/L", -2940),
            ("chloride", 103, "mmol/L", -2940),
            ("creatinine", 1.1, "mg/dL", -2940),
            ("haemoglobin", 13.9, "g/dL", -2940),
            ("mcv", 88, "fL", -2940),
            ("crp", 4, "mg/L", -2940),
            ("potassium", 6.8, "mmol/L", 12),
            ("sodium", 128, "mmol/L", 12),
            ("chloride", 92, "mmol/L", 12),
            ("bicarbonate", 9, "mmol/L", 12),
            ("creatinine", 2.7, "mg/dL", 12),
            ("urea", 18, "mmol/L", 12),
            ("glucose", 558, "mg/dL", 12),
            ("albumin", 36, "g/L", 12),
            ("haemoglobin", 14.1, "g/dL", 12),
            ("mcv", 89, "fL", 12),
            ("platelets", 310, "10*9/L", 12),
            ("crp", 38, "mg/L", 12),
            ("ck", 420, "U/L", 12),
            ("hs_ctnt", 17, "ng/L", 12),
            ("ph_arterial", 7.12, "[pH]", 14),
            ("pco2_arterial", 22, "mm[Hg]", 14),
            ("lactate", 2.1, "mmol/L", 14),
            ("heart_rate", 112, "/min", 3),
            ("respiratory_rate", 28, "/min", 3),
            ("spo2", 98, "%", 3),
        ),
        blood_pressure=(104, 62),
        conditions=(("E10.9", "Type 1 diabetes mellitus without complications"),),
        ecg={"rate_per_min": 112},
        case="facts:\n  troponin_assay: roche-elecsys-hs-ctnt\n",
        remarks={"potassium": "Sample haemolysed"},
    ),
)
