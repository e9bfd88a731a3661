"""Critical results in the database: raised once, acknowledged by one person, or escalated."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from knowledge.critical_results import critical_results
from serving.access.errors import ConflictError, NotFoundError
from serving.cases.model import StoredAssessment
from serving.signing.store import lock_case
from serving.storage.base import new_id
from serving.storage.database import Database
from serving.worklist.critical import covers
from serving.worklist.model import REMINDER, Acknowledgement, Critical
from serving.worklist.tables import AcknowledgementRow


class AcknowledgementStore:
    """What is kept of critical results; every call is one transaction.

    Every method raises `UnavailableError` where the database cannot be used.

    Args:
        database: Where.
        clock: The current moment, zoned.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def follow(
        self,
        stored: StoredAssessment,
        found: Sequence[Critical],
        no_longer: Callable[[Critical], str | None],
    ) -> tuple[tuple[Acknowledgement, ...], tuple[Acknowledgement, ...]]:
        """Raise what is new in a version and mark what does not hold any more; return both.

        May be called again for the same version: nothing is raised twice.

        Args:
            stored: The version.
            found: What a person must know of it.
            no_longer: Why a result that was raised before does not hold any more, or None.
        """
        now = self._clock()
        with self._database.transaction() as session:
            lock_case(session, stored.case)
            query = select(AcknowledgementRow).where(AcknowledgementRow.case_id == stored.case)
            rows = list(session.scalars(query.order_by(AcknowledgementRow.raised_at)))
            if any(row.version > stored.version for row in rows):
                return (), ()
            standing = [(row, _result(row)) for row in rows if row.superseded_at is None]
            gone = []
            for row, result in list(standing):
                why = None if any(covers(result, one) for one in found) else no_longer(result)
                if why is not None:
                    row.superseded_at, row.superseded_why = now, why[:400]
                    standing.remove((row, result))
                    gone.append(row)
            known = [result for _, result in standing]
            raised = [
                _raised(stored, one, now=now, occurrence=_times(rows, one.key) + 1)
                for one in found
                if not any(covers(result, one) for result in known)
            ]
            session.add_all(raised)
        return tuple(map(_acknowledgement, raised)), tuple(map(_acknowledgement, gone))

    def of_case(self, case: str) -> tuple[Acknowledgement, ...]:
        """Return every critical result of a case, newest first."""
        query = select(AcknowledgementRow).where(AcknowledgementRow.case_id == case)
        with self._database.reading() as session:
            rows = session.scalars(query.order_by(AcknowledgementRow.raised_at.desc()))
            return tuple(_acknowledgement(row) for row in rows)

    def acknowledge(
        self, case: str, identity: str, *, by: str, name: str, note: str
    ) -> tuple[Acknowledgement, bool]:
        """Keep that a person knows a result; return it, and whether that is new.

        The same person may say so again; nothing changes then.

        Raises:
            NotFoundError: The case has no such result.
            ConflictError: Somebody else has acknowledged it; says who and when.
        """
        with self._database.transaction() as session:
            row = session.get(AcknowledgementRow, identity)
            if row is None or row.case_id != case:
                raise NotFoundError("critical result")
            done = session.execute(
                update(AcknowledgementRow)
                .where(AcknowledgementRow.id == identity)
                .where(AcknowledgementRow.acknowledged_at.is_(None))
                .values(
                    acknowledged_at=self._clock(), acknowledged_by=by, name=name, note=note or None
                )
            )
            session.refresh(row)
            new = getattr(done, "rowcount", 0) == 1
            if not new and row.acknowledged_by != by:
                at = (
                    row.acknowledged_at.isoformat(timespec="minutes") if row.acknowledged_at else ""
                )
                raise ConflictError(
                    "critical result", f"was acknowledged by {row.name} at {at}", "read it again"
                )
            return _acknowledgement(row), new

    def escalate(self, now: datetime) -> tuple[Acknowledgement, ...]:
        """Put every open result on the level its age asks for; return those that went up.

        Of several processes that do this at once, one moves each result. A level never goes down,
        also where a clock was set back.
        """
        minutes = critical_results().escalation.levels_minutes
        first = now - timedelta(minutes=minutes[0])
        query = select(AcknowledgementRow).where(
            AcknowledgementRow.acknowledged_at.is_(None),
            AcknowledgementRow.superseded_at.is_(None),
            AcknowledgementRow.raised_at <= first,
            AcknowledgementRow.level < len(minutes),
        )
        with self._database.reading() as session:
            waiting = list(session.scalars(query.order_by(AcknowledgementRow.raised_at)))
        moved = [row.id for row in waiting if self._move(row, now)]
        with self._database.reading() as session:
            rows = [session.get(AcknowledgementRow, identity) for identity in moved]
            return tuple(_acknowledgement(row) for row in rows if row is not None)

    def _move(self, row: AcknowledgementRow, now: datetime) -> bool:
        level = level_at(row.raised_at, now)
        if level <= row.level:
            return False
        new = [{"level": one, "at": now.isoformat()} for one in range(row.level + 1, level + 1)]
        with self._database.transaction() as session:
            done = session.execute(
                update(AcknowledgementRow)
                .where(AcknowledgementRow.id == row.id, AcknowledgementRow.level == row.level)
                .where(
                    AcknowledgementRow.acknowledged_at.is_(None),
                    AcknowledgementRow.superseded_at.is_(None),
                )
                .values(level=level, escalations=[*row.escalations, *new])
            )
            return getattr(done, "rowcount", 0) == 1


def unacknowledged(session: Session, cases: Iterable[str]) -> Iterator[Acknowledgement]:
    """Yield what nobody has acknowledged of these cases, the longest waiting first.

    Also a result that does not hold any more: who acted on it must know that. Of what was late and
    is done there is nothing to know.
    """
    query = select(AcknowledgementRow).where(
        AcknowledgementRow.acknowledged_at.is_(None), AcknowledgementRow.case_id.in_(list(cases))
    )
    rows = session.scalars(query.order_by(AcknowledgementRow.raised_at, AcknowledgementRow.id))
    for one in map(_acknowledgement, rows):
        if one.superseded_at is None or one.result.subject != REMINDER:
            yield one


def with_unacknowledged(session: Session) -> frozenset[str]:
    """Return the cases with a critical result nobody has acknowledged."""
    query = select(AcknowledgementRow.case_id).where(AcknowledgementRow.acknowledged_at.is_(None))
    return frozenset(session.scalars(query.distinct()))


def level_at(raised_at: datetime, now: datetime) -> int:
    """Return the level that a result raised then has by now: 0 before the first.

    Examples:
        >>> from datetime import UTC
        >>> noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
        >>> [level_at(noon, noon + timedelta(minutes=m)) for m in (-5, 14, 15, 29, 30, 600)]
        [0, 0, 1, 1, 2, 3]
    """
    passed = (now - raised_at) / timedelta(minutes=1)
    return sum(passed >= minutes for minutes in critical_results().escalation.levels_minutes)


def _times(rows: Iterable[AcknowledgementRow], key: str) -> int:
    return max((row.occurrence for row in rows if row.key == key), default=0)


def _raised(
    stored: StoredAssessment, result: Critical, *, now: datetime, occurrence: int
) -> AcknowledgementRow:
    due = timedelta(minutes=critical_results().escalation.due_minutes)
    return AcknowledgementRow(
        id=new_id("critical"),
        case_id=stored.case,
        key=result.key,
        occurrence=occurrence,
        result=result.to_json(),
        assessment_id=stored.id,
        version=stored.version,
        raised_at=now,
        due_at=now + due,
        level=0,
        escalations=[],
    )


def _result(row: AcknowledgementRow) -> Critical:
    return Critical.model_validate(row.result)


def _acknowledgement(row: AcknowledgementRow) -> Acknowledgement:
    fields: dict[str, Any] = {
        "id": row.id,
        "case": row.case_id,
        "result": row.result,
        "assessment": row.assessment_id,
        "version": row.version,
        "raised_at": row.raised_at,
        "due_at": row.due_at,
        "level": row.level,
        "escalations": row.escalations,
        "superseded_at": row.superseded_at,
        "superseded_why": row.superseded_why,
        "acknowledged_at": row.acknowledged_at,
        "acknowledged_by": row.acknowledged_by,
        "name": row.name,
        "note": row.note,
    }
    return Acknowledgement.model_validate(fields)
