"""Body size: mass index, surface area, ideal weight."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from knowledge.index import Index
from knowledge.patient import Sex
from tools.labs.indices.corners import Values
from tools.labs.indices.evaluate import Constants, evaluate
from tools.labs.indices.given import Given


def body_mass_index(*, weight_kg: Given, height_cm: Given) -> Index:
    """Return weight over height squared, kg/m2."""

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        return v["weight_kg"] / (v["height_cm"] / c["cm_per_m"]) ** 2

    return evaluate("body_mass_index", formula, {"weight_kg": weight_kg, "height_cm": height_cm})


def body_surface_area(*, weight_kg: Given, height_cm: Given) -> Index:
    """Return sqrt(height (cm) x weight (kg) / 3600), m2 (Mosteller 1987)."""

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        return np.sqrt(v["height_cm"] * v["weight_kg"] / c["divisor"])

    return evaluate("body_surface_area", formula, {"weight_kg": weight_kg, "height_cm": height_cm})


def ideal_body_weight(*, height_cm: Given, sex: Sex | None) -> Index:
    """Return 45.5 (female) or 50 (male) + 2.3 for each inch over 60, kg (Devine 1974)."""

    def formula(v: Values, chosen: Mapping[str, str], c: Constants) -> Any:
        inches = v["height_cm"] / c["cm_per_inch"] - c["from_inches"]
        return c[chosen["sex"]] + c["per_inch"] * inches

    return evaluate("ideal_body_weight", formula, {"height_cm": height_cm}, options={"sex": sex})
