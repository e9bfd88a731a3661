"""Words by which a chart item that no table matches is still recognised as important.

A safety net, not a reader: a match answers no question. It keeps an item in sight.
"""

import re
from collections.abc import Mapping
from functools import cache

from knowledge.codes import ICD10, ICD10CM, Concept
from knowledge.errors import ReferenceDataError
from knowledge.model import Frozen
from knowledge.reference import Table, load

_FILE = "chart_items"


class Term(Frozen):
    """The words for one important thing, in any language.

    Args:
        label: What it is, to show.
        contains: Looked for anywhere in the text.
        whole: Looked for as a word of its own.
        settled_by: Clinical inputs; an explicit answer to one of them settles the item.
    """

    label: str
    contains: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    settled_by: tuple[str, ...] = ()
    source: str
    review: str

    def found_in(self, text: str) -> bool:
        """Return whether a text holds one of the words.

        Examples:
            >>> words = {"contains": ("dissection",), "whole": ("pe",)}
            >>> term = Term(label="x", source="s", review="R80", **words)
            >>> term.found_in("Aortic DISSECTION"), term.found_in("No PE."), term.found_in("Speech")
            (True, True, False)
        """
        folded = " ".join(text.casefold().split())
        if any(word in folded for word in self.contains):
            return True
        return any(
            re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", folded) for word in self.whole
        )


class AcuteCodes(Frozen):
    """ICD-10 prefixes that name a danger whatever else they match."""

    icd10: tuple[str, ...]
    label: str
    source: str
    review: str


class Windows(Frozen):
    """How long ago an item may be charted and still count, hours."""

    observation_hours: float
    report_hours: float
    medication_hours: float
    acute_code_hours: float
    source: str
    review: str


class ChartItemTable(Table):
    """The whole file."""

    terms: Mapping[str, Term]
    acute_codes: AcuteCodes
    windows: Windows

    def terms_in(self, text: str) -> tuple[Term, ...]:
        """Return every term that a text holds."""
        return tuple(term for term in self.terms.values() if term.found_in(text))

    def is_acute(self, concept: Concept) -> bool:
        """Return whether a concept carries a code of an acute danger."""
        return any(
            coding.system in (ICD10, ICD10CM) and coding.code.startswith(self.acute_codes.icd10)
            for coding in concept.codings
        )


@cache
def chart_item_table() -> ChartItemTable:
    """Return the packaged table.

    Raises:
        ReferenceDataError: A word is not in lower case, so it would never be found.
    """
    table = load(_FILE, ChartItemTable)
    for key, term in table.terms.items():
        for word in term.contains + term.whole:
            if word != word.casefold():
                raise ReferenceDataError(f"{_FILE}.yaml", f"{key}: {word!r} is not in lower case")
    return table
