"""Lossless JPEG (ITU T.81, process 14) for pydicom, by imagecodecs.

pydicom knows two decoders of it: one under the GPL, and GDCM, which ends the whole process on
damaged data. The frame's own size is compared with the header's before anything is decoded, so that
a damaged one cannot ask for all memory.
"""

import struct
from functools import cache
from typing import Any

_SYNTAXES = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
_SOI, _SOF3, _SOS = 0xD8, 0xC3, 0xDA
DECODER_DEPENDENCIES = {uid: ("imagecodecs",) for uid in _SYNTAXES}
"""Asked for by pydicom's plug-in interface, as `is_available` is."""


def is_available(uid: str) -> bool:
    """Return whether pixels in a transfer syntax are decoded here."""
    return uid in _SYNTAXES


@cache
def register() -> None:
    """Make pydicom decode lossless JPEG with this module; once for the process."""
    from pydicom.pixels.decoders.base import JPEGLosslessDecoder, JPEGLosslessSV1Decoder

    for decoder in (JPEGLosslessDecoder, JPEGLosslessSV1Decoder):
        if "imagecodecs" not in decoder.available_plugins:
            decoder.add_plugin("imagecodecs", (__name__, "decode_frame"))


def decode_frame(source: bytes, runner: Any) -> bytes:
    """Return the samples of one frame, little endian, as pydicom's plug-ins do.

    Args:
        source: The coded frame.
        runner: pydicom's `DecodeRunner`, which holds the header's statements.

    Raises:
        ValueError: Not lossless JPEG, of another size than the header states, or damaged.
    """
    import imagecodecs
    import numpy as np

    size = _size(source)
    stated = (runner.rows, runner.columns, runner.samples_per_pixel)
    if size != stated:
        raise ValueError(f"the frame is {size}, the header says {stated}")
    try:
        found = imagecodecs.jpegsof3_decode(source)
    except RuntimeError as error:  # Jpegsof3Error is one
        raise ValueError("lossless JPEG: damaged") from error
    runner.set_option("planar_configuration", 0)
    kind = f"<u{runner.bits_allocated // 8}"
    return np.ascontiguousarray(found, dtype=kind).tobytes()


def _size(source: bytes) -> tuple[int, int, int]:
    """Return rows, columns and components of a frame, from marker to marker (T.81 B.2.2)."""
    at = 2
    if source[:2] != bytes((0xFF, _SOI)):
        raise ValueError("no JPEG")
    while at + 9 < len(source) and source[at] == 0xFF:
        marker, length = source[at + 1], struct.unpack_from(">H", source, at + 2)[0]
        if marker == _SOF3:
            rows, columns, components = struct.unpack_from(">HHB", source, at + 5)
            return rows, columns, components
        if marker == _SOS:
            break
        at += 2 + length
    raise ValueError("no frame of lossless JPEG")
