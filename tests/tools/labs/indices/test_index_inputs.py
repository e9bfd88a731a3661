"""Missing inputs, contracts, units and times of the derived indices."""

from typing import Any

import pytest

from knowledge.analytes import analytes
from knowledge.clinical_time import parse_fhir
from knowledge.codes import Concept
from knowledge.evidence import RecordEvidence
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.index import Index
from knowledge.laboratory_indices import IndexRow, laboratory_indices
from knowledge.quantity import Interval, Quantity, QuantityInterval
from tools.labs.indices.compute import compute, function_of
from tools.labs.indices.supplied import as_given, upper_limit

exact = Interval.exact
INDICES = sorted(laboratory_indices().indices)
MELD: dict[str, Any] = {
    "bilirubin_mg_dl": exact(5),
    "sodium_mmol_l": exact(130),
    "inr": exact(2),
    "creatinine_mg_dl": exact(1.8),
    "albumin_g_dl": exact(2.6),
    "age_years": exact(50),
    "sex": "female",
    "dialysis": False,
}


def _call(index: str, **known: Any) -> Index:
    row = laboratory_indices().indices[index]
    nothing: dict[str, Any] = dict.fromkeys([*row.inputs, *row.options])
    limits = {"limits": "who_2015"} if index == "apri" else {}
    return function_of(index)(**{**nothing, **limits, **known})


@pytest.mark.parametrize("index", INDICES)
def test_with_nothing_known_an_index_is_not_assessed_and_names_every_input(index: str) -> None:
    row = laboratory_indices().indices[index]
    result = _call(index)
    assert result.value is None
    assert result.not_assessed is not None
    assert result.not_assessed.why is Why.MISSING
    assert {m.input for m in result.missing} == {*row.inputs, *row.options}
    assert result.category == ""


@pytest.mark.parametrize("index", INDICES)
def test_each_missing_input_alone_prevents_a_number(index: str) -> None:
    row = laboratory_indices().indices[index]
    whole: dict[str, Any] = {}
    for key, spec in row.inputs.items():
        limits = [x for x in (spec.at_least, spec.above, spec.at_most, spec.below) if x is not None]
        low = max((x for x in (spec.at_least, spec.above) if x is not None), default=None)
        high = min((x for x in (spec.at_most, spec.below) if x is not None), default=None)
        value = 50.0 if not limits else (low or 0) + 1.0 if high is None else high * 0.9
        whole[key] = exact(value)
    for key, option in row.options.items():
        whole[key] = False if key == "dialysis" else option.choices[-1]
    for key in (*row.inputs, *row.options):
        result = _call(index, **{**whole, key: None})
        assert not isinstance(result.value, Quantity), (key, result.statement)
        assert key in {m.input for m in result.missing}
        assert (result.value is None) == (result.not_assessed is not None)


def test_a_reason_that_is_given_for_a_missing_input_is_kept() -> None:
    reason = NotAssessed(why=Why.CONFLICTING, detail="two laboratories differ")
    result = _call("de_ritis_ratio", ast_u_l=reason, alt_u_l=exact(40))
    assert result.missing[0].reason == reason


def test_without_the_sex_egfr_is_the_range_over_both() -> None:
    result = _call("egfr_ckd_epi_2021", creatinine_mg_dl=exact(1.0), age_years=exact(60))
    assert isinstance(result.value, QuantityInterval)
    low, high = result.value.interval.low, result.value.interval.high
    assert low == pytest.approx(64.5, abs=0.05)  # the woman and the man of the vectors
    assert high == pytest.approx(86.2, abs=0.05)
    assert result.category == "G2"
    assert [m.input for m in result.missing] == ["sex"]


def test_a_stage_that_the_sex_decides_is_not_determined() -> None:
    result = _call("egfr_ckd_epi_2021", creatinine_mg_dl=exact(1.3), age_years=exact(60))
    assert result.category == "not determined"
    assert [band.name for band in result.bands] == ["G2", "G3a"]


def test_meld_without_sodium_is_bounded_by_the_rule_s_own_limits() -> None:
    # sodium 137: 31.25 - 5.74 + 0.24 x 7 x ln 5 = 28.21; sodium 125: 28.21 + 9.84 - 4.635 = 33.42
    result = function_of("meld_3")(**{**MELD, "sodium_mmol_l": None})
    assert isinstance(result.value, QuantityInterval)
    assert result.value.interval == Interval(low=28, high=33)
    assert [m.input for m in result.missing] == ["sodium_mmol_l"]


def test_the_age_of_a_woman_does_not_count_in_meld_and_is_not_asked() -> None:
    result = function_of("meld_3")(**{**MELD, "age_years": None})
    assert result.value == Quantity(value=31, unit="1")
    man = function_of("meld_3")(**{**MELD, "age_years": None, "sex": "male"})
    assert isinstance(man.value, QuantityInterval)  # 31.25 - 1.33 = 29.92 for an adult
    assert man.value.interval == Interval(low=30, high=31)


def test_dialysis_sets_creatinine_in_meld() -> None:
    # ln 3 = 1.0986 for ln 1.8 = 0.5878: + 0.5108 x (11.14 - 1.83 x 0.9) = + 4.85: 36.10
    result = function_of("meld_3")(**{**MELD, "dialysis": True, "creatinine_mg_dl": None})
    assert result.value == Quantity(value=36, unit="1")


@pytest.mark.parametrize(
    ("index", "known", "words"),
    [
        ("egfr_ckd_epi_2021", {"creatinine_mg_dl": 1, "age_years": 17, "sex": "male"}, "adults"),
        (
            "ldl_friedewald",
            {"cholesterol_mg_dl": 250, "hdl_mg_dl": 40, "triglycerides_mg_dl": 400},
            "under 400",
        ),
        (
            "ldl_sampson",
            {"cholesterol_mg_dl": 250, "hdl_mg_dl": 40, "triglycerides_mg_dl": 801},
            "up to 800",
        ),
        (
            "ldl_friedewald_si",
            {"cholesterol_mmol_l": 6, "hdl_mmol_l": 1, "triglycerides_mmol_l": 4.6},
            "under 400",
        ),
        (
            "delta_ratio",
            {"sodium_mmol_l": 140, "chloride_mmol_l": 100, "bicarbonate_mmol_l": 24},
            "under 24",
        ),
        ("expected_pco2_metabolic_acidosis", {"bicarbonate_mmol_l": 25}, "acidosis"),
        ("expected_pco2_metabolic_alkalosis", {"bicarbonate_mmol_l": 24}, "alkalosis"),
        ("corrected_sodium_katz", {"sodium_mmol_l": 130, "glucose_mg_dl": 90}, "100 mg/dL"),
        (
            "meld_3",
            {
                **{k: v.low for k, v in MELD.items() if isinstance(v, Interval)},
                "age_years": 11,
                "sex": "male",
                "dialysis": False,
            },
            "12 years",
        ),
        (
            "a_a_gradient",
            {
                "fio2_fraction": 21,
                "pao2_mmhg": 70,
                "paco2_mmhg": 40,
                "barometric_pressure_mmhg": 760,
            },
            "fraction",
        ),
        ("sf_ratio", {"spo2_percent": 98, "fio2_fraction": 0.4}, "97"),
        (
            "reticulocyte_production_index",
            {"reticulocytes_percent": 2, "haematocrit_percent": 46},
            "45",
        ),
        ("ideal_body_weight", {"height_cm": 150, "sex": "male"}, "152.4"),
        (
            "fib_4",
            {"age_years": 17, "ast_u_l": 40, "alt_u_l": 40, "platelets_10_9_l": 200},
            "adults",
        ),
    ],
)
def test_outside_its_contract_an_index_refuses_with_the_reason(
    index: str, known: dict[str, Any], words: str
) -> None:
    given = {
        k: exact(v) if isinstance(v, int | float) and not isinstance(v, bool) else v
        for k, v in known.items()
    }
    result = _call(index, **given)
    assert result.value is None
    assert result.not_assessed is not None
    assert result.not_assessed.why is Why.OUTSIDE_CONTRACT
    assert words in result.not_assessed.detail


def test_a_bound_across_the_contract_is_refused() -> None:
    result = _call(
        "ldl_friedewald",
        cholesterol_mg_dl=exact(250),
        hdl_mg_dl=exact(40),
        triglycerides_mg_dl=Interval(low=300, high=500),
    )
    assert result.not_assessed is not None
    assert "not known to be inside" in result.not_assessed.detail


def test_martin_hopkins_says_that_its_table_is_not_held() -> None:
    result = _call(
        "ldl_martin_hopkins",
        cholesterol_mg_dl=exact(200),
        hdl_mg_dl=exact(45),
        triglycerides_mg_dl=exact(150),
    )
    assert result.value is None
    assert "not held" in result.missing[0].question


def test_fib_4_around_65_years_reads_both_limits() -> None:
    # 1.59 is low from 65 years and indeterminate before
    result = _call(
        "fib_4",
        age_years=Interval(low=64, high=65),
        ast_u_l=exact(30),
        alt_u_l=exact(150),
        platelets_10_9_l=exact(100),
    )
    assert {band.name for band in result.bands} == {"low", "indeterminate"}


def test_an_answer_that_is_none_of_the_choices_is_an_error() -> None:
    with pytest.raises(ValueError, match="none of"):
        _call("ideal_body_weight", height_cm=exact(170), sex="unknown")


def _finding(value: float, unit: str, at: str | None = "2026-11-20T08:00:00Z") -> Finding:
    return Finding(
        concept=Concept(text="a result"),
        state=State.PRESENT,
        value=Quantity(value=value, unit=unit),
        time=None if at is None else parse_fhir(at, clock="test"),
        evidence=(RecordEvidence(file="a", record="b"),),
    )


def test_findings_are_converted_to_the_unit_of_the_formula() -> None:
    # 88.4 umol/L of creatinine is 1.0 mg/dL; urea 5 mmol/L is 14 mg/dL of urea nitrogen
    ratio = compute(
        "bun_creatinine_ratio",
        {
            "urea_nitrogen_mg_dl": _finding(5, "mmol/L"),
            "creatinine_mg_dl": _finding(88.4, "umol/L"),
        },
    )
    assert isinstance(ratio.value, Quantity)
    assert ratio.value.value == pytest.approx(14.0, abs=0.02)
    glucose = compute(
        "homa_ir",
        {"glucose_mmol_l": _finding(90, "mg/dL"), "insulin_mu_l": _finding(9, "m[IU]/L")},
    )
    assert isinstance(glucose.value, Quantity)  # 90/18.016 = 4.996; x 9 / 22.5 = 1.998
    assert glucose.value.value == pytest.approx(1.998, abs=0.001)
    assert ratio.evidence[0] == RecordEvidence(file="a", record="b")


def test_a_unit_that_is_not_known_is_missing_with_the_reason() -> None:
    result = compute("anion_gap", {"sodium_mmol_l": _finding(140, "furlong")})
    assert result.missing[0].reason.why is Why.UNIT_NOT_RECOGNISED


@pytest.mark.parametrize(
    ("at", "why"), [("2026-11-22T08:00:00Z", Why.OUTSIDE_WINDOW), (None, Why.TIME_NOT_GIVEN)]
)
def test_results_of_two_times_are_not_put_together(at: str | None, why: Why) -> None:
    apart = compute(
        "de_ritis_ratio", {"ast_u_l": _finding(80, "U/L"), "alt_u_l": _finding(40, "U/L", at)}
    )
    assert apart.value is None
    assert apart.missing[0].reason.why is why
    near = compute(
        "de_ritis_ratio", {"ast_u_l": _finding(80, "U/L"), "alt_u_l": _finding(40, "U/L")}
    )
    assert near.value == Quantity(value=2, unit="1")


def test_the_laboratory_s_upper_limit_comes_first_and_a_fallback_is_named() -> None:
    platelets, ast = _finding(120, "10*9/L"), _finding(80, "U/L")
    own = compute(
        "apri",
        {
            "ast_u_l": ast,
            "ast_upper_limit_u_l": upper_limit(laboratory=50, fallback=40),
            "platelets_10_9_l": platelets,
        },
        {"limits": "who_2015"},
    )
    assert isinstance(own.value, Quantity)
    assert own.value.value == pytest.approx(100 * (80 / 50) / 120)
    assert not any("fallback" in caveat for caveat in own.caveats)
    fallback = compute(
        "apri",
        {
            "ast_u_l": ast,
            "ast_upper_limit_u_l": upper_limit(laboratory=None, fallback=40),
            "platelets_10_9_l": platelets,
        },
        {"limits": "who_2015"},
    )
    assert any("fallback" in caveat for caveat in fallback.caveats)
    assert upper_limit(laboratory=None) is None


def test_categories_with_a_gap_are_refused() -> None:
    row = laboratory_indices().indices["mentzer_index"].model_dump()
    row["categories"] = {"all": [{"name": "low", "below": 13}, {"name": "high", "above": 13}]}
    with pytest.raises(ValueError, match="overlap or leave a gap"):
        IndexRow.model_validate(row)


@pytest.mark.parametrize("index", INDICES)
def test_an_amount_below_zero_is_impossible(index: str) -> None:
    row = laboratory_indices().indices[index]
    below = dict.fromkeys(row.inputs, exact(-3))
    result = _call(index, **below)
    assert result.not_assessed is not None
    assert result.not_assessed.why is Why.VALUE_IMPOSSIBLE


def test_a_denominator_of_zero_gives_no_number() -> None:
    result = _call("de_ritis_ratio", ast_u_l=exact(40), alt_u_l=exact(0))
    assert result.value is None


def test_a_result_round_trips_through_json() -> None:
    for result in (function_of("meld_3")(**MELD), _call("anion_gap")):
        assert Index.model_validate(result.to_json()) == result


def test_every_input_can_be_converted_from_the_unit_of_its_analyte() -> None:
    table = analytes().analytes
    unknown = set()
    for key, row in laboratory_indices().indices.items():
        for name, spec in row.inputs.items():
            if spec.analyte is None:
                continue
            if spec.analyte not in table:
                unknown.add(spec.analyte)
                continue
            value = Quantity(value=1, unit=table[spec.analyte].unit)
            given = as_given(spec, value)
            # 1 is an impossible value of some analytes; a unit that is not known is another reason
            if not isinstance(given, Interval):
                assert isinstance(given, NotAssessed)
                assert given.why is Why.VALUE_IMPOSSIBLE, (key, name)
    # measured in urine only: no row there yet, so they are taken in the unit of the formula alone
    assert unknown == {"urine_urea", "urine_creatinine"}
