"""How far a report is: draft, signed, or changed after it was signed."""

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime

from knowledge.model import Frozen
from knowledge.plain_text import visible
from serving.signing.model import Kind

Status = Literal["preliminary", "final", "amended"]
Decision = Literal["accepted", "edited", "rejected"]

DRAFT = "DRAFT - not signed"
OWN_WORDS = "the signer's words, not verified"


class Decided(Frozen):
    """What the signer decided on one statement.

    Args:
        statement: The text as it was computed.
        decision: accepted, edited or rejected.
        edited: The text in its place, where edited.
        reason: Why, where edited or rejected.
        kind: Which part of the assessment the statement is; empty stands for every part.
        unverified: What of an edit nothing behind the statement holds.
        beside: Names of changed statements that this one, accepted, says again or rests on.
    """

    statement: str
    decision: Decision
    edited: str = ""
    reason: str = ""
    kind: Kind | Literal[""] = ""
    unverified: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


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

    @property
    def line(self) -> str:
        """The state in a line that is short enough to stand on every page.

        That something changed stands first: what is cut off at the end of a line is not that.
        """
        if self.status == "preliminary" or self.signed_at is None or not self.flag:
            return self.words
        signed = f"{visible(self.signed_by)}, {_moment(self.signed_at)}"
        return f"{self.flag.partition(':')[0].rstrip('.')}. Signed by {signed}"

    def shown(self, statement: str, kind: Kind | None = None) -> str:
        """Return a statement as it stands after the signer's decision; empty where rejected."""
        decided = self.about(statement, kind)
        if decided is None or decided.decision == "accepted":
            return statement
        return decided.edited if decided.decision == "edited" else ""

    def marked(self, statement: str, kind: Kind | None = None) -> str:
        """Return a statement with the signer's decision on it; as it is where it was accepted."""
        decided = self.about(statement, kind)
        if decided is None:
            return statement
        reason = f" ({decided.reason})" if decided.reason else ""
        match decided.decision:
            case "accepted":
                return f"{statement}{_beside(decided)}"
            case "rejected":
                return f"[Rejected by the signer{reason}] {statement}"
            case "edited":
                words = f"{OWN_WORDS}{_not_computed(decided)}{reason}; computed: {statement}"
                return f"{decided.edited} [{words}]"

    @property
    def changed(self) -> tuple[Decided, ...]:
        """Decisions that are not plain acceptance."""
        return tuple(d for d in self.decided if d.decision != "accepted")

    def about(self, statement: str, kind: Kind | None = None) -> Decided | None:
        """Return the decision on a statement, where there is one.

        Args:
            statement: The text as it was computed.
            kind: Which part of the assessment it is; two parts may have the same words.
        """
        fitting = (d for d in self.decided if kind is None or d.kind in ("", kind))
        return next((d for d in fitting if d.statement == statement), None)


PRELIMINARY = ReportState()


def _beside(decided: Decided) -> str:
    if not decided.beside:
        return ""
    return f" [accepted as computed; the signer changed: {', '.join(decided.beside)}]"


def _not_computed(decided: Decided) -> str:
    return f"; not computed here: {', '.join(decided.unverified)}" if decided.unverified else ""


def _moment(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="minutes")
