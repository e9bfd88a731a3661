"""Reading files and compressed content within limits."""

import os
import stat
import zlib
from pathlib import Path

from knowledge.errors import TooLargeError, UnreadableError, UnsupportedError
from knowledge.settings import Settings

MIB = 1024 * 1024

_CHUNK = 256 * 1024


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
        TooLargeError: Over `max_file_mib`, or over `max_expansion` times the compressed size.
        UnreadableError: Truncated or corrupted.
    """
    limit = min(settings.max_file_mib * MIB, max(len(content) * settings.max_expansion, MIB))
    parts: list[bytes] = []
    size = 0
    left = content
    while left:
        member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        while not member.eof:
            try:
                part = member.decompress(left, _CHUNK)
            except zlib.error as error:
                raise UnreadableError(file, "a corrupted gzip", "copy the file again") from error
            left = member.unused_data if member.eof else member.unconsumed_tail
            size += len(part)
            if size > limit:
                raise TooLargeError(
                    file, "expands beyond the limits", "unpack it and give the parts needed"
                )
            if not part and not left and not member.eof:
                raise UnreadableError(file, "a truncated gzip", "copy the file again")
            parts.append(part)
        left = left.lstrip(b"\x00")
    return b"".join(parts)


def _too_large(file: str, settings: Settings) -> TooLargeError:
    return TooLargeError(
        file,
        f"over {settings.max_file_mib} MiB",
        "give the part needed, or raise EPICRISIS_MAX_FILE_MIB",
    )
