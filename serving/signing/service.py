"""Deciding, signing, and what happens when a later version does not bear out what was signed."""

import logging
from collections.abc import Sequence

from sqlalchemy.orm import Session

from agent.assessment import Assessment, Status
from knowledge.errors import InvalidValueError
from knowledge.plain_text import visible
from serving.access.errors import (
    AlteredError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
)
from serving.access.principal import Permission, Principal
from serving.audit.seam import SERVICE
from serving.cases.model import Case, StoredAssessment
from serving.services import Services
from serving.signing.changes import changes
from serving.signing.consistency import Draft
from serving.signing.model import (
    Change,
    DraftDecision,
    Flag,
    SignedStatement,
    Signer,
    SignOff,
    Statement,
)
from serving.signing.protocol import DecisionIn, DraftView, SignIn, StatementView
from serving.signing.statements import statements
from serving.signing.store import SignOffStore

logger = logging.getLogger(__name__)

PEOPLE = frozenset({"local", "oidc", "smart"})
"""Ways in of a person who is known by name; a system cannot sign and cannot acknowledge."""

_COLUMN = 200


class SignOffService:
    """Sign-off of cases; who may read the case is decided before.

    Args:
        services: Of the application.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self.store = SignOffStore(services.database, services.clock)

    def draft(self, case: Case, principal: Principal) -> DraftView:
        """Return every statement of the newest version with this person's decisions on it.

        Raises:
            NotFoundError: The case was never assessed.
        """
        stored = self._newest(case)
        draft = _draft(stored, self.store.draft(stored.id, signer_of(principal).subject))
        before = self.store.newest(case.id)
        signed = {s.statement.id: s.decision for s in before.statements} if before else {}
        views = tuple(
            StatementView(
                statement=one,
                decision=draft.decisions.get(one.id),
                signed=signed.get(one.id),
                related=draft.related[one.id],
                because=draft.because(one.id),
                unverified=draft.unverified(one),
            )
            for one in draft.statements
        )
        return DraftView(
            case=case.id,
            assessment=stored.id,
            version=stored.version,
            statements=views,
            undecided=sum(view.decision is None for view in views),
            to_decide=sum(bool(view.because) for view in views),
            amends=before,
            flags=tuple(f for f in self.store.flags(case.id) if f.resolved_at is None),
            can_sign=principal.via in PEOPLE
            and principal.may(Permission.SIGN, patient=case.patient)
            and stored.status != Status.REFUSED,
        )

    def decide(
        self, case: Case, version: int, decisions: Sequence[DecisionIn], *, principal: Principal
    ) -> DraftView:
        """Keep decisions of a person on statements of the newest version.

        Raises:
            ConflictError: It is not the newest version; names that one.
            InvalidValueError: It has no such statement.
        """
        _person(principal)
        stored = self._version(case, version)
        known = {one.id for one in statements_of(stored)}
        for one in decisions:
            if one.statement not in known:
                raise InvalidValueError(
                    "statement", "this version has no such statement", "read the draft again"
                )
        now = self._services.clock()
        kept = [
            DraftDecision(
                statement=one.statement,
                decision=one.decision,
                text=one.text,
                reason=one.reason,
                decided_at=now,
            )
            for one in decisions
        ]
        self.store.keep_draft(case.id, stored.id, signer_of(principal).subject, kept)
        return self.draft(case, principal)

    def sign(self, case: Case, asked: SignIn, *, principal: Principal) -> SignOff:
        """Sign the newest version and return the report.

        Raises:
            ForbiddenError: Whoever asks is no person known by name.
            ConflictError: It is not the newest version, is refused, is not decided, says in one
                place what was changed in another, states what nothing here holds, or somebody
                signed meanwhile; says what.
        """
        _person(principal)
        stored = self._version(case, asked.version)
        if stored.status == Status.REFUSED:
            raise ConflictError(
                f"case {case.id}", "was refused: there is nothing to sign", "correct its files"
            )

        def decide(decisions: tuple[DraftDecision, ...]) -> tuple[SignedStatement, ...]:
            return _draft(stored, decisions).signed(
                accept_remaining=asked.accept_remaining, own_words=asked.own_words
            )

        def note(session: Session, made: SignOff) -> None:
            self._services.audit.within(
                session,
                principal,
                "sign-off.signed" if made.amends is None else "sign-off.amended",
                case=case,
                detail={"sign-off": made.id, "version": made.version, "sha256": made.sha256},
            )

        return self.store.sign(
            case.id,
            stored.id,
            signer_of(principal),
            amends=asked.amends,
            reason=asked.reason,
            decide=decide,
            note=note,
        )

    def let_stand(self, case: Case, flag: str, reason: str, *, principal: Principal) -> Flag:
        """Settle a flag: the report stands although something changed.

        Raises:
            ForbiddenError: Whoever asks is no person known by name.
            NotFoundError: The case has no such flag.
            ConflictError: It is settled already.
        """
        _person(principal)
        done = self.store.let_stand(case.id, flag, signer_of(principal), reason)
        self._services.audit.used(principal, "flag.resolved", case=case, detail={"flag": flag})
        return done

    def compare(self, case: Case, later: StoredAssessment) -> Flag | None:
        """Flag the signed report of a case where a later version does not bear it out.

        May be called again for the same version: one flag is made.

        Args:
            case: The case.
            later: The version.
        """
        report = self.store.newest(case.id)
        if report is None or later.version <= report.version:
            return None
        found = self._differences(case, report, later)
        flag = self.store.raise_flag(report, later, found) if found else None
        if flag is not None:
            logger.info("sign-off %s flagged by version %d", report.id, later.version)
            self._services.audit.used(
                SERVICE,
                "sign-off.flagged",
                case=case,
                detail={"sign-off": report.id, "flag": flag.id, "version": later.version},
            )
        return flag

    def _differences(
        self, case: Case, report: SignOff, later: StoredAssessment
    ) -> Sequence[Change]:
        """Return what differs; where the signed version cannot be read, that is what differs."""
        try:
            signed = self._services.cases.assessment(case.id, report.version)
        except AlteredError as error:
            label = f"version {report.version}"
            words = f"not compared: {error.reason}"
            return (Change(kind="status", subject="signed version", label=label, after=words),)
        if signed is None:
            raise NotFoundError(f"assessment of case {case.id}")
        return changes(
            Assessment.model_validate(signed.body),
            Assessment.model_validate(later.body),
            report.statements,
        )

    def _newest(self, case: Case) -> StoredAssessment:
        stored = self._services.cases.assessment(case.id)
        if stored is None:
            raise NotFoundError(f"assessment of case {case.id}")
        return stored

    def _version(self, case: Case, version: int) -> StoredAssessment:
        stored = self._newest(case)
        if stored.version != version:
            raise ConflictError(
                f"case {case.id}",
                f"version {stored.version} is the newest, not {version}",
                f"review version {stored.version} and decide on that one",
            )
        return stored


def flag_signed(services: Services) -> None:
    """Compare every new version with what was signed, from now on."""
    signing = SignOffService(services)

    def compare(
        case: Case, stored: StoredAssessment, before: StoredAssessment | None = None
    ) -> None:
        signing.compare(case, stored)

    services.listeners.append(compare)


def statements_of(stored: StoredAssessment) -> tuple[Statement, ...]:
    """Return every statement of a kept assessment."""
    return statements(Assessment.model_validate(stored.body))


def _draft(stored: StoredAssessment, decisions: Sequence[DraftDecision]) -> Draft:
    assessment = Assessment.model_validate(stored.body)
    return Draft(assessment, statements(assessment), decisions)


def signer_of(principal: Principal) -> Signer:
    """Return who signs, as they are known now."""
    return Signer(
        subject=principal.subject[:_COLUMN],
        name=visible(principal.name)[:_COLUMN],
        roles=tuple(sorted(principal.roles)),
        via=principal.via,
    )


def _person(principal: Principal) -> None:
    if principal.via not in PEOPLE:
        raise ForbiddenError(f"{Permission.SIGN.value} as {principal.via}: a person signs")
