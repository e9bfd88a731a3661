"""What this service sends: cards as CDS Hooks 2.0 defines them, with no null and nothing empty.

Invariants of the specification are checked where a card is made, so that no client sees another.
"""

from typing import Annotated, Any, Literal, Self
from uuid import uuid4

from pydantic import Field, StringConstraints, model_validator

from knowledge.cds_cards import SHORT
from knowledge.model import Frozen

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Uuid = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]

REASONS = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
TOPICS = "urn:epicrisis:cds-topic"


def new_uuid() -> str:
    """Return a fresh UUID in text."""
    return str(uuid4())


class Coding(Frozen):
    """A code with what it shows."""

    system: Text
    code: Text
    display: Text


OVERRIDE_REASONS = tuple(
    Coding(system=REASONS, code=code, display=display)
    for code, display in (
        ("cds-not-applicable", "Not applicable to this patient"),
        ("cds-suboptimal-context", "Not the right moment or place"),
        ("recipient-disagrees-evidence", "I disagree with the evidence"),
        ("recipient-concerns-outcomes", "Concern about the outcome for this patient"),
        ("does-not-align-preferences", "Not what the patient prefers"),
        ("not-convenient-feasible", "Not feasible here"),
    )
)
"""The six standard codes, each with our own words to show."""


class Source(Frozen):
    """Whose card it is."""

    label: Text
    url: Text | None = None
    topic: Coding


class Action(Frozen):
    """What a suggestion does; nothing is done until a person takes it, and signs."""

    type: Literal["create"]
    description: Text
    resource: Annotated[dict[str, Any], Field(min_length=1)]


class Suggestion(Frozen):
    """One thing a person may take up with a click."""

    label: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    uuid: Uuid = Field(default_factory=new_uuid)
    isRecommended: Literal[True] | None = None
    actions: Annotated[tuple[Action, ...], Field(min_length=1)]


class Link(Frozen):
    """Where a person reads more."""

    label: Text
    url: Text
    type: Literal["absolute", "smart"]
    appContext: Text | None = None

    @model_validator(mode="after")
    def _context_is_smart(self) -> Self:
        if self.appContext is not None and self.type != "smart":
            raise ValueError("appContext is for smart links alone")
        return self


class Card(Frozen):
    """One card."""

    uuid: Uuid = Field(default_factory=new_uuid)
    summary: Annotated[str, StringConstraints(min_length=1, max_length=SHORT)]
    detail: Text
    indicator: Literal["info", "warning", "critical"]
    source: Source
    suggestions: Annotated[tuple[Suggestion, ...], Field(min_length=1)] | None = None
    selectionBehavior: Literal["any"] | None = None
    overrideReasons: Annotated[tuple[Coding, ...], Field(min_length=1)] | None = None
    links: Annotated[tuple[Link, ...], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _suggestions_say_how(self) -> Self:
        if (self.suggestions is None) != (self.selectionBehavior is None):
            raise ValueError("selectionBehavior is given exactly with suggestions")
        return self


class CardList(Frozen):
    """The answer to a call; no system actions: nothing is done without a person."""

    cards: tuple[Card, ...]
