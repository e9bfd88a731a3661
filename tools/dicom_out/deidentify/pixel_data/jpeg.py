"""JPEG and JPEG-LS streams (ITU-T T.81 annex B, T.87): what is no picture is overwritten."""

import re

_MARKER = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")
_SOI, _EOI, _SOS, _COM = 0xD8, 0xD9, 0xDA, 0xFE
_TABLES = frozenset({*range(0xC0, 0xD0), *range(0xDA, 0xE0), 0xF7, 0xF8}) - {0xC8}
_KEPT = {0xE0: (b"JFIF\x00", 12), 0xE8: (b"mrfx", 5), 0xEE: (b"Adobe", 12)}
"""How the colours are coded: marker, how its content begins, and how many bytes of it are kept."""


def blank(stream: bytearray) -> None:
    """Overwrite comments, application data and what follows the end with zeros, in place.

    Raises:
        ValueError: Not built as a JPEG stream.
    """
    at = 2
    while True:
        if at + 2 > len(stream) or stream[at] != 0xFF:
            raise ValueError("no marker where one must be")
        marker = stream[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == _EOI:
            stream[at + 2 :] = bytes(len(stream) - at - 2)
            return
        end = at + 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
        if end > len(stream) or end < at + 4:
            raise ValueError("a segment is longer than the stream")
        if marker == _COM or 0xE0 <= marker <= 0xEF:
            _zero(stream, at + 4, end, marker)
        elif marker not in _TABLES:
            raise ValueError(f"segment FF{marker:02X}")
        at = end
        if marker == _SOS:
            found = _MARKER.search(stream, at)
            if found is None:
                return
            at = found.start()


def _zero(stream: bytearray, start: int, end: int, marker: int) -> None:
    begins, count = _KEPT.get(marker, (b"\xff", 0))
    kept = start + count if stream[start : start + len(begins)] == begins else start
    kept = min(kept, end)
    stream[kept:end] = bytes(end - kept)
