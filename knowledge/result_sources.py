"""What a result was measured in, and whether in the laboratory or at the point of care.

The words and codes are data (``result_sources.yaml``). What a source does not state stays not
stated: a chart that does not say where a glucose was measured has not said "in the laboratory".
"""

import re
from collections.abc import Mapping
from functools import cache, cached_property, lru_cache
from typing import Self, TypeVar

from pydantic import model_validator

from knowledge.finding import MethodKind
from knowledge.model import Frozen
from knowledge.pathways import Sourced
from knowledge.reference import Table, load

FILE = "result_sources"

K = TypeVar("K", bound=str)

MAX_WORDS = 80
"""Characters of a specimen that is kept as its source words it."""


class SpecimenRow(Sourced):
    """One kind of specimen.

    Args:
        label, chinese: Names to show.
        words: What sources call it, in whole words.
        codes: HL7 v2 table 0487.
        within: The wider kind that a test's code may name for it.
        loinc: Codes that are measured in it.
    """

    label: str
    chinese: str
    words: tuple[str, ...]
    codes: tuple[str, ...] = ()
    within: str | None = None
    loinc: tuple[str, ...] = ()


class MethodRow(Sourced):
    """One kind of method.

    Args:
        label, chinese: Names to show.
        words: What sources call it, in whole words.
        loinc: Codes that are measured by it alone.
        accession: Whether a specimen registered by the laboratory is measured by it.
    """

    label: str
    chinese: str
    words: tuple[str, ...]
    loinc: tuple[str, ...] = ()
    accession: bool = False


class CodeGroups(Sourced):
    """LOINC codes of one analyte in one kind of specimen, in groups."""

    codes: tuple[tuple[str, ...], ...]

    def hold(self, one: str, other: str) -> bool:
        """Return whether two codes stand in one group."""
        return any(one in group and other in group for group in self.codes)


class CodesOfOneTest(Frozen):
    """Which two codes are of one test.

    Args:
        property: They differ in the Property part alone: mass or substance concentration.
        method_unnamed: One names a method, the other none.
    """

    property: CodeGroups
    method_unnamed: CodeGroups


class ResultSources(Table):
    """The whole file."""

    specimens: Mapping[str, SpecimenRow]
    methods: Mapping[MethodKind, MethodRow]
    not_fixed: tuple[str, ...]
    codes_of_one_test: CodesOfOneTest

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for what, lists in (
            ("words", [row.words for row in self.specimens.values()]),
            ("codes", [row.codes for row in self.specimens.values()]),
            ("LOINC codes", [*(row.loinc for row in self.specimens.values()), self.not_fixed]),
            ("words", [row.words for row in self.methods.values()]),
        ):
            flat = [one.casefold() for group in lists for one in group]
            twice = sorted({one for one in flat if flat.count(one) > 1})
            if twice:
                raise ValueError(f"{what} given twice: {', '.join(twice)}")
        wider = {row.within for row in self.specimens.values()} - {None, *self.specimens}
        if wider:
            raise ValueError(f"no such specimen: {wider}")
        return self

    @cached_property
    def specimen_words(self) -> Mapping[str, str]:
        """Word to the specimen it names."""
        return {w.casefold(): key for key, row in self.specimens.items() for w in row.words}

    @cached_property
    def method_words(self) -> Mapping[str, MethodKind]:
        """Word to the kind of method it names."""
        return {w.casefold(): key for key, row in self.methods.items() for w in row.words}

    @cached_property
    def _specimen_of_code(self) -> Mapping[str, str]:
        return {code: key for key, row in self.specimens.items() for code in row.codes}

    @cached_property
    def _specimen_of_loinc(self) -> Mapping[str, str]:
        return {code: key for key, row in self.specimens.items() for code in row.loinc}

    @cached_property
    def _method_of_loinc(self) -> Mapping[str, MethodKind]:
        return {code: key for key, row in self.methods.items() for code in row.loinc}

    def specimen_of_code(self, code: str) -> str | None:
        """Return the specimen of a code of HL7 v2 table 0487, or None."""
        return self._specimen_of_code.get(code.strip().upper())

    def specimen_of_loinc(self, code: str) -> str | None:
        """Return what a LOINC code is measured in, or None where it does not say."""
        return self._specimen_of_loinc.get(code)

    def method_of_loinc(self, code: str) -> MethodKind | None:
        """Return the kind of method that a LOINC code names, or None where it names none."""
        return self._method_of_loinc.get(code)

    def is_within(self, specimen: str, wider: str) -> bool:
        """Return whether one kind of specimen is the other, or one of its kinds."""
        row = self.specimens.get(specimen)
        return specimen == wider or (row is not None and row.within == wider)


@cache
def result_sources() -> ResultSources:
    """Return the packaged rows.

    Raises:
        ReferenceDataError: A row is not valid.
    """
    return load(FILE, ResultSources)


@lru_cache(maxsize=1024)
def known_specimen(text: str) -> str | None:
    """Return the one kind of specimen that words name, or None for none or several.

    Examples:
        >>> [known_specimen(t) for t in ("Venous blood specimen", "血清", "Lavender Top Tube")]
        ['venous blood', 'serum', None]
        >>> known_specimen("Potassium in Serum or Plasma")
        'serum or plasma'
    """
    named = _named(text, result_sources().specimen_words)
    return named.pop() if len(named) == 1 else None


def specimen_heading(line: str) -> str | None:
    """Return the kind of specimen that a line names and nothing else, as a heading does.

    Examples:
        >>> specimen_heading("URINE"), specimen_heading("Urine sediment:"), specimen_heading("No")
        ('urine', 'urine', None)
        >>> specimen_heading("No blood in the urine") is None
        True
    """
    words = " ".join(line.split()).casefold().strip(" :.*-=_#")
    return result_sources().specimen_words.get(words)


def stated_specimen(text: str) -> str | None:
    """Return the kind of specimen of words, or the words themselves; None for blank ones.

    Examples:
        >>> stated_specimen("Serum sample"), stated_specimen(" Bile "), stated_specimen(" ")
        ('serum', 'bile', None)
    """
    words = " ".join(text.split()).casefold()[:MAX_WORDS]
    return known_specimen(text) or words or None


@lru_cache(maxsize=1024)
def stated_method(text: str) -> MethodKind | None:
    """Return the kind of method that words name, or None for none or both.

    Examples:
        >>> stated_method("Accu-Chek glucose meter"), stated_method("检验科生化组")
        ('point-of-care', 'laboratory')
        >>> stated_method("Roche Elecsys") is None
        True
    """
    named = _named(text, result_sources().method_words)
    return next(iter(named)) if len(named) == 1 else None


def _named(text: str, key_of: Mapping[str, K]) -> set[K]:
    """Return the keys of the words in a text; of two that begin alike the longer one counts."""
    plain = " ".join(text.split()).casefold()
    return {key_of[match.group()] for match in _pattern(tuple(key_of)).finditer(plain)}


@cache
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    """Return the pattern of whole words; words in Chinese have no blanks around them."""
    longest_first = sorted(words, key=len, reverse=True)
    either = (
        rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])" if word.isascii() else re.escape(word)
        for word in longest_first
    )
    return re.compile("|".join(either))
