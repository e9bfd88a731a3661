"""What a reading says to the rows of its form's tables."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from knowledge.finding import State
from knowledge.quantity import Interval
from knowledge.reading_items import Item
from knowledge.rules import Answer, Condition, holds
from tools.readings.model import NOBODY, Stated

NOT_ASKED = "not-asked"
"""The answer of a choice whose question does not arise."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of some items.

    Args:
        items: By id.
        stated: Their state, by id.
        answers: What is known, under the names that conditions read.
        unknown: Representative answers of what is not known, by the same names; those of one item
            stand in one group, since they depend on each other.
    """

    items: Mapping[str, Item]
    stated: Mapping[str, Stated]
    answers: Mapping[str, Answer]
    unknown: Mapping[str, tuple[Mapping[str, Answer], ...]] = field(default_factory=dict)


def facts_of(
    items: Iterable[Item], stated: Mapping[str, Stated], conditions: Iterable[Condition]
) -> Facts:
    """Return what is known of items and, of the others, values that stand for every possible one.

    Args:
        items: Of a form, or of one entry of a list.
        stated: Their states.
        conditions: Everything that may test them; its limits choose the representative numbers.
    """
    every = {item.id: item for item in items}
    known: dict[str, Answer] = {}
    unknown: dict[str, tuple[Mapping[str, Answer], ...]] = {}
    tests = tuple(conditions)
    for item in every.values():
        given = stated.get(item.id, NOBODY)
        if given.state is State.NOT_ASSESSED:
            unknown[item.id] = tuple(_possible(item, tests))
        elif given.margin is not None and given.number is not None:
            within = _numbers(item.id, *ends(item, given.number, given.margin), tests)
            unknown[item.id] = tuple({item.id: number} for number in within)
        else:
            known.update(_known(item, given))
            name = f"{item.id}.size_mm"
            if given.state is State.PRESENT and given.size_mm is None and _read(name, tests):
                unknown[name] = tuple({name: v} for v in _numbers(name, 0.0, None, tests))
    return Facts(items=every, stated=stated, answers=known, unknown=unknown)


def asked(item: Item, answers: Mapping[str, Answer]) -> bool | None:
    """Return whether an item's question arises."""
    return True if item.asked_when is None else holds(item.asked_when, answers)


def not_asked(item: Item) -> dict[str, Answer]:
    """Return the answers of an item whose question does not arise."""
    match item.kind:
        case "sign" | "list":
            return {item.id: False}
        case "choice":
            return {item.id: NOT_ASKED}
        case "choices":
            return {f"{item.id}.{answer}": False for answer in item.answers}
        case "number" | "text":
            return {}


def points(item: Item, answers: Mapping[str, Answer]) -> Interval | None:
    """Return what an item adds to a total, as far as it is known; None where nothing is known."""
    match item.kind:
        case "sign":
            answer = answers.get(item.id)
            return None if answer is None else Interval.exact((item.points or 0.0) * bool(answer))
        case "choice":
            choice = answers.get(item.id)
            if not isinstance(choice, str):
                return None
            given = item.answers.get(choice)
            return Interval.exact((given.points or 0.0) if given is not None else 0.0)
        case "choices":
            states = [(answers.get(f"{item.id}.{k}"), a) for k, a in item.answers.items()]
            if any(state is None for state, _ in states):
                return None
            return Interval.exact(sum(a.points or 0.0 for state, a in states if state))
        case "number" | "text" | "list":
            return Interval.exact(0.0)


def span(item: Item) -> Interval:
    """Return the least and the most that an item can add to a total."""
    match item.kind:
        case "sign":
            ends = [0.0, item.points or 0.0]
        case "choice":
            ends = [answer.points or 0.0 for answer in item.answers.values()]
        case "choices":
            each = [answer.points or 0.0 for answer in item.answers.values()]
            ends = [sum(p for p in each if p < 0), sum(p for p in each if p > 0)]
        case "number" | "text" | "list":
            ends = [0.0]
    return Interval(low=min(ends), high=max(ends))


def _known(item: Item, given: Stated) -> dict[str, Answer]:
    present = given.state is State.PRESENT
    match item.kind:
        case "sign":
            size: dict[str, Answer] = {}
            if given.size_mm is not None:
                size[f"{item.id}.size_mm"] = Interval.exact(given.size_mm)
            return {item.id: present, **size}
        case "choice":
            return {item.id: given.choices[0]} if given.choices else not_asked(item)
        case "choices":
            return {f"{item.id}.{answer}": answer in given.choices for answer in item.answers}
        case "number":
            return {} if given.number is None else {item.id: Interval.exact(given.number)}
        case "list":
            return {item.id: present, f"{item.id}.count": Interval.exact(len(given.entries))}
        case "text":
            return {}


def ends(item: Item, number: float, margin: float) -> tuple[float, float]:
    """Return the least and the largest number that one with a margin can be."""
    low, high = round(number - margin, 9), round(number + margin, 9)
    return (
        low if item.low is None else max(low, item.low),
        high if item.high is None else min(high, item.high),
    )


def _possible(item: Item, tests: tuple[Condition, ...]) -> Iterator[Mapping[str, Answer]]:
    match item.kind:
        case "sign":
            yield {item.id: False}
            name = f"{item.id}.size_mm"
            sizes = _numbers(name, 0.0, None, tests) if _read(name, tests) else []
            for size in sizes:
                yield {item.id: True, name: size}
            if not sizes:
                yield {item.id: True}
        case "choice":
            yield from ({item.id: answer} for answer in _distinct_answers(item, tests))
        case "choices":
            yield from _subsets(item)
        case "number":
            numbers = _numbers(item.id, item.low, item.high, tests)
            yield from ({item.id: number} for number in numbers)
        case "list":
            yield {item.id: False, f"{item.id}.count": Interval.exact(0)}
            counts = _numbers(f"{item.id}.count", 1.0, None, tests)
            for count in counts:
                yield {item.id: True, f"{item.id}.count": count}
        case "text":
            yield {}


def _read(name: str, tests: tuple[Condition, ...]) -> bool:
    return any(leaf.input == name for test in tests for leaf in test.leaves())


def _distinct_answers(item: Item, tests: tuple[Condition, ...]) -> Iterator[str]:
    """Yield one answer of each class that no test and no total tells apart."""
    own = [leaf for test in tests for leaf in test.leaves() if leaf.input == item.id]
    seen = set()
    for key, answer in item.answers.items():
        kind = (answer.points, tuple(holds(leaf, {item.id: key}) for leaf in own))
        if kind not in seen:
            seen.add(kind)
            yield key


def _subsets(item: Item) -> Iterator[Mapping[str, Answer]]:
    """Yield every set of answers that go together; at least one is given."""
    free = [key for key, answer in item.answers.items() if not answer.alone]
    for size in range(1, len(free) + 1):
        for chosen in itertools.combinations(free, size):
            yield {f"{item.id}.{key}": key in chosen for key in item.answers}
    for alone in (key for key, answer in item.answers.items() if answer.alone):
        yield {f"{item.id}.{key}": key == alone for key in item.answers}


def _numbers(
    name: str, low: float | None, high: float | None, tests: tuple[Condition, ...]
) -> list[Interval]:
    """Return each limit of a test, one number between neighbours, and the ends."""
    cuts = {cut for test in tests for cut in test.breakpoints(name)}
    least = low if low is not None else min(cuts, default=0.0) - 1.0
    most = high if high is not None else max([least, *cuts]) + 1.0
    marks = sorted({least, most, *(cut for cut in cuts if least < cut < most)})
    between = [(a + b) / 2 for a, b in itertools.pairwise(marks)]
    return [Interval.exact(number) for number in sorted({*marks, *between})]
