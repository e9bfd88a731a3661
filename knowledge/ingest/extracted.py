"""What a reader makes of a document: pages of text, blocks upon them, and what was left out."""

from collections.abc import Iterable
from enum import StrEnum

from pydantic import NonNegativeInt, PositiveInt

from knowledge.ingest.invisible import Cleaned, clean
from knowledge.model import Frozen
from knowledge.plain_text import visible

_EXCERPT = 240
"""Characters of left-out text that a note shows."""


class Format(StrEnum):
    """The formats taken, as sniffed from the content."""

    PDF = "pdf"
    HTML = "html"
    DOCX = "docx"
    MARKDOWN = "markdown"


class NoteKind(StrEnum):
    """What the reviewer must know about how a document was read."""

    HIDDEN_TEXT = "hidden text left out"
    INVISIBLE_CHARACTERS = "invisible or control characters dropped"
    NO_TEXT = "page without text"
    LEFT_OUT = "part not read"
    RECOGNISED = "text recognised from a picture"
    NAME = "file name and content differ"
    RIGHTS = "restricted by its author"
    UNDECODED = "characters that could not be decoded"


class Note(Frozen):
    """One thing the reviewer must know about how a document was read.

    Args:
        kind: What happened.
        detail: In words; safe to show.
        count: How often, in characters or parts.
        page: From 1, where the document has pages.
        excerpt: The beginning of the text that was left out; safe to show, never searched.
    """

    kind: NoteKind
    detail: str
    count: PositiveInt = 1
    page: PositiveInt | None = None
    excerpt: str = ""


class Page(Frozen):
    """The text of a page, or of a document without pages; every span is of this text.

    Args:
        number: From 1; None for formats without pages.
        text: Without control, direction and invisible characters, and without hidden text.
    """

    number: PositiveInt | None
    text: str


class Block(Frozen):
    """A paragraph or heading upon a page.

    Args:
        page: Index of the page, from 0.
        start, end: Half-open span in the text of the page.
        level: 0 for a paragraph, 1 (outermost) to 6 for a heading.
    """

    page: NonNegativeInt
    start: NonNegativeInt
    end: NonNegativeInt
    level: NonNegativeInt = 0


class Extracted(Frozen):
    """A document as read.

    Args:
        format: As sniffed.
        pages: With the text that a reader sees.
        blocks: Upon the pages, in order.
        notes: What the reviewer must know.
        left_out: The whole of each text that was left out; screened, never stored or searched.
    """

    format: Format
    pages: tuple[Page, ...]
    blocks: tuple[Block, ...]
    notes: tuple[Note, ...] = ()
    left_out: tuple[str, ...] = ()


class PageText:
    """Builds the text of one page block by block."""

    def __init__(self, *, number: int | None, index: int) -> None:
        self.number = number
        self.index = index
        self.blocks: list[Block] = []
        self._notes: dict[tuple[NoteKind, str], Note] = {}
        self.unseen: list[str] = []
        self._parts: list[str] = []
        self._length = 0
        self._dropped: dict[str, int] = {}

    @property
    def notes(self) -> tuple[Note, ...]:
        """What the reviewer must know about the page."""
        return tuple(self._notes.values())

    @property
    def length(self) -> int:
        """Characters so far."""
        return self._length

    def add(self, text: str, *, level: int = 0) -> None:
        """Add a paragraph, or a heading of a level; text without a visible character adds none."""
        cleaned = clean(text)
        self._count(cleaned)
        body = cleaned.text.strip()
        if not body:
            return
        if self._parts:
            self._parts.append("\n\n")
            self._length += 2
        start = self._length
        self._parts.append(body)
        self._length += len(body)
        self.blocks.append(Block(page=self.index, start=start, end=self._length, level=level))

    def left_out(self, kind: NoteKind, detail: str, text: str = "", *, count: int = 1) -> None:
        """Note what was left out of the page; notes of one kind and detail become one."""
        if text.strip():
            self.unseen.append(text)
        detail = visible(detail)[:_EXCERPT]
        before = self._notes.get((kind, detail))
        shown = (before.excerpt if before else "", excerpt(text))
        self._notes[kind, detail] = Note(
            kind=kind,
            detail=detail,
            count=max(count, 1) + (before.count if before else 0),
            page=self.number,
            excerpt=" / ".join(filter(None, shown))[:_EXCERPT],
        )

    def page(self) -> Page:
        """Return the page; what was dropped from it is then in `notes`."""
        if self._dropped:
            kinds = ", ".join(f"{name} x {n}" for name, n in sorted(self._dropped.items()))
            self.left_out(NoteKind.INVISIBLE_CHARACTERS, kinds, count=sum(self._dropped.values()))
            self._dropped = {}
        return Page(number=self.number, text="".join(self._parts))

    def _count(self, cleaned: Cleaned) -> None:
        for name, n in cleaned.dropped.items():
            self._dropped[name] = self._dropped.get(name, 0) + n


def excerpt(text: str) -> str:
    """Return the beginning of text that was left out, safe to show."""
    return visible(" ".join(clean(text).text.split()))[:_EXCERPT]


def assembled(format_: Format, pages: Iterable[PageText], notes: Iterable[Note] = ()) -> Extracted:
    """Return a document from its pages."""
    built = list(pages)
    texts = tuple(page.page() for page in built)
    return Extracted(
        format=format_,
        pages=texts,
        blocks=tuple(block for page in built for block in page.blocks),
        notes=(*notes, *(note for page in built for note in page.notes)),
        left_out=tuple(text for page in built for text in page.unseen),
    )
