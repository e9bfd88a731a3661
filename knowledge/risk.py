"""The result of a score or rule: a value, or the range it must lie in and what is missing.

A score with an unknown required input is never a number. It is the range over every completion of
the unknown inputs, the bands those completions can reach, and the list of what is missing.
"""

from typing import Self

from pydantic import Field, FiniteFloat, model_validator

from knowledge.clinical_time import ClinicalTime
from knowledge.evidence import Evidence
from knowledge.finding import NotAssessed, State
from knowledge.model import Frozen
from knowledge.quantity import format_number
from knowledge.reference import Citation

NOT_DETERMINED = "not determined"
"""Category of a risk whose possible completions fall into different categories."""


def points_words(number: float, unit: str = "") -> str:
    """Return a number of a score as it is shown; points to the tenth that a source can tell.

    The number of a model is rounded as its file says and has a unit.

    Examples:
        >>> [points_words(n) for n in (125.686, 4.5, 3.0)], points_words(0.92, "%")
        (['125.7', '4.5', '3'], '0.92')
    """
    return format_number(number if unit else round(number, 1))


class MissingInput(Frozen):
    """One input that is not assessed, why, and how to give it.

    Args:
        input: Id in the clinical-input catalogue, also the key in ``case.yaml``.
        label: What it is, to show.
        reason: Why it is not assessed.
        question: The question a person would answer.
        how: How to give it, with the answers that are accepted.
    """

    input: str
    label: str
    reason: NotAssessed
    question: str = ""
    how: str = ""


class Band(Frozen):
    """A category that is possible, and what it means by its source.

    Args:
        name: For example ``low``, ``rule-out``.
        points: The points that fall into it, to show; empty for a rule without points.
        meaning: What the source reports for it, for example ``6-week MACE 1.7 %``.
    """

    name: str
    points: str = ""
    meaning: str = ""


class ItemResult(Frozen):
    """One item of a score as it was applied.

    Args:
        item: Id of the item.
        label: What it is.
        answer: What was known, to show; ``not assessed: ...`` otherwise.
        state: State of the answer.
        low, high: Points, equal where the answer decides them.
        evidence: Where the answer came from.
    """

    item: str
    label: str
    answer: str
    state: State
    low: FiniteFloat
    high: FiniteFloat
    evidence: tuple[Evidence, ...] = ()


class Risk(Frozen):
    """The result of one score or decision rule.

    Args:
        name: Name to show, for example ``HEART score``.
        tool: Name of the tool that computed it.
        category: The one category every completion reaches, else ``not determined``; where the
            tool refused or was switched off, ``not assessed``.
        value: The points where every needed input is known; None otherwise, and for rules.
        range: (lowest, highest) attainable points where an input is unknown; None otherwise.
        unit: ``%`` where the number is a probability; empty for points.
        missing: Inputs that are not assessed and could change the result.
        bands: The categories still possible, in order of severity.
        next_due: When the next sample or reassessment is due.
        overdue: Whether `next_due` had passed at the time of assessment.
        items: Each item with its points: the arithmetic.
        statement: The result in one sentence, from the rule's own data.
        caveats: What must be read with it.
        not_assessed: The reason where no statement is possible at all.
        evidence: Everything the result rests on.
        source: The publication and its review state.
    """

    name: str
    tool: str
    category: str
    value: FiniteFloat | None = None
    range: tuple[FiniteFloat, FiniteFloat] | None = None
    unit: str = Field(default="", exclude_if=lambda found: not found)
    missing: tuple[MissingInput, ...] = ()
    bands: tuple[Band, ...] = ()
    next_due: ClinicalTime | None = None
    overdue: bool | None = None
    items: tuple[ItemResult, ...] = ()
    statement: str = ""
    caveats: tuple[str, ...] = ()
    not_assessed: NotAssessed | None = None
    evidence: tuple[Evidence, ...] = ()
    source: tuple[Citation, ...] = ()

    @model_validator(mode="after")
    def _a_number_or_a_range(self) -> Self:
        if self.value is not None and self.range is not None:
            raise ValueError("a risk has a value or a range, not both")
        if self.value is not None and self.missing:
            raise ValueError("a risk with a missing input has a range, never a value")
        if self.category == NOT_DETERMINED and len(self.bands) < 2:
            raise ValueError("a category that is not determined names the bands still possible")
        return self
