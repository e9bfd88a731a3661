"""D-dimer: FEU and DDU are never confused, and the age moves the cut-off of one assay only."""

import pytest

from knowledge.finding import Why
from tests.tools.labs.markers.samples import AT, d_dimer
from tests.tools.risk.given import finding as answer
from tools.labs.markers.d_dimer import d_dimer_by_age
from tools.labs.markers.report import MarkerReport

FEU_500 = "<500 ng/mL FEU"


def read(
    value: float, unit: str, *, limit: str | None = FEU_500, age: float | None = 78
) -> MarkerReport:
    given = None if age is None else answer("age_years", age)
    return d_dimer_by_age((d_dimer(value, unit, limit=limit),), at=AT, age_years=given)


# ADJUST-PE (doi 10.1001/jama.2014.2135): over 50 years the cut-off is age x 10 ng/mL FEU
@pytest.mark.parametrize(
    ("value", "age", "below_cutoff", "below_age"),
    [
        (400, 78, True, True),
        (499, 30, True, False),
        (700, 78, False, True),  # 78 x 10 = 780
        (780, 78, False, False),
        (700, 45, False, False),  # not over 50: no adjustment
        (505, 51, False, True),  # 51 x 10 = 510
        (500, 50, False, False),
    ],
)
def test_cut_off_and_age(value: float, age: float, below_cutoff: bool, below_age: bool) -> None:
    found = read(value, "ng/mL FEU", age=age)
    assert found.holds("below_cutoff") is below_cutoff
    assert found.holds("below_age_adjusted") is below_age


def test_0_7_mg_per_l_feu_is_700() -> None:
    found = read(0.7, "mg/L FEU", limit="<0.5 mg/L FEU")
    assert (found.holds("below_cutoff"), found.holds("below_age_adjusted")) == (False, True)


def test_ddu_is_doubled_and_not_adjusted_for_age() -> None:
    # 350 ng/mL DDU is about 700 FEU; the printed 250 DDU is about 500 FEU
    found = read(350, "ng/mL DDU", limit="<250 ng/mL DDU")
    assert str(found.value) == "700 ng/mL"
    assert found.holds("below_cutoff") is False
    assert found.holds("below_age_adjusted") is False


def test_a_unit_that_says_neither_is_refused() -> None:
    found = read(400, "ng/mL")
    assert found.not_assessed is not None
    assert found.not_assessed.why is Why.UNIT_NOT_RECOGNISED
    assert "FEU or DDU" in found.not_assessed.detail
    assert found.statements == ()
    assert found.value is None


def test_without_the_assays_own_cut_off_nothing_is_below_it() -> None:
    found = read(400, "ng/mL FEU", limit=None)
    assert found.holds("below_cutoff") is None
    assert found.holds("below_age_adjusted") is None
    assert found.statements[1].missing == ("cutoff",)


def test_another_cut_off_is_not_adjusted_for_age() -> None:
    found = read(600, "ng/mL FEU", limit="<550 ng/mL FEU")
    assert (found.holds("below_cutoff"), found.holds("below_age_adjusted")) == (False, False)


def test_age_not_known() -> None:
    found = read(700, "ng/mL FEU", age=None)
    assert found.holds("below_age_adjusted") is None
    assert found.statements[1].missing == ("age_years",)


def test_no_sample() -> None:
    found = d_dimer_by_age((), at=AT)
    assert found.not_assessed is not None
    assert found.not_assessed.why is Why.MISSING
