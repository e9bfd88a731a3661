"""JPEG 2000 codestreams (ITU-T T.800 annex A): comments are overwritten."""

_SOT, _SOD, _EOC, _COM = 0x90, 0x93, 0xD9, 0x64
_HEADER = frozenset({0x50, 0x51, 0x52, 0x53, 0x55, 0x57, 0x58, 0x59, *range(0x5C, 0x62), 0x63})


def blank(stream: bytearray) -> None:
    """Overwrite comments, and what follows the end, with zeros, in place.

    Raises:
        ValueError: Not built as a codestream.
    """
    at, part, length = 2, 0, 0
    while True:
        if at + 2 > len(stream):
            return
        if stream[at] != 0xFF:
            raise ValueError("no marker where one must be")
        marker = stream[at + 1]
        if marker == _EOC:
            stream[at + 2 :] = bytes(len(stream) - at - 2)
            return
        if marker == _SOD:
            at = _after(stream, part, length)
            continue
        end = at + 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
        if end > len(stream) or end < at + 4:
            raise ValueError("a segment is longer than the stream")
        if marker == _SOT:
            part, length = at, int.from_bytes(stream[at + 6 : at + 10], "big")
        elif marker == _COM:
            stream[at + 6 : end] = bytes(max(0, end - at - 6))
        elif marker not in _HEADER:
            raise ValueError(f"segment FF{marker:02X}")
        at = end


def _after(stream: bytearray, part: int, length: int) -> int:
    """Return where the next part begins; the last may not say how long it is."""
    if length:
        if part + length > len(stream) or length < 14:
            raise ValueError("a part is longer than the stream")
        return part + length
    end = stream.rfind(b"\xff\xd9")
    return end if end > part else len(stream)
