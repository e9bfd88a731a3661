"""Of a troponin the page says which assay and which limit it counts by, and no other assay's."""

from agent.assessment import Assessment
from serving.web.risk_timeline import risk_timeline
from serving.web.risk_view import risks


def test_the_accuracy_shown_is_of_the_assay_of_the_case(assessed: dict[str, Assessment]) -> None:
    (esc,) = (r for r in risks(assessed["nstemi"], str).settled if r.name == "ESC 0/1 h")
    assert esc.accuracy
    assert all("Roche Elecsys hs-cTnT" in line for line in esc.accuracy)


def test_a_multiple_says_of_what_and_the_line_says_whose_limit_it_is(
    assessed: dict[str, Assessment],
) -> None:
    """24 ng/L of 14 ng/L, the 99th percentile of both sexes; 9 ng/L is that of women."""
    nstemi = assessed["nstemi"]
    (heart,) = (r for r in risks(nstemi, str).settled if r.name == "HEART score")
    said = next(item.answer for item in heart.items if item.label == "First troponin")
    assert said.startswith("1.71")
    assert "times the 99th percentile" in said
    assert "14 ng/L, of both sexes together" in said
    at = nstemi.provenance.at.at
    line = risk_timeline(nstemi, moment=at, live=False, say=str)
    assert line.limit_words == "99th percentile of women 9 ng/L, Roche Elecsys hs-cTnT"
