"""The counterparts themselves: what the other tests rely on them to refuse."""

import base64
import hashlib
import secrets
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlparse

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from serving.sandbox.servers import FhirServer, SmartServer, backend_client, public_client

CALLBACK = "http://127.0.0.1:9/callback"
KEY = ECKey.generate_key("P-384", {"kid": "backend-1", "alg": "ES384", "use": "sig"})


@pytest.fixture(scope="module")
def smart_clients() -> Sequence[Mapping[str, Any]]:
    public = KEY.as_dict(private=False)
    return (public_client("app", CALLBACK), backend_client("backend", {"keys": [public]}))


def challenge_of(verifier: str) -> str:
    """RFC 7636, 4.2: BASE64URL(SHA256(verifier)) without padding."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def get_code(smart: SmartServer, *, scope: str, verifier: str, **more: str) -> dict[str, Any]:
    """Follow the login to the redirect, as a browser would."""
    query = {
        "client_id": "app",
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": scope,
        "state": secrets.token_urlsafe(16),
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
        "aud": smart.fhir,
    }
    with httpx.Client() as browser:
        answer = browser.get(f"{smart.issuer}/auth", params={**query, **more})
        for _ in range(8):
            target = str(httpx.URL(answer.url).join(answer.headers.get("location", "")))
            if target.startswith(CALLBACK) or not answer.is_redirect:
                break
            answer = browser.get(target)
    found = parse_qs(urlparse(target).query)
    return {key: values[0] for key, values in found.items()}


def get_token(smart: SmartServer, *, scope: str, tamper: str = "", **more: str) -> httpx.Response:
    verifier = secrets.token_urlsafe(48)
    code = get_code(smart, scope=scope, verifier=verifier, **more)["code"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": "app",
        "redirect_uri": CALLBACK,
        "code_verifier": verifier + tamper,
    }
    return httpx.post(f"{smart.issuer}/token", data=form)


def backend_token(
    smart: SmartServer, scope: str, *, key: ECKey = KEY, jti: str | None = None
) -> httpx.Response:
    now = int(time.time())
    claims = {
        "iss": "backend",
        "sub": "backend",
        "aud": f"{smart.issuer}/token",
        "iat": now,
        "exp": now + 240,
        "jti": jti or str(uuid.uuid4()),
    }
    signed = jwt.encode({"alg": "ES384", "kid": "backend-1"}, claims, key, algorithms=["ES384"])
    form = {
        "grant_type": "client_credentials",
        "scope": scope,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": signed,
    }
    return httpx.post(f"{smart.issuer}/token", data=form)


@pytest.fixture(scope="module")
def protected(fhir_server: FhirServer, authorization_server: SmartServer) -> FhirServer:
    for name in ("one", "two"):
        fhir_server.put({"resourceType": "Patient", "id": name, "gender": "female"})
        fhir_server.put(
            {
                "resourceType": "Condition",
                "id": f"c-{name}",
                "subject": {"reference": f"Patient/{name}"},
            }
        )
    return fhir_server.trust(authorization_server)


def test_discovery_is_below_the_fhir_base(
    protected: FhirServer, authorization_server: SmartServer
) -> None:
    found = httpx.get(f"{protected.base}/.well-known/smart-configuration").json()
    assert found["token_endpoint"] == f"{authorization_server.issuer}/token"
    assert found["code_challenge_methods_supported"] == ["S256"]


def test_an_ehr_launch_gives_the_patient_and_who_it_is(
    protected: FhirServer, authorization_server: SmartServer
) -> None:
    launch = authorization_server.launch(patient="one", encounter="e-1")
    answer = get_token(
        authorization_server,
        scope="launch openid profile roles fhirUser patient/Patient.r",
        launch=launch,
    )
    body = answer.json()
    assert (body["patient"], body["encounter"]) == ("one", "e-1")
    keys = KeySet.import_key_set(httpx.get(f"{authorization_server.issuer}/jwks").json())
    claims = jwt.decode(body["id_token"], keys, algorithms=["RS256"]).claims
    assert claims["fhirUser"] == f"{protected.base}/Practitioner/dr-1"
    assert claims["roles"] == ["clinician"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("Patient/one", 200),
        ("Patient/two", 403),
        ("Condition?subject=Patient/one", 403),
        ("Patient", 403),
    ],
)
def test_a_token_of_one_patient_reads_no_other(
    protected: FhirServer, authorization_server: SmartServer, path: str, status: int
) -> None:
    launch = authorization_server.launch(patient="one")
    token = get_token(authorization_server, scope="launch patient/Patient.r", launch=launch).json()
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    assert httpx.get(f"{protected.base}/{path}", headers=headers).status_code == status


def test_without_a_token_nothing_is_read(protected: FhirServer) -> None:
    answer = httpx.get(f"{protected.base}/Patient/one")
    assert answer.status_code == 401
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    "more",
    [{"launch": "never-started"}, {"aud": "https://elsewhere.example.org/fhir", "launch": ""}],
    ids=["unknown-launch", "other-server"],
)
def test_a_wrong_launch_or_audience_gets_no_code(
    protected: FhirServer, authorization_server: SmartServer, more: dict[str, str]
) -> None:
    verifier = secrets.token_urlsafe(48)
    if more["launch"] == "":
        more = {**more, "launch": authorization_server.launch(patient="one")}
    found = get_code(authorization_server, scope="launch", verifier=verifier, **more)
    assert "code" not in found
    assert found["error"] == "invalid_request"


def test_a_wrong_verifier_gets_no_token(
    protected: FhirServer, authorization_server: SmartServer
) -> None:
    launch = authorization_server.launch(patient="one")
    answer = get_token(authorization_server, scope="launch", launch=launch, tamper="x")
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"


def test_a_backend_system_reads_all_patients_it_has_the_scope_for(
    protected: FhirServer, authorization_server: SmartServer
) -> None:
    token = backend_token(authorization_server, "system/Patient.rs").json()["access_token"]
    found = protected.get("Patient", token)
    assert {entry["resource"]["id"] for entry in found["entry"]} == {"one", "two"}
    answer = httpx.get(f"{protected.base}/Condition", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403


def test_a_replayed_or_foreign_assertion_is_refused(
    protected: FhirServer, authorization_server: SmartServer
) -> None:
    once = str(uuid.uuid4())
    assert backend_token(authorization_server, "system/Patient.rs", jti=once).status_code == 200
    assert backend_token(authorization_server, "system/Patient.rs", jti=once).status_code == 401
    other = ECKey.generate_key("P-384")
    assert backend_token(authorization_server, "system/Patient.rs", key=other).status_code == 401


def test_a_resource_of_wrong_structure_is_refused(
    protected: FhirServer, authorization_server: SmartServer
) -> None:
    token = backend_token(authorization_server, "system/Patient.cruds").json()["access_token"]
    answer = httpx.post(
        f"{protected.base}/Patient",
        json={"resourceType": "Patient", "family": 5},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 400
    assert "family" in answer.json()["issue"][0]["details"]["text"]
