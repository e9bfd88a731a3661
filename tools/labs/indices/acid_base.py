"""Acid-base: anion gap, delta ratio, expected compensation."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from knowledge.index import Index
from knowledge.laboratory_indices import laboratory_indices
from knowledge.quantity import Interval
from tools.labs.indices.corners import Values
from tools.labs.indices.evaluate import Constants, evaluate
from tools.labs.indices.given import Given

Duration = Literal["acute", "chronic"]


def anion_gap(*, sodium_mmol_l: Given, chloride_mmol_l: Given, bicarbonate_mmol_l: Given) -> Index:
    """Return sodium - chloride - bicarbonate, mmol/L, without potassium."""
    given = _gap_inputs(sodium_mmol_l, chloride_mmol_l, bicarbonate_mmol_l)
    return evaluate("anion_gap", lambda v, _, __: _gap(v), given)


def anion_gap_albumin_corrected(
    *, sodium_mmol_l: Given, chloride_mmol_l: Given, bicarbonate_mmol_l: Given, albumin_g_l: Given
) -> Index:
    """Return the anion gap plus 0.25 mmol/L for each g/L of albumin under 40 (Figge 1998)."""

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        return _gap(v) + c["per_g_l"] * (c["normal_albumin"] - v["albumin_g_l"])

    given = _gap_inputs(sodium_mmol_l, chloride_mmol_l, bicarbonate_mmol_l)
    given["albumin_g_l"] = albumin_g_l
    return evaluate("anion_gap_albumin_corrected", formula, given)


def delta_ratio(
    *, sodium_mmol_l: Given, chloride_mmol_l: Given, bicarbonate_mmol_l: Given
) -> Index:
    """Return (anion gap - 12) / (24 - bicarbonate); only where bicarbonate is under 24 mmol/L.

    In bicarbonate b it is (k - b) / (24 - b) with k = sodium - chloride - 12: its slope has the
    sign of k - 24 throughout, so it rises or falls all the way.
    """

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        return (_gap(v) - c["normal_gap"]) / (c["normal_bicarbonate"] - v["bicarbonate_mmol_l"])

    given = _gap_inputs(sodium_mmol_l, chloride_mmol_l, bicarbonate_mmol_l)
    return evaluate("delta_ratio", formula, given)


def expected_pco2_metabolic_acidosis(*, bicarbonate_mmol_l: Given) -> Index:
    """Return the pCO2 expected in metabolic acidosis, mm Hg: 1.5 x bicarbonate + 8, +/- 2."""
    tolerance = _constant("expected_pco2_metabolic_acidosis", "tolerance")

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        return c["slope"] * v["bicarbonate_mmol_l"] + c["intercept"] + v["tolerance"]

    return evaluate(
        "expected_pco2_metabolic_acidosis",
        formula,
        {"bicarbonate_mmol_l": bicarbonate_mmol_l},
        spread={"tolerance": Interval(low=-tolerance, high=tolerance)},
    )


def pco2_against_winters(*, pco2_mmhg: Given, bicarbonate_mmol_l: Given) -> Index:
    """Return measured pCO2 minus 1.5 x bicarbonate + 8, mm Hg, and what the difference means."""

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        return v["pco2_mmhg"] - (c["slope"] * v["bicarbonate_mmol_l"] + c["intercept"])

    given = {"pco2_mmhg": pco2_mmhg, "bicarbonate_mmol_l": bicarbonate_mmol_l}
    return evaluate("pco2_against_winters", formula, given)


def expected_pco2_metabolic_alkalosis(*, bicarbonate_mmol_l: Given) -> Index:
    """Return the pCO2 expected in metabolic alkalosis, mm Hg: 40 + 0.7 x (bicarbonate - 24)."""

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        above = v["bicarbonate_mmol_l"] - c["normal_bicarbonate"]
        return c["normal_pco2"] + c["slope"] * above

    given = {"bicarbonate_mmol_l": bicarbonate_mmol_l}
    return evaluate("expected_pco2_metabolic_alkalosis", formula, given)


def expected_bicarbonate_respiratory(*, pco2_mmhg: Given, duration: Duration | None) -> Index:
    """Return the bicarbonate expected in a respiratory disorder, mmol/L.

    For each 10 mm Hg of pCO2 above 40: +1 acute, +3.5 to 4 chronic; below 40: -2 acute, -4 to 5
    chronic. A slope that sources give as a range makes the result a range.
    """
    index = "expected_bicarbonate_respiratory"
    acute = duration == "acute"
    slopes = {
        name: Interval.exact(_constant(index, f"acute_{name}"))
        if acute
        else Interval(
            low=_constant(index, f"acute_{name}" if duration is None else f"chronic_{name}_low"),
            high=_constant(index, f"chronic_{name}_high"),
        )
        for name in ("acidosis", "alkalosis")
    }

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        steps = (v["pco2_mmhg"] - c["normal_pco2"]) / c["step"]
        rise = v["acidosis"] * np.maximum(steps, 0.0)
        return c["normal_bicarbonate"] + rise + v["alkalosis"] * np.minimum(steps, 0.0)

    return evaluate(
        index,
        formula,
        {"pco2_mmhg": pco2_mmhg},
        options={"duration": duration},
        spread=slopes,
    )


def _gap(v: Values) -> Any:
    return v["sodium_mmol_l"] - v["chloride_mmol_l"] - v["bicarbonate_mmol_l"]


def _gap_inputs(sodium: Given, chloride: Given, bicarbonate: Given) -> dict[str, Given]:
    return {
        "sodium_mmol_l": sodium,
        "chloride_mmol_l": chloride,
        "bicarbonate_mmol_l": bicarbonate,
    }


def _constant(index: str, name: str) -> float:
    return laboratory_indices().indices[index].constants[name]
