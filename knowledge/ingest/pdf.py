"""PDF to blocks: the text that a reader of the pages can see, page by page.

PDFium is not safe for several threads: one document is read at a time in a process.
"""

from collections.abc import Iterator
from typing import Any

from knowledge.errors import TooLargeError, UnreadableError
from knowledge.ingest.extracted import Extracted, Format, Note, NoteKind, PageText, assembled
from knowledge.ingest.page_layout import Line, paragraphs, usual_size, vocabulary
from knowledge.ingest.running_head import without_running_heads
from knowledge.settings import Settings

_COPY = 1 << 4
"""Bit 5 of the permissions: copying of text (ISO 32000-1, table 22)."""


def read_pdf(content: bytes, *, name: str, settings: Settings) -> Extracted:
    """Return the document; hidden text is left out with notes.

    Raises:
        UnreadableError: Damaged, protected by a password, or without any text (a scan).
        TooLargeError: Over `max_document_pages` or `max_document_mib`.
    """
    document = _opened(content, name)
    try:
        if len(document) > settings.max_document_pages:
            raise TooLargeError(
                name, f"has over {settings.max_document_pages} pages", "split it into its parts"
            )
        notes = tuple(_rights(document))
        pages, lines = _pages(document, name, settings)
    finally:
        document.close()
    if not any(lines):
        hidden = any(n.kind is NoteKind.HIDDEN_TEXT for page in pages for n in page.notes)
        reason = "no text layer" if not hidden else "no text layer that a reader could see"
        raise UnreadableError(name, reason, "recognise the scan (OCR) and proof-read it first")
    lines, heads = without_running_heads(lines)
    size, words = usual_size(lines), vocabulary(lines)
    for page, found, head in zip(pages, lines, heads, strict=True):
        if head:
            page.left_out(NoteKind.LEFT_OUT, "running head or page number", " / ".join(head))
        for paragraph in paragraphs(found, text_size=size):
            page.add(paragraph.text(words), level=paragraph.level)
        if not page.length:
            page.left_out(NoteKind.NO_TEXT, "a picture, or nothing")
    return assembled(Format.PDF, pages, notes)


def visible_lines(
    content: bytes, *, name: str, settings: Settings
) -> tuple[tuple[tuple[str, ...], ...], tuple[Note, ...]]:
    """Return the lines a reader sees, page by page, and what the reader of them must know.

    Raises:
        UnreadableError: Damaged, protected by a password, or without any text (a scan).
        TooLargeError: Over `max_document_pages` or `max_document_mib`.
    """
    document = _opened(content, name)
    try:
        if len(document) > settings.max_document_pages:
            raise TooLargeError(
                name, f"has over {settings.max_document_pages} pages", "split it into its parts"
            )
        pages, lines = _pages(document, name, settings)
    finally:
        document.close()
    if not any(lines):
        raise UnreadableError(name, "no text layer", "type the results in; a scan is not guessed")
    texts = tuple(tuple(" ".join(w.text for w in line.words) for line in page) for page in lines)
    return texts, tuple(note for page in pages for note in page.notes)


def _opened(content: bytes, name: str) -> Any:
    import pypdfium2 as pdfium  # type: ignore[import-untyped]

    try:
        document = pdfium.PdfDocument(content)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise UnreadableError(
                name, "is protected by a password", "save it without one, if its licence allows"
            ) from error
        raise UnreadableError(name, "is a damaged PDF file", "give the original file") from error
    if len(document) == 0:
        document.close()
        raise UnreadableError(name, "has no page", "give the original file")
    return document


def _pages(document: Any, name: str, settings: Settings) -> tuple[list[PageText], list[list[Line]]]:
    pages: list[PageText] = []
    lines: list[list[Line]] = []
    letters = 0
    for index in range(len(document)):
        page = PageText(number=index + 1, index=index)
        found = _page(document, index, page, name)
        letters += sum(len(word.text) + 1 for line in found for word in line.words)
        if letters > settings.max_document_mib << 20:
            raise TooLargeError(name, f"has over {settings.max_document_mib} MiB of text")
        pages.append(page)
        lines.append(found)
    return pages, lines


def _page(document: Any, index: int, built: PageText, name: str) -> list[Line]:
    import pypdfium2 as pdfium

    from knowledge.ingest.glyphs import lines
    from knowledge.ingest.on_page import seen

    try:
        page = document[index]
        text = page.get_textpage()
    except pdfium.PdfiumError as error:
        raise UnreadableError(
            name, f"page {index + 1} is damaged", "give the original file"
        ) from error
    try:
        found = lines(text, built)
        if not found:
            return []
        kept, hidden = seen(found, page)
    finally:
        text.close()
        page.close()
    for why, words in hidden.items():
        left_out = " ".join(words)
        built.left_out(NoteKind.HIDDEN_TEXT, why, left_out, count=len(left_out))
    if any(not word.drawn for line in kept for word in line.words):
        built.left_out(NoteKind.RECOGNISED, "text of a scan: compare it with the page")
    return kept


def _rights(document: Any) -> Iterator[Note]:
    import pypdfium2.raw as raw  # type: ignore[import-untyped]

    if not raw.FPDF_GetDocPermissions(document) & _COPY:
        yield Note(
            kind=NoteKind.RIGHTS,
            detail="the author does not permit copying of text: is its use covered by the licence?",
        )
