"""Every effect that the fact sheet's section B6 names: which test, by what, in which direction.

The table is the sheet's, row by row; B4 names what EDTA and a drip arm change. Where a level is
printed, both sides of it are asked.
"""

# ruff: noqa: E501 - one row of a table on one line
import pytest

from knowledge.finding import State
from knowledge.interference import interferences
from knowledge.quantity import Interval
from knowledge.rules import Answer
from tools.labs.interference import interference_on

TROPONIN = {"hs_ctnt", "hs_ctni"}
DRIP_ARM = {"sodium", "chloride", "glucose", "potassium", "calcium", "total_protein", "albumin"}
DRIP_ARM |= {"haemoglobin", "urea", "creatinine"}
# interference: tests that read too high, too low, and either way
B6: dict[str, tuple[set[str], set[str], set[str]]] = {
    "haemolysis": (
        {"potassium", "ldh", "ast", "alt", "magnesium", "phosphate", "iron", "nse", *TROPONIN},
        {"bilirubin_direct", "insulin", "haptoglobin", *TROPONIN},
        TROPONIN,  # by assay: the assay decides, here it is not named
    ),
    "lipaemia": ({"haemoglobin", "mchc"}, set(), {"ldl_cholesterol"}),
    "pseudohyponatraemia": (set(), {"sodium"}, set()),
    "icterus": (set(), {"creatinine", "triglycerides", "cholesterol", "uric_acid"}, set()),
    "jaffe_chromogens": ({"creatinine"}, set(), set()),
    "enzymatic_creatinine_drugs": (set(), {"creatinine"}, set()),
    "biotin": (
        {"free_t4", "free_t3", "cortisol", "estradiol", "testosterone", "vitamin_d"},
        {"tsh", "hs_ctnt", "nt_probnp", "pth", "hcg", "ferritin"},
        set(),
    ),
    "edta_contamination": ({"potassium"}, {"calcium", "magnesium", "alp"}, set()),
    "drip_arm": (set(), set(), DRIP_ARM),
    "citrate_ratio": ({"pt", "inr", "aptt"}, set(), set()),
    "platelet_clumping": (set(), {"platelets"}, set()),
    "cold_agglutinin": ({"mchc"}, {"rbc"}, set()),
    "pseudohyperkalaemia_cells": ({"potassium"}, set(), set()),
    "reverse_pseudohyperkalaemia": ({"potassium"}, set(), set()),
    "fist_clenching": ({"potassium"}, set(), set()),
    # "cold/late separation" for potassium
    "delayed_separation": ({"lactate", "potassium"}, {"glucose"}, set()),
    "creatinine_secretion_drugs": ({"creatinine"}, {"egfr"}, set()),
    "heparin_free_t4": ({"free_t4"}, set(), set()),
    "non_thyroidal_illness": ({"tsh"}, {"tsh"}, set()),
}
# the sheet says "discordant persistent value" of no test by name: the product's choice of tests
UNNAMED = {"heterophile_antibody", "macro_enzyme"}


@pytest.mark.parametrize("key", sorted(B6))
def test_an_interference_changes_the_tests_of_the_table_and_no_others(key: str) -> None:
    found: dict[str, set[str]] = {"raises": set(), "lowers": set(), "either": set()}
    for effect in interferences().interferences[key].effects:
        found[effect.direction] |= set(effect.analytes)
    assert (found["raises"], found["lowers"], found["either"]) == B6[key]


def test_the_table_is_whole() -> None:
    assert set(B6) | UNNAMED == set(interferences().interferences)


# interference, test, answers on the side that is no concern, and on the side that is
Plain = dict[str, float | str | bool]
LEVELS: tuple[tuple[str, str, Plain, Plain], ...] = (
    ("pseudohyperkalaemia_cells", "potassium", {"platelets_10_9_l": 500.0, "wbc_10_9_l": 50.0, "specimen": "serum"}, {"platelets_10_9_l": 501.0, "wbc_10_9_l": 7.0, "specimen": "serum"}),
    ("pseudohyperkalaemia_cells", "potassium", {"platelets_10_9_l": 250.0, "wbc_10_9_l": 50.0, "specimen": "serum"}, {"platelets_10_9_l": 250.0, "wbc_10_9_l": 50.1, "specimen": "serum"}),
    ("pseudohyponatraemia", "sodium", {"triglycerides_mg_dl": 1500.0, "total_protein_g_dl": 10.0, "sodium_method": "indirect"}, {"triglycerides_mg_dl": 1501.0, "total_protein_g_dl": 7.0, "sodium_method": "indirect"}),
    ("pseudohyponatraemia", "sodium", {"triglycerides_mg_dl": 150.0, "total_protein_g_dl": 10.0, "sodium_method": "indirect"}, {"triglycerides_mg_dl": 150.0, "total_protein_g_dl": 10.1, "sodium_method": "indirect"}),
    ("lipaemia", "ldl_cholesterol", {"triglycerides_mg_dl": 400.0}, {"triglycerides_mg_dl": 401.0}),
    ("citrate_ratio", "aptt", {"haematocrit_percent": 55.0, "citrate_tube_underfilled": False}, {"haematocrit_percent": 55.1, "citrate_tube_underfilled": False}),
    ("biotin", "tsh", {"biotin_mg_per_day": 4.9, "hours_since_biotin": 1.0, "biotin_streptavidin_assay": True}, {"biotin_mg_per_day": 5.0, "hours_since_biotin": 1.0, "biotin_streptavidin_assay": True}),
    ("delayed_separation", "lactate", {"minutes_to_separation": 14.0}, {"minutes_to_separation": 15.0}),
)  # fmt: skip


def _exact(answers: Plain) -> dict[str, Answer]:
    return {k: Interval.exact(v) if isinstance(v, float) else v for k, v in answers.items()}


@pytest.mark.parametrize(
    ("key", "analyte", "below", "beyond"),
    LEVELS,
    ids=[f"{row[0]}-{row[1]}-{n}" for n, row in enumerate(LEVELS)],
)
def test_a_level_counts_from_where_the_sheet_prints_it(
    key: str, analyte: str, below: Plain, beyond: Plain
) -> None:
    for answers, state in ((below, State.ABSENT), (beyond, State.PRESENT)):
        results = interference_on(analyte, _exact(answers))
        assert {r.state for r in results if r.interference == key} == {state}
