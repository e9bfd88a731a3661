"""Signed tokens of other systems: what is taken, and everything that is not."""

import base64
import hmac
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from knowledge.errors import InvalidValueError, UnavailableError
from knowledge.settings import Settings
from serving.access.clients import ClientRegistry
from serving.access.errors import UnauthenticatedError
from serving.access.jwt_bearer import verify
from serving.access.jwt_keys import ClientIssuers, FetchedKeys, FixedKeys, TrustedIssuer
from serving.access.outbound import OutboundClient
from serving.storage.database import Database
from tests.serving.access.made import EC, NOW, OTHER, RSA, Clock, database, public, signed
from tests.serving.access.peers import Answer, as_json, serving

AUD = "https://epicrisis.example/cds-services/chest-pain-patient-view"
SECOND = int(NOW.timestamp())
ISSUERS = {"ehr": TrustedIssuer(keys=FixedKeys(public(EC, RSA)), jku="https://ehr.example/jwks")}


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Database]:
    made = database(tmp_path)
    yield made
    made.close()


def check(token: str, kept: Database, clock: Clock | None = None) -> dict[str, Any]:
    return verify(token, audience=AUD, issuers=ISSUERS, database=kept, clock=clock or Clock())


@pytest.mark.parametrize(("key", "alg"), [(EC, "ES384"), (RSA, "RS384")], ids=["ES384", "RS384"])
def test_both_algorithms_of_smart_are_taken(key: Any, alg: str, kept: Database) -> None:
    assert check(signed({"aud": AUD}, key=key, alg=alg), kept)["iss"] == "ehr"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": None},
        {"aud": AUD + "/"},
        {"aud": "https://epicrisis.example"},
        {"aud": [AUD, "https://elsewhere.example"]},
        {"aud": []},
        {"exp": None},
        {"exp": SECOND - 31},
        {"exp": SECOND + 301},
        {"exp": "soon"},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"iat": None},
        {"iat": SECOND - 120, "exp": SECOND + 200},
        {"iat": SECOND + 31, "exp": SECOND + 60},
        {"nbf": SECOND + 60},
        {"jti": None},
        {"jti": ""},
        {"jti": "a" * 257},
        {"jti": 7},
        {"iss": "somebody"},
        {"iss": None},
        {"iss": ["ehr"]},
    ],
    ids=str,
)
def test_a_claim_that_is_not_right_refuses_the_token(
    claims: dict[str, Any], kept: Database
) -> None:
    with pytest.raises(UnauthenticatedError):
        check(signed({"aud": AUD} | claims), kept)


def test_clocks_may_differ_by_half_a_minute(kept: Database) -> None:
    check(signed({"aud": AUD, "exp": SECOND - 29, "iat": SECOND - 200}), kept)
    check(signed({"aud": AUD, "iat": SECOND + 29, "exp": SECOND + 60}), kept)
    check(signed({"aud": [AUD]}), kept)


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "at+jwt"},
        {"kid": "unknown"},
        {"kid": None},
        {"jku": "https://evil.example/jwks"},
        {"jku": "http://127.0.0.1:1/jwks"},
    ],
    ids=str,
)
def test_a_header_that_is_not_right_refuses_the_token(
    header: dict[str, Any], kept: Database
) -> None:
    with pytest.raises(UnauthenticatedError):
        check(signed({"aud": AUD}, header=header), kept)


def test_the_right_address_of_keys_may_be_named(kept: Database) -> None:
    check(signed({"aud": AUD}, header={"jku": "https://ehr.example/jwks"}), kept)


def test_another_key_of_the_same_name_is_refused(kept: Database) -> None:
    with pytest.raises(UnauthenticatedError):
        check(signed({"aud": AUD}, key=OTHER), kept)


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_no_algorithm_and_symmetric_algorithms_are_refused(kept: Database) -> None:
    body = {"iss": "ehr", "aud": AUD, "iat": SECOND, "exp": SECOND + 60, "jti": "1"}
    unsigned = f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(body)}."
    start = f"{part({'alg': 'HS384', 'kid': 'ec', 'typ': 'JWT'})}.{part(body)}"
    mac = hmac.digest(EC.as_pem(private=False), start.encode(), "sha384")
    confused = f"{start}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    critical = {"alg": "ES384", "kid": "ec", "crit": ["unheard-of"], "unheard-of": 1}
    weak = ECKey.generate_key("P-256", parameters={"kid": "ec"})
    other = jwt.encode({"alg": "ES256", "kid": "ec"}, body, weak, algorithms=["ES256"])
    for token in (unsigned, confused, other, f"{part(critical)}.{part(body)}.AAAA"):
        with pytest.raises(UnauthenticatedError):
            check(token, kept)


@pytest.mark.parametrize("token", ["", ".", "a.b.c", "x" * 9000, "é.é.é", "..", "[]" * 2000])
def test_what_is_no_token_is_refused(token: str, kept: Database) -> None:
    with pytest.raises(UnauthenticatedError):
        check(token, kept)


def test_a_token_whose_claims_were_changed_is_refused(kept: Database) -> None:
    header, body, signature = signed({"aud": AUD}).split(".")
    changed = json.loads(base64.urlsafe_b64decode(body + "==")) | {"sub": "admin"}
    with pytest.raises(UnauthenticatedError):
        check(f"{header}.{part(changed)}.{signature}", kept)


def test_a_token_works_once(kept: Database) -> None:
    token = signed({"aud": AUD, "jti": "one"})
    check(token, kept)
    with pytest.raises(UnauthenticatedError):
        check(token, kept)
    with pytest.raises(UnauthenticatedError):
        check(signed({"aud": AUD, "jti": "one"}), kept)


def test_a_token_cannot_be_used_again_while_it_could_still_be_valid(kept: Database) -> None:
    clock = Clock()
    token = signed({"aud": AUD})
    check(token, kept, clock)
    for _ in range(10):
        clock.pass_(seconds=27.1)
        check(signed({"aud": AUD}, at=clock.now), kept, clock)  # clears what has expired
        with pytest.raises(UnauthenticatedError):
            check(token, kept, clock)


def test_two_issuers_may_use_one_id(kept: Database) -> None:
    both = ISSUERS | {"lab": TrustedIssuer(keys=FixedKeys(public(OTHER)))}
    for token in (
        signed({"aud": AUD, "jti": "1"}),
        signed({"aud": AUD, "jti": "1", "iss": "lab"}, key=OTHER),
    ):
        verify(token, audience=AUD, issuers=both, database=kept, clock=Clock())


def test_one_issuer_cannot_sign_as_another(kept: Database) -> None:
    both = ISSUERS | {"lab": TrustedIssuer(keys=FixedKeys(public(OTHER)))}
    with pytest.raises(UnauthenticatedError):
        verify(
            signed({"aud": AUD, "iss": "lab"}, key=EC),
            audience=AUD,
            issuers=both,
            database=kept,
            clock=Clock(),
        )


def test_a_refused_token_is_neither_told_nor_logged(
    kept: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = signed({"aud": "https://secret.example", "sub": "Jane Doe"})
    with pytest.raises(UnauthenticatedError) as caught:
        check(token, kept)
    for text in ("secret.example", "Jane", token.split(".")[1]):
        assert text not in str(caught.value) + caplog.text
    assert "meant for another address" in caplog.text


def fetched(url: str, port: int, clock: Clock) -> FetchedKeys:
    outbound = OutboundClient(Settings(outbound_private_hosts=(f"127.0.0.1:{port}",)))
    return FetchedKeys(url, outbound, clock)


def test_published_keys_are_fetched_rarely_and_rotation_is_followed(kept: Database) -> None:
    published = [public(EC)]

    def jwks(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        return as_json(published[-1])

    clock = Clock()
    new = ECKey.generate_key("P-384", parameters={"kid": "new"})
    with serving(jwks) as peer:
        issuers = {"ehr": TrustedIssuer(keys=fetched(peer.url, peer.port, clock))}

        def taken(key: ECKey) -> None:
            token = signed({"aud": AUD}, key=key, at=clock.now)
            verify(token, audience=AUD, issuers=issuers, database=kept, clock=clock)

        taken(EC)
        taken(EC)
        assert len(peer.seen) == 1
        published.append(public(new))
        for _ in range(5):
            with pytest.raises(UnauthenticatedError):
                taken(new)
        assert len(peer.seen) == 1, "a key id that nobody knows made us fetch again and again"
        clock.pass_(seconds=61)
        taken(new)
        assert len(peer.seen) == 2
        with pytest.raises(UnauthenticatedError):
            taken(EC)


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, UnavailableError), (200, InvalidValueError)],
    ids=["down", "no keys"],
)
def test_keys_that_cannot_be_had_are_no_refusal_and_no_pass(
    status: int, error: type[Exception], kept: Database
) -> None:
    def broken(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        return as_json({"keys": []}, status)

    with serving(broken) as peer:
        issuers = {"ehr": TrustedIssuer(keys=fetched(peer.url, peer.port, Clock()))}
        with pytest.raises(error):
            verify(
                signed({"aud": AUD}), audience=AUD, issuers=issuers, database=kept, clock=Clock()
            )


def test_a_client_taken_off_the_file_is_unknown_at_once(tmp_path: Path, kept: Database) -> None:
    file = tmp_path / "clients.yaml"
    entry = {"client_id": "ehr", "jwks": public(EC), "roles": ["integrator"], "cds": True}
    file.write_text(json.dumps({"clients": [entry]}), "utf-8")
    issuers = ClientIssuers(
        ClientRegistry(file), OutboundClient(Settings()), Clock(), accept=lambda one: one.cds
    )

    def taken() -> None:
        verify(signed({"aud": AUD}), audience=AUD, issuers=issuers, database=kept, clock=Clock())

    taken()
    file.write_text(json.dumps({"clients": [entry | {"cds": False}]}), "utf-8")
    with pytest.raises(UnauthenticatedError):
        taken()
    file.write_text('{"clients": []}', "utf-8")
    with pytest.raises(UnauthenticatedError):
        taken()


@pytest.mark.parametrize(
    "entry",
    [
        {"client_id": "a"},
        {"client_id": "a", "jwks": {"keys": []}},
        {"client_id": "a", "jwks": EC.as_dict(private=True)},
        {"client_id": "a", "jwks": {"keys": [EC.as_dict(private=True)]}},
        {"client_id": "a", "jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}},
        {"client_id": "a", "jwks": public(EC), "jwks_uri": "https://a.example"},
        {"client_id": "", "jwks": public(EC)},
        {"client_id": "a", "jwks": public(EC), "roles": ["king"]},
        {"client_id": "a", "jwks": public(EC), "role": "admin"},
    ],
)
def test_a_file_with_a_mistake_is_refused_as_a_whole(entry: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "clients.yaml"
    file.write_text(json.dumps({"clients": [entry]}), "utf-8")
    with pytest.raises(InvalidValueError, match=r"clients\.yaml"):
        ClientRegistry(file)
