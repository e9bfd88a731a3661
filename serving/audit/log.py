"""Writes the audit: one chain, however many threads, processes and machines write to it.

A writer holds the chain's lock from reading its end until its own event is kept: SQLite's write
lock, PostgreSQL's advisory lock. The sequence is the primary key, so that a fork could not be kept
even without it.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.event import listen
from sqlalchemy.orm import Session

from knowledge.errors import EpicrisisError
from knowledge.settings import Settings
from serving.access.address import public_base
from serving.access.principal import Principal
from serving.audit.anchor import Anchor, Head
from serving.audit.append_only import protect
from serving.audit.chain import GENESIS, row_of
from serving.audit.event import event
from serving.audit.origin import current
from serving.audit.tables import AuditRow
from serving.cases.model import Case
from serving.storage.database import Database

logger = logging.getLogger(__name__)

_LOCK = 0x41554449
"""Number of the advisory lock under which PostgreSQL's chain grows."""


class AuditLog:
    """The audit of one installation.

    Every method raises `UnavailableError` where the database cannot be used. None but `within` may
    be called while this thread has a transaction open: SQLite lets one writer in at a time.

    Args:
        database: Where it is kept.
        clock: The current moment, zoned.
        site: Address of this service as others know it, named in every event.
        anchor: The file that knows the newest event; None for none.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        *,
        site: str = "epicrisis",
        anchor: Anchor | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._site = site
        self._anchor = anchor
        self._protected = False

    @classmethod
    def of(
        cls, settings: Settings, database: Database, clock: Callable[[], datetime]
    ) -> "AuditLog":
        """Return the audit of this installation, with its anchor.

        Raises:
            InvalidValueError: The address of the service is not one that is taken.
        """
        return cls(database, clock, site=public_base(settings), anchor=Anchor.of(settings))

    def used(
        self,
        principal: Principal,
        action: str,
        *,
        case: Case | None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep that somebody did something, see `serving.audit.seam.Audit`."""
        self._keep([self._event(principal, action, case=case, detail=detail)])

    def within(
        self,
        session: Session,
        principal: Principal,
        action: str,
        *,
        case: Case | None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep something with the transaction that does it, see `serving.audit.seam.Audit`."""
        session.flush()
        last, cut = self._add(session, [self._event(principal, action, case=case, detail=detail)])
        after = partial(self._kept, last, cut)
        listen(session, "after_commit", lambda _: after(), once=True)

    def listed(
        self,
        principal: Principal,
        action: str,
        *,
        cases: Sequence[Case],
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep that somebody saw a list, see `serving.audit.seam.Audit`."""
        found = [self._event(principal, action, case=case, detail=detail) for case in cases]
        self._keep(found or [self._event(principal, action, case=None, detail=detail)])

    def refused(self, principal: Principal | None, action: str, *, case: str | None) -> None:
        """Keep that somebody was refused, see `serving.audit.seam.Audit`."""
        self._keep([self._event(principal, action, case=case, refused=True)])

    def _event(
        self,
        principal: Principal | None,
        action: str,
        *,
        case: Case | str | None,
        detail: Mapping[str, Any] | None = None,
        refused: bool = False,
    ) -> dict[str, Any]:
        return event(
            principal,
            action,
            at=self._clock(),
            site=self._site,
            origin=current(),
            case=case,
            detail=detail,
            refused=refused,
        )

    def _keep(self, bodies: Sequence[dict[str, Any]]) -> Head:
        with self._database.transaction() as session:
            last, cut = self._add(session, bodies)
        self._kept(last, cut)
        return last

    def _add(self, session: Session, bodies: Sequence[dict[str, Any]]) -> tuple[Head, Head | None]:
        """Add events to the end of the chain; return the newest, and what was cut off before."""
        self._lock(session)
        last = _end(session)
        cut = self._cut(last)
        for body in bodies:
            row = row_of(body, sequence=last.sequence + 1, previous=last.sha256)
            session.add(row)
            last = Head(sequence=row.sequence, sha256=row.sha256)
        session.flush()
        return last, cut

    def _kept(self, last: Head, cut: Head | None) -> None:
        self._protected = True
        self._advance(last, cut)

    def _lock(self, session: Session) -> None:
        if not self._database.is_sqlite:
            session.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})
        if not self._protected:
            protect(session, AuditRow.__tablename__)

    def _cut(self, last: Head) -> Head | None:
        """Return what the anchor says where the chain ends before it.

        An anchor is only ever of an event that was kept, and this is asked under the chain's lock:
        an end before the anchor means that events were taken out.
        """
        if self._anchor is None:
            return None
        try:
            heads = self._anchor.heads()
        except EpicrisisError as error:
            logger.error("audit anchor cannot be read: %s", error.reason)
            return None
        if not heads:
            self._begin_or_miss(last)
            return None
        if heads[-1].sequence < last.sequence or heads[-1] == last:
            return None
        logger.error("audit: event %d was anchored and is not in the chain", heads[-1].sequence)
        return heads[-1]

    def renew_anchor(
        self, principal: Principal, action: str, *, detail: Mapping[str, Any] | None = None
    ) -> Head:
        """Begin the anchor at an event that says why, and return that event.

        An anchor that is there is left as it is.

        Args:
            principal: Who.
            action: Why.
            detail: Ids and hashes.

        Raises:
            UnavailableError: The event or the file cannot be written.
            UnreadableError: The file is there and is not what was written.
        """
        head = self._keep([self._event(principal, action, case=None, detail=detail)])
        if self._anchor is not None:
            self._anchor.begin(head)
        return head

    def _begin_or_miss(self, last: Head) -> None:
        """Begin the anchor of an empty chain; of another, say that it is lost."""
        if self._anchor is None:
            return
        if last.sequence:
            logger.error("audit anchor is not there: see `epicrisis audit verify`")
            return
        try:
            self._anchor.begin(last)
        except EpicrisisError as error:
            logger.error("audit anchor cannot be begun: %s", error.reason)

    def _advance(self, head: Head, cut: Head | None) -> None:
        """Let the anchor follow. Events are kept already: where it cannot, `verify` says so."""
        if self._anchor is None:
            return
        try:
            self._anchor.advance(head, cut=cut)
        except EpicrisisError as error:
            logger.error("audit anchor stays behind: %s", error.reason)


def _end(session: Session) -> Head:
    row = session.execute(
        select(AuditRow.sequence, AuditRow.sha256).order_by(AuditRow.sequence.desc()).limit(1)
    ).first()
    return Head(sequence=0, sha256=GENESIS) if row is None else Head(sequence=row[0], sha256=row[1])
