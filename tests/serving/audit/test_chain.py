"""What the audit keeps, and what it shows of an alteration, on both databases."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from knowledge.errors import UnavailableError
from serving.access.principal import Principal, Role
from serving.audit.anchor import Anchor, Head
from serving.audit.append_only import protect
from serving.audit.export import entries, ndjson
from serving.audit.log import AuditLog
from serving.audit.verification import Verification, verify
from serving.storage.database import Database
from tests.serving.audit.fresh import KINDS, fresh_database

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ADA = Principal(subject="ada", name="Dr Ada Lo", roles=frozenset({Role.CLINICIAN}), via="oidc")


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with fresh_database(request.param, tmp_path) as opened:
        yield opened


@pytest.fixture
def anchor(tmp_path: Path) -> Anchor:
    return Anchor(tmp_path / "outside" / "audit.anchor", b"k" * 32)


def written(database: Database, anchor: Anchor | None = None, events: int = 5) -> AuditLog:
    log = AuditLog(database, Clock(), anchor=anchor)
    for number in range(1, events + 1):
        log.used(ADA, "case.read", case=None, detail={"number": number})
    return log


def altered(database: Database, *statements: str) -> None:
    """Change rows as somebody who owns the database can: without the triggers."""
    with database.transaction() as session:
        if database.is_sqlite:
            for operation in ("update", "delete"):
                session.execute(text(f"DROP TRIGGER audit_no_{operation}"))
        else:
            session.execute(text("ALTER TABLE audit DISABLE TRIGGER USER"))
        for statement in statements:
            session.execute(text(statement))
    with database.transaction() as session:
        if database.is_sqlite:
            protect(session, "audit")
        else:
            session.execute(text("ALTER TABLE audit ENABLE TRIGGER USER"))


def found(database: Database, anchor: Anchor | None = None) -> Verification:
    return verify(database, anchor=anchor)


def test_an_untouched_audit_is_intact(database: Database, anchor: Anchor) -> None:
    written(database, anchor)
    result = found(database, anchor)
    assert result.intact
    assert (result.events, result.anchored) == (5, 5)
    assert not any("rewriting of later" in limit for limit in result.cannot_show)


def test_an_empty_audit_is_intact_and_says_what_that_does_not_show(database: Database) -> None:
    result = found(database)
    assert (result.intact, result.events, result.head) == (True, 0, None)
    assert any("leave no trace" in limit for limit in result.cannot_show)


@pytest.mark.parametrize(
    ("statement", "broken", "says"),
    [
        ("UPDATE audit SET body = replace(body, 'ada', 'bob') WHERE sequence = 3", 3, "content"),
        ("UPDATE audit SET subject = 'bob' WHERE sequence = 3", 3, "columns do not repeat"),
        ("UPDATE audit SET body = 'no json' WHERE sequence = 2", 2, "content"),
        ("UPDATE audit SET sha256 = 'f' WHERE sequence = 4", 4, "content"),
        ("DELETE FROM audit WHERE sequence = 3", 3, "event 3 not there"),
        ("DELETE FROM audit WHERE sequence IN (2, 3)", 2, "events 2 to 3 not there"),
        ("DELETE FROM audit WHERE sequence = 1", 1, "event 1 not there"),
    ],
    ids=["changed", "column", "no-json", "hash", "deleted", "two-deleted", "first-deleted"],
)
def test_the_first_altered_event_is_named(
    database: Database, statement: str, broken: int, says: str
) -> None:
    written(database)
    altered(database, statement)
    result = found(database)
    assert (result.intact, result.broken) == (False, broken)
    assert says in result.problem


def test_two_events_that_changed_places_are_found(database: Database) -> None:
    written(database)
    altered(
        database,
        "UPDATE audit SET sequence = 99 WHERE sequence = 2",
        "UPDATE audit SET sequence = 2 WHERE sequence = 3",
        "UPDATE audit SET sequence = 3 WHERE sequence = 99",
    )
    result = found(database)
    assert result.broken == 2
    assert result.problem == "does not follow the event before it"


def test_an_event_put_in_between_is_found(database: Database) -> None:
    written(database)
    altered(
        database,
        "UPDATE audit SET sequence = 6 WHERE sequence = 5",
        "UPDATE audit SET sequence = 5 WHERE sequence = 4",
        "UPDATE audit SET sequence = 4 WHERE sequence = 3",
        "INSERT INTO audit SELECT 3, at, subject, action, case_id, body, previous, 'f' "
        "FROM audit WHERE sequence = 2",
    )
    assert found(database).broken == 3


def test_events_cut_off_from_the_end_are_found_by_the_anchor_alone(
    database: Database, anchor: Anchor
) -> None:
    written(database, anchor)
    altered(database, "DELETE FROM audit WHERE sequence > 3")
    without = found(database)
    assert without.broken is None, "a shorter chain is a chain"
    assert any("cut off from the end" in limit for limit in without.cannot_show)
    result = found(database, anchor)
    assert result.broken == 4
    assert result.problem == "the chain ends after event 3; event 5 was anchored"


def test_everything_deleted_is_found_by_the_anchor(database: Database, anchor: Anchor) -> None:
    written(database, anchor)
    altered(database, "DELETE FROM audit")
    assert found(database, anchor).broken == 1


def test_a_cut_off_tail_is_still_found_after_new_events_grew_over_it(
    database: Database, anchor: Anchor
) -> None:
    log = written(database, anchor)
    altered(database, "DELETE FROM audit WHERE sequence > 3")
    for _ in range(4):
        log.used(ADA, "case.read", case=None)
    result = found(database, anchor)
    assert result.broken == 5
    assert result.problem == "is another event than the one that was anchored"


def test_a_rewritten_chain_with_right_hashes_is_found_by_the_anchor(
    database: Database, anchor: Anchor, tmp_path: Path
) -> None:
    written(database, anchor)
    altered(database, "DELETE FROM audit")
    AuditLog(database, Clock()).used(ADA, "card.shown", case=None)
    for _ in range(4):
        AuditLog(database, Clock()).used(ADA, "card.shown", case=None)
    assert found(database).broken is None
    assert found(database, anchor).broken == 5


def test_a_head_noted_elsewhere_finds_what_the_anchor_was_altered_to_hide(
    database: Database, tmp_path: Path
) -> None:
    anchor = Anchor(tmp_path / "audit.anchor")
    log = written(database, anchor)
    noted = found(database, anchor).head
    assert noted is not None
    altered(database, "DELETE FROM audit WHERE sequence > 3")
    anchor.path.write_text("3 " + head_of(database) + " -\n")
    log.used(ADA, "case.read", case=None)
    assert found(database, anchor).intact
    assert verify(database, anchor=anchor, known=[noted]).broken == 5


def head_of(database: Database) -> str:
    head = found(database).head
    assert head is not None
    return head.sha256


def test_an_anchor_that_is_taken_away_is_a_problem_until_a_new_one_is_begun_on_record(
    database: Database, anchor: Anchor
) -> None:
    log = written(database, anchor)
    altered(database, "DELETE FROM audit WHERE sequence > 3")
    anchor.path.unlink()
    for _ in range(3):
        result = found(database, anchor)
        assert not result.intact
        assert "the audit anchor is not there" in result.problems[0]
        log.used(ADA, "case.read", case=None)
    assert not anchor.path.exists(), "a new file would hide that the old one is gone"
    assert log.renew_anchor(ADA, "audit.anchor-renewed").sequence == 7
    assert found(database, anchor).intact
    (event,) = entries(database, after=0, limit=9, action="audit.anchor-renewed")
    assert event.sequence == 7


def test_a_process_killed_after_its_first_event_leaves_an_anchor(
    database: Database, anchor: Anchor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anchor, "advance", lambda *_, **__: None)
    written(database, anchor, events=1)
    monkeypatch.undo()
    result = found(database, anchor)
    assert (result.intact, result.anchored) == (True, 0)


def test_the_database_itself_refuses_to_change_an_event(database: Database) -> None:
    written(database)
    statements = ["UPDATE audit SET subject = 'bob'", "DELETE FROM audit WHERE sequence = 5"]
    if not database.is_sqlite:
        statements.append("TRUNCATE audit")
    for statement in statements:
        with (
            pytest.raises(DBAPIError, match="append-only"),
            database.transaction() as session,
        ):
            session.execute(text(statement))
    assert found(database).events == 5


def test_protection_that_was_taken_away_is_a_problem(database: Database) -> None:
    written(database)
    with database.transaction() as session:
        session.execute(
            text("DROP TRIGGER audit_no_delete")
            if database.is_sqlite
            else text("ALTER TABLE audit DISABLE TRIGGER audit_no_delete")
        )
    result = found(database)
    assert not result.intact
    assert result.problems == ("the database lets through DELETE on the audit",)


def test_many_writers_make_one_chain(database: Database, anchor: Anchor) -> None:
    """Each writer has an own connection pool, as processes have."""
    failures: list[Exception] = []

    def write() -> None:
        own = Database(database.url)
        try:
            log = AuditLog(own, Clock(), anchor=anchor)
            for _ in range(10):
                log.used(ADA, "case.read", case=None)
        except Exception as error:  # noqa: BLE001 - shown below: a thread fails no test
            failures.append(error)
        finally:
            own.close()

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    result = found(database, anchor)
    assert result.intact
    assert (result.events, result.anchored) == (60, 60)
    assert len(anchor.heads()) == 1


def test_a_clock_that_was_set_back_breaks_nothing_and_is_counted(database: Database) -> None:
    clock = Clock()
    log = AuditLog(database, clock)
    log.used(ADA, "case.read", case=None)
    clock.now -= timedelta(hours=1)
    log.used(ADA, "case.read", case=None)
    result = found(database)
    assert result.intact
    assert result.clock_went_back == 1


def test_an_anchor_written_by_somebody_without_the_key_is_refused(
    database: Database, anchor: Anchor
) -> None:
    log = written(database, anchor)
    forged = Anchor(anchor.path, b"another key")
    forged.path.write_text("")
    forged.begin(Head(sequence=2, sha256="a" * 64))
    assert "not signed with the key" in found(database, anchor).problems[0]
    log.used(ADA, "case.read", case=None)
    assert forged.heads()[0].sequence == 2, "evidence is left as it is"


def test_a_list_is_one_event_for_each_patient_and_one_for_none(database: Database) -> None:
    log = AuditLog(database, Clock())
    log.listed(ADA, "worklist.listed", cases=())
    assert found(database).events == 1


def test_events_come_back_in_order_by_page_and_by_action(database: Database) -> None:
    log = written(database)
    log.refused(ADA, "case.delete", case="case-9")
    page = entries(database, after=2, limit=2)
    assert [entry.sequence for entry in page] == [3, 4]
    (refusal,) = entries(database, after=0, limit=9, action="case.delete")
    assert refusal.event["outcome"] == "4"
    assert entries(database, after=0, limit=9, case="case-9") == (refusal,)
    lines = [json.loads(line) for line in ndjson(database, after=4)]
    assert [line["id"] for line in lines] == ["5", "6"]
    assert all(line["resourceType"] == "AuditEvent" for line in lines)


def test_what_cannot_be_kept_is_an_error(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    with pytest.raises(UnavailableError):
        AuditLog(database, Clock()).used(ADA, "case.read", case=None)
    database.close()


def test_an_anchor_that_cannot_be_written_is_named_and_the_event_is_kept(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    anchor = Anchor(blocked / "audit.anchor")
    written(database, anchor, events=1)
    assert "stays behind" in caplog.text
    result = found(database, None)
    assert result.events == 1
