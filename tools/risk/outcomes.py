"""Every total and every category that a score can still reach, given what is known."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

from knowledge.errors import ReferenceDataError
from knowledge.quantity import Interval
from knowledge.rules import Answer, Condition, combine, holds
from knowledge.score_curves import DIGITS
from knowledge.score_rows import DecisionRow, Item, ScoreBand
from knowledge.scores import Score
from tools.risk.completions import Group, Values, connected, walk
from tools.risk.spread import NOTHING, added, ends, image, is_spread, meets


@dataclass(frozen=True)
class Reached:
    """What matters of one completion.

    Args:
        totals: Points of each score read, in the order of `Outcomes.scores`, then each partial
            sum that a decision row tests.
        truths: The tests of inputs in the decision rows: position and truth.
    """

    totals: tuple[float, ...]
    truths: frozenset[tuple[int, bool]] = frozenset()

    def __add__(self, other: "Reached") -> "Reached":
        """Return the state of two independent parts together."""
        totals = tuple(a + b for a, b in zip(self.totals, other.totals, strict=True))
        return Reached(totals, self.truths | other.truths)


class Outcomes:
    """The exact set of outcomes of one score over every completion of its unknown inputs.

    Args:
        score: The score or rule.
        scores: Scores whose totals count: itself where it has items, and those its rule reads.
        values: Representative values of every input, one where it is decided.
    """

    def __init__(self, score: Score, scores: Sequence[Score], values: Values) -> None:
        self.score = score
        self.scores = tuple(scores)
        self._values = values
        self._known = {i: options[0] for i, options in values.items() if len(options) == 1}
        items = [(at, item) for at, s in enumerate(self.scores) for item in s.items]
        self._items = [(at, item) for at, item in items if not self._is_spread(item)]
        self._spread = [item for _, item in items if self._is_spread(item)]
        conditions = [row.when for row in score.decision if row.when is not None]
        self._leaves = [leaf for c in conditions for leaf in c.leaves() if leaf.input]
        self._parts_tested = [part for row in score.decision for part in row.parts]
        self._leaf_at = {id(leaf): at for at, leaf in enumerate(self._leaves)}
        self._tested: dict[tuple[int, int, int], bool] = {}

    def unknown(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Return those of `ids` that more than one value is possible for, each once."""
        return tuple(dict.fromkeys(i for i in ids if i not in self._known))

    @cached_property
    def states(self) -> frozenset[Reached]:
        """Every attainable state."""
        return self._together(self._groups)

    @cached_property
    def totals(self) -> tuple[float, ...]:
        """Every attainable number of the score itself, ascending; empty for a rule.

        Where points lie along a line, the lowest and the highest of them; of a model the
        numbers as they are shown.
        """
        if self.score.is_rule:
            return ()
        sums = ends(self._spans) if self._spread else self.totals_of(self.score.id)
        return sums if self.score.model is None else self.score.model.shown(sums)

    def totals_of(self, score_id: str) -> tuple[float, ...]:
        """Return every attainable total of one of `scores`, ascending."""
        at = [s.id for s in self.scores].index(score_id)
        return tuple(sorted({round(state.totals[at], DIGITS) for state in self.states}))

    @cached_property
    def bands(self) -> tuple[ScoreBand, ...]:
        """Every attainable band, in the order of the file."""
        if self._spread:
            model = self.score.model
            spans = [span if model is None else model.image(span) for span in self._spans]
            return tuple(b for b in self.score.bands if any(meets(b, span) for span in spans))
        reached = {self._category(state) for state in self.states}
        return tuple(b for b in self.score.bands if b.name in reached)

    @cached_property
    def rows(self) -> tuple[DecisionRow, ...]:
        """Every attainable decision row, in the order of the file."""
        if not self.score.decision:
            return ()
        reached = {id(self._row(state)) for state in self.states}
        return tuple(row for row in self.score.decision if id(row) in reached)

    @cached_property
    def deciding(self) -> frozenset[str]:
        """Unknown inputs that can change the total (of a score) or the category (of a rule)."""
        found = {
            item.line.input
            for item in self._spread
            if item.line is not None and len(ends(self._points_along(item))) > 1
        }
        for group in self._groups:
            rest = frozenset({self._base})  # totals add up, so the rest cannot change a difference
            if self.score.decision:
                rest = self._together([g for g in self._groups if g is not group])
            for input_id, differing in group.by_input.items():
                if any(self._differ(states, rest) for states in differing):
                    found.add(input_id)
        return frozenset(found)

    def points(self, item: Item) -> tuple[float, float]:
        """Return the fewest and the most points an item can give."""
        if item in self._spread:
            possible = ends(self._points_along(item))
            return possible[0], possible[-1]
        unknown = self.unknown(item.inputs())
        spaces = (self._values[i] for i in unknown)
        reached = [
            self._points(item, {**self._known, **dict(zip(unknown, picked, strict=True))})
            for picked in itertools.product(*spaces)
        ]
        return min(reached), max(reached)

    def _points(self, item: Item, answers: Mapping[str, Answer]) -> float:
        """Return the points of an item for one completion."""
        if item.line is not None:
            number = answers[item.line.input]
            return item.line.at(number.low or 0.0) if isinstance(number, Interval) else 0.0
        for rule in item.rules:
            if combine(rule.when, lambda leaf: self._test(leaf, answers)):
                return rule.points
        return item.otherwise

    def _test(self, leaf: Condition, answers: Mapping[str, Answer]) -> bool:
        """Return the truth of one test; values live as long as this object, so ids name them."""
        mover = None if leaf.below is None else answers[leaf.below.input]
        key = (id(leaf), id(answers[leaf.input or ""]), id(mover))
        found = self._tested.get(key)
        if found is None:
            found = self._tested[key] = bool(holds(leaf, answers))
        return found

    def _differ(self, states: frozenset[Reached], rest: frozenset[Reached]) -> bool:
        if not self.score.decision:
            return len({s.totals[0] for s in states}) > 1
        return any(len({self._result(s + r) for s in states}) > 1 for r in rest)

    def _result(self, state: Reached) -> tuple[float | None, str]:
        """Return the total where one is reported, and the category that decision rows give."""
        total = None if self.score.is_rule else round(state.totals[0], DIGITS)
        return total, self._row(state).category

    def _category(self, state: Reached) -> str:
        if self.score.decision:
            return self._row(state).category
        return self._name(round(state.totals[0], DIGITS))

    def _is_spread(self, item: Item) -> bool:
        return item.line is not None and is_spread(item, self._values[item.line.input])

    def _points_along(self, item: Item) -> tuple[Interval, ...]:
        """Return every number of points that an item with a line can give."""
        return image(item.line, self._values[item.line.input]) if item.line else NOTHING

    @cached_property
    def _spans(self) -> tuple[Interval, ...]:
        """Every attainable total of a score with lines, as intervals."""
        along: tuple[Interval, ...] = NOTHING
        for item in self._spread:
            along = added(along, self._points_along(item))
        return added(along, [Interval.exact(total) for total in self.totals_of(self.score.id)])

    def _name(self, total: float) -> str:
        number = self.score.number(total)
        names = [band.name for band in self.score.bands if band.holds(number)]
        if len(names) != 1:
            unit = self.score.unit
            raise ReferenceDataError(self.score.id, f"{number} {unit} fall into {len(names)} bands")
        return names[0]

    def _row(self, state: Reached) -> DecisionRow:
        truths = dict(state.truths)
        points = {s.id: total for s, total in zip(self.scores, state.totals, strict=False)}
        sums = dict(zip(map(id, self._parts_tested), state.totals[len(self.scores) :], strict=True))

        def test(leaf: Condition) -> bool | None:
            if leaf.score is None:
                return truths[self._leaf_at[id(leaf)]]
            total = Interval.exact(points[leaf.score])
            return all(total.compare(op, limit) for op, limit in leaf.limits)

        return next(
            row
            for row in self.score.decision
            if (row.when is None or combine(row.when, test))
            and all(part.holds(sums[id(part)]) for part in row.parts)
        )

    @cached_property
    def _parts(self) -> list[tuple[str, ...]]:
        items = [self.unknown(item.inputs()) for _, item in self._items]
        return items + [self.unknown(leaf.inputs()) for leaf in self._leaves]

    @cached_property
    def _base(self) -> Reached:
        """What the decided items and tests contribute."""
        decided = [at for at, part in enumerate(self._parts) if not part]
        return self._state(decided, self._known)

    @cached_property
    def _groups(self) -> tuple[Group[Reached], ...]:
        def group(inputs: tuple[str, ...], members: list[int]) -> Group[Reached]:
            return walk(
                inputs, self._values, lambda chosen: self._state(members, {**self._known, **chosen})
            )

        return tuple(group(inputs, members) for inputs, members in connected(self._parts))

    def _state(self, members: Iterable[int], answers: Mapping[str, Answer]) -> Reached:
        totals = [0.0] * len(self.scores)
        sums = [0.0] * len(self._parts_tested)
        truths: set[tuple[int, bool]] = set()
        for member in members:
            if member < len(self._items):
                at, item = self._items[member]
                points = self._points(item, answers)
                totals[at] += points
                if self.scores[at].id == self.score.id:
                    for place, part in enumerate(self._parts_tested):
                        sums[place] += part.of(item.id, points)
            else:
                leaf = member - len(self._items)
                truths.add((leaf, self._test(self._leaves[leaf], answers)))
        return Reached((*totals, *sums), frozenset(truths))

    def _together(self, groups: Sequence[Group[Reached]]) -> frozenset[Reached]:
        return reduce(
            lambda sums, group: frozenset(a + b for a in sums for b in group.states),
            groups,
            frozenset({self._base}),
        )
