"""Guideline knowledge as cards: our own summaries of published facts, one statement a sentence.

A card is never the wording of its source: it is labelled as a summary, and its review state is
shown with it. Files are ``knowledge/data/cards/*.yaml``, one for a group of recommendations.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType

from knowledge.card_rows import Bilingual, CardFile, CardRow, SentenceRow
from knowledge.errors import ReferenceDataError
from knowledge.model import Frozen
from knowledge.passages import Language, Passage
from knowledge.reference import Citation, Source, load, table_names

OWN = "epicrisis"
"""Key of the source of cards that are our own design."""

LANGUAGES: tuple[Language, ...] = ("en", "zh")

_FOLDER = "cards/"


class CardSentence(Bilingual):
    """One statement of a card, in English and Chinese.

    Args:
        id: ``s1``, ``s2``, ... within its card.
        review: Review tag, for example ``V:APACE`` or ``R90``.
        source: Key of its source, ``epicrisis`` for our own design.
        citation: The source with the review state in words and its licence.
        published: Date or year of the source, as a date.
        strength: Class of recommendation as the source grades it, where known.
        numbers_from: Reference rows whose numbers it restates.
    """

    id: str
    review: str
    source: str
    citation: Citation
    published: dt.date | None = None
    strength: str | None = None
    numbers_from: tuple[str, ...] = ()

    def text(self, language: Language) -> str:
        """Return the statement in a language."""
        return self.en if language == "en" else self.zh

    @property
    def label(self) -> str:
        """How the wording is to be read."""
        if self.source == OWN:
            return "Epicrisis design choice, not from a guideline"
        return f"Epicrisis summary of {self.citation.label}, not verbatim"


class Card(Frozen):
    """One card.

    Args:
        id: Stable key.
        table: Reference file it stands in.
        title: What it is about.
        population: Whom it is about; None for everybody.
        topics: Keys such as ``acs``, ``pe``, ``troponin``.
        terms: Words a reader may search for, English and Chinese.
        date: Day the summary was written.
        superseded_by: Id of the card that replaced it.
        about: Reference rows it explains.
        sentences: The statements, in order.
    """

    id: str
    table: str
    title: Bilingual
    population: Bilingual | None = None
    topics: tuple[str, ...]
    terms: tuple[str, ...]
    date: dt.date
    superseded_by: str | None = None
    about: tuple[str, ...] = ()
    sentences: tuple[CardSentence, ...]

    @property
    def sources(self) -> frozenset[str]:
        """Keys of the sources of its sentences."""
        return frozenset(sentence.source for sentence in self.sentences)

    def passage_id(self, sentence: CardSentence, language: Language) -> str:
        """Return the id under which a sentence is searched and cited."""
        return f"card:{self.id}#{sentence.id}.{language}"


def card_file(name: str) -> CardFile:
    """Return one packaged file of cards by its name below ``cards``, validated."""
    return load(_FOLDER + name, CardFile)


@cache
def load_cards() -> Mapping[str, Card]:
    """Return every packaged card by id.

    Raises:
        ReferenceDataError: A file is not valid, an id stands twice, or a card names a successor
            that does not exist.
    """
    found: dict[str, Card] = {}
    for table in table_names():
        if not table.startswith(_FOLDER):
            continue
        file = card_file(table.removeprefix(_FOLDER))
        for key, row in file.cards.items():
            if key in found:
                raise ReferenceDataError(f"{table}.yaml: {key}", f"also in {found[key].table}.yaml")
            found[key] = _card(key, table, file, row)
    for card in found.values():
        if card.superseded_by is not None and card.superseded_by not in found:
            raise ReferenceDataError(f"{card.table}.yaml: {card.id}", "its successor is no card")
    return MappingProxyType(found)


@cache
def card_passages() -> tuple[Passage, ...]:
    """Return one passage for every sentence in every language, in the order of the files.

    The population of a passage is the English wording in both languages: it is a key to filter by.
    """
    return tuple(
        passage
        for card in load_cards().values()
        for sentence in card.sentences
        for passage in _passages(card, sentence)
    )


def _passages(card: Card, sentence: CardSentence) -> Iterator[Passage]:
    for language in LANGUAGES:
        yield Passage(
            id=card.passage_id(sentence, language),
            kind="summary",
            title=card.title.en if language == "en" else card.title.zh,
            text=sentence.text(language),
            language=language,
            label=sentence.label,
            topics=card.topics,
            population=card.population.en if card.population else "",
            strength=sentence.strength,
            citation=sentence.citation,
            published=sentence.published,
            superseded_by=card.superseded_by,
        )


def _card(key: str, table: str, file: CardFile, row: CardRow) -> Card:
    return Card(
        id=key,
        table=table,
        title=row.title,
        population=row.population,
        topics=row.topics,
        terms=row.terms,
        date=row.date or file.date,
        superseded_by=row.superseded_by,
        about=row.about,
        sentences=tuple(_sentence(k, table, file, row, s) for k, s in row.sentences.items()),
    )


def _sentence(
    key: str, table: str, file: CardFile, card: CardRow, row: SentenceRow
) -> CardSentence:
    source, review = row.source or card.source, row.review or card.review
    citation = file.cite(table, source, review)
    if source == OWN:
        own = "a choice of this project, to be reviewed by a clinician"
        citation = citation.model_copy(update={"review": own})
    return CardSentence(
        id=key,
        en=row.en,
        zh=row.zh,
        review=review,
        source=source,
        citation=citation,
        published=_published(file.sources[source]),
        strength=row.strength or card.strength,
        numbers_from=row.numbers_from,
    )


def _published(source: Source) -> dt.date | None:
    if source.year is not None:
        return dt.date(source.year, 1, 1)
    return dt.date.fromisoformat(source.seen_on) if source.seen_on else None
