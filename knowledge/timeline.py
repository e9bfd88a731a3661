"""One patient's typed, time-ordered facts: what every tool and every view reads."""

from collections.abc import Hashable
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

from pydantic import Field, model_validator

from knowledge.clinical_time import ClinicalTime
from knowledge.evidence import Evidence
from knowledge.finding import Finding
from knowledge.model import Frozen, put_together
from knowledge.patient import Patient

_NEVER = datetime.min.replace(tzinfo=UTC)
"""Sorts before every time there can be (`knowledge.clinical_time.EARLIEST_YEAR`)."""


AWAITED = "result-awaited"
"""Flag of a result that was announced and is not there yet, or of a report that holds none."""

NOT_SENT = "result-not-sent"
"""Flag of a result that a report or panel names and that is not among the data."""


SUPERSEDED = "superseded"
"""Flag of a result that a later version of it, under another id, replaced."""


class Category(StrEnum):
    """What sort of fact an entry is."""

    LABORATORY = "laboratory"
    VITAL_SIGN = "vital-sign"
    CONDITION = "condition"
    MEDICATION = "medication"
    PROCEDURE = "procedure"
    ENCOUNTER = "encounter"
    REPORT = "report"
    OBSERVATION = "observation"
    STATED = "stated"
    """Entered by hand in ``case.yaml``: history, pain character, examination, answers."""
    IMAGING = "imaging"
    """An image study or slide of the case; never more than that it is there."""
    READING = "reading"
    """What a structured reading of images says to a clinical input, or why it says nothing."""
    WEARABLE = "wearable"
    """Measured by the patient's own device outside care: never an input of an acute rule."""
    DEVICE_SAID = "device-said"
    """A device's own measurement or statement: shown beside ours, never as ours."""


class Fact(Frozen):
    """One entry of the timeline."""

    category: Category
    finding: Finding
    period_end: ClinicalTime | None = None
    """End of a condition, encounter, medication or procedure, where stated."""


class RecordingRef(Frozen):
    """A recording of the case; its samples are kept beside the timeline, by `id`.

    Args:
        id: SHA-256 of the file content, first 16 hex digits.
        modality: For now ``ECG``.
        time: Start of the recording.
        evidence: The file and instance.
        leads: Lead names in file order.
        sampling_rate_hz: Samples a second.
        duration_s: Length.
    """

    id: str
    modality: str
    time: ClinicalTime | None = None
    evidence: Evidence
    leads: tuple[str, ...] = ()
    sampling_rate_hz: float | None = None
    duration_s: float | None = None


class Document(Frozen):
    """A note or report text: untrusted words, kept whole for spans to point into.

    Args:
        id: Of its words and place.
        title: What it is called.
        text: Its words.
        time: Of what it tells.
        evidence: Where it stands.
        report: Whether it reports an examination: what it denies is no news.
        because: Why a person is to read it, where that is not its being free text.
    """

    id: str
    title: str
    text: str
    time: ClinicalTime | None = None
    evidence: Evidence
    report: bool = Field(default=False, exclude_if=lambda found: not found)
    because: str = Field(default="", exclude_if=lambda found: not found)


class Timeline(Frozen):
    """All facts of one patient, in time order; what has no time comes first."""

    patient: Patient
    facts: tuple[Fact, ...] = ()
    recordings: tuple[RecordingRef, ...] = ()
    documents: tuple[Document, ...] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        keys = [_order(fact) for fact in self.facts]
        if any(a > b for a, b in pairwise(keys)):
            raise ValueError("the facts are not in time order; build with Timeline.of")
        return self

    @classmethod
    def of(
        cls,
        patient: Patient,
        facts: tuple[Fact, ...],
        recordings: tuple[RecordingRef, ...] = (),
        documents: tuple[Document, ...] = (),
    ) -> "Timeline":
        """Return a timeline with everything put in order, whatever order it came in."""
        ordered = {
            "patient": patient,
            "facts": tuple(sorted(facts, key=_order)),
            "recordings": tuple(
                sorted(
                    recordings, key=lambda r: (r.time.sort_key if r.time else (_NEVER, ""), r.id)
                )
            ),
            "documents": tuple(sorted(documents, key=lambda d: d.id)),
        }
        return put_together(cls, ordered)

    @cached_property
    def memo(self) -> dict[Hashable, Any]:
        """What was computed from these facts alone, by whoever computed it: they never change."""
        return {}

    def with_code(self, system: str, *codes: str) -> tuple[Fact, ...]:
        """Return the facts that carry one of the codes of `system`, oldest first."""
        return tuple(f for f in self.facts if f.finding.concept.has(system, *codes))

    def in_category(self, *categories: Category) -> tuple[Fact, ...]:
        """Return the facts of these categories, oldest first."""
        return tuple(f for f in self.facts if f.category in categories)


def _order(fact: Fact) -> tuple[datetime, str, Finding]:
    """Return the sort key of a fact; a time of unknown zone sorts as if it were UTC."""
    finding = fact.finding
    time = finding.time
    at = _NEVER if time is None else time.at if time.at.tzinfo else time.at.replace(tzinfo=UTC)
    return at, finding.concept.text, finding
