"""Laboratory patterns as data: one YAML file each under ``knowledge/data/laboratory_patterns``.

A pattern names its **facts** (a result, its multiple of the upper limit, a rise, an index, a score,
a clinical answer), its **criteria** over them (each a sentence with its source, shown as evidence
for or against), and its **sets**: what supports it, what argues against it, and the grades. The
first set gives the verdict; further sets (DKA by the definition of 2009) are shown beside it.

In a condition a bare word is a criterion: ``{all: [ferritin_low, {any: [crp_up, ckd]}]}``.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PositiveFloat, field_validator, model_validator

from knowledge.analytes import analytes
from knowledge.clinical_inputs import ClinicalInput, catalogue
from knowledge.errors import ReferenceDataError
from knowledge.interference import interferences
from knowledge.laboratory_indices import laboratory_indices
from knowledge.model import Frozen
from knowledge.pathways import Sourced
from knowledge.reference import Table, load, table_names
from knowledge.rule_check import condition_faults
from knowledge.rules import Condition
from knowledge.score_rows import ScoreBand
from knowledge.scores import score, score_ids
from knowledge.words import Words

FOLDER = "laboratory_patterns/"
WORDS_FILE = "laboratory_pattern_words"
CRITERION = "criterion."
"""What stands before the id of a criterion where a condition reads it as an input."""

LEVELS = ("low", "normal", "high")

Reading = Literal[
    "value",
    "level",
    "times_upper",
    "over_upper",
    "upper_limit",
    "rise",
    "times_lowest",
    "fall_percent",
    "lowest_of_two",
    "sustained_max",
    "sustained_min",
    "points",
    "category",
]
_OF_SERIES = ("rise", "times_lowest", "fall_percent", "lowest_of_two")
_SUSTAINED = ("sustained_max", "sustained_min")


def _expanded(node: Any) -> Any:
    """Return a condition with each bare word replaced by the test of that criterion."""
    if isinstance(node, str):
        return {"input": CRITERION + node, "is": "present"}
    if isinstance(node, list):
        return [_expanded(part) for part in node]
    if isinstance(node, dict):
        combined = {"all", "any", "not", "count", "sure"}
        return {k: _expanded(v) if k in combined else v for k, v in node.items()}
    return node


Rule = Annotated[Condition, BeforeValidator(_expanded)]
"""A condition in which a bare word is the id of a criterion."""


class FactRow(Frozen):
    """One thing a pattern looks at; exactly one of the first seven is given.

    Args:
        analyte: The newest result of it, read as `read` says.
        clinical: An answer of the catalogue of clinical inputs.
        index: A row of ``laboratory_indices.yaml``; its value or category.
        score: A score; its points or category.
        first_of: Other facts; the first that is assessed.
        quotient, difference: Two other facts: the first divided by, or less, the second.
        interference: A row of ``interference.yaml``, on the result of `on`.
        read: ``value``; ``level`` (low, normal, high); ``times_upper``, ``over_upper`` (divided by,
            or less, the upper limit of the interval used); ``upper_limit`` (that limit);
            ``rise`` (highest rise to the newest from an earlier result), ``times_lowest``,
            ``fall_percent`` (from the highest), ``lowest_of_two`` (two specimens or more) within
            `within_hours`; ``sustained_max``, ``sustained_min`` (of the newest and one at least
            `days_apart` earlier); ``points``,
            ``category`` of a score or index.
        on: Analyte of an `interference`.
        computed_from: Analytes of which a clinical answer is computed: what interferes with their
            results makes it a bound.
        within_hours, days_apart: For the readings over several results.
        together_hours: How far from the newest of the results that matter this one may have been
            collected, where it changes faster than the rest of the pattern.
        label: Name to show; None makes it of what it reads.
        source, review: Of the hours or days.
    """

    analyte: str | None = None
    clinical: str | None = None
    index: str | None = None
    score: str | None = None
    first_of: tuple[str, ...] | None = None
    quotient: tuple[str, str] | None = None
    difference: tuple[str, str] | None = None
    interference: str | None = None
    read: Reading = "value"
    on: str | None = None
    computed_from: tuple[str, ...] = ()
    within_hours: PositiveFloat | None = None
    days_apart: PositiveFloat | None = None
    together_hours: PositiveFloat | None = None
    label: Words | None = None
    source: str | None = None
    review: str | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        single = (self.analyte, self.clinical, self.index, self.score, self.interference)
        of_facts = (self.first_of, self.quotient, self.difference)
        if sum(kind is not None for kind in (*single, *of_facts)) != 1:
            raise ValueError("a fact reads exactly one thing")
        if (self.within_hours is not None) != (self.read in _OF_SERIES):
            raise ValueError("within_hours is for readings over several results")
        if (self.days_apart is not None) != (self.read in _SUSTAINED):
            raise ValueError("days_apart is for sustained readings")
        hours = (self.within_hours, self.days_apart, self.together_hours)
        timed = any(one is not None for one in hours)
        if timed != (self.source is not None and self.review is not None):
            raise ValueError("hours or days, and nothing else, have a source and a review")
        if any(kind is not None for kind in of_facts) and self.label is None:
            raise ValueError("a fact made of other facts has a label")
        if self.together_hours is not None and self.analyte is None:
            raise ValueError("only a result is collected together with others")
        if (self.interference is None) != (self.on is None):
            raise ValueError("an interference is on an analyte")
        if self.computed_from and self.clinical is None:
            raise ValueError("only a clinical answer is computed from analytes")
        return self

    @property
    def parts(self) -> tuple[str, ...]:
        """The other facts it is made of."""
        return self.first_of or self.quotient or self.difference or ()


class Times(Sourced):
    """How far apart the results may have been collected, and how old the newest may be.

    Args:
        together_hours: From the newest of the results that matter.
        not_older_than_hours: Before the moment of assessment.
    """

    together_hours: PositiveFloat
    not_older_than_hours: PositiveFloat


class Ages(Sourced):
    """The age from which the criteria hold, as the people of their sources were of it.

    Args:
        from_years: Youngest age, years.
    """

    from_years: PositiveFloat


class Criterion(Sourced):
    """One sentence that is true, false or not known; shown as evidence.

    Args:
        id: Its word in conditions.
        en, zh: The sentence.
        when: The condition.
        speaks: ``both`` (true speaks for, false against), ``for`` (only true is shown), ``against``
            (true speaks against; false is not shown).
    """

    id: str
    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)
    when: Rule
    speaks: Literal["both", "for", "against"] = "both"

    @property
    def words(self) -> Words:
        """The sentence."""
        return Words(en=self.en, zh=self.zh)


class Grade(Sourced):
    """One grade or category, the most severe first; the first that is true is taken."""

    id: str
    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)
    when: Rule | None = None

    @property
    def words(self) -> Words:
        """Its name."""
        return Words(en=self.en, zh=self.zh)


class CriteriaSet(Sourced):
    """One set of criteria.

    Args:
        id: Key, for example ``consensus-2024``.
        name: Whose criteria they are.
        supported_when: What supports the pattern.
        against_when: What argues against it; None where that is the opposite.
        between: Why neither is so, where both are known to be false.
        grades: The grades, the most severe first; read only where it is supported.
    """

    id: str
    name: Words
    supported_when: Rule
    against_when: Rule | None = None
    between: Words | None = None
    grades: tuple[Grade, ...] = ()

    @model_validator(mode="after")
    def _between_is_named(self) -> Self:
        if (self.against_when is None) != (self.between is None):
            raise ValueError("against_when and between go together")
        return self


class Settle(Frozen):
    """A test that would settle it, while one of its `facts` is not known.

    Args:
        test: Key of an analyte, id of a clinical input, or a name in words.
        facts: Facts that it would make known; empty for a test that no fact reads.
    """

    test: str
    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)
    facts: tuple[str, ...] = ()


class Caveat(Sourced):
    """What must be read with the verdict; with `when` only where that is true."""

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)
    when: Rule | None = None


class Supply(Sourced):
    """How a pattern answers an input of a score that the chart does not.

    Args:
        fact: The number of this fact, in the unit of the input.
        choices: Answer to condition, in order; the first that is true.
    """

    fact: str | None = None
    choices: Mapping[str, Rule] = {}

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.fact is None) != bool(self.choices):
            raise ValueError("give a fact or choices")
        return self


class LaboratoryPattern(Table):
    """One pattern.

    Args:
        id: Name of the file.
        name: Name to show.
        topic: What it is about.
        order: Where it stands in a report.
        relevant: Analytes, worded tests or clinical inputs of which one at least must be there.
        times: How results of several times are put together.
        ages: From which age the criteria hold; None where they have groups of their own, or hold
            at every age.
        facts: What it looks at.
        supplies: Inputs of scores that the facts answer.
        criteria: The evidence.
        sets: The verdicts; the first is the pattern's own.
        settle: What would settle it.
        caveats: What must be read with it.
    """

    id: str
    name: Words
    topic: str
    order: int
    relevant: tuple[str, ...] = Field(min_length=1)
    times: Times
    ages: Ages | None = None
    facts: Mapping[str, FactRow]
    supplies: Mapping[str, Supply] = {}
    criteria: tuple[Criterion, ...] = Field(min_length=1)
    sets: tuple[CriteriaSet, ...] = Field(min_length=1)
    settle: tuple[Settle, ...] = ()
    caveats: tuple[Caveat, ...] = ()

    @field_validator("criteria")
    @classmethod
    def _each_once(cls, criteria: tuple[Criterion, ...]) -> tuple[Criterion, ...]:
        if len({row.id for row in criteria}) != len(criteria):
            raise ValueError("a criterion is given twice")
        return criteria

    def conditions(self) -> Iterator[tuple[str, Condition]]:
        """Yield every condition with the place it stands at."""
        yield from ((f"criteria.{row.id}", row.when) for row in self.criteria)
        for chosen in self.sets:
            yield f"sets.{chosen.id}.supported_when", chosen.supported_when
            if chosen.against_when is not None:
                yield f"sets.{chosen.id}.against_when", chosen.against_when
            for grade in chosen.grades:
                if grade.when is not None:
                    yield f"sets.{chosen.id}.{grade.id}", grade.when
        yield from (("caveats", row.when) for row in self.caveats if row.when is not None)
        for key, supply in self.supplies.items():
            yield from ((f"supplies.{key}", when) for when in supply.choices.values())

    def criterion(self, word: str) -> Criterion | None:
        """Return the criterion of a condition's input, or None where it is none."""
        name = word.removeprefix(CRITERION)
        return next((row for row in self.criteria if word != name and row.id == name), None)

    def sourced(self) -> Iterator[Sourced]:
        """Yield every row that cites a source."""
        yield from (self.times, *self.criteria, *self.sets, *self.caveats, *self.supplies.values())
        if self.ages is not None:
            yield self.ages
        yield from (grade for chosen in self.sets for grade in chosen.grades)


class PatternWords(Table):
    """Texts shared by all patterns.

    Args:
        inputs: Chinese names of clinical inputs.
        indices, scores, interferences: Chinese names of these.
        phrases: Sentences with ``{name}`` to fill.
    """

    inputs: Mapping[str, str]
    indices: Mapping[str, str]
    scores: Mapping[str, str]
    interferences: Mapping[str, str]
    phrases: Mapping[str, Words]


@cache
def pattern_words() -> PatternWords:
    """Return the shared texts."""
    return load(WORDS_FILE, PatternWords)


@cache
def laboratory_patterns() -> Mapping[str, LaboratoryPattern]:
    """Return every pattern by id, in the order of a report.

    Raises:
        ReferenceDataError: A row is not valid; the message names the file and the row.
    """
    names = [name for name in table_names() if name.startswith(FOLDER)]
    found = [load(name, LaboratoryPattern) for name in names]
    for name, pattern in zip(names, found, strict=True):
        for where, problem in _problems(pattern):
            raise ReferenceDataError(f"{name}.yaml: {where}", problem)
        if name != FOLDER + pattern.id:
            raise ReferenceDataError(f"{name}.yaml", f"its id is {pattern.id!r}")
    return {row.id: row for row in sorted(found, key=lambda row: (row.order, row.id))}


def laboratory_pattern(pattern_id: str) -> LaboratoryPattern:
    """Return one pattern.

    Raises:
        ReferenceDataError: There is no such pattern, or a row is not valid.
    """
    found = laboratory_patterns().get(pattern_id)
    if found is None:
        raise ReferenceDataError(f"{FOLDER}{pattern_id}.yaml", "no such pattern")
    return found


def _problems(pattern: LaboratoryPattern) -> Iterator[tuple[str, str]]:
    for row in pattern.sourced():
        if row.source not in pattern.sources:
            yield "sources", f"no such source: {row.source}"
    for key, fact in pattern.facts.items():
        yield from ((f"facts.{key}", problem) for problem in _fact_problems(pattern, fact))
    yield from _condition_problems(pattern)


def _condition_problems(pattern: LaboratoryPattern) -> Iterator[tuple[str, str]]:
    known = _readable(pattern)
    for where, condition in pattern.conditions():
        yield from ((where, problem) for problem in condition_faults(condition, known))
        if any(condition.scores()):
            yield where, "a score is read through a fact"
    for settle in pattern.settle:
        for fact_id in settle.facts:
            if fact_id not in known:
                yield f"settle.{settle.test}", f"no such fact: {fact_id}"
    for key in pattern.supplies:
        if key not in catalogue().every:
            yield f"supplies.{key}", "no such clinical input"


def _fact_problems(pattern: LaboratoryPattern, fact: FactRow) -> Iterator[str]:
    tables: tuple[tuple[str | None, Any, str], ...] = (
        (fact.analyte, analytes().analytes, "analyte"),
        (fact.on, analytes().analytes, "analyte"),
        (fact.clinical, catalogue().every, "clinical input"),
        (fact.index, laboratory_indices().indices, "index"),
        (fact.score, score_ids(), "score"),
        (fact.interference, interferences().interferences, "interference"),
        (fact.source, pattern.sources, "source"),
    )
    for key, held, what in tables:
        if key is not None and key not in held:
            yield f"no such {what}: {key}"
    yield from (f"no such fact: {part}" for part in fact.parts if part not in pattern.facts)


def _readable(pattern: LaboratoryPattern) -> dict[str, ClinicalInput]:
    """Return what a condition may read, each as the kind of answer it gives."""
    found: dict[str, ClinicalInput] = dict(catalogue().every)
    for row in pattern.criteria:
        found[CRITERION + row.id] = ClinicalInput(label=row.en, kind="boolean", question=row.en)
    for key, fact in pattern.facts.items():
        found[key] = _as_input(key, fact)
    return found


def _as_input(key: str, fact: FactRow) -> ClinicalInput:
    if fact.clinical is not None and fact.clinical in catalogue().every:
        return catalogue().get(fact.clinical)
    if fact.interference is not None:
        return ClinicalInput(label=key, kind="boolean", question=key)
    choices = _choices(fact)
    if choices:
        return ClinicalInput(label=key, kind="choice", question=key, choices=choices)
    return ClinicalInput(label=key, kind="quantity", question=key, unit="1")


def _choices(fact: FactRow) -> dict[str, str]:
    if fact.read == "level":
        return {level: level for level in LEVELS}
    if fact.read != "category":
        return {}
    bands: tuple[ScoreBand, ...] = ()
    names: set[str] = set()
    if fact.score is not None and fact.score in score_ids():
        bands = score(fact.score).bands
    elif fact.index is not None and fact.index in laboratory_indices().indices:
        rows = laboratory_indices().indices[fact.index].categories.values()
        names = {category.name for row in rows for category in row}
    return {name: name for name in (*(band.name for band in bands), *sorted(names))}
