"""Statements, decisions on them, signed reports and what changed after, as values."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field, PositiveInt

from agent.assessment import RESEARCH_USE
from knowledge.evidence import Evidence
from knowledge.model import Frozen
from knowledge.passages import Language
from serving.access.principal import Role

SCHEMA: Literal["epicrisis/sign-off/1"] = "epicrisis/sign-off/1"

Kind = Literal["headline", "sentence", "risk", "differential", "recommendation"]
"""Which part of an assessment a statement is."""


def _is_empty(found: tuple[str, ...]) -> bool:
    """What is empty is left out, so that a report signed without it keeps its hash."""
    return not found


class Decision(StrEnum):
    """What a clinician says to a statement."""

    ACCEPT = "accept"
    EDIT = "edit"
    REJECT = "reject"


class Statement(Frozen):
    """One thing an assessment says.

    Args:
        id: From kind, text and evidence: the same statement has the same id in every version.
        kind: Which part it is.
        subject: What it is about, the same in every version: ``risk:heart:HEART score``.
        label: Name of that, to show.
        text: The words.
        evidence: What it rests on.
        citations: Ids of entries of `Assessment.citations`.
    """

    id: str
    kind: Kind
    subject: str
    label: str
    text: str
    evidence: tuple[Evidence, ...] = ()
    citations: tuple[str, ...] = ()


class DraftDecision(Frozen):
    """One decision that is not signed yet.

    Args:
        statement: Id of the statement.
        decision: What was decided.
        text: The clinician's words, for an edit.
        reason: Why, for an edit or a rejection.
        decided_at: When.
    """

    statement: str
    decision: Decision
    text: str = ""
    reason: str = ""
    decided_at: datetime


class SignedStatement(Frozen):
    """One statement as it was signed; the machine's words are kept whatever was decided.

    Args:
        statement: As the machine said it.
        decision: What the clinician decided.
        text: What the report says; None where the statement was rejected.
        author: Whose words `text` are.
        verified: Whether they went through the verifier: never so for a clinician's own words.
        reason: The clinician's, for an edit or a rejection.
        decided: Whether it was decided by itself, or with "accept all remaining".
        beside: For what was accepted: names of what the signer changed that says the same, or that
            it rests on.
        unverified: For an edit: numbers, times, grades and negations in it that nothing behind the
            statement holds, as they are written there.
    """

    statement: Statement
    decision: Decision
    text: str | None = None
    author: Literal["machine", "clinician"]
    verified: bool
    reason: str = ""
    decided: Literal["by itself", "with all remaining"]
    beside: tuple[str, ...] = Field(default=(), exclude_if=_is_empty)
    unverified: tuple[str, ...] = Field(default=(), exclude_if=_is_empty)


class Signer(Frozen):
    """Who signed, as they were known at that moment."""

    subject: str
    name: str
    roles: tuple[Role, ...]
    via: str


class SignOff(Frozen):
    """A signed report: one clinician, one version of one case, every statement decided.

    Args:
        id: Its id.
        case: Id of the case.
        number: Counts from 1 in a case.
        assessment: Id of the assessment.
        version: Its version.
        assessment_sha256: Of the assessment's body, as it was signed.
        inputs_sha256, result_sha256: As in its provenance.
        language: Of the words.
        signed_at: When.
        signer: Who.
        amends: Id of the sign-off it takes the place of; None for the first.
        reason: Why it was amended.
        statements: Every statement with its decision.
        notice: Research use.
        sha256: Of the canonical JSON of all the rest.
    """

    schema_: Literal["epicrisis/sign-off/1"] = Field(default=SCHEMA, alias="schema")
    id: str
    case: str
    number: PositiveInt
    assessment: str
    version: PositiveInt
    assessment_sha256: str
    inputs_sha256: str
    result_sha256: str
    language: Language
    signed_at: datetime
    signer: Signer
    amends: str | None = None
    reason: str = ""
    statements: tuple[SignedStatement, ...]
    notice: str = RESEARCH_USE
    sha256: str = ""

    @property
    def status(self) -> Literal["final", "amended"]:
        """FHIR's word for the state of this report, while nothing follows it."""
        return "final" if self.amends is None else "amended"


class Change(Frozen):
    """One difference between a signed version and a later one.

    Args:
        kind: A statement, a result it rests on, or the assessment as a whole.
        subject: What it is about.
        label: Name of that, to show.
        before: As it was signed: for an edit the signer's words; for a rejection that it was
            rejected, and why; None where there was nothing.
        after: As it is now; None where there is nothing any more.
        decision: What the signer did to the statement, where it was not accepted as it was.
        computed: The machine's words in the signed version, where the signer did not accept them.
        evidence: Where it comes from: the later version's, else the signed one's.
    """

    kind: Literal["statement", "result", "status"]
    subject: str
    label: str
    before: str | None = None
    after: str | None = None
    decision: Decision | None = Field(default=None, exclude_if=lambda said: said is None)
    computed: str | None = Field(default=None, exclude_if=lambda said: said is None)
    evidence: tuple[Evidence, ...] = ()


class Flag(Frozen):
    """A signed report that a later version does not bear out.

    Args:
        id: Its id.
        case: Id of the case.
        sign_off: Id of the signed report.
        assessment: Id of the later version.
        version: Its version.
        why: What that version was made for.
        raised_at: When.
        changes: What differs.
        resolved_at: When it was settled, if it was.
        resolver: Name of who settled it.
        resolution: The report was amended, or it stands.
        reason: Why it stands.
    """

    id: str
    case: str
    sign_off: str
    assessment: str
    version: PositiveInt
    why: str
    raised_at: datetime
    changes: tuple[Change, ...]
    resolved_at: datetime | None = None
    resolver: str | None = None
    resolution: Literal["amended", "stands"] | None = None
    reason: str | None = None
