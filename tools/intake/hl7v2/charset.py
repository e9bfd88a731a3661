"""The characters of a message: MSH-18 names their encoding (HL7 table 0211), and is read first."""

import re

from knowledge.errors import UnreadableError, UnsupportedError
from tools.intake.hl7v2.wire import RawMessage

_CODECS = {
    "ASCII": "ascii",
    "ISO IR6": "ascii",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UNICODE-1-1-UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "GB 18030-2000": "gb18030",
    "GB18030": "gb18030",
    "GB18030-2000": "gb18030",
    "GBK": "gb18030",
    "GB2312": "gb18030",
    "BIG-5": "big5",
    "KS X 1001": "euc_kr",
    "ISO IR14": "iso2022_jp",
    "ISO IR87": "iso2022_jp",
    "ISO IR159": "iso2022_jp_1",
}
"""Table 0211 of HL7 v2.8, and spellings senders use for the same; ``8859/1`` to ``8859/15``
follow their number. UNICODE without a form is deprecated there and sent as UTF-8."""

_LINE_END = re.compile(rb"[\r\n]")
"""A segment ends with a carriage return; files and some senders write other line ends."""

_LATIN = range(1, 17)
_DECLARE = "let the sender name its character set in MSH-18, for example UNICODE UTF-8"


def codec_of(name: str) -> str | None:
    """Return Python's name of an encoding of table 0211; None for one that is not taken.

    Examples:
        >>> codec_of("8859/15"), codec_of("GB 18030-2000"), codec_of("EBCDIC")
        ('iso8859_15', 'gb18030', None)
    """
    plain = " ".join(name.upper().split())
    if plain in _CODECS:
        return _CODECS[plain]
    for prefix in ("ISO-8859-", "ISO8859/", "ISO_8859-", "ISO 8859-", "8859/", "8859-"):
        number = plain.removeprefix(prefix)
        if number != plain and number.isdecimal() and int(number) in _LATIN and number != "12":
            return f"iso8859_{int(number)}"
    return None


def decoded(raw: RawMessage, item: str) -> str:
    """Return the text of a message.

    Without MSH-18 the characters are ASCII by the standard; UTF-8 is taken too, since no other
    encoding of more than ASCII looks like it.

    Args:
        raw: The message.
        item: What messages call it.

    Raises:
        UnsupportedError: MSH-18 names an encoding that is not taken.
        UnreadableError: The bytes are not of the encoding.
    """
    if raw.is_utf8:
        return _as(raw.data, "utf-8", "a byte order mark says that the file is UTF-8", item)
    named = declared(raw.data)
    if not named:
        said = "MSH-18 names no character set, which means ASCII; UTF-8 was tried too"
        return _as(raw.data, "utf-8", said, item)
    codec = codec_of(named)
    if codec is None:
        raise UnsupportedError(
            item, f"character set {named[:20]!r} (MSH-18) is not taken", _DECLARE
        )
    return _as(raw.data, codec, f"MSH-18 says {named[:20]}", item)


def declared(data: bytes) -> str:
    """Return the first character set in MSH-18, read from the bytes; empty where none is named."""
    line = _LINE_END.split(data, maxsplit=1)[0]
    fields = line.split(line[3:4]) if len(line) > 3 else []
    stated = fields[17] if len(fields) > 17 else b""
    repetition = line[5:6] or b"~"
    return stated.split(repetition)[0].decode("ascii", "replace").strip()


def _as(data: bytes, codec: str, why: str, item: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        reason = f"bytes that are not of its character set ({why}; byte {error.start})"
        raise UnreadableError(item, reason, _DECLARE) from error
