"""What is said of one laboratory pattern: the verdict with the evidence on both sides."""

from typing import Literal, Self

from pydantic import model_validator

from knowledge.clinical_time import ClinicalTime
from knowledge.evidence import Evidence
from knowledge.finding import NotAssessed
from knowledge.model import Frozen
from knowledge.reference import Citation
from knowledge.words import Words

Support = Literal["supported", "argued against", "not assessed"]


class ShownValue(Frozen):
    """One thing that was looked at, with its value or why it has none."""

    fact: str
    label: Words
    words: Words


class EvidenceLine(Frozen):
    """One criterion, with the values it was judged by.

    Args:
        criterion: Its id in the pattern's file.
        words: The sentence as it holds here (met, or not met).
        met: Whether it is true; None where that is not known.
        values: What it was read from.
        source: Where the criterion comes from.
        evidence: The findings it rests on.
    """

    criterion: str
    words: Words
    met: bool | None = None
    values: tuple[ShownValue, ...] = ()
    source: Citation
    evidence: tuple[Evidence, ...] = ()


class MissingFact(Frozen):
    """One thing that is not known and could change the verdict.

    Args:
        fact: Name of the fact in the pattern's file, or id of the clinical input.
        reads: Keys of analytes, ids of clinical inputs, that would make it known.
        label: What it is.
        reason: Why it is not known.
        words: The reason, to show.
    """

    fact: str
    reads: tuple[str, ...]
    label: Words
    reason: NotAssessed
    words: Words


class SettlingTest(Frozen):
    """A test that would settle the pattern: key of an analyte, id of an input, or a name."""

    test: str
    words: Words


class PossibleGrade(Frozen):
    """One grade, with where it comes from."""

    id: str
    words: Words
    source: Citation


class SetVerdict(Frozen):
    """The verdict by one set of criteria.

    Args:
        id: Key of the set.
        name: Whose criteria.
        verdict: By this set.
        grades: The grade; several where it is not determined; empty where there is none.
        missing: Facts that are not known and could change it.
        source: Where the set comes from.
    """

    id: str
    name: Words
    verdict: Support
    grades: tuple[PossibleGrade, ...] = ()
    missing: tuple[str, ...] = ()
    source: Citation

    @model_validator(mode="after")
    def _only_what_is_supported_has_a_grade(self) -> Self:
        if self.grades and self.verdict != "supported":
            raise ValueError("only a supported pattern has a grade")
        return self

    @property
    def grade(self) -> PossibleGrade | None:
        """The one grade; None where there is none or several are possible."""
        return self.grades[0] if len(self.grades) == 1 else None


class PatternVerdict(Frozen):
    """The verdict on one pattern.

    Args:
        id: Key of the pattern.
        name: Name to show.
        topic: What it is about.
        verdict: By the first set of criteria.
        sets: Every set, the first is the pattern's own.
        statement: The verdict in one sentence.
        supporting, against: The evidence on each side, whatever the verdict.
        undecided: Criteria that are not known to be met or not.
        missing: What could change the verdict.
        settle: Tests that would settle it.
        not_assessed: The reason; given exactly where it is not assessed.
        caveats: What must be read with it.
        as_of: When the newest result that matters was collected.
        source: What it cites.
        evidence: Every finding it rests on.
    """

    id: str
    name: Words
    topic: str
    verdict: Support
    sets: tuple[SetVerdict, ...]
    statement: Words
    supporting: tuple[EvidenceLine, ...] = ()
    against: tuple[EvidenceLine, ...] = ()
    undecided: tuple[EvidenceLine, ...] = ()
    missing: tuple[MissingFact, ...] = ()
    settle: tuple[SettlingTest, ...] = ()
    not_assessed: NotAssessed | None = None
    caveats: tuple[Words, ...] = ()
    as_of: ClinicalTime | None = None
    source: tuple[Citation, ...] = ()
    evidence: tuple[Evidence, ...] = ()

    @model_validator(mode="after")
    def _a_reason_exactly_where_not_assessed(self) -> Self:
        if (self.verdict == "not assessed") != (self.not_assessed is not None):
            raise ValueError("a reason is given exactly where the pattern is not assessed")
        return self

    @property
    def grade(self) -> PossibleGrade | None:
        """The grade by the pattern's own criteria, where there is one."""
        return self.sets[0].grade


class NotLookedAt(Frozen):
    """A pattern of which nothing relevant is there.

    Args:
        id: Key of the pattern.
        name: Name to show.
        relevant: Keys of the tests of which none is there.
        statement: That, in one sentence.
    """

    id: str
    name: Words
    relevant: tuple[str, ...]
    statement: Words


class ReflexSuggestion(Frozen):
    """A test to add, because of a result or a pattern.

    Args:
        id: Key of the row in ``reflex_tests.yaml``.
        tests: Keys of analytes or names of the tests to add; none is there already.
        words: The suggestion.
        because: Ids of the patterns and analytes that it follows from.
        source: Where it comes from.
        evidence: What it rests on.
    """

    id: str
    tests: tuple[str, ...]
    words: Words
    because: tuple[str, ...]
    source: Citation
    evidence: tuple[Evidence, ...] = ()
