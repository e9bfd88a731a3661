"""Blood: transferrin saturation, cell ratios, Mentzer index, reticulocyte production index."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from knowledge.index import Index
from tools.labs.indices.corners import Values
from tools.labs.indices.evaluate import Constants, evaluate
from tools.labs.indices.given import Given


def transferrin_saturation(*, iron_umol_l: Given, tibc_umol_l: Given) -> Index:
    """Return iron over total iron-binding capacity, %."""

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        return c["percent"] * v["iron_umol_l"] / v["tibc_umol_l"]

    given = {"iron_umol_l": iron_umol_l, "tibc_umol_l": tibc_umol_l}
    return evaluate("transferrin_saturation", formula, given)


def transferrin_saturation_from_transferrin(*, iron_umol_l: Given, transferrin_g_l: Given) -> Index:
    """Return iron over transferrin x 25.1 umol/g, %."""

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        capacity = c["tibc_umol_per_g"] * v["transferrin_g_l"]
        return c["percent"] * v["iron_umol_l"] / capacity

    given = {"iron_umol_l": iron_umol_l, "transferrin_g_l": transferrin_g_l}
    return evaluate("transferrin_saturation_from_transferrin", formula, given)


def neutrophil_lymphocyte_ratio(*, neutrophils_10_9_l: Given, lymphocytes_10_9_l: Given) -> Index:
    """Return neutrophils over lymphocytes."""

    def formula(v: Values, _: Mapping[str, str], __: Constants) -> Any:
        return v["neutrophils_10_9_l"] / v["lymphocytes_10_9_l"]

    given = {"neutrophils_10_9_l": neutrophils_10_9_l, "lymphocytes_10_9_l": lymphocytes_10_9_l}
    return evaluate("neutrophil_lymphocyte_ratio", formula, given)


def platelet_lymphocyte_ratio(*, platelets_10_9_l: Given, lymphocytes_10_9_l: Given) -> Index:
    """Return platelets over lymphocytes."""

    def formula(v: Values, _: Mapping[str, str], __: Constants) -> Any:
        return v["platelets_10_9_l"] / v["lymphocytes_10_9_l"]

    given = {"platelets_10_9_l": platelets_10_9_l, "lymphocytes_10_9_l": lymphocytes_10_9_l}
    return evaluate("platelet_lymphocyte_ratio", formula, given)


def systemic_immune_inflammation_index(
    *, platelets_10_9_l: Given, neutrophils_10_9_l: Given, lymphocytes_10_9_l: Given
) -> Index:
    """Return platelets x neutrophils / lymphocytes, 10*9/L."""

    def formula(v: Values, _: Mapping[str, str], __: Constants) -> Any:
        return v["platelets_10_9_l"] * v["neutrophils_10_9_l"] / v["lymphocytes_10_9_l"]

    given = {
        "platelets_10_9_l": platelets_10_9_l,
        "neutrophils_10_9_l": neutrophils_10_9_l,
        "lymphocytes_10_9_l": lymphocytes_10_9_l,
    }
    return evaluate("systemic_immune_inflammation_index", formula, given)


def mentzer_index(*, mcv_fl: Given, rbc_10_12_l: Given) -> Index:
    """Return MCV (fL) over the red cell count (10*12/L)."""

    def formula(v: Values, _: Mapping[str, str], __: Constants) -> Any:
        return v["mcv_fl"] / v["rbc_10_12_l"]

    return evaluate("mentzer_index", formula, {"mcv_fl": mcv_fl, "rbc_10_12_l": rbc_10_12_l})


def reticulocyte_production_index(
    *, reticulocytes_percent: Given, haematocrit_percent: Given
) -> Index:
    """Return reticulocytes (%) x haematocrit/45 / maturation factor; haematocrit up to 45 %."""

    def formula(v: Values, _: Mapping[str, str], c: Constants) -> Any:
        volume = v["haematocrit_percent"]
        days = np.select(
            [volume >= c["one_from"], volume >= c["one_and_half_from"], volume >= c["two_from"]],
            [c["one"], c["one_and_half"], c["two"]],
            c["two_and_half"],
        )
        return v["reticulocytes_percent"] * volume / c["normal_haematocrit"] / days

    given = {
        "reticulocytes_percent": reticulocytes_percent,
        "haematocrit_percent": haematocrit_percent,
    }
    return evaluate("reticulocyte_production_index", formula, given)
