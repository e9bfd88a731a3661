"""An assessment that was changed in the database is never shown, and the audit proves it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from serving.audit.anchor import Anchor
from serving.audit.verification import Verification, verify
from serving.cases.kept import body_hash
from serving.cases.model import Case, StoredAssessment
from serving.cases.service import CaseService
from serving.storage.base import canonical
from serving.storage.deletion import delete_case
from serving.storage.removal import remove
from tests.serving.cases.fresh import ANNA, Fresh, example, fresh
from tests.serving.storage.databases import KINDS

FORGED = "Infarction excluded, send home."
PAGE = {"accept": "text/html"}


@pytest.fixture(params=KINDS)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fresh]:
    with fresh(tmp_path, request.param) as found:
        yield found


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Fresh]:
    with fresh(tmp_path) as found:
        yield found


def opened(made: Fresh) -> tuple[Case, StoredAssessment]:
    chart = [file for file in example("nstemi") if not file[0].endswith(".dcm")]
    return CaseService(made.services).open(chart, label="bed 7", principal=ANNA)


def owner(made: Fresh, *statements: str, **values: object) -> None:
    """Do what somebody who owns the database can: without the triggers, put back afterwards."""
    database = made.services.database
    tables = ("assessments", "sign_offs")
    with database.transaction() as session:
        triggers = []
        if database.is_sqlite:
            found = session.execute(
                text("SELECT name, sql FROM sqlite_master WHERE type='trigger' AND name LIKE 'a%'")
            ).all()
            triggers = [sql for _, sql in found]
            for name, _ in found:
                session.execute(text(f"DROP TRIGGER {name}"))
        else:
            for table in tables:
                session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        for statement in statements:
            session.execute(text(statement), values)
        for sql in triggers:
            session.execute(text(sql))
        if not database.is_sqlite:
            for table in tables:
                session.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))


def forge(made: Fresh, stored: StoredAssessment, *, hash_too: bool) -> None:
    """Put another headline into a kept assessment, as the review did."""
    body = {**stored.body, "narrative": {**stored.body["narrative"], "headline": FORGED}}
    values = {"body": canonical(body).decode(), "id": stored.id, "sha": body_hash(body)}
    if hash_too:
        change = "body = :body, sha256 = :sha, headline = :headline"
        values["headline"] = FORGED
    else:
        change = "body = :body"
        del values["sha"]
    owner(made, f"UPDATE assessments SET {change} WHERE id = :id", **values)  # noqa: S608


def audited(made: Fresh) -> Verification:
    return verify(made.services.database, anchor=Anchor.of(made.services.settings))


def test_a_changed_body_is_an_error_everywhere_and_its_words_are_nowhere(small: Fresh) -> None:
    case, stored = opened(small)
    forge(small, stored, hash_too=False)
    client = small.client()
    for path in (
        f"/v1/cases/{case.id}",
        f"/v1/cases/{case.id}/assessments",
        f"/v1/cases/{case.id}/assessments/1",
        f"/v1/cases/{case.id}/sign-off",
    ):
        answer = client.get(path)
        assert FORGED not in answer.text
        if answer.status_code != 404:
            assert answer.status_code == 500, path
            assert "is not what was kept" in answer.json()["reason"]
    page = client.get(f"/cases/{case.id}", headers=PAGE)
    assert page.status_code == 500
    assert "it is not shown" in page.text
    assert FORGED not in page.text
    start = client.get("/", headers=PAGE)
    assert start.status_code == 200
    assert "is not what was kept" in start.text
    assert FORGED not in start.text
    (row,) = client.get("/v1/worklist").json()["rows"]
    assert row["state"] == "failed"
    assert "is not what was kept" in row["why"]
    assert "urgency" not in row or row["urgency"] is None


@pytest.mark.parametrize("column", ["headline", "urgency", "status"])
def test_a_changed_column_is_an_error_too(small: Fresh, column: str) -> None:
    case, _ = opened(small)
    owner(small, f"UPDATE assessments SET {column} = 'routine'")  # noqa: S608
    answer = small.client().get(f"/v1/cases/{case.id}")
    assert answer.status_code == 500
    assert f"its columns do not repeat it: {column}" in answer.json()["reason"]


def test_assessing_again_makes_a_new_version_and_the_altered_one_stays_unseen(small: Fresh) -> None:
    case, stored = opened(small)
    forge(small, stored, hash_too=False)
    client = small.client()
    again = client.post(f"/v1/cases/{case.id}/assessments")
    assert (again.status_code, again.json()["version"]) == (201, 2)
    page = client.get(f"/cases/{case.id}", headers=PAGE)
    assert page.status_code == 200
    assert "Version 1 is not what was kept" in page.text
    assert FORGED not in page.text


def test_the_database_refuses_to_change_or_take_out_an_assessment(made: Fresh) -> None:
    opened(made)
    database = made.services.database
    statements = ["UPDATE assessments SET headline = 'x'", "DELETE FROM assessments"]
    if not database.is_sqlite:
        statements.append("TRUNCATE assessments")
    for statement in [*statements, "DELETE FROM cases"]:
        with pytest.raises(DBAPIError, match="append-only"), database.transaction() as session:
            session.execute(text(statement))


def test_an_untouched_case_and_a_deleted_one_are_intact(made: Fresh) -> None:
    first, second = opened(made)[0], opened(made)[0]
    services = made.services
    remove(
        services.settings, services.database, services.files, first.id, by="ada", clock=made.clock
    )
    assert services.cases.find(first.id) is None
    assert services.cases.assessments(second.id)
    result = audited(made)
    assert result.intact, result
    assert not any("older than the first event" in one for one in result.cannot_show)


def test_a_changed_assessment_is_found_also_with_a_new_hash(made: Fresh) -> None:
    _, stored = opened(made)
    forge(made, stored, hash_too=True)
    result = audited(made)
    assert not result.intact
    (problem,) = result.problems
    assert problem == f"assessment {stored.id}: it is another than the audit names"


def test_an_assessment_taken_out_or_put_in_is_found(made: Fresh) -> None:
    case, stored = opened(made)
    columns = "at, made_at, made_by, why, author, job, language, status, headline, urgency, body"
    rest = f"{columns}, sha256, inputs_sha256, result_sha256"
    put_in = (
        f"INSERT INTO assessments (id, case_id, version, {rest}) "  # noqa: S608
        f"SELECT 'assessment-forged', case_id, 2, {rest} FROM assessments WHERE id = :id"
    )
    owner(
        made,
        put_in,
        "UPDATE assessments SET made_at = '2027-01-01 00:00:00' WHERE version = 2",
        "DELETE FROM assessments WHERE id = :id",
        id=stored.id,
    )
    assert set(audited(made).problems) == {
        "assessment assessment-forged: no event of the audit names it",
        f"assessment {stored.id}: it is not there, and its case was not deleted",
    }
    assert case.id


def test_a_case_deleted_without_a_word_in_the_audit_is_found(small: Fresh) -> None:
    case, stored = opened(small)
    services = small.services
    delete_case(services.database, services.files, case.id, clock=small.clock)
    assert audited(small).problems == (
        f"assessment {stored.id}: it is not there, and its case was not deleted",
    )
