"""The facts of a case for one question: those of its assessment, and of the scores it names."""

from typing import NamedTuple

from agent.assess import Outcome
from agent.assessment import Assessment, Status
from agent.chat.question import indices_named, scores_named
from agent.fact_sheet.indices import index_facts
from agent.fact_sheet.sheet import fact_sheet
from agent.facts import FactSheet, numbered
from agent.indices_by_name import indices_of
from agent.on_request import with_scores
from knowledge.passages import Language
from knowledge.risk import Risk


class Asked(NamedTuple):
    """What a question is answered from.

    Args:
        assessment: That of the case, with the scores that the question names beside it.
        sheet: Its facts.
        scores: Those scores.
    """

    assessment: Assessment
    sheet: FactSheet
    scores: tuple[Risk, ...]


def asked_of(outcome: Outcome, question: str, *, language: Language) -> Asked:
    """Return what a question about a case is answered from.

    The names of scores are matched with the tables of the scores; no model is asked.

    Args:
        outcome: The case.
        question: As typed.
        language: Of the facts.
    """
    made = outcome.assessment
    names = () if made.status is Status.REFUSED else scores_named(question)
    extended = with_scores(outcome, names)
    sheet = fact_sheet(extended, language=language, asked=names)
    indices = () if made.status is Status.REFUSED else indices_of(outcome, indices_named(question))
    if indices:
        facts = (*sheet.facts, *index_facts(indices, language))
        sheet = numbered(facts, language, sheet.day, sheet.unread)
    return Asked(extended, sheet, extended.risks[len(made.risks) :])
