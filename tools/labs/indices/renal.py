"""Kidney: filtration, clearance, fractional excretions, urea to creatinine."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from knowledge.index import Index
from knowledge.patient import Sex
from tools.labs.indices.corners import Values
from tools.labs.indices.evaluate import Constants, evaluate
from tools.labs.indices.given import Given


def egfr_ckd_epi_2021(*, creatinine_mg_dl: Given, age_years: Given, sex: Sex | None) -> Index:
    """Return eGFR by the CKD-EPI 2021 creatinine equation, mL/min/1.73 m2 (Inker 2021).

    Examples:
        >>> from knowledge.quantity import Interval as I
        >>> egfr_ckd_epi_2021(
        ...     creatinine_mg_dl=I.exact(1), age_years=I.exact(60), sex="male"
        ... ).statement
        'eGFR (CKD-EPI 2021, creatinine): 86 mL/min/1.73 m², G2.'
    """

    def formula(v: Values, chosen: Mapping[str, str], c: Constants) -> Any:
        female = chosen["sex"] == "female"
        ratio = v["creatinine_mg_dl"] / c["kappa_female" if female else "kappa_male"]
        alpha = c["alpha_female" if female else "alpha_male"]
        shape = np.minimum(ratio, 1.0) ** alpha * np.maximum(ratio, 1.0) ** c["slope"]
        aged = c["factor"] * shape * c["per_year"] ** v["age_years"]
        return aged * c["female"] if female else aged

    given = {"creatinine_mg_dl": creatinine_mg_dl, "age_years": age_years}
    return evaluate("egfr_ckd_epi_2021", formula, given, options={"sex": sex})


def creatinine_clearance(
    *, creatinine_mg_dl: Given, age_years: Given, weight_kg: Given, sex: Sex | None
) -> Index:
    """Return the creatinine clearance by Cockcroft and Gault 1976, mL/min."""

    def formula(v: Values, chosen: Mapping[str, str], c: Constants) -> Any:
        male = (c["age"] - v["age_years"]) * v["weight_kg"] / (c["divisor"] * v["creatinine_mg_dl"])
        return male * c["female"] if chosen["sex"] == "female" else male

    given = {
        "creatinine_mg_dl": creatinine_mg_dl,
        "age_years": age_years,
        "weight_kg": weight_kg,
    }
    return evaluate("creatinine_clearance", formula, given, options={"sex": sex})


def fe_sodium(
    *,
    urine_sodium_mmol_l: Given,
    sodium_mmol_l: Given,
    urine_creatinine_mg_dl: Given,
    creatinine_mg_dl: Given,
) -> Index:
    """Return the fractional excretion of sodium, % (Espinel 1976)."""

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        excreted = v["urine_sodium_mmol_l"] * v["creatinine_mg_dl"]
        return c["percent"] * excreted / (v["sodium_mmol_l"] * v["urine_creatinine_mg_dl"])

    given = {
        "urine_sodium_mmol_l": urine_sodium_mmol_l,
        "sodium_mmol_l": sodium_mmol_l,
        "urine_creatinine_mg_dl": urine_creatinine_mg_dl,
        "creatinine_mg_dl": creatinine_mg_dl,
    }
    return evaluate("fe_sodium", formula, given)


def fe_urea(
    *,
    urine_urea_mmol_l: Given,
    urea_mmol_l: Given,
    urine_creatinine_mg_dl: Given,
    creatinine_mg_dl: Given,
) -> Index:
    """Return the fractional excretion of urea, % (Carvounis 2002)."""

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        excreted = v["urine_urea_mmol_l"] * v["creatinine_mg_dl"]
        return c["percent"] * excreted / (v["urea_mmol_l"] * v["urine_creatinine_mg_dl"])

    given = {
        "urine_urea_mmol_l": urine_urea_mmol_l,
        "urea_mmol_l": urea_mmol_l,
        "urine_creatinine_mg_dl": urine_creatinine_mg_dl,
        "creatinine_mg_dl": creatinine_mg_dl,
    }
    return evaluate("fe_urea", formula, given)


def bun_creatinine_ratio(*, urea_nitrogen_mg_dl: Given, creatinine_mg_dl: Given) -> Index:
    """Return urea nitrogen to creatinine, both in mg/dL."""

    def formula(v: Values, _: Mapping[str, str], __: Constants) -> Any:
        return v["urea_nitrogen_mg_dl"] / v["creatinine_mg_dl"]

    given = {"urea_nitrogen_mg_dl": urea_nitrogen_mg_dl, "creatinine_mg_dl": creatinine_mg_dl}
    return evaluate("bun_creatinine_ratio", formula, given)
