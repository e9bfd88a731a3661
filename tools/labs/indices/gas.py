"""Oxygenation: alveolar-arterial gradient, PaO2 and SpO2 to FiO2, ROX."""

from collections.abc import Mapping
from typing import Any

from knowledge.index import Index
from knowledge.quantity import Interval
from tools.labs.indices.corners import Values
from tools.labs.indices.evaluate import Constants, evaluate
from tools.labs.indices.given import Given


def a_a_gradient(
    *,
    fio2_fraction: Given,
    pao2_mmhg: Given,
    paco2_mmhg: Given,
    barometric_pressure_mmhg: Given,
) -> Index:
    """Return FiO2 (pressure - 47) - PaCO2/0.8 - PaO2, mm Hg; neither is assumed."""

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        inspired = v["fio2_fraction"] * (v["barometric_pressure_mmhg"] - c["water_vapour"])
        return inspired - v["paco2_mmhg"] / c["respiratory_quotient"] - v["pao2_mmhg"]

    given = {
        "fio2_fraction": fio2_fraction,
        "pao2_mmhg": pao2_mmhg,
        "paco2_mmhg": paco2_mmhg,
        "barometric_pressure_mmhg": barometric_pressure_mmhg,
    }
    return evaluate("a_a_gradient", formula, given)


def expected_a_a_gradient(*, age_years: Given) -> Index:
    """Return the range of age/4 + 4 and 2.5 + 0.21 x age, mm Hg: the gradient expected for age.

    At every age both formulas rise with age, so their mixtures do.
    """

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        first = v["age_years"] / c["divisor"] + c["plus"]
        second = c["base"] + c["per_year"] * v["age_years"]
        return (1.0 - v["share"]) * first + v["share"] * second

    return evaluate(
        "expected_a_a_gradient",
        formula,
        {"age_years": age_years},
        spread={"share": Interval(low=0, high=1)},
    )


def pf_ratio(*, pao2_mmhg: Given, fio2_fraction: Given) -> Index:
    """Return arterial pO2 over FiO2, mm Hg."""

    def formula(v: Values, _: Mapping[str, str], __: Constants) -> Any:
        return v["pao2_mmhg"] / v["fio2_fraction"]

    return evaluate("pf_ratio", formula, {"pao2_mmhg": pao2_mmhg, "fio2_fraction": fio2_fraction})


def sf_ratio(*, spo2_percent: Given, fio2_fraction: Given) -> Index:
    """Return SpO2 (%) over FiO2; SpO2 up to 97 %."""

    def formula(v: Values, _: Mapping[str, str], __: Constants) -> Any:
        return v["spo2_percent"] / v["fio2_fraction"]

    given = {"spo2_percent": spo2_percent, "fio2_fraction": fio2_fraction}
    return evaluate("sf_ratio", formula, given)


def rox_index(
    *, spo2_percent: Given, fio2_fraction: Given, respiratory_rate_per_min: Given
) -> Index:
    """Return (SpO2 % / FiO2) / respiratory rate (Roca 2019)."""

    def formula(v: Values, _: Mapping[str, str], __: Constants) -> Any:
        return v["spo2_percent"] / v["fio2_fraction"] / v["respiratory_rate_per_min"]

    given = {
        "spo2_percent": spo2_percent,
        "fio2_fraction": fio2_fraction,
        "respiratory_rate_per_min": respiratory_rate_per_min,
    }
    return evaluate("rox_index", formula, given)
