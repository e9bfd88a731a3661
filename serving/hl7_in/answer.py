"""The acknowledgement of a message (HL7 v2.5.1, 2.13.1 ACK; original mode)."""

import hashlib
from datetime import datetime

from serving.hl7_in.accept import Head, Refused
from tools.intake.hl7v2.wire import END, START

CLOSING = END + b"\r"
"""Ends an MLLP block."""

_TABLE = {
    "100": "Segment sequence error",
    "101": "Required field missing",
    "102": "Data type error",
    "200": "Unsupported message type",
    "202": "Unsupported processing id",
    "203": "Unsupported version id",
    "205": "Duplicate key identifier",
    "207": "Application internal error",
}
"""HL7 table 0357."""

_LONGEST = 200


def acknowledgement(
    head: Head | None, refused: Refused | None, *, at: datetime, said: str = ""
) -> bytes:
    """Return the block that answers a message: AA where nothing is refused.

    Its control id is made of the answered one, the code and the time.

    Args:
        head: Of the message; None where it has none that can be read.
        refused: Why it was not taken; None where it was.
        at: The current moment, zoned.
        said: Of a message that was taken, what its sender is to know (MSA-3).
    """
    head = head or Head()
    code = "AA" if refused is None else refused.code
    mark, encoding = _delimiters(head)
    own = {field: _field(head.get(field), mark) for field in (3, 4, 5, 6, 10, 11)}
    stamp = at.strftime("%Y%m%d%H%M%S%z")
    control = hashlib.sha256(f"{head.get(10)}|{code}|{at.isoformat()}".encode()).hexdigest()[:20]
    event = _field(head.get(9), mark).split(encoding[0])[1:2]
    kind = encoding[0].join(("ACK", event[0][:3], "ACK")) if event else "ACK"
    version = _field(head.get(12), mark).split(encoding[0])[0][:8] or "2.5.1"
    parties = (own[5], own[6], own[3], own[4])
    mode = own[11][:3] or "P"
    answer = ("MSA", code, own[10], *((_escaped(said, mark, encoding),) if said else ()))
    segments = [
        mark.join(("MSH", encoding, *parties, stamp, "", kind, control, mode, version)),
        mark.join(answer),
    ]
    if refused is not None:
        error = encoding[0].join((refused.error, _TABLE.get(refused.error, ""), "HL70357"))
        where = refused.location.replace("^", encoding[0])
        text = _escaped(refused.text, mark, encoding)
        segments.append(mark.join(("ERR", "", where, error, "E", "", "", "", text)))
    return START + ("\r".join(segments) + "\r").encode("ascii", "replace") + CLOSING


def _delimiters(head: Head) -> tuple[str, str]:
    """Return the sender's delimiters, or the usual ones where its own cannot be used."""
    mark, encoding = head.separator, head.get(2)
    every = (mark, *encoding)
    plain = not any(c.isalnum() or c.isspace() or c == "?" for c in every)
    if len(encoding) in (4, 5) and len(set(every)) == len(every) and plain:
        return mark, encoding
    return "|", "^~\\&"


def _field(text: str, mark: str) -> str:
    """Return a field of the sender as it is sent back."""
    return _plain(text).replace(mark, " ")


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text[:_LONGEST])


def _escaped(text: str, mark: str, encoding: str) -> str:
    """Return a text without what would end its field (HL7 v2.5.1, 2.7)."""
    escape = encoding[2]
    meant = {mark: "F", encoding[0]: "S", encoding[1]: "R", escape: "E", encoding[3]: "T"}
    return "".join(f"{escape}{meant[c]}{escape}" if c in meant else c for c in _plain(text))
