"""What a signer still has to decide, because something it says or rests on was changed."""

from collections.abc import Mapping, Sequence

from agent.assessment import Assessment
from serving.access.errors import ConflictError
from serving.signing.model import Decision, DraftDecision, SignedStatement, Statement
from serving.signing.own_words import unverified
from serving.signing.related import related

_NAMED = 6
"""Statements named in a refusal; the draft has them all."""


class Draft:
    """One person's decisions on one version, and what follows from them.

    Args:
        assessment: The version.
        statements: Everything it says.
        decisions: What was decided so far.
    """

    def __init__(
        self,
        assessment: Assessment,
        statements: Sequence[Statement],
        decisions: Sequence[DraftDecision],
    ) -> None:
        self._assessment = assessment
        self.statements = tuple(statements)
        self.decisions = {one.statement: one for one in decisions}
        self.related: Mapping[str, tuple[str, ...]] = related(assessment, statements)
        self._labels = {one.id: one.label for one in statements}

    def because(self, statement: str) -> tuple[str, ...]:
        """Return the changed statements for whose sake this one is to be decided by itself.

        One that was accepted before the change was accepted without knowing of it.
        """
        own = self.decisions.get(statement)
        if own is not None and own.decision is not Decision.ACCEPT:
            return ()
        changed = self._changed_beside(statement)
        return tuple(
            one.statement for one in changed if own is None or own.decided_at < one.decided_at
        )

    def beside(self, statement: str) -> tuple[str, ...]:
        """Return the names of what the signer changed that this says again or rests on."""
        changed = self._changed_beside(statement)
        return tuple(dict.fromkeys(self._labels[one.statement] for one in changed))

    def unverified(self, statement: Statement) -> tuple[str, ...]:
        """Return what of an edit nothing behind the statement holds."""
        own = self.decisions.get(statement.id)
        if own is None or own.decision is not Decision.EDIT:
            return ()
        return unverified(own.text, statement, self._assessment)

    def signed(self, *, accept_remaining: bool, own_words: bool) -> tuple[SignedStatement, ...]:
        """Return every statement with its decision.

        Args:
            accept_remaining: What is not decided is accepted; said on purpose.
            own_words: That the signer knows what in the edits nothing here holds.

        Raises:
            ConflictError: Some have no decision; or some say the same as what was changed and
                were not decided since; or an edit states what nothing here holds.
        """
        self._consistent()
        self._complete(accept_remaining=accept_remaining)
        self._known(own_words=own_words)
        return tuple(self._signed(one) for one in self.statements)

    def _changed_beside(self, statement: str) -> tuple[DraftDecision, ...]:
        return tuple(
            one
            for one in self.decisions.values()
            if one.decision is not Decision.ACCEPT
            and statement in self.related.get(one.statement, ())
        )

    def _consistent(self) -> None:
        waiting = [one for one in self.statements if self.because(one.id)]
        if waiting:
            names = ", ".join(f"{one.label} ({one.kind})" for one in waiting[:_NAMED])
            more = len(waiting) - _NAMED
            raise ConflictError(
                "draft",
                f"{len(waiting)} statements say the same as what you changed, or rest on it: "
                f"{names}{f' and {more} more' if more > 0 else ''}",
                "decide each of them: accept, edit or reject",
            )

    def _complete(self, *, accept_remaining: bool) -> None:
        open_ones = [one for one in self.statements if one.id not in self.decisions]
        if open_ones and not accept_remaining:
            raise ConflictError(
                "draft",
                f"{len(open_ones)} of {len(self.statements)} statements are not decided",
                "decide them, or accept all remaining on purpose",
            )

    def _known(self, *, own_words: bool) -> None:
        found = [(one, self.unverified(one)) for one in self.statements]
        said = [f"{one.label}: {', '.join(new)}" for one, new in found if new]
        if said and not own_words:
            raise ConflictError(
                "draft",
                f"edits state what no result of this assessment behind them holds: "
                f"{'; '.join(said)}",
                "correct the edit, or say on purpose that these are your own words",
            )

    def _signed(self, statement: Statement) -> SignedStatement:
        draft = self.decisions.get(statement.id)
        decision = Decision.ACCEPT if draft is None else draft.decision
        edited = decision is Decision.EDIT
        words = {
            Decision.ACCEPT: statement.text,
            Decision.EDIT: "" if draft is None else draft.text,
            Decision.REJECT: None,
        }
        return SignedStatement(
            statement=statement,
            decision=decision,
            text=words[decision],
            author="clinician" if edited else "machine",
            verified=not edited,
            reason="" if draft is None else draft.reason,
            decided="with all remaining" if draft is None else "by itself",
            beside=self.beside(statement.id) if decision is Decision.ACCEPT else (),
            unverified=self.unverified(statement),
        )
