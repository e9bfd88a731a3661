"""Every golden case: points, range, bands and what is asked for, as the publications give them."""

import pytest

from knowledge.errors import InvalidValueError
from knowledge.risk import NOT_DETERMINED
from knowledge.scores import score, score_ids
from tests.tools.risk.given import given
from tests.tools.risk.golden import Case, cases, golden, ids
from tools.risk.score import evaluate

ALL = [pytest.param(s, case, id=f"{s}: {case.name}") for s, case in cases()]


def test_every_score_has_a_golden_file() -> None:
    assert ids() == score_ids()


@pytest.mark.parametrize("score_id", ids())
def test_golden_file_has_an_unknown_and_reaches_each_band(score_id: str) -> None:
    file = golden(score_id)
    assert file.score == score_id
    assert len(file.cases) >= 3
    assert any(case.missing for case in file.cases)
    assert {c.band for c in file.cases if c.band} >= {b.name for b in score(score_id).bands}


@pytest.mark.parametrize(("score_id", "case"), ALL)
def test_golden_case(score_id: str, case: Case) -> None:
    findings = golden(score_id).findings(case)
    if case.error:
        with pytest.raises(InvalidValueError):
            evaluate(score_id, findings)
        return
    risk = evaluate(score_id, findings)
    assert (risk.value, risk.range) == (case.points, case.range), case.by
    names = tuple(band.name for band in risk.bands)
    if case.bands:
        assert names == case.bands
        category = NOT_DETERMINED if len(case.bands) > 1 else case.bands[0]
        assert risk.category == category
    else:
        assert risk.category == case.band, case.by
    asked = {m.input for m in risk.missing}
    assert asked == set(case.missing or ()), case.by


@pytest.mark.parametrize("score_id", [s for s in ids() if not score(s).is_rule])
def test_nothing_known_is_a_range_over_every_total_and_never_a_number(score_id: str) -> None:
    required = {c.when.input or "": True for c in score(score_id).population.requires}
    file = golden(score_id)
    risk = evaluate(score_id, given(**required))
    assert risk.value is None
    assert risk.range is not None
    points = [c.points for c in file.cases if c.points is not None]
    assert risk.range[0] <= min(points)
    assert risk.range[1] >= max(points)
    assert len(risk.bands) == len(score(score_id).bands)
