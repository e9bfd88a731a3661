"""A login that was begun: what must come back is kept here, for ten minutes and one use."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import delete

from serving.access.errors import N_, UnauthenticatedError
from serving.access.secret import digest, new_secret, same
from serving.access.tables import LoginAttemptRow
from serving.storage.database import Database

Kind = Literal["oidc", "smart"]

VALID_S = 600
"""Seconds to log in elsewhere, second factor included."""

_LONGEST = 200


class AttemptStore:
    """Logins that were begun.

    Args:
        database: Where.
        clock: The current moment.

    Every method raises `UnavailableError` where the database cannot be used.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def begin(self, kind: Kind, body: Mapping[str, Any], *, state: str) -> str:
        """Keep an attempt and return the cookie that binds it to this browser.

        Args:
            kind: By whom the login is.
            body: What is needed at the end; without tokens and without patient data.
            state: What the other server must send back.
        """
        browser = new_secret()
        now = self._clock()
        row = LoginAttemptRow(
            id=digest(state),
            browser=digest(browser),
            kind=kind,
            body=dict(body),
            expires_at=now + timedelta(seconds=VALID_S),
        )
        with self._database.transaction() as session:
            session.execute(delete(LoginAttemptRow).where(LoginAttemptRow.expires_at <= now))
            session.add(row)
        return browser

    def take(self, kind: Kind, state: str, browser: str | None) -> dict[str, Any]:
        """Return what was kept for a state; it cannot be taken again, by anybody.

        Args:
            kind: By whom the login is.
            state: As it came back.
            browser: The cookie of who brings it.

        Raises:
            UnauthenticatedError: It is not known, not of this browser, or too old.
        """
        if not state or len(state) > _LONGEST:
            raise UnauthenticatedError(N_("this login was not begun here"))
        taken = (
            delete(LoginAttemptRow)
            .where(LoginAttemptRow.id == digest(state))
            .returning(
                LoginAttemptRow.kind,
                LoginAttemptRow.browser,
                LoginAttemptRow.body,
                LoginAttemptRow.expires_at,
            )
        )
        with self._database.transaction() as session:
            row = session.execute(taken).one_or_none()  # of two at once, one gets it
        if row is None or row.kind != kind or self._clock() >= row.expires_at:
            raise UnauthenticatedError(N_("this login was not begun here, or too long ago"))
        if browser is None or not same(digest(browser), row.browser):
            raise UnauthenticatedError(N_("this login was begun in another browser"))
        body: dict[str, Any] = row.body
        return body
