"""``epicrisis audit``: exit codes, the first broken event, an export that is audited."""

import json
from pathlib import Path

import pytest
import typer
from sqlalchemy import text
from typer.testing import CliRunner

from knowledge.errors import EpicrisisError
from knowledge.settings import load_settings
from serving.access.principal import Principal, Role
from serving.assembly import utc_now
from serving.audit.log import AuditLog
from serving.commands.audit import register
from serving.commands.storage import register as register_storage
from serving.storage.opening import open_storage

ADA = Principal(subject="ada", name="Dr Ada Lo", roles=frozenset({Role.CLINICIAN}), via="oidc")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EPICRISIS_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("EPICRISIS_DATABASE_URL", raising=False)
    return tmp_path


@pytest.fixture
def written(folder: Path) -> Path:
    settings = load_settings()
    database, _ = open_storage(settings)
    log = AuditLog.of(settings, database, utc_now)
    for _ in range(4):
        log.used(ADA, "case.read", case=None)
    database.close()
    return folder


def run(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    register(app)
    result = CliRunner().invoke(app, ["audit", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def altered(statement: str) -> None:
    database, _ = open_storage(load_settings())
    with database.transaction() as session:
        session.execute(text("DROP TRIGGER audit_no_update"))
        session.execute(text("DROP TRIGGER audit_no_delete"))
        session.execute(text(statement))
    database.close()


def test_an_intact_audit_ends_with_0_and_says_what_that_does_not_show(written: Path) -> None:
    code, output = run("verify")
    assert code == 0
    assert "4 events as written, newest 4" in output
    assert "anchored up to event 4" in output
    assert "the anchor is not signed" in output


def test_a_broken_one_ends_with_1_and_names_the_event(written: Path) -> None:
    altered("UPDATE audit SET body = replace(body, 'Ada', 'Eve') WHERE sequence = 2")
    code, output = run("verify")
    assert code == 1
    assert "BROKEN at event 2: its content is not what was written" in output


def test_a_cut_off_tail_ends_with_1_and_so_does_the_head_command(written: Path) -> None:
    altered("DELETE FROM audit WHERE sequence = 4")
    for command in ("verify", "head"):
        code, output = run(command)
        assert code == 1
        assert "the chain ends after event 3; event 4 was anchored" in output


def test_a_head_that_was_noted_elsewhere_is_compared(written: Path) -> None:
    code, head = run("head")
    assert code == 0
    assert run("verify", "--known", head.strip())[0] == 0
    wrong = f"{head.partition(':')[0]}:{'0' * 64}"
    code, output = run("verify", "--known", wrong, "--json")
    assert code == 1
    assert json.loads(output)["broken"] == 4


def test_a_head_of_another_form_is_refused(written: Path) -> None:
    with pytest.raises(EpicrisisError, match="SEQUENCE:SHA256"):
        run("verify", "--known", "4")


def test_an_installation_without_tables_has_nothing_to_verify(folder: Path) -> None:
    with pytest.raises(EpicrisisError, match="has no tables yet"):
        run("verify")


def test_the_export_is_one_event_a_line_and_an_event_itself(written: Path) -> None:
    target = written / "events.ndjson"
    assert run("export", "--out", str(target))[0] == 0
    events = [json.loads(line) for line in target.read_text().splitlines()]
    assert [event["id"] for event in events] == ["1", "2", "3", "4", "5"]
    assert events[-1]["subtype"][-1]["code"] == "audit.exported"
    assert target.stat().st_mode & 0o777 == 0o600
    with pytest.raises(EpicrisisError, match="is there already"):
        run("export", "--out", str(target))
    code, output = run("export", "--after", "4")
    assert code == 0
    assert len(output.splitlines()) == 2


def storage(*arguments: str) -> str:
    app = typer.Typer()
    register_storage(app)
    result = CliRunner().invoke(app, ["storage", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def test_a_restored_audit_is_protected_and_anchored_at_once(
    written: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    archive = tmp_path / "bk.tar.gz"
    storage("backup", str(archive))
    monkeypatch.setenv("EPICRISIS_DATA_DIR", str(tmp_path / "new"))
    storage("restore", str(archive))
    code, output = run("verify")
    assert code == 0, output
    assert "5 events as written, newest 5" in output
    assert "anchored up to event 5" in output


def test_a_lost_anchor_ends_with_1_and_is_begun_anew_on_purpose(written: Path) -> None:
    with pytest.raises(EpicrisisError, match="is there"):
        run("renew-anchor")
    (written / "audit.anchor").unlink()
    code, output = run("verify")
    assert code == 1
    assert "the audit anchor is not there" in output
    assert "anchored up to event 5" in run("renew-anchor")[1]
    assert run("verify")[0] == 0
