"""Delta checks, their window, and the patterns of contamination."""

from collections.abc import Mapping
from typing import Any

import pytest

from knowledge.clinical_time import parse_fhir
from knowledge.finding import State, Why
from knowledge.quantity import Interval, measured
from tools.labs.change import Change, change
from tools.labs.contamination import PatternResult, contamination_patterns
from tools.labs.delta_check import delta_check, latest_within_window
from tools.labs.paired_result import LabResult

DAY = {n: f"2026-11-{n:02d}T08:00:00Z" for n in range(1, 30)}


def result(analyte: str, value: float | Interval, unit: str, day: int, **more: Any) -> LabResult:
    """Return a laboratory result of serum on a day of November."""
    interval = value if isinstance(value, Interval) else Interval.exact(value)
    known: dict[str, Any] = {"method_kind": "laboratory", "specimen": "serum", **more}
    return LabResult(
        analyte=analyte,
        value=measured(interval, unit),
        time=parse_fhir(DAY[day], clock="test"),
        **known,
    )


# limits of the sheet: MCV over 3 fL, Na 8, K 1.0 or 20 %, creatinine 50 %, urea 60 %, Hb 2 g/dL or
# 20 %, platelets 50 %, protein and albumin 20 %, calcium 0.25 mmol/L, ALT and AST over 3 times
@pytest.mark.parametrize(
    ("analyte", "unit", "earlier", "later", "raised"),
    [
        ("mcv", "fL", 90, 93, False),
        ("mcv", "fL", 90, 93.5, True),
        ("sodium", "mmol/L", 140, 147, False),
        ("sodium", "mmol/L", 140, 132, True),
        ("potassium", "mmol/L", 4.2, 5.2, True),
        ("potassium", "mmol/L", 3.0, 3.6, True),
        ("potassium", "mmol/L", 4.5, 5.3, False),
        ("creatinine", "mg/dL", 1.0, 1.4, False),
        ("creatinine", "mg/dL", 1.0, 1.5, True),
        ("urea", "mmol/L", 5.0, 8.0, True),
        ("haemoglobin", "g/dL", 14, 12, True),
        ("haemoglobin", "g/dL", 8, 6.4, True),
        ("haemoglobin", "g/dL", 14, 12.5, False),
        ("platelets", "10*9/L", 200, 100, True),
        ("albumin", "g/dL", 4.0, 3.2, True),
        ("albumin", "g/dL", 4.0, 3.3, False),
        ("total_protein", "g/dL", 7.0, 6.0, False),
        ("total_protein", "g/dL", 7.0, 5.6, True),
        ("urea", "mmol/L", 5.0, 7.9, False),
        ("platelets", "10*9/L", 200, 101, False),
        ("ast", "U/L", 120, 40, False),
        ("calcium", "mmol/L", 2.40, 2.15, True),
        ("calcium", "mmol/L", 2.40, 2.20, False),
        ("calcium", "mg/dL", 9.6, 8.5, True),
        ("alt", "U/L", 40, 120, False),
        ("alt", "U/L", 40, 121, True),
        ("ast", "U/L", 400, 100, True),
    ],
)
def test_each_limit(analyte: str, unit: str, earlier: float, later: float, raised: bool) -> None:
    found = delta_check(result(analyte, earlier, unit, 18), result(analyte, later, unit, 20))
    assert found.state is (State.PRESENT if raised else State.ABSENT)
    assert found.source


def test_a_bound_on_both_sides_of_the_limit_is_not_assessed() -> None:
    later = result("platelets", Interval(high=150, high_closed=False), "10*9/L", 20)
    found = delta_check(result("platelets", 200, "10*9/L", 18), later)
    assert found.state is State.NOT_ASSESSED
    low = result("platelets", Interval(high=90, high_closed=False), "10*9/L", 20)
    assert delta_check(result("platelets", 200, "10*9/L", 18), low).state is State.PRESENT


def test_the_window_is_seven_days() -> None:
    inside = delta_check(result("sodium", 140, "mmol/L", 13), result("sodium", 120, "mmol/L", 20))
    assert inside.state is State.PRESENT
    outside = delta_check(result("sodium", 140, "mmol/L", 12), result("sodium", 120, "mmol/L", 20))
    assert outside.not_assessed is not None
    assert outside.not_assessed.why is Why.OUTSIDE_WINDOW


def test_tsh_is_excluded_and_an_unknown_analyte_is_not_assessed() -> None:
    for analyte in ("tsh", "unheard_of"):
        found = delta_check(result(analyte, 1, "mIU/L", 18), result(analyte, 9, "mIU/L", 20))
        assert found.state is State.NOT_ASSESSED
        assert found.not_assessed is not None


def test_point_of_care_is_never_compared_with_the_laboratory() -> None:
    later = result("potassium", 6.0, "mmol/L", 20, method_kind="point-of-care")
    found = delta_check(result("potassium", 4.0, "mmol/L", 19), later)
    assert found.state is State.NOT_ASSESSED


def test_the_latest_comparable_result_is_taken() -> None:
    old, new = result("sodium", 140, "mmol/L", 16), result("sodium", 139, "mmol/L", 19)
    gas = result("sodium", 150, "mmol/L", 20, method_kind="point-of-care")
    later = result("sodium", 130, "mmol/L", 21)
    assert latest_within_window((gas, old, new), later) == new
    none = latest_within_window((), later)
    assert not isinstance(none, LabResult)
    assert none.why is Why.MISSING


def changes(values: Mapping[str, tuple[float, float]]) -> dict[str, Change]:
    """Return the change of each analyte from the 18th to the 20th."""
    return {
        key: change(result(key, a, "x", 18), result(key, b, "x", 20))
        for key, (a, b) in values.items()
    }


def pattern(key: str, values: Mapping[str, tuple[float, float]]) -> PatternResult:
    """Return one pattern for the values."""
    return next(p for p in contamination_patterns(changes(values)) if p.pattern == key)


EDTA = {"potassium": (4.2, 9.5), "calcium": (2.4, 1.2), "magnesium": (0.85, 0.5), "alp": (80, 30)}
SALINE = {
    "sodium": (140, 148),
    "chloride": (103, 125),
    "potassium": (4.2, 2.9),
    "calcium": (2.4, 1.6),
    "albumin": (4.2, 2.9),
}
DEXTROSE = {
    "glucose": (95, 900),
    "sodium": (140, 118),
    "potassium": (4.2, 3.3),
    "calcium": (2.4, 1.9),
}


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("edta_contamination", EDTA),
        ("drip_arm_saline", SALINE),
        ("drip_arm_dextrose", DEXTROSE),
    ],
)
def test_a_pattern_is_supported(key: str, values: dict[str, tuple[float, float]]) -> None:
    found = pattern(key, values)
    assert found.support == "supported"
    assert found.settles
    assert found.source
    assert found.shown_by


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("edta_contamination", {**EDTA, "calcium": (2.4, 2.4)}),
        ("edta_contamination", {**EDTA, "potassium": (4.2, 4.2)}),
        ("edta_contamination", {**EDTA, "magnesium": (0.85, 0.85), "alp": (80, 81)}),
        ("drip_arm_saline", {**SALINE, "sodium": (140, 140), "chloride": (103, 103)}),
        ("drip_arm_dextrose", {**DEXTROSE, "glucose": (95, 96)}),
    ],
)
def test_a_pattern_is_argued_against(key: str, values: dict[str, tuple[float, float]]) -> None:
    assert pattern(key, values).support == "argued against"


def test_a_missing_analyte_leaves_the_pattern_open_and_is_named() -> None:
    found = pattern("edta_contamination", {"potassium": (4.2, 9.5)})
    assert found.support == "not assessed"
    assert set(found.missing) == {"calcium", "magnesium", "alp"}
    assert all(p.support == "not assessed" for p in contamination_patterns({}))
