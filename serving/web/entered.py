"""The troponin results that people entered by hand to a case, each with what it corrects."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from knowledge.codes import LOINC
from knowledge.errors import InvalidValueError
from knowledge.plain_text import visible
from knowledge.quantity import format_number
from knowledge.shown import unit_shown
from serving.cases.model import CaseFile
from serving.web.values import clock
from serving.web.words import Say

FOLDER = "entered/troponin-"
"""How the name of such a file begins."""

TYPED = "urn:epicrisis:typed"
"""Extension: the number as it was typed."""

_LARGEST = 4096
_BY = "entered by "
_LONGEST = 80


@dataclass(frozen=True, kw_only=True)
class Entered:
    """One entry.

    Args:
        file: Its file in the case.
        id: Of its Observation: a correction has the id of what it corrects.
        version: Counts from 1; the last one counts.
        status: Of the result.
        code: LOINC code of the test.
        patient: Reference of the patient.
        typed: The number as it was typed.
        value: The number as it was read.
        unit: Of the number.
        collected_at: When the blood was drawn.
        author: Who entered it.
        at: When.
    """

    file: str
    id: str
    version: int
    status: str
    code: str
    patient: str
    typed: str
    value: str
    unit: str
    collected_at: datetime
    author: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Line:
    """One entry in words.

    Args:
        text: Value and status.
        collected: When the blood was drawn.
        typed: As typed, where that is not how the value is written.
        author: Who entered it.
        time: When it was entered.
    """

    text: str
    collected: str
    typed: str
    author: str
    time: str


@dataclass(frozen=True, kw_only=True)
class EnteredView:
    """One entered result on the page: what counts, and what it took the place of, newest first."""

    file: str
    now: Line
    earlier: tuple[Line, ...]


def entered_samples(
    files: Iterable[CaseFile], content: Callable[[CaseFile], bytes]
) -> tuple[Entered, ...]:
    """Return the entries of a case, oldest first; a file that is no entry is not one.

    Args:
        files: Of the case.
        content: From a file to its bytes.
    """
    found = (
        _entered(one.name, content(one))
        for one in files
        if one.name.startswith(FOLDER) and one.size <= _LARGEST
    )
    return tuple(sorted((e for e in found if e is not None), key=lambda e: (e.at, e.version)))


def to_correct(file: str, entered: Sequence[Entered]) -> Entered:
    """Return the entry that a correction names.

    Raises:
        InvalidValueError: There is none of that name, or it was corrected meanwhile.
    """
    found = next((one for one in entered if one.file == file), None)
    if found is None:
        raise InvalidValueError("correction", "is of no entered result", "reload the page")
    if any(one.id == found.id and one.version > found.version for one in entered):
        raise InvalidValueError("result", "was corrected meanwhile", "reload the page")
    return found


def entered_view(
    entered: Sequence[Entered], say: Say, *, time_zone: str | None, now: datetime
) -> tuple[EnteredView, ...]:
    """Return the entered results as the page shows them, in order of collection."""
    groups: dict[str, list[Entered]] = {}
    for one in sorted(entered, key=lambda e: (e.version, e.at), reverse=True):
        groups.setdefault(one.id, []).append(one)
    newest_first = sorted(groups.values(), key=lambda g: g[0].collected_at)
    return tuple(
        EnteredView(
            file=group[0].file,
            now=_line(group[0], say, time_zone, now),
            earlier=tuple(_line(one, say, time_zone, now) for one in group[1:]),
        )
        for group in newest_first
    )


def _line(one: Entered, say: Say, time_zone: str | None, now: datetime) -> Line:
    words = {
        "final": say("final"),
        "preliminary": say("preliminary"),
        "corrected": say("corrected"),
    }
    return Line(
        text=f"{one.value} {unit_shown(one.unit)}, {words.get(one.status, one.status)}",
        collected=clock(one.collected_at, time_zone, beside=now),
        typed="" if one.typed == one.value else one.typed,
        author=one.author,
        time=clock(one.at, time_zone, beside=now),
    )


class _Extension(msgspec.Struct):
    url: str
    valueString: str = ""


class _Quantity(msgspec.Struct):
    value: float
    unit: str
    comparator: str = ""
    extension: list[_Extension] = []


class _Coding(msgspec.Struct):
    code: str
    system: str = ""


class _Concept(msgspec.Struct):
    coding: list[_Coding]


class _Meta(msgspec.Struct):
    versionId: str


class _Reference(msgspec.Struct):
    reference: str = ""
    display: str = ""


class _Observation(msgspec.Struct):
    id: str
    meta: _Meta
    status: str
    code: _Concept
    subject: _Reference
    effectiveDateTime: datetime
    issued: datetime
    performer: list[_Reference]
    valueQuantity: _Quantity


def _entered(name: str, content: bytes) -> Entered | None:
    try:
        made = msgspec.json.decode(content, type=_Observation)
        version = int(made.meta.versionId)
    except (msgspec.DecodeError, ValueError):
        return None
    code = next((c.code for c in made.code.coding if c.system == LOINC), None)
    zoned = made.effectiveDateTime.tzinfo is not None and made.issued.tzinfo is not None
    if code is None or not zoned or not made.performer:
        return None
    quantity = made.valueQuantity
    typed = next((e.valueString for e in quantity.extension if e.url == TYPED), "")
    return Entered(
        file=name,
        id=made.id,
        version=version,
        status=made.status,
        code=code,
        patient=made.subject.reference,
        typed=visible(typed)[:_LONGEST],
        value=f"{quantity.comparator}{format_number(quantity.value)}",
        unit=visible(quantity.unit)[:_LONGEST],
        collected_at=made.effectiveDateTime,
        author=visible(made.performer[0].display.removeprefix(_BY))[:_LONGEST],
        at=made.issued,
    )
