"""Reference change values and the verdict on two results."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.biological_variation import biological_variation
from knowledge.clinical_time import parse_fhir
from knowledge.codes import ANALYTE, Coding, Concept
from knowledge.evidence import RecordEvidence
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.quantity import Interval, Quantity, measured
from tools.labs.change import change, change_limits
from tools.labs.paired_result import LabResult, percent_change, result_of
from tools.labs.reference_change import linear, log_normal

# the printed two-sided 95 % column of the sheet, linear model, default imprecision
PRINTED = {
    "sodium": 2.7,
    "chloride": 3.9,
    "potassium": 11.6,
    "bicarbonate": 13.9,
    "urea": 37.4,
    "creatinine": 14.7,
    "egfr": 17.8,
    "cystatin_c": 12.4,
    "glucose": 14.1,
    "calcium": 6.5,
    "ionised_calcium": 6.3,
    "magnesium": 10.1,
    "phosphate": 22.3,
    "uric_acid": 23.5,
    "lactate": 75.9,
    "albumin": 8.9,
    "total_protein": 8.3,
    "alt": 36.4,
    "ast": 25.7,
    "alp": 16.8,
    "ggt": 24.4,
    "bilirubin_total": 57.0,
    "bilirubin_direct": 55.9,
    "ldh": 14.7,
    "ck": 40.0,
    "lipase": 23.9,
    "crp": 96.8,
    "ferritin": 38.3,
    "iron": 70.5,
    "triglycerides": 55.2,
    "cholesterol": 15.6,
    "ldl_cholesterol": 22.2,
    "hdl_cholesterol": 18.0,
    "hba1c": 6.4,
    "tsh": 50.6,
    "free_t4": 19.2,
    "pth": 43.1,
    "vitamin_b12": 26.1,
    "wbc": 31.5,
    "neutrophils": 36.5,
    "lymphocytes": 32.3,
    "haemoglobin": 7.9,
    "haematocrit": 8.8,
    "rbc": 8.3,
    "mcv": 3.5,
    "platelets": 22.3,
    "inr": 10.8,
    "pt": 10.0,
    "aptt": 11.3,
    "fibrinogen": 31.4,
    "d_dimer": 71.9,
}


def result(analyte: str, value: float | Interval, unit: str, at: str, **more: Any) -> LabResult:
    """Return a laboratory result of serum."""
    interval = value if isinstance(value, Interval) else Interval.exact(value)
    known: dict[str, Any] = {"method_kind": "laboratory", "specimen": "serum", **more}
    return LabResult(
        analyte=analyte,
        value=measured(interval, unit),
        time=parse_fhir(at, clock="test") if at else None,
        **known,
    )


def test_every_row_agrees_with_the_printed_value() -> None:
    rows = biological_variation().rows
    assert set(rows) == set(PRINTED)
    for key, printed in PRINTED.items():
        row = rows[key]
        found = linear(cva=row.cva.percent, cvi=row.cvi, deviate=1.96)
        assert found == pytest.approx(printed, abs=0.06), key


@pytest.mark.parametrize(
    ("cva", "cvi", "up", "down"),
    [
        (1.5, 3.9, 12.3, 10.9),  # potassium
        (3.0, 4.39, 15.9, 13.7),  # creatinine
        (3.5, 12.64, 43.6, 30.4),  # ALT
        (4.0, 34.68, 156, 61),  # CRP
    ],
)
def test_the_log_normal_limits_agree_with_the_printed_ones(
    cva: float, cvi: float, up: float, down: float
) -> None:
    rise, fall = log_normal(cva=cva, cvi=cvi, deviate=1.96)
    assert rise == pytest.approx(up, abs=0.5 if up > 100 else 0.06)
    assert fall == pytest.approx(down, abs=0.5 if up > 100 else 0.06)


def test_the_model_follows_the_size_of_the_variation() -> None:
    assert {limit.model for limit in change_limits("potassium")} == {"linear"}
    assert {limit.model for limit in change_limits("crp")} == {"log-normal"}
    assert change_limits("hs_ctnt") == ()


# creatinine: 14.7 % at 95 %, sqrt 2 x 2.58 x 5.317 = 19.4 % at 99 %
@pytest.mark.parametrize(
    ("earlier", "later", "verdict", "direction"),
    [
        (1.00, 1.14, "within noise", "rise"),
        (1.00, 1.16, "beyond 95 %", "rise"),
        (1.00, 1.20, "beyond 99 %", "rise"),
        (1.00, 0.80, "beyond 99 %", "fall"),
        (1.00, 1.00, "within noise", None),
        (Interval(high=0.5, high_closed=False), 1.0, "beyond 99 %", "rise"),
        (Interval(high=0.9, high_closed=False), 0.95, "not determined", "rise"),
        (1.0, Interval(low=40, low_closed=False), "beyond 99 %", "rise"),
        (1.0, Interval(high=0.9, high_closed=False), "not determined", "fall"),
    ],
)
def test_the_verdict_on_two_creatinines(
    earlier: float | Interval, later: float | Interval, verdict: str, direction: str | None
) -> None:
    found = change(
        result("creatinine", earlier, "mg/dL", "2026-11-20T08:00:00Z"),
        result("creatinine", later, "mg/dL", "2026-11-21T08:00:00Z"),
    )
    assert found.verdict == verdict
    assert found.direction == direction
    assert found.source
    assert any("not a diagnosis" in caveat for caveat in found.caveats)


def test_the_laboratory_s_own_imprecision_is_used_and_not_called_a_default() -> None:
    pair = (
        result("potassium", 4.0, "mmol/L", "2026-11-20T08:00:00Z"),
        result("potassium", 4.5, "mmol/L", "2026-11-21T08:00:00Z"),
    )
    assert change(*pair).verdict == "beyond 95 %"  # 12.5 % against 11.6 %
    own = change(*pair, cva_percent=3.0)  # sqrt 2 x 1.96 x sqrt(9 + 15.21) = 13.6 %
    assert own.verdict == "within noise"
    assert any("default" in caveat for caveat in change(*pair).caveats)
    assert not any("default" in caveat for caveat in own.caveats)
    assert any("desirable 1.95 %" in caveat for caveat in own.caveats)  # 0.5 x 3.9


@pytest.mark.parametrize(
    ("changed", "why", "words"),
    [
        ({"method_kind": "point-of-care"}, Why.OUTSIDE_CONTRACT, "point-of-care"),
        ({"specimen": "plasma"}, Why.OUTSIDE_CONTRACT, "specimen"),
        ({"laboratory": "B"}, Why.OUTSIDE_CONTRACT, "two laboratories"),
        ({"at": "2026-11-19T08:00:00Z"}, Why.OUTSIDE_CONTRACT, "after the first"),
        ({"at": "2026-11-20T08:00:00Z"}, Why.OUTSIDE_CONTRACT, "after the first"),
        ({"at": ""}, Why.TIME_NOT_GIVEN, "time not given"),
        ({"at": "2026-11-20T10:00:00"}, Why.TIME_ZONE_UNKNOWN, "time zone unknown"),
        ({"unit": "umol/L"}, Why.OUTSIDE_CONTRACT, "two units"),
        ({"analyte": "urea"}, Why.OUTSIDE_CONTRACT, "two analytes"),
    ],
)
def test_what_may_not_be_compared_is_not_assessed(
    changed: dict[str, Any], why: Why, words: str
) -> None:
    later = {
        "analyte": "creatinine",
        "value": 2.0,
        "unit": "mg/dL",
        "at": "2026-11-21T08:00:00Z",
        "laboratory": "A",
        **changed,
    }
    first = result("creatinine", 1.0, "mg/dL", "2026-11-20T08:00:00Z", laboratory="A")
    found = change(first, result(**later))
    assert found.verdict == "not assessed"
    assert found.percent is None
    assert found.direction is None
    assert found.not_assessed is not None
    assert found.not_assessed.why is why
    assert words in found.not_assessed.detail


@pytest.mark.parametrize("unstated", ["method_kind", "specimen"])
def test_what_is_not_stated_leaves_the_change_not_assessed_but_supposed(unstated: str) -> None:
    first = result("creatinine", 1.0, "mg/dL", "2026-11-20T08:00:00Z")
    later = result("creatinine", 2.0, "mg/dL", "2026-11-21T08:00:00Z", **{unstated: None})
    found = change(first, later)
    assert found.verdict == "not assessed"
    assert found.not_assessed is not None
    assert found.not_assessed.why is Why.MISSING
    assert unstated.split("_", maxsplit=1)[0] in found.not_assessed.detail
    # 100 % is over the 99 % limit of 1.414 x 2.58 x sqrt(9 + 19.3) = 19.4 %
    assert found.supposed == "beyond 99 %"


def test_what_is_known_to_differ_is_not_even_supposed() -> None:
    first = result("creatinine", 1.0, "mg/dL", "2026-11-20T08:00:00Z")
    later = result(
        "creatinine",
        2.0,
        "mg/dL",
        "2026-11-21T08:00:00Z",
        method_kind="point-of-care",
        specimen=None,
    )
    assert change(first, later).supposed is None


@pytest.mark.parametrize(
    "analyte", ["hs_ctnt", "hs_ctni", "procalcitonin", "ammonia", "bnp", "nt_probnp", "unheard_of"]
)
def test_an_analyte_without_a_change_value_is_not_assessed(analyte: str) -> None:
    found = change(
        result(analyte, 10, "ng/L", "2026-11-20T08:00:00Z"),
        result(analyte, 100, "ng/L", "2026-11-21T08:00:00Z"),
    )
    assert found.verdict == "not assessed"
    assert found.not_assessed is not None
    assert found.not_assessed.detail


def test_a_change_from_zero_has_no_per_cent() -> None:
    found = change(
        result("crp", 0, "mg/L", "2026-11-20T08:00:00Z"),
        result("crp", 50, "mg/L", "2026-11-21T08:00:00Z"),
    )
    assert found.verdict == "not assessed"


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    st.tuples(st.floats(0.5, 50), st.floats(0, 20)),
    st.tuples(st.floats(0.5, 50), st.floats(0, 20)),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_no_change_inside_the_bounds_lies_outside_the_interval(
    first: tuple[float, float], second: tuple[float, float], a: float, b: float
) -> None:
    earlier = Interval(low=first[0], high=first[0] + first[1])
    later = Interval(low=second[0], high=second[0] + second[1])
    whole = percent_change(earlier, later)
    assert whole is not None
    assert whole.low is not None
    assert whole.high is not None
    x, y = first[0] + a * first[1], second[0] + b * second[1]
    assert whole.low - 1e-6 <= (y - x) / x * 100 <= whole.high + 1e-6


def _finding(value: float | None, *flags: str) -> Finding:
    known: dict[str, Any] = {
        "state": State.PRESENT,
        "value": Quantity(value=value or 0, unit="mmol/L"),
    }
    if value is None:
        reason = NotAssessed(why=Why.UNIT_NOT_RECOGNISED, detail="unit not recognised")
        known = {"state": State.NOT_ASSESSED, "not_assessed": reason}
    return Finding(
        concept=Concept(text="K", codings=(Coding(system=ANALYTE, code="potassium"),)),
        time=parse_fhir("2026-11-20T08:00:00Z", clock="test"),
        flags=flags,
        evidence=(RecordEvidence(file="a", record="b"),),
        **known,
    )


def test_a_finding_becomes_a_result_with_its_flags() -> None:
    made = result_of(_finding(6.4, "haemolysed"), method_kind="laboratory", specimen="serum")
    assert isinstance(made, LabResult)
    assert (made.analyte, made.value) == ("potassium", Quantity(value=6.4, unit="mmol/L"))
    earlier = result("potassium", 4.0, "mmol/L", "2026-11-19T08:00:00Z")
    assert "haemolysed" in change(earlier, made).caveats[0]


def test_a_finding_that_is_not_assessed_or_no_analyte_keeps_its_reason() -> None:
    unknown = result_of(_finding(None), method_kind="laboratory", specimen="serum")
    assert isinstance(unknown, NotAssessed)
    assert unknown.why is Why.UNIT_NOT_RECOGNISED
    other = _finding(4.0).model_copy(update={"concept": Concept(text="K")})
    found = result_of(other, method_kind="laboratory", specimen="serum")
    assert isinstance(found, NotAssessed)
