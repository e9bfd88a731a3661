"""The flag of a result: which interval, what is missing, censored values, the laboratory's flag."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.clinical_time import parse_fhir
from knowledge.finding import NotAssessed, Why
from knowledge.patient import Patient
from knowledge.quantity import Interval
from tests.tools.labs.lab_results import MAN, WOMAN, finding, flag, flagged, subject
from tools.labs.interval import flag_result
from tools.labs.interval_model import Flag, Subject

NOBODY_KNOWN = Subject()


def why(result: object) -> NotAssessed:
    reason = getattr(result, "not_assessed", None)
    assert isinstance(reason, NotAssessed)
    return reason


# 13.0 g/dL is normal for a woman (12.0-15.5) and low for a man (13.5-17.5); 14 is normal for both
@pytest.mark.parametrize(
    ("value", "expected", "missing"),
    [(14, Flag.NORMAL, ()), (13.0, None, ("sex",)), (11.0, Flag.LOW, ()), (18, Flag.HIGH, ())],
)
def test_sex_unknown_gives_a_flag_only_where_both_agree(
    value: float, expected: Flag | None, missing: tuple[str, ...]
) -> None:
    result = flagged("718-7", value, "g/dL", subject(None, 60))
    assert result.flag is expected
    assert result.missing == missing


def test_what_remains_possible_is_said() -> None:
    result = flagged("718-7", 13.0, "g/dL", subject(None, 60))
    assert result.possible == (Flag.LOW, Flag.NORMAL)
    assert {used.words for used in result.intervals} == {"13.5 to 17.5 g/dL", "12 to 15.5 g/dL"}
    assert why(result).why is Why.MISSING


# 11.5 g/dL: low if not pregnant (12.0), normal if pregnant (WHO: 11.0)
def test_pregnancy_unknown_matters_where_rows_differ_and_a_woman_may_be_pregnant() -> None:
    assert flagged("718-7", 11.5, "g/dL", subject("female", 30)).missing == ("pregnant",)
    assert flag("718-7", 11.5, "g/dL", subject("female", 30, pregnant=False)) is Flag.LOW
    assert flag("718-7", 11.5, "g/dL", subject("female", 30, pregnant=True)) is Flag.NORMAL
    assert flag("718-7", 11.5, "g/dL", subject("female", 70)) is Flag.LOW


def test_a_pregnant_woman_is_not_judged_by_intervals_of_others() -> None:
    result = flagged("2160-0", 1.0, "mg/dL", subject("female", 30, pregnant=True))
    assert result.flag is None
    assert why(result).why is Why.OUTSIDE_CONTRACT


def test_an_interval_used_for_a_woman_who_may_be_pregnant_says_so() -> None:
    assert "not pregnant" in " ".join(flagged("2160-0", 1.0, "mg/dL", subject("female", 30)).notes)
    assert flagged("2160-0", 1.0, "mg/dL", subject("female", 70)).notes == ()
    assert flagged("2160-0", 1.0, "mg/dL", MAN).notes == ()


def test_hcg_of_a_woman_who_may_be_pregnant_is_not_assessed() -> None:
    assert flag("21198-7", 2000, "[IU]/L", MAN) is Flag.HIGH
    assert flagged("21198-7", 2000, "[IU]/L", subject("female", 30)).missing == ("pregnant",)


@pytest.mark.parametrize("age", [None, 10])
def test_no_interval_of_adults_is_used_for_a_child_or_where_the_age_is_not_known(
    age: float | None,
) -> None:
    result = flagged("2823-3", 4.2, "mmol/L", subject("male", age))
    assert result.flag is None
    assert result.missing == (("age",) if age is None else ())
    assert result.possible == ()


# ESR of a man: 0-15 below 50 years, 0-20 from 50 (ABIM)
def test_an_age_around_a_birthday_is_both_ages() -> None:
    person = Subject(sex="male", age=Interval(low=49, high=50))
    assert flag("4537-7", 14, "mm/h", person) is Flag.NORMAL
    assert flagged("4537-7", 18, "mm/h", person).missing == ("age",)
    assert flag("4537-7", 25, "mm/h", person) is Flag.HIGH


# fasting 70-99, otherwise high from 200 mg/dL
@pytest.mark.parametrize(
    ("value", "expected"), [(60, Flag.LOW), (90, Flag.NORMAL), (120, None), (210, Flag.HIGH)]
)
def test_glucose_of_which_nobody_says_fasting(value: float, expected: Flag | None) -> None:
    result = flagged("2345-7", value, "mg/dL")
    assert result.flag is expected
    assert result.missing == (() if expected else ("fasting",))
    assert flag("1558-6", 120, "mg/dL") is Flag.HIGH


# CENSORED: "<6" is [0, 6); the fallback of D-dimer is < 500 ng/mL FEU
@pytest.mark.parametrize(
    ("comparator", "value", "expected"),
    [("<", 200, Flag.NORMAL), ("<", 600, None), (">", 400, None), (">", 500, Flag.HIGH)],
)
def test_a_bound_is_compared_at_both_ends(
    comparator: str, value: float, expected: Flag | None
) -> None:
    result = flagged("48065-7", value, "ng/mL", comparator=comparator)
    assert result.flag is expected
    if expected is None:
        assert why(result).why is Why.CENSORED
        assert result.possible == (Flag.NORMAL, Flag.HIGH)


def test_a_value_that_intake_refused_stays_not_assessed_with_its_reason() -> None:
    result = flagged("2823-3", 4.2, "foo")
    assert result.flag is None
    assert why(result).why is Why.UNIT_NOT_RECOGNISED


# ---- the laboratory's own flag
@pytest.mark.parametrize(
    ("value", "said", "conflict"),
    [
        (4.2, "N", False),
        (4.2, "H", True),
        (5.5, "H", False),
        (5.5, "N", True),
        (5.5, "L", True),
        (5.5, "A", False),
        (4.2, "A", True),
        (5.5, "HH", True),
        (6.8, "HH", False),
        (6.8, "H", True),
        (2.4, "LL", False),
        (4.2, "H L", True),
    ],
)
def test_a_difference_to_the_laboratorys_flag_is_a_named_conflict(
    value: float, said: str, conflict: bool
) -> None:
    result = flagged("2823-3", value, "mmol/L", said=said)
    assert (result.conflict is not None) is conflict
    assert result.flag is not None, "the laboratory's flag never replaces or removes ours"
    assert result.laboratory
    if result.conflict is not None:
        assert {side.who for side in result.conflict.sides} >= {"laboratory"}


def test_the_laboratorys_flag_is_no_conflict_where_it_is_among_those_still_possible() -> None:
    unknown = subject(None, 60)
    assert flagged("718-7", 13.0, "g/dL", unknown, said="L").conflict is None
    assert flagged("718-7", 13.0, "g/dL", unknown, said="H").conflict is not None


def test_where_we_have_no_flag_the_laboratorys_is_shown_and_not_taken_over() -> None:
    result = flagged("67151-1", 50, "ng/L", said="H")
    assert result.flag is None
    assert result.laboratory == ("lab-high",)
    assert result.conflict is None


def test_a_flag_against_the_laboratorys_own_printed_interval_is_a_conflict() -> None:
    result = flagged("2823-3", 5.05, "mmol/L", printed="3.5-5.1", said="H")
    assert result.flag is Flag.NORMAL
    assert result.conflict is not None
    assert "printed" in result.conflict.sides[1].who


# ---- who it is
def test_age_and_sex_come_from_the_chart_at_the_time_of_the_sample() -> None:
    born = parse_fhir("1976-11-20", clock="chart")
    at = parse_fhir("2026-11-20T10:00:00Z", clock="chart")
    person = Subject.of(Patient(sex="female", birth_date=born), at)
    assert person.age is not None
    assert person.age.contains(50)
    assert person.age_days is not None
    assert Subject.of(Patient(sex="female", birth_date=born), None).age is None
    assert Subject.of(Patient(), at) == NOBODY_KNOWN


# ---- properties
@given(
    value=st.floats(min_value=1, max_value=25, allow_nan=False).map(lambda v: round(v, 1)),
    said=st.sampled_from([None, "H", "L", "N"]),
)
def test_knowing_more_never_turns_a_flag_into_another_one(value: float, said: str | None) -> None:
    one = finding("718-7", value, "g/dL", said=said)
    least = flag_result(one, subject(None, 30))
    for person in (MAN, WOMAN, subject("female", 30, pregnant=True)):
        more = flag_result(one, person)
        if least.flag is not None:
            assert more.flag is least.flag
        assert more.flag in (*least.possible, None)


@given(st.floats(min_value=0.6, max_value=19, allow_nan=False))
def test_a_flag_is_there_or_a_reason_never_both(value: float) -> None:
    result = flagged("2823-3", value, "mmol/L", NOBODY_KNOWN)
    assert (result.flag is None) == (result.not_assessed is not None)
