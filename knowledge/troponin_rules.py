"""Rows of the table of serial troponin rules: one number, one sentence, one rule.

Concentrations are in ng/L, times in minutes unless a name says otherwise.
"""

from collections.abc import Mapping
from typing import Literal

from knowledge.model import Frozen

LimitSet = Literal["esc_0_1h", "esc_0_2h"]


class Sourced(Frozen):
    """A row that says where its numbers come from."""

    source: str
    review: str


class Cell(Sourced):
    """One number with its own source and review state.

    Args:
        value: The number that is applied.
        range: What sources print, where they differ.
        note: What a reader must know of it.
    """

    value: float
    range: tuple[float, float] | None = None
    note: str = ""


class Wording(Sourced):
    """One sentence, with the number it shows."""

    text: str
    value: float | None = None

    def show(self, **words: object) -> str:
        """Return the sentence with its number, and `words`, filled in."""
        return self.text.format(value=self.value, **words)


class Window(Sourced):
    """When the second sample of an algorithm is taken, minutes after the first, ends included."""

    nominal: float
    tolerance: float
    printed: tuple[float, float] | None = None
    note: str = ""

    @property
    def first(self) -> float:
        """Earliest time, minutes."""
        return self.nominal - self.tolerance

    @property
    def last(self) -> float:
        """Latest time, minutes."""
        return self.nominal + self.tolerance

    def holds(self, minutes: float) -> bool:
        """Return whether a sample at this time can be used."""
        return self.first <= minutes <= self.last


class Algorithm(Sourced):
    """One algorithm.

    Args:
        name: Name to show.
        window: When its second sample is taken.
        limits: Which limits of the assay table it uses; None for its own.
        cites: Further sources.
        meaning: Category to what its source reports for it.
    """

    name: str
    window: Window
    limits: LimitSet | None = None
    cites: tuple[str, ...] = ()
    meaning: Mapping[str, Wording] = {}


class OnsetLimits(Frozen):
    """Limits on the time from onset to the first sample, minutes."""

    early_at_most: Cell
    very_early_below: Cell
    long_above: Cell


class Plausible(Sourced):
    """Possible concentrations, ng/L."""

    low: float
    high: float


class Rule03(Frozen):
    """Limits of the ESC 0/3 h rule."""

    rule_in_times_limit_above: Cell
    change_percent_of_limit: Cell
    change_percent_of_first: Cell
    grace_below: Cell


class RuleObserveZone(Frozen):
    """Limits of the observe-zone rule, ng/L."""

    assays: tuple[str, ...]
    third_below: Cell
    change_out_below: Cell
    change_in_from: Cell


class RuleHighSteacs(Frozen):
    """Limits of the High-STEACS rule, ng/L."""

    single_below: Mapping[str, Cell]
    change_below: Cell


class RuleOutVeto(Sourced):
    """What a sample outside the pair of an algorithm must not do, or nothing is ruled out.

    Args:
        change_of: The set whose rule-in change no later sample may reach, in any algorithm.
        leaves_low: Whether a sample at or above the algorithm's own low limit forbids a rule-out.
        note: Why.
    """

    change_of: LimitSet
    leaves_low: bool
    note: str = ""


class RuleInjury(Frozen):
    """Limits and wording of myocardial injury.

    Args:
        change_percent_of_first: Significant from a value above the 99th percentile, more than this.
        change_percent_of_limit: Significant from a value not above it, more than this.
        rise_of: The set whose rule-in change makes a rise across the 99th percentile acute.
        acute, chronic: Wording.
        open: Wording for one sample.
        unclear: Wording for several samples without a significant change, not all of them raised.
    """

    change_percent_of_first: Cell
    change_percent_of_limit: Cell
    rise_of: LimitSet
    acute: Wording
    chronic: Wording
    open: Wording
    unclear: Wording


class Levels(Frozen):
    """Wording of what one level says by itself."""

    above_99th: Wording
    above_every_rule_in_limit: Wording


class Performance(Frozen):
    """Published accuracy of the ESC 0/1 h algorithm."""

    sensitivity_percent: Mapping[str, Cell]
    specificity_percent: Mapping[str, Cell]
    patients: Cell
    observe_one_year_mortality_percent: Cell


class SampleQuestion(Frozen):
    """A question about a sample."""

    label: str
    question: str
    how: str
