"""BNP and NT-proBNP: limits by setting, age and rhythm (clinical facts: ESC 2021, ICON 2006)."""

from typing import Any

import pytest

from knowledge.finding import Why
from tests.tools.labs.markers.samples import AT, sample
from tests.tools.risk.given import finding as answer
from tools.labs.markers.natriuretic_peptide import natriuretic_peptide
from tools.labs.markers.report import MarkerReport


def read(
    peptide: Any, value: Any, setting: Any = "acute", age: float | None = 60, **more: Any
) -> MarkerReport:
    given = {key: answer(key, value) for key, value in more.items()}
    years = None if age is None else answer("age_years", age)
    return natriuretic_peptide(
        (sample(peptide, value),), peptide=peptide, at=AT, setting=setting, age_years=years, **given
    )


# ESC 2021: acute BNP < 100, NT-proBNP < 300; ICON: > 450 under 50, > 900 to 75, > 1800 over 75
@pytest.mark.parametrize(
    ("peptide", "value", "setting", "age", "true"),
    [
        ("nt_probnp", 299, "acute", 60, "unlikely_acute"),
        ("nt_probnp", 300, "acute", 60, "grey_acute"),
        ("nt_probnp", 451, "acute", 49, "likely_acute"),
        ("nt_probnp", 451, "acute", 50, "grey_acute"),
        ("nt_probnp", 901, "acute", 75, "likely_acute"),
        ("nt_probnp", 901, "acute", 76, "grey_acute"),
        ("nt_probnp", 1801, "acute", 90, "likely_acute"),
        ("nt_probnp", 1801, "acute", None, "likely_acute"),
        ("nt_probnp", 124, "non-acute", 60, "unlikely_non_acute"),
        ("bnp", 99, "acute", 60, "unlikely_acute"),
        ("bnp", 100, "acute", 60, "grey_acute"),
        ("bnp", 400, "acute", 60, "likely_acute"),
        ("bnp", 34, "non-acute", 60, "unlikely_non_acute"),
    ],
)
def test_limits(peptide: str, value: float, setting: str, age: float | None, true: str) -> None:
    found = read(peptide, value, setting, age)
    kinds = ("unlikely_acute", "unlikely_non_acute", "likely_acute", "grey_acute")
    assert [key for key in kinds if found.holds(key)] == [true]


def test_125_is_not_below_125_out_of_hospital() -> None:
    assert read("nt_probnp", 125, "non-acute").holds("unlikely_non_acute") is False


def test_the_age_decides_between_the_limits_and_is_asked_for() -> None:
    found = read("nt_probnp", 1000, age=None)
    assert found.holds("likely_acute") is None
    likely = next(one for one in found.statements if one.id == "likely_acute")
    assert likely.missing == ("age_years",)


def test_without_the_setting_no_limit_is_applied() -> None:
    found = read("nt_probnp", 100, None)
    assert found.holds("unlikely_acute") is None
    assert found.holds("unlikely_non_acute") is None


def test_hfpef_limits_by_rhythm() -> None:
    # sinus 125, atrial fibrillation 365
    sinus = read("nt_probnp", 200, atrial_fibrillation_known=False)
    fibrillation = read("nt_probnp", 200, atrial_fibrillation_known=True)
    unknown = read("nt_probnp", 200)
    assert sinus.holds("supports_hfpef") is True
    assert fibrillation.holds("supports_hfpef") is False
    assert unknown.holds("supports_hfpef") is None


def test_obesity_is_told_unless_it_is_known_not_to_be_there() -> None:
    def told(found: MarkerReport) -> bool:
        return any("Obesity" in words.en for words in found.caveats)

    assert told(read("nt_probnp", 200, bmi=38.0))
    assert told(read("nt_probnp", 200))
    assert not told(read("nt_probnp", 200, bmi=22.0, obesity=False))


def test_one_peptide_is_never_read_by_the_limits_of_the_other() -> None:
    found = natriuretic_peptide((sample("bnp", 90),), peptide="nt_probnp", at=AT, setting="acute")
    assert found.not_assessed is not None
    assert found.not_assessed.why is Why.OUTSIDE_CONTRACT
    assert found.statements == ()


def test_a_fall_of_30_per_cent_by_one_method_only() -> None:
    first = sample("nt_probnp", 3000, -48)
    alike = natriuretic_peptide(
        (first, sample("nt_probnp", 2000)), peptide="nt_probnp", at=AT, setting="acute"
    )
    assert alike.holds("fell_by_30") is True  # (3000 - 2000) / 3000 = 33 %
    bedside = natriuretic_peptide(
        (first, sample("nt_probnp", 2000, kind="point-of-care")),
        peptide="nt_probnp",
        at=AT,
        setting="acute",
    )
    assert bedside.holds("fell_by_30") is None
    assert bedside.changes[0].not_assessed is not None


def test_a_bound_below_the_limit_decides_and_one_across_it_does_not() -> None:
    assert read("nt_probnp", [0, 50]).holds("unlikely_acute") is True
    assert read("nt_probnp", [0, 400]).holds("unlikely_acute") is None


def test_an_old_sample_does_not_speak_for_today() -> None:
    old = sample("nt_probnp", 100, -100)
    found = natriuretic_peptide((old,), peptide="nt_probnp", at=AT, setting="acute")
    assert found.not_assessed is not None
    assert found.not_assessed.why is Why.STALE
