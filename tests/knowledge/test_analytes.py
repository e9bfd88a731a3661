"""Conversions against factors printed elsewhere, and refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.analytes import ASSUMED, Converted, analytes, convert, convert_number
from knowledge.clinical_inputs import catalogue
from knowledge.finding import NotAssessed, Why
from knowledge.quantity import Interval, Quantity

TABLE = analytes()

# (analyte, value, unit, expected in the canonical unit). Expected values are worked out from the
# conventional-to-SI factors in common use (creatinine 88.40, glucose 0.05551, cholesterol 0.02586,
# urea nitrogen 0.357, urea 0.1665, Mg 0.4114, lactate 0.1110, Hb 0.6206, NT-proBNP 0.1182, BNP
# 0.289, mmHg to kPa 0.13332), not from our table.
CONVERSIONS = [
    ("hs_ctnt", 0.012, "ug/L", 12.0, "ng/L"),
    ("hs_ctni", 26.2, "pg/mL", 26.2, "ng/L"),
    ("ctni", 0.04, "ng/mL", 40.0, "ng/L"),
    ("creatinine", 88.40, "umol/L", 1.0, "mg/dL"),
    ("creatinine", 10, "mg/L", 1.0, "mg/dL"),
    ("glucose", 5.551, "mmol/L", 100.0, "mg/dL"),
    ("cholesterol", 5.172, "mmol/L", 200.0, "mg/dL"),
    ("ldl_cholesterol", 2.586, "mmol/L", 100.0, "mg/dL"),
    ("magnesium", 2.0, "mg/dL", 0.8228, "mmol/L"),
    ("lactate", 18.0, "mg/dL", 1.998, "mmol/L"),
    ("haemoglobin", 140, "g/L", 14.0, "g/dL"),
    ("haemoglobin", 8.688, "mmol/L", 14.0, "g/dL"),
    ("nt_probnp", 118.2, "pmol/L", 1000.0, "pg/mL"),
    ("bnp", 28.9, "pmol/L", 100.0, "pg/mL"),
    ("crp", 0.8, "mg/dL", 8.0, "mg/L"),
    ("potassium", 4.2, "meq/L", 4.2, "mmol/L"),
    ("wbc", 7.3, "K/uL", 7.3, "10*9/L"),
    ("wbc", 7300, "/uL", 7.3, "10*9/L"),
    ("platelets", 250, "k/cumm", 250.0, "10*9/L"),
    ("systolic_bp", 16.0, "kPa", 120.0, "mm[Hg]"),
    ("body_temperature", 98.6, "[degF]", 37.0, "Cel"),
    ("body_temperature", 212.0 / 2, "[degF]", 41.1111, "Cel"),
    ("spo2", 0.97, "1", 97.0, "%"),
    ("body_weight", 150, "[lb_av]", 68.0389, "kg"),
]


@pytest.mark.parametrize(
    ("key", "value", "unit", "expected", "canonical"),
    CONVERSIONS,
    ids=[f"{row[0]}-{row[2]}" for row in CONVERSIONS],
)
def test_a_value_converts_by_the_factor_in_common_use(
    key: str, value: float, unit: str, expected: float, canonical: str
) -> None:
    result = convert(key, Interval.exact(value), unit)
    assert isinstance(result, Converted)
    assert isinstance(result.value, Quantity)
    assert result.value.value == pytest.approx(expected, rel=2e-3)
    assert result.value.unit == canonical


@pytest.mark.parametrize(
    ("loinc", "factor"),
    [("3094-0", 0.357), ("6299-2", 0.357), ("3091-6", 0.1665)],
    ids=["urea nitrogen", "urea nitrogen in blood", "urea"],
)
def test_mg_per_dl_of_urea_is_read_by_what_the_code_counts(loinc: str, factor: float) -> None:
    result = convert("urea", Interval.exact(20.0), "mg/dL", loinc)
    assert isinstance(result, Converted)
    assert isinstance(result.value, Quantity)
    assert result.value.value == pytest.approx(20.0 * factor, rel=1e-3)


def test_mg_per_dl_of_urea_without_a_code_is_not_assessed() -> None:
    result = convert("urea", Interval.exact(20.0), "mg/dL")
    assert isinstance(result, NotAssessed)
    assert "urea or urea nitrogen not stated" in result.detail


D_DIMER = [
    ("ng/mL FEU", None, 400.0, ()),
    ("mg/L{FEU}", None, 400000.0, ()),
    ("ug/mL FEU", "7799-0", 400000.0, ()),
    ("ng/mL", "48065-7", 400.0, ()),
    ("ng/mL", "48067-3", 400.0, ()),
    ("ng/mL", "48066-5", 800.0, ("converted-ddu-to-feu",)),
    ("ng/mL DDU", None, 800.0, ("converted-ddu-to-feu",)),
    ("ng/mL{DDU}", "48066-5", 800.0, ("converted-ddu-to-feu",)),
]


@pytest.mark.parametrize(
    ("unit", "loinc", "expected", "flags"), D_DIMER, ids=[f"{r[0]}-{r[1]}" for r in D_DIMER]
)
def test_d_dimer_is_read_in_fibrinogen_equivalent_units(
    unit: str, loinc: str | None, expected: float, flags: tuple[str, ...]
) -> None:
    result = convert("d_dimer", Interval.exact(400.0), unit, loinc)
    assert isinstance(result, Converted)
    assert result.value == Quantity(value=expected, unit="ng/mL")
    assert result.flags == flags


@pytest.mark.parametrize("loinc", ["7799-0", None])
def test_d_dimer_that_names_neither_feu_nor_ddu_is_not_assessed(loinc: str | None) -> None:
    result = convert("d_dimer", Interval.exact(400.0), "ng/mL", loinc)
    assert isinstance(result, NotAssessed)
    assert result.why is Why.UNIT_NOT_RECOGNISED
    assert "FEU or DDU not stated" in result.detail


def test_feu_reported_under_the_ddu_code_is_conflicting_not_doubled() -> None:
    result = convert("d_dimer", Interval.exact(400.0), "ng/mL FEU", "48066-5")
    assert isinstance(result, NotAssessed)
    assert result.why is Why.CONFLICTING


@pytest.mark.parametrize(
    ("key", "unit"),
    [
        ("potassium", "K/uL"),
        ("hs_ctnt", "mmol/L"),
        ("hs_ctnt", "{score}"),
        ("creatinine", "creat units"),
        ("d_dimer", "fibrinogen units"),
        ("body_temperature", "K"),
        ("glucose", "IU/L"),
    ],
)
def test_an_unknown_unit_is_not_assessed(key: str, unit: str) -> None:
    result = convert(key, Interval.exact(20.0), unit)
    assert isinstance(result, NotAssessed)
    assert result.why is Why.UNIT_NOT_RECOGNISED


@pytest.mark.parametrize(
    ("key", "value"),
    [("creatinine", 1.0), ("creatinine", 88.0), ("hs_ctnt", 14.0), ("glucose", 100.0)],
)
def test_a_missing_unit_is_refused_where_two_units_are_possible(key: str, value: float) -> None:
    result = convert(key, Interval.exact(value), None)
    assert isinstance(result, NotAssessed)
    assert result.why is Why.UNIT_NOT_RECOGNISED


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [("heart_rate", 72, 72), ("body_temperature", 37.0, 37.0), ("body_temperature", 98.6, 37.0)],
)
def test_a_missing_unit_is_assumed_and_flagged_where_one_alone_is_possible(
    key: str, value: float, expected: float
) -> None:
    result = convert(key, Interval.exact(value), " ")
    assert isinstance(result, Converted)
    assert isinstance(result.value, Quantity)
    assert result.value.value == pytest.approx(expected)
    assert ASSUMED in result.flags


@pytest.mark.parametrize(
    ("key", "value", "unit"),
    [
        ("hs_ctnt", -3.0, "ng/L"),
        ("creatinine", 0.0, "mg/dL"),
        ("potassium", 42.0, "mmol/L"),
        ("heart_rate", 900.0, "/min"),
        ("spo2", 180.0, "%"),
        ("body_temperature", 370.0, "Cel"),
    ],
)
def test_an_impossible_value_is_not_assessed(key: str, value: float, unit: str) -> None:
    result = convert(key, Interval.exact(value), unit)
    assert isinstance(result, NotAssessed)
    assert result.why is Why.VALUE_IMPOSSIBLE


def test_a_value_below_the_limit_of_detection_is_an_interval_from_zero() -> None:
    result = convert("hs_ctnt", Interval(high=0.006, high_closed=False), "ng/mL")
    assert isinstance(result, Converted)
    assert result.value.interval == Interval(low=0.0, high=6.0, high_closed=False)


def test_a_value_below_zero_or_less_is_impossible() -> None:
    result = convert("hs_ctnt", Interval(high=0.0, high_closed=False), "ng/L")
    assert isinstance(result, NotAssessed)
    assert result.why is Why.VALUE_IMPOSSIBLE


@pytest.mark.parametrize("key", sorted(TABLE.analytes))
def test_every_spelling_of_a_unit_means_the_same(key: str) -> None:
    row = TABLE.analytes[key]
    for unit in row.units:
        expected = convert(key, Interval.exact(60.0), unit.unit)
        for spelling in TABLE.spellings[unit.unit]:
            assert convert(key, Interval.exact(60.0), f" {spelling} ") == expected


@given(
    st.sampled_from(sorted(key for key, row in TABLE.analytes.items() if row.loinc)),
    st.floats(min_value=-10, max_value=1e6, allow_nan=False),
    st.sampled_from([None, *sorted({s for v in TABLE.spellings.values() for s in v})]),
)
def test_the_short_way_for_a_number_agrees_with_the_long_way(
    key: str, value: float, unit: str | None
) -> None:
    loinc = next(iter(TABLE.analytes[key].loinc))
    assert convert_number(key, value, unit, loinc) == convert(
        key, Interval.exact(value), unit, loinc
    )


@given(
    st.sampled_from(sorted(TABLE.analytes)),
    st.floats(min_value=-1e7, max_value=1e7, allow_nan=False),
    st.text(max_size=8),
)
def test_no_unit_text_gives_an_impossible_value(key: str, value: float, unit: str) -> None:
    result = convert(key, Interval.exact(value), unit)
    if isinstance(result, Converted):
        row = TABLE.analytes[key]
        assert isinstance(result.value, Quantity)
        assert row.low <= result.value.value <= row.high


def test_a_loinc_code_leads_to_its_analyte() -> None:
    assert TABLE.for_loinc("67151-1") == "hs_ctnt"
    assert TABLE.for_loinc("89579-7") == "hs_ctni"
    assert TABLE.for_loinc("6598-7") == "ctnt"
    assert TABLE.for_loinc("0000-0") is None


def test_conventional_and_high_sensitivity_troponin_share_no_code() -> None:
    codes = [set(TABLE.analytes[k].loinc) for k in ("hs_ctnt", "hs_ctni", "ctnt", "ctni")]
    assert sum(len(c) for c in codes) == len(set().union(*codes))


@pytest.mark.parametrize(
    "input_id",
    [
        key
        for key, entry in catalogue().inputs.items()
        if entry.kind == "quantity" and (entry.analyte or key) in TABLE.analytes
    ],
)
def test_units_and_limits_agree_with_the_clinical_input_catalogue(input_id: str) -> None:
    entry = catalogue().inputs[input_id]
    row = TABLE.analytes[entry.analyte or input_id]
    assert (row.unit, row.low, row.high) == (entry.unit, entry.low, entry.high)
    assert entry.observation is None or set(entry.observation.loinc) <= set(row.loinc)
