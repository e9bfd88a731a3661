"""HL7 v2 files to the resources of the FHIR reader: what is read, ignored and refused is told.

The versions of a result travel in messages of their own, so that files are read one by one and
then tied together by `linked`.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from knowledge.clinical_time import parse_fhir
from knowledge.errors import InputError, InvalidValueError, UnreadableError, UnsupportedError
from tools.intake.fhir.bundle import Entry, FhirFile
from tools.intake.hl7v2.document import items_of_document
from tools.intake.hl7v2.groups import Groups, groups_of
from tools.intake.hl7v2.item import Context, Item
from tools.intake.hl7v2.link import PREFIX, link
from tools.intake.hl7v2.message import Message, parse_message
from tools.intake.hl7v2.moment import moment, offset_of
from tools.intake.hl7v2.patient import numbers, patient_of
from tools.intake.hl7v2.result import items_of_order
from tools.intake.hl7v2.visit import MERGES, items_of_visit
from tools.intake.hl7v2.wire import RawMessage, split_file

RESULTS, REQUESTS = frozenset({"ORU", "OUL"}), frozenset({"OML", "ORM", "OMG"})
TAKEN = RESULTS | REQUESTS | {"ADT", "MDM"}
"""Message codes of MSH-9 that are read."""

VERSIONS = frozenset(
    {"2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8"}
    | {"2.8.1", "2.8.2"}
)
_NO_PATIENT = "the message states no patient (PID), so that it is not shown to be of this one"
_SEGMENT = "HL7 v2 segment "
_MESSAGE = "HL7 v2 message "


@dataclass(frozen=True, kw_only=True)
class Hl7File:
    """What one file says, before it is tied to other files.

    Args:
        file: The file.
        items: Its resources.
        patients: Position of a PID, with its message's number, to the id of its Patient.
        ignored: What is not read, by segment and message type.
        problems: What could not be used.
    """

    file: str
    items: tuple[Item, ...]
    patients: dict[tuple[int, int], Item]
    ignored: Counter[str]
    problems: tuple[str, ...]


def parse(content: bytes, file: str) -> Hl7File:
    """Return what the messages of a file say; one that cannot be read does not stop the rest.

    Raises:
        UnreadableError: No message, or none that can be read.
        UnsupportedError: Its messages are all of types that are not taken.
        TooLargeError: Too many messages.
    """
    split = split_file(content, file)
    parts = _Parts(file=file, problems=list(split.problems))
    errors: list[InputError] = []
    for raw in split.messages:
        try:
            _read(raw, parts)
        except InputError as error:
            errors.append(error)
    if len(errors) == len(split.messages):
        first = next((e for e in errors if not isinstance(e, UnsupportedError)), errors[0])
        more = f"; {len(errors) - 1} more" if len(errors) > 1 else ""
        raise type(first)(file, f"{first.item}: {first.reason}{more}", first.way_out)
    parts.problems += [f"{error.item}: {error.reason}" for error in errors]
    return parts.file_read()


def linked(files: Sequence[Hl7File], *, zone: str | None = None) -> list[FhirFile]:
    """Return the files as the FHIR reader takes them, every version of a result under one name.

    Args:
        files: All HL7 v2 files of a case, in any order.
        zone: IANA zone declared for times without an offset.
    """
    entries: dict[str, list[Entry]] = {one.file: [] for one in files}
    problems = {one.file: list(one.problems) for one in files}
    read = {one.file: one for one in files}
    ties = link(((one.file, item) for one in files for item in one.items), zone=zone)
    for tie in sorted(ties, key=lambda t: (t.file, t.item.number, t.item.where, t.item.id)):
        if tie.problem:
            problems[tie.file].append(f"message {tie.item.number} {tie.item.where}: {tie.problem}")
        entries[tie.file].append(_entry(tie.item, read[tie.file], zone))
    for one in files:
        entries[one.file] = [*_patients(one), *entries[one.file], *_ignored(one)]
    return [
        FhirFile(file=f, entries=tuple(entries[f]), problems=tuple(problems[f])) for f in entries
    ]


def entry(content: bytes, file: str, name: str) -> Entry | None:
    """Return the resource of a name in one file, to be shown; None where the file has none.

    A correction may have been named by a time that stands in another message: then it is the only
    one here of the same kind and code.

    Raises:
        InputError: The file cannot be read.
    """
    entries = [e for e in linked([parse(content, file)])[0].entries if e.id is not None]
    exact = next((e for e in entries if e.name == name), None)
    if exact is not None:
        return exact
    same = [e for e in entries if e.name.rpartition("-")[0] == name.rpartition("-")[0]]
    return same[0] if len(same) == 1 else None


class _Parts:
    """What has been read of a file so far."""

    def __init__(self, *, file: str, problems: list[str]) -> None:
        self.file = file
        self.problems = problems
        self.items: list[Item] = []
        self.patients: dict[tuple[int, int], Item] = {}
        self.ignored: Counter[str] = Counter()

    def file_read(self) -> Hl7File:
        """Return the whole."""
        return Hl7File(
            file=self.file,
            items=tuple(self.items),
            patients=self.patients,
            ignored=self.ignored,
            problems=tuple(self.problems),
        )


def _read(raw: RawMessage, parts: _Parts) -> None:
    """Add what one message says.

    Raises:
        InputError: Nothing of it can be read.
    """
    message = parse_message(raw)
    if message.code not in TAKEN:
        parts.ignored[f"{_MESSAGE}{message.type[:20]}"] += 1
        raise UnsupportedError(
            message.name,
            f"messages of type {message.code[:10] or '(none)'} are not taken",
            f"send {', '.join(sorted(TAKEN))}",
        )
    context = _context(message, parts.problems)
    groups = groups_of(message)
    parts.ignored.update({f"{_SEGMENT}{k}": n for k, n in groups.unread.items()})
    before = len(parts.items)
    _people(groups, context, parts)
    for pid, segment in groups.visits:
        parts.items += items_of_visit(pid, segment, context)
    parts.items += _said(groups, context, parts)
    whose = {pid.position: tuple(numbers(pid, message)) for pid in groups.patients}
    for item in parts.items[before:]:
        item.whose = whose.get(item.patient or 0, ())
    if message.trigger in MERGES and message.code == "ADT":
        context.problem(f"{message.type} concerns the numbers of patients; nothing was merged")
    if len(parts.items) == before and not groups.patients:
        raise UnreadableError(message.name, "holds nothing of a patient", "export it again")


def _people(groups: Groups, context: Context, parts: _Parts) -> None:
    """Add who the message is of, and what is odd about its order."""
    for problem in groups.problems:
        context.problem(problem)
    for pid in groups.patients:
        own: list[str] = []
        made = context.item(patient_of(pid, context.message, own), "PID", pid, pid=pid)
        for problem in own:
            context.problem(problem)
        parts.patients[context.message.raw.number, pid.position] = made
    if not groups.patients:
        context.problem("no PID segment")


def _said(groups: Groups, context: Context, parts: _Parts) -> list[Item]:
    """Return the documents of a message that carries them, else its reports and results."""
    code = context.message.code
    if code == "MDM" and groups.documents:
        context_only = sum(order.obr is not None for order in groups.orders)
        if context_only:
            parts.ignored[f"{_SEGMENT}OBR"] += context_only
        return [
            item
            for pid, txa in groups.documents
            for item in items_of_document(pid, txa, groups.orders, context)
        ]
    if groups.documents:
        parts.ignored[f"{_SEGMENT}TXA"] += len(groups.documents)
    return [
        item
        for order in groups.orders
        for item in items_of_order(order, context, is_request=code in REQUESTS)
    ]


def _context(message: Message, problems: list[str]) -> Context:
    stated = message.head.get(7)
    offset = offset_of(stated)
    stamp = None
    context = Context(message=message, offset=offset, stamp=None, problems=problems)
    for problem in message.problems:
        context.problem(problem)
    if stated:
        try:
            stamp = moment(stated, offset)
            parse_fhir(stamp, clock="message")
        except InvalidValueError as error:
            context.problem(f"MSH-7: {error.reason}")
            stamp = None
    version = message.head.get(12)
    if version not in VERSIONS:
        said = f"version {version[:10]!r}" if version else "no version"
        context.problem(f"MSH-12: {said}; read as v2.8, whose fields keep their places")
    return Context(message=message, offset=offset, stamp=stamp, problems=problems)


def _entry(item: Item, of: Hl7File, zone: str | None) -> Entry:
    """Return one item as an entry of the FHIR reader."""
    subject = _subject(item, of)
    resource: dict[str, Any] = {**item.resource, "id": item.id, "meta": _meta(item, zone)}
    if subject is not None:
        resource["subject"] = subject
    if item.members:
        resource["result"] = [{"reference": f"{m.kind}/{m.id}"} for m in item.members if m.id]
    return Entry(
        file=of.file,
        type=item.kind,
        id=item.id,
        full_url=None,
        name=f"{item.kind}/{item.id}",
        resource=resource,
        conflicting=item.conflicting,
        clock=item.clock,
        doubt=item.doubt,
    )


def _subject(item: Item, of: Hl7File) -> Any:
    """Return the reference to the patient of an item; one that cannot be read where it has none.

    A file without any PID is as one that carries no identity: it needs an explicit statement.
    """
    if item.patient is None:
        return _NO_PATIENT if of.patients else None
    made = of.patients.get((item.number, item.patient))
    return None if made is None else {"reference": f"Patient/{_patient_id(made)}"}


def _meta(item: Item, zone: str | None) -> dict[str, Any]:
    """Return when an item was reported, and the segments it was made from."""
    meta: dict[str, Any] = {"segments": list(item.segments)}
    if item.rank is not None:
        meta["versionId"] = str(item.rank)
    if item.stamp is None:
        return meta
    try:
        at = parse_fhir(item.stamp, clock="sender", zone=zone).at
    except InvalidValueError:
        return meta
    if at.tzinfo is not None:
        return meta | {"lastUpdated": at.isoformat()}
    return {"versionId": at.strftime("%Y%m%d%H%M%S")} | meta


def _patient_id(made: Item) -> str:
    """Return an id over all that a PID says: two that differ are compared as two."""
    said = orjson.dumps(made.resource, option=orjson.OPT_SORT_KEYS)
    return f"{PREFIX}{hashlib.sha256(said).hexdigest()[:16]}"


def _patients(of: Hl7File) -> list[Entry]:
    found: dict[str, Entry] = {}
    for made in of.patients.values():
        own = _patient_id(made)
        resource = {**made.resource, "id": own, "meta": {"segments": list(made.segments)}}
        found.setdefault(
            own,
            Entry(
                file=of.file,
                type="Patient",
                id=own,
                full_url=None,
                name=f"Patient/{own}",
                resource=resource,
                clock=made.clock,
            ),
        )
    return [found[name] for name in sorted(found)]


def _ignored(of: Hl7File) -> list[Entry]:
    """Return what is not read as entries of a type that nothing reads, so that it is counted."""
    return [
        Entry(file=of.file, type=name, id=None, full_url=None, name=name, resource={"place": place})
        for name, number in sorted(of.ignored.items())
        for place in range(number)
    ]
