"""Metabolism: insulin resistance, average glucose, HbA1c in other units."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from knowledge.index import Index
from tools.labs.indices.corners import Values
from tools.labs.indices.evaluate import Constants, evaluate
from tools.labs.indices.given import Given


def homa_ir(*, glucose_mmol_l: Given, insulin_mu_l: Given) -> Index:
    """Return fasting glucose (mmol/L) x insulin (mIU/L) / 22.5 (Matthews 1985)."""

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        return v["glucose_mmol_l"] * v["insulin_mu_l"] / c["divisor"]

    given = {"glucose_mmol_l": glucose_mmol_l, "insulin_mu_l": insulin_mu_l}
    return evaluate("homa_ir", formula, given)


def tyg_index(*, triglycerides_mg_dl: Given, glucose_mg_dl: Given) -> Index:
    """Return ln(fasting triglycerides x glucose / 2), both in mg/dL."""

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        return np.log(v["triglycerides_mg_dl"] * v["glucose_mg_dl"] / c["divisor"])

    given = {"triglycerides_mg_dl": triglycerides_mg_dl, "glucose_mg_dl": glucose_mg_dl}
    return evaluate("tyg_index", formula, given)


def estimated_average_glucose(*, hba1c_percent: Given) -> Index:
    """Return 28.7 x HbA1c (NGSP %) - 46.7, mg/dL (Nathan 2008)."""
    return evaluate("estimated_average_glucose", _line, {"hba1c_percent": hba1c_percent})


def hba1c_ifcc(*, hba1c_percent: Given) -> Index:
    """Return 10.93 x HbA1c (NGSP %) - 23.5, mmol/mol."""
    return evaluate("hba1c_ifcc", _line, {"hba1c_percent": hba1c_percent})


def _line(v: Values, _: Mapping[str, str], c: Constants) -> Any:
    return c["slope"] * v["hba1c_percent"] + c["intercept"]
