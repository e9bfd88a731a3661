"""Conditions as data, in three-valued logic.

A condition is a small YAML mapping that a clinician can read::

    {input: age_years, ge: 45, lt: 65}
    {input: pain_radiation_arm, is: present}
    {any: [...]}   {all: [...]}   {not: ...}   {count: [...], ge: 3}

Applied to what is known it is True, False, or None (unknown) in Kleene's strong logic: a missing
input makes the answer unknown only where it could change it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Self

from pydantic import Field, model_validator

from knowledge.finding import Finding, State
from knowledge.model import Frozen
from knowledge.quantity import Interval, Operator

Answer = bool | str | Interval | None
"""What is known of one input: yes/no, a choice, a number or interval, or nothing (None)."""

_OPERATORS: tuple[Operator, ...] = ("lt", "le", "gt", "ge", "eq")


class Condition(Frozen):
    """A test of inputs; exactly one of `input`, `all`, `any`, `not`, `count` is given.

    Args:
        input: Id of a clinical input or of a tool's output.
        is_: ``is``: the state or choice asked for; a list means any of them.
        lt, le, gt, ge, eq: Numeric limits in the input's unit; all given must hold.
        all, any, not_, count: Combinations; `count` counts true conditions against the limits.
        known: True when the input is assessed at all, whatever its value.
    """

    input: str | None = None
    is_: str | tuple[str, ...] | None = Field(default=None, alias="is")
    known: bool | None = None
    all: tuple["Condition", ...] | None = None
    any: tuple["Condition", ...] | None = None
    not_: "Condition | None" = Field(default=None, alias="not")
    count: tuple["Condition", ...] | None = None
    lt: float | None = None
    le: float | None = None
    gt: float | None = None
    ge: float | None = None
    eq: float | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        forms = [self.input, self.all, self.any, self.not_, self.count]
        if sum(form is not None for form in forms) != 1:
            raise ValueError("give exactly one of input, all, any, not, count")
        tests = (self.is_ is not None) + (self.known is not None) + bool(self.limits)
        if self.input is not None and tests != 1:
            raise ValueError(f"the test of {self.input!r} needs one of is, known, or limits")
        if self.count is not None and not self.limits:
            raise ValueError("count needs a limit such as ge")
        return self

    @property
    def limits(self) -> tuple[tuple[Operator, float], ...]:
        """The numeric limits given."""
        found = ((op, getattr(self, op)) for op in _OPERATORS)
        return tuple((op, limit) for op, limit in found if limit is not None)

    def inputs(self) -> Iterator[str]:
        """Yield the ids of every input the condition reads."""
        if self.input is not None:
            yield self.input
        for part in self._parts():
            yield from part.inputs()

    def breakpoints(self, input_id: str) -> Iterator[float]:
        """Yield every numeric limit the condition sets on one input."""
        if self.input == input_id:
            yield from (limit for _, limit in self.limits)
        for part in self._parts():
            yield from part.breakpoints(input_id)

    def _parts(self) -> tuple["Condition", ...]:
        one = () if self.not_ is None else (self.not_,)
        return one + (self.all or ()) + (self.any or ()) + (self.count or ())


def holds(condition: Condition, answers: Mapping[str, Answer]) -> bool | None:
    """Return whether `condition` is true, false or unknown (None) for these answers.

    Examples:
        >>> young = Condition.model_validate({"input": "age_years", "lt": 45})
        >>> holds(young, {"age_years": Interval.exact(44)}), holds(young, {})
        (True, None)
    """
    if condition.input is not None:
        return _test(condition, answers.get(condition.input))
    if condition.not_ is not None:
        inner = holds(condition.not_, answers)
        return None if inner is None else not inner
    if condition.all is not None:
        return _all([holds(part, answers) for part in condition.all])
    if condition.any is not None:
        return _any([holds(part, answers) for part in condition.any])
    truth = [holds(part, answers) for part in condition.count or ()]
    sure = sum(t is True for t in truth)
    number = Interval(low=sure, high=sure + sum(t is None for t in truth))
    return _all([_within(number, op, limit, truth) for op, limit in condition.limits])


def answer_of(finding: Finding | None) -> Answer:
    """Return what a finding says to a rule; a finding that is not assessed says nothing."""
    if finding is None or finding.state is State.NOT_ASSESSED:
        return None
    if finding.state is State.ABSENT:
        return False
    if finding.interval is not None:
        return finding.interval
    return finding.choice if finding.choice is not None else True


def _test(condition: Condition, answer: Answer) -> bool | None:
    if condition.known is not None:
        return (answer is not None) == condition.known
    if answer is None:
        return None
    if condition.is_ is not None:
        wanted = (condition.is_,) if isinstance(condition.is_, str) else condition.is_
        return _word(answer) in wanted
    if not isinstance(answer, Interval):
        return None
    return _all([answer.compare(op, limit) for op, limit in condition.limits])


def _word(answer: Any) -> str:
    if isinstance(answer, bool):
        return State.PRESENT.value if answer else State.ABSENT.value
    return answer if isinstance(answer, str) else State.PRESENT.value


def _within(
    number: Interval, operator: Operator, limit: float, truth: list[bool | None]
) -> bool | None:
    if operator == "eq" and None in truth and not number.contains(limit):
        return False
    return number.compare(operator, limit)


def _all(truth: list[bool | None]) -> bool | None:
    if False in truth:
        return False
    return None if None in truth else True


def _any(truth: list[bool | None]) -> bool | None:
    if True in truth:
        return True
    return None if None in truth else False
