"""How far a report is: draft, signed, or changed after it was signed."""

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime

from knowledge.model import Frozen
from knowledge.plain_text import visible

Status = Literal["preliminary", "final", "amended"]
Decision = Literal["accepted", "edited", "rejected"]

DRAFT = "DRAFT - not signed"


class Decided(Frozen):
    """What the signer decided on one statement.

    Args:
        statement: The text as it was computed.
        decision: accepted, edited or rejected.
        edited: The text in its place, where edited.
        reason: Why, where edited or rejected.
    """

    statement: str
    decision: Decision
    edited: str = ""
    reason: str = ""


class ReportState(Frozen):
    """Whether a report is signed, by whom and how.

    Args:
        status: As in FHIR: ``preliminary`` until signed, ``final`` after, ``amended`` once a signed
            report was replaced by a later signed one or its result was corrected.
        signed_by: Name of the signer.
        signer: Their subject.
        signed_at: When.
        decided: Their decisions.
        flag: What has happened since it was signed, for example a correction.
    """

    status: Status = "preliminary"
    signed_by: str = ""
    signer: str = ""
    signed_at: AwareDatetime | None = None
    decided: tuple[Decided, ...] = ()
    flag: str = ""

    @property
    def words(self) -> str:
        """The state in one line, as every form of the report shows it."""
        if self.status == "preliminary" or self.signed_at is None:
            return f"{DRAFT}. {self.flag}".strip() if self.flag else DRAFT
        text = f"Signed by {visible(self.signed_by)}, {_moment(self.signed_at)}"
        if self.status == "amended":
            text = f"Amended. {text}"
        return f"{text}. {self.flag}" if self.flag else text

    def shown(self, statement: str) -> str:
        """Return a statement as it stands after the signer's decision; empty where rejected."""
        decided = self.about(statement)
        if decided is None or decided.decision == "accepted":
            return statement
        return decided.edited if decided.decision == "edited" else ""

    def marked(self, statement: str) -> str:
        """Return a statement with the signer's decision on it; as it is where it was accepted."""
        decided = self.about(statement)
        if decided is None or decided.decision == "accepted":
            return statement
        reason = f" ({decided.reason})" if decided.reason else ""
        if decided.decision == "rejected":
            return f"[Rejected by the signer{reason}] {statement}"
        return f"{decided.edited} [the signer's words, not verified{reason}; computed: {statement}]"

    @property
    def changed(self) -> tuple[Decided, ...]:
        """Decisions that are not plain acceptance."""
        return tuple(d for d in self.decided if d.decision != "accepted")

    def about(self, statement: str) -> Decided | None:
        """Return the decision on a statement, where there is one."""
        return next((d for d in self.decided if d.statement == statement), None)


PRELIMINARY = ReportState()


def _moment(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="minutes")
