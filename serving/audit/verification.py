"""Is the audit what was written? Walks the whole chain and names the first event that is not.

The chain names every assessment and signed report with its hash: those are compared as well.
"""

import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Text, select, type_coerce
from sqlalchemy.orm import Session

from knowledge.errors import EpicrisisError, InvalidValueError
from knowledge.model import Frozen
from serving.audit.anchor import Anchor, Head
from serving.audit.append_only import PROTECTED, unprotected
from serving.audit.chain import GENESIS, columns, link
from serving.audit.records import Records
from serving.audit.tables import AuditRow
from serving.storage.database import Database

_BATCH = 1000
_MOST = 20
"""Problems of one kind that are named; more are counted."""
_HEAD = re.compile(r"(\d{1,18}):([0-9a-f]{64})")
_NO_ANCHOR = (
    "the audit anchor is not there, and every audit is begun with one: events may have been cut "
    "off from the end; find out who took it away, then begin a new one: `audit renew-anchor`"
)


class Verification(Frozen):
    """What was found.

    Args:
        events: Number of events that were walked.
        head: The newest of them; None for an empty audit.
        broken: Place of the first event that is not as written, or is not there; None where all is.
        problem: What is wrong with it; empty where nothing is.
        problems: What else is wrong: the anchor, the database's protection.
        anchored: Newest event the anchor knows; None without an anchor.
        clock_went_back: Number of events recorded earlier than the one before them: clocks of
            several machines, or one that was set back. The order is that of the chain.
        cannot_show: What an alteration could be that this did not find.
    """

    events: int
    head: Head | None
    broken: int | None = None
    problem: str = ""
    problems: tuple[str, ...] = ()
    anchored: int | None = None
    clock_went_back: int = 0
    cannot_show: tuple[str, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing wrong was found."""
        return self.broken is None and not self.problems


class Row(NamedTuple):
    """One row of the table, its body as the bytes that were hashed."""

    sequence: int
    at: datetime
    subject: str
    action: str
    case_id: str | None
    body: str
    previous: str
    sha256: str


class Walk:
    """One pass over the chain.

    Args:
        known: Events that must be in it.
    """

    def __init__(self, known: Sequence[Head] = ()) -> None:
        self.wanted: dict[int, list[str]] = {}
        for head in (one for one in known if one.sequence):  # 0: before the first event
            self.wanted.setdefault(head.sequence, []).append(head.sha256)
        self.events = 0
        self.head = Head(sequence=0, sha256=GENESIS)
        self.backwards = 0
        self.records = Records()
        self._at: datetime | None = None

    def over(self, rows: Iterable[Row]) -> tuple[int, str] | None:
        """Take every event in the order of their places; return what is wrong first, if anything.

        Args:
            rows: Of the table.
        """
        found = next((p for row in rows if (p := self.problem(row))), None)
        return found or self.cut_off()

    def problem(self, row: Row) -> tuple[int, str] | None:
        """Take the next event; return the place and nature of what is wrong, if anything is."""
        expected = self.head.sequence + 1
        if row.sequence != expected:
            last = row.sequence - 1
            missing = f"event {expected}" if last == expected else f"events {expected} to {last}"
            return expected, f"{missing} not there"
        if row.previous != self.head.sha256:
            return row.sequence, "does not follow the event before it"
        if link(row.previous, row.body.encode()) != row.sha256:
            return row.sequence, "its content is not what was written"
        repeated = _repeated(row)
        if repeated is not None:
            return row.sequence, repeated
        if any(sha256 != row.sha256 for sha256 in self.wanted.pop(row.sequence, ())):
            return row.sequence, "is another event than the one that was anchored"
        if self._at is not None and row.at < self._at:
            self.backwards += 1
        self._at = row.at
        self.records.take(row.action, row.at, row.case_id, row.body)
        self.events += 1
        self.head = Head(sequence=row.sequence, sha256=row.sha256)
        return None

    def cut_off(self) -> tuple[int, str] | None:
        """Return what the end of the chain lacks."""
        if not self.wanted:
            return None
        last = max(self.wanted)
        return (
            self.head.sequence + 1,
            f"the chain ends after event {self.head.sequence}; event {last} was anchored",
        )


def verify(
    database: Database, *, anchor: Anchor | None, known: Sequence[Head] = ()
) -> Verification:
    """Return whether the audit is what was written.

    Args:
        database: Where it is.
        anchor: The file that knows the newest event; None for none.
        known: Other events that must be in it, as noted elsewhere.

    Raises:
        UnavailableError: The database cannot be used.
    """
    anchored, problems = _anchored(anchor)
    walk = Walk((*anchored, *known))
    with database.reading() as session:
        with closing(_rows(session)) as rows:
            found = walk.over(rows)
        if walk.events and anchor is not None and not anchored and not problems:
            problems = (_NO_ANCHOR,)
        if walk.events:
            problems = (*problems, *_open_tables(session))
        if found is None:  # else the chain cannot say what was kept
            problems = (*problems, *_short(walk.records.problems(session)))
    return Verification(
        events=walk.events,
        head=walk.head if walk.events else None,
        broken=None if found is None else found[0],
        problem="" if found is None else found[1],
        problems=problems,
        anchored=anchored[-1].sequence if anchored else None,
        clock_went_back=walk.backwards,
        cannot_show=(*_cannot_show(walk.head, anchored, known, anchor), *_unnamed(walk.records)),
    )


def parse_head(text: str) -> Head:
    """Return an event as ``epicrisis audit head`` prints it.

    Raises:
        InvalidValueError: It has another form.

    Examples:
        >>> parse_head("7:" + "a" * 64).sequence
        7
    """
    match = _HEAD.fullmatch(text.strip())
    if match is None:
        raise InvalidValueError("--known", "is not SEQUENCE:SHA256", "copy it from `audit head`")
    return Head(sequence=int(match[1]), sha256=match[2])


def _rows(session: Session) -> Generator[Row]:
    query = select(
        AuditRow.sequence,
        AuditRow.at,
        AuditRow.subject,
        AuditRow.action,
        AuditRow.case_id,
        type_coerce(AuditRow.body, Text),
        AuditRow.previous,
        AuditRow.sha256,
    ).order_by(AuditRow.sequence)
    with session.execute(query.execution_options(yield_per=_BATCH)) as rows:
        for row in rows:
            yield Row(*row)


def _repeated(row: Row) -> str | None:
    """Return what a column says that the event does not; None where they agree."""
    try:
        body: Mapping[str, Any] = orjson.loads(row.body)
        said = columns(body)
        place = body["id"]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return "is no AuditEvent of ours"
    if place != str(row.sequence):
        return "has another event's place"
    kept = {**row._asdict(), "at": row.at.astimezone(UTC)}
    wrong = sorted(key for key, value in said.items() if kept[key] != value)
    return f"its columns do not repeat it: {', '.join(wrong)}" if wrong else None


def _open_tables(session: Session) -> Iterator[str]:
    """Yield which changes the database would let through."""
    for table in PROTECTED:
        if open_to := unprotected(session, table):
            named = table.replace("_", "-")
            yield f"the database lets through {', '.join(open_to)} on the {named}"


def _short(problems: Iterator[str]) -> Iterator[str]:
    """Yield the first problems, and how many more there are."""
    yield from islice(problems, _MOST)
    if more := sum(1 for _ in problems):
        yield f"and {more} more"


def _unnamed(records: Records) -> Iterator[str]:
    if records.unnamed:
        yield (
            f"{records.unnamed} assessments or signed reports are older than the first event that "
            "names one: their own hashes alone prove them"
        )


def _anchored(anchor: Anchor | None) -> tuple[tuple[Head, ...], tuple[str, ...]]:
    if anchor is None:
        return (), ()
    try:
        return anchor.heads(), ()
    except EpicrisisError as error:
        return (), (f"{error.item}: {error.reason}",)


def _cannot_show(
    head: Head, anchored: Sequence[Head], known: Sequence[Head], anchor: Anchor | None
) -> Iterator[str]:
    """Yield what could have been altered without being found, in words."""
    newest = max((h.sequence for h in (*anchored, *known)), default=0)
    if not newest:
        yield "there is no anchor: events cut off from the end of the chain leave no trace"
    elif newest < head.sequence:
        yield (
            f"the anchor ends at event {newest}: a rewriting of later events, or later events cut "
            "off, leave no trace"
        )
    if anchored and anchor is not None and not anchor.signed:
        yield "the anchor is not signed: who can write database and anchor can rewrite everything"
    elif anchored:
        yield "who can write database and anchor and knows the key can rewrite everything"
    yield "an event that somebody with the service's rights added in its own form looks like any"
