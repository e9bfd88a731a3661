import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import StatementError

from knowledge.errors import InvalidValueError, UnavailableError
from knowledge.settings import Settings
from serving.cases.tables import CaseRow
from serving.storage.database import Database
from serving.storage.schema import prepare, revision
from tests.serving.storage.databases import KINDS, database_of, tables_of

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def row(case: str, at: datetime = NOON) -> CaseRow:
    return CaseRow(id=case, label="bed 7", source="upload", created_at=at, created_by="ada")


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_database_gets_its_tables_and_a_second_start_changes_nothing(
    kind: str, tmp_path: Path
) -> None:
    with database_of(kind, tmp_path) as database:
        assert revision(database) is None
        prepare(database)
        assert {"cases", "case_files", "assessments", "answers", "audit"} <= tables_of(database)
        first = revision(database)
        with database.transaction() as session:
            session.add(row("case-1"))
        prepare(database)
        assert revision(database) == first
        with database.transaction() as session:
            assert session.get(CaseRow, "case-1") is not None


@pytest.mark.parametrize("kind", KINDS)
def test_times_come_back_as_the_same_instant(kind: str, tmp_path: Path) -> None:
    shanghai = datetime.fromisoformat("2026-11-20T20:00:00+08:00")
    with database_of(kind, tmp_path) as database:
        prepare(database)
        with database.transaction() as session:
            session.add(row("case-1", at=shanghai))
        with database.transaction() as session:
            kept = session.get(CaseRow, "case-1")
            assert kept is not None
            assert kept.created_at == NOON
            assert kept.created_at.tzinfo is not None


def test_a_time_without_its_zone_is_refused(tmp_path: Path) -> None:
    with database_of("sqlite", tmp_path) as database:
        prepare(database)
        naive = datetime(2026, 11, 20, 12, 0)  # noqa: DTZ001
        with (
            pytest.raises(StatementError, match="without its zone"),
            database.transaction() as session,
        ):
            session.add(row("case-1", at=naive))


@pytest.mark.parametrize("kind", KINDS)
def test_what_fails_half_way_leaves_nothing(kind: str, tmp_path: Path) -> None:
    with database_of(kind, tmp_path) as database:
        prepare(database)

        def half() -> None:
            with database.transaction() as session:
                session.add(row("case-1"))
                session.flush()
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            half()
        with database.transaction() as session:
            assert session.get(CaseRow, "case-1") is None


@pytest.mark.parametrize("kind", KINDS)
def test_many_writers_wait_for_one_another(kind: str, tmp_path: Path) -> None:
    with database_of(kind, tmp_path) as database:
        prepare(database)
        problems: list[UnavailableError] = []

        def write(number: int) -> None:
            try:
                for step in range(5):
                    with database.transaction() as session:
                        session.add(row(f"case-{number}-{step}"))
            except UnavailableError as error:
                problems.append(error)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        assert problems == []
        with database.engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM cases")).scalar() == 40


def test_sqlite_keeps_a_write_ahead_log_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    database = Database.of(Settings(data_dir=tmp_path / "data"))
    prepare(database)
    with database.engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
    file = next((tmp_path / "data").glob("*.sqlite3"))
    assert file.stat().st_mode & 0o077 == 0
    database.close()


def test_a_locked_database_is_unavailable_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.storage.database._BUSY_MS", 50)
    with database_of("sqlite", tmp_path) as database:
        prepare(database)
        database.engine.dispose()
        other = sqlite3.connect(tmp_path / "service.sqlite3", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with (
            pytest.raises(UnavailableError, match="nothing was changed"),
            database.transaction() as session,
        ):
            session.add(row("case-1"))
        other.execute("ROLLBACK")
        other.close()
        with database.transaction() as session:
            session.add(row("case-1"))


def test_a_database_made_by_a_later_version_is_refused(tmp_path: Path) -> None:
    with database_of("sqlite", tmp_path) as database:
        prepare(database)
        with database.engine.begin() as connection:
            connection.execute(
                text("CREATE TABLE IF NOT EXISTS alembic_version (version_num TEXT)")
            )
            connection.execute(text("DELETE FROM alembic_version"))
            connection.execute(text("INSERT INTO alembic_version VALUES ('9999')"))
        with pytest.raises(UnavailableError, match="later version"):
            prepare(database)


@pytest.mark.parametrize("url", ["mysql://h/d", "oracle://h/d"])
def test_another_kind_of_database_is_refused(url: str) -> None:
    with pytest.raises(InvalidValueError, match="sqlite or postgresql"):
        Database(url)


def test_the_message_of_an_unreachable_database_carries_no_password() -> None:
    database = Database("postgresql://ada:s3cret@127.0.0.1:1/none")
    with pytest.raises(UnavailableError) as caught:
        database.ping()
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_reader_waits_for_no_writer_and_sees_one_moment(kind: str, tmp_path: Path) -> None:
    with database_of(kind, tmp_path) as database:
        prepare(database)
        with database.transaction() as session:
            session.add(row("case-1"))
        with database.transaction() as writer:
            writer.add(row("case-2"))
            writer.flush()
            with database.reading() as reader:
                assert reader.get(CaseRow, "case-1") is not None
                assert reader.get(CaseRow, "case-2") is None
