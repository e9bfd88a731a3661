"""Which messages speak of the same result: the names under which versions are told apart.

What a withdrawal or correction means is settled first (`withdrawn`). A result is that of one filler
order number (OBR-3), code (OBX-3) and sub-id (OBX-4); a serial sample under the same number is
another result, which its collection time tells. A correction or withdrawal whose time is that of no
earlier result concerns the only one there is; where there are several, a withdrawal takes back all
of them, and a correction leaves all of them open.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace

import orjson

from knowledge.clinical_time import parse_fhir
from knowledge.errors import InvalidValueError
from tools.intake.hl7v2.item import Item
from tools.intake.hl7v2.status import Role
from tools.intake.hl7v2.withdrawn import doubted_by, settle, too_early

PREFIX = "hl7."
"""Begins the id of every resource made from HL7 v2: no FHIR server has it."""

_COME = ("registered", "partial", "preliminary", "final", "corrected")
"""How far a report has come, for reports of one second."""

_WORDS = 20
_HASH = 10
_TOO_EARLY = "takes back a result that was reported later; that result is not used"
_OTHER_REASON = "states no chest pain as the reason of a visit of which another message does"
_AMBIGUOUS = "a correction that fits several earlier results of its order; none of them is used"


@dataclass(slots=True)
class _Slot:
    """The versions of one result."""

    time: str | None
    items: list[tuple[str, Item]] = field(default_factory=list)
    messages: set[tuple[str, int]] = field(default_factory=set)
    """Those that have a version here already."""

    def add(self, file: str, item: Item) -> None:
        """Add a version."""
        self.items.append((file, item))
        self.messages.add((file, item.number))


@dataclass(frozen=True, slots=True)
class Linked:
    """One item under its name.

    Args:
        file: It stands in.
        item: With its id.
        problem: What should be told of how it was tied to others; empty for nothing.
    """

    file: str
    item: Item
    problem: str = ""


def link(items: Iterable[tuple[str, Item]], *, zone: str | None) -> list[Linked]:
    """Return every item with its id; a withdrawal that concerns several is there for each.

    Args:
        items: File and item, in any order.
        zone: IANA zone for times without an offset.
    """
    ordered = sorted(items, key=lambda one: _order(one[0], one[1], zone))
    fillers = _fillers(ordered)
    told = settle(ordered, lambda item: _number(item, fillers))
    groups: dict[tuple[str, ...], list[tuple[str, Item]]] = {}
    made: list[Linked] = []
    for file, item in ordered:
        if item.key is None:
            item.id = _id(item, "content", _content(item))
            made.append(Linked(file, item))
        else:
            groups.setdefault(_group(item, fillers), []).append((file, item))
    for group, members in groups.items():
        if group[0] == "Observation":
            made += _results(group, members, zone)
        else:
            made += _named(group, members)
    return [replace(one, problem=one.problem or told.get(id(one.item), "")) for one in made]


def _order(file: str, item: Item, zone: str | None) -> tuple[str, str, int, str, str, int, str]:
    """Return what items are sorted by: when they were reported and sent, never names of files."""
    at, sent = _made(item, zone)
    status = str(item.resource.get("status"))
    come = _COME.index(status) if status in _COME else len(_COME)
    return at, sent, come, item.role.value, _content(item), item.number, file


def _made(item: Item, zone: str | None) -> tuple[str, str]:
    """Return when an item was reported and when its message was made; empty where not known."""
    found = []
    for stated in (item.stamp, item.sent):
        try:
            found.append("" if stated is None else _instant(stated, item.clock, zone))
        except InvalidValueError:
            found.append("")
    return found[0], found[1]


def _instant(stated: str, clock: str, zone: str | None) -> str:
    return parse_fhir(stated, clock=clock, zone=zone).at.isoformat()


def _rank(items: Sequence[tuple[str, Item]], zone: str | None) -> None:
    """State the order of versions: by report, then by message (OBR-22 is often not moved on).

    What is sent again as it was has the place of its first sending: a message that is repeated
    brings nothing back. Without every time nothing is stated.
    """
    moments = [_made(item, zone) for _, item in items]
    if not all(at and sent for at, sent in moments):
        return
    places = {moment: place for place, moment in enumerate(sorted(set(moments)))}
    first: dict[str, int] = {}
    for (_, item), moment in zip(items, moments, strict=True):
        said = _content(item)
        first[said] = min(places[moment], first.get(said, places[moment]))
    for _, item in items:
        item.rank = first[_content(item)]


def _fillers(items: Iterable[tuple[str, Item]]) -> dict[str, set[str]]:
    """Return the filler numbers that belong to each placer number."""
    found: dict[str, set[str]] = {}
    for _, item in items:
        if item.key is not None and item.key.filler and item.key.placer:
            found.setdefault(item.key.placer, set()).add(item.key.filler)
    return found


def _group(item: Item, fillers: dict[str, set[str]]) -> tuple[str, ...]:
    key = item.key
    if key is None:
        raise TypeError("an item without a key belongs to no group")
    return key.kind, key.filler or _number(item, fillers), key.code


def _number(item: Item, fillers: dict[str, set[str]]) -> str:
    """Return the number of an order: the filler's, also where only the placer's is stated."""
    if item.filler or item.key is None:
        return item.filler
    known = fillers.get(item.key.placer, set())
    return next(iter(known)) if len(known) == 1 else item.key.placer


def _named(group: tuple[str, ...], members: Sequence[tuple[str, Item]]) -> list[Linked]:
    """Return reports, visits, documents, complaints: one each, numbered where a message has two.

    A laboratory sends the results of one report in several messages of one second: which of them
    is the newest report does not matter, as long as none has a text of its own. A visit is as its
    own messages say, where there are any, and not as results name it.
    """
    made = []
    if group[0] == "DiagnosticReport":
        for rank, (_, item) in enumerate(members):
            item.rank = None if "presentedForm" in item.resource else rank
    if group[0] == "Condition" and not any(_states(item) for _, item in members):
        return []
    if not all(item.mentioned for _, item in members):
        members = [(file, item) for file, item in members if not item.mentioned]
    seen: dict[tuple[str, int], int] = {}
    for file, item in members:
        place = seen[file, item.number] = seen.get((file, item.number), 0) + 1
        item.id = _id(item, *group, str(place))
        other = group[0] == "Condition" and not _states(item)
        made.append(Linked(file, item, _OTHER_REASON if other else ""))
    return made


def _states(item: Item) -> bool:
    """Return whether a Condition states something, and does not only take an earlier one back."""
    codings = item.resource["verificationStatus"]["coding"]
    return all(one["code"] != "entered-in-error" for one in codings)


def _results(
    group: tuple[str, ...], members: Sequence[tuple[str, Item]], zone: str | None
) -> list[Linked]:
    slots: list[_Slot] = []
    told: list[Linked] = []
    for file, item in members:
        chosen = _slots_of(file, item, slots)
        if not chosen:
            slots.append(_Slot(item.time))
            slots[-1].add(file, item)
            if item.role is Role.CORRECTION and len(slots) > 1 and item.time is not None:
                for slot in slots:
                    for _, one in slot.items:
                        one.conflicting = True
                told.append(Linked(file, item, _AMBIGUOUS))
        for slot in chosen:
            own = item if len(chosen) == 1 else replace(item, resource=dict(item.resource))
            slot.add(file, _finalised(own, slot))
    told += _early(slots)
    made = []
    places: Counter[str | None] = Counter()  # among those of the same time
    for slot in slots:
        place = str(places[slot.time])
        places[slot.time] += 1
        name = _id(slot.items[0][1], *group, slot.time or "no time", place)
        _rank(slot.items, zone)
        for file, item in slot.items:
            item.id = name
            made.append(Linked(file, item))
    problems = {id(one.item): one.problem for one in told}
    return [replace(one, problem=problems.get(id(one.item), "")) for one in made]


def _early(slots: Iterable[_Slot]) -> list[Linked]:
    """Return the withdrawals of what was reported after them, whose results are left open."""
    found = []
    for slot in slots:
        early = too_early(slot.items)
        if early is not None:
            doubted_by(early, slot.items)
            found.append(Linked(*early, _TOO_EARLY))
    return found


def _slots_of(file: str, item: Item, slots: Sequence[_Slot]) -> list[_Slot]:
    """Return the results that an item is a version of; none for one of its own."""
    message = (file, item.number)
    free = [slot for slot in slots if message not in slot.messages]
    same = [slot for slot in free if slot.time == item.time]
    if same:
        return same[:1]
    if item.role is Role.PLAIN and item.time is not None:
        undated = [slot for slot in free if slot.time is None]
        return undated if len(undated) == 1 and len(free) == 1 else []
    if len(free) == 1:
        return free
    return list(free) if item.role in (Role.WITHDRAWAL, Role.FINALISING) else []


def _finalised(item: Item, slot: _Slot) -> Item:
    """Return a "final, not sent again" (OBX-11 U) with the value that was sent before."""
    says_value = any(key.startswith("value") for key in item.resource)
    if item.role is not Role.FINALISING or says_value:
        return item
    earlier = [one for _, one in slot.items if any(k.startswith("value") for k in one.resource)]
    if not earlier:
        return item
    resource = deepcopy(earlier[-1].resource) | {"status": item.resource["status"]}
    return replace(item, resource=resource)


def _id(item: Item, *parts: str) -> str:
    """Return an id that is the same whatever else a case holds."""
    words = item.key.words if item.key is not None else item.where
    plain = re.sub(r"[^A-Za-z0-9]+", "-", words).strip("-")[:_WORDS] or "x"
    digest = hashlib.sha256("\x1f".join((item.kind, *parts)).encode("utf-8", "replace"))
    return f"{PREFIX}{plain}-{digest.hexdigest()[:_HASH]}"


def _content(item: Item) -> str:
    said = orjson.dumps(item.resource, option=orjson.OPT_SORT_KEYS, default=str)
    return hashlib.sha256(said).hexdigest()
