"""Scores and decision rules as data: one YAML file each under ``knowledge/data/scores``.

A score adds the points of its items and names a band for the total. A rule (`decision`) takes the
first row whose condition is true, over clinical inputs and the totals of scores. Every number
stands in a row with its `source` and `review`.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Self

from pydantic import model_validator

from knowledge.clinical_inputs import COMPLETED_YEARS, catalogue
from knowledge.errors import InvalidValueError, ReferenceDataError
from knowledge.reference import Table, load, table_names
from knowledge.rule_check import condition_faults
from knowledge.rules import Condition
from knowledge.score_curves import Curve, Model
from knowledge.score_rows import (
    Clause,
    DecisionRow,
    Item,
    Line,
    Note,
    Population,
    ProbabilityTable,
    Regression,
    Row,
    ScoreBand,
    Topic,
    once,
)

_FOLDER = "scores/"


class Score(Table):
    """One score (items and bands by total) or rule (`decision` rows, which may have items).

    Args:
        id: Name of the file and of the tool.
        name: Name to show.
        purpose: What it answers, in one sentence.
        topic: What it is about.
        on_request: It runs where a pathway names it or a person asks for it by name; an agent is
            not offered it.
        terms: Words a person asks for it by, English and Chinese, beside its name.
        population: For whom.
        items: Items, in order; empty for a rule over other scores.
        bands: Categories, the mildest first.
        decision: Rows of a rule; empty for a score.
        keeps_total: Beside the category of its rows the total of its items is reported.
        low_categories: Bands that may not be read as "low overall" where a condition of
            ``chest_pain_low_risk_blocks.yaml`` is present.
        notes: Caveats.
        table, regression: Approximate probabilities, shown only with an exact total.
        model: Where the sum of the items stands for another number, for example the log odds for a
            probability: that number is reported, and read by the bands.
    """

    id: str
    name: str
    purpose: str
    topic: Topic = "general"
    on_request: bool = False
    terms: tuple[str, ...] = ()
    population: Population
    items: tuple[Item, ...] = ()
    bands: tuple[ScoreBand, ...]
    decision: tuple[DecisionRow, ...] = ()
    keeps_total: bool = False
    low_categories: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    table: ProbabilityTable | None = None
    regression: Regression | None = None
    model: Model | None = None

    @property
    def is_rule(self) -> bool:
        """Whether the category comes from decision rows and there is no number to report."""
        return bool(self.decision) and not self.keeps_total

    def rows(self) -> tuple[Row, ...]:
        """Return every row that rests on a source."""
        tables = tuple(t for t in (self.table, self.regression) if t is not None)
        clauses = (*self.population.outside_if, *self.population.requires)
        return (*self.items, *self.bands, *self.decision, *clauses, *self.notes, *tables)

    def conditions(self) -> Iterator[Condition]:
        """Yield every condition of the file."""
        for item in self.items:
            yield from (rule.when for rule in item.rules)
        for row in self.rows():
            if isinstance(row, Clause | DecisionRow | Note) and row.when is not None:
                yield row.when
        for term in self.regression.terms if self.regression else ():
            if term.when is not None:
                yield term.when

    @property
    def unit(self) -> str:
        """What its number counts."""
        return "points" if self.model is None else self.model.unit

    @property
    def names(self) -> tuple[str, ...]:
        """Every word it is asked for by: its name, that without its brackets, its other names."""
        bare = self.name.partition(" (")[0] if not self.terms else self.name
        return once((self.name, bare, *self.terms))

    def number(self, total: float) -> float:
        """Return what the bands read of a sum of the items."""
        return total if self.model is None else self.model.number(total)

    def lines(self) -> tuple[Line | Curve, ...]:
        """Return the lines of the items."""
        return tuple(item.line for item in self.items if item.line is not None)

    @property
    def is_spread(self) -> bool:
        """Whether some points lie along a line over a number that is not whole."""
        return any(not _whole(line) for line in self.lines())

    def scores_read(self) -> tuple[str, ...]:
        """Return the ids of the scores whose totals the rule reads, itself included."""
        return once(s for row in self.decision if row.when for s in row.when.scores())

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for fault in _faults(self):
            raise ValueError(fault)
        return self


def _faults(score: Score) -> Iterator[str]:
    names = [band.name for band in score.bands]
    if len(set(names)) != len(names) or len({i.id for i in score.items}) != len(score.items):
        yield "a band or an item is given twice"
    if not set(score.low_categories) <= set(names):
        yield "low_categories names a band that is not there"
    for row in score.rows():
        if row.source not in score.sources:
            yield f"source {row.source!r} is not among the file's sources"
    if score.model is not None and (score.is_rule or score.model.source not in score.sources):
        yield "a model is of a score, and names a source of the file"
    yield from _condition_faults(score)
    yield from _line_faults(score)
    yield from _category_faults(score, frozenset(names))


def _condition_faults(score: Score) -> Iterator[str]:
    known = catalogue().every
    for condition in score.conditions():
        yield from condition_faults(condition, known)
        if any(leaf.known is not None for leaf in condition.leaves()):
            yield "`known` has no meaning over completions of unknown inputs"
    for clause in (*score.population.outside_if, *score.population.requires):
        if len(set(clause.when.inputs())) != 1 or any(True for _ in clause.when.scores()):
            yield f"a population clause tests one input: {clause.reason}"


def _line_faults(score: Score) -> Iterator[str]:
    """Yield what would make the range over a line wrong: its points are taken by themselves."""
    read = [i for item in score.items for i in item.inputs()]
    leaves = [leaf for condition in score.conditions() for leaf in condition.leaves()]
    moving = {i for leaf in leaves if leaf.below for i in leaf.inputs()}
    for line in score.lines():
        entry = catalogue().every.get(line.input)
        if entry is None or entry.low is None or entry.high is None:
            yield f"the line of {line.input!r} needs a number of the catalogue with both limits"
        elif read.count(line.input) > 1 or line.input in moving:
            yield f"{line.input!r} has a line, so no other item and no moving limit may read it"
        elif not _whole(line) and (score.is_rule or _off_knots(line, leaves)):
            yield f"{line.input!r} has a line and is not whole, so nothing else may test it"


def _off_knots(line: Line | Curve, leaves: Iterable[Condition]) -> bool:
    """Return whether a test sets a limit between the knots, where no value stands for a side."""
    marks = {x for x, _ in line.knots}
    own = [leaf for leaf in leaves if leaf.input == line.input]
    return any(not leaf.limits or {x for _, x in leaf.limits} - marks for leaf in own)


def _whole(line: Line | Curve) -> bool:
    entry = catalogue().every.get(line.input)
    return entry is not None and entry.unit == COMPLETED_YEARS


def _category_faults(score: Score, names: frozenset[str]) -> Iterator[str]:
    yield from _part_faults(score)
    if not score.decision:
        if not score.items or not all(band.limits for band in score.bands):
            yield "a score has items, and limits on every band"
        return
    if any(row.category not in names for row in score.decision):
        yield "a decision row names a band that is not there"
    without = [
        index for index, row in enumerate(score.decision) if row.when is None and not row.parts
    ]
    if without != [len(score.decision) - 1]:
        yield "the last decision row, and only it, has no condition"
    if score.id in score.scores_read() and not score.items:
        yield "the rule reads its own total and has no items"


def _part_faults(score: Score) -> Iterator[str]:
    known = {item.id for item in score.items}
    parts = [part for row in score.decision for part in row.parts]
    if any(not known or not set(part.items) <= known for part in parts):
        yield "a partial sum names an item that is not there"
    if score.keeps_total and not (score.decision and score.items and score.model is None):
        yield "a total is kept beside decision rows, of items, without a model"
    if (score.keeps_total or parts) and score.is_spread:
        yield "no partial sum and no kept total where points lie along a line"


def score_ids() -> tuple[str, ...]:
    """Return the ids of all packaged scores and rules, sorted."""
    return tuple(n.removeprefix(_FOLDER) for n in table_names() if n.startswith(_FOLDER))


@cache
def score(score_id: str) -> Score:
    """Return one packaged score or rule.

    Raises:
        InvalidValueError: There is no such score.
        ReferenceDataError: Its file is not valid.
    """
    if score_id not in score_ids():
        raise InvalidValueError(
            f"score {score_id[:60]!r}", "no such score", "known: " + ", ".join(score_ids())
        )
    found = load(_FOLDER + score_id, Score)
    if found.id != score_id:
        raise ReferenceDataError(f"{score_id}.yaml: id", f"is {found.id!r}, not the file's name")
    for other in found.scores_read():
        if other != score_id and (other not in score_ids() or not score(other).items):
            raise ReferenceDataError(f"{score_id}.yaml", f"reads {other!r}, which has no points")
        if other != score_id and score(other).is_spread:
            raise ReferenceDataError(f"{score_id}.yaml", f"reads {other!r}, which has lines")
        if other != score_id and score(other).model is not None:
            raise ReferenceDataError(f"{score_id}.yaml", f"reads {other!r}, which has no points")
    return found
