"""Studies that arrived, in the database: in which case each is, or why it is in none."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from sqlalchemy import select

from knowledge.model import Frozen
from serving.access.errors import NotFoundError
from serving.dicom_in.tables import DicomStudyRow
from serving.storage.database import Database

State = Literal["filed", "held", "received"]
_REASON = 500


class Arrived(Frozen):
    """What became of a study.

    Args:
        study: Study Instance UID.
        state: In a case; held, where a person decides; or to be put into one again.
        reason: Why it is held, or in a case of its own; empty for neither.
        images: Objects of it at that time.
        content: SHA-256 over their names: the same study again changes nothing.
        arrived_at, changed_at: When it came first, when that was last decided.
        case: Id of its case.
    """

    study: str
    state: State
    reason: str
    images: int
    content: str
    arrived_at: datetime
    changed_at: datetime
    case: str | None


class StudyStore:
    """What became of studies.

    Every method raises `UnavailableError` where the database cannot be used.

    Args:
        database: Where.
        clock: The current moment, zoned.
    """

    def __init__(self, database: Database, *, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock

    def find(self, study: str) -> Arrived | None:
        """Return what became of a study; None where nothing has yet."""
        with self._database.reading() as session:
            row = session.get(DicomStudyRow, study)
            return None if row is None else _arrived(row)

    def keep(
        self, study: str, state: State, *, case: str | None, images: int, content: str, reason: str
    ) -> None:
        """Keep what became of a study."""
        now = self._clock()
        with self._database.transaction() as session:
            row = session.get(DicomStudyRow, study)
            if row is None:
                row = DicomStudyRow(study=study, arrived_at=now)
                session.add(row)
            row.state, row.reason, row.case_id = state, reason[:_REASON], case
            row.images, row.content, row.changed_at = images, content, now

    def again(self, study: str) -> None:
        """Let a held study be put into a case once more.

        Raises:
            NotFoundError: No such study is held.
        """
        with self._database.transaction() as session:
            row = session.get(DicomStudyRow, study)
            if row is None or row.state != "held":
                raise NotFoundError(f"held study {study}")
            row.state, row.reason, row.changed_at = "received", "", self._clock()

    def listed(self, state: State | None = None, *, limit: int = 200) -> tuple[Arrived, ...]:
        """Return studies, those that changed last first."""
        query = select(DicomStudyRow).order_by(DicomStudyRow.changed_at.desc())
        if state is not None:
            query = query.where(DicomStudyRow.state == state)
        with self._database.reading() as session:
            return tuple(map(_arrived, session.scalars(query.limit(limit))))

    def of_case(self, case: str) -> tuple[Arrived, ...]:
        """Return the studies of a case."""
        query = select(DicomStudyRow).where(DicomStudyRow.case_id == case)
        with self._database.reading() as session:
            return tuple(map(_arrived, session.scalars(query)))


def _arrived(row: DicomStudyRow) -> Arrived:
    return Arrived.model_validate(
        {
            "study": row.study,
            "state": row.state,
            "reason": row.reason,
            "images": row.images,
            "content": row.content,
            "arrived_at": row.arrived_at,
            "changed_at": row.changed_at,
            "case": row.case_id,
        }
    )
