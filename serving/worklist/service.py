"""The list of cases: who waits, what is critical, what is due."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import assert_never

from agent.assessment import Status
from knowledge.pathways import Urgency
from serving.access.principal import Principal
from serving.cases.model import Case
from serving.hl7_in.store import MessageStore
from serving.jobs.seam import JobState
from serving.services import Services
from serving.worklist.due import due_of, is_live, moment_of
from serving.worklist.model import Due, HeldMessages, State, Worklist, WorklistRow
from serving.worklist.read import Known, Summary, known_of
from serving.worklist.store import with_unacknowledged

MOST = 500
"""Cases on one list, newest first; beside them every one with an unacknowledged critical result."""

_RANK: dict[Urgency | None, int] = {
    Urgency.IMMEDIATE: 0,
    None: 1,
    Urgency.URGENT: 2,
    Urgency.SOON: 3,
    Urgency.ROUTINE: 4,
}
"""What is not assessed may be immediate: it comes before everything that is known not to be."""

_GRACE = timedelta(minutes=2)
"""An assessment of a new file takes seconds; one that is not there after this has failed."""

_BUSY = (JobState.WAITING, JobState.RUNNING)


def worklist(services: Services, principal: Principal, *, everything: bool = False) -> Worklist:
    """Return the cases this principal may see, those first that need somebody soonest.

    First come critical results that nobody acknowledged in time, then by urgency, then by how long
    a case has waited. Every case shown is audited.

    Args:
        services: Of the application.
        principal: Who asks; their role was checked before.
        everything: Whether signed cases without anything to do are in the list as well.

    Raises:
        UnavailableError: The database cannot be used.
    """
    now = services.clock()
    cases, more = _cases(services, principal)
    known = known_of(services.database, [case.id for case in cases])
    rows = [row_of(case, known, now=now) for case in cases]
    shown = sorted(
        (r for r in rows if everything or _has_something(r)), key=lambda r: _order(r, now)
    )
    by_id = {case.id: case for case in cases}
    services.audit.listed(principal, "worklist.listed", cases=[by_id[row.case] for row in shown])
    return Worklist(
        at=now,
        rows=tuple(shown),
        waiting=sum(row.waits for row in rows),
        unacknowledged=sum(len(row.critical) for row in rows),
        more=more,
        held=_held(services, principal),
    )


def _held(services: Services, principal: Principal) -> tuple[HeldMessages, ...]:
    """Return why messages of the feed are in no case; not for who may see one patient alone."""
    if principal.patient is not None:
        return ()
    store = MessageStore(services.database, clock=services.clock)
    return tuple(HeldMessages(reason=r, messages=n) for r, n in store.held_reasons())


def row_of(case: Case, known: Known, *, now: datetime) -> WorklistRow:
    """Return one case as the list shows it.

    Args:
        case: The case.
        known: Everything known of it.
        now: The present moment, zoned.
    """
    state, why = _state(case, known, now)
    newest, summary = known.newest.get(case.id), known.summaries.get(case.id)
    signed, flags = known.signed.get(case.id), known.flags.get(case.id)
    critical = known.critical.get(case.id, ())
    waits = state != "signed" or any(one.is_open for one in critical)
    since = _waiting_since(case, known) if waits else None
    return WorklistRow(
        case=case.id,
        label=case.label,
        state=state,
        waits=waits,
        urgency=None if summary is None else summary.urgency,
        headline="" if summary is None else summary.headline,
        why=why,
        version=None if newest is None else newest.version,
        assessed_at=None if newest is None else newest.made_at,
        waiting_since=since,
        waiting_minutes=None if since is None else max(0, (now - since) // timedelta(minutes=1)),
        signed_version=None if signed is None else signed.version,
        signer=None if signed is None else signed.name,
        open_flags=0 if flags is None else flags.count,
        critical=critical,
        due=_due(case, known, now),
        not_judged=() if summary is None else summary.not_judged,
    )


def _cases(services: Services, principal: Principal) -> tuple[Sequence[Case], bool]:
    """Return the newest cases, and every older one with an unacknowledged critical result."""
    newest = services.cases.list(patient=principal.patient, limit=MOST + 1)
    cases = {case.id: case for case in newest[:MOST]}
    with services.database.reading() as session:
        critical = with_unacknowledged(session)
    for identity in sorted(critical - set(cases)):
        case = services.cases.find(identity)
        if case is not None:
            cases[identity] = case
    seen = [case for case in cases.values() if principal.sees(case.patient)]
    return seen, len(newest) > MOST


def _state(case: Case, known: Known, now: datetime) -> tuple[State, str]:
    """Return how far a case is, and why it is no further."""
    newest, summary = known.newest.get(case.id), known.summaries.get(case.id)
    job, unread = known.jobs.get(case.id), known.unread.get(case.id)
    late = job is not None and (newest is None or newest.made_at < job.at)
    if job is not None and late and job.state is JobState.FAILED:
        return "failed", f"the run ended without a result: {job.problem or 'no reason was kept'}"
    if unread is not None and now - unread < _GRACE:
        return "assessing", "its newest files are being read"
    if case.id in known.altered:
        return "failed", known.altered[case.id]
    if newest is None or summary is None:
        if job is not None and job.state in _BUSY:
            return "assessing", "the first assessment is being made"
        if unread is not None:
            return "failed", "its files were received and no assessment of them was kept"
        return "not assessed", "there is no assessment yet"
    if unread is not None:
        at = unread.isoformat(timespec="minutes")
        return "failed", f"a file received at {at} is in no assessment yet"
    return _assessed_state(case, known, summary)


def _assessed_state(case: Case, known: Known, summary: Summary) -> tuple[State, str]:
    signed = known.signed.get(case.id)
    match summary.status:
        case Status.REFUSED:
            return "refused", summary.reason
        case Status.NOT_ASSESSABLE:
            settled: State = "not assessable"
        case Status.COMPLETE | Status.PARTIAL:
            settled = "to sign"
        case _:
            assert_never(summary.status)
    if case.id in known.flags:
        return "flagged", "a later version does not bear out what was signed"
    if signed is not None:
        return "signed", summary.reason
    return settled, summary.reason


def _waiting_since(case: Case, known: Known) -> datetime:
    flags, critical = known.flags.get(case.id), known.critical.get(case.id, ())
    if case.id not in known.signed:
        return case.created_at
    since = [one.raised_at for one in critical if one.is_open]
    if flags is not None:
        since.append(flags.since)
    if case.id in known.unread:
        since.append(known.unread[case.id])
    newest = known.newest.get(case.id)
    return min(since, default=case.created_at if newest is None else newest.made_at)


def _due(case: Case, known: Known, now: datetime) -> tuple[Due, ...]:
    newest, summary = known.newest.get(case.id), known.summaries.get(case.id)
    if newest is None or summary is None:
        return ()
    return due_of(
        summary.recommendations,
        moment=moment_of(newest.at, newest.made_at, now),
        live=is_live(newest.at, newest.made_at),
        time_zone=summary.time_zone or case.time_zone,
    )


def _has_something(row: WorklistRow) -> bool:
    return row.waits or bool(row.critical) or bool(row.due)


def _order(row: WorklistRow, now: datetime) -> tuple[bool, bool, int, datetime, str]:
    overdue = any(one.is_overdue(now) for one in row.critical)
    since = row.waiting_since or now
    return not overdue, not row.waits, _RANK[row.urgency], since, row.case
