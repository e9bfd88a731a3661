"""What the list needs of every case, read in a few queries however many cases there are."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from agent.assessment import Recommended, Status
from knowledge.clinical_time import ClinicalTime
from knowledge.codes import ANALYTE
from knowledge.finding import Finding, State
from knowledge.pathways import Urgency
from serving.access.errors import AlteredError
from serving.cases.kept import checked_body
from serving.cases.tables import AssessmentRow, CaseFileRow
from serving.jobs.seam import JobState
from serving.jobs.tables import JobRow
from serving.signing.tables import FlagRow, SignOffRow
from serving.storage.database import Database
from serving.worklist.critical import not_judged
from serving.worklist.model import Acknowledgement
from serving.worklist.store import unacknowledged

_KEPT = 2048


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What the list shows of one assessment; it never changes, as the assessment does not.

    Args:
        status: Of the assessment.
        reason: What stands in its way.
        headline: In words.
        urgency: None where nothing could be assessed: that is not low.
        recommendations: Those that are due at a time.
        time_zone: Of the case.
        inputs: SHA-256 of every file it read.
        not_judged: See `serving.worklist.critical.not_judged`.
    """

    status: Status
    reason: str
    headline: str
    urgency: Urgency | None
    recommendations: tuple[Recommended, ...]
    time_zone: str | None
    inputs: frozenset[str]
    not_judged: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Newest:
    """The newest version of a case, without its body."""

    id: str
    version: int
    at: datetime
    made_at: datetime


@dataclass(frozen=True, kw_only=True)
class Signed:
    """The signed report of a case that counts, in short."""

    id: str
    version: int
    name: str


@dataclass(frozen=True, kw_only=True)
class OpenFlags:
    """Flags of a case that are not settled."""

    count: int
    since: datetime


@dataclass(frozen=True, kw_only=True)
class LastJob:
    """The last run that was asked for."""

    state: JobState
    at: datetime
    problem: str


@dataclass(frozen=True, kw_only=True)
class Known:
    """Everything the list is made of, by case; a newest version that was altered has no summary."""

    newest: Mapping[str, Newest]
    summaries: Mapping[str, Summary]
    altered: Mapping[str, str]
    signed: Mapping[str, Signed]
    flags: Mapping[str, OpenFlags]
    jobs: Mapping[str, LastJob]
    unread: Mapping[str, datetime]
    critical: Mapping[str, tuple[Acknowledgement, ...]]


def known_of(database: Database, cases: Sequence[str]) -> Known:
    """Return what is known of these cases.

    Raises:
        UnavailableError: The database cannot be used.
    """
    kept = _SUMMARIES.setdefault(database, Summaries())
    critical: dict[str, tuple[Acknowledgement, ...]] = {}
    with database.reading() as session:
        for row in unacknowledged(session, cases):
            critical[row.case] = (*critical.get(row.case, ()), row)
        newest = _newest(session, cases)
        summaries: dict[str, Summary] = {}
        altered: dict[str, str] = {}
        for case, one in newest.items():
            try:
                summaries[case] = kept.of(session, one.id)
            except AlteredError as error:
                altered[case] = f"{error.item}: {error.reason}"
        return Known(
            newest=newest,
            summaries=summaries,
            altered=altered,
            signed=_signed(session, cases),
            flags=_flags(session, cases),
            jobs=_jobs(session, cases),
            unread=_unread(session, cases, newest, summaries),
            critical=critical,
        )


def _newest(session: Session, cases: Sequence[str]) -> dict[str, Newest]:
    last = (
        select(AssessmentRow.case_id, func.max(AssessmentRow.version).label("version"))
        .where(AssessmentRow.case_id.in_(cases))
        .group_by(AssessmentRow.case_id)
        .subquery()
    )
    query = select(
        AssessmentRow.case_id,
        AssessmentRow.id,
        AssessmentRow.version,
        AssessmentRow.at,
        AssessmentRow.made_at,
    ).join(
        last,
        and_(AssessmentRow.case_id == last.c.case_id, AssessmentRow.version == last.c.version),
    )
    return {
        case: Newest(id=identity, version=version, at=at, made_at=made_at)
        for case, identity, version, at, made_at in session.execute(query)
    }


class Summaries:
    """The summaries of the last assessments that were listed, by their id."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[str, Summary] = OrderedDict()

    def of(self, session: Session, identity: str) -> Summary:
        """Return the summary of an assessment that is there.

        Raises:
            AlteredError: It is not what was kept.
        """
        with self._lock:
            found = self._kept.get(identity)
        if found is None:
            row = session.scalars(select(AssessmentRow).where(AssessmentRow.id == identity)).one()
            found = summary(checked_body(row))
            session.expunge(row)
            with self._lock:
                self._kept[identity] = found
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return found


_SUMMARIES: WeakKeyDictionary[Database, Summaries] = WeakKeyDictionary()


def summary(body: Mapping[str, Any]) -> Summary:
    """Return what the list shows of one assessment; only that is read of it, for speed.

    Args:
        body: Its published JSON.
    """
    status = Status(body["status"])
    seen = status not in (Status.REFUSED, Status.NOT_ASSESSABLE)
    at = ClinicalTime.model_validate(body["provenance"]["at"])
    unknown = [
        Finding.model_validate(one)
        for one in body["findings"]
        if one["state"] == State.NOT_ASSESSED
        and any(coding["system"] == ANALYTE for coding in one["concept"]["codings"])
    ]
    return Summary(
        status=status,
        reason=body["reason"],
        headline=body["narrative"]["headline"],
        urgency=Urgency(body["narrative"]["urgency"]) if seen else None,
        recommendations=tuple(
            Recommended.model_validate(row) for row in body["recommendations"] if row.get("due")
        ),
        time_zone=body.get("time_zone"),
        inputs=frozenset(one["sha256"] for one in body["inputs"] if one.get("sha256")),
        not_judged=not_judged(unknown, at),
    )


def _signed(session: Session, cases: Sequence[str]) -> dict[str, Signed]:
    query = (
        select(SignOffRow.case_id, SignOffRow.id, SignOffRow.version, SignOffRow.name)
        .where(SignOffRow.case_id.in_(cases))
        .order_by(SignOffRow.number)
    )
    return {
        case: Signed(id=identity, version=version, name=name)
        for case, identity, version, name in session.execute(query)
    }


def _flags(session: Session, cases: Sequence[str]) -> dict[str, OpenFlags]:
    query = (
        select(FlagRow.case_id, FlagRow.raised_at)
        .where(FlagRow.case_id.in_(cases), FlagRow.resolved_at.is_(None))
        .order_by(FlagRow.raised_at)
    )
    found: dict[str, OpenFlags] = {}
    for case, at in session.execute(query):
        before = found.get(case)
        count = 1 if before is None else before.count + 1
        found[case] = OpenFlags(count=count, since=at if before is None else before.since)
    return found


def _jobs(session: Session, cases: Sequence[str]) -> dict[str, LastJob]:
    query = (
        select(JobRow.case_id, JobRow.state, JobRow.asked_at, JobRow.ended_at, JobRow.problem)
        .where(JobRow.case_id.in_(cases))
        .order_by(JobRow.asked_at)
    )
    return {
        case: LastJob(state=JobState(state), at=ended or asked, problem=problem)
        for case, state, asked, ended, problem in session.execute(query)
    }


def _unread(
    session: Session,
    cases: Sequence[str],
    newest: Mapping[str, Newest],
    summaries: Mapping[str, Summary],
) -> dict[str, datetime]:
    """Return when the first file came that the newest version did not read: its assessment failed.

    A version reads every file there is, so one that came before it and is not in it counts too.
    """
    query = (
        select(CaseFileRow.case_id, CaseFileRow.sha256, CaseFileRow.received_at)
        .where(CaseFileRow.case_id.in_(cases), CaseFileRow.removed_at.is_(None))
        .order_by(CaseFileRow.received_at.desc())
    )
    found: dict[str, datetime] = {}
    for case, sha256, at in session.execute(query):
        made = newest.get(case)
        read = summaries[case].inputs if case in summaries else frozenset()
        if made is None or (made.made_at < at and sha256 not in read):
            found[case] = at
    return found
