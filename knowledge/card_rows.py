"""The shape of a file of guideline cards under ``knowledge/data/cards``."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from knowledge.card_numbers import numbers
from knowledge.model import Frozen
from knowledge.reference import Review, Table

Key = Annotated[str, StringConstraints(pattern=r"[a-z0-9]+(-[a-z0-9]+)*")]
SentenceKey = Annotated[str, StringConstraints(pattern=r"s[1-9]\d*")]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Bilingual(Frozen):
    """The same words in English and in Chinese, with the same numbers."""

    en: Text
    zh: Text

    @model_validator(mode="after")
    def _same_numbers(self) -> Self:
        english, chinese = numbers(self.en), numbers(self.zh)
        if english != chinese:
            differ = sorted((english - chinese) + (chinese - english))
            raise ValueError(f"numbers differ between the languages: {', '.join(map(str, differ))}")
        return self


class SentenceRow(Bilingual):
    """One statement; what it does not say itself it takes from its card.

    Args:
        source: Key of the source, where it is another one than the card's.
        review: Review tag, where it is another one than the card's.
        strength: Class of recommendation as the source grades it.
        numbers_from: Reference rows whose numbers it restates, see `knowledge.card_numbers`.
    """

    source: str | None = None
    review: str | None = None
    strength: str | None = None
    numbers_from: tuple[str, ...] = ()


class CardRow(Frozen):
    """One card.

    Args:
        title: What it is about.
        population: Whom it is about; None for everybody.
        source: Key of its source in the file.
        review: Review tag.
        topics: Keys such as ``acs``, ``pe``, ``troponin``.
        terms: Words a reader may search for, abbreviations too, English and Chinese.
        strength: Class of recommendation as the source grades it, of all its sentences.
        date: Day the summary was written, where it is another one than the file's.
        superseded_by: Id of the card that replaced it.
        about: Reference rows it explains, ``<file>`` or ``<file>:<row>``.
        sentences: The statements, each to be understood alone.
    """

    title: Bilingual
    population: Bilingual | None = None
    source: str
    review: str
    topics: tuple[Key, ...] = Field(min_length=1)
    terms: tuple[Text, ...] = Field(min_length=1)
    strength: str | None = None
    date: dt.date | None = None
    superseded_by: Key | None = None
    about: tuple[str, ...] = ()
    sentences: Mapping[SentenceKey, SentenceRow] = Field(min_length=1)


class CardFile(Table):
    """One file of cards: one group of recommendations."""

    date: dt.date
    cards: Mapping[Key, CardRow] = Field(min_length=1)

    @model_validator(mode="after")
    def _sources_and_reviews_are_known(self) -> Self:
        for key, card in self.cards.items():
            rows: list[CardRow | SentenceRow] = [card, *card.sentences.values()]
            for row in rows:
                if row.source is not None and row.source not in self.sources:
                    raise ValueError(f"{key}: {row.source} is not listed in `sources`")
                if row.review is not None:
                    Review(tag=row.review)
        return self
