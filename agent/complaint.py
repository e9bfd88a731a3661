"""Whether the complaint that the pathway is for is stated, and what holds where it is not.

A case of messages from a feed is of anybody whose blood was taken. Without a complaint the pathway
is not started: it asks for nothing and concludes nothing. What was found is acted on all the same.
"""

from collections.abc import Mapping

from agent.state import NOT_ASSESSED, State
from knowledge.finding import NotAssessed, Why
from knowledge.finding import State as Known
from knowledge.pathways import Pathway
from knowledge.risk import Risk
from knowledge.rules import Answer
from tools.chart.answers import Answers
from tools.intake.result import CaseFiles
from tools.labs.troponin_category import Category

COMPLAINT = "chest_pain"
"""The clinical input that states it."""

NOT_STATED = "complaint.not-stated"
"""The answer that conditions of a pathway read; known for every case."""

_SHOWS_INJURY = frozenset({Category.RULE_IN, Category.OBSERVE})
"""What a troponin rule may say of anybody: the rest is about patients with chest pain."""


def complaint_answers(case: CaseFiles, known: Answers) -> dict[str, Answer]:
    """Return whether nothing states the complaint.

    A source that says chest pain states it, also as a suspicion (an admitting diagnosis) or where
    another one disagrees: only a person's answer settles that.

    Args:
        case: What was read.
        known: What its sources answer.
    """
    found = known.findings[COMPLAINT]
    told = found.state is Known.NOT_ASSESSED and bool(found.evidence)
    disputed = found.state is Known.NOT_ASSESSED and COMPLAINT in known.claimed
    present = found.state is Known.PRESENT
    return {NOT_STATED: not (case.complaint_stated or present or told or disputed)}


def is_started(state: State) -> bool:
    """Return whether the pathway is started."""
    return state.extra.get(NOT_STATED) is not True


def of_anybody(pathway: Pathway, risks: Mapping[str, Risk]) -> dict[str, Risk]:
    """Return the troponin risks as they hold for somebody without a stated complaint.

    Those that show an injury stay, and those that made no statement. The others, above all a
    rule-out, were made for patients with acute chest pain and are refused.

    Args:
        pathway: Says why.
        risks: By key.
    """
    return {key: _refused(pathway, risk) for key, risk in risks.items()}


def _refused(pathway: Pathway, risk: Risk) -> Risk:
    if risk.category in _SHOWS_INJURY or risk.category == NOT_ASSESSED:
        return risk
    problem = NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=pathway.not_started.reason)
    return Risk(
        name=risk.name,
        tool=risk.tool,
        category=NOT_ASSESSED,
        not_assessed=problem,
        statement=f"{risk.name}: not assessed ({problem.detail}).",
        evidence=risk.evidence,
    )
