"""A pathway as data: which tools run in which order, and what follows from their results.

Conditions read clinical inputs by id, ``risk.<key>`` (the category of a risk) and ``points.<key>``
(its points or range). An input that is not assessed makes a condition unknown, never false.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Self

from pydantic import model_validator

from knowledge.model import Frozen
from knowledge.reference import Table, load
from knowledge.rules import Condition


class Urgency(StrEnum):
    """How soon a recommendation is to be acted on."""

    IMMEDIATE = "immediate"
    URGENT = "urgent"
    SOON = "soon"
    ROUTINE = "routine"


class Sourced(Frozen):
    """A row that says where it comes from."""

    source: str
    review: str


class Step(Sourced):
    """One tool of the pathway, in order.

    Args:
        tool: Name of the tool.
        why: Why the pathway needs it.
        required: Whether an assessment without its result is incomplete.
        when: Where given, the tool runs only if this is not known to be false.
        skip_when: A stop rule: where this is true the tool is not run.
        skip_reason: What the result then says.
        settled_when: Where this is true, a missing result does not leave the assessment unfinished.
        reads: Inputs that the tool is given from the whole presentation instead of their latest
            value: ``first.<id>``, ``lowest.<id>`` or ``highest.<id>``.
    """

    tool: str
    why: str
    required: bool = False
    when: Condition | None = None
    skip_when: Condition | None = None
    skip_reason: str = ""
    settled_when: Condition | None = None
    reads: Mapping[str, str] = {}

    @model_validator(mode="after")
    def _a_stop_has_a_reason(self) -> Self:
        if (self.skip_when is None) != (not self.skip_reason):
            raise ValueError("a stop rule needs its reason")
        return self


class NamedCondition(Sourced):
    """A condition that several rows read as ``condition.<key>``; it may read earlier ones.

    Args:
        when: The condition.
        label: What it means, in words.
    """

    when: Condition
    label: str


class Requirement(NamedCondition):
    """What must be known to hold before discharge can be considered, as ``discharge.<key>``.

    Args:
        asks: Inputs that settle it, most useful first.
    """

    asks: tuple[str, ...] = ()


class Argument(Sourced):
    """A condition, and the words for what it means when it holds.

    Args:
        cards: Ids of the guideline cards that support it.
    """

    when: Condition
    because: str
    cards: tuple[str, ...] = ()


class Diagnosis(Frozen):
    """One entry of the must-not-miss list.

    Args:
        label: Name to show.
        supported: Any of these that holds supports it.
        against: Any of these that holds argues against it, unless something supports it.
        settle: Inputs a clinician would give to settle it, most useful first.
    """

    label: str
    supported: tuple[Argument, ...]
    against: tuple[Argument, ...]
    settle: tuple[str, ...]


class Recommendation(Sourced):
    """A statement that applies when its condition holds.

    Args:
        when: When it applies; an unknown condition does not apply it.
        text: Our summary of what the source advises; may hold ``{due}`` and ``{name}`` where
            `for_each_due` is set, and ``{present}`` where `names` is.
        urgency: How soon.
        for_each_due: True for the statement made about a next sample that is due.
        names: Conditions by key; ``{present}`` stands for the labels of those that hold.
        alone: Where it applies, nothing else is advised.
        cards: Ids of the guideline cards that support it.
    """

    when: Condition | None = None
    text: str
    urgency: Urgency
    strength: str | None = None
    for_each_due: bool = False
    names: tuple[str, ...] = ()
    alone: bool = False
    cards: tuple[str, ...] = ()


class EpisodeWindow(Sourced):
    """What belongs to this presentation.

    Args:
        max_age_hours: Older recordings and samples are of another presentation.
        low_valid_hours: A low conclusion needs a troponin sample not older than this.
        explained_hours: What was left out but is not older than this needs an explanation before a
            low conclusion.
    """

    max_age_hours: float
    low_valid_hours: float
    explained_hours: float = 0.0


class Headline(Sourced):
    """The first headline whose condition holds is shown; the last one has no condition.

    ``{open}`` and ``{failed}`` in the text stand for the names of the discharge requirements that
    are not known to hold, and of those known not to hold; ``{unread}`` for the chart items that
    were not understood or not used, ``{signs}`` for the danger signs that are present, and
    ``{undated}`` for acute diagnoses of unknown date.

    Args:
        leads: Its text goes in front of the headline that follows, instead of being it.
    """

    when: Condition | None = None
    text: str
    urgency: Urgency
    leads: bool = False


class NotStarted(Sourced):
    """What holds where nothing states the complaint that the pathway is for.

    What the pathway demands of everybody who has the complaint is then left out; what something
    found demands stays. Nothing of it is ever a low conclusion.

    Args:
        problem: What the case is said to be for.
        reason: Why the scores of the pathway are not run.
        told: What the assessment says of it, and what would start the pathway.
        leaves_out: Recommendations that do not apply.
    """

    problem: str
    reason: str
    told: str
    leaves_out: tuple[str, ...]


class Pathway(Table):
    """One pathway."""

    problem: str
    episode: EpisodeWindow
    steps: tuple[Step, ...]
    troponin_order: tuple[str, ...]
    """Risk keys of the troponin algorithms, the preferred first."""
    conditions: Mapping[str, NamedCondition]
    discharge: Mapping[str, Requirement] = {}
    diagnoses: Mapping[str, Diagnosis]
    recommendations: Mapping[str, Recommendation]
    headlines: tuple[Headline, ...]
    not_started: NotStarted

    @model_validator(mode="after")
    def _sources_exist(self) -> Self:
        rows: list[Sourced] = [*self.steps, *self.recommendations.values(), *self.headlines]
        rows.append(self.not_started)
        rows += [*self.conditions.values(), *self.discharge.values()]
        for diagnosis in self.diagnoses.values():
            rows += [*diagnosis.supported, *diagnosis.against]
        unknown = {row.source for row in rows} - set(self.sources)
        if unknown:
            raise ValueError(f"sources not listed: {', '.join(sorted(unknown))}")
        if self.headlines[-1].when is not None or self.headlines[-1].leads:
            raise ValueError("the last headline must have no condition")
        left_out = set(self.not_started.leaves_out) - set(self.recommendations)
        if left_out:
            raise ValueError(f"no such recommendation: {', '.join(sorted(left_out))}")
        named = {key for row in self.recommendations.values() for key in row.names}
        if named - set(self.conditions):
            raise ValueError(
                f"no such condition: {', '.join(sorted(named - set(self.conditions)))}"
            )
        return self


@cache
def pathway(name: str) -> Pathway:
    """Return a packaged pathway by file name."""
    return load(f"pathways/{name}", Pathway)
