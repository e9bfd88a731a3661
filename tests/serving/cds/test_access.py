"""Every call is signed, for exactly this address, once; or comes from this machine, unsigned."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from starlette.testclient import TestClient

from tests.serving.cds.hooks import BASE, KEY, Hooks, example, hooks, sign, view

PATHS = [
    ("GET", "/cds-services"),
    ("POST", "/cds-services/chest-pain-patient-view"),
    ("POST", "/cds-services/chest-pain-patient-view/feedback"),
]
FOREIGN = ECKey.generate_key("P-384", parameters={"kid": "k1"})


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hooks]:
    with hooks(tmp_path_factory.mktemp("signed"), tenants=["https://ehr.example/fhir"]) as client:
        yield client


def ask(hooks: Hooks, method: str, path: str, token: str | None, body: Any = None) -> int:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    content = None if method == "GET" else json.dumps(body or {}).encode()
    return int(hooks.http.request(method, path, headers=headers, content=content).status_code)


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_a_call_without_a_token_is_refused_everywhere(
    signed: Hooks, method: str, path: str
) -> None:
    answer = signed.http.request(method, path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize(
    "claims",
    [
        {"aud": f"{BASE}/cds-services/other"},
        {"aud": f"{BASE}/cds-services/"},
        {"aud": "https://evil.example/cds-services"},
        {"aud": None},
        {"iss": "https://unknown.example"},
        {"iss": None},
        {"exp": 1},
        {"exp": None},
        {"exp": 4_000_000_000},
        {"iat": None},
        {"jti": None},
        {"jti": ""},
    ],
    ids=str,
)
def test_a_token_that_is_not_right_is_refused(
    signed: Hooks, method: str, path: str, claims: dict[str, Any]
) -> None:
    assert ask(signed, method, path, signed.token(path, **claims)) == 401


def test_a_token_of_one_address_does_not_open_another(signed: Hooks) -> None:
    token = signed.token("/cds-services")
    assert ask(signed, "POST", "/cds-services/chest-pain-patient-view", token) == 401


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_a_token_is_used_once(signed: Hooks, method: str, path: str) -> None:
    token = signed.token(path)
    assert ask(signed, method, path, token) in (200, 422)
    assert ask(signed, method, path, token) == 401


def test_a_key_of_somebody_else_is_refused(signed: Hooks) -> None:
    path = "/cds-services"
    token = sign(FOREIGN, f"{BASE}{path}", signed.clock.now)
    assert ask(signed, "GET", path, token) == 401


@pytest.mark.parametrize("alg", ["none", "HS256", "ES384-without-signature"])
def test_a_token_without_a_real_signature_is_refused(signed: Hooks, alg: str) -> None:
    path = "/cds-services"
    real = signed.token(path)
    if alg == "HS256":
        claims = {"iss": "https://ehr.example", "aud": f"{BASE}{path}", "jti": str(uuid.uuid4())}
        secret = OctKey.import_key(json.dumps(KEY.as_dict(private=False)))
        token = jwt.encode({"alg": "HS256"}, claims, secret, algorithms=["HS256"])
    elif alg == "none":
        head = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"
        token = f"{head}.{real.split('.')[1]}."
    else:
        token = real.rpartition(".")[0] + "."
    assert ask(signed, "GET", path, token) == 401


def test_keys_are_never_fetched_from_where_a_token_says(signed: Hooks) -> None:
    path = "/cds-services"
    claims = {
        "iss": "https://unknown.example",
        "aud": f"{BASE}{path}",
        "iat": int(signed.clock.now.timestamp()),
        "exp": int(signed.clock.now.timestamp()) + 60,
        "jti": str(uuid.uuid4()),
    }
    head = {"alg": "ES384", "kid": "k1", "jku": "http://127.0.0.1:1/keys"}
    token = jwt.encode(head, claims, FOREIGN, algorithms=["ES384"])
    assert ask(signed, "GET", path, token) == 401


def test_a_patient_of_another_hospital_is_not_within_reach(signed: Hooks) -> None:
    body = view(example("nstemi"), server="https://other.example/fhir")
    assert signed.call("chest-pain-patient-view", body).status_code == 403
    assert signed.services.cases.list() == ()


def test_a_service_that_is_not_there(signed: Hooks) -> None:
    assert signed.call("chest-pain", view(None)).status_code == 404


def test_a_public_address_is_what_tokens_must_name(tmp_path: Path) -> None:
    with hooks(tmp_path, public_url="https://epicrisis.example/cds") as client:
        for audience, status in (
            (f"{BASE}/cds-services", 401),
            ("https://epicrisis.example/cds/cds-services", 200),
        ):
            token = sign(KEY, audience, client.clock.now)
            assert ask(client, "GET", "/cds-services", token) == status


def test_without_clients_only_this_machine_may_call(tmp_path: Path) -> None:
    with hooks(tmp_path, key=None) as client:
        answer = client.discovery()
        assert answer.status_code == 200
        assert "only programs on this machine" in answer.text
        app = client.http.app
        for peer, host in (("10.0.0.9", "127.0.0.1:8080"), ("127.0.0.1", "evil.example")):
            other = TestClient(app, base_url=f"http://{host}", client=(peer, 1))
            assert other.get("/cds-services").status_code == 401
        forwarded = client.http.get("/cds-services", headers={"X-Forwarded-For": "10.0.0.9"})
        assert forwarded.status_code == 401
        page = client.http.get("/cds-services", headers={"Origin": "https://evil.example"})
        assert page.status_code == 401


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"public_url": "https://epicrisis.example"}, id="known to others"),
        pytest.param({"local_user": False}, id="no local user"),
        pytest.param({"fhir_backends": {"https://ehr.example": "e"}}, id="a FHIR server"),
        pytest.param({"oidc_issuer": "https://login.example"}, id="a login"),
    ],
)
def test_unsigned_calls_need_the_local_mode_of_one_person(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    with hooks(tmp_path, key=None, **settings) as client:
        assert client.discovery().status_code == 401


def test_only_named_origins_may_call_from_a_browser(tmp_path: Path) -> None:
    ehr = "https://ehr.example"
    with hooks(tmp_path, cds_origins=(ehr,)) as client:
        asked = {"Access-Control-Request-Method": "POST", "Origin": ehr} | {
            "Access-Control-Request-Headers": "authorization, content-type"
        }
        allowed = client.http.options("/cds-services/chest-pain-patient-view", headers=asked)
        assert allowed.headers["access-control-allow-origin"] == ehr
        other = asked | {"Origin": "https://evil.example"}
        refused = client.http.options("/cds-services/chest-pain-patient-view", headers=other)
        assert "access-control-allow-origin" not in refused.headers
        failed = client.http.get("/cds-services", headers={"Origin": ehr})
        assert failed.status_code == 401
        assert failed.headers["access-control-allow-origin"] == ehr
        elsewhere = client.http.options("/v1/feedback", headers=asked)
        assert "access-control-allow-origin" not in elsewhere.headers
