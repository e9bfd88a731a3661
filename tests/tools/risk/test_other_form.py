"""A D-dimer that was reported in DDU: no limit that was raised above 500 ng/mL FEU is applied.

ADJUST-PE (JAMA 2014) adjusted the cut-off of assays of 500 ug/L FEU; YEARS (Lancet 2017) and PEGeD
(NEJM 2019) set 1000 ng/mL FEU. The results are those of a chart in DDU, twice as much in FEU:
300 ug/L is 600 ng/mL, 0.41 mg/L 820 ng/mL, 200 ug/L 400 ng/mL, 5 mg/L 10000 ng/mL.
"""

import pytest

from knowledge.finding import Finding, Why
from knowledge.risk import NOT_DETERMINED, Risk
from knowledge.score_words import score_told
from tests.tools.risk.given import given, no
from tools.risk.score import evaluate

WELLS = no(
    "dvt_signs",
    "pe_most_likely",
    "immobilisation_or_surgery",
    "prior_vte",
    "haemoptysis",
    "malignancy_active",
)


def judged(score: str, feu: float, reported: str, *, ddu: bool = True, age: int = 68) -> Risk:
    answers = given(age_years=age, heart_rate=80, d_dimer_feu=feu, pe_considered=True, **WELLS)
    answers |= given(haemodynamic_instability=False)
    if ddu:
        changed = {"flags": ("converted-ddu-to-feu",), "reported": reported}
        found: Finding = answers["d_dimer_feu"].model_copy(update=changed)
        answers["d_dimer_feu"] = found
    return evaluate(score, answers)


@pytest.mark.parametrize(
    ("score", "feu", "reported"),
    [
        ("wells_d_dimer", 600, "300 ug/L DDU"),
        ("years", 600, "300 ug/L DDU"),
        ("years", 820, "0.41 mg/L DDU"),
        ("peged", 820, "0.41 mg/L DDU"),
    ],
)
def test_no_raised_limit_rules_out_on_a_result_in_ddu(
    score: str, feu: float, reported: str
) -> None:
    risk = judged(score, feu, reported)
    assert risk.category == NOT_DETERMINED
    (missing,) = risk.missing
    assert (missing.input, missing.reason.why) == ("d_dimer_feu", Why.OUTSIDE_CONTRACT)
    assert "reported in DDU" in missing.reason.detail
    (line,) = [item.answer for item in risk.items if item.item == "d_dimer_feu"]
    assert line == f"{feu} ng/mL (reported {reported}, converted to FEU, x 2)"
    assert score_told().known(line)
    (said,) = [c for c in risk.caveats if "reported in DDU" in c]
    assert score_told().known(said)
    assert judged(score, feu, reported, ddu=False).category == "rule-out"


@pytest.mark.parametrize("score", ["wells_d_dimer", "years", "peged"])
def test_the_fixed_limit_holds_and_a_result_above_every_limit_calls_for_imaging(score: str) -> None:
    assert judged(score, 400, "200 ug/L DDU").category == "rule-out"
    assert judged(score, 10_000, "5 mg/L DDU").category == "imaging"
