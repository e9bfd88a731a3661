"""Messages in the database: kept before they are acknowledged, then put into cases one by one."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from knowledge.model import Frozen
from serving.access.errors import ConflictError, NotFoundError
from serving.access.principal import Principal
from serving.audit.seam import SERVICE, Audit
from serving.cases.tables import CaseRow
from serving.hl7_in.accept import Accepted, Refused, is_merge
from serving.hl7_in.tables import Hl7MessageRow, Hl7NumberRow
from serving.storage.database import Database

RECEIVED, FILED, WAITING, HELD = "received", "filed", "waiting", "held"
DISCARDED = "discarded"

MERGE = "joins the numbers of patients, which nothing here does by itself"
DECIDE = "a person decides: put right what it is about, then discard it with the reason"

UNMATCHED = (
    "it is tried again by itself once a result of its order has come; else a person decides: put "
    "right what it is about, then discard it with the reason (hl7 discard)"
)


def held_way(number: int) -> str:
    """Return how a person sees a held message and decides on it, short enough for a log.

    Examples:
        >>> held_way(7)
        'see it with: epicrisis hl7 show 7; then hl7 retry 7 or hl7 discard 7'
    """
    then = f"then hl7 retry {number} or hl7 discard {number}"
    return f"see it with: epicrisis hl7 show {number}; {then}"


_REASON = 500
_NUMBERED = re.compile(r"^(?:message \d+|hl7/[^:]*): ")
"""A reason that begins with which message it is about."""

_REUSED = "this control id was acknowledged for another message of the same sender"


class Kept(Frozen):
    """A message that is in the store.

    Args:
        number: Counts up in the order of arrival.
        again: Whether it was there before.
    """

    number: int
    again: bool


class Waiting(Frozen):
    """A message that is to be put into a case, or that a person has to decide on.

    Args:
        number, source, control_id, type, patient, encounter, state, reason: As in the table.
        received_at: When.
    """

    number: int
    source: str
    control_id: str
    type: str
    patient: str
    encounter: str | None
    received_at: datetime
    state: str
    reason: str


class MessageStore:
    """What was received.

    Args:
        database: Where.
        clock: The current moment, zoned.
        audit: Told of every batch that was kept, in its transaction.

    Every method raises `UnavailableError` where the database cannot be used.
    """

    def __init__(
        self, database: Database, *, clock: Callable[[], datetime], audit: Audit | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit

    def keep(self, messages: Sequence[Accepted]) -> list[Kept | Refused]:
        """Keep messages in one transaction and return what became of each, in their order.

        When it returns they are on the disk. One whose control id was used for another content is
        refused; what was kept under it stays.
        """
        try:
            return self._keep(messages)
        except IntegrityError:  # another listener kept one of them at the same moment
            return [one for message in messages for one in self._keep([message])]

    def _keep(self, messages: Sequence[Accepted]) -> list[Kept | Refused]:
        found: list[Kept | Refused] = []
        with self._database.transaction() as session:
            before = len(found)
            for message in messages:
                found.append(self._one(session, message))
            fresh = [k.number for k in found[before:] if isinstance(k, Kept) and not k.again]
            if fresh and self._audit is not None:
                detail = {"messages": len(fresh), "first": fresh[0], "last": fresh[-1]}
                self._audit.within(session, SERVICE, "hl7.created", case=None, detail=detail)
        return found

    def _one(self, session: Session, message: Accepted) -> Kept | Refused:
        known = session.execute(
            select(Hl7MessageRow.number, Hl7MessageRow.sha256).where(
                Hl7MessageRow.source == message.source,
                Hl7MessageRow.control_id == message.control_id,
            )
        ).first()
        if known is not None:
            if known.sha256 == message.sha256:
                return Kept(number=known.number, again=True)
            return Refused(code="AE", error="205", text=_REUSED, location="MSH^1^10")
        row = Hl7MessageRow(
            source=message.source,
            control_id=message.control_id,
            sha256=message.sha256,
            content=message.content,
            type=message.type,
            patient=message.patient,
            encounter=message.encounter,
            received_at=self._clock(),
            state=HELD if message.held else RECEIVED,
            reason=message.held,
        )
        session.add(row)
        session.flush()
        return Kept(number=row.number, again=False)

    def next(self, *, most: int = 1) -> tuple[Waiting, ...]:
        """Return the oldest message that is to be put into a case, and more of the same visit."""
        query = select(Hl7MessageRow).where(Hl7MessageRow.state == RECEIVED)
        query = query.order_by(Hl7MessageRow.number)
        with self._database.reading() as session:
            first = session.scalars(query.limit(1)).first()
            if first is None:
                return ()
            visit = Hl7MessageRow.encounter == first.encounter
            if first.encounter is None:
                visit = Hl7MessageRow.encounter.is_(None)
            same = query.where(Hl7MessageRow.patient == first.patient, visit).limit(most)
            return tuple(_waiting(row) for row in session.scalars(same))

    def content(self, number: int) -> bytes:
        """Return a message as it came.

        Raises:
            NotFoundError: There is none of this number.
        """
        with self._database.reading() as session:
            row = session.get(Hl7MessageRow, number)
            if row is None:
                raise NotFoundError(f"message {number}")
            return row.content

    def filed(
        self,
        number: int,
        case: str,
        *,
        patients: Sequence[str] = (),
        follow: Sequence[int] = (),
    ) -> None:
        """Note that a message is in a case, and let what waits for the patient follow.

        Args:
            number: Of the message.
            case: Where it is.
            patients: Every number of the patient it states, as `Case.patient`.
            follow: Held messages that are to be tried again because of it.
        """
        with self._database.transaction() as session:
            row = session.get(Hl7MessageRow, number)
            if row is None:
                return
            row.state, row.case_id, row.reason = FILED, case, ""
            for patient in patients:
                session.merge(Hl7NumberRow(patient=patient, case_id=case))
            session.execute(
                update(Hl7MessageRow)
                .where(
                    Hl7MessageRow.patient.in_({row.patient, *patients}),
                    Hl7MessageRow.state == WAITING,
                )
                .values(state=RECEIVED)
            )
            session.execute(
                update(Hl7MessageRow)
                .where(Hl7MessageRow.number.in_(follow), Hl7MessageRow.state == HELD)
                .values(state=RECEIVED, reason="")
            )

    def held_for(self, reason: str) -> tuple[tuple[Waiting, bytes], ...]:
        """Return the messages that are held for a reason, oldest first, each as it came."""
        query = (
            select(Hl7MessageRow)
            .where(Hl7MessageRow.state == HELD, Hl7MessageRow.reason.contains(reason))
            .order_by(Hl7MessageRow.number)
        )
        with self._database.reading() as session:
            return tuple((_waiting(row), row.content) for row in session.scalars(query))

    def stated_of(self, patient: str) -> frozenset[str]:
        """Return the numbers that messages in the cases of a patient state."""
        query = (
            select(Hl7NumberRow.patient)
            .join(CaseRow, CaseRow.id == Hl7NumberRow.case_id)
            .where(CaseRow.patient == patient)
        )
        with self._database.reading() as session:
            return frozenset(session.scalars(query))

    def known_as(self, patients: Sequence[str]) -> tuple[str, ...]:
        """Return the patients (`Case.patient`) of cases with a message that states a number."""
        query = (
            select(CaseRow.patient)
            .join(Hl7NumberRow, Hl7NumberRow.case_id == CaseRow.id)
            .where(Hl7NumberRow.patient.in_(patients), CaseRow.patient.is_not(None))
            .distinct()
        )
        with self._database.reading() as session:
            return tuple(sorted(one for one in session.scalars(query) if one is not None))

    def set_aside(self, number: int, state: str, reason: str) -> None:
        """Note that a message waits for a case of its patient, or for a person."""
        with self._database.transaction() as session:
            session.execute(
                update(Hl7MessageRow)
                .where(Hl7MessageRow.number == number)
                .values(state=state, reason=reason[:_REASON])
            )

    def again(self, number: int) -> None:
        """Let a held message be put into a case once more.

        Raises:
            NotFoundError: No message of this number is held.
            ConflictError: It joins the numbers of patients: nothing would be joined by it.
        """
        self._not_a_merge(number)
        with self._database.transaction() as session:
            done = session.execute(
                update(Hl7MessageRow)
                .where(Hl7MessageRow.number == number, Hl7MessageRow.state == HELD)
                .values(state=RECEIVED, reason="")
            )
            if getattr(done, "rowcount", 0) != 1:
                raise NotFoundError(f"held message {number}")

    def _not_a_merge(self, number: int) -> None:
        with self._database.reading() as session:
            row = session.get(Hl7MessageRow, number)
            if row is not None and row.state == HELD and is_merge(row.type):
                raise ConflictError(f"message {number}", MERGE, DECIDE)

    def discard(self, number: int, *, by: Principal, reason: str) -> None:
        """Decide that a held message is put into no case; it is kept, with who decided and why.

        Raises:
            NotFoundError: No message of this number is held.
        """
        with self._database.transaction() as session:
            done = session.execute(
                update(Hl7MessageRow)
                .where(Hl7MessageRow.number == number, Hl7MessageRow.state == HELD)
                .values(state=DISCARDED, reason=f"{by.name}: {reason}"[:_REASON])
            )
            if getattr(done, "rowcount", 0) != 1:
                raise NotFoundError(f"held message {number}")
            if self._audit is not None:
                detail = {"message": number, "reason": reason[:_REASON]}
                self._audit.within(session, by, "hl7.discarded", case=None, detail=detail)

    def shown(self, number: int, *, to: Principal) -> tuple[Waiting, bytes]:
        """Return a message as it came, and keep who saw it.

        Raises:
            NotFoundError: There is none of this number.
        """
        with self._database.transaction() as session:
            row = session.get(Hl7MessageRow, number)
            if row is None:
                raise NotFoundError(f"message {number}")
            found = _waiting(row), row.content
            if self._audit is not None:
                detail = {"message": number}
                self._audit.within(session, to, "hl7.shown", case=None, detail=detail)
        return found

    def held_reasons(self) -> tuple[tuple[str, int], ...]:
        """Return why messages are held, and how many for each reason, the most frequent first."""
        query = select(Hl7MessageRow.reason).where(Hl7MessageRow.state == HELD)
        with self._database.reading() as session:
            found = Counter(_NUMBERED.sub("", reason) for reason in session.scalars(query))
        return tuple(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))

    def listed(self, state: str, *, limit: int = 200) -> tuple[Waiting, ...]:
        """Return messages of one state, oldest first."""
        query = (
            select(Hl7MessageRow)
            .where(Hl7MessageRow.state == state)
            .order_by(Hl7MessageRow.number)
            .limit(limit)
        )
        with self._database.reading() as session:
            return tuple(_waiting(row) for row in session.scalars(query))

    def counts(self) -> dict[str, int]:
        """Return the number of messages by state."""
        query = select(Hl7MessageRow.state, func.count()).group_by(Hl7MessageRow.state)
        with self._database.reading() as session:
            return {state: int(number) for state, number in session.execute(query)}


def _waiting(row: Hl7MessageRow) -> Waiting:
    names = Waiting.model_fields
    return Waiting.model_validate({name: getattr(row, name) for name in names})
