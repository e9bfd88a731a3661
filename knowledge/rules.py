"""Conditions as data, in three-valued logic.

A condition is a small YAML mapping that a clinician can read::

    {input: age_years, ge: 45, lt: 65}
    {input: pain_radiation_arm, is: present}
    {input: d_dimer_feu, below: {input: age_years, times: 10, at_least: 500}}
    {score: heart, le: 3}
    {any: [...]}   {all: [...]}   {not: ...}   {count: [...], ge: 3}   {sure: ...}

Applied to what is known it is True, False, or None (unknown) in Kleene's strong logic: a missing
input makes the answer unknown only where it could change it. The one exception is asked for by
name: ``sure`` is true where its part is known to be true and false otherwise, for a veto that only
something actually seen may cast.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Self

from pydantic import Field, model_validator

from knowledge.finding import Finding, State
from knowledge.model import Frozen
from knowledge.quantity import Interval, Operator

Answer = bool | str | Interval | frozenset[str] | None
"""What is known of one input: yes/no, a choice, a number or interval, a set of words of which one
is true but not known which, or nothing (None)."""

_OPERATORS: tuple[Operator, ...] = ("lt", "le", "gt", "ge", "eq")


class MovingLimit(Frozen):
    """A limit that moves with another input: ``times`` that input, and never under ``at_least``.

    Args:
        input: Id of the input that moves the limit.
        times: Factor, > 0; unit of the tested input per unit of the moving one.
        at_least: Lower bound of the limit, in the tested input's unit.
    """

    input: str
    times: float = Field(gt=0)
    at_least: float | None = None

    def limit(self, answer: "Answer") -> Interval | None:
        """Return every limit possible for this answer; None where nothing bounds it.

        Examples:
            >>> MovingLimit(input="age_years", times=10, at_least=500).limit(Interval.exact(78))
            Interval(low=780.0, high=780.0, low_closed=True, high_closed=True)
        """
        moved = answer.scaled(self.times) if isinstance(answer, Interval) else Interval()
        if self.at_least is None:
            return moved if isinstance(answer, Interval) else None
        floor = self.at_least
        return Interval(
            low=max(floor, moved.low) if moved.low is not None else floor,
            low_closed=moved.low is None or moved.low < floor or moved.low_closed,
            high=None if moved.high is None else max(floor, moved.high),
            high_closed=moved.high is not None and (moved.high <= floor or moved.high_closed),
        )


class Condition(Frozen):
    """A test; exactly one of `input`, `score`, `all`, `any`, `not`, `count`, `sure` is given.

    Args:
        input: Id of a clinical input or of a tool's output.
        score: Id of a score, whose total is tested against the limits.
        is_: ``is``: the state or choice asked for; a list means any of them.
        lt, le, gt, ge, eq: Numeric limits in the input's unit; all given must hold.
        all, any, not_, count: Combinations; `count` counts true conditions against the limits.
        sure: The part is known to be true; never unknown.
        below: The input lies strictly under a limit that moves with another input.
        known: True when the input is assessed at all, whatever its value.
    """

    input: str | None = None
    score: str | None = None
    is_: str | tuple[str, ...] | None = Field(default=None, alias="is")
    below: MovingLimit | None = None
    known: bool | None = None
    all: tuple["Condition", ...] | None = None
    any: tuple["Condition", ...] | None = None
    not_: "Condition | None" = Field(default=None, alias="not")
    count: tuple["Condition", ...] | None = None
    sure: "Condition | None" = None
    lt: float | None = None
    le: float | None = None
    gt: float | None = None
    ge: float | None = None
    eq: float | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        forms = [self.input, self.score, self.all, self.any, self.not_, self.count, self.sure]
        if sum(form is not None for form in forms) != 1:
            raise ValueError("give exactly one of input, score, all, any, not, count, sure")
        of_input = [self.is_, self.known, self.below]
        tests = sum(test is not None for test in of_input) + bool(self.limits)
        if self.input is not None and tests != 1:
            raise ValueError(f"the test of {self.input!r} needs one of is, known, below, or limits")
        if self.input is None and any(test is not None for test in of_input):
            raise ValueError("is, known and below test an input")
        if (self.count is not None or self.score is not None) != bool(
            self.input is None and self.limits
        ):
            raise ValueError("count and score need a limit such as ge; all, any and not have none")
        return self

    @property
    def limits(self) -> tuple[tuple[Operator, float], ...]:
        """The numeric limits given."""
        found = ((op, getattr(self, op)) for op in _OPERATORS)
        return tuple((op, limit) for op, limit in found if limit is not None)

    def leaves(self) -> Iterator["Condition"]:
        """Yield every single test, in the order written."""
        if self.input is not None or self.score is not None:
            yield self
        for part in self._parts():
            yield from part.leaves()

    def inputs(self) -> Iterator[str]:
        """Yield the ids of every input the condition reads."""
        for leaf in self.leaves():
            if leaf.input is not None:
                yield leaf.input
            if leaf.below is not None:
                yield leaf.below.input

    def scores(self) -> Iterator[str]:
        """Yield the ids of every score the condition reads."""
        yield from (leaf.score for leaf in self.leaves() if leaf.score is not None)

    def breakpoints(self, input_id: str) -> Iterator[float]:
        """Yield every fixed numeric limit the condition sets on one input."""
        for leaf in self.leaves():
            if leaf.input == input_id:
                yield from (limit for _, limit in leaf.limits)

    def _parts(self) -> tuple["Condition", ...]:
        one = tuple(part for part in (self.not_, self.sure) if part is not None)
        return one + (self.all or ()) + (self.any or ()) + (self.count or ())


def holds(condition: Condition, answers: Mapping[str, Answer]) -> bool | None:
    """Return whether `condition` is true, false or unknown (None) for these answers.

    The total of a score is looked up under ``points.<id>``.

    Examples:
        >>> young = Condition.model_validate({"input": "age_years", "lt": 45})
        >>> holds(young, {"age_years": Interval.exact(44)}), holds(young, {})
        (True, None)
    """
    return combine(condition, lambda leaf: _test(leaf, answers))


def combine(condition: Condition, test: Callable[[Condition], bool | None]) -> bool | None:
    """Return the truth of `condition`, given the truth of each single test in it.

    Args:
        condition: The condition.
        test: Returns true, false or unknown for one of its `leaves`.
    """
    if condition.input is not None or condition.score is not None:
        return test(condition)
    if condition.not_ is not None:
        inner = combine(condition.not_, test)
        return None if inner is None else not inner
    if condition.sure is not None:
        return combine(condition.sure, test) is True
    if condition.all is not None:
        return _all([combine(part, test) for part in condition.all])
    if condition.any is not None:
        return _any([combine(part, test) for part in condition.any])
    truth = [combine(part, test) for part in condition.count or ()]
    sure = truth.count(True)
    return _within_limits(condition, Interval(low=sure, high=sure + truth.count(None)))


def points_of(score_id: str) -> str:
    """Return the key under which a score's total is found among answers."""
    return f"points.{score_id}"


def answer_of(finding: Finding | None) -> Answer:
    """Return what a finding says to a rule; a finding that is not assessed says nothing."""
    if finding is None or finding.state is State.NOT_ASSESSED:
        return None
    if finding.state is State.ABSENT:
        return False
    if finding.interval is not None:
        return finding.interval
    return finding.choice if finding.choice is not None else True


def _test(condition: Condition, answers: Mapping[str, Answer]) -> bool | None:
    if condition.score is not None:
        return _within_limits(condition, answers.get(points_of(condition.score)))
    answer = answers.get(condition.input or "")
    if condition.known is not None:
        return (answer is not None) == condition.known
    if answer is None:
        return None
    if condition.is_ is not None:
        wanted = (condition.is_,) if isinstance(condition.is_, str) else condition.is_
        possible = answer if isinstance(answer, frozenset) else frozenset({_word(answer)})
        hit = possible & frozenset(wanted)
        return True if hit == possible else None if hit else False
    if condition.below is not None:
        return _below(answer, condition.below.limit(answers.get(condition.below.input)))
    return _within_limits(condition, answer)


def _word(answer: Answer) -> str:
    if isinstance(answer, bool):
        return State.PRESENT.value if answer else State.ABSENT.value
    return answer if isinstance(answer, str) else State.PRESENT.value


def _below(answer: Answer, limit: Interval | None) -> bool | None:
    """Return whether every number of `answer` is under every limit, or none is under any."""
    if not isinstance(answer, Interval) or limit is None:
        return None
    reached: Operator = "lt" if limit.low_closed else "le"
    if limit.low is not None and answer.compare(reached, limit.low) is True:
        return True
    if limit.high is not None and answer.compare("ge", limit.high) is True:
        return False
    return None


def _within_limits(condition: Condition, answer: Answer) -> bool | None:
    if not isinstance(answer, Interval):
        return None
    return _all([answer.compare(op, limit) for op, limit in condition.limits])


def _all(truth: list[bool | None]) -> bool | None:
    if False in truth:
        return False
    return None if None in truth else True


def _any(truth: list[bool | None]) -> bool | None:
    if True in truth:
        return True
    return None if None in truth else False
