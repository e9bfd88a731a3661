"""The segments of a message as patients, orders and results, whatever order they came in."""

from collections import Counter
from dataclasses import dataclass, field

from tools.intake.hl7v2.message import Message, Segment
from tools.intake.hl7v2.status import CANCELS_ALL, WAS_CANCELLED

_VISIT = frozenset({"PV1", "PV2", "DG1", "AL1", "MRG"})
_PARTLY = frozenset({"PV2"})
"""Segments of which one field is read; they are counted as unread all the same."""
_BESIDE_ORDER = frozenset({"NTE", "TQ1", "TQ2", "CTI", "BLG", "PRT"})
"""Segments that say nothing of what was ordered."""

_REQUESTS = frozenset({"OML", "ORM", "OMG"})
_NEW = "NW"
"""Order control of a new order, which cancels nothing, whatever its status."""
_SILENT = frozenset({"MSH", "SFT", "EVN", "UAC", "DSC", "MSA", "ERR", "QRD", "QAK"})
"""Segments of the exchange itself: they say nothing of a patient."""


@dataclass(slots=True)
class Result:
    """One OBX with its comments."""

    obx: Segment
    number: int
    notes: list[Segment] = field(default_factory=list)


@dataclass(slots=True)
class Order:
    """One OBR with its comments, specimens and results; without it, results or a cancelling ORC."""

    patient: Segment | None
    orc: Segment | None = None
    obr: Segment | None = None
    notes: list[Segment] = field(default_factory=list)
    specimens: list[Segment] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)


@dataclass(slots=True)
class Groups:
    """A message as its parts.

    Args:
        patients: PID segments, in order.
        orders: With the PID each belongs to.
        visits: PV1, PV2, DG1, AL1 and MRG with their PID.
        document: TXA.
        unread: Number of segments that nothing reads, by name.
        problems: What is out of order.
    """

    patients: list[Segment] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    visits: list[tuple[Segment | None, Segment]] = field(default_factory=list)
    documents: list[tuple[Segment | None, Segment]] = field(default_factory=list)
    unread: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


class _Walk:
    """Where the walk over the segments is."""

    def __init__(self, message: Message) -> None:
        self.found = Groups()
        self.patient: Segment | None = None
        self.orc: Segment | None = None
        self.order: Order | None = None
        self.of_other = False
        self.notes: list[Segment] | None = None
        self.results = 0
        self.is_request = message.code in _REQUESTS
        self.is_order = message.code in ("ORU", "OUL", "OML", "ORM", "OMG")

    def take(self, segment: Segment) -> None:
        """Put one segment where it belongs."""
        name = segment.name
        if name == "PID":
            self.end()
            self.found.patients.append(segment)
            self.patient, self.order, self.orc, self.notes = segment, None, None, None
        elif name == "ORC":
            self.end()
            self.orc, self.order, self.notes = segment, None, None
            self.of_other = False
        elif name == "OBR":
            self._begin(segment)
        elif name == "OBX":
            self._result(segment)
        elif name == "SPM":
            (self.order or self._begin(None)).specimens.append(segment)
        elif name == "NTE" and self.notes is not None:
            self.notes.append(segment)
        elif name == "TXA":
            self.found.documents.append((self.patient, segment))
        elif name in _VISIT:
            self.found.visits.append((self.patient, segment))
            self.found.unread.update([name] if name in _PARTLY else [])
            self.notes = None
        elif name not in _SILENT:
            self.found.unread[name] += 1
            self.of_other |= name not in _BESIDE_ORDER and not name.startswith("Z")

    def end(self) -> None:
        """Take an order that has no OBR: a whole one that is cancelled by its numbers alone.

        Any other is of a drug, a diet or a supply, and is counted.
        """
        orc, self.orc = self.orc, None
        if orc is None:
            return
        control = orc.get(1).upper()
        whole = control in CANCELS_ALL or (
            self.is_request and control != _NEW and orc.get(5).upper() == WAS_CANCELLED
        )
        if whole and not self.of_other:
            self.found.orders.append(Order(patient=self.patient, orc=orc))
        else:
            self.found.unread["ORC"] += 1

    def _begin(self, obr: Segment | None) -> Order:
        self.order = Order(patient=self.patient, orc=self.orc, obr=obr)
        self.orc = None
        self.notes = self.order.notes
        self.found.orders.append(self.order)
        return self.order

    def _result(self, obx: Segment) -> None:
        self.results += 1
        order = self.order
        if order is None:
            order = self._begin(None)
            if self.is_order:
                self.found.problems.append(f"OBX {self.results}: no OBR before it")
        result = Result(obx, self.results)
        order.results.append(result)
        self.notes = result.notes


def groups_of(message: Message) -> Groups:
    """Return the parts of a message.

    The one PID of a message holds for all of it, wherever it stands. Where there are several, what
    stands before the first has no patient.
    """
    walk = _Walk(message)
    for segment in message.segments:
        walk.take(segment)
    walk.end()
    found = walk.found
    if len(found.patients) == 1:
        only = found.patients[0]
        early = [o for o in found.orders if o.patient is None]
        if early:
            found.problems.append("PID stands after results; the message has only this one")
        for order in early:
            order.patient = only
        found.visits = [(only, segment) for _, segment in found.visits]
        found.documents = [(only, segment) for _, segment in found.documents]
    return found
