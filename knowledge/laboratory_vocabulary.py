"""The words of laboratory tables and reports: headings, names of tests, flags, labels.

They are data (``laboratory_vocabulary.yaml``), in English and Chinese, compared as a whole. A word
that is not there is not guessed.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from typing import Self

from pydantic import model_validator

from knowledge.analytes import analytes
from knowledge.errors import ReferenceDataError
from knowledge.laboratory_tests import laboratory_tests
from knowledge.model import Frozen
from knowledge.pathways import Sourced
from knowledge.patient import Sex
from knowledge.reference import Table, load

FILE = "laboratory_vocabulary"

_PLAIN = str.maketrans({"\u2009": " ", "\u2013": "-", "\u2212": "-", "\u2011": "-", "\u3000": " "})


_BRACKETS = re.compile(r"(?P<name>[^()]+)\((?P<short>[^()]+)\)\s*")
_BESIDE = re.compile(r"\([^()]*\)")
_SHORT_FORM = re.compile(r"[A-Za-z][A-Za-z0-9+-]{1,7}")


class WordRow(Sourced):
    """Words of one meaning."""

    words: tuple[str, ...]


class NameRow(WordRow):
    """Names of one test.

    Args:
        analyte: Key of the analyte table; None where the row's own key is one.
        loinc: The code that fixes what the number counts.
    """

    analyte: str | None = None
    loinc: str | None = None


class NamedTest(Frozen):
    """What a name stands for.

    Args:
        analyte: Key of the analyte table.
        loinc: The code that fixes what the number counts; None where the name does not.
    """

    analyte: str
    loinc: str | None = None


class LaboratoryVocabulary(Table):
    """The whole file."""

    headings: Mapping[str, WordRow]
    names: Mapping[str, NameRow]
    flags: Mapping[str, WordRow]
    shared_names: WordRow
    labels: Mapping[str, WordRow]
    sexes: Mapping[Sex, WordRow]
    no_result: WordRow

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        parts: tuple[Mapping[str, WordRow], ...] = (
            self.headings,
            self.names,
            self.flags,
            self.labels,
        )
        for rows in parts:
            words = [as_compared(word) for row in rows.values() for word in row.words]
            twice = sorted({word for word in words if words.count(word) > 1})
            if twice:
                raise ValueError(f"words of two meanings: {', '.join(twice)}")
        return self

    def heading(self, text: str) -> str | None:
        """Return what a column holds by its heading, or None."""
        return self._headings.get(as_compared(text))

    def label(self, text: str) -> str | None:
        """Return what a label of a report's head names, or None."""
        return self._labels.get(as_compared(text))

    def flag(self, text: str) -> str | None:
        """Return the laboratory's flag that a word stands for, or None."""
        return self._flags.get(as_compared(text))

    def sex(self, text: str) -> Sex | None:
        """Return female or male, or None where a word is neither."""
        found = self._sexes.get(as_compared(text))
        return "female" if found == "female" else "male" if found == "male" else None

    def says_no_result(self, text: str) -> bool:
        """Return whether a value says that there is none."""
        return as_compared(text) in self._no_result

    def named_test(self, text: str) -> NamedTest | None:
        """Return the test of a name, or None where it is not known.

        Examples:
            >>> laboratory_vocabulary().named_test("BUN").loinc
            '3094-0'
            >>> laboratory_vocabulary().named_test("血钾")
            NamedTest(analyte='potassium', loinc=None)
        """
        return self._tests.get(as_compared(text)) or self._before_brackets(text)

    def contradicts(self, name: str, analyte: str) -> str | None:
        """Return the test that a name means where that is another one than a code's, or None.

        A name that says less ("neutrophils" of a share of leucocytes) does not contradict.

        Args:
            name: As printed; one that is not known contradicts nothing.
            analyte: Key of the analyte table, by the code.

        Examples:
            >>> words = laboratory_vocabulary()
            >>> words.contradicts("Sodium", "potassium"), words.contradicts("K+", "potassium")
            ('Sodium', None)
            >>> words.contradicts("Neutrophils", "neutrophils_percent") is None
            True
        """
        named = self.named_test(name) if name.strip() else None
        if named is None or named.analyte == analyte:
            return None
        ours, theirs = (analytes().analytes[key].label for key in (named.analyte, analyte))
        says_less = _general(ours) == _general(theirs) and "," not in _BESIDE.sub("", ours)
        return None if says_less else ours

    def _before_brackets(self, text: str) -> NamedTest | None:
        """Return the test of a name with its short form in brackets, such as ``白细胞计数(WBC)``.

        Any other word in brackets may name another test ("calcium (ionised)") and is not left out.
        """
        match = _BRACKETS.fullmatch(unicodedata.normalize("NFKC", text))
        if match is None:
            return None
        test = self._tests.get(as_compared(match["name"]))
        inside = self._tests.get(as_compared(match["short"]))
        short_form = inside is None and bool(_SHORT_FORM.fullmatch(match["short"].strip()))
        chinese = not match["name"].isascii()
        return test if inside == test or (short_form and chinese) else None

    @cached_property
    def longest_name(self) -> int:
        """Words (by blanks) of the longest name of a test."""
        return max(len(name.split()) for name in self._tests)

    @cached_property
    def _headings(self) -> Mapping[str, str]:
        return _index(self.headings)

    @cached_property
    def _labels(self) -> Mapping[str, str]:
        return _index(self.labels)

    @cached_property
    def _flags(self) -> Mapping[str, str]:
        return _index(self.flags)

    @cached_property
    def _sexes(self) -> Mapping[str, str]:
        return {as_compared(w): key for key, row in self.sexes.items() for w in row.words}

    @cached_property
    def _no_result(self) -> frozenset[str]:
        return frozenset(as_compared(word) for word in self.no_result.words)

    @cached_property
    def _tests(self) -> Mapping[str, NamedTest]:
        shared = {as_compared(word) for word in self.shared_names.words}
        found: dict[str, NamedTest] = {}
        for word, test in _all_names(self.names):
            if as_compared(word) not in shared:
                found.setdefault(as_compared(word), test)
        return found


@cache
def laboratory_vocabulary() -> LaboratoryVocabulary:
    """Return the packaged words.

    Raises:
        ReferenceDataError: A row is not valid, or names a test that is not held.
    """
    table = load(FILE, LaboratoryVocabulary)
    for key, row in table.names.items():
        analyte = row.analyte or key
        held = analytes().analytes.get(analyte)
        if held is None or (row.loinc is not None and row.loinc not in held.loinc):
            raise ReferenceDataError(f"{FILE}.yaml: names.{key}", "no such analyte or code")
    return table


def as_compared(text: str) -> str:
    r"""Return a word as it is compared: one blank, plain signs, without case, colon or full stop.

    Examples:
        >>> as_compared(" \uff2b\uff0b "), as_compared("Reference  Range:")
        ('k+', 'reference range')
    """
    plain = unicodedata.normalize("NFKC", text.translate(_PLAIN)).translate(_PLAIN)
    return " ".join(plain.split()).casefold().strip(" :.*")


def _general(label: str) -> str:
    """Return a label without what stands in brackets or behind a comma."""
    return _BESIDE.sub("", label).partition(",")[0].strip().casefold()


def _index(rows: Mapping[str, WordRow]) -> Mapping[str, str]:
    return {as_compared(word): key for key, row in rows.items() for word in row.words}


def _all_names(rows: Mapping[str, NameRow]) -> Iterator[tuple[str, NamedTest]]:
    """Yield every name of a test: the rows' first, then the labels of the analytes."""
    fixed: set[str] = set()
    for key, row in rows.items():
        analyte = row.analyte or key
        fixed |= {analyte} if row.loinc else set()
        for word in row.words:
            yield word, NamedTest(analyte=analyte, loinc=row.loinc)
    tests = laboratory_tests().tests
    for key, analyte_row in analytes().analytes.items():
        if key in fixed or analyte_row.group != "laboratory":
            continue
        chinese: Iterable[str] = (tests[key].chinese,) if key in tests else ()
        for name in (analyte_row.label, *chinese):
            if name:
                yield name, NamedTest(analyte=key)
