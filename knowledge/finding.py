"""The central type: one statement about one patient, in one of three states.

Missing is never normal. A finding is **present**, **absent**, or **not assessed** with the reason;
nothing in this product may turn the third into the second.
"""

import hashlib
from enum import StrEnum
from functools import cached_property
from typing import Literal, Self

import orjson
from pydantic import Field, model_validator

from knowledge.clinical_time import ClinicalTime
from knowledge.codes import Concept
from knowledge.evidence import Evidence
from knowledge.model import Frozen
from knowledge.quantity import Choice, Interval, Measured, Quantity, QuantityInterval, Value

MethodKind = Literal["laboratory", "point-of-care"]
"""Where a result was measured: two kinds of method are never mixed in a comparison."""


class State(StrEnum):
    """The three values every question has."""

    PRESENT = "present"
    ABSENT = "absent"
    NOT_ASSESSED = "not_assessed"


class Why(StrEnum):
    """Why something is not assessed."""

    MISSING = "missing"
    UNCONFIRMED = "unconfirmed"
    UNIT_NOT_RECOGNISED = "unit-not-recognised"
    VALUE_IMPOSSIBLE = "value-impossible"
    TIME_NOT_GIVEN = "time-not-given"
    TIME_ZONE_UNKNOWN = "time-zone-unknown"
    FUTURE_TIME = "future-time"
    OUTSIDE_WINDOW = "outside-window"
    STALE = "stale"
    ASSAY_NOT_NAMED = "assay-not-named"
    NOT_AVAILABLE_FOR_ASSAY = "not-available-for-assay"
    CENSORED = "censored"
    CONFLICTING = "conflicting"
    OUTSIDE_CONTRACT = "outside-contract"
    QUALITY = "quality"
    UNREADABLE = "unreadable"
    SWITCHED_OFF = "switched-off"
    NO_MODEL = "no-model-configured"
    RETRACTED = "retracted"
    DEPENDS = "depends-on-not-assessed"
    FAILED = "failed"


class NotAssessed(Frozen):
    """The reason a statement could not be made, for a program and for a person."""

    why: Why
    detail: str


class Finding(Frozen):
    """One statement: what, whether, how much, when, where in the body, how, and from where.

    A measurement is `present` with a `value`. A yes/no fact is `present` or `absent` without one.

    Args:
        concept: What the statement is about.
        state: present, absent or not assessed.
        not_assessed: The reason; set exactly when `state` is `not_assessed`.
        value: The number with its UCUM unit, the interval, the choice or the text.
        time: Collection or observation time; never the time a message was sent.
        body_site: Where in the body, or which lead.
        method: Assay, device or technique.
        reported: The value and unit as the source printed them, where they were converted.
        flags: Quality flags in kebab-case, for example ``preliminary``, ``haemolysed``, ``stale``.
        evidence: Where it comes from; empty only for `not_assessed`.
        specimen: What was measured in, as its source states it; None where it does not.
        method_kind: Laboratory or point of care, as its source states it; None where it does not.
        derived_from: Records that it is a part or a consequence of, as its source names them, for
            example the culture of a susceptibility.
        note: What its source says beside it, clipped; text from outside.
    """

    concept: Concept
    state: State
    not_assessed: NotAssessed | None = None
    value: Value | None = None
    time: ClinicalTime | None = None
    body_site: str | None = None
    method: str | None = None
    reported: str | None = None
    flags: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    specimen: str | None = None
    method_kind: MethodKind | None = None
    derived_from: tuple[str, ...] = Field(default=(), exclude_if=lambda found: not found)
    note: str = Field(default="", exclude_if=lambda found: not found)

    @model_validator(mode="after")
    def _three_valued(self) -> Self:
        if (self.state is State.NOT_ASSESSED) != (self.not_assessed is not None):
            raise ValueError("a reason is given exactly when the state is not_assessed")
        if self.state is not State.PRESENT and self.value is not None:
            raise ValueError("only a present finding has a value")
        if self.state is not State.NOT_ASSESSED and not self.evidence:
            raise ValueError("a finding that is present or absent needs its evidence")
        return self

    @cached_property
    def id(self) -> str:
        """Identifier derived from the content: equal findings have equal ids on every machine."""
        payload = orjson.dumps(self.to_json(), option=orjson.OPT_SORT_KEYS)
        return "f-" + hashlib.sha256(payload).hexdigest()[:12]

    def __lt__(self, other: "Finding") -> bool:
        """Order by id: where nothing else tells two apart, they sort alike on every machine."""
        return self.id < other.id

    @property
    def quantity(self) -> Measured | None:
        """The value where it is a number or an interval of numbers."""
        return self.value if isinstance(self.value, Quantity | QuantityInterval) else None

    @property
    def interval(self) -> Interval | None:
        """All possible numbers, in the value's unit; None where there is no number."""
        return None if self.quantity is None else self.quantity.interval

    @property
    def choice(self) -> str | None:
        """The chosen answer's id, where the value is a choice."""
        return self.value.choice if isinstance(self.value, Choice) else None


def not_assessed(
    concept: Concept,
    why: Why,
    detail: str,
    *,
    evidence: tuple[Evidence, ...] = (),
    time: ClinicalTime | None = None,
) -> Finding:
    """Return a finding that could not be assessed, with the reason."""
    return Finding(
        concept=concept,
        state=State.NOT_ASSESSED,
        not_assessed=NotAssessed(why=why, detail=detail),
        evidence=evidence,
        time=time,
    )
