"""The service as it is started: a new case is listed, critical, and audited as one chain."""

from pathlib import Path

from fastapi.testclient import TestClient

from knowledge.settings import Settings
from serving.app import create_app
from serving.assembly import assemble
from serving.audit.anchor import Anchor
from serving.audit.verification import verify
from serving.cases.service import CaseService
from tests.serving.audit.site import ADA, EXAMPLES


def test_a_new_case_is_listed_raised_acknowledged_and_audited(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    services = assemble(settings)
    services.authenticate = lambda request: ADA
    files = [(one.name, one.read_bytes()) for one in sorted((EXAMPLES / "stemi").iterdir())]
    with TestClient(create_app(services), base_url="http://127.0.0.1:8080") as client:
        CaseService(services).open(files, label="bed 1", principal=ADA)
        (row,) = client.get("/v1/worklist").json()["rows"]
        assert row["urgency"] == "immediate"
        (critical,) = row["critical"]
        path = f"/v1/cases/{row['case']}/acknowledgements/{critical['id']}"
        assert client.post(path, json={}).json()["name"] == ADA.name
        (row,) = client.get("/v1/worklist").json()["rows"]
        assert row["critical"] == []
    result = verify(services.database, anchor=Anchor.of(settings))
    services.database.close()
    assert result.intact
    assert result.events >= 5
