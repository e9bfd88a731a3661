"""Sign-off on the wire."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, PositiveInt, StringConstraints, model_validator

from agent.assessment import RESEARCH_USE
from knowledge.model import Frozen
from knowledge.plain_text import visible
from serving.signing.model import Decision, DraftDecision, Flag, SignOff, Statement


def clean(text: str) -> str:
    """Return text from outside without what cannot be seen, and without space around it."""
    return visible(text).strip()


_Words = Annotated[str, StringConstraints(max_length=4000), AfterValidator(clean)]
_Reason = Annotated[str, StringConstraints(max_length=2000), AfterValidator(clean)]
_Id = Annotated[str, StringConstraints(min_length=1, max_length=80)]
_MOST = 2000


class DecisionIn(Frozen):
    """A decision on one statement.

    Args:
        statement: Its id.
        decision: accept, edit or reject.
        text: For an edit: what it shall say instead.
        reason: For an edit or a rejection: why.
    """

    statement: _Id
    decision: Decision
    text: _Words = ""
    reason: _Reason = ""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.decision is Decision.EDIT) != bool(self.text):
            raise ValueError("an edit, and nothing else, has a text")
        if self.decision is not Decision.ACCEPT and not self.reason:
            raise ValueError("an edit or a rejection needs a reason")
        return self


class DraftIn(Frozen):
    """Decisions to be kept.

    Args:
        version: The version they are on.
        decisions: Some or all.
    """

    version: PositiveInt
    decisions: Annotated[tuple[DecisionIn, ...], Field(max_length=_MOST)]


class SignIn(Frozen):
    """A signature.

    Args:
        version: The version that was looked at.
        accept_remaining: Every statement without a decision is accepted; said on purpose. Not so
            those that say the same as a changed one, or rest on it: each is decided by itself.
        own_words: What the edits state and no result behind them holds is the signer's own; said
            on purpose, and kept so.
        amends: The sign-off that this one takes the place of, where there is one.
        reason: Why it is amended; needed then.
    """

    version: PositiveInt
    accept_remaining: bool = False
    own_words: bool = False
    amends: _Id | None = None
    reason: _Reason = ""

    @model_validator(mode="after")
    def _explained(self) -> Self:
        if self.amends is not None and not self.reason:
            raise ValueError("an amendment needs a reason")
        return self


class ResolveIn(Frozen):
    """That a flagged report stands, and why.

    Args:
        reason: Why what changed does not matter to it.
    """

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class StatementView(Frozen):
    """A statement with what the person who asks has decided on it.

    Args:
        statement: What the machine says.
        decision: Not signed yet; None where there is none.
        signed: The decision on the same statement in the newest signed report; None for none. To
            look at: nothing is taken over by itself.
        related: Ids of the statements that say the same, or rest on it.
        because: Ids of changed statements that this one says again or rests on, where it has not
            been decided since; it must be decided by itself.
        unverified: What of this person's edit no result behind the statement holds.
    """

    statement: Statement
    decision: DraftDecision | None = None
    signed: Decision | None = None
    related: tuple[str, ...] = ()
    because: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()


class DraftView(Frozen):
    """What is to be signed, as far as one person has come.

    Args:
        case: Id of the case.
        assessment: Id of the version.
        version: The newest version.
        statements: Every statement.
        undecided: How many have no decision.
        to_decide: How many must be decided by themselves, because something was changed.
        amends: The newest signed report, which a signature now would take the place of.
        flags: What of that report is not borne out any more.
        can_sign: Whether the person who asks may sign.
        notice: Research use.
    """

    case: str
    assessment: str
    version: PositiveInt
    statements: tuple[StatementView, ...]
    undecided: int
    to_decide: int = 0
    amends: SignOff | None = None
    flags: tuple[Flag, ...] = ()
    can_sign: bool
    notice: str = RESEARCH_USE


class SignOffList(Frozen):
    """Every signed report of a case, newest first; the first one counts.

    Args:
        case: Id of the case.
        sign_offs: The reports.
    """

    case: str
    sign_offs: tuple[SignOff, ...]


class FlagList(Frozen):
    """Every flag of a case, newest first.

    Args:
        case: Id of the case.
        flags: The flags.
        open: How many are not settled.
    """

    case: str
    flags: tuple[Flag, ...]
    open: int
