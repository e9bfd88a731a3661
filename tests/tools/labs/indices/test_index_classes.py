"""The class of an index at and beside every limit that the fact sheet's table B5 prints.

A row is an index, inputs that give the number in the comment by hand, and the class. Limits of B5:
CKD-EPI stages 90/60/45/30/15; delta ratio 0.4/1/2; osmolal gap 10/20; FENa 1/2 %; FEurea 35 %; BUN to
creatinine 20; FIB-4 1.3 (2.0 from 65 years) and 2.67; APRI 1.5/2.0 (2015), 0.5/1.0 (2024); R 2/5; De
Ritis 2; transferrin saturation 16/20/45 %; NLR 3/6/9; Mentzer 13; RPI 2/3; P/F 300/200/100; S/F 315;
ROX 4.88; Winters within 2.
"""

# ruff: noqa: E501 - one row of a table on one line
from collections.abc import Mapping
from typing import Any

import pytest

from knowledge.laboratory_indices import laboratory_indices
from knowledge.quantity import Interval
from tools.labs.indices.compute import function_of

Row = tuple[str, dict[str, Any], str]
GAP = {"sodium_mmol_l": 140, "glucose_mg_dl": 90, "urea_nitrogen_mg_dl": 14}  # 290 calculated
RPI = {"haematocrit_percent": 22.5}  # half of 45, maturation 2: a quarter of the reticulocytes
R = {"alt_upper_limit_u_l": 40, "alp_u_l": 100, "alp_upper_limit_u_l": 100}  # R = ALT / 40
APRI = {"ast_upper_limit_u_l": 40, "platelets_10_9_l": 100}  # APRI = AST / 40
FIB = {"ast_u_l": 100, "alt_u_l": 100}  # FIB-4 = age x 10 / platelets
FENA = {"urine_creatinine_mg_dl": 100, "creatinine_mg_dl": 1, "sodium_mmol_l": 140}
FEUREA = {"urine_creatinine_mg_dl": 100, "creatinine_mg_dl": 1, "urea_mmol_l": 10}


def one(index: str, key: str, classes: Mapping[float, str], **rest: Any) -> list[Row]:
    """Return a row for each value of one input."""
    return [(index, {**rest, key: value}, name) for value, name in classes.items()]


ROWS: list[Row] = [
    # (140 - Cl - HCO3 - 12) / (24 - HCO3)
    ("delta_ratio", {"sodium_mmol_l": 140, "chloride_mmol_l": 114, "bicarbonate_mmol_l": 10}, "under 0.4"),  # 4/14
    ("delta_ratio", {"sodium_mmol_l": 140, "chloride_mmol_l": 114, "bicarbonate_mmol_l": 4}, "0.4 to under 1"),  # 10/20
    ("delta_ratio", {"sodium_mmol_l": 140, "chloride_mmol_l": 104, "bicarbonate_mmol_l": 14}, "1 to 2"),  # 10/10
    ("delta_ratio", {"sodium_mmol_l": 140, "chloride_mmol_l": 98, "bicarbonate_mmol_l": 18}, "1 to 2"),  # 12/6 = 2
    ("delta_ratio", {"sodium_mmol_l": 140, "chloride_mmol_l": 97, "bicarbonate_mmol_l": 18}, "over 2"),  # 13/6
    *one("osmolal_gap", "osmolality_mosm_kg", {299.9: "under 10", 300: "10 to 20", 310: "10 to 20", 310.1: "over 20"}, **GAP),
    # without alcohol (0 mg/dL) the gap is the same
    *one("osmolal_gap_without_ethanol", "osmolality_mosm_kg", {299.9: "under 10", 300: "10 to 20", 310.1: "over 20"}, ethanol_mg_dl=0, **GAP),
    # 100 x UNa x 1 / (140 x 100) = UNa / 140
    *one("fe_sodium", "urine_sodium_mmol_l", {139: "under 1 %", 140: "1 to 2 %", 280: "1 to 2 %", 281: "over 2 %"}, **FENA),
    # 100 x UUrea x 1 / (10 x 100) = UUrea / 10
    *one("fe_urea", "urine_urea_mmol_l", {349: "under 35 %", 350: "35 % or more"}, **FEUREA),
    *one("bun_creatinine_ratio", "urea_nitrogen_mg_dl", {20: "20 or less", 20.1: "over 20"}, creatinine_mg_dl=1),
    # 50 x 10 / PLT; 65 x 10 / PLT
    *one("fib_4", "platelets_10_9_l", {385: "low", 384: "indeterminate", 188: "indeterminate", 187: "high"}, age_years=50, **FIB),
    *one("fib_4", "platelets_10_9_l", {326: "low", 325: "indeterminate", 244: "indeterminate", 243: "high"}, age_years=65, **FIB),
    *one("apri", "ast_u_l", {60: "1.5 or less", 60.1: "over 1.5 to 2", 80: "over 1.5 to 2", 80.1: "over 2"}, limits="who_2015", **APRI),
    *one("apri", "ast_u_l", {20: "0.5 or less", 20.1: "over 0.5 to 1", 40: "over 0.5 to 1", 40.1: "over 1"}, limits="who_2024_hepatitis_b", **APRI),
    *one("r_ratio", "alt_u_l", {80: "cholestatic", 80.1: "mixed", 199: "mixed", 200: "hepatocellular"}, **R),
    *one("de_ritis_ratio", "ast_u_l", {200: "2 or less", 201: "over 2"}, alt_u_l=100),
    *one("transferrin_saturation", "iron_umol_l", {7.9: "under 16 %", 8: "16 to under 20 %", 10: "20 to 45 %", 22.5: "20 to 45 %", 22.6: "over 45 %"}, tibc_umol_l=50),
    # 2 g/L of transferrin bind 50.2 umol/L
    *one("transferrin_saturation_from_transferrin", "iron_umol_l", {8.0: "under 16 %", 8.1: "16 to under 20 %", 10.1: "20 to 45 %", 22.6: "over 45 %"}, transferrin_g_l=2),
    *one("neutrophil_lymphocyte_ratio", "neutrophils_10_9_l", {3: "3 or less", 3.1: "over 3 to 6", 6: "over 3 to 6", 6.1: "over 6 to 9", 9: "over 6 to 9", 9.1: "over 9"}, lymphocytes_10_9_l=1),
    *one("mentzer_index", "mcv_fl", {64.9: "under 13", 65: "13 or more"}, rbc_10_12_l=5),
    *one("reticulocyte_production_index", "reticulocytes_percent", {7.9: "under 2", 8: "2 to 3", 12: "2 to 3", 12.1: "over 3"}, **RPI),
    *one("pf_ratio", "pao2_mmhg", {50: "100 or less", 50.5: "over 100 to 200", 100: "over 100 to 200", 100.5: "over 200 to 300", 150: "over 200 to 300", 150.5: "over 300"}, fio2_fraction=0.5),
    *one("sf_ratio", "spo2_percent", {94.5: "315 or less", 94.6: "over 315"}, fio2_fraction=0.3),
    # 90 / 0.5 = 180; 180 / 4.88 = 36.9
    *one("rox_index", "respiratory_rate_per_min", {36.8: "4.88 or more", 36.9: "under 4.88"}, spo2_percent=90, fio2_fraction=0.5),
    # 1.5 x 12 + 8 = 26
    *one("pco2_against_winters", "pco2_mmhg", {23.9: "below the expected", 24: "as expected", 28: "as expected", 28.1: "above the expected"}, bicarbonate_mmol_l=12),
    # a man of 60: 142 x 0.9938^60 = 97.77, x (Scr/0.9)^-1.2; KDIGO reports whole numbers, so that 89.5
    # (Scr 0.969), 59.5 (1.361), 44.5 (1.734), 29.5 (2.443) and 14.5 (4.415) part the stages
    *one("egfr_ckd_epi_2021", "creatinine_mg_dl", {0.96: "G1", 0.97: "G2", 1.36: "G2", 1.37: "G3a", 1.73: "G3a", 1.74: "G3b", 2.44: "G3b", 2.45: "G4", 4.41: "G4", 4.42: "G5"}, age_years=60, sex="male"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("index", "arguments", "name"), ROWS, ids=[f"{n}-{row[0]}" for n, row in enumerate(ROWS)]
)
def test_a_class_ends_where_the_table_says(
    index: str, arguments: dict[str, Any], name: str
) -> None:
    given = {k: v if isinstance(v, str) else Interval.exact(v) for k, v in arguments.items()}
    found = function_of(index)(**given)
    assert found.value is not None
    assert found.category == name, found.value


def test_every_class_of_every_index_is_reached() -> None:
    reached = {(index, name) for index, _, name in ROWS}
    indices = laboratory_indices().indices.items()
    every = {(key, one.name) for key, row in indices for t in row.categories.values() for one in t}
    assert reached == every
