"""Whether the frames of a DICOM slide lie where its tables say (PS3.5 A.4).

OpenSlide follows a damaged table of offsets out of the file and takes the whole process down with
it, so that every table is compared with the frames before a library is given the file.
"""

import struct
from pathlib import Path
from typing import Any, BinaryIO

from knowledge.errors import UnreadableError
from tools.pathology.slide.openslide_source import AGAIN

_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_PIXELS = b"\xe0\x7f\x10\x00"
_UNDEFINED = 0xFFFFFFFF
_LONG_VR = (b"OB", b"OW")


class _DamagedError(ValueError):
    """The frames are not where they should be."""


def check_frames(path: Path) -> None:
    """Refuse a slide whose frames do not lie where its tables say, or go beyond the end.

    Args:
        path: One file of a DICOM slide, little endian.

    Raises:
        UnreadableError: They do not.
    """
    import warnings

    import pydicom

    from tools.ecg.readers.dicom import parse_errors, silence_pydicom

    silence_pydicom()
    kinds: tuple[type[Exception], ...] = (*parse_errors(), NotImplementedError, _DamagedError)
    with warnings.catch_warnings(), path.open("rb") as opened:
        warnings.simplefilter("ignore")
        try:
            header = pydicom.dcmread(opened, stop_before_pixels=True)
            _compare(opened, header, path.stat().st_size)
        except kinds as error:
            said = str(error) if isinstance(error, _DamagedError) else type(error).__name__
            raise UnreadableError(path.name, f"damaged frames ({said})", AGAIN) from error


def _compare(opened: BinaryIO, header: Any, size: int) -> None:
    frames = int(header.get("NumberOfFrames", 1) or 1)
    length = _pixels(opened, explicit=not header.file_meta.TransferSyntaxUID.is_implicit_VR)
    if length != _UNDEFINED:
        if header.file_meta.TransferSyntaxUID.is_encapsulated:
            raise _DamagedError("compressed pixels of a stated length")
        one = int(header.Rows) * int(header.Columns) * int(header.SamplesPerPixel)
        bits = frames * one * int(header.BitsAllocated)
        if length * 8 < bits or opened.tell() + length > size:
            raise _DamagedError("fewer pixels than frames")
        return
    basic = _basic_offsets(opened, size)
    found = _items(opened, size)
    extended = header.get("ExtendedOffsetTable")
    table = basic or ([] if extended is None else _numbers(bytes(extended), "Q"))
    if table and (len(table) != frames or not set(table) <= set(found)):
        raise _DamagedError("the table of offsets names no frames")
    if len(found) < frames:
        raise _DamagedError(f"{len(found)} of {frames} frames")


def _pixels(opened: BinaryIO, *, explicit: bool) -> int:
    """Return the length of the pixel data, standing before its first byte."""
    if opened.read(4) != _PIXELS:
        raise _DamagedError("no pixels")
    if explicit and opened.read(4)[:2] not in _LONG_VR:
        raise _DamagedError("pixels of an unknown kind")
    return _number(opened)


def _basic_offsets(opened: BinaryIO, size: int) -> list[int]:
    if opened.read(4) != _ITEM:
        raise _DamagedError("no table of offsets")
    length = _number(opened)
    if opened.tell() + length > size:
        raise _DamagedError("the table of offsets is cut off")
    return _numbers(opened.read(length), "I")


def _items(opened: BinaryIO, size: int) -> list[int]:
    """Return where the items lie, counted from the first."""
    first = at = opened.tell()
    found: list[int] = []
    while True:
        tag = opened.read(4)
        if tag == _END:
            return found
        if tag != _ITEM:
            raise _DamagedError("a frame does not begin as one")
        length = _number(opened)
        found.append(at - first)
        at += 8 + length
        if at > size:
            raise _DamagedError("a frame is cut off")
        opened.seek(at)


def _number(opened: BinaryIO) -> int:
    raw = opened.read(4)
    if len(raw) != 4:
        raise _DamagedError("cut off")
    found: int = struct.unpack("<I", raw)[0]
    return found


def _numbers(raw: bytes, kind: str) -> list[int]:
    width = struct.calcsize(f"<{kind}")
    if len(raw) % width:
        raise _DamagedError("a table of offsets of odd length")
    return [value for (value,) in struct.iter_unpack(f"<{kind}", raw)]
