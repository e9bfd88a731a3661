"""All that could be: representative values of unknown inputs, and what follows from them.

An unknown input is not one value but every value it could have. Rules look at it only through
their limits, so a few values stand for all: each limit, one value between each two neighbouring
limits, and the ends of what is possible. Values that no rule tells apart count as one. Items that
share no unknown input are independent, so each connected group is walked by itself and the groups
are put together afterwards; the result is the same as walking every combination.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from knowledge.quantity import Interval
from knowledge.rules import Answer, Condition, holds
from knowledge.score_curves import Curve
from knowledge.score_rows import Line
from tools.risk.inputs import Input

S = TypeVar("S", bound=Hashable)
Values = Mapping[str, tuple[Answer, ...]]
"""The representative values of each input; one value where it is decided."""


def representatives(
    inputs: Mapping[str, Input], conditions: Iterable[Condition], lines: Iterable[Line | Curve] = ()
) -> Values:
    """Return values of each input that stand for every possible one, under these conditions.

    A number with a line is given whole: every whole number, or its knots and the gaps between.

    Where a limit moves with another input (age x 10), the order of all limits changes with that
    input: it gets a value on each side of every change of order, and the tested input the limits
    of every such value.
    """
    leaves = [leaf for condition in conditions for leaf in condition.leaves() if leaf.input]
    cuts: dict[str, set[float]] = defaultdict(set)
    for leaf in leaves:
        cuts[leaf.input or ""].update(limit for _, limit in leaf.limits)
    moving = [leaf for leaf in leaves if leaf.below is not None]
    for leaf in moving:
        _cut_mover(leaf, cuts, inputs)
    tested = {leaf.input or "" for leaf in moving}
    values = {i: _values(inputs[i], cuts[i]) for i in inputs if i not in tested}
    for leaf in moving:
        _cut_tested(leaf, cuts, values)
    for input_id in tested & set(inputs):
        values[input_id] = _values(inputs[input_id], cuts[input_id])
    joined = tested | {leaf.below.input for leaf in moving if leaf.below is not None}
    found = {i: values[i] if i in joined else _distinct(i, values[i], leaves) for i in inputs}
    found.update({line.input: _along(line, inputs[line.input]) for line in lines})
    return found


@dataclass(frozen=True)
class Group(Generic[S]):
    """A connected group of unknown inputs, and every state it can lead to.

    Args:
        inputs: The unknown inputs.
        states: Every attainable state.
        by_input: For each input, the sets of states that differ by that input alone.
    """

    inputs: tuple[str, ...]
    states: frozenset[S]
    by_input: Mapping[str, frozenset[frozenset[S]]]


def walk(
    inputs: Sequence[str], values: Values, state: Callable[[Mapping[str, Answer]], S]
) -> Group[S]:
    """Return every state that the completions of these inputs lead to.

    Args:
        inputs: Unknown inputs, walked in all combinations.
        values: Their representative values.
        state: What follows from one completion.
    """
    spaces = [values[i] for i in inputs]
    states: dict[tuple[int, ...], S] = {}
    for picks in itertools.product(*(range(len(space)) for space in spaces)):
        chosen = {i: space[pick] for i, space, pick in zip(inputs, spaces, picks, strict=True)}
        states[picks] = state(chosen)
    by_input: dict[str, frozenset[frozenset[S]]] = {}
    for position, input_id in enumerate(inputs):
        beside: dict[tuple[int, ...], set[S]] = defaultdict(set)
        for picks, reached in states.items():
            beside[picks[:position] + picks[position + 1 :]].add(reached)
        by_input[input_id] = frozenset(frozenset(s) for s in beside.values() if len(s) > 1)
    return Group(tuple(inputs), frozenset(states.values()), by_input)


def connected(parts: Sequence[Collection[str]]) -> Iterator[tuple[tuple[str, ...], list[int]]]:
    """Yield groups of parts that share inputs: the inputs, and the positions of the parts.

    Examples:
        >>> [(inputs, at) for inputs, at in connected([("a", "b"), ("c",), ("b", "d")])]
        [(('a', 'b', 'd'), [0, 2]), (('c',), [1])]
    """
    left = {at: set(part) for at, part in enumerate(parts) if part}
    while left:
        first = next(iter(left))
        inputs, members = left.pop(first), [first]
        while near := [at for at, part in left.items() if part & inputs]:
            for at in near:
                inputs |= left.pop(at)
                members.append(at)
        yield tuple(sorted(inputs)), sorted(members)


def _cut_mover(leaf: Condition, cuts: dict[str, set[float]], inputs: Mapping[str, Input]) -> None:
    limit, tested = leaf.below, leaf.input or ""
    if limit is None or tested not in inputs:
        return
    answer, entry = inputs[tested].answer, inputs[tested].entry
    ends = (answer.low, answer.high) if isinstance(answer, Interval) else (entry.low, entry.high)
    fixed = cuts[tested] | {end for end in (*ends, limit.at_least) if end is not None}
    cuts[limit.input].update(cut / limit.times for cut in fixed)


def _cut_tested(
    leaf: Condition, cuts: dict[str, set[float]], values: Mapping[str, tuple[Answer, ...]]
) -> None:
    if leaf.below is None:
        return
    for value in values[leaf.below.input]:
        limit = leaf.below.limit(value)
        if limit is not None and limit.low is not None:
            cuts[leaf.input or ""].add(limit.low)


def _values(known: Input, cuts: set[float]) -> tuple[Answer, ...]:
    match known.entry.kind:
        case "boolean":
            return (False, True) if known.answer is None else (known.answer,)
        case "choice":
            return tuple(known.entry.choices) if known.answer is None else (known.answer,)
        case "quantity" | "time":
            span = known.answer
            if not isinstance(span, Interval):
                span = Interval(low=known.entry.low, high=known.entry.high)
            if span.is_exact:
                return (span,)
            numbers = _whole(span, cuts) if known.whole else _between(span, cuts)
            return tuple(Interval.exact(number) for number in numbers)


def _along(line: Line | Curve, known: Input) -> tuple[Answer, ...]:
    """Return every whole number that is possible, or each knot and each gap without a knot."""
    span = known.answer if isinstance(known.answer, Interval) else None
    if span is None or span.low is None or span.high is None:
        span = Interval(
            low=known.entry.low if span is None or span.low is None else span.low,
            high=known.entry.high if span is None or span.high is None else span.high,
        )
    if span.is_exact or span.low is None or span.high is None:
        return (span,)
    if known.whole:
        numbers = range(math.ceil(span.low), math.floor(span.high) + 1)
        return tuple(Interval.exact(n) for n in numbers if span.contains(n))
    marks = sorted({span.low, span.high, *(x for x, _ in line.knots if span.contains(x))})
    gaps = [
        Interval(low=a, high=b, low_closed=False, high_closed=False)
        for a, b in itertools.pairwise(marks)
    ]
    return (*(Interval.exact(mark) for mark in marks if span.contains(mark)), *gaps)


def _between(span: Interval, cuts: set[float]) -> list[float]:
    """Return each cut inside, one number between neighbours, and the ends that belong."""
    inside = sorted(cut for cut in cuts if span.contains(cut))
    low = span.low if span.low is not None else (inside[0] if inside else 0.0) - 1.0
    top = max(inside[-1] if inside else low, low)
    high = span.high if span.high is not None else top + 1.0
    marks = sorted({low, *inside, high})
    middles = [(a + b) / 2 for a, b in itertools.pairwise(marks)]
    return sorted(number for number in {*marks, *middles} if span.contains(number))


def _whole(span: Interval, cuts: set[float]) -> list[float]:
    """Return the whole number at and next above each cut, and the lowest: one of each class."""
    ends = [end for end in (span.low, span.high) if end is not None]
    near = {
        float(number) for cut in {*cuts, *ends} for number in (math.ceil(cut), math.floor(cut) + 1)
    }
    return sorted(number for number in near or {0.0} if span.contains(number))


def _distinct(
    input_id: str, values: tuple[Answer, ...], leaves: Sequence[Condition]
) -> tuple[Answer, ...]:
    """Return one value of each class that no test tells apart."""
    own = [leaf for leaf in leaves if leaf.input == input_id]
    classes = {tuple(holds(leaf, {input_id: v}) for leaf in own): v for v in reversed(values)}
    return tuple(reversed(classes.values()))
