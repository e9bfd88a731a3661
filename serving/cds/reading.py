"""What an assessment says, as answers that the tables of cards and orders read.

Keys: ``status``; ``recommendation.<id>`` present or absent; ``verdict.<id>`` and ``verdict.any``;
``risk.<tool>`` the category of a score; ``input.chest_pain``. What is not determined is unknown.
"""

from collections.abc import Collection, Mapping
from typing import Literal

from agent.assessment import Assessment, Status, Verdict
from knowledge.cds_cards import Level, cds_cards
from knowledge.clinical_time import elapsed
from knowledge.codes import ANALYTE
from knowledge.finding import Finding, State
from knowledge.model import Frozen
from knowledge.pathways import Urgency, pathway
from knowledge.risk import NOT_DETERMINED
from knowledge.rules import Answer, holds

_PATHWAY = "chest_pain"
_INPUT = "urn:epicrisis:clinical-input"
_NOT_ASSESSED = "not assessed"
_TROPONIN = frozenset({"hs_ctnt", "hs_ctni", "ctnt", "ctni"})

Speaks = Literal["chest pain", "troponin", "dangerous cause", ""]


class Reading(Frozen):
    """The level of an assessment, and what gave it.

    Args:
        level: Critical, high, intermediate, low or not assessable.
        call: For critical: whom to call, in words.
        by: Id of the recommendation or row that gave the level.
    """

    level: Level
    call: str = ""
    by: str


def answers_of(assessment: Assessment) -> dict[str, Answer]:
    """Return what the tables may read of an assessment."""
    applied = {row.id for row in assessment.recommendations}
    found: dict[str, Answer] = {
        f"recommendation.{key}": key in applied for key in pathway(_PATHWAY).recommendations
    }
    found["status"] = assessment.status.value
    for entry in assessment.differential:
        found[f"verdict.{entry.id}"] = entry.verdict.value
    found["verdict.any"] = _any_verdict(assessment)
    for risk in assessment.risks:
        if risk.category == NOT_DETERMINED:
            found[f"risk.{risk.tool}"] = frozenset(band.name for band in risk.bands)
        elif risk.category != _NOT_ASSESSED:
            found[f"risk.{risk.tool}"] = risk.category
    pain = input_finding(assessment, "chest_pain")
    found["input.chest_pain"] = None if pain is None else pain.state is State.PRESENT
    return found


def read(assessment: Assessment, answers: Mapping[str, Answer]) -> Reading:
    """Return the level of an assessment; where nothing gives one, it is not assessable yet."""
    table = cds_cards()
    urgent = {r.id for r in assessment.recommendations if r.urgency is Urgency.IMMEDIATE}
    for key, call in table.critical.calls.items():
        if key in urgent:
            return Reading(level="critical", call=call, by=key)
    if assessment.status is Status.REFUSED:
        return Reading(level="not-assessable", by="refused")
    for key, row in table.levels.items():
        if holds(row.when, answers) is True:
            return Reading(level=row.level, by=key)
    return Reading(level="not-assessable", by="undecided")


def speaks(assessment: Assessment) -> Speaks:
    """Return why there is something to say; empty where the data show no acute chest pain at all.

    A service for chest pain is silent about everybody else: neither a complaint nor a troponin of
    this presentation nor a cause of chest pain that is shown. Refused data are never silent; that
    is decided before.
    """
    pain = input_finding(assessment, "chest_pain")
    if assessment.complaint_stated:
        sampled = not any(row.id == "troponin_now" for row in assessment.recommendations)
    else:
        sampled = _recent_troponin(assessment)
    return reason(
        chest_pain=pain is not None and pain.state is State.PRESENT,
        troponin=sampled and troponin_in(assessment),
        recommended=[row.id for row in assessment.recommendations],
    )


def reason(*, chest_pain: bool, troponin: bool, recommended: Collection[str]) -> Speaks:
    """Return why there is something to say, or nothing.

    Args:
        chest_pain: Whether the chart says so.
        troponin: Whether there is a troponin of this presentation, usable or not.
        recommended: Ids of recommendations that apply.
    """
    if chest_pain:
        return "chest pain"
    if troponin:
        return "troponin"
    alone = set(cds_cards().speaks_alone)
    return "dangerous cause" if alone & set(recommended) else ""


def _recent_troponin(assessment: Assessment) -> bool:
    """Return whether a troponin is of this presentation, where none is asked for by the pathway."""
    hours = pathway(_PATHWAY).episode.max_age_hours
    for finding in filter(_is_troponin, assessment.findings):
        since = elapsed(finding.time, assessment.provenance.at).minutes
        if since is None or since.low is None or since.low <= hours * 60:
            return True
    return False


def input_finding(assessment: Assessment, input_id: str) -> Finding | None:
    """Return the answer to a clinical input, where the assessment has one that is assessed."""
    for finding in assessment.findings:
        codings = finding.concept.codings
        if any(c.system == _INPUT and c.code == input_id for c in codings):
            return None if finding.state is State.NOT_ASSESSED else finding
    return None


def troponin_analyte(assessment: Assessment) -> str | None:
    """Return which high-sensitivity troponin the case has, where it is one alone."""
    found = {
        c.code
        for finding in assessment.findings
        for c in finding.concept.codings
        if c.system == ANALYTE and c.code in _TROPONIN
    }
    return found.pop() if len(found) == 1 else None


def troponin_in(assessment: Assessment) -> bool:
    """Return whether any finding is a troponin result."""
    return any(map(_is_troponin, assessment.findings))


def _is_troponin(finding: Finding) -> bool:
    return any(c.system == ANALYTE and c.code in _TROPONIN for c in finding.concept.codings)


def _any_verdict(assessment: Assessment) -> Answer:
    """Return "supported" where any must-not-miss diagnosis is."""
    verdicts = {entry.verdict for entry in assessment.differential}
    return Verdict.SUPPORTED.value if Verdict.SUPPORTED in verdicts else None
