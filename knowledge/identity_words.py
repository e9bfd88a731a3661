"""Words and dates that name no patient, and headings of columns that name one.

They are data (``identity_words.yaml``), in English, German and Chinese, compared as a whole.
"""

import unicodedata
from collections.abc import Mapping
from datetime import date
from functools import cache, cached_property
from typing import Literal

from knowledge.pathways import Sourced
from knowledge.reference import Table, load

FILE = "identity_words"

Named = Literal["number", "name", "user", "birth_date"]


class Words(Sourced):
    """Words of one meaning."""

    words: tuple[str, ...]


class BirthDate(Sourced):
    """One date."""

    date: date


class IdentityWords(Table):
    """The whole file.

    Args:
        titles, placeholders: Parts of a name that name nobody.
        placeholder_names: Whole names that name nobody.
        placeholder_births: Dates of birth that an empty field shows.
        born_from: Before it nobody alive was born.
        columns: What a column that names a person holds, to its headings.
    """

    titles: Words
    placeholders: Words
    placeholder_names: Words
    placeholder_births: tuple[BirthDate, ...]
    born_from: BirthDate
    columns: Mapping[Named, Words]

    @cached_property
    def nobody(self) -> frozenset[str]:
        """Parts of a name that name nobody: titles and placeholders."""
        return frozenset(w.casefold() for w in (*self.titles.words, *self.placeholders.words))

    @cached_property
    def nobodies(self) -> frozenset[frozenset[str]]:
        """Whole names that name nobody, each as its parts."""
        return frozenset(frozenset(w.casefold().split()) for w in self.placeholder_names.words)

    def says_birth(self, day: date) -> bool:
        """Return whether a date of birth can be one of a patient, and is no placeholder."""
        return day >= self.born_from.date and day not in self._no_births

    def column(self, heading: str) -> Named | None:
        """Return how a column names a person, or None where its heading does not say so.

        Examples:
            >>> words = identity_words()
            >>> words.column("Patient No."), words.column("User"), words.column("Unit")
            ('number', 'user', None)
        """
        return self._columns.get(_plain(heading))

    @cached_property
    def _no_births(self) -> frozenset[date]:
        return frozenset(row.date for row in self.placeholder_births)

    @cached_property
    def _columns(self) -> Mapping[str, Named]:
        return {_plain(word): key for key, row in self.columns.items() for word in row.words}


@cache
def identity_words() -> IdentityWords:
    """Return the packaged rows.

    Raises:
        ReferenceDataError: A row is not valid.
    """
    return load(FILE, IdentityWords)


def _plain(text: str) -> str:
    words = unicodedata.normalize("NFKC", text).replace("_", " ").split()
    return " ".join(words).casefold().strip(" :.*")
