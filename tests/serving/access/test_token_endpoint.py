"""Tokens for systems, over HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from serving.access.oauth.protocol import ASSERTION_TYPE
from serving.services import Services
from tests.serving.access.made import EC, OTHER, RSA, Clock, browsing, public, services, signed

ENDPOINT = "https://epicrisis.example/oauth/token"
HERE = "https://a.example/fhir|Patient/1"
THERE = "https://b.example/fhir|Patient/1"
LAB: dict[str, Any] = {
    "client_id": "ehr",
    "name": "Laboratory",
    "jwks": public(EC, RSA),
    "roles": ["integrator"],
    "scopes": "system/Patient.rs system/Observation.rs",
    "tenants": ["https://a.example/fhir"],
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "clients.yaml"
    path.write_text(json.dumps({"clients": [LAB]}), "utf-8")
    return path


@pytest.fixture
def made(tmp_path: Path, file: Path) -> Iterator[Services]:
    found = services(tmp_path, Clock(), public_url="https://epicrisis.example", clients_file=file)
    yield found
    found.database.close()


@pytest.fixture
def client(made: Services) -> Iterator[TestClient]:
    with browsing(made, base="https://epicrisis.example", peer="10.0.0.3") as found:
        yield found


def ask(client: TestClient, assertion: str | None = None, **change: str) -> Any:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion or signed({"aud": ENDPOINT}),
        "scope": "system/Patient.rs system/Observation.rs",
    }
    return client.post("/oauth/token", data=form | change)


@pytest.mark.parametrize(("key", "alg"), [(EC, "ES384"), (RSA, "RS384")], ids=["ES384", "RS384"])
def test_a_signed_assertion_gives_a_short_lived_token(
    key: Any, alg: str, client: TestClient
) -> None:
    answer = ask(client, signed({"aud": ENDPOINT}, key=key, alg=alg))
    body = answer.json()
    assert answer.status_code == 200
    assert (body["token_type"], body["expires_in"]) == ("bearer", 300)
    assert body["scope"] == "system/Patient.rs system/Observation.rs"
    assert answer.headers["cache-control"] == "no-store"
    me = client.get("/v1/me", headers={"Authorization": f"Bearer {body['access_token']}"}).json()
    assert (me["subject"], me["name"], me["via"]) == ("ehr", "Laboratory", "service")
    assert "case.create" in me["permissions"]
    assert "case.sign" not in me["permissions"]


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "unsupported_grant_type"),
        ({"client_assertion_type": "urn:made-up"}, 400, "invalid_request"),
        ({"client_assertion": "a.b.c"}, 401, "invalid_client"),
        ({"scope": ""}, 400, "invalid_scope"),
        ({"scope": "system/*.cruds"}, 400, "invalid_scope"),
        ({"scope": "system/Observation.rs admin"}, 400, "invalid_scope"),
        ({"scope": "patient/Observation.rs"}, 400, "invalid_scope"),
        ({"scope": "epicrisis/audit.read"}, 400, "invalid_scope"),
    ],
    ids=str,
)
def test_a_request_that_is_not_right_is_refused_in_the_words_of_oauth(
    change: dict[str, str], status: int, error: str, client: TestClient
) -> None:
    answer = ask(client, **change)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://epicrisis.example"},
        {"aud": "https://evil.example/oauth/token"},
        {"sub": "somebody else"},
        {"sub": None},
        {"iss": "unknown", "sub": "unknown"},
    ],
    ids=str,
)
def test_an_assertion_that_is_not_right_is_refused(
    claims: dict[str, Any], client: TestClient
) -> None:
    assert ask(client, signed({"aud": ENDPOINT} | claims)).status_code == 401


def test_the_key_of_somebody_else_is_refused(client: TestClient) -> None:
    assert ask(client, signed({"aud": ENDPOINT}, key=OTHER)).status_code == 401


def test_the_audience_is_never_taken_from_the_host_header(client: TestClient) -> None:
    forged = signed({"aud": "https://evil.example/oauth/token"})
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": forged,
        "scope": "system/Patient.rs",
    }
    answer = client.post("/oauth/token", data=form, headers={"Host": "evil.example"})
    assert answer.status_code == 401


def test_an_assertion_works_once(client: TestClient) -> None:
    assertion = signed({"aud": ENDPOINT})
    assert [ask(client, assertion).status_code for _ in range(2)] == [200, 401]


def test_the_token_is_not_in_the_database(client: TestClient, made: Services) -> None:
    from serving.access.tables import ServiceTokenRow

    token = ask(client).json()["access_token"]
    with made.database.reading() as session:
        (row,) = session.query(ServiceTokenRow).all()
    assert token not in f"{row.id}{row.client}{row.scope}"
    assert token.removeprefix("eps_") not in row.id


def test_a_client_taken_off_the_file_loses_its_tokens(client: TestClient, file: Path) -> None:
    header = {"Authorization": f"Bearer {ask(client).json()['access_token']}"}
    assert client.get("/v1/me", headers=header).status_code == 200
    file.write_text(json.dumps({"clients": []}), "utf-8")
    assert client.get("/v1/me", headers=header).status_code == 401


def test_a_role_taken_from_a_client_counts_at_once(client: TestClient, file: Path) -> None:
    header = {"Authorization": f"Bearer {ask(client).json()['access_token']}"}
    file.write_text(json.dumps({"clients": [LAB | {"roles": ["viewer"]}]}), "utf-8")
    assert "case.create" not in client.get("/v1/me", headers=header).json()["permissions"]


def test_a_system_sees_the_patients_of_its_tenants_alone(
    client: TestClient, made: Services
) -> None:
    cases = [
        made.cases.create(label="x", source="fhir", by="t", patient=patient).id
        for patient in (HERE, THERE, None)
    ]
    header = {"Authorization": f"Bearer {ask(client).json()['access_token']}"}
    found = [client.get(f"/v1/cases/{case}", headers=header).status_code for case in cases]
    assert found == [200, 404, 404]


def test_two_authorization_headers_are_no_proof(client: TestClient) -> None:
    token = ask(client).json()["access_token"]
    headers = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]
    assert client.get("/v1/me", headers=headers).status_code == 401


def test_a_wrong_token_is_not_overlooked_for_a_good_cookie(tmp_path: Path) -> None:
    """On this machine, too: what is given must be valid."""
    with browsing(services(tmp_path, Clock())) as local:
        assert local.get("/v1/me").status_code == 200
        assert local.get("/v1/me", headers={"Authorization": "Bearer x"}).status_code == 401
        cookie = {"Cookie": "epicrisis_session=ended"}
        assert local.get("/v1/me", headers=cookie).status_code == 401
        page = local.get("/login", headers=cookie)
        assert "epicrisis_session=; " in page.headers["set-cookie"]


def test_searching_for_tokens_is_slowed_down(tmp_path: Path) -> None:
    made = services(
        tmp_path, Clock(), public_url="https://epicrisis.example", failures_per_minute=3
    )
    with browsing(made, base="https://epicrisis.example", peer="10.0.0.3") as client:
        guess = {"Authorization": "Bearer eps_guess"}
        found = [client.get("/v1/me", headers=guess).status_code for _ in range(5)]
    assert found == [401, 401, 401, 429, 429]
