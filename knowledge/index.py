"""The result of a derived index: a number with its unit, or the interval it must lie in.

Not a `knowledge.risk.Risk`: an index has a unit, and an input known only from below (``>1000``)
leaves it bounded on one side, which a range of two finite points cannot say.
"""

from typing import Self

from pydantic import model_validator

from knowledge.evidence import Evidence
from knowledge.finding import NotAssessed
from knowledge.model import Frozen
from knowledge.quantity import Measured, Quantity
from knowledge.reference import Citation
from knowledge.risk import NOT_DETERMINED, Band, MissingInput


class IndexInput(Frozen):
    """One input of an index as it was used.

    Args:
        input: Id of the input, with its unit where it has one.
        label: What it is.
        words: The value with its unit, or why it is not assessed.
    """

    input: str
    label: str
    words: str


class Index(Frozen):
    """The result of one derived index.

    Args:
        index: Id of the row in ``laboratory_indices.yaml``.
        name: Name to show.
        value: A `Quantity` only where every input is a number; a `QuantityInterval` where an input
            is bounded, or missing and bounded by the rule itself; None where not assessed.
        category: The one category every possible value falls into, ``not determined`` where there
            are several; empty where the index has none or is not assessed.
        bands: The categories still possible, in the order of the row.
        inputs: What it was computed from.
        missing: Inputs that are not assessed; never with a `Quantity`.
        statement: The result in one sentence.
        caveats: What must be read with it.
        not_assessed: The reason where there is no value.
        evidence: What it rests on.
        source: The publication and its review state.
    """

    index: str
    name: str
    value: Measured | None = None
    category: str = ""
    bands: tuple[Band, ...] = ()
    inputs: tuple[IndexInput, ...] = ()
    missing: tuple[MissingInput, ...] = ()
    statement: str
    caveats: tuple[str, ...] = ()
    not_assessed: NotAssessed | None = None
    evidence: tuple[Evidence, ...] = ()
    source: tuple[Citation, ...] = ()

    @model_validator(mode="after")
    def _a_value_or_a_reason(self) -> Self:
        if (self.value is None) == (self.not_assessed is None):
            raise ValueError("an index has a value or the reason why it has none")
        if self.missing and isinstance(self.value, Quantity):
            raise ValueError("an index with a missing input is never a number")
        if self.value is None and (self.category or self.bands):
            raise ValueError("an index that is not assessed has no category")
        if (self.category == NOT_DETERMINED) != (len(self.bands) > 1):
            raise ValueError("a category is not determined exactly where several are possible")
        return self
