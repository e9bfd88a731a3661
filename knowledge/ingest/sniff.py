"""What kind of document the bytes are, whatever the file is called."""

import re
import struct
import zipfile
from contextlib import suppress
from io import BytesIO
from pathlib import PurePath

from knowledge.errors import TooLargeError, UnreadableError, UnsupportedError
from knowledge.ingest.extracted import Format
from knowledge.settings import Settings

_HEAD = 1024
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_WORD_BODY = "word/document.xml"
_HTML = re.compile(
    rb"<(?:!doctype\s+html|html|head|body|title|meta|div|p|h[1-6]|table|script)\b", re.I
)
_DAMAGED = (zipfile.BadZipFile, ValueError, RuntimeError, OSError, EOFError, struct.error)
"""What zipfile lets out of a damaged archive."""

_CHARSET = re.compile(rb"<(?:meta|\?xml)\b[^>]*(?:charset|encoding)\s*=\s*[\"']?([\w-]+)", re.I)
_COMMON_BELOW = 0xD8
"""GB/T 2312 rows 16 to 55 (first byte B0 to D7) hold the characters in common use, and rows 1 to 9
the punctuation. Bytes of a Western encoding also pass as GB 18030, but give rarer characters."""

_COMMON_SHARE = 0.9

_OF_SUFFIX = {
    ".pdf": Format.PDF,
    ".html": Format.HTML,
    ".htm": Format.HTML,
    ".xhtml": Format.HTML,
    ".docx": Format.DOCX,
    ".md": Format.MARKDOWN,
    ".markdown": Format.MARKDOWN,
    ".txt": Format.MARKDOWN,
}
_TAKEN = "PDF, HTML, DOCX and Markdown are taken"


def sniff(content: bytes, *, name: str) -> Format:
    """Return the format of the content.

    Raises:
        UnreadableError: Empty, or not what a binary format's name says it is.
        UnsupportedError: Of another format.
    """
    head = content[:_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not head:
        raise UnreadableError(name, "is empty", "give the complete file")
    if b"%PDF-" in content[:_HEAD]:
        return Format.PDF
    if content.startswith(b"PK\x03\x04"):
        return _zipped(content, name)
    if content.startswith(_OLE):
        raise UnsupportedError(
            name,
            "is an old Word file or a Word file protected by a password",
            "save it as DOCX without a password",
        )
    expected = named_format(name)
    if expected in (Format.PDF, Format.DOCX):
        raise UnreadableError(
            name, f"is not a {expected.value.upper()} file, or is damaged", "give the original file"
        )
    if b"\x00" in content[:_HEAD] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnsupportedError(name, "is a binary file of another format", _TAKEN)
    if _HTML.match(head) or (head.startswith((b"<!--", b"<?xml")) and _HTML.search(head)):
        return Format.HTML
    if expected is Format.HTML and _HTML.search(content):
        return Format.HTML
    if expected is None:
        raise UnsupportedError(name, "is text of an unknown kind", f"{_TAKEN}; name it .md")
    return Format.MARKDOWN


def named_format(name: str) -> Format | None:
    """Return the format that the file's name promises; None for an unknown ending."""
    return _OF_SUFFIX.get(PurePath(name).suffix.lower())


def check_archive(content: bytes, *, name: str, settings: Settings) -> None:
    """Make sure that a zipped document is neither a compression bomb nor encrypted.

    Raises:
        UnreadableError: Damaged or encrypted.
        TooLargeError: Over `max_document_mib` or `max_expansion`, or of too many parts.
    """
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            parts = archive.infolist()
    except _DAMAGED as error:
        raise UnreadableError(name, "is a damaged archive", "give the original file") from error
    if any(part.flag_bits & 1 for part in parts):
        raise UnreadableError(name, "is encrypted", "save it without a password")
    if len(parts) > settings.max_files:
        raise TooLargeError(name, f"has over {settings.max_files} parts")
    for part in parts:
        if part.file_size > settings.max_file_mib << 20:
            raise TooLargeError(name, f"a part expands to over {settings.max_file_mib} MiB")
    total = sum(part.file_size for part in parts)
    if total > max(len(content) * settings.max_expansion, 1 << 20):
        raise TooLargeError(
            name,
            f"expands to over {settings.max_expansion} times its size",
            "a document does not do that; if it is genuine, raise EPICRISIS_MAX_EXPANSION",
        )


def text_of(content: bytes, *, name: str) -> str:
    """Return text bytes as text: UTF-8, UTF-16 with its mark, as declared, or GB 18030.

    Raises:
        UnreadableError: In none of these.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        declared = _CHARSET.search(content[:_HEAD])
        encodings = ["utf-8-sig", *([declared[1].decode()] if declared else ())]
    for encoding in encodings:
        with suppress(UnicodeDecodeError, LookupError):
            return content.decode(encoding)
    with suppress(UnicodeDecodeError):
        text = content.decode("gb18030")
        foreign = [c.encode("gb2312", "replace") for c in text if not c.isascii()]
        common = sum(len(c) == 2 and c[0] < _COMMON_BELOW for c in foreign)
        if common >= _COMMON_SHARE * len(foreign):
            return text
    raise UnreadableError(name, "is text of an unknown encoding", "save it as UTF-8")


def _zipped(content: bytes, name: str) -> Format:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            names = set(archive.namelist())
    except _DAMAGED as error:
        raise UnreadableError(name, "is a damaged archive", "give the original file") from error
    if _WORD_BODY in names:
        return Format.DOCX
    raise UnsupportedError(name, "is an archive, but not a Word document", _TAKEN)
