"""RLE frames (PS3.5 annex G): what no segment uses is overwritten."""

_HEADER = 64


def blank(stream: bytearray, pixels: int) -> None:
    """Overwrite what lies between and after the runs of each segment with zeros, in place.

    Args:
        stream: One frame.
        pixels: Rows times columns: bytes that each segment gives.

    Raises:
        ValueError: Not built as an RLE frame.
    """
    count = int.from_bytes(stream[:4], "little")
    if not 0 < count < _HEADER // 4 or len(stream) < _HEADER:
        raise ValueError("number of segments")
    starts = [int.from_bytes(stream[4 * n + 4 : 4 * n + 8], "little") for n in range(count)]
    stream[4 * count + 4 : _HEADER] = bytes(_HEADER - 4 * count - 4)
    borders = [*starts, len(stream)]
    if starts[0] != _HEADER or borders != sorted(borders):
        raise ValueError("places of segments")
    for start, end in zip(starts, borders[1:], strict=True):
        used = _used(stream, start, end, pixels)
        stream[used:end] = bytes(end - used)


def _used(stream: bytearray, at: int, end: int, pixels: int) -> int:
    made = 0
    while made < pixels and at < end:
        head = stream[at]
        if head < 128:
            made += head + 1
            at += head + 2
        elif head > 128:
            made += 257 - head
            at += 2
        else:
            at += 1
    if made != pixels or at > end:
        raise ValueError("a segment does not fill the image")
    return at
