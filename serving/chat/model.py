"""One question and its answer, and the steps between them, as values."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field, PositiveInt

from agent.chat.answer import ChatAnswer
from agent.llm.seam import ModelIdentity, Usage
from knowledge.model import Frozen
from knowledge.passages import Language
from knowledge.reference import Citation


class TurnState(StrEnum):
    """How far an answer is. One that was cut off stays `asked`; it is never shown as answered."""

    ASKED = "asked"
    ANSWERED = "answered"
    FAILED = "failed"


class Turn(Frozen):
    """One question of one user on one case.

    Args:
        id: Its id.
        case: Id of the case.
        owner: Whose conversation it is, see `serving.chat.store.owner_of`.
        number: Counts from 1 in the conversation.
        question: As typed.
        language: Of the answer.
        state: How far it is.
        asked_at: When.
        ended_at: When it was answered or failed.
        problem: Why there is no answer, where it failed.
        body: JSON of `Said`, where it was answered.
    """

    id: str
    case: str
    owner: str
    number: PositiveInt
    question: str
    language: Language
    state: TurnState
    asked_at: datetime
    ended_at: datetime | None = None
    problem: str = ""
    body: dict[str, Any] | None = None

    @property
    def said(self) -> "Said | None":
        """What was answered, where it was."""
        return None if self.body is None else Said.model_validate(self.body)


class Said(Frozen):
    """An answer with everything that replays it and shows its evidence.

    Args:
        answer: What may be shown, and what was dropped.
        citations: The sources of its sentences.
        files: File name to SHA-256 of what the case was read from.
        at: The moment of assessment the facts are for.
        inputs_sha256, result_sha256: Of that assessment.
        time_zone: Of the case.
        steps: What was shown while it was made.
        usage: Tokens of the language model.
        model: Which model answered; None where none did.
    """

    answer: ChatAnswer
    citations: tuple[Citation, ...] = ()
    files: Mapping[str, str] = {}
    at: datetime
    inputs_sha256: str
    result_sha256: str
    time_zone: str | None = None
    steps: tuple["Step", ...] = ()
    usage: Usage = Usage()
    model: ModelIdentity | None = Field(default=None, exclude_if=lambda found: found is None)


class StepKind(StrEnum):
    """What is happening while an answer is made, in the order it usually comes."""

    READING = "case.reading"
    FACTS = "facts.found"
    SEARCHING = "guidelines.searching"
    SEARCHED = "guidelines.searched"
    WRITING = "model.writing"
    MODEL_FAILED = "model.failed"
    VERIFIED = "sentences.verified"
    FROM_FACTS = "answer.from_facts"


class Step(Frozen):
    """One step, safe to show: counts, names and reasons, never words of the model.

    Args:
        kind: What happened.
        data: Its numbers and names.
    """

    kind: StepKind
    data: Mapping[str, int | str] = {}


Said.model_rebuild()
