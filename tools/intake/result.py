"""What intake hands on: the timeline, the recordings, and what became of every file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from knowledge.clinical_time import ClinicalTime
from knowledge.model import Frozen
from knowledge.timeline import Document, Fact, Timeline
from tools.ecg.model import EcgRecording
from tools.imaging.in_case.model import CaseImages
from tools.imaging.model import Study
from tools.intake.identity import IdentityReport
from tools.intake.wearable.model import WearableFile
from tools.readings.in_case import CaseReading
from tools.readings.statements import StatedReading
from tools.readings.urgent import UrgentReading

Status = Literal["read", "ignored", "failed"]


class InputFile(Frozen):
    """What became of one file.

    Args:
        file: Name relative to the case.
        kind: What the content is, for example ``FHIR JSON``, ``ECG``, ``case file``.
        status: `read`, `ignored` (a kind that is not used) or `failed` (should have been usable).
        reason: Why it was not read, or what of it was not; for a file read as a whole, None.
        sha256: Of the content; None where it could not be read.
        counts: Resources or records used, by type.
        ignored: Resources of types that are not used, by type.
        problems: Entries inside the file that could not be used, each with the reason.
        unread: Whether it may hold something of the patient that nothing has read.
    """

    file: str
    kind: str
    status: Status
    reason: str | None = None
    sha256: str | None = None
    counts: Mapping[str, int] = {}
    ignored: Mapping[str, int] = {}
    problems: tuple[str, ...] = ()
    unread: bool = False


class Retraction(Frozen):
    """A record that its source took back or replaced, and is therefore not used.

    Args:
        file: Where it stands.
        resource: For example ``Observation/hs-tnt-1``.
        reason: For example ``entered-in-error``.
        facts: What it was about and when, each not assessed and without a value; empty where that
            is not read.
    """

    file: str
    resource: str
    reason: str
    facts: tuple[Fact, ...] = ()


class Override(Frozen):
    """An explicit statement that a file is of the same patient, against or without its identity.

    Args:
        file: The file.
        by: ``--same-patient`` or the ``attach`` line of ``case.yaml``.
        differs: The identity fields that disagree with another source; never their values.
    """

    file: str
    by: str
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseFiles:
    """One case as read.

    Args:
        case: Identifier of the case; derived from the content where none is stated.
        problem: The presenting problem.
        synthetic: Whether ``case.yaml`` declares the patient invented.
        time_zone: IANA zone declared for the case or site.
        at: Moment of assessment: as asked for, else as stated in ``case.yaml``.
        timeline: All facts.
        recordings: Recording id to the recording.
        complaint_stated: Whether acute chest pain is what the case is for, by whoever made it.
            False for the messages of a feed, where only an answer to ``chest_pain`` can say so.
        wearables: Values of the patient's own devices; never inputs of an acute rule.
        readings: Structured readings of images; what a signed one answers is on the timeline.
        urgent: What signed ones state that is to be told at once, of any time.
        studies: Images and slides, by examination; what they show is not assessed.
        images: Those images with their contents, to be measured on.
        inputs: Every file, by name.
        identity: How the identities compare.
        retracted: Records not used because their source took them back or replaced them.
        overrides: Explicit same-patient statements.
        notes: Every free text: the timeline's documents and the conclusions of its reports.
        documented: Laboratory results read from texts and PDFs, flagged ``from-document``. They are
            no facts of the timeline: no score, flag or pathway uses them until a person confirms.
    """

    case: str
    problem: str
    synthetic: bool
    time_zone: str | None
    at: ClinicalTime | None
    timeline: Timeline
    recordings: Mapping[str, EcgRecording]
    inputs: tuple[InputFile, ...]
    identity: IdentityReport
    retracted: tuple[Retraction, ...] = ()
    overrides: tuple[Override, ...] = ()
    notes: tuple[Document, ...] = ()
    documented: tuple[Fact, ...] = ()
    studies: tuple[Study, ...] = ()
    images: CaseImages = field(default_factory=CaseImages, repr=False)
    wearables: tuple[WearableFile, ...] = ()
    readings: tuple[CaseReading, ...] = ()
    urgent: tuple[UrgentReading, ...] = ()
    stated_readings: tuple[StatedReading, ...] = ()
    complaint_stated: bool = True
