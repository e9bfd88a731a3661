"""A file to what is stored of it: text, passages, and what the reviewer must look at."""

from pathlib import Path

from knowledge.errors import TooLargeError, UnreadableError
from knowledge.ingest.addressed_to_ai import Flag, flags
from knowledge.ingest.chunks import Chunk, chunks
from knowledge.ingest.extracted import Extracted, Format, Note, NoteKind
from knowledge.ingest.sniff import named_format, sniff
from knowledge.model import Frozen
from knowledge.plain_text import visible
from knowledge.settings import Settings

READER = "1"
"""Version of the reading rules. A document keeps the passages it was reviewed with."""

LEFT_OUT = "left out"


class Read(Frozen):
    """A file as read.

    Args:
        extracted: Its text and blocks.
        passages: Spans upon its pages.
        flags: Text that addresses an AI, by passage number from 1 or `LEFT_OUT`.
    """

    extracted: Extracted
    passages: tuple[Chunk, ...]
    flags: tuple[Flag, ...]


def read(content: bytes, *, name: str, settings: Settings) -> Read:
    """Return a file's text, its passages and its flags; the same bytes give the same result.

    Raises:
        UnreadableError: Damaged, protected, or without text.
        UnsupportedError: Not a PDF, HTML, DOCX or Markdown file.
        TooLargeError: Over a limit.
    """
    extracted = extract(content, name=name, settings=settings)
    passages = chunks(extracted)
    if not passages:
        raise UnreadableError(name, "has no text", "give the document itself")
    found: list[Flag] = []
    for number, chunk in enumerate(passages, start=1):
        text = extracted.pages[chunk.page].text[chunk.start : chunk.end]
        found.extend(flags("\n".join((*chunk.heading, text)), where=f"passage {number}"))
    for left_out in extracted.left_out:
        found.extend(flags(left_out, where=LEFT_OUT))
    return Read(extracted=extracted, passages=passages, flags=tuple(found))


def extract(content: bytes, *, name: str, settings: Settings) -> Extracted:
    """Return a document's text, blocks and notes, by the format its content shows.

    Raises:
        UnreadableError: Damaged, protected, or without text.
        UnsupportedError: Not a PDF, HTML, DOCX or Markdown file.
        TooLargeError: Over a limit.
    """
    from knowledge.ingest.docx import read_docx
    from knowledge.ingest.html import read_html
    from knowledge.ingest.markdown import read_markdown
    from knowledge.ingest.pdf import read_pdf

    found = sniff(content, name=name)
    match found:
        case Format.PDF:
            extracted = read_pdf(content, name=name, settings=settings)
        case Format.HTML:
            extracted = read_html(content, name=name)
        case Format.DOCX:
            extracted = read_docx(content, name=name, settings=settings)
        case Format.MARKDOWN:
            extracted = read_markdown(content, name=name)
    if sum(len(page.text) for page in extracted.pages) > settings.max_document_mib << 20:
        raise TooLargeError(name, f"has over {settings.max_document_mib} MiB of text")
    if named_format(name) in (found, None):
        return extracted
    odd = Note(kind=NoteKind.NAME, detail=f"is {found.value.upper()} by its content")
    return extracted.model_copy(update={"notes": (odd, *extracted.notes)})


def bytes_of(path: Path, *, settings: Settings) -> bytes:
    """Return the content of a file.

    Raises:
        UnreadableError: No such file, or it cannot be read.
        TooLargeError: Over `max_file_mib`.
    """
    name = visible(path.name)
    limit = settings.max_file_mib << 20
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise UnreadableError(name, f"cannot be read: {error.strerror}") from error
    if len(content) > limit:
        raise TooLargeError(
            name, f"is over {settings.max_file_mib} MiB", "raise EPICRISIS_MAX_FILE_MIB"
        )
    return content
