"""HTML to blocks: what a reader of the page would see, and notes of what was hidden from them."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field

from bs4 import BeautifulSoup, MarkupResemblesLocatorWarning, XMLParsedAsHTMLWarning
from bs4.element import Comment, NavigableString, PreformattedString, Tag

from knowledge.errors import UnreadableError
from knowledge.ingest.extracted import Extracted, Format, Note, NoteKind, PageText, assembled
from knowledge.ingest.sniff import text_of
from knowledge.ingest.style import (
    Declarations,
    declarations,
    not_judged,
    struck,
    why_hidden,
    why_unseen,
)
from knowledge.plain_text import visible

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_SILENT = frozenset({"script", "style", "template", "head", "meta", "link", "noscript", "datalist"})
_LEFT_OUT = frozenset(
    {"nav", "iframe", "object", "embed", "svg", "canvas", "audio", "video", "form", "button"}
    | {"select", "textarea", "input", "img", "map", "math", "dialog"}
)
_INLINE = frozenset(
    {"a", "abbr", "b", "bdi", "bdo", "cite", "code", "dfn", "em", "font", "i", "ins", "kbd"}
    | {"label", "mark", "q", "samp", "small", "span", "strong", "time", "u"}
    | {"var", "wbr", "tt", "big", "data", "output", "acronym", "ruby", "rt", "rp"}
)
_STRUCK = frozenset({"del", "s", "strike"})
_OFF_THE_LINE = {"sup": "^(", "sub": "_("}
"""How raised and lowered text is told: "10" and a raised "3" are never "103"."""
_DEEPEST = 200
"""Elements within each other; a document has below 50. Reading takes two Python frames for each."""
_SHOWN, _MOST_SHOWN = 40, 8
"""Characters of a style rule in a note, and rules in it."""


@dataclass
class _Reading:
    page: PageText
    styles: dict[int, Declarations]
    words: list[str] = field(default_factory=list)
    preformatted: int = 0

    def flush(self, *, level: int = 0) -> None:
        """End a block."""
        lines = (" ".join(line.split()) for line in "".join(self.words).split("\n"))
        self.words = []
        self.page.add("\n".join(line for line in lines if line), level=level)


def read_html(content: bytes, *, name: str) -> Extracted:
    """Return the document; scripts, styles, navigation, forms and hidden text are left out.

    Raises:
        UnreadableError: Not text of a known encoding, or nested too deep.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)
        warnings.simplefilter("ignore", MarkupResemblesLocatorWarning)
        try:
            soup = BeautifulSoup(text_of(content, name=name), "html.parser")
        except (RecursionError, AssertionError, ValueError) as error:
            raise UnreadableError(name, "is not HTML that can be read") from error
    if _depth(soup) > _DEEPEST:
        raise UnreadableError(name, f"has elements nested over {_DEEPEST} deep")
    page = PageText(number=None, index=0)
    reading = _Reading(page=page, styles=declarations(soup))
    _walk(soup, reading)
    reading.flush()
    return assembled(Format.HTML, [page], (*_sheets_elsewhere(soup), *_not_told(soup)))


def _walk(parent: Tag, reading: _Reading) -> None:
    for node in parent.children:
        if isinstance(node, Tag):
            _element(node, reading)
        elif isinstance(node, Comment):
            if node.strip():
                reading.page.left_out(NoteKind.HIDDEN_TEXT, "comment", str(node))
        elif isinstance(node, NavigableString) and not isinstance(node, PreformattedString):
            _say(str(node), parent, reading)


def _say(text: str, parent: Tag, reading: _Reading) -> None:
    why = why_unseen(parent, reading.styles) if text.strip() else ""
    if why:
        reading.page.left_out(NoteKind.HIDDEN_TEXT, why, text, count=len(text.strip()))
    else:
        reading.words.append(text if reading.preformatted else _one_line(text))


def _element(element: Tag, reading: _Reading) -> None:
    name = element.name.lower()
    if name in _SILENT:
        return
    why = why_hidden(element, reading.styles)
    if not why and (name in _STRUCK or struck(element, reading.styles)):
        why = "struck out"
    if why or name in _LEFT_OUT:
        _leave_out(element, name, why, reading)
    elif name in _OFF_THE_LINE:
        reading.words.append(_OFF_THE_LINE[name])
        _walk(element, reading)
        reading.words.append(")")
    elif name == "br":
        reading.words.append("\n")
    elif name in _INLINE:
        _walk(element, reading)
    elif name in _HEADINGS:
        reading.flush()
        _walk(element, reading)
        reading.flush(level=_HEADINGS[name])
    elif name == "tr":
        reading.flush()
        _row(element, reading)
        reading.flush()
    else:
        reading.flush()
        reading.preformatted += name == "pre"
        _walk(element, reading)
        reading.flush()
        reading.preformatted -= name == "pre"


def _row(element: Tag, reading: _Reading) -> None:
    """Read a table row as one block, its cells apart."""
    first = True
    for cell in element.children:
        if isinstance(cell, Tag) and cell.name in ("td", "th"):
            if why_hidden(cell, reading.styles):
                _element(cell, reading)
                continue
            if not first:
                reading.words.append(" | ")
            first = False
            _walk(cell, reading)
        elif isinstance(cell, Tag):
            _element(cell, reading)


def _leave_out(element: Tag, name: str, why: str, reading: _Reading) -> None:
    text = element.get_text(" ")
    if why and text.strip():
        reading.page.left_out(NoteKind.HIDDEN_TEXT, why, text, count=len(text.strip()))
    elif not why:
        spoken = text.strip() or str(element.get("alt") or "")
        reading.page.left_out(NoteKind.LEFT_OUT, name, spoken)


def _one_line(text: str) -> str:
    """Return running text with its line breaks as spaces; white space is joined at the flush."""
    return text.replace("\r", " ").replace("\n", " ")


def _depth(soup: BeautifulSoup) -> int:
    deepest, stack = 0, [(soup, 0)]
    while stack:
        element, depth = stack.pop()
        deepest = max(deepest, depth)
        stack.extend((child, depth + 1) for child in element.children if isinstance(child, Tag))  # type: ignore[misc]
    return deepest


def _sheets_elsewhere(soup: BeautifulSoup) -> Iterator[Note]:
    sheets = [e for e in soup.find_all("link") if "stylesheet" in (e.get("rel") or ())]
    if sheets:
        yield Note(
            kind=NoteKind.LEFT_OUT,
            detail="style sheets in other files: text they hide is not known",
            count=len(sheets),
        )


def _not_told(soup: BeautifulSoup) -> Iterator[Note]:
    """Yield what running text cannot tell: words made by a style sheet, cells over several rows."""
    if unclear := not_judged(soup):
        yield Note(
            kind=NoteKind.LEFT_OUT,
            detail="style that may hide text and is not judged, so look at the original: "
            + ", ".join(visible(text)[:_SHOWN] for text in unclear[:_MOST_SHOWN]),
            count=len(unclear),
        )
    made = sum(sheet.get_text().count("content:") for sheet in soup.find_all("style"))
    if made:
        yield Note(
            kind=NoteKind.LEFT_OUT, detail="words that a style sheet puts in: not read", count=made
        )
    spans = [c for c in soup.find_all(["td", "th"]) if c.get("rowspan", "1") != "1"]
    if spans:
        yield Note(
            kind=NoteKind.LEFT_OUT,
            detail="table cells over several rows: their words stand in the first row alone",
            count=len(spans),
        )
