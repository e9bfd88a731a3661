"""The result: one assessment of one case, with a published JSON schema.

Field names are a contract. `to_json()` is what ``epicrisis assess --json`` prints.
"""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from agent.laboratory.model import LaboratoryReport
from agent.record import AgentRecord
from knowledge.clinical_time import ClinicalTime
from knowledge.conflict import Conflict
from knowledge.evidence import Evidence
from knowledge.finding import Finding, NotAssessed
from knowledge.model import Frozen
from knowledge.pathways import Urgency
from knowledge.reference import Citation
from knowledge.risk import MissingInput, Risk
from tools.imaging.model import Study
from tools.intake.wearable.report import WearableReport
from tools.readings.in_case import CaseReading
from tools.readings.statements import StatedReading
from tools.readings.urgent import UrgentReading

SCHEMA: Literal["epicrisis/assessment/1"] = "epicrisis/assessment/1"
RESEARCH_USE = (
    "Research use only; not a medical device. Decision support for professionals: "
    "a clinician reviews, decides and signs."
)


class Status(StrEnum):
    """How far the assessment got."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    NOT_ASSESSABLE = "not_assessable"
    REFUSED = "refused"


class Verdict(StrEnum):
    """How a must-not-miss diagnosis ends."""

    SUPPORTED = "supported"
    ARGUED_AGAINST = "argued against"
    NOT_ASSESSED = "not assessed"


class Reason(Frozen):
    """One argument for or against a diagnosis, with where it comes from."""

    text: str
    evidence: tuple[Evidence, ...] = ()
    citation: str
    """Id of an entry of `Assessment.citations`."""


class DifferentialEntry(Frozen):
    """One must-not-miss diagnosis.

    Args:
        id: Stable key.
        diagnosis: Name to show.
        verdict: supported, argued against, or not assessed.
        supporting, against: The arguments that hold; both are shown, whatever the verdict.
        not_assessed: Why it is not assessed, where it is not.
        settle: Inputs that would settle it, by id.
    """

    id: str
    diagnosis: str
    verdict: Verdict
    supporting: tuple[Reason, ...] = ()
    against: tuple[Reason, ...] = ()
    not_assessed: NotAssessed | None = None
    settle: tuple[str, ...] = ()


class Recommended(Frozen):
    """A recommendation that applies, as our summary of its source.

    Args:
        id: Stable key.
        text: The summary.
        urgency: How soon.
        strength: Class of recommendation as the source grades it, where known.
        due: When, for a dated one.
        label: How the wording is to be read.
        citation: Id of an entry of `Assessment.citations`.
        evidence: What made it apply.
        cards: Ids of the guideline cards that support it, see `knowledge.cards`.
    """

    id: str
    text: str
    urgency: Urgency
    strength: str | None = None
    due: ClinicalTime | None = None
    label: str
    review: str
    citation: str
    evidence: tuple[Evidence, ...] = ()
    cards: tuple[str, ...] = ()


class MissingItem(MissingInput):
    """A missing input, with what it would unlock.

    Args:
        unlocks: Names of the risks and diagnoses it could settle.
        priority: 1 is asked first.
    """

    unlocks: tuple[str, ...]
    priority: int


class InputRecord(Frozen):
    """What became of one input file."""

    file: str
    kind: str
    status: Literal["read", "ignored", "failed"]
    reason: str = ""
    sha256: str | None = None
    content: str = ""


class Sentence(Frozen):
    """One sentence of the narrative, with what it rests on."""

    text: str
    evidence: tuple[Evidence, ...] = ()
    citation: str | None = None


class Narrative(Frozen):
    """The assessment in words, headline first; by templates, every number from a tool.

    Args:
        headline: The one thing to know.
        urgency: How soon to act on it.
        author: Who wrote the words.
        sentences: The rest.
        evidence: What the headline rests on; left out where there is none, so that a version kept
            before there was any is still the same, and has the same hash.
    """

    headline: str
    urgency: Urgency
    author: str
    sentences: tuple[Sentence, ...]
    evidence: tuple[Evidence, ...] = Field(default=(), exclude_if=lambda found: not found)


class ToolRun(Frozen):
    """One tool of the pathway: run, skipped or refused."""

    tool: str
    version: str
    required: bool
    outcome: Literal["done", "not assessed", "skipped", "switched off", "failed"]
    reason: str = ""
    seconds: float | None = None


class Provenance(Frozen):
    """What is needed to replay the result.

    Args:
        epicrisis: Version of this product.
        python: Version of the interpreter.
        at: The moment of assessment.
        pathway: Name of the pathway.
        tools: Tool runs in order.
        reference_sha256: Reference file to its SHA-256.
        inputs_sha256: SHA-256 over the input files' hashes, in order.
        result_sha256: SHA-256 of the result without timings: equal inputs give an equal one.
        overrides: Explicit overrides that were used, for example of an identity conflict.
        seconds: Wall time of the whole assessment.
        packages: Versions of the packages that compute.
    """

    epicrisis: str
    python: str
    at: ClinicalTime
    pathway: str
    tools: tuple[ToolRun, ...] = ()
    reference_sha256: dict[str, str] = Field(default_factory=dict)
    inputs_sha256: str
    result_sha256: str = ""
    overrides: tuple[str, ...] = ()
    packages: dict[str, str] = Field(default_factory=dict)
    seconds: float | None = None


class Assessment(Frozen):
    """The assessment of one case."""

    schema_: Literal["epicrisis/assessment/1"] = Field(default=SCHEMA, alias="schema")
    case: str
    synthetic: bool = False
    status: Status
    reason: str = ""
    problem: str
    time_zone: str | None = None
    risks: tuple[Risk, ...] = ()
    findings: tuple[Finding, ...] = ()
    differential: tuple[DifferentialEntry, ...] = ()
    recommendations: tuple[Recommended, ...] = ()
    missing: tuple[MissingItem, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    citations: tuple[Citation, ...] = ()
    narrative: Narrative
    inputs: tuple[InputRecord, ...] = ()
    provenance: Provenance
    laboratory: LaboratoryReport | None = Field(
        default=None, exclude_if=lambda found: found is None
    )
    imaging: tuple[Study, ...] = Field(default=(), exclude_if=lambda found: not found)
    readings: tuple[CaseReading, ...] = Field(default=(), exclude_if=lambda found: not found)
    stated_readings: tuple[StatedReading, ...] = Field(
        default=(), exclude_if=lambda found: not found
    )
    urgent_readings: tuple[UrgentReading, ...] = Field(
        default=(), exclude_if=lambda found: not found
    )
    """Signed readings of this presentation with signs that are to be told at once."""
    wearable: WearableReport | None = Field(default=None, exclude_if=lambda found: found is None)
    complaint_stated: bool = Field(default=True, exclude_if=lambda stated: stated)
    """Whether anything states the complaint; where nothing does, the pathway was not started. Left
    out where it is stated, so that a version kept before is still the same."""
    agent: AgentRecord | None = None
    notice: str = RESEARCH_USE
