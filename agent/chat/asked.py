"""The facts of a case for one question: those of its assessment, and of the scores it names."""

from agent.assess import Outcome
from agent.assessment import Assessment, Status
from agent.chat.question import scores_named
from agent.fact_sheet.sheet import fact_sheet
from agent.facts import FactSheet
from agent.on_request import with_scores
from knowledge.passages import Language


def asked_of(
    outcome: Outcome, question: str, *, language: Language
) -> tuple[Assessment, FactSheet]:
    """Return the assessment with the scores a question names beside it, and its facts.

    The names are matched with the tables of the scores; no model is asked.

    Args:
        outcome: The case.
        question: As typed.
        language: Of the facts.
    """
    made = outcome.assessment
    names = () if made.status is Status.REFUSED else scores_named(question)
    extended = with_scores(outcome, names)
    return extended, fact_sheet(extended, language=language, asked=names)
