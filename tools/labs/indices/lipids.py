"""Lipids: LDL cholesterol by calculation, non-HDL cholesterol, triglycerides to HDL."""

from collections.abc import Mapping
from typing import Any

from knowledge.index import Index
from tools.labs.indices.corners import Values
from tools.labs.indices.evaluate import Constants, evaluate
from tools.labs.indices.given import Given


def ldl_friedewald(
    *, cholesterol_mg_dl: Given, hdl_mg_dl: Given, triglycerides_mg_dl: Given
) -> Index:
    """Return cholesterol - HDL - triglycerides/5, mg/dL; triglycerides under 400."""

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        return _non_hdl(v) - v["triglycerides_mg_dl"] / c["divisor"]

    given = _panel(cholesterol_mg_dl, hdl_mg_dl, triglycerides_mg_dl)
    return evaluate("ldl_friedewald", formula, given)


def ldl_friedewald_si(
    *, cholesterol_mmol_l: Given, hdl_mmol_l: Given, triglycerides_mmol_l: Given
) -> Index:
    """Return cholesterol - HDL - triglycerides/2.2, mmol/L; triglycerides under 4.516."""

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        carried = v["triglycerides_mmol_l"] / c["divisor"]
        return v["cholesterol_mmol_l"] - v["hdl_mmol_l"] - carried

    given = {
        "cholesterol_mmol_l": cholesterol_mmol_l,
        "hdl_mmol_l": hdl_mmol_l,
        "triglycerides_mmol_l": triglycerides_mmol_l,
    }
    return evaluate("ldl_friedewald_si", formula, given)


def ldl_sampson(*, cholesterol_mg_dl: Given, hdl_mg_dl: Given, triglycerides_mg_dl: Given) -> Index:
    """Return LDL cholesterol by Sampson 2020, mg/dL; triglycerides up to 800.

    In triglycerides the turning point lies at 940 mg/dL or more, outside the contract.
    """

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        fat = v["triglycerides_mg_dl"]
        carried = fat / c["triglycerides"] + fat * _non_hdl(v) / c["product"]
        whole = v["cholesterol_mg_dl"] / c["cholesterol"] - v["hdl_mg_dl"] / c["hdl"]
        return whole - (carried - fat * fat / c["square"]) - c["intercept"]

    given = _panel(cholesterol_mg_dl, hdl_mg_dl, triglycerides_mg_dl)
    return evaluate("ldl_sampson", formula, given)


def ldl_martin_hopkins(
    *, cholesterol_mg_dl: Given, hdl_mg_dl: Given, triglycerides_mg_dl: Given, factor: Given
) -> Index:
    """Return non-HDL - triglycerides/factor, mg/dL, for a factor of the published table.

    The 180-cell table is not held here: without the factor the result is not assessed.
    """

    def formula(v: Values, _: Mapping[str, str], __: Constants) -> Any:
        return _non_hdl(v) - v["triglycerides_mg_dl"] / v["factor"]

    given = _panel(cholesterol_mg_dl, hdl_mg_dl, triglycerides_mg_dl)
    return evaluate("ldl_martin_hopkins", formula, {**given, "factor": factor})


def non_hdl_cholesterol(*, cholesterol_mg_dl: Given, hdl_mg_dl: Given) -> Index:
    """Return cholesterol - HDL cholesterol, mg/dL."""
    given = {"cholesterol_mg_dl": cholesterol_mg_dl, "hdl_mg_dl": hdl_mg_dl}
    return evaluate("non_hdl_cholesterol", lambda v, _, __: _non_hdl(v), given)


def triglycerides_hdl_ratio(*, triglycerides_mg_dl: Given, hdl_mg_dl: Given) -> Index:
    """Return triglycerides to HDL cholesterol, both in mg/dL."""

    def formula(v: Values, _: Mapping[str, str], __: Constants) -> Any:
        return v["triglycerides_mg_dl"] / v["hdl_mg_dl"]

    given = {"triglycerides_mg_dl": triglycerides_mg_dl, "hdl_mg_dl": hdl_mg_dl}
    return evaluate("triglycerides_hdl_ratio", formula, given)


def _non_hdl(v: Values) -> Any:
    return v["cholesterol_mg_dl"] - v["hdl_mg_dl"]


def _panel(cholesterol: Given, hdl: Given, triglycerides: Given) -> dict[str, Given]:
    return {
        "cholesterol_mg_dl": cholesterol,
        "hdl_mg_dl": hdl,
        "triglycerides_mg_dl": triglycerides,
    }
