"""Liver: fibrosis indices, pattern of injury, transaminase ratio."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from knowledge.index import Index
from knowledge.laboratory_indices import laboratory_indices
from knowledge.quantity import Interval
from tools.labs.indices.corners import Values
from tools.labs.indices.evaluate import Constants, evaluate
from tools.labs.indices.given import Given

ApriLimits = Literal["who_2015", "who_2024_hepatitis_b"]


def fib_4(*, age_years: Given, ast_u_l: Given, alt_u_l: Given, platelets_10_9_l: Given) -> Index:
    """Return age x AST / (platelets x sqrt(ALT)) (Sterling 2006); low limit by age."""
    older_from = laboratory_indices().indices["fib_4"].constants["older_from_years"]
    older = age_years.compare("ge", older_from) if isinstance(age_years, Interval) else None
    sets = ("under_65", "from_65") if older is None else ("from_65",) if older else ("under_65",)

    def formula(v: Values, _: Mapping[str, str], __: Constants) -> Any:
        below = v["platelets_10_9_l"] * np.sqrt(v["alt_u_l"])
        return v["age_years"] * v["ast_u_l"] / below

    given = {
        "age_years": age_years,
        "ast_u_l": ast_u_l,
        "alt_u_l": alt_u_l,
        "platelets_10_9_l": platelets_10_9_l,
    }
    return evaluate("fib_4", formula, given, category_sets=sets)


def apri(
    *,
    ast_u_l: Given,
    ast_upper_limit_u_l: Given,
    platelets_10_9_l: Given,
    limits: ApriLimits,
) -> Index:
    """Return 100 x (AST / upper limit) / platelets (Wai 2003), by one of two sets of limits.

    Args:
        ast_u_l: AST, U/L.
        ast_upper_limit_u_l: Upper limit of normal of the reporting laboratory, U/L.
        platelets_10_9_l: Platelets, 10*9/L.
        limits: Which published limits the category is read by.
    """

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        times = v["ast_u_l"] / v["ast_upper_limit_u_l"]
        return c["percent"] * times / v["platelets_10_9_l"]

    given = {
        "ast_u_l": ast_u_l,
        "ast_upper_limit_u_l": ast_upper_limit_u_l,
        "platelets_10_9_l": platelets_10_9_l,
    }
    return evaluate("apri", formula, given, category_sets=(limits,))


def r_ratio(
    *, alt_u_l: Given, alt_upper_limit_u_l: Given, alp_u_l: Given, alp_upper_limit_u_l: Given
) -> Index:
    """Return (ALT / upper limit) / (ALP / upper limit), limits of the reporting laboratory."""

    def formula(v: Values, _: Mapping[str, str], __: Constants) -> Any:
        above = v["alt_u_l"] / v["alt_upper_limit_u_l"]
        return above / (v["alp_u_l"] / v["alp_upper_limit_u_l"])

    given = {
        "alt_u_l": alt_u_l,
        "alt_upper_limit_u_l": alt_upper_limit_u_l,
        "alp_u_l": alp_u_l,
        "alp_upper_limit_u_l": alp_upper_limit_u_l,
    }
    return evaluate("r_ratio", formula, given)


def de_ritis_ratio(*, ast_u_l: Given, alt_u_l: Given) -> Index:
    """Return AST / ALT."""

    def formula(v: Values, _: Mapping[str, str], __: Constants) -> Any:
        return v["ast_u_l"] / v["alt_u_l"]

    return evaluate("de_ritis_ratio", formula, {"ast_u_l": ast_u_l, "alt_u_l": alt_u_l})
