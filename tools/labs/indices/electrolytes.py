"""Osmolality and its gap; calcium corrected for albumin, sodium for glucose."""

from collections.abc import Mapping
from typing import Any

from knowledge.index import Index
from knowledge.laboratory_indices import laboratory_indices
from knowledge.quantity import Interval
from tools.labs.indices.corners import Values
from tools.labs.indices.evaluate import Constants, evaluate
from tools.labs.indices.given import Given


def osmolality(*, sodium_mmol_l: Given, glucose_mg_dl: Given, urea_nitrogen_mg_dl: Given) -> Index:
    """Return 2 x sodium + glucose/18 + urea nitrogen/2.8, mosm/kg."""
    given = _osmoles(sodium_mmol_l, glucose_mg_dl, urea_nitrogen_mg_dl)
    return evaluate("osmolality", lambda v, _, c: _osmolality(v, c), given)


def osmolality_si(*, sodium_mmol_l: Given, glucose_mmol_l: Given, urea_mmol_l: Given) -> Index:
    """Return 2 x sodium + glucose + urea, mosm/kg, all in mmol/L."""

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        return c["sodium"] * v["sodium_mmol_l"] + v["glucose_mmol_l"] + v["urea_mmol_l"]

    given = {
        "sodium_mmol_l": sodium_mmol_l,
        "glucose_mmol_l": glucose_mmol_l,
        "urea_mmol_l": urea_mmol_l,
    }
    return evaluate("osmolality_si", formula, given)


def effective_osmolality(*, sodium_mmol_l: Given, glucose_mg_dl: Given) -> Index:
    """Return the tonicity, 2 x sodium + glucose/18, mosm/kg: urea crosses membranes."""

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        return c["sodium"] * v["sodium_mmol_l"] + v["glucose_mg_dl"] / c["glucose"]

    given = {"sodium_mmol_l": sodium_mmol_l, "glucose_mg_dl": glucose_mg_dl}
    return evaluate("effective_osmolality", formula, given)


def osmolal_gap(
    *,
    osmolality_mosm_kg: Given,
    sodium_mmol_l: Given,
    glucose_mg_dl: Given,
    urea_nitrogen_mg_dl: Given,
) -> Index:
    """Return measured minus calculated osmolality, mosm/kg; ethanol is not subtracted."""

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        return v["osmolality_mosm_kg"] - _osmolality(v, c)

    given = _osmoles(sodium_mmol_l, glucose_mg_dl, urea_nitrogen_mg_dl)
    return evaluate("osmolal_gap", formula, {"osmolality_mosm_kg": osmolality_mosm_kg, **given})


def osmolal_gap_without_ethanol(
    *,
    osmolality_mosm_kg: Given,
    sodium_mmol_l: Given,
    glucose_mg_dl: Given,
    urea_nitrogen_mg_dl: Given,
    ethanol_mg_dl: Given,
) -> Index:
    """Return the osmolal gap with ethanol (mg/dL over 3.7 to 4.6) subtracted: a range."""
    index = "osmolal_gap_without_ethanol"
    constants = laboratory_indices().indices[index].constants

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        explained = _osmolality(v, c) + v["ethanol_mg_dl"] / v["divisor"]
        return v["osmolality_mosm_kg"] - explained

    given = {
        "osmolality_mosm_kg": osmolality_mosm_kg,
        **_osmoles(sodium_mmol_l, glucose_mg_dl, urea_nitrogen_mg_dl),
        "ethanol_mg_dl": ethanol_mg_dl,
    }
    divisor = Interval(low=constants["ethanol_low"], high=constants["ethanol_high"])
    return evaluate(index, formula, given, spread={"divisor": divisor})


def corrected_calcium(*, calcium_mg_dl: Given, albumin_g_dl: Given) -> Index:
    """Return calcium + 0.8 x (4.0 - albumin), mg/dL (Payne 1973)."""

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        return v["calcium_mg_dl"] + c["per_g_dl"] * (c["normal_albumin"] - v["albumin_g_dl"])

    given = {"calcium_mg_dl": calcium_mg_dl, "albumin_g_dl": albumin_g_dl}
    return evaluate("corrected_calcium", formula, given)


def corrected_calcium_si(*, calcium_mmol_l: Given, albumin_g_l: Given) -> Index:
    """Return calcium + 0.02 x (40 - albumin), mmol/L (Payne 1973)."""

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        return v["calcium_mmol_l"] + c["per_g_l"] * (c["normal_albumin"] - v["albumin_g_l"])

    given = {"calcium_mmol_l": calcium_mmol_l, "albumin_g_l": albumin_g_l}
    return evaluate("corrected_calcium_si", formula, given)


def corrected_sodium_katz(*, sodium_mmol_l: Given, glucose_mg_dl: Given) -> Index:
    """Return sodium + 1.6 for each 100 mg/dL of glucose over 100, mmol/L (Katz 1973)."""
    given = {"sodium_mmol_l": sodium_mmol_l, "glucose_mg_dl": glucose_mg_dl}
    return evaluate("corrected_sodium_katz", _corrected_sodium, given)


def corrected_sodium_hillier(*, sodium_mmol_l: Given, glucose_mg_dl: Given) -> Index:
    """Return sodium + 2.4 for each 100 mg/dL of glucose over 100, mmol/L (Hillier 1999)."""
    given = {"sodium_mmol_l": sodium_mmol_l, "glucose_mg_dl": glucose_mg_dl}
    return evaluate("corrected_sodium_hillier", _corrected_sodium, given)


def _corrected_sodium(v: Values, _: Mapping[str, str], c: Constants) -> Any:
    steps = (v["glucose_mg_dl"] - c["from_glucose"]) / c["step"]
    return v["sodium_mmol_l"] + c["per_step"] * steps


def _osmolality(v: Values, c: Constants) -> Any:
    glucose = v["glucose_mg_dl"] / c["glucose"]
    urea = v["urea_nitrogen_mg_dl"] / c["urea_nitrogen"]
    return c["sodium"] * v["sodium_mmol_l"] + glucose + urea


def _osmoles(sodium: Given, glucose: Given, urea_nitrogen: Given) -> dict[str, Given]:
    return {
        "sodium_mmol_l": sodium,
        "glucose_mg_dl": glucose,
        "urea_nitrogen_mg_dl": urea_nitrogen,
    }
