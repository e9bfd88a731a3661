"""What a search returns: a passage of guideline knowledge, and where it stands.

A passage is one of our own summaries (a card's sentence) or the original text of a document that
an administrator has taken in. Only the second may be called a quote.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal, Protocol

from pydantic import NonNegativeInt, PositiveInt

from knowledge.model import Frozen
from knowledge.reference import Citation

Language = Literal["en", "zh"]


class Origin(Frozen):
    """Where an original stands in its document.

    Args:
        document: Id of the document and its version.
        page: From 1; None for formats without pages.
        start, end: Half-open span of characters in the text of the page, or of the document where
            there are no pages.
        heading: The headings above it, outermost first.
    """

    document: str
    page: PositiveInt | None = None
    start: NonNegativeInt
    end: NonNegativeInt
    heading: tuple[str, ...] = ()


class Passage(Frozen):
    """One statement of guideline knowledge, in one language.

    Args:
        id: Stable key: ``card:<card>#<sentence>.<language>`` or ``doc:<document>#<n>``.
        kind: `summary` (our own words) or `original` (a document's words).
        title: Of the card or document.
        text: The statement.
        language: Of the text.
        label: How the wording is to be read, for example "Epicrisis summary of ..., not verbatim".
        topics: Keys such as ``acs``, ``pe``, ``troponin``.
        population: Whom it is about; empty for everybody.
        strength: Class of recommendation and level of evidence as graded by the source.
        citation: The source with its review state and licence.
        published: Date or year of the source, as a date.
        superseded_by: Id of what replaced it; such a passage is not found unless asked for.
        origin: For an original.
    """

    id: str
    kind: Literal["summary", "original"]
    title: str
    text: str
    language: Language
    label: str
    topics: tuple[str, ...] = ()
    population: str = ""
    strength: str | None = None
    citation: Citation
    published: date | None = None
    superseded_by: str | None = None
    origin: Origin | None = None


class Filter(Frozen):
    """Which passages may be found.

    Args:
        topics: At least one of these; empty for all.
        population: Equal to this, or without a population; None for all.
        kinds: Summaries, originals or both.
        published_from: Not older than this.
        superseded: Whether superseded passages are found too; they stay marked.
        languages: Of the text; empty for all.
    """

    topics: tuple[str, ...] = ()
    population: str | None = None
    kinds: tuple[Literal["summary", "original"], ...] = ("summary", "original")
    published_from: date | None = None
    superseded: bool = False
    languages: tuple[Language, ...] = ()


class Hit(Frozen):
    """One passage found.

    Args:
        passage: The passage.
        rank: From 1.
        score: Reciprocal-rank fusion score; only comparable within one search.
        lexical_rank, dense_rank: Its place in the two lists, where it was in them.
    """

    passage: Passage
    rank: PositiveInt
    score: float
    lexical_rank: PositiveInt | None = None
    dense_rank: PositiveInt | None = None


class Searcher(Protocol):
    """A built index over guideline knowledge."""

    @property
    def sha256(self) -> str:
        """Hash of the build: part of the provenance."""
        ...

    def search(self, query: str, *, k: int = 5, only: Filter | None = None) -> tuple[Hit, ...]:
        """Return the best passages, best first; no hit is an empty tuple, a failure raises.

        Raises:
            UnavailableError: The index or its encoder cannot be used.
        """
        ...

    def passage(self, passage_id: str) -> Passage:
        """Return one passage by its id.

        Raises:
            InvalidValueError: There is no such passage.
        """
        ...


class Embedder(Protocol):
    """Turns texts into vectors; documents and queries alike."""

    @property
    def id(self) -> str:
        """Name and hash: an index made with one embedder is not searched with another."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    def embed(self, texts: Sequence[str]) -> Any:
        """Return a float32 array ``(texts, dimension)`` of unit vectors."""
        ...
