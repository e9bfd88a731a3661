"""Whether a message is taken, before it is kept: what it is, and whose it is.

The codes are those of HL7 tables 0008 (AA, AE, AR) and 0357: AR where no other message of this kind
would be taken either, AE where this one is wrong.
"""

import hashlib
from collections.abc import Collection

from pydantic import Field

from knowledge.errors import InputError, TooLargeError, UnreadableError, UnsupportedError
from knowledge.model import Frozen
from tools.intake.hl7v2.charset import codec_of, declared
from tools.intake.hl7v2.groups import groups_of
from tools.intake.hl7v2.message import Message, Segment, parse_message
from tools.intake.hl7v2.patient import assigner, numbers
from tools.intake.hl7v2.reader import RESULTS, TAKEN, VERSIONS
from tools.intake.hl7v2.visit import MERGES
from tools.intake.hl7v2.wire import RawMessage

SYSTEM = "hl7v2"
"""Begins `Case.patient` and `Case.encounter` of a case that HL7 v2 messages opened."""

_LONGEST = {"source": 400, "control": 199, "patient": 400}
_LOOKED_AT = frozenset({"MSH", "EVN", "PID", "PV1", "OBR", "MRG"})
_PATIENT_TYPES = ("MR", "PI", "")
_MOVES = MERGES | {"A45", "A46", "A47", "A48", "A49", "A50", "A51"}
"""Trigger events with an earlier number (MRG): joins, moves, and changes of a number."""


class Head(Frozen):
    """What an acknowledgement answers to: fields of MSH as they came.

    Args:
        separator: MSH-1.
        fields: MSH-3 to MSH-12 by number.
    """

    separator: str = "|"
    fields: dict[int, str] = Field(default_factory=dict)

    def get(self, field: int) -> str:
        """Return one field; empty where it is not there."""
        return self.fields.get(field, "")


class Refused(Frozen):
    """Why a message is not taken.

    Args:
        code: AE or AR.
        error: Code of HL7 table 0357.
        text: In words, without anything of the patient.
        location: Segment, sequence and field (ERR-2); empty where none.
    """

    code: str
    error: str
    text: str
    location: str = ""


class Accepted(Frozen):
    """A message that is taken.

    Args:
        source: Sending application and facility.
        control_id: MSH-10.
        type: Message code and trigger event.
        patient: As `Case.patient`.
        encounter: As `Case.encounter`; None where the message names no visit.
        opens: Whether it opens a case where its patient has none.
        held: Why a person decides before it is used; empty where nobody has to.
        content: As it came.
        sha256: Of `content`.
    """

    source: str
    control_id: str
    type: str
    patient: str
    encounter: str | None
    opens: bool
    held: str = ""
    content: bytes
    sha256: str


def head_of(content: bytes) -> Head | None:
    """Return the header of a message from its bytes; None where there is none."""
    line = content.split(b"\r", 1)[0].split(b"\n", 1)[0]
    if not line.startswith(b"MSH") or len(line) < 8 or line[3:4].isalnum():
        return None
    text = line[:4000].decode("ascii", "replace")
    fields = text.split(text[3])
    return Head(separator=text[3], fields={n: fields[n - 1] for n in range(2, len(fields) + 1)})


def check(content: bytes, *, processing: Collection[str]) -> Accepted | Refused:
    """Return a message as what is kept of it, or why it is not taken.

    Args:
        content: Of one MLLP block, without its frame.
        processing: Processing ids (MSH-11) that are taken.
    """
    head = head_of(content)
    if head is None:
        return Refused(code="AR", error="100", text="no MSH segment")
    refused = _head_refused(head, content, processing)
    if refused is not None:
        return refused
    try:
        message = parse_message(RawMessage(1, content), only=_LOOKED_AT)
    except UnsupportedError as error:
        return Refused(code="AR", error="200", text=error.reason, location="MSH^1^9")
    except TooLargeError as error:
        return Refused(code="AR", error="207", text=error.reason)
    except UnreadableError as error:
        wrong = "102" if "character set" in error.reason else "101"
        return Refused(code="AE", error=wrong, text=error.reason)
    except InputError as error:
        return Refused(code="AE", error="207", text=error.reason)
    return _taken(message, content)


def _head_refused(head: Head, content: bytes, processing: Collection[str]) -> Refused | None:
    stated = head.get(9)
    code = stated[:3].upper()
    if code not in TAKEN:
        text = f"message type {code or '(none)'} is not taken"
        return Refused(code="AR", error="200", text=text, location="MSH^1^9")
    version = head.get(12).split("^")[0].strip()
    if version not in VERSIONS:
        text = f"version {version[:10] or '(none)'} is not taken"
        return Refused(code="AR", error="203", text=text, location="MSH^1^12")
    named = declared(content)
    if named and codec_of(named) is None:
        text = f"character set {named[:20]} is not taken"
        return Refused(code="AR", error="102", text=text, location="MSH^1^18")
    given = head.get(11).split("^")[0].strip().upper()
    if given and given not in processing:
        text = f"processing id {given[:5]} is not taken (EPICRISIS_HL7_PROCESSING)"
        return Refused(code="AR", error="202", text=text, location="MSH^1^11")
    if not head.get(10).strip():
        return Refused(
            code="AE", error="101", text="MSH-10 is empty: no control id", location="MSH^1^10"
        )
    if len(head.get(10)) > _LONGEST["control"]:
        return Refused(
            code="AE", error="102", text="MSH-10 is over 199 characters", location="MSH^1^10"
        )
    return None


def _taken(message: Message, content: bytes) -> Accepted | Refused:
    if sum(segment.name == "MSH" for segment in message.segments) > 1:
        return Refused(code="AE", error="100", text="several messages in one block", location="MSH")
    groups = groups_of(message)
    if not groups.patients:
        return Refused(code="AE", error="101", text="no PID segment", location="PID")
    whose = [_patient(pid, message) for pid in groups.patients]
    if None in whose:
        return Refused(
            code="AE", error="101", text="PID-3 states no number of a patient", location="PID^1^3"
        )
    if len(set(whose)) > 1:
        text = "several patients in one message; send one patient in each"
        return Refused(code="AE", error="207", text=text, location="PID")
    if message.code in RESULTS and not any(order.obr for order in groups.orders):
        return Refused(code="AE", error="101", text="results without OBR", location="OBR")
    visit = next((s for _, s in groups.visits if s.name == "PV1" and s.get(19)), None)
    merge = message.code == "ADT" and message.trigger in _MOVES
    return Accepted(
        source="|".join((message.head.whole(3), message.head.whole(4)))[: _LONGEST["source"]],
        control_id=message.control_id,
        type=message.type[:20],
        patient=(whose[0] or "")[: _LONGEST["patient"]],
        encounter=None if visit is None else _mark(visit, 19, message, 1),
        opens=message.code != "ADT",
        held="joins the numbers of patients: a person decides" if merge else "",
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _patient(pid: Segment, message: Message) -> str | None:
    """Return whose message it is: a medical record number, else another number there is.

    Where there are several of a kind it is the first by its letters, wherever it stands in PID-3.
    """
    return next(iter(_patients(pid, message)), None)


def _patients(pid: Segment, message: Message) -> list[str]:
    """Return the numbers of the best kind that a PID has, as `Case.patient`, by their letters."""
    for kind in _PATIENT_TYPES:
        places = (n for n in range(1, pid.repetitions(3) + 1) if pid.get(3, rep=n))
        same = [n for n in places if pid.get(3, 5, rep=n).upper() == kind]
        if same:
            return sorted({_mark(pid, 3, message, n) for n in same})
    return sorted({f"{SYSTEM}|{s}|{v}"[: _LONGEST["patient"]] for s, v in numbers(pid, message)})


def patients_in(content: bytes) -> tuple[str, ...]:
    """Return every number of the patient of a message, each as `Case.patient`.

    Raises:
        InputError: The message cannot be read.
    """
    message = parse_message(RawMessage(1, content), only=_LOOKED_AT)
    found = (one for s in message.segments if s.name == "PID" for one in _patients(s, message))
    return tuple(dict.fromkeys(found))


def numbers_in(content: bytes) -> tuple[str, ...]:
    """Return every number of the patient of a message that says who gave it, of whatever kind.

    Each is as `Case.patient`; numbers of an account or a visit are none.

    Raises:
        InputError: The message cannot be read.
    """
    message = parse_message(RawMessage(1, content), only=_LOOKED_AT)
    pids = (segment for segment in message.segments if segment.name == "PID")
    stated = (pair for pid in pids for pair in numbers(pid, message))
    found = (f"{SYSTEM}|{giver}|{value}"[: _LONGEST["patient"]] for giver, value in stated if giver)
    return tuple(dict.fromkeys(found))


def is_merge(kind: str) -> bool:
    """Return whether a type of message joins, moves or changes numbers of a patient or visit.

    Examples:
        >>> is_merge("ADT^A40"), is_merge("ADT^A45"), is_merge("ADT^A01")
        (True, True, False)
    """
    code, _, event = kind.partition("^")
    return code == "ADT" and event in _MOVES


def _mark(segment: Segment, field: int, message: Message, rep: int) -> str:
    system = assigner(segment, field, message, rep=rep)
    return f"{SYSTEM}|{system}|{segment.get(field, rep=rep)}"[: _LONGEST["patient"]]
