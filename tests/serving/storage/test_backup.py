import io
import os
import stat
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from knowledge.errors import InvalidValueError, UnreadableError
from serving.access.errors import NotFoundError
from serving.cases.store import CaseStore
from serving.storage.backup import backup, restore
from serving.storage.database import Database
from serving.storage.deletion import delete_case, older_than
from serving.storage.files import FileStore
from serving.storage.schema import prepare
from tests.serving.storage.databases import KINDS, database_of

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def noon() -> datetime:
    return NOON


def filled(database: Database, folder: Path) -> tuple[CaseStore, FileStore, str]:
    prepare(database)
    files = FileStore(folder)
    store = CaseStore(database, files, clock=noon)
    case = store.create(label="床 7, Müller", source="upload", by="ada", patient="p|1").id
    store.add_file(case, "note.txt", b"chest pain", by="ada")
    store.keep_answer(case, "diaphoresis", {"value": "yes"}, author="Dr A", by="ada")
    return store, files, case


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("source", KINDS)
def test_everything_comes_back_also_in_the_other_database(
    source: str, target: str, tmp_path: Path
) -> None:
    archive = tmp_path / "all.tar.gz"
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with database_of(source, tmp_path / "a") as database:
        store, files, case = filled(database, tmp_path / "a")
        before = (store.find(case), store.files(case), store.answers(case))
        backup(database, files, archive, now=NOON)
    with database_of(target, tmp_path / "b") as database:
        prepare(database)
        files = FileStore(tmp_path / "b")
        restore(database, files, archive)
        store = CaseStore(database, files, clock=noon)
        assert (store.find(case), store.files(case), store.answers(case)) == before
        assert store.content(store.files(case)[0]) == b"chest pain"
        later = store.keep_answer(case, "diaphoresis", {"value": "no"}, author="B", by="b")
        assert later.number > before[2][0].number


def test_a_backup_is_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with database_of("sqlite", tmp_path) as database:
            _, files, _ = filled(database, tmp_path)
            backup(database, files, tmp_path / "all.tar.gz", now=NOON)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "all.tar.gz").stat().st_mode) == 0o600


def test_a_backup_never_replaces_a_file(tmp_path: Path) -> None:
    with database_of("sqlite", tmp_path) as database:
        _, files, _ = filled(database, tmp_path)
        (tmp_path / "all.tar.gz").write_text("mine")
        with pytest.raises(InvalidValueError, match="is there already"):
            backup(database, files, tmp_path / "all.tar.gz", now=NOON)
        assert (tmp_path / "all.tar.gz").read_text() == "mine"


def test_an_archive_is_restored_into_an_empty_installation_only(tmp_path: Path) -> None:
    archive = tmp_path / "all.tar.gz"
    with database_of("sqlite", tmp_path) as database:
        _, files, _ = filled(database, tmp_path)
        backup(database, files, archive, now=NOON)
        with pytest.raises(InvalidValueError, match="is not empty"):
            restore(database, files, archive)


def test_a_content_that_is_gone_is_named_and_not_left_out_without_a_word(tmp_path: Path) -> None:
    with database_of("sqlite", tmp_path) as database:
        store, files, case = filled(database, tmp_path)
        gone = store.files(case)[0].sha256
        files.delete(gone)
        assert backup(database, files, tmp_path / "all.tar.gz", now=NOON).absent == (gone,)


def changed(archive: Path, entry: str) -> None:
    with tarfile.open(archive) as old:
        found = [(e, old.extractfile(e).read()) for e in old if e.isfile()]  # type: ignore[union-attr]
    with tarfile.open(archive, "w:gz") as new:
        for info, content in found:
            text = content.replace(b"yes", b"noo") if info.name == entry else content
            new.addfile(info, io.BytesIO(text))


def test_a_changed_archive_is_refused_before_a_row_is_written(tmp_path: Path) -> None:
    archive = tmp_path / "all.tar.gz"
    (tmp_path / "b").mkdir()
    with database_of("sqlite", tmp_path) as database:
        _, files, case = filled(database, tmp_path)
        backup(database, files, archive, now=NOON)
    changed(archive, "tables/answers.ndjson")
    with database_of("sqlite", tmp_path / "b") as database:
        prepare(database)
        files = FileStore(tmp_path / "b")
        with pytest.raises(UnreadableError, match="table answers is missing or has changed"):
            restore(database, files, archive)
        assert CaseStore(database, files, clock=noon).find(case) is None


def test_a_cut_archive_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "all.tar.gz"
    with database_of("sqlite", tmp_path) as database:
        _, files, _ = filled(database, tmp_path)
        backup(database, files, archive, now=NOON)
        archive.write_bytes(archive.read_bytes()[:-200])
        with pytest.raises(UnreadableError, match="no whole backup"):
            restore(database, files, archive)


@pytest.mark.parametrize("kind", KINDS)
def test_a_deleted_case_leaves_no_patient_data(kind: str, tmp_path: Path) -> None:
    with database_of(kind, tmp_path) as database:
        store, files, case = filled(database, tmp_path)
        done = delete_case(database, files, case, clock=noon)
        assert done.files == 1
        assert done.rows["answers"] == done.rows["case_files"] == 1
        assert store.find(case) is None
        assert store.files(case) == ()
        assert store.answers(case) == ()
        backup(database, files, tmp_path / "after.tar.gz", now=NOON)
        with tarfile.open(tmp_path / "after.tar.gz") as archive:
            everything = b"".join(
                archive.extractfile(e).read()  # type: ignore[union-attr]
                for e in archive
                if e.isfile()
            )
        for text in ("Müller", "chest pain", "p|1", "diaphoresis"):
            assert text.encode() not in everything
        with pytest.raises(NotFoundError):
            delete_case(database, files, case, clock=noon)


def test_a_content_that_another_case_has_too_stays(tmp_path: Path) -> None:
    with database_of("sqlite", tmp_path) as database:
        store, files, case = filled(database, tmp_path)
        other = store.create(label="bed 8", source="upload", by="ada").id
        store.add_file(other, "note.txt", b"chest pain", by="ada")
        assert delete_case(database, files, case, clock=noon).files == 0
        assert store.content(store.files(other)[0]) == b"chest pain"


def test_retention_counts_whole_days_from_when_a_case_was_made(tmp_path: Path) -> None:
    with database_of("sqlite", tmp_path) as database:
        _, _, case = filled(database, tmp_path)
        assert older_than(database, days=30, now=NOON + timedelta(days=30)) == ()
        late = NOON + timedelta(days=30, seconds=1)
        assert older_than(database, days=30, now=late) == (case,)
