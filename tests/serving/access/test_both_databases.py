"""What access keeps, on both databases and by many at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from knowledge.settings import Settings
from serving.access.errors import UnauthenticatedError
from serving.access.jwt_bearer import verify
from serving.access.jwt_keys import FixedKeys, TrustedIssuer
from serving.access.login.attempts import AttemptStore
from serving.access.principal import Principal, Role
from serving.access.secret import kept_secret
from serving.access.sessions import SessionStore
from serving.storage.database import Database
from serving.storage.schema import prepare
from tests.serving.access.made import EC, Clock, public, signed
from tests.serving.storage.databases import KINDS, database_of

AT_ONCE = 8
AUD = "https://epicrisis.example/cds-services"


@pytest.fixture(scope="module", params=KINDS)
def kept(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    folder: Path = tmp_path_factory.mktemp("access")
    with database_of(request.param, folder) as database:
        prepare(database)
        yield database


def test_of_many_uses_of_one_token_at_once_one_succeeds(kept: Database) -> None:
    issuers = {"ehr": TrustedIssuer(keys=FixedKeys(public(EC)))}
    token = signed({"aud": AUD})

    def use(_: int) -> bool:
        try:
            verify(token, audience=AUD, issuers=issuers, database=kept, clock=Clock())
        except UnauthenticatedError:
            return False
        return True

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert sum(pool.map(use, range(AT_ONCE))) == 1


def test_of_many_returns_of_one_login_at_once_one_succeeds(kept: Database) -> None:
    attempts = AttemptStore(kept, Clock())
    browser = attempts.begin("oidc", {}, state="state")

    def take(_: int) -> bool:
        try:
            attempts.take("oidc", "state", browser)
        except UnauthenticatedError:
            return False
        return True

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert sum(pool.map(take, range(AT_ONCE))) == 1


def test_a_secret_of_the_installation_is_made_once(kept: Database) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = set(pool.map(lambda _: kept_secret(kept, "once"), range(AT_ONCE)))
    assert len(found) == 1
    assert len(found.pop()) == 64


def test_a_session_comes_back_as_it_was(kept: Database) -> None:
    clock = Clock()
    sessions = SessionStore(kept, Settings(), clock)
    doctor = Principal(
        subject="d",
        name="医生",
        roles=frozenset({Role.CLINICIAN, Role.REVIEWER}),
        patient="https://a.example|Patient/1",
        scopes=frozenset(),
        tenants=frozenset({"https://a.example"}),
        via="smart",
    )
    cookie = sessions.begin(doctor, context={"iss": "x"}, token=SecretStr("secret"))
    clock.pass_(minutes=5)
    login = sessions.find(cookie)
    assert login is not None
    assert login.principal == doctor
    assert login.context == {"iss": "x"}
    assert login.token is not None
    assert login.token.get_secret_value() == "secret"
    sessions.end(cookie)
    assert sessions.find(cookie) is None
