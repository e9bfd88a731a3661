"""Circulation: mean arterial pressure, and the QT interval corrected for rate by five formulas."""

from collections.abc import Mapping
from typing import Any

from knowledge.index import Index
from tools.labs.indices.corners import Values
from tools.labs.indices.evaluate import Constants, IndexFormula, evaluate
from tools.labs.indices.given import Given


def mean_arterial_pressure(*, systolic_mmhg: Given, diastolic_mmhg: Given) -> Index:
    """Return (systolic + 2 x diastolic) / 3, mm Hg."""

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        return (v["systolic_mmhg"] + c["diastolic_parts"] * v["diastolic_mmhg"]) / c["parts"]

    given = {"systolic_mmhg": systolic_mmhg, "diastolic_mmhg": diastolic_mmhg}
    return evaluate("mean_arterial_pressure", formula, given)


def qtc_bazett(*, qt_ms: Given, heart_rate_per_min: Given) -> Index:
    """Return QT / RR^(1/2), ms, with RR in s (Bazett 1920)."""
    return _qtc("qtc_bazett", _by_root, qt_ms, heart_rate_per_min)


def qtc_fridericia(*, qt_ms: Given, heart_rate_per_min: Given) -> Index:
    """Return QT / RR^(1/3), ms, with RR in s (Fridericia 1920)."""
    return _qtc("qtc_fridericia", _by_root, qt_ms, heart_rate_per_min)


def qtc_framingham(*, qt_ms: Given, heart_rate_per_min: Given) -> Index:
    """Return QT + 154 x (1 - RR), ms, with RR in s (Sagie 1992)."""

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        return v["qt_ms"] + c["per_second"] * (1.0 - _rr(v, c))

    return _qtc("qtc_framingham", formula, qt_ms, heart_rate_per_min)


def qtc_hodges(*, qt_ms: Given, heart_rate_per_min: Given) -> Index:
    """Return QT + 1.75 x (rate - 60), ms (Hodges 1983)."""

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        return v["qt_ms"] + c["per_beat"] * (v["heart_rate_per_min"] - c["from_rate"])

    return _qtc("qtc_hodges", formula, qt_ms, heart_rate_per_min)


def qtc_rautaharju(*, qt_ms: Given, heart_rate_per_min: Given) -> Index:
    """Return QT x (120 + rate) / 180, ms (Rautaharju, the simple form)."""

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        return v["qt_ms"] * (c["added"] + v["heart_rate_per_min"]) / c["divisor"]

    return _qtc("qtc_rautaharju", formula, qt_ms, heart_rate_per_min)


def _qtc(index_id: str, formula: IndexFormula, qt: Given, rate: Given) -> Index:
    return evaluate(index_id, formula, {"qt_ms": qt, "heart_rate_per_min": rate})


def _by_root(v: Values, _: Mapping[str, str], c: Constants) -> Any:
    return v["qt_ms"] / _rr(v, c) ** (1.0 / c["root"])


def _rr(v: Values, c: Constants) -> Any:
    """Return the RR interval, s."""
    return c["seconds_per_min"] / v["heart_rate_per_min"]
