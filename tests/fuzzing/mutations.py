"""Changes of a file's bytes, text, lines and cells; each is made by the given generator alone."""

import random
import re
from collections.abc import Callable, Sequence

Change = Callable[[bytes, random.Random], bytes]

ODD = (
    b"-1", b"0", b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e-999", b"9" * 40,
    b"-" + b"9" * 400,
    b"1.5.5", b"0x41", b"1,5", b"", b"null", b"true", b"\xef\xbc\x95", b"--5", b"1e5",
    b"20269999", b"0000",
    b"5.9e-320", b"2147483648", b"18446744073709551616", b"\xd9\xa3", b"\xc2\xb2", b"1_0",
)  # fmt: skip
"""What a number is replaced by."""

SPICES = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\\ud800", b"\x1a", b"\x0b",
    b"\x1c\r", b"\r", b"\n",
    b'"', b"'", b"&", b"<", b"]]>", b"<![CDATA[", b"<!--", b"&#0;", b"&x;",
    b"<!DOCTYPE a [<!ENTITY x 'y'>]>",
    b"{", b"}", b"[", b"]", b":", b"- ", b"*a", b"&a ", b"!!python/object:a ", b"%", b"|", b"^",
    b"~", b"\t", b";",
    b"=1+1", b"@", b"../../x", b"/etc/passwd", b"\xe2\x80\xae", b"\xf0\x9f\x98\x80",
    b"MSH|^~\\&|", b"\rPID|1||9^^^X",
    b"2026-13-45T99:99:99Z", b"9999-12-31T23:59:59+14:00", b"0001-01-01", b"<<: *a",
)  # fmt: skip
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_TOKEN = re.compile(rb"[A-Za-z][A-Za-z0-9_-]*")
_SEPARATORS = (b"\t", b";", b",", b"|", b"^")
_ENCODINGS = (
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "cp037",
    "gb18030",
    "shift_jis",
    "utf-7",
    "latin-1",
)
_EXTREMES = (b"\x00", b"\xff", b"\x7f", b"\x80", b"\x01")


def truncate(content: bytes, rng: random.Random) -> bytes:
    """Return the beginning."""
    return content[: rng.randrange(len(content) + 1)]


def flip(content: bytes, rng: random.Random) -> bytes:
    """Return the content with some bits turned over."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        if changed:
            changed[_place(content, rng)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def delete(content: bytes, rng: random.Random) -> bytes:
    """Return the content without a piece."""
    at = _place(content, rng)
    return content[:at] + content[at + rng.choice((1, 2, 7, 60, 1000)) :]


def insert(content: bytes, rng: random.Random) -> bytes:
    """Return the content with random bytes in it."""
    at = _place(content, rng)
    return content[:at] + rng.randbytes(rng.choice((1, 2, 7, 60))) + content[at:]


def spice(content: bytes, rng: random.Random) -> bytes:
    """Return the content with a sign in it that means something to some reader."""
    at = _place(content, rng)
    return content[:at] + rng.choice(SPICES) + content[at:]


def extreme(content: bytes, rng: random.Random) -> bytes:
    """Return the content with an integer field set to one of its ends."""
    at, size = _place(content, rng), rng.choice((1, 2, 4, 8))
    return content[:at] + rng.choice(_EXTREMES) * size + content[at + size :]


def repeat(content: bytes, rng: random.Random) -> bytes:
    """Return the content with a piece repeated."""
    at = _place(content, rng)
    piece = content[at : at + rng.choice((1, 16, 200, 4000))]
    return content[:at] + piece * rng.choice((2, 3, 50)) + content[at + len(piece) :]


def number(content: bytes, rng: random.Random) -> bytes:
    """Return the content with some of its numbers replaced."""
    for _ in range(rng.choice((1, 1, 3))):
        content = _replaced(content, _NUMBER, rng.choice(ODD), rng)
    return content


def long_value(content: bytes, rng: random.Random) -> bytes:
    """Return the content with a word or number made very long."""
    found = rng.choice((_NUMBER, _TOKEN))
    return _replaced(content, found, rng.choice((b"A", b"9", b"\xc3\xa9")) * 60_000, rng)


def nested(content: bytes, rng: random.Random) -> bytes:
    """Return the content with something nested very deeply in it."""
    left, right = rng.choice(
        ((b"[", b"]"), (b'{"a":', b"}"), (b"<a>", b"</a>"), (b"(", b")"), (b"- ", b""))
    )
    deep = rng.choice((40, 3000))
    whole = left * deep + b"1" + right * deep
    if rng.random() < 0.5:
        return _replaced(content, _NUMBER, whole, rng)
    at = _place(content, rng)
    return content[:at] + whole + content[at:]


def lines(content: bytes, rng: random.Random) -> bytes:
    """Return the content with two lines, rows or segments swapped, doubled, dropped or joined."""
    end = b"\r" if content.count(b"\r") > content.count(b"\n") else b"\n"
    parts = content.split(end)
    one, other = rng.randrange(len(parts)), rng.randrange(len(parts))
    way = rng.choice(("swap", "double", "drop", "join", "many"))
    if way == "swap":
        parts[one], parts[other] = parts[other], parts[one]
    elif way == "double":
        parts.insert(other, parts[one])
    elif way == "drop":
        del parts[one]
    elif way == "join":
        parts[one : one + 2] = [b"".join(parts[one : one + 2])]
    else:
        parts[one:one] = [parts[one]] * 300
    return end.join(parts)


def columns(content: bytes, rng: random.Random) -> bytes:
    """Return the content with two cells of a row, or of every row, swapped or dropped."""
    separator = max(_SEPARATORS, key=content.count)
    end = b"\r" if content.count(b"\r") > content.count(b"\n") else b"\n"
    rows = [row.split(separator) for row in content.split(end)]
    widest = max(len(row) for row in rows)
    one, other = rng.randrange(widest), rng.randrange(widest)
    only = rng.randrange(len(rows)) if rng.random() < 0.5 else None
    drop = rng.random() < 0.3
    for at, row in enumerate(rows):
        if only not in (None, at) or max(one, other) >= len(row):
            continue
        if drop:
            del row[one]
        else:
            row[one], row[other] = row[other], row[one]
    return end.join(separator.join(row) for row in rows)


def encoding(content: bytes, rng: random.Random) -> bytes:
    """Return the text in another encoding, or with a mark of another one."""
    if rng.random() < 0.3:
        return (
            rng.choice((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\x00\x00")) + content
        )
    text = content.decode("utf-8", errors="replace")
    return text.encode(rng.choice(_ENCODINGS), errors="replace")


def words(content: bytes, rng: random.Random) -> bytes:
    """Return the content with two of its words swapped."""
    found = list(_TOKEN.finditer(content[: 1 << 20]))
    if len(found) < 2:
        return content
    a, b = sorted(rng.sample(found, 2), key=lambda m: m.start())
    middle = content[a.end() : b.start()]
    return content[: a.start()] + b.group() + middle + a.group() + content[b.end() :]


def splice(content: bytes, other: bytes, rng: random.Random) -> bytes:
    """Return the beginning of one and the end of another."""
    at = _place(content, rng)
    share = at / max(1, len(content)) if rng.random() < 0.5 else rng.random()
    return content[:at] + other[int(share * len(other)) :]


BYTES: Sequence[Change] = (truncate, flip, flip, delete, insert, spice, extreme, extreme, repeat)
TEXT: Sequence[Change] = (number, number, long_value, nested, lines, columns, encoding, words)


def _place(content: bytes, rng: random.Random) -> int:
    """Return a place in it; half of the time in the beginning, where headers are."""
    end = max(1, len(content))
    return rng.randrange(min(end, 2048)) if rng.random() < 0.5 else rng.randrange(end)


def _replaced(content: bytes, what: re.Pattern[bytes], by: bytes, rng: random.Random) -> bytes:
    found = list(what.finditer(content[: 1 << 20]))
    if not found:
        return content
    one = rng.choice(found)
    return content[: one.start()] + by + content[one.end() :]
