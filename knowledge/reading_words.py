"""Words that every structured reading shares, English and Chinese."""

from collections.abc import Mapping
from functools import cache

from pydantic import NonNegativeInt

from knowledge.model import Frozen
from knowledge.reference import Review, Table, load
from knowledge.words import Language, Words


class Decimals(Frozen):
    """To how many decimals a number of 1 or more is shown.

    Args:
        places: Decimals.
        source, review: Of it.
    """

    places: NonNegativeInt
    source: str
    review: str


class ReadingWords(Table):
    """The whole file.

    Args:
        sides, zones, changes, states, speakers, verdicts, reasons: By their ids.
        headings: Of the report.
        comparisons: Why two readings can or cannot be compared on an item.
        reviews: How sure a row is, by the first letter of its tag.
        decimals: To how many decimals a number of 1 or more is shown, by its unit; it is kept as
            it was given.
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
    reviews: Mapping[str, Words]
    decimals: Mapping[str, Decimals]

    def review(self, tag: str, language: Language) -> str:
        """Return a review tag in words.

        Examples:
            >>> reading_words().review("V:SW", "en")
            'seen in a secondary source; not reviewed by a clinician'
        """
        review = Review(tag=tag)
        percent = str(review.confidence_percent or "")
        said = self.reviews[tag[0]].filled(percent=percent).read(language)
        disputed = self.reviews["disputed"].read(language) if review.disputed else ""
        return said + disputed + self.reviews["unreviewed"].read(language)


@cache
def reading_words() -> ReadingWords:
    """Return the words."""
    return load("reading_words", ReadingWords)
