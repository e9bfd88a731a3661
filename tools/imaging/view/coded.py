"""What a compressed frame says of itself, before anything is decoded.

A decoder trusts the size that the compressed data state, and some decoders give what they have of
data that end early. Both are found here, from the markers alone.
"""

from knowledge.errors import TooLargeError, UnreadableError
from tools.imaging.dicom_object import AGAIN

_J2K = b"\xff\x4f\xff\x51"
"""Start of a JPEG 2000 codestream and its size marker (ISO/IEC 15444-1 A.4, A.5)."""

_JP2 = b"\x00\x00\x00\x0cjP  "
_JPEG = b"\xff\xd8"
_END = b"\xff\xd9"
"""End of image (ITU T.81) and end of codestream (ISO/IEC 15444-1) are the same two bytes."""

_TAIL = 64
"""Bytes at the end in which the end marker is looked for: fragments are padded."""

Size = tuple[int, int]
"""Rows and columns."""


def check_frame(data: bytes, *, file: str, rows: int, columns: int) -> None:
    """Refuse a compressed frame that is larger than its header says, or that ends early.

    Args:
        data: One compressed frame.
        file: Name, for messages.
        rows: As the header states.
        columns: As the header states.

    Raises:
        TooLargeError: The compressed data state another size.
        UnreadableError: They end before their end.
    """
    size = stated_size(data)
    if size is None:
        return
    if size != (rows, columns):
        raise TooLargeError(
            file,
            f"its compressed pixels are {size[1]} x {size[0]}, its header says {columns} x {rows}",
            AGAIN,
        )
    if _END not in data[-_TAIL:]:
        raise UnreadableError(file, "its compressed pixels end early", AGAIN)


def stated_size(data: bytes) -> Size | None:
    """Return rows and columns of a JPEG, JPEG-LS or JPEG 2000 frame; None for what is neither.

    Examples:
        >>> stated_size(bytes.fromhex("ff4fff51002900000000020000000100"
        ...     "0000000000000000000002000000010000000000000000000001070101"))
        (256, 512)
        >>> stated_size(b"not compressed") is None
        True
    """
    at = data.find(_J2K, 0, 4096) if data[:8] == _JP2 else (0 if data[:4] == _J2K else -1)
    if at >= 0:
        return _j2k(data[at:])
    return _jpeg(data) if data[:2] == _JPEG else None


def _j2k(data: bytes) -> Size | None:
    if len(data) < 24:
        return None
    width, height, left, top = (int.from_bytes(data[i : i + 4], "big") for i in (8, 12, 16, 20))
    return height - top, width - left


def _jpeg(data: bytes) -> Size | None:
    """Return the size in the start-of-frame marker (ITU T.81 B.2.2; T.87 C.2.2)."""
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in (0xFF, 0x01) or 0xD0 <= marker <= 0xD8:
            at += 1 if marker == 0xFF else 2
            continue
        if marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):
            rows = int.from_bytes(data[at + 5 : at + 7], "big")
            return rows, int.from_bytes(data[at + 7 : at + 9], "big")
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
