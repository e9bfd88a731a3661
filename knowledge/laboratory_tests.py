"""Laboratory tests as data: panel, Chinese name, reference intervals, and tests answered in words.

The rows are in ``laboratory_tests.yaml``; codes, units and impossible values of a test are in
``analytes.yaml``, critical limits in ``critical_results.yaml``: each fact once. A site's own file
(`knowledge.laboratory_site`) has the same rows and comes first.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from typing import Literal, Self

from pydantic import Field, FiniteFloat, NonNegativeFloat, PositiveFloat, model_validator

from knowledge.analytes import analytes
from knowledge.critical_results import critical_results
from knowledge.errors import ReferenceDataError
from knowledge.model import Frozen
from knowledge.pathways import Sourced
from knowledge.patient import Sex
from knowledge.quantity import Interval, format_number
from knowledge.reference import Table, load

FILE = "laboratory_tests"
_WORD_GROUPS = ("negative", "trace", "positive")

Answer = Literal["negative", "trace", "positive"]


class Bounds(Frozen):
    """A lower bound, an upper bound or both; each belongs to the interval unless it is open."""

    low: FiniteFloat | None = None
    high: FiniteFloat | None = None
    low_open: bool = False
    high_open: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low is None and self.high is None:
            raise ValueError("give a lower or an upper bound")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError("the lower bound is above the upper bound")
        return self

    def is_below(self, value: Interval) -> bool | None:
        """Return whether a value lies below the interval; None where only a part of it does."""
        if self.low is None:
            return False
        return value.compare("le" if self.low_open else "lt", self.low)

    def is_above(self, value: Interval) -> bool | None:
        """Return whether a value lies above the interval; None where only a part of it does."""
        if self.high is None:
            return False
        return value.compare("ge" if self.high_open else "gt", self.high)

    def words(self) -> str:
        """Return the interval as a report prints it, without a unit.

        Examples:
            >>> Bounds(low=3.5, high=5).words(), Bounds(high=200, high_open=True).words()
            ('3.5 to 5', '< 200')
        """
        low = None if self.low is None else format_number(self.low)
        high = None if self.high is None else format_number(self.high)
        below = None if high is None else f"{'<' if self.high_open else '<='} {high}"
        if low is None:
            return str(below)
        if high is None:
            return f"{'>' if self.low_open else '>='} {low}"
        if self.low_open or self.high_open:
            return f"{'>' if self.low_open else '>='} {low} and {below}"
        return f"{low} to {high}"


class SiBounds(Bounds):
    """The same interval as the source prints it in another unit (a key of the spellings)."""

    unit: str


class IntervalRow(Sourced, Bounds):
    """One reference interval, and of whom it is.

    Args:
        sex: Of one sex only; None for both.
        from_age: From this age, years.
        to_age: Up to, and not including, this age, years.
        pregnant: Of pregnant women only, or of people known not to be pregnant; None for people
            who are not known to be pregnant.
        when: Circumstances that must be so, or must not be.
        si: The same interval in another unit, for results reported in it.
        kind: `reference` of healthy people, or a `decision` limit or target of a guideline.
        also: Further sources that give the same numbers, or a part of them.
        note: What else a reader must know.
    """

    sex: Sex | None = None
    from_age: NonNegativeFloat | None = None
    to_age: PositiveFloat | None = None
    pregnant: bool | None = None
    when: Mapping[str, bool] = {}
    si: SiBounds | None = None
    kind: Literal["reference", "decision"] = "reference"
    also: tuple[str, ...] = ()
    note: str = ""

    @model_validator(mode="after")
    def _of_somebody(self) -> Self:
        if self.from_age is not None and self.to_age is not None and self.from_age >= self.to_age:
            raise ValueError("the ages are of nobody")
        if self.pregnant and self.sex == "male":
            raise ValueError("a row of pregnant men is of nobody")
        return self


class LabTest(Frozen):
    """One test, by the key of its analyte.

    Args:
        panel: Key of the panels; a site's file may leave it out, and the name with it.
        chinese: Name in Chinese; the English one is the analyte's label.
        intervals: Rows in order: the first that fits a person is the fallback.
        loinc_means: LOINC code to the circumstances that it states.
        no_interval: Why there is none; given exactly where there are no rows.
    """

    panel: str = ""
    chinese: str = ""
    intervals: tuple[IntervalRow, ...] = ()
    loinc_means: Mapping[str, Mapping[str, bool]] = {}
    no_interval: str | None = None

    @model_validator(mode="after")
    def _rows_or_a_reason(self) -> Self:
        if bool(self.intervals) == (self.no_interval is not None):
            raise ValueError("give intervals, or the reason why there are none")
        return self


class Name(Frozen):
    """A name to show, in English and Chinese."""

    label: str
    chinese: str


class Childbearing(Sourced):
    """Ages, years, from and up to (not including) which a woman may be pregnant."""

    from_age: PositiveFloat
    to_age: PositiveFloat


class PrintedCheck(Sourced):
    """How many times beside every known bound a printed interval may not lie."""

    times: PositiveFloat


class Count(Bounds):
    """A normal count, and the spellings of its unit."""

    units: tuple[str, ...]


class WordedTest(Sourced):
    """A test that is answered in words, or by a count that may be a span.

    Args:
        loinc: Codes; none is in the analyte table.
        expect: The words that are normal.
        organisms: Whether the name of an organism is an answer, and an abnormal one.
        count: The normal count.
        critical: Whether any other clear answer is to be known at once.
    """

    label: str
    chinese: str
    panel: str
    loinc: tuple[str, ...] = Field(min_length=1)
    expect: Answer | None = None
    organisms: bool = False
    count: Count | None = None
    critical: bool = False

    @model_validator(mode="after")
    def _something_is_normal(self) -> Self:
        if self.expect is None and self.count is None:
            raise ValueError("say which words or which count is normal")
        return self


class Organisms(Sourced):
    """Words that say that something grew or was seen where normally nothing does.

    Args:
        names: Of organisms; ``*`` stands for the rest of a word.
        denies: Words beside which a name says nothing.
    """

    names: tuple[str, ...]
    denies: tuple[str, ...]

    def reported(self, text: str) -> bool:
        """Return whether a text names an organism and nothing in it denies or doubts that.

        Examples:
            >>> held = laboratory_tests().organisms
            >>> [held.reported(t) for t in ("S. aureus", "No parasites seen", "see comment")]
            [True, False, False]
        """
        said = text.lower()
        return _any_word(self.names, said) and not _any_word(self.denies, said)


def _any_word(words: Iterable[str], said: str) -> bool:
    return any(_word(word).search(said) for word in words)


@cache
def _word(word: str) -> re.Pattern[str]:
    stem = re.escape(word.removesuffix("*"))
    if not word[0].isascii() or not word[0].isalnum():
        return re.compile(stem)
    end = "" if word.endswith("*") else r"(?![a-z0-9])"
    return re.compile(rf"(?<![a-z0-9]){stem}{end}")


class LaboratoryTests(Table):
    """The whole file."""

    childbearing: Childbearing
    printed_check: PrintedCheck
    panels: Mapping[str, Name]
    circumstances: Mapping[str, Name]
    tests: Mapping[str, LabTest]
    words: Mapping[Answer, tuple[str, ...]]
    organisms: Organisms
    worded: Mapping[str, WordedTest]

    @model_validator(mode="after")
    def _each_word_once(self) -> Self:
        words = [_plain(word) for group in self.words.values() for word in group]
        twice = sorted({word for word in words if words.count(word) > 1})
        if twice or set(self.words) != set(_WORD_GROUPS):
            raise ValueError(f"the words are not three separate groups: {', '.join(twice)}")
        return self

    @cached_property
    def _worded_by_loinc(self) -> Mapping[str, str]:
        return {code: key for key, row in self.worded.items() for code in row.loinc}

    @cached_property
    def _answers(self) -> Mapping[str, Answer]:
        return {_plain(word): group for group, words in self.words.items() for word in words}

    def worded_test(self, loinc: str) -> str | None:
        """Return the key of the worded test of a LOINC code, or None."""
        return self._worded_by_loinc.get(loinc)

    def answer(self, text: str) -> Answer | None:
        """Return which answer the whole of a text is, or None where it is none of the list.

        Examples:
            >>> [laboratory_tests().answer(t) for t in ("Negative", "阳性", "negative for now")]
            ['negative', 'positive', None]
        """
        return self._answers.get(_plain(text))


@cache
def laboratory_tests() -> LaboratoryTests:
    """Return the packaged rows.

    Raises:
        ReferenceDataError: A row is not valid, of no analyte we know, or cites no source.
    """
    table = load(FILE, LaboratoryTests)
    for where, problem in _problems(table):
        raise ReferenceDataError(f"{FILE}.yaml: {where}", problem)
    return table


def check_rows(
    table: Table, key: str, test: LabTest, circumstances: Mapping[str, Name]
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the rows of one test: where, and what.

    Args:
        table: The file with its sources; the packaged one or a site's.
        key: Key of the analyte.
        test: The rows.
        circumstances: All there are.
    """
    analyte = analytes().analytes.get(key)
    if analyte is None:
        yield key, "no such analyte in analytes.yaml"
        return
    units = {row.unit for row in analyte.units}
    for row in test.intervals:
        unknown = {row.source, *row.also} - set(table.sources)
        if unknown:
            yield key, f"no such source in the file's `sources`: {', '.join(sorted(unknown))}"
        if row.si is not None and row.si.unit not in units:
            yield key, f"{row.si.unit} is not a unit of the analyte"
        if set(row.when) - set(circumstances):
            yield key, f"no such circumstance: {', '.join(sorted(row.when))}"
        for bound in (row.low, row.high):
            if bound is not None and not min(analyte.low, 0) <= bound <= analyte.high:
                yield key, f"{format_number(bound)} {analyte.unit} is impossible for the analyte"


def _problems(table: LaboratoryTests) -> Iterator[tuple[str, str]]:
    for key, test in table.tests.items():
        yield from check_rows(table, key, test, table.circumstances)
        if test.panel not in table.panels or not test.chinese:
            yield key, "no such panel, or no name"
        codes = analytes().analytes[key].loinc
        for code, means in test.loinc_means.items():
            if code not in codes or set(means) - set(table.circumstances):
                yield key, f"{code} is no code of the analyte, or means no circumstance"
    yield from _worded_problems(table)
    for key, limits in critical_results().conditional.items():
        if {limit.when for limit in limits} - {None, *table.circumstances}:
            yield key, "a conditional critical limit names no circumstance"


def _worded_problems(table: LaboratoryTests) -> Iterator[tuple[str, str]]:
    for key, row in table.worded.items():
        if row.panel not in table.panels or row.source not in table.sources:
            yield key, "no such panel or source"
        for code in row.loinc:
            if analytes().for_loinc(code) is not None:
                yield key, f"{code} is a code of a number in analytes.yaml"


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
