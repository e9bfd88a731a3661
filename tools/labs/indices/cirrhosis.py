"""Severity of liver failure: MELD 3.0 and MELD-Na (Child-Pugh is a score)."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from knowledge.index import Index
from knowledge.patient import Sex
from tools.labs.indices.corners import Values
from tools.labs.indices.evaluate import Constants, evaluate
from tools.labs.indices.given import Given, is_yes


def meld_3(
    *,
    bilirubin_mg_dl: Given,
    sodium_mmol_l: Given,
    inr: Given,
    creatinine_mg_dl: Given,
    albumin_g_dl: Given,
    age_years: Given,
    sex: Sex | None,
    dialysis: bool | None,
) -> Index:
    """Return MELD 3.0, 6 to 40 (Kim 2021); from 12 to 17 years all get the points of a woman.

    A missing input ranges over the rule's own limits: the result is then a range, where those
    bound it. With dialysis creatinine is set to 3.0 mg/dL; for a woman the age does not count.
    """
    given = {
        "bilirubin_mg_dl": bilirubin_mg_dl,
        "sodium_mmol_l": sodium_mmol_l,
        "inr": inr,
        "creatinine_mg_dl": creatinine_mg_dl,
        "albumin_g_dl": albumin_g_dl,
        "age_years": age_years,
    }
    return evaluate(
        "meld_3",
        _meld_3,
        given,
        options={"sex": sex, "dialysis": dialysis},
        not_needed=(
            *(("age_years",) if sex == "female" else ()),
            *(("creatinine_mg_dl",) if is_yes(dialysis) else ()),
        ),
    )


def meld_na(
    *,
    bilirubin_mg_dl: Given,
    sodium_mmol_l: Given,
    inr: Given,
    creatinine_mg_dl: Given,
    age_years: Given,
    dialysis: bool | None,
) -> Index:
    """Return MELD-Na as allocated in the United States from 2016, 6 to 40.

    MELD(i) is a whole number before sodium is applied, and sodium only above 11 (OPTN policy 9).
    """
    given = {
        "bilirubin_mg_dl": bilirubin_mg_dl,
        "sodium_mmol_l": sodium_mmol_l,
        "inr": inr,
        "creatinine_mg_dl": creatinine_mg_dl,
        "age_years": age_years,
    }
    return evaluate(
        "meld_na",
        _meld_na,
        given,
        options={"dialysis": dialysis},
        not_needed=("creatinine_mg_dl",) if is_yes(dialysis) else (),
    )


def _meld_3(v: Values, chosen: Mapping[str, str], c: Constants) -> Any:
    bilirubin = np.log(np.maximum(v["bilirubin_mg_dl"], c["floor"]))
    creatinine = np.log(_creatinine(v, chosen, c))
    sodium = c["sodium_high"] - np.clip(v["sodium_mmol_l"], c["sodium_low"], c["sodium_high"])
    albumin = c["albumin_high"] - np.clip(v["albumin_g_dl"], c["albumin_low"], c["albumin_high"])
    female = chosen["sex"] == "female"
    young = np.where(v["age_years"] < c["adult_from_years"], 1.0, 0.0)
    return _rounded(
        c["female"] * (1.0 if female else young)
        + (c["bilirubin"] - c["sodium_bilirubin"] * sodium) * bilirubin
        + c["sodium"] * sodium
        + c["inr"] * np.log(np.maximum(v["inr"], c["floor"]))
        + (c["creatinine"] - c["albumin_creatinine"] * albumin) * creatinine
        + c["albumin"] * albumin
        + c["intercept"]
    )


def _meld_na(v: Values, chosen: Mapping[str, str], c: Constants) -> Any:
    initial = _rounded(
        c["creatinine"] * np.log(_creatinine(v, chosen, c))
        + c["bilirubin"] * np.log(np.maximum(v["bilirubin_mg_dl"], c["floor"]))
        + c["inr"] * np.log(np.maximum(v["inr"], c["floor"]))
        + c["intercept"]
    )
    if not initial > c["sodium_applies_above"]:
        return initial
    if np.isinf(initial):
        return initial
    sodium = c["sodium_high"] - np.clip(v["sodium_mmol_l"], c["sodium_low"], c["sodium_high"])
    return _rounded(initial + c["sodium"] * sodium - c["sodium_meld"] * initial * sodium)


def _creatinine(v: Values, chosen: Mapping[str, str], c: Constants) -> Any:
    if chosen["dialysis"] == "yes":
        return np.float64(c["creatinine_cap"])
    return np.clip(v["creatinine_mg_dl"], c["floor"], c["creatinine_cap"])


def _rounded(value: Any) -> Any:
    return np.floor(value + 0.5)
