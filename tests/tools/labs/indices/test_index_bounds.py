"""The interval of an index is what its inputs allow: dense sampling finds nothing outside."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.laboratory_indices import IndexInputRow, laboratory_indices
from knowledge.quantity import Interval, Quantity, QuantityInterval
from tools.labs.indices.compute import function_of

INDICES = sorted(laboratory_indices().indices)
LIMITS = {"apri": {"limits": "who_2015"}}
# where a clamp, a step or a class lies inside what is drawn
DRAWN = {
    "sodium_mmol_l": (115.0, 145.0),
    "chloride_mmol_l": (80.0, 120.0),
    "bicarbonate_mmol_l": (4.0, 40.0),
    "inr": (0.8, 4.0),
    "bilirubin_mg_dl": (0.2, 14.0),
    "creatinine_mg_dl": (0.3, 6.0),
    "albumin_g_dl": (1.0, 5.0),
    "albumin_g_l": (10.0, 50.0),
    "cholesterol_mg_dl": (100.0, 500.0),
    "hdl_mg_dl": (15.0, 100.0),
    "haematocrit_percent": (10.0, 45.0),
    "age_years": (18.0, 100.0),
    "pco2_mmhg": (15.0, 90.0),
    "fio2_fraction": (0.21, 1.0),
    "factor": (3.0, 12.0),
    "height_cm": (100.0, 210.0),
}
POINTS = 16


def _range(key: str, spec: IndexInputRow) -> tuple[float, float]:
    low, high = DRAWN.get(key, (0.5, 600.0))
    # the whole contract, where it is bounded
    low = max((x for x in (spec.at_least, spec.above) if x is not None), default=low)
    high = min((x for x in (spec.at_most, spec.below) if x is not None), default=high)
    margin = 1e-3 * (high - low)
    return low + margin, high - margin


@st.composite
def boxes(draw: st.DrawFn, index: str) -> tuple[dict[str, Interval], dict[str, Any]]:
    row = laboratory_indices().indices[index]
    box: dict[str, Interval] = {}
    for key, spec in row.inputs.items():
        low, high = _range(key, spec)
        # a raster, so that limits of classes and clamps are met exactly too
        ends = sorted(draw(st.integers(0, 40)) for _ in range(2))
        a, b = (round(low + (high - low) * end / 40, 3) for end in ends)
        if a == b:
            box[key] = Interval.exact(a)
        else:
            box[key] = Interval(
                low=a, high=b, low_closed=draw(st.booleans()), high_closed=draw(st.booleans())
            )
    options: dict[str, Any] = {
        key: draw(st.sampled_from(option.choices)) for key, option in row.options.items()
    }
    return box, {**options, **LIMITS.get(index, {})}


def _inside(value: Interval, share: float) -> float:
    assert value.low is not None
    assert value.high is not None
    return value.low + (value.high - value.low) * share


def _end(value: Interval, share: float) -> float:
    """Return the end of an interval, or a place just inside where the end is open."""
    end, closed = (value.low, value.low_closed) if share < 0.5 else (value.high, value.high_closed)
    return end if closed and end is not None else _inside(value, share)


def _number(index: str, at: dict[str, float], options: dict[str, Any]) -> Interval:
    inputs = {key: Interval.exact(value) for key, value in at.items()}
    result = function_of(index)(**inputs, **options)
    assert result.value is not None, result.statement
    return result.value.interval


@pytest.mark.parametrize("index", INDICES)
def test_no_sampled_value_lies_outside_and_both_ends_are_reached(index: str) -> None:
    @settings(max_examples=10, deadline=None, derandomize=True, database=None)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        box, options = data.draw(boxes(index))
        result = function_of(index)(**box, **options)
        assert result.value is not None, result.statement
        whole = result.value.interval
        assert whole.low is not None
        assert whole.high is not None
        slack = 1e-9 * max(1.0, abs(whole.low), abs(whole.high))
        shares = data.draw(
            st.lists(
                st.lists(st.floats(0.001, 0.999), min_size=len(box), max_size=len(box)),
                min_size=POINTS,
                max_size=POINTS,
            )
        )
        for point in shares:
            at = {k: _inside(v, s) for (k, v), s in zip(box.items(), point, strict=True)}
            found = _number(index, at, options)
            assert found.low is not None
            assert found.high is not None
            assert whole.low - slack <= found.low, at
            assert found.high <= whole.high + slack, at
        # tight: next to the corners both ends are met (open ends from just inside)
        lows, highs = [], []
        for corner in product((1e-9, 1 - 1e-9), repeat=len(box)):
            at = {k: _end(v, s) for (k, v), s in zip(box.items(), corner, strict=True)}
            found = _number(index, at, options)
            lows.append(found.low)
            highs.append(found.high)
        assert min(low for low in lows if low is not None) == pytest.approx(
            whole.low, rel=1e-6, abs=1e-4
        )
        assert max(high for high in highs if high is not None) == pytest.approx(
            whole.high, rel=1e-6, abs=1e-4
        )

    check()


@pytest.mark.parametrize("index", INDICES)
def test_a_bounded_input_never_gives_a_number(index: str) -> None:
    row = laboratory_indices().indices[index]
    options: dict[str, Any] = {k: o.choices[0] for k, o in row.options.items()}
    options |= {"dialysis": False} if "dialysis" in options else {}
    options |= {"sex": "male"} if "sex" in options else {}
    middle = {}
    for key, spec in row.inputs.items():
        low, high = _range(key, spec)
        middle[key] = Interval.exact((low + high) / 2)
    for key, spec in row.inputs.items():
        low, high = _range(key, spec)
        wide = Interval(low=(low + high) / 2, high=high)
        result = function_of(index)(**{**middle, key: wide}, **options, **LIMITS.get(index, {}))
        assert isinstance(result.value, QuantityInterval), (key, result.statement)


def test_an_input_known_only_from_below_leaves_the_index_bounded_on_one_side() -> None:
    above = Interval(low=1000, low_closed=False)
    result = function_of("de_ritis_ratio")(ast_u_l=above, alt_u_l=Interval.exact(100))
    assert result.value is not None
    assert result.value.interval == Interval(low=10, low_closed=False)
    assert result.category == "over 2"
    under = function_of("de_ritis_ratio")(
        ast_u_l=Interval.exact(100), alt_u_l=Interval(high=5, high_closed=False)
    )
    assert under.value is not None  # ALT under 5: 100/5 = 20 is not reached, everything above is
    assert under.value.interval == Interval(low=20, low_closed=False)


def test_an_open_end_at_a_step_counts_only_what_lies_inside() -> None:
    # the maturation factor is 1 from a haematocrit of 40 % and 1.5 under it: 9 x 40/45 = 8 or 5.33
    reticulocytes = Interval.exact(9)
    under = function_of("reticulocyte_production_index")(
        reticulocytes_percent=reticulocytes,
        haematocrit_percent=Interval(low=35, high=40, high_closed=False),
    )
    touching = function_of("reticulocyte_production_index")(
        reticulocytes_percent=reticulocytes, haematocrit_percent=Interval(low=35, high=40)
    )
    assert under.value is not None
    assert touching.value is not None
    assert under.value.interval.high == pytest.approx(16 / 3)
    assert touching.value.interval.high == pytest.approx(8)


def test_both_ends_unbounded_is_not_assessed() -> None:
    above = Interval(low=10, low_closed=False)
    result = function_of("anion_gap")(
        sodium_mmol_l=above, chloride_mmol_l=above, bicarbonate_mmol_l=Interval.exact(20)
    )
    assert result.value is None
    assert result.not_assessed is not None


def test_the_middle_of_a_number_is_that_number() -> None:
    result = function_of("pf_ratio")(
        pao2_mmhg=Interval.exact(80), fio2_fraction=Interval.exact(0.8)
    )
    assert result.value == Quantity(value=100, unit="mm[Hg]")
