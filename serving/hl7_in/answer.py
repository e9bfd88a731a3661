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


def acknowledgement(head: Head | None, refused: Refused | None, *, at: datetime) -> bytes:
    """Return the block that answers a message: AA where nothing is refused.

    Its control id is made of the answered one, the code and the time.

    Args:
        head: Of the message; None where it has none that can be read.
        refused: Why it was not taken; None where it was.
        at: The current moment, zoned.
    """
    head = head or Head()
    mark, code = head.separator, "AA" if refused is None else refused.code
    stamp = at.strftime("%Y%m%d%H%M%S%z")
    own = hashlib.sha256(f"{head.get(10)}|{code}|{at.isoformat()}".encode()).hexdigest()[:20]
    encoding = head.get(2) if len(head.get(2)) in (4, 5) else "^~\\&"
    event = head.get(9).split("^")[1:2] or [""]
    kind = "^".join(("ACK", event[0][:3], "ACK")) if event[0] else "ACK"
    version = head.get(12).split("^")[0][:8] or "2.5.1"
    to = (head.get(5), head.get(6), head.get(3), head.get(4))
    processing = head.get(11)[:3] or "P"
    segments = [
        mark.join(("MSH", encoding, *to, stamp, "", kind, own, processing, version)),
        mark.join(("MSA", code, head.get(10)[:_LONGEST])),
    ]
    if refused is not None:
        error = f"{refused.error}^{_TABLE.get(refused.error, '')}^HL70357"
        text = _plain(refused.text, mark)
        segments.append(mark.join(("ERR", "", refused.location, error, "E", "", "", "", text)))
    return START + ("\r".join(segments) + "\r").encode("ascii", "replace") + CLOSING


def _plain(text: str, mark: str) -> str:
    """Return a text without what would end its field."""
    plain = "".join(" " if c in "\r\n\x0b\x1c" else c for c in text[:_LONGEST])
    plain = plain.replace("\\", "\\E\\").replace(mark, "\\F\\").replace("^", "\\S\\")
    return plain.replace("&", "\\T\\").replace("~", "\\R\\")
