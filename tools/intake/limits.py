"""Reading files and compressed content within limits."""

import os
import stat
import zlib
from pathlib import Path

from knowledge.errors import TooLargeError, UnreadableError, UnsupportedError
from knowledge.settings import Settings

MIB = 1024 * 1024

MAX_MEMBERS = 10_000
"""Members of a gzip: a file in blocks of 64 KiB (BGZF) has some 1000 in the largest file read."""

_CHUNK = 256 * 1024
_FED = 64 * 1024
"""Bytes handed over at a time: what follows a member in it is copied."""


def read_bounded(path: Path, file: str, *, settings: Settings) -> bytes:
    """Return the content of a regular file.

    The file is opened without following a link and without waiting on a pipe, and its kind and
    size are taken from what was opened.

    Args:
        path: Where it is.
        file: What messages call it.
        settings: `max_file_mib`.

    Raises:
        UnsupportedError: Not a regular file.
        TooLargeError: Over the limit.
        UnreadableError: The system does not let it be read.
    """
    limit = settings.max_file_mib * MIB
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UnreadableError(file, f"cannot be opened: {error.strerror}") from error
    with os.fdopen(handle, "rb") as opened:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise UnsupportedError(file, "not a regular file (a pipe, socket or device)")
        if found.st_size > limit:
            raise _too_large(file, settings)
        try:
            content = opened.read(limit + 1)
        except OSError as error:
            raise UnreadableError(file, f"cannot be read: {error.strerror}") from error
    if len(content) > limit:
        raise _too_large(file, settings)
    return content


def gunzip(content: bytes, file: str, *, settings: Settings) -> bytes:
    """Return the one file in a gzip, expanding no further than the limits.

    Raises:
        TooLargeError: Over `max_file_mib`, over `max_expansion` times the compressed size, or of
            too many members.
        UnreadableError: Truncated or corrupted.
    """
    limit = min(settings.max_file_mib * MIB, max(len(content) * settings.max_expansion, MIB))
    parts: list[bytes] = []
    size = at = members = 0
    while (at := _after_padding(content, at)) < len(content):
        members += 1
        if members > MAX_MEMBERS:
            raise TooLargeError(file, f"a gzip of over {MAX_MEMBERS} parts", "pack it again")
        member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        while not member.eof:
            fed = content[at : at + _FED]
            try:
                part = member.decompress(fed, _CHUNK)
            except zlib.error as error:
                raise UnreadableError(file, "a corrupted gzip", "copy the file again") from error
            at += len(fed) - len(member.unused_data if member.eof else member.unconsumed_tail)
            size += len(part)
            if size > limit:
                raise TooLargeError(
                    file, "expands beyond the limits", "unpack it and give the parts needed"
                )
            if not part and not fed and not member.eof:
                raise UnreadableError(file, "a truncated gzip", "copy the file again")
            parts.append(part)
    return b"".join(parts)


def _after_padding(content: bytes, at: int) -> int:
    """Return where the zero bytes end that may stand between and after the members of a gzip."""
    while at < len(content) and content[at] == 0:
        block = content[at : at + _FED]
        at += len(block) - len(block.lstrip(b"\x00"))
    return at


def _too_large(file: str, settings: Settings) -> TooLargeError:
    return TooLargeError(
        file,
        f"over {settings.max_file_mib} MiB",
        "give the part needed, or raise EPICRISIS_MAX_FILE_MIB",
    )
