"""The ECG criteria file: every number sourced, every lead limited exactly once."""

import pytest

from knowledge.clinical_inputs import catalogue
from knowledge.ecg_criteria import SEXES, ecg_criteria
from knowledge.quantity import Interval
from knowledge.reference import Review, raw, unsourced_numbers

LEADS_WITH_A_LIMIT = [
    "I", "II", "III", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6",
    "V7", "V8", "V9", "V3R", "V4R",
]  # fmt: skip


def test_every_number_has_a_source_and_a_review_tag() -> None:
    assert list(unsourced_numbers(raw("ecg_criteria"))) == []


def test_every_row_cites_a_listed_source_and_a_readable_tag() -> None:
    criteria = ecg_criteria()
    rows = criteria.rows()
    assert len(rows) > 40
    for row in rows:
        assert row.source in criteria.sources
        assert Review(tag=row.review).words


@pytest.mark.parametrize("lead", LEADS_WITH_A_LIMIT)
@pytest.mark.parametrize("years", [18, 29, 30, 39, 40, 90])
@pytest.mark.parametrize("sex", SEXES)
def test_one_limit_applies_to_a_lead_sex_and_age(lead: str, years: int, sex: str) -> None:
    found = [
        row
        for row in ecg_criteria().st_elevation.limits
        if lead in row.leads and row.may_apply(sex, Interval.exact(years))  # type: ignore[arg-type]
    ]
    assert len(found) == 1


@pytest.mark.parametrize(
    ("lead", "sexes", "age", "expected_mv"),
    [
        pytest.param("V2", ("male",), Interval.exact(40), (0.2,), id="man of 40"),
        pytest.param("V2", ("male",), Interval.exact(39), (0.25,), id="man of 39"),
        pytest.param("V3", ("female",), Interval.exact(20), (0.15,), id="woman"),
        pytest.param("V2", SEXES, Interval(low=18), (0.15, 0.2, 0.25), id="nothing known"),
        pytest.param("V2", ("male",), Interval(low=39, high=40), (0.2, 0.25), id="around 40"),
        pytest.param("V8", ("male",), Interval.exact(39), (0.1,), id="posterior, man of 39"),
        pytest.param("V8", ("male",), Interval.exact(40), (0.05,), id="posterior, man of 40"),
        pytest.param("V4R", ("male",), Interval.exact(29), (0.1,), id="right, man of 29"),
        pytest.param("V6", SEXES, Interval(low=18), (0.1,), id="lateral, nothing known"),
        pytest.param("aVR", SEXES, Interval(low=18), (), id="aVR has no limit"),
    ],
)
def test_limits_of_the_universal_definition(
    lead: str, sexes: tuple[str, ...], age: Interval, expected_mv: tuple[float, ...]
) -> None:
    """UDMI-4 2018, 10.1161/CIR.0000000000000617: ST elevation by lead, sex and age."""
    assert ecg_criteria().st_elevation.possible_mv(lead, sexes, age) == expected_mv  # type: ignore[arg-type]


def test_statements_that_are_inputs_are_tool_answers_of_the_catalogue() -> None:
    for code, row in ecg_criteria().statements.items():
        if row.input:
            assert catalogue().get(code).tool, code


def test_every_group_has_its_statement() -> None:
    criteria = ecg_criteria()
    for group in criteria.st_elevation.groups:
        assert f"st-elevation-{group}" in criteria.statements
