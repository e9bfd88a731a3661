"""Logins kept here: their ends, their secrets, and what the database gives away."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from knowledge.settings import Settings
from serving.access.errors import UnauthenticatedError
from serving.access.login.attempts import AttemptStore
from serving.access.principal import Principal, Role
from serving.access.secret import seal, unseal
from serving.access.sessions import SessionStore
from serving.access.tables import SessionRow
from serving.storage.database import Database
from tests.serving.access.made import Clock, database

DOCTOR = Principal(subject="d", name="D", roles=frozenset({Role.CLINICIAN}), via="oidc")


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Database]:
    made = database(tmp_path)
    yield made
    made.close()


def store(kept: Database, clock: Clock) -> SessionStore:
    return SessionStore(kept, Settings(session_idle_minutes=30, session_hours=12), clock)


def test_a_login_ends_when_it_is_not_used(kept: Database) -> None:
    clock = Clock()
    sessions = store(kept, clock)
    cookie = sessions.begin(DOCTOR)
    clock.pass_(minutes=29)
    assert sessions.find(cookie) is not None
    clock.pass_(minutes=29)
    assert sessions.find(cookie) is not None
    clock.pass_(minutes=30)
    assert sessions.find(cookie) is None


def test_a_login_ends_after_a_shift_however_it_is_used(kept: Database) -> None:
    clock = Clock()
    sessions = store(kept, clock)
    cookie = sessions.begin(DOCTOR)
    for _ in range(71):
        clock.pass_(minutes=10)
        assert sessions.find(cookie) is not None
    clock.pass_(minutes=10)
    assert sessions.find(cookie) is None


def test_a_new_login_ends_the_one_it_replaces_and_no_other(kept: Database) -> None:
    sessions = store(kept, Clock())
    elsewhere, first = sessions.begin(DOCTOR), sessions.begin(DOCTOR)
    second = sessions.begin(DOCTOR, replaces=first)
    found = [sessions.find(cookie) is not None for cookie in (elsewhere, first, second)]
    assert found == [True, False, True]


def test_nothing_is_found_for_a_guess(kept: Database) -> None:
    sessions = store(kept, Clock())
    cookie = sessions.begin(DOCTOR)
    with kept.reading() as session:
        (row,) = session.query(SessionRow).all()
    for guess in ("", "x", row.id, cookie[:-1], cookie + "a", cookie.lower()):
        assert sessions.find(guess) is None


def test_the_database_alone_opens_nothing(kept: Database) -> None:
    sessions = store(kept, Clock())
    cookie = sessions.begin(DOCTOR, token=SecretStr("the token of the EHR"))
    with kept.reading() as session:
        (row,) = session.query(SessionRow).all()
    assert row.sealed is not None
    assert b"token of" not in row.sealed
    assert cookie not in f"{row.id}{row.principal}{row.context}"
    assert unseal(row.id, row.sealed) is None
    assert unseal(cookie, row.sealed[:-1] + b"\0") is None
    assert unseal(cookie, b"") is None
    found = sessions.find(cookie)
    assert found is not None
    assert found.token is not None
    assert found.token.get_secret_value() == "the token of the EHR"
    assert "token of the EHR" not in repr(found)


def test_two_boxes_of_one_text_differ() -> None:
    assert seal("a", "text") != seal("a", "text")


def test_old_sessions_are_cleared_at_a_login(kept: Database) -> None:
    clock = Clock()
    sessions = store(kept, clock)
    for _ in range(3):
        sessions.begin(DOCTOR)
    clock.pass_(hours=1)
    sessions.begin(DOCTOR)
    with kept.reading() as session:
        assert session.query(SessionRow).count() == 1


def test_an_attempt_is_of_one_browser_one_kind_ten_minutes_and_one_use(kept: Database) -> None:
    clock = Clock()
    attempts = AttemptStore(kept, clock)

    def begun(state: str) -> str:
        return attempts.begin("oidc", {"nonce": "n"}, state=state)

    assert attempts.take("oidc", "right", begun("right")) == {"nonce": "n"}
    browser = begun("again")
    attempts.take("oidc", "again", browser)
    late = begun("late")
    for state, kind, cookie, minutes in (
        ("again", "oidc", browser, 0),
        ("other", "oidc", begun("not other"), 0),
        ("kind", "smart", begun("kind"), 0),
        ("cookie", "oidc", begun("of another") and "guess", 0),
        ("none", "oidc", begun("none") and None, 0),
        ("", "oidc", browser, 0),
        ("late", "oidc", late, 10),
    ):
        clock.pass_(minutes=minutes)
        with pytest.raises(UnauthenticatedError):
            attempts.take("smart" if kind == "smart" else "oidc", state, cookie)
