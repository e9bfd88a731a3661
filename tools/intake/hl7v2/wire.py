"""The messages in a file's bytes: single, several, in a batch, or in MLLP frames.

HL7 v2.5.1, 2.10.3 (batch) and the MLLP block format (HL7 Transport: MLLP, Release 1). A segment
ends with a carriage return; files with other line ends are read too.
"""

import codecs
import re
from dataclasses import dataclass

from knowledge.errors import TooLargeError, UnreadableError

START, END = b"\x0b", b"\x1c"
"""First and last byte of an MLLP block; a carriage return follows the last."""

MAX_MESSAGES = 5_000
"""Messages in one file of one patient's visit."""

_LEAST = {b"OBX": 11, b"OBR": 4, b"PID": 5}
"""Last required field of a segment (HL7 v2.5.1, chapters 3, 4 and 7)."""

_LINE = re.compile(rb"\r\n|\r|\n")
_HEAD = re.compile(rb"MSH[^0-9A-Za-z\r\n\s]")
_ENVELOPE = re.compile(rb"(FHS|BHS|BTS|FTS)([^0-9A-Za-z\r\n\s]|$)")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MARKED = (*_UTF16, codecs.BOM_UTF8)


@dataclass(frozen=True, slots=True)
class RawMessage:
    """One message exactly as it came.

    Args:
        number: Counts from 1 in its file.
        data: Its bytes, from MSH on.
        is_utf8: Whether the file itself says so, by its byte order mark or as UTF-16.
    """

    number: int
    data: bytes
    is_utf8: bool = False


@dataclass(frozen=True, slots=True)
class Messages:
    """The messages of one file, and what of it belongs to none."""

    messages: tuple[RawMessage, ...]
    problems: tuple[str, ...] = ()


def is_hl7v2(head: bytes) -> bool:
    r"""Return whether a content begins as HL7 v2 does, behind a byte order mark or a frame.

    Examples:
        >>> is_hl7v2(b"\x0bMSH|^~\\&|LAB"), is_hl7v2(b"FHS|^~\\&|"), is_hl7v2(b"MSHA says")
        (True, True, False)
    """
    if head.startswith(_UTF16):
        head = head[: len(head) // 2 * 2].decode("utf-16", errors="replace").encode()
    text = _bare(head).lstrip(b"\r\n\t \x0b")
    return _HEAD.match(text) is not None or re.match(rb"(FHS|BHS)[^\w\s]", text) is not None


def split_file(content: bytes, file: str) -> Messages:
    """Return the messages of a file; what stands outside of them is told.

    Raises:
        UnreadableError: There is none, or the file is marked as UTF-16 and is not.
        TooLargeError: More than `MAX_MESSAGES`.
    """
    content, is_utf8 = _plain(content, file)
    found: list[list[bytes]] = []
    problems: list[str] = []
    stray = 0
    declared: list[tuple[str, int]] = []
    for line in map(_bare, _LINE.split(content.replace(START, b"\r").replace(END, b"\r"))):
        envelope = _ENVELOPE.match(line)
        if _HEAD.match(line):
            found.append([line])
        elif envelope is not None:
            declared += _declared(envelope, line)
        elif found:
            found[-1].append(line)
        elif line.strip():
            stray += 1
    if not found:
        raise UnreadableError(file, "holds no HL7 v2 message (no MSH segment)", "export it again")
    if len(found) > MAX_MESSAGES:
        raise TooLargeError(file, f"over {MAX_MESSAGES} messages", "give one patient's visit")
    if stray:
        problems.append(f"{stray} lines before the first MSH segment belong to no message")
    problems += _cut(content, found[-1])
    problems += [
        f"{segment} says {number} messages or batches, the file holds {len(found)} messages"
        for segment, number in declared
        if segment == "BTS" and number != len(found) and len(declared) < 3
    ]
    messages = tuple(
        RawMessage(number, b"\r".join(lines).rstrip(b"\r\n") + b"\r", is_utf8)
        for number, lines in enumerate(found, start=1)
    )
    return Messages(messages, tuple(problems))


def _cut(content: bytes, lines: list[bytes]) -> list[str]:
    """Return what tells that a file was cut off, and take the part of a segment out of `lines`.

    A file without a last line end is common; one whose last segment then lacks a field that the
    standard requires (OBX-11, OBR-4, PID-5) was cut within it, and half a value looks like a whole
    one.
    """
    if content.count(START) > content.count(END):
        cut = "the last message has no end"
    else:
        cut = "the file ends within a segment"
    last, mark = lines[-1], lines[0][3:4]
    ended = content.rstrip(b" \t\x00").endswith((b"\r", b"\n", END))
    least = _LEAST.get(last[:3], 0)
    if not ended and len(lines) > 1 and last.count(mark) < least:
        lines.pop()
        name = last[:3].decode("ascii", "replace")
        return [f"{cut}: it was cut off, and its last segment ({name}) is not used"]
    return [f"{cut}: it was cut off"] if cut.startswith("the last message") else []


def _declared(envelope: re.Match[bytes], line: bytes) -> list[tuple[str, int]]:
    """Return how many messages a trailer says there are."""
    fields = line.split(envelope[2]) if envelope[2] else [line]
    number = fields[1].strip() if len(fields) > 1 else b""
    if envelope[1] not in (b"BTS", b"FTS") or not number.isdigit() or len(number) > 9:
        return []
    return [(envelope[1].decode(), int(number))]


def _plain(content: bytes, file: str) -> tuple[bytes, bool]:
    """Return a content without its byte order mark, and whether that says that it is UTF-8."""
    if content.startswith(_UTF16):
        try:
            return content.decode("utf-16").encode(), True
        except UnicodeError as error:
            raise UnreadableError(file, "not valid UTF-16", "export it as UTF-8") from error
    return _bare(content), content.startswith(codecs.BOM_UTF8)


def _bare(content: bytes) -> bytes:
    return content.removeprefix(codecs.BOM_UTF8)
