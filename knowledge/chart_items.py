"""Words by which a chart item that no table matches is still recognised as important.

A safety net, not a reader: a match answers no question. It keeps an item in sight.
"""

from collections.abc import Mapping
from functools import cache

from knowledge.codes import ICD10, ICD10CM, Concept
from knowledge.denial import Wording, clauses, word_spans
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
        settled_by_facts: Whether any statement about one of them settles it: the word alone does
            not contradict the statement.
        deniable: Whether a text may say that it is not there; what is a number is never denied.
        settled_by_result: Analytes; nothing but a typed result of one of them settles it.
    """

    label: str
    contains: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    settled_by: tuple[str, ...] = ()
    settled_by_facts: bool = False
    deniable: bool = False
    settled_by_result: tuple[str, ...] = ()
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
        return bool(self.spans(" ".join(text.casefold().split())))

    def spans(self, folded: str) -> list[tuple[int, int]]:
        """Return where the words stand in a folded text, each widened to the word it lies in."""
        found = [s for word in self.contains for s in word_spans(folded, word, whole=False)]
        return found + [s for word in self.whole for s in word_spans(folded, word, whole=True)]


class AcuteCodes(Frozen):
    """ICD-10 prefixes that name a danger whatever else they match."""

    icd10: tuple[str, ...]
    label: str
    source: str
    review: str


class UnnamedCodes(Frozen):
    """ICD-10 prefixes that are read by nobody and, without a name beside them, may be a danger."""

    icd10: tuple[str, ...]
    source: str
    review: str


class OxygenSupply(Frozen):
    """What tells that a patient was given oxygen when the saturation was taken.

    Args:
        flow_loinc: Codes of an oxygen flow; any flow above zero counts.
        fraction_loinc: Codes of an inspired oxygen fraction, per cent.
        room_air_percent: The fraction of room air.
        within_minutes: How far apart the two may be taken.
    """

    flow_loinc: tuple[str, ...]
    fraction_loinc: tuple[str, ...]
    room_air_percent: float
    within_minutes: float
    source: str
    review: str


class Windows(Frozen):
    """How long ago an item, or the stated onset, may be and still count, hours."""

    observation_hours: float
    report_hours: float
    medication_hours: float
    acute_code_hours: float
    onset_hours: float
    source: str
    review: str


class ChartItemTable(Table):
    """The whole file."""

    terms: Mapping[str, Term]
    acute_codes: AcuteCodes
    unnamed_codes: UnnamedCodes
    wording: Wording
    oxygen_supply: OxygenSupply
    windows: Windows

    def terms_in(self, text: str) -> tuple[Term, ...]:
        """Return every term that a text holds."""
        return tuple(term for term in self.terms.values() if term.found_in(text))

    def terms_left_open(self, text: str) -> tuple[Term, ...]:
        """Return every term that some clause of a text names without denying it.

        Examples:
            >>> table = chart_item_table()
            >>> [t.label for t in table.terms_left_open("No pneumothorax. Type A dissection.")]
            ['aortic disease']
        """
        found: dict[str, Term] = {}
        for clause in clauses(text):
            named = {k: spans for k, t in self.terms.items() if (spans := t.spans(clause))}
            deniable = all(self.terms[key].deniable for key in named)
            everywhere = [span for spans in named.values() for span in spans]
            if not (deniable and self.wording.denied(clause, everywhere)):
                found |= {key: self.terms[key] for key in named}
        return tuple(found[key] for key in self.terms if key in found)

    def is_of_relatives(self, concept: Concept) -> bool:
        """Return whether every ICD-10 code of a concept speaks of relatives only."""
        codes = [c.code for c in concept.codings if c.system in (ICD10, ICD10CM)]
        return bool(codes) and all(c.startswith(self.wording.family_codes) for c in codes)

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
