"""Rounds of reading in the database: every step is one transaction with its line in the log."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from serving.access.errors import AlteredError, NotFoundError
from serving.reading.model import Done, Person, Release, Round, Version, VersionRole, What
from serving.reading.tables import LogRow, ReleaseRow, RoundRow, VersionRow
from serving.signing.store import lock_case
from serving.storage.base import canonical, new_id
from serving.storage.database import Database


@dataclass(kw_only=True, eq=False)
class Step:
    """One round, locked for one step.

    Args:
        session: In its transaction.
        row: Of the round; what is changed in it is kept.
        now: The moment of the step.
        by: Who takes it.
    """

    session: Session
    row: RoundRow
    now: datetime
    by: Person

    @property
    def round(self) -> Round:
        """The round as it is now."""
        return round_of(self.row)

    def log(self, what: What, *, author: Person | None = None, **detail: Any) -> None:
        """Keep a line of the log, by whom it is where not by who takes the step."""
        who = author or self.by
        self.session.add(
            LogRow(
                case_id=self.row.case_id,
                round_id=self.row.id,
                at=self.now,
                by=who.subject,
                name=who.name,
                what=what,
                detail=detail,
            )
        )

    def keep(
        self,
        role: VersionRole,
        body: Mapping[str, Any],
        *,
        signed: bool,
        by: Person | None = None,
    ) -> Version:
        """Keep a version, by whom it is where not by who takes the step, and return it."""
        author = by or self.by
        last = select(func.max(VersionRow.number)).where(VersionRow.round_id == self.row.id)
        row = VersionRow(
            id=new_id("readver"),
            case_id=self.row.case_id,
            round_id=self.row.id,
            number=(self.session.scalar(last) or 0) + 1,
            role=role,
            by=author.subject,
            name=author.name,
            at=self.now,
            signed=signed,
            body=dict(body),
            sha256=_hash(body),
        )
        self.session.add(row)
        self.session.flush()
        return version_of(row)

    def versions(self) -> tuple[Version, ...]:
        """Return every version of the round, oldest first."""
        return _versions(self.session, self.row.id)

    def release(self, *, number: int, follows: str, body: Mapping[str, Any]) -> Release:
        """Keep the release of the round, and return it."""
        row = ReleaseRow(
            id=new_id("release"),
            case_id=self.row.case_id,
            round_id=self.row.id,
            number=number,
            follows=follows,
            released_at=self.now,
            released_by=self.by.subject,
            name=self.by.name,
            body=dict(body),
            sha256=_hash(body),
        )
        self.session.add(row)
        self.session.flush()
        return release_of(row)

    def lock(self) -> None:
        """Let the one who takes the step hold the round."""
        self.row.locked_by, self.row.locked_name = self.by.subject, self.by.name
        self.row.locked_at = self.now

    def unlock(self) -> None:
        """Let nobody hold the round."""
        self.row.locked_by = self.row.locked_name = self.row.locked_at = None


class RoundStore:
    """What is kept of readings.

    Every method raises `UnavailableError` where the database cannot be used.

    Args:
        database: Where.
        clock: The current moment, zoned.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    @contextmanager
    def step(self, case: str, identity: str, by: Person) -> Iterator[Step]:
        """Give a round for one step; kept at the end, or nothing of it where anything fails.

        Raises:
            NotFoundError: The case has no such round.
        """
        with self._database.transaction() as session:
            lock_case(session, case)
            row = session.get(RoundRow, identity)
            if row is None or row.case_id != case:
                raise NotFoundError("reading")
            yield Step(session=session, row=row, now=self._clock(), by=by)

    @contextmanager
    def case(self, case: str) -> Iterator[Session]:
        """Give a session in which nobody else adds to this case.

        Raises:
            NotFoundError: There is no such case.
        """
        with self._database.transaction() as session:
            lock_case(session, case)
            yield session

    def add(self, session: Session, *, by: Person, what: What, **columns: Any) -> Step:
        """Add a round, and return it for its first steps.

        Args:
            session: Of `case`.
            by: Who asks for it.
            what: Why it is there, for the log.
            columns: Of the row.
        """
        now = self._clock()
        row = RoundRow(
            id=new_id("reading"),
            state="to read",
            form="",
            asked_by=by.subject,
            asked_name=by.name,
            created_at=now,
            **columns,
        )
        session.add(row)
        session.flush()
        step = Step(session=session, row=row, now=now, by=by)
        step.log(what)
        return step

    def note_images(
        self, session: Session, row: RoundRow, files: Sequence[str], *, by: Person
    ) -> None:
        """Keep that a study has further images, in which state its reading was."""
        step = Step(session=session, row=row, now=self._clock(), by=by)
        step.log("images changed", added=sorted(set(files) - set(row.files)), state=row.state)
        row.files = list(files)

    def rows(self, session: Session, case: str) -> Sequence[RoundRow]:
        """Return the rows of a case, oldest first."""
        query = select(RoundRow).where(RoundRow.case_id == case)
        return session.scalars(query.order_by(RoundRow.created_at, RoundRow.id)).all()

    def of_case(self, case: str) -> tuple[Round, ...]:
        """Return the rounds of a case, oldest first."""
        with self._database.reading() as session:
            return tuple(map(round_of, self.rows(session, case)))

    def of_cases(self, cases: Sequence[str]) -> tuple[Round, ...]:
        """Return the rounds of these cases, oldest first."""
        query = select(RoundRow).where(RoundRow.case_id.in_(cases))
        with self._database.reading() as session:
            rows = session.scalars(query.order_by(RoundRow.created_at, RoundRow.id))
            return tuple(map(round_of, rows))

    def find(self, case: str, identity: str) -> Round:
        """Return a round.

        Raises:
            NotFoundError: The case has no such round.
        """
        with self._database.reading() as session:
            row = session.get(RoundRow, identity)
            if row is None or row.case_id != case:
                raise NotFoundError("reading")
            return round_of(row)

    def versions(self, identity: str) -> tuple[Version, ...]:
        """Return every version of a round, oldest first.

        Raises:
            AlteredError: One is not what was kept.
        """
        with self._database.reading() as session:
            return _versions(session, identity)

    def release(self, identity: str) -> Release | None:
        """Return the release of a round, where it was released.

        Raises:
            AlteredError: It is not what was kept.
        """
        with self._database.reading() as session:
            row = session.scalar(select(ReleaseRow).where(ReleaseRow.round_id == identity))
            return None if row is None else release_of(row)

    def release_by_id(self, identity: str) -> Release:
        """Return a release.

        Raises:
            NotFoundError: There is none.
            AlteredError: It is not what was kept.
        """
        with self._database.reading() as session:
            row = session.get(ReleaseRow, identity)
            if row is None:
                raise NotFoundError("release")
            return release_of(row)

    def releases(self, case: str) -> tuple[Release, ...]:
        """Return every release of a case, oldest first.

        Raises:
            AlteredError: One is not what was kept.
        """
        query = select(ReleaseRow).where(ReleaseRow.case_id == case)
        with self._database.reading() as session:
            rows = session.scalars(query.order_by(ReleaseRow.released_at, ReleaseRow.id))
            return tuple(map(release_of, rows))

    def log(self, identity: str) -> tuple[Done, ...]:
        """Return who did what in a round, oldest first."""
        query = select(LogRow).where(LogRow.round_id == identity).order_by(LogRow.number)
        with self._database.reading() as session:
            return tuple(
                Done.model_validate(
                    {
                        "at": row.at,
                        "by": {"subject": row.by, "name": row.name},
                        "what": row.what,
                        "detail": row.detail,
                    }
                )
                for row in session.scalars(query)
            )


def round_of(row: RoundRow) -> Round:
    """Return a round."""
    return Round.model_validate(
        {
            "id": row.id,
            "case": row.case_id,
            "kind": row.kind,
            "title": row.title,
            "modality": row.modality,
            "files": tuple(row.files),
            "question": row.question,
            "asked": {"subject": row.asked_by, "name": row.asked_name},
            "of_release": row.of_release,
            "state": row.state,
            "form": row.form,
            "first": _person(row.first_by, row.first_name),
            "second": _person(row.second_by, row.second_name),
            "locked": _person(row.locked_by, row.locked_name),
            "locked_at": row.locked_at,
            "created_at": row.created_at,
        }
    )


def version_of(row: VersionRow) -> Version:
    """Return a version.

    Raises:
        AlteredError: It is not what was kept.
    """
    _check(row.body, row.sha256, f"version {row.number} of a reading")
    return Version.model_validate(
        {
            "id": row.id,
            "number": row.number,
            "role": row.role,
            "by": {"subject": row.by, "name": row.name},
            "at": row.at,
            "signed": row.signed,
            "body": row.body,
            "sha256": row.sha256,
        }
    )


def release_of(row: ReleaseRow) -> Release:
    """Return a release.

    Raises:
        AlteredError: It is not what was kept.
    """
    _check(row.body, row.sha256, "released reading")
    return Release.model_validate(
        {
            **row.body,
            "id": row.id,
            "round": row.round_id,
            "case": row.case_id,
            "number": row.number,
            "follows": row.follows,
            "released_at": row.released_at,
            "by": {"subject": row.released_by, "name": row.name},
            "sha256": row.sha256,
        }
    )


def _versions(session: Session, identity: str) -> tuple[Version, ...]:
    query = select(VersionRow).where(VersionRow.round_id == identity).order_by(VersionRow.number)
    return tuple(map(version_of, session.scalars(query)))


def _person(subject: str | None, name: str | None) -> dict[str, str] | None:
    return None if subject is None else {"subject": subject, "name": name or subject}


def _hash(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(dict(body))).hexdigest()


def _check(body: Mapping[str, Any], sha256: str, item: str) -> None:
    if _hash(body) != sha256:
        raise AlteredError(item, "its content is not what was kept")
