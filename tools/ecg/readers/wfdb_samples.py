"""Decoding WFDB signal files (signal(5) of the WFDB Applications Guide) from bytes."""

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import UnreadableError, UnsupportedError

# Bytes of a group of samples, and samples in it.
_PACKING = {8: (1, 1), 16: (2, 1), 24: (3, 1), 32: (4, 1), 61: (2, 1), 80: (1, 1), 160: (2, 1)}
_PACKING[212] = (3, 2)

# signal(5): the value that marks a sample as invalid.
_INVALID = {16: -(2**15), 24: -(2**23), 32: -(2**31), 61: -(2**15), 80: -(2**7), 160: -(2**15)}
_INVALID[212] = -(2**11)


def available(content: bytes, *, format: int, offset: int, signals: int) -> int:
    """Return how many whole frames of `signals` samples a signal file holds.

    Raises:
        UnsupportedError: A storage format that is not taken.
    """
    if format not in _PACKING:
        raise UnsupportedError(
            f"WFDB format {format}", "not taken", f"convert it to format 16 (taken: {_taken()})"
        )
    size, samples = _PACKING[format]
    return max(len(content) - offset, 0) * samples // size // signals


def decode(
    content: bytes, *, format: int, offset: int, signals: int, frames: int, file: str
) -> NDArray[np.int64]:
    """Return (frames, signals) stored values in adu, with format 8 differences summed.

    Args:
        content: The signal file.
        format: Storage format number.
        offset: Bytes before the first sample.
        signals: Signals interleaved in the file.
        frames: Samples of each signal to decode.
        file: Name for messages.

    Raises:
        UnreadableError: The file is shorter than `frames`.
        UnsupportedError: A storage format that is not taken.
    """
    held = available(content, format=format, offset=offset, signals=signals)
    if held < frames:
        raise UnreadableError(
            file, f"truncated: {held} of {frames} samples a signal", "copy the file again"
        )
    size, per = _PACKING[format]
    count = frames * signals
    groups = -(-count // per)
    data = np.frombuffer(content, np.uint8, offset=offset)[: groups * size]
    if len(data) < groups * size:  # the last half of a packed pair may be absent
        data = np.concatenate([data, np.zeros(groups * size - len(data), np.uint8)])
    values = _unpack(data, format)[:count].reshape(frames, signals)
    return np.cumsum(values, axis=0) if format == 8 else values


def invalid_value(format: int) -> int | None:
    """Return the stored value that marks an invalid sample, or None where there is none."""
    return _INVALID.get(format)


def _unpack(data: NDArray[np.uint8], format: int) -> NDArray[np.int64]:
    match format:
        case 8:
            return data.view(np.int8).astype(np.int64)
        case 16:
            return data.view("<i2").astype(np.int64)
        case 61:
            return data.view(">i2").astype(np.int64)
        case 80:
            return data.astype(np.int64) - 2**7
        case 160:
            return data.view("<u2").astype(np.int64) - 2**15
        case 32:
            return data.view("<i4").astype(np.int64)
        case 24:
            low, middle, high = data.reshape(-1, 3).T.astype(np.int64)
            return _signed(low | middle << 8 | high << 16, 24)
        case _:  # 212: two 12-bit samples in three bytes
            first, both, second = data.reshape(-1, 3).T.astype(np.int64)
            pair = np.stack([first | (both & 0x0F) << 8, second | (both & 0xF0) << 4], axis=1)
            return _signed(pair.reshape(-1), 12)


def _signed(values: NDArray[np.int64], bits: int) -> NDArray[np.int64]:
    return np.where(values >= 1 << (bits - 1), values - (1 << bits), values)


def _taken() -> str:
    return ", ".join(str(number) for number in sorted(_PACKING))
