import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from knowledge.settings import Settings
from serving import problem
from serving.access.principal import Principal, Role
from serving.assembly import assemble
from serving.operations import health, metrics

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def who(role: Role) -> Principal:
    return Principal(subject="t", name="T", roles=frozenset({role}), via="local")


@contextmanager
def client(folder: Path, role: Role = Role.ADMIN, **settings: object) -> Iterator[TestClient]:
    services = assemble(
        Settings.model_validate({"data_dir": folder, **settings}), clock=lambda: NOON
    )
    services.authenticate = lambda request: who(role)
    app = FastAPI()
    app.state.services = services
    problem.install(app)
    app.include_router(health.router)
    app.include_router(metrics.router)
    metrics.install(app, services)
    try:
        yield TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)
    finally:
        services.database.close()


def test_a_new_installation_is_ready(
    tmp_path: Path,
) -> None:
    with client(tmp_path) as http:
        assert http.get("/livez").json() == {"status": "live"}
        answer = http.get("/readyz")
        checks = {check["name"]: check["status"] for check in answer.json()["checks"]}
        assert answer.status_code == 200
        assert checks == {
            "database": "ok",
            "file store": "ok",
            "disk": "ok",
            "guideline index": "ok",
        }


def test_a_full_disk_is_not_ready(tmp_path: Path) -> None:
    with client(tmp_path, least_free_mib=10**9) as http:
        answer = http.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["status"] == "not ready"


def test_a_file_store_that_is_gone_is_not_ready(tmp_path: Path) -> None:
    with client(tmp_path) as http:
        services = http.app.state.services  # type: ignore[attr-defined]
        case = services.cases.create(label="x", source="upload", by="anna").id
        services.cases.add_file(case, "note.txt", b"chest pain", by="anna")
        assert http.get("/readyz").status_code == 200
        (tmp_path / "files").rename(tmp_path / "away")
        answer = http.get("/readyz")
        assert answer.status_code == 503
        failed = [c["name"] for c in answer.json()["checks"] if c["status"] == "failed"]
        assert failed == ["file store"]


def test_a_database_that_takes_no_write_is_not_ready(tmp_path: Path) -> None:
    with client(tmp_path) as http:
        other = sqlite3.connect(tmp_path / "epicrisis.sqlite3", isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            begun = time.monotonic()
            answer = http.get("/readyz")
            waited = time.monotonic() - begun
        finally:
            other.close()
        assert answer.status_code == 503
        failed = [c["name"] for c in answer.json()["checks"] if c["status"] == "failed"]
        assert failed == ["database"]
        assert waited < 6
        assert http.get("/readyz").status_code == 200


def test_a_database_that_is_gone_is_not_ready_but_lives(tmp_path: Path) -> None:
    with client(tmp_path) as http:
        services = http.app.state.services  # type: ignore[attr-defined]
        services.database.close()
        for file in tmp_path.glob("*.sqlite3*"):
            file.unlink()
        (tmp_path / "epicrisis.sqlite3").mkdir()
        assert http.get("/readyz").status_code == 503
        assert http.get("/livez").status_code == 200


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CLINICIAN, Role.REVIEWER, Role.INTEGRATOR])
def test_only_an_administrator_reads_the_counters(tmp_path: Path, role: Role) -> None:
    with client(tmp_path, role) as http:
        assert http.get("/metrics").status_code == 403


def test_requests_are_counted_by_pattern_and_never_by_what_was_asked(tmp_path: Path) -> None:
    with client(tmp_path) as http:
        http.get("/livez")
        http.get("/cases/roe-jane")
        http.request("ROE", "/livez")
        text = http.get("/metrics").text
        assert 'epicrisis_http_requests_total{method="GET",route="/livez",status="200"} 1.0' in text
        assert 'route="unknown address",status="404"} 1.0' in text
        assert "roe" not in text.lower()
