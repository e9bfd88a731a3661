"""Questions and answers on the wire; an unverified sentence is in none of them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from agent.assessment import RESEARCH_USE
from agent.chat.answer import MOST_QUESTION
from knowledge.model import Frozen
from knowledge.passages import Language
from serving.chat.model import Step, TurnState
from serving.evidence.protocol import Link

Kind = Literal["facts", "guideline", "not_in_record", "refused"]


class AskRequest(Frozen):
    """A question about the case.

    Args:
        question: As typed: data, never an instruction.
        language: Of the answer.
    """

    question: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=MOST_QUESTION),
    ]
    language: Language = "en"


class SentenceOut(Frozen):
    """One sentence that may be shown.

    Args:
        text: The sentence.
        evidence: Where it comes from, each one click away.
        sources: Guideline sources, likewise.
        wording: How a guideline sentence is to be read, for example "... summary, not verbatim".
    """

    text: str
    evidence: tuple[Link, ...] = ()
    sources: tuple[Link, ...] = ()
    wording: str = ""


class WouldAnswerOut(Frozen):
    """What is missing and would answer the question.

    Args:
        input: Id of the clinical input.
        label: What it is.
        href: The form that takes the answer.
    """

    input: str
    label: str
    href: str


class AnswerOut(Frozen):
    """An answer as it may be shown.

    Args:
        kind: From facts, from guidelines, not in the record, or refused.
        sentences: Verified sentences, or the facts' own.
        outside_record: Whether the record does not hold it.
        would_answer: What is missing and would answer it.
        refused: Why it is refused.
        author: The model, or ``facts`` where the sentences are the facts' own words.
        without_llm: Why no model's words are shown.
        notes: What else the reader must know.
        dropped: How many sentences of the model could not be verified and are not shown.
        at: The moment of assessment the facts are for.
        as_of: The same, as it is shown.
        result_sha256: Of that assessment.
    """

    kind: Kind
    sentences: tuple[SentenceOut, ...] = ()
    outside_record: bool = False
    would_answer: tuple[WouldAnswerOut, ...] = ()
    refused: str = ""
    author: str
    without_llm: str = ""
    notes: tuple[str, ...] = ()
    dropped: int = 0
    at: datetime
    as_of: str
    result_sha256: str


class TurnOut(Frozen):
    """One question, and its answer where there is one.

    Args:
        id: Its id.
        number: Counts from 1 in this user's conversation on this case.
        question: As typed, without what cannot be seen.
        language: Of the answer.
        state: ``asked`` is not answered: being made, or cut off.
        running: Whether the answer is being made now.
        asked_at: When.
        ended_at: When it was answered or failed.
        problem: Why there is no answer.
        answer: The answer.
        steps: How it came about.
        notice: What this product is.
    """

    id: str
    number: int
    question: str
    language: Language
    state: TurnState
    running: bool = False
    asked_at: datetime
    ended_at: datetime | None = None
    problem: str = ""
    answer: AnswerOut | None = None
    steps: tuple[Step, ...] = ()
    notice: str = RESEARCH_USE


class Conversation(Frozen):
    """What this user asked about this case, oldest first."""

    case: str
    turns: tuple[TurnOut, ...] = Field(default_factory=tuple)
