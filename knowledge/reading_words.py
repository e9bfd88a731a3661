"""Words that every structured reading shares, English and Chinese."""

from collections.abc import Mapping
from functools import cache

from knowledge.reference import Table, load
from knowledge.words import Words


class ReadingWords(Table):
    """The whole file.

    Args:
        sides, zones, changes, states, speakers, verdicts, reasons: By their ids.
        headings: Of the report.
        comparisons: Why two readings can or cannot be compared on an item.
    """

    sides: Mapping[str, Words]
    zones: Mapping[str, Words]
    changes: Mapping[str, Words]
    states: Mapping[str, Words]
    speakers: Mapping[str, Words]
    verdicts: Mapping[str, Words]
    reasons: Mapping[str, Words]
    headings: Mapping[str, Words]
    comparisons: Mapping[str, Words]


@cache
def reading_words() -> ReadingWords:
    """Return the words."""
    return load("reading_words", ReadingWords)
