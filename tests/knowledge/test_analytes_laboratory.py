"""Laboratory tests of the analyte table: factors printed elsewhere, and the traps of their units.

Factors (conventional x factor = SI): fact sheet B3, from molar masses, compared with sophiewell and
MEDCALC; LOINC check digits: LOINC Users' Guide, mod 10.
"""

import pytest

from knowledge.analytes import Converted, analytes, convert
from knowledge.finding import NotAssessed, Why
from knowledge.quantity import Interval, Quantity

# analyte, conventional unit, SI unit, factor of B3
FACTORS: list[tuple[str, str, str, float]] = [
    ("glucose", "mg/dL", "mmol/L", 0.05551),
    ("cholesterol", "mg/dL", "mmol/L", 0.02586),
    ("ldl_cholesterol", "mg/dL", "mmol/L", 0.02586),
    ("hdl_cholesterol", "mg/dL", "mmol/L", 0.02586),
    ("non_hdl_cholesterol", "mg/dL", "mmol/L", 0.02586),
    ("triglycerides", "mg/dL", "mmol/L", 0.01129),
    ("creatinine", "mg/dL", "umol/L", 88.40),
    ("uric_acid", "mg/dL", "umol/L", 59.48),
    ("bilirubin_total", "mg/dL", "umol/L", 17.10),
    ("bilirubin_direct", "mg/dL", "umol/L", 17.10),
    ("calcium", "mg/dL", "mmol/L", 0.2495),
    ("ionised_calcium", "mg/dL", "mmol/L", 0.2495),
    ("magnesium", "mg/dL", "mmol/L", 0.4114),
    ("phosphate", "mg/dL", "mmol/L", 0.3229),
    ("iron", "ug/dL", "umol/L", 0.1791),
    ("tibc", "ug/dL", "umol/L", 0.1791),
    ("albumin", "g/dL", "g/L", 10),
    ("total_protein", "g/dL", "g/L", 10),
    ("haemoglobin", "g/dL", "g/L", 10),
    ("haemoglobin", "g/dL", "mmol/L", 0.6206),
    ("lactate", "mg/dL", "mmol/L", 0.1110),
    ("vitamin_b12", "pg/mL", "pmol/L", 0.7378),
    ("folate", "ng/mL", "nmol/L", 2.266),
    ("vitamin_d", "ng/mL", "nmol/L", 2.496),
    ("free_t4", "ng/dL", "pmol/L", 12.87),
    ("total_t4", "ug/dL", "nmol/L", 12.87),
    ("free_t3", "pg/mL", "pmol/L", 1.536),
    ("total_t3", "ng/dL", "nmol/L", 0.01536),
    ("cortisol", "ug/dL", "nmol/L", 27.59),
    ("testosterone", "ng/dL", "nmol/L", 0.03467),
    ("estradiol", "pg/mL", "pmol/L", 3.671),
    ("progesterone", "ng/mL", "nmol/L", 3.180),
    ("pth", "pg/mL", "pmol/L", 0.1061),
    ("insulin", "uU/mL", "pmol/L", 6.00),
    ("c_peptide", "ng/mL", "nmol/L", 0.331),
    ("nt_probnp", "pg/mL", "pmol/L", 0.1182),
    ("bnp", "pg/mL", "pmol/L", 0.289),
    ("crp", "mg/dL", "mg/L", 10),
    ("ethanol", "mg/dL", "mmol/L", 0.2171),
    ("digoxin", "ng/mL", "nmol/L", 1.281),
    ("ferritin", "ng/mL", "ug/L", 1),
    ("hs_ctni", "ng/mL", "ng/L", 1000),
    ("pco2_arterial", "mmHg", "kPa", 0.13332),
    ("po2_arterial", "mmHg", "kPa", 0.13332),
    ("fibrinogen", "mg/dL", "g/L", 0.01),
    ("haematocrit", "%", "L/L", 0.01),
    ("urine_acr", "mg/g", "mg/mmol", 0.1131),
]


def number(key: str, value: float, unit: str, loinc: str | None = None) -> float:
    result = convert(key, Interval.exact(value), unit, loinc)
    assert isinstance(result, Converted), result
    assert isinstance(result.value, Quantity)
    return result.value.value


def refused(key: str, value: float, unit: str | None, loinc: str | None = None) -> NotAssessed:
    result = convert(key, Interval.exact(value), unit, loinc)
    assert isinstance(result, NotAssessed)
    return result


@pytest.mark.parametrize(
    ("key", "conventional", "si", "factor"), FACTORS, ids=[f"{r[0]}-{r[2]}" for r in FACTORS]
)
def test_the_same_result_in_both_units_is_the_same_number(
    key: str, conventional: str, si: str, factor: float
) -> None:
    value = _possible(key, conventional)
    both = number(key, value, conventional), number(key, value * factor, si)
    assert both[0] == pytest.approx(both[1], rel=2e-3)


def _possible(key: str, unit: str) -> float:
    """Return a value of a unit that lies well within what is possible."""
    row = analytes().analytes[key]
    candidates = (1.0, 10.0, 100.0, 1000.0, 10000.0)
    possible = [v for v in candidates if row.low * 1.5 < _or_0(key, v, unit) < row.high / 1.5]
    return possible[0]


def _or_0(key: str, value: float, unit: str) -> float:
    result = convert(key, Interval.exact(value), unit)
    return number(key, value, unit) if isinstance(result, Converted) else 0.0


@pytest.mark.parametrize(
    ("value", "unit", "loinc", "expected"),
    [
        # 10 mg/dL urea nitrogen x 0.357, 10 mg/dL urea x 0.1665
        (10, "mg/dL", "3094-0", 3.57),
        (10, "mg/dL", "3091-6", 1.665),
    ],
)
def test_urea_and_urea_nitrogen(value: float, unit: str, loinc: str, expected: float) -> None:
    assert number("urea", value, unit, loinc) == pytest.approx(expected, rel=1e-3)


# IFCC = 10.93 x NGSP - 23.5: 7.0 % is 53.0 mmol/mol, 6.5 % is 47.5, 5.0 % is 31.2
@pytest.mark.parametrize(("ngsp", "ifcc"), [(7.0, 53.01), (6.5, 47.545), (5.0, 31.15)])
def test_hba1c_is_converted_by_the_affine_equation(ngsp: float, ifcc: float) -> None:
    assert number("hba1c", ifcc, "mmol/mol", "59261-8") == pytest.approx(ngsp, abs=1e-6)
    assert number("hba1c", ngsp, "%", "4548-4") == ngsp


def test_a_per_cent_under_the_ifcc_code_is_refused() -> None:
    assert refused("hba1c", 5.3, "%", "59261-8").why is Why.CONFLICTING


def test_hba1c_without_a_unit_is_refused_where_both_are_possible() -> None:
    assert refused("hba1c", 20, None).why is Why.UNIT_NOT_RECOGNISED
    assert number("hba1c", 7.0, "") == 7.0


@pytest.mark.parametrize(
    ("key", "value", "unit"),
    [
        ("lp_a_mass", 75, "nmol/L"),
        ("lp_a_molar", 30, "mg/dL"),
        ("ck_mb_activity", 5, "ng/mL"),
        ("ck_mb", 20, "U/L"),
        ("egfr", 60, "mL/s"),
        ("osmolality", 290, "mOsm/L"),
        ("afp", 5, "IU/mL"),
        ("ammonia", 40, "ug/dL"),
        ("neutrophils", 60, "%"),
        ("hba1c", 7, "g/dL"),
    ],
)
def test_what_no_factor_can_convert_is_refused(key: str, value: float, unit: str) -> None:
    assert refused(key, value, unit).why is Why.UNIT_NOT_RECOGNISED


@pytest.mark.parametrize(
    ("key", "value"), [("creatinine", 1.0), ("creatinine", 88.0), ("calcium", 9.0), ("crp", 5.0)]
)
def test_no_unit_is_guessed_where_two_are_possible(key: str, value: float) -> None:
    assert refused(key, value, None).why is Why.UNIT_NOT_RECOGNISED


def test_insulin_says_by_which_factor_it_was_converted() -> None:
    result = convert("insulin", Interval.exact(60.0), "pmol/L")
    assert isinstance(result, Converted)
    assert result.flags == ("converted-insulin-at-6-00",)


def test_red_cell_folate_is_not_the_analyte_folate() -> None:
    # LOINC 2283-0: folate in red blood cells
    assert analytes().for_loinc("2283-0") is None


@pytest.mark.parametrize(
    ("key", "value", "unit"),
    [
        ("ph_arterial", 74, "[pH]"),
        ("ph_arterial", 9.0, "[pH]"),
        ("haematocrit", 150, "%"),
        ("albumin", 40, "g/dL"),
        ("urine_specific_gravity", 1020, "1"),
        ("lithium", 25, "mmol/L"),
    ],
)
def test_an_impossible_value_is_refused(key: str, value: float, unit: str) -> None:
    assert refused(key, value, unit).why is Why.VALUE_IMPOSSIBLE


def _check_digit(number: str) -> int:
    """Return the mod-10 check digit of a LOINC number."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return (10 - total % 10) % 10


def test_every_loinc_code_has_its_check_digit() -> None:
    for row in analytes().analytes.values():
        for code in row.loinc:
            number_, _, digit = code.partition("-")
            assert _check_digit(number_) == int(digit), code


# the fact sheet's codes of B1.1 to B1.10, a few of each group
@pytest.mark.parametrize(
    ("loinc", "key"),
    [
        ("4544-3", "haematocrit"),
        ("787-2", "mcv"),
        ("751-8", "neutrophils"),
        ("770-8", "neutrophils_percent"),
        ("2075-0", "chloride"),
        ("1963-8", "bicarbonate"),
        ("1960-4", "bicarbonate_arterial"),
        ("17861-6", "calcium"),
        ("1994-3", "ionised_calcium"),
        ("14879-1", "phosphate"),
        ("9318-7", "urine_acr"),
        ("1742-6", "alt"),
        ("14631-6", "bilirubin_total"),
        ("14629-0", "bilirubin_direct"),
        ("59261-8", "hba1c"),
        ("43583-4", "lp_a_molar"),
        ("14979-9", "aptt"),
        ("32673-6", "ck_mb_activity"),
        ("75241-0", "procalcitonin"),
        ("2276-4", "ferritin"),
        ("2744-1", "ph_arterial"),
        ("50984-4", "pf_ratio"),
        ("14920-3", "free_t4"),
        ("21198-7", "hcg"),
        ("5803-2", "urine_ph"),
        ("25390-6", "cyfra_21_1"),
    ],
)
def test_a_code_names_its_analyte(loinc: str, key: str) -> None:
    assert analytes().for_loinc(loinc) == key
