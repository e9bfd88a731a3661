"""Small pieces of wording that every form of the report shares."""

from agent.assessment import Assessment, Verdict
from knowledge.evidence import describe
from knowledge.finding import Finding, State
from knowledge.risk import ItemResult, Risk, points_words

STATUS = {
    "complete": "complete",
    "partial": "partial: something the pathway needs is missing",
    "not_assessable": "not assessable",
    "refused": "refused",
}

MARKS = {Verdict.SUPPORTED: "●", Verdict.ARGUED_AGAINST: "○", Verdict.NOT_ASSESSED: "?"}


def score(risk: Risk) -> str:
    """Return the value, or the range with what it means; never a bare number for a range.

    Examples:
        >>> score(Risk(name="HEART", tool="heart", category="low", value=3))
        '3'
    """
    if risk.value is not None:
        return points_words(risk.value, risk.unit)
    if risk.range is not None:
        low, high = (points_words(end, risk.unit) for end in risk.range)
        return low if low == high else f"{low} to {high}"
    return ""


def possible(risk: Risk) -> str:
    """Return the categories still possible, where the category is not determined."""
    if risk.category != "not determined":
        return ""
    return " or ".join(band.name for band in risk.bands)


def category(risk: Risk) -> str:
    """Return the category in words, with what is still possible."""
    open_ = possible(risk)
    return f"not determined: {open_}" if open_ else risk.category


def meaning(risk: Risk) -> str:
    """Return what the one possible band means by its source; empty while several are possible."""
    if len(risk.bands) == 1 and risk.bands[0].meaning:
        return risk.bands[0].meaning
    return ""


def points(item: ItemResult) -> str:
    """Return the points of one item, or the range they lie in."""
    if item.low == item.high:
        return points_words(item.low)
    return f"{points_words(item.low)} to {points_words(item.high)}"


def said(finding: Finding) -> str:
    """Return the value, the state, or why it is not assessed."""
    if finding.state is State.NOT_ASSESSED:
        reason = finding.not_assessed
        text = f"not assessed: {reason.detail if reason else 'no reason given'}"
        return f"{text} (reported {finding.reported})" if finding.reported else text
    if finding.value is not None:
        text = str(finding.value)
        return f"{text} (reported {finding.reported})" if finding.reported else text
    return finding.state.value


def sources(finding: Finding) -> str:
    """Return where a finding comes from."""
    return "; ".join(dict.fromkeys(describe(e) for e in finding.evidence))


def title(assessment: Assessment) -> str:
    """Return the title line."""
    return f"{assessment.problem.capitalize()}: {assessment.case}"


def cited(risk: Risk) -> tuple[str, ...]:
    """Return each source of a risk once, with its DOI and review state."""
    lines = (f"{c.label}{f', doi {c.doi}' if c.doi else ''}: {c.review}" for c in risk.source)
    return tuple(dict.fromkeys(lines))
