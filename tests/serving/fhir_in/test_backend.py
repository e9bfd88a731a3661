import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from knowledge.errors import InvalidValueError, UnavailableError
from knowledge.settings import Settings
from serving.access.outbound import OutboundClient
from serving.fhir_in.backend import backend_token, private_key, public_keys
from tests.serving.access.peers import Answer, Peer, as_json, serving

KEY = ECKey.generate_key("P-384")


def kept(folder: Path, key: Any) -> Path:
    path = folder / "key.json"
    path.write_text(json.dumps(key.as_dict(private=True)))
    return path


@pytest.fixture
def ehr() -> Iterator[Peer]:
    def answer(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        if path.endswith("smart-configuration"):
            return as_json({"token_endpoint": f"http://{headers['host']}/token"})
        return as_json({"access_token": "t-1", "token_type": "bearer", "expires_in": 300})

    with serving(answer) as peer:
        yield peer


def settings_for(peer: Peer, folder: Path, key: Any = KEY) -> Settings:
    return Settings(
        data_dir=folder,
        fhir_backends={f"{peer.url}/fhir": "epicrisis"},
        fhir_backend_key=kept(folder, key),
        outbound_private_hosts=(urlsplit(peer.url).netloc,),
    )


def assertion_of(peer: Peer) -> str:
    (_, _, _, body) = peer.seen[-1]
    return parse_qs(body.decode())["client_assertion"][0]


@pytest.mark.parametrize(
    ("key", "alg"),
    [(KEY, "ES384"), (RSAKey.generate_key(2048), "RS384")],
    ids=["ec-p384", "rsa-2048"],
)
def test_the_assertion_is_as_smart_backend_services_ask(
    ehr: Peer, tmp_path: Path, key: Any, alg: str
) -> None:
    settings = settings_for(ehr, tmp_path, key)
    token = backend_token(settings, OutboundClient(settings), f"{ehr.url}/fhir/")
    assert token.get_secret_value() == "t-1"
    decoded = jwt.decode(assertion_of(ehr), key, algorithms=[alg])
    claims = decoded.claims
    assert claims["iss"] == claims["sub"] == "epicrisis"
    assert claims["aud"] == f"{ehr.url}/token"
    # SMART App Launch 2.2, backend services: no more than five minutes in the future
    assert claims["exp"] - claims["iat"] <= 300
    published = public_keys(settings.fhir_backend_key)["keys"][0]
    assert decoded.header["kid"] == published["kid"]
    assert decoded.header["alg"] == published["alg"] == alg


def test_every_assertion_has_its_own_id(ehr: Peer, tmp_path: Path) -> None:
    settings = settings_for(ehr, tmp_path)
    ids = set()
    for _ in range(3):
        backend_token(settings, OutboundClient(settings), f"{ehr.url}/fhir")
        ids.add(jwt.decode(assertion_of(ehr), KEY, algorithms=["ES384"]).claims["jti"])
    assert len(ids) == 3


def test_a_server_that_is_not_configured_is_not_asked(ehr: Peer, tmp_path: Path) -> None:
    settings = settings_for(ehr, tmp_path)
    with pytest.raises(InvalidValueError, match="EPICRISIS_FHIR_BACKENDS"):
        backend_token(settings, OutboundClient(settings), f"{ehr.url}/other")
    assert ehr.seen == []


def test_a_refused_assertion_is_said(tmp_path: Path) -> None:
    def answer(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        if path.endswith("smart-configuration"):
            return as_json({"token_endpoint": f"http://{headers['host']}/token"})
        return as_json({"error": "invalid_client"}, 401)

    with serving(answer) as peer:
        settings = settings_for(peer, tmp_path)
        with pytest.raises(UnavailableError, match=r"gave no token \(401\)"):
            backend_token(settings, OutboundClient(settings), f"{peer.url}/fhir")


def test_a_token_endpoint_elsewhere_gets_no_assertion(tmp_path: Path) -> None:
    def answer(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        return as_json({"token_endpoint": "https://elsewhere.example/token"})

    with serving(answer) as peer:
        settings = settings_for(peer, tmp_path)
        with pytest.raises(InvalidValueError, match="may not be called"):
            backend_token(settings, OutboundClient(settings), f"{peer.url}/fhir")


@pytest.mark.parametrize(
    "key",
    [ECKey.generate_key("P-256"), OctKey.generate_key(256)],
    ids=["p256", "symmetric"],
)
def test_a_weak_or_wrong_key_is_refused(tmp_path: Path, key: Any) -> None:
    with pytest.raises(InvalidValueError, match="EC P-384 or RSA"):
        private_key(kept(tmp_path, key))


def test_a_public_key_cannot_sign(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(KEY.as_dict(private=False)))
    with pytest.raises(InvalidValueError, match="no private"):
        private_key(path)


def test_pem_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(KEY.as_pem(private=True))
    assert private_key(path).thumbprint() == KEY.thumbprint()


def test_without_a_key_none_is_published() -> None:
    assert public_keys(None) == {"keys": []}
