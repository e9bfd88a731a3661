"""DOCX to blocks: the text of the body as shown, with its headings and tables."""

import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from knowledge.errors import UnreadableError
from knowledge.ingest.extracted import Extracted, Format, Note, NoteKind, PageText, assembled
from knowledge.ingest.sniff import check_archive
from knowledge.settings import Settings

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_HEADING = re.compile(r"heading ([1-6])", re.IGNORECASE)
_TITLE_LEVEL = 1
_SMALLEST_HALF_POINTS = 4
"""Text of 2 points or less cannot be read on paper."""

_WHITE = re.compile(r"f[0-9a-f]f[0-9a-f]f[0-9a-f]", re.IGNORECASE)
_PARTS = {
    f"{_W}footnoteReference": "footnotes",
    f"{_W}endnoteReference": "endnotes",
    f"{_W}commentReference": "comments",
    f"{_W}drawing": "pictures and drawings",
    f"{_W}pict": "pictures and drawings",
    f"{_W}object": "embedded objects",
    f"{_W}txbxContent": "text boxes",
    f"{_W}headerReference": "page headers",
    f"{_W}footerReference": "page footers",
}
_CHANGES = {f"{_W}ins": "insertions, taken in", f"{_W}del": "deletions, left out"}
_DAMAGED = (
    SyntaxError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    EOFError,
    OSError,
    RuntimeError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
)
"""What python-docx and zipfile let out of a damaged file; an XML error of lxml is a SyntaxError."""

_NOT_ENTERED = frozenset(
    {f"{_W}del", f"{_W}moveFrom", f"{_W}txbxContent", f"{_W}drawing", f"{_W}pict", f"{_W}object"}
    | {f"{_MC}AlternateContent", f"{_W}instrText"}
)


_OFF_THE_LINE = {"superscript": "^(", "subscript": "_("}


def read_docx(content: bytes, *, name: str, settings: Settings) -> Extracted:
    """Return the document; hidden text, footnotes and text boxes are left out with notes.

    A DOCX has no pages until it is laid out, so spans are of the whole text.

    Raises:
        UnreadableError: Damaged, encrypted, or without a body.
        TooLargeError: A compression bomb.
    """
    check_archive(content, name=name, settings=settings)
    from docx import Document
    from docx.opc.exceptions import OpcError

    try:
        return _read(Document(BytesIO(content)))
    except (*_DAMAGED, OpcError) as error:
        raise UnreadableError(name, "is a damaged Word document", "give the original") from error


def _read(document: Any) -> Extracted:
    page = PageText(number=None, index=0)
    titles = _heading_styles(document)
    body = document.element.body
    for element in body:
        _block(element, page, titles)
    return assembled(Format.DOCX, [page], _unread(body))


def _block(element: Any, page: PageText, titles: dict[str, int]) -> None:
    if element.tag == f"{_W}p":
        page.add(_text(element, page), level=_level(element, titles))
    elif element.tag == f"{_W}tbl":
        for row in element.iter(f"{_W}tr"):
            cells = (
                " ".join(filter(None, (_text(p, page).strip() for p in cell.iter(f"{_W}p"))))
                for cell in row.iterchildren(f"{_W}tc")
            )
            page.add(" | ".join(cell for cell in cells if cell))
    elif element.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}customXml"):
        for child in element:
            _block(child, page, titles)


def _text(paragraph: Any, page: PageText) -> str:
    """Return the text of a paragraph as shown, and note the text that is not."""
    parts: list[str] = []
    hidden: dict[str, list[str]] = {}
    for run in _runs(paragraph):
        text = _placed(run, "".join(_characters(run)))
        why = _why_hidden(run)
        if why:
            hidden.setdefault(why, []).append(text)
        else:
            parts.append(text)
    for why, texts in hidden.items():
        text = "".join(texts)
        if text.strip():
            page.left_out(NoteKind.HIDDEN_TEXT, why, text, count=len(text.strip()))
    return "".join(parts)


def _runs(element: Any) -> Iterator[Any]:
    for child in element:
        if child.tag == f"{_W}r":
            yield child
        elif child.tag not in _NOT_ENTERED and child.tag != f"{_W}pPr":
            yield from _runs(child)


def _characters(run: Any) -> Iterator[str]:
    for child in run:
        if child.tag == f"{_W}t":
            yield child.text or ""
        elif child.tag in (f"{_W}tab", f"{_W}ptab"):
            yield "\t"
        elif child.tag in (f"{_W}br", f"{_W}cr"):
            yield "\n"
        elif child.tag == f"{_W}noBreakHyphen":
            yield "-"


def _placed(run: Any, text: str) -> str:
    """Return text that is raised or lowered as such: "10" and a raised "3" are never "103"."""
    properties = run.find(f"{_W}rPr")
    place = properties.find(f"{_W}vertAlign") if properties is not None else None
    mark = _OFF_THE_LINE.get(place.get(f"{_W}val", "")) if place is not None else None
    return f"{mark}{text})" if mark and text.strip() else text


def _why_hidden(run: Any) -> str:
    properties = run.find(f"{_W}rPr")
    if properties is None:
        return ""
    for tag in ("strike", "dstrike"):
        mark = properties.find(f"{_W}{tag}")
        if mark is not None and mark.get(f"{_W}val", "1") not in ("0", "false", "off"):
            return "struck out"
    for tag in ("vanish", "webHidden", "specVanish"):
        mark = properties.find(f"{_W}{tag}")
        if mark is not None and mark.get(f"{_W}val", "1") not in ("0", "false", "off"):
            return "hidden by the character style"
    size = properties.find(f"{_W}sz")
    if size is not None and float(size.get(f"{_W}val", "22")) <= _SMALLEST_HALF_POINTS:
        return "of no readable size"
    colour = properties.find(f"{_W}color")
    white = colour is not None and _WHITE.fullmatch(colour.get(f"{_W}val", ""))
    return "white on white" if white and not _has_ground(run) else ""


def _has_ground(run: Any) -> bool:
    """Return whether something coloured is behind a run: shading of it, its paragraph or cell."""
    for owner in (run, *run.iterancestors()):
        for kind in ("rPr", "pPr", "tcPr", "tblPr"):
            properties = owner.find(f"{_W}{kind}")
            if properties is None:
                continue
            if properties.find(f"{_W}highlight") is not None:
                return True
            shading = properties.find(f"{_W}shd")
            if shading is not None:
                fill = shading.get(f"{_W}fill", "auto")
                return fill != "auto" and not _WHITE.fullmatch(fill)
            if properties.find(f"{_W}tblStyle") is not None:
                return True
    return False


def _heading_styles(document: Any) -> dict[str, int]:
    found: dict[str, int] = {}
    for style in document.styles:
        match = _HEADING.fullmatch(style.name or "")
        if match:
            found[style.style_id] = int(match[1])
        elif (style.name or "").lower() == "title":
            found[style.style_id] = _TITLE_LEVEL
    return found


def _level(paragraph: Any, titles: dict[str, int]) -> int:
    properties = paragraph.find(f"{_W}pPr")
    style = properties.find(f"{_W}pStyle") if properties is not None else None
    return titles.get(style.get(f"{_W}val", ""), 0) if style is not None else 0


def _unread(body: Any) -> Iterator[Note]:
    parts = Counter(_PARTS[e.tag] for e in body.iter(*_PARTS))
    for name, count in sorted(parts.items()):
        yield Note(kind=NoteKind.LEFT_OUT, detail=name, count=count)
    merged = [e for e in body.iter(f"{_W}vMerge") if e.get(f"{_W}val") == "restart"]
    if merged:
        yield Note(
            kind=NoteKind.LEFT_OUT,
            detail="table cells over several rows: their words stand in the first row alone",
            count=len(merged),
        )
    changes = Counter(_CHANGES[e.tag] for e in body.iter(*_CHANGES))
    for name, count in sorted(changes.items()):
        yield Note(kind=NoteKind.LEFT_OUT, detail=f"tracked changes: {name}", count=count)
