"""An EHR or a login provider that misbehaves: a plain refusal, never a login."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from starlette.testclient import TestClient

from serving.access.authentication import access_of
from serving.services import Services
from tests.serving.access.made import EC, NOW, OTHER, Clock, browsing, public, services
from tests.serving.access.peers import Answer, Peer, as_json, serving

BASE = "http://127.0.0.1:8080"
SECOND = int(NOW.timestamp())
GRANTED = "launch openid fhirUser patient/Patient.r patient/Observation.rs"


@dataclass
class Ehr:
    """What an EHR says; a test changes one thing."""

    peer: Peer | None = None
    nonce: str = ""
    discovery: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    token_status: int = 200
    sign: Callable[[dict[str, Any]], str] | None = None

    @property
    def url(self) -> str:
        assert self.peer is not None
        return self.peer.url

    def says(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        if path.endswith(("/smart-configuration", "/openid-configuration")):
            found = {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/auth",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/jwks",
                "code_challenge_methods_supported": ["S256"],
                "capabilities": ["permission-v2"],
            }
            return as_json(without_none(found | self.discovery))
        if path == "/jwks":
            return as_json(public(EC))
        claims = {
            "iss": self.url,
            "aud": "epicrisis",
            "sub": "dr-1",
            "iat": SECOND,
            "exp": SECOND + 300,
            "nonce": self.nonce,
            "fhirUser": f"{self.url}/Practitioner/dr-1",
        }
        token = (self.sign or well_signed)(without_none(claims | self.claims))
        answer = {
            "access_token": "secret-of-the-ehr",
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": GRANTED,
            "patient": "pt-1",
            "id_token": token,
        }
        return as_json(without_none(answer | self.answer), self.token_status)


def without_none(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value is not None}


def well_signed(claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "ES384", "kid": "ec"}, claims, EC, algorithms=["ES384"])


@contextmanager
def at_an_ehr(folder: Path, ehr: Ehr, **settings: object) -> Iterator[tuple[TestClient, Services]]:
    with serving(ehr.says) as peer:
        ehr.peer = peer
        made = services(
            folder,
            Clock(),
            public_url=BASE,
            smart_issuers={f"{peer.url}/fhir": "epicrisis"},
            outbound_private_hosts=[f"127.0.0.1:{peer.port}"],
            **settings,
        )
        with browsing(made, base=BASE) as browser:
            yield browser, made
        made.database.close()


def launch(browser: TestClient, ehr: Ehr, *, path: str = "/smart/launch") -> Any:
    """Begin a launch and come back as an EHR would send the browser."""
    sent = browser.get(path, params={"iss": f"{ehr.url}/fhir", "launch": "L1"})
    if sent.status_code != 303:
        return sent
    asked = {k: v[0] for k, v in parse_qs(urlsplit(sent.headers["location"]).query).items()}
    ehr.nonce = asked["nonce"]
    return browser.get("/smart/callback", params={"state": asked["state"], "code": "c"})


def has_login(browser: TestClient) -> bool:
    return "epicrisis_session" in browser.cookies


def test_a_launch_that_is_right_gives_a_login(tmp_path: Path) -> None:
    with at_an_ehr(tmp_path, ehr := Ehr()) as (browser, _):
        answer = launch(browser, ehr)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sidebar")
        me = browser.get("/v1/me").json()
        assert me["patient"] == f"{ehr.url}/fhir|Patient/pt-1"
        assert me["subject"] == f"{ehr.url}#dr-1"


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "somebody else"},
        {"aud": ["epicrisis", "somebody else"]},
        {"aud": None},
        {"iss": "https://evil.example"},
        {"exp": SECOND - 31},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"azp": "somebody else"},
        {"fhirUser": None},
        {"fhirUser": "Patient/pt-1"},
        {"fhirUser": "https://ehr.example/fhir/RelatedPerson/1"},
        {"fhirUser": "Practitioner"},
        {"fhirUser": "Practitioner/<script>"},
        {"fhirUser": ["Practitioner/1"]},
    ],
    ids=str,
)
def test_an_id_token_that_is_not_right_is_no_login(claims: dict[str, Any], tmp_path: Path) -> None:
    with at_an_ehr(tmp_path, ehr := Ehr(claims=claims)) as (browser, _):
        answer = launch(browser, ehr)
        assert answer.status_code == 401
        assert not has_login(browser)
        assert "secret-of-the-ehr" not in answer.text


def other_key(claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "ES384", "kid": "ec"}, claims, OTHER, algorithms=["ES384"])


def symmetric(claims: dict[str, Any]) -> str:
    key = OctKey.import_key(b"0" * 48)
    return jwt.encode({"alg": "HS384", "kid": "ec"}, claims, key, algorithms=["HS384"])


def unsigned(claims: dict[str, Any]) -> str:
    head, body, _ = well_signed(claims).split(".")
    return f"{head}.{body}."


@pytest.mark.parametrize("sign", [other_key, symmetric, unsigned], ids=lambda one: one.__name__)
def test_an_id_token_that_nobody_signed_is_no_login(
    sign: Callable[[dict[str, Any]], str], tmp_path: Path
) -> None:
    with at_an_ehr(tmp_path, ehr := Ehr(sign=sign)) as (browser, _):
        assert launch(browser, ehr).status_code == 401
        assert not has_login(browser)


@pytest.mark.parametrize(
    "answer",
    [
        {"patient": None},
        {"patient": ""},
        {"patient": "../Patient/2"},
        {"patient": "pt-1|x"},
        {"patient": ["pt-1", "pt-2"]},
        {"encounter": "no id!"},
        {"scope": None},
        {"scope": "launch openid fhirUser"},
        {"scope": "patient/Patient.r"},
        {"scope": "system/*.rs"},
        {"id_token": None},
        {"id_token": "a.b.c"},
    ],
    ids=str,
)
def test_an_answer_with_less_than_is_needed_is_no_login(
    answer: dict[str, Any], tmp_path: Path
) -> None:
    with at_an_ehr(tmp_path, ehr := Ehr(answer=answer)) as (browser, _):
        assert launch(browser, ehr).status_code == 401
        assert not has_login(browser)


@pytest.mark.parametrize(
    ("answer", "status", "expected"),
    [
        ({"error": "invalid_grant"}, 400, 401),
        ({}, 500, 503),
        ({"token_type": "mac"}, 200, 503),
    ],
)
def test_a_code_that_is_not_taken_and_a_server_that_is_down_are_two_things(
    answer: dict[str, Any], status: int, expected: int, tmp_path: Path
) -> None:
    ehr = Ehr(answer=answer, token_status=status)
    with at_an_ehr(tmp_path, ehr) as (browser, _):
        assert launch(browser, ehr).status_code == expected
        assert not has_login(browser)


@pytest.mark.parametrize(
    "discovery",
    [
        {"code_challenge_methods_supported": ["plain"]},
        {"code_challenge_methods_supported": None},
        {"token_endpoint": None},
        {"authorization_endpoint": None},
        {"authorization_endpoint": "http://evil.example/auth"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": None},
        {"issuer": None},
    ],
    ids=str,
)
def test_an_ehr_that_cannot_do_what_is_needed_is_not_launched_from(
    discovery: dict[str, Any], tmp_path: Path
) -> None:
    with at_an_ehr(tmp_path, ehr := Ehr(discovery=discovery)) as (browser, _):
        answer = launch(browser, ehr)
        assert answer.status_code == 503
        assert "location" not in answer.headers


@pytest.mark.parametrize(
    "address", ["http://169.254.169.254/token", "https://evil.example/token", "file:///etc/passwd"]
)
@pytest.mark.parametrize("name", ["token_endpoint", "jwks_uri"])
def test_an_ehr_cannot_send_us_to_a_server_that_is_not_on_the_list(
    name: str, address: str, tmp_path: Path
) -> None:
    with at_an_ehr(tmp_path, ehr := Ehr(discovery={name: address})) as (browser, _):
        assert launch(browser, ehr).status_code == 422
        assert not has_login(browser)


def test_a_slow_ehr_is_given_up(tmp_path: Path) -> None:
    class Slow(Ehr):
        def says(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
            time.sleep(1.0)
            return as_json({})

    with at_an_ehr(tmp_path, ehr := Slow(), outbound_timeout_s=0.2) as (browser, _):
        assert launch(browser, ehr).status_code == 503


def test_the_banner_is_left_out_only_where_the_ehr_says_so(tmp_path: Path) -> None:
    for said, shown in ((False, False), (None, True), ("false", True), (0, True)):
        folder = tmp_path / str(said)
        folder.mkdir()
        ehr = Ehr(answer={"need_patient_banner": said, "intent": "risk\u202ereview"})
        with at_an_ehr(folder, ehr) as (browser, made):
            launch(browser, ehr)
            login = access_of(made).sessions.find(browser.cookies["epicrisis_session"])
            assert login is not None
            assert login.context is not None
            assert login.context["need_patient_banner"] is shown
            assert login.context["intent"] == "riskreview"


def test_a_launch_without_its_launch_id_is_refused(tmp_path: Path) -> None:
    with at_an_ehr(tmp_path, ehr := Ehr()) as (browser, _):
        iss = f"{ehr.url}/fhir"
        assert browser.get("/smart/launch", params={"iss": iss, "launch": ""}).status_code == 422
        assert browser.get("/smart/launch", params={"iss": iss}).status_code == 422


def test_version_1_is_asked_of_an_ehr_that_knows_no_other(tmp_path: Path) -> None:
    ehr = Ehr(discovery={"capabilities": ["permission-v1"]})
    with at_an_ehr(tmp_path, ehr) as (browser, _):
        sent = browser.get("/smart/start", params={"iss": f"{ehr.url}/fhir"})
        asked = parse_qs(urlsplit(sent.headers["location"]).query)["scope"][0].split()
    assert asked[0] == "launch/patient"
    assert "patient/Observation.read" in asked
    assert not [word for word in asked if word.endswith((".rs", ".r"))]


def test_a_refused_launch_is_audited_and_slowed_down(tmp_path: Path) -> None:
    from serving.audit.tables import AuditRow

    ehr = Ehr(claims={"nonce": "another"})
    with at_an_ehr(tmp_path, ehr, failures_per_minute=2) as (browser, made):
        assert [launch(browser, ehr).status_code for _ in range(3)] == [401, 401, 429]
        with made.database.reading() as session:
            rows = session.query(AuditRow).filter(AuditRow.action == "login").all()
        assert len(rows) == 2
        assert "secret-of-the-ehr" not in json.dumps([row.body for row in rows])
