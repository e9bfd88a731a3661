"""Logins of browsers, kept here: the cookie carries 256 random bits and nothing else."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from pydantic import SecretStr
from sqlalchemy import delete, update

from knowledge.model import Frozen
from knowledge.settings import Settings
from serving.access.principal import Principal
from serving.access.secret import derived, digest, new_secret, seal, unseal
from serving.access.tables import SessionRow
from serving.storage.database import Database

_TOUCH = timedelta(minutes=1)
"""How exact the last use is: one write a minute, not one a request."""


class Login(Frozen):
    """One valid session.

    Args:
        principal: Who.
        csrf: What their forms must carry.
        context: What an EHR launched with (JSON of `LaunchContext`), where one did.
        token: Access token of that EHR.
        expires_at: When it ends in any case.
    """

    principal: Principal
    csrf: str
    context: dict[str, Any] | None = None
    token: SecretStr | None = None
    expires_at: datetime


class SessionStore:
    """Sessions in the database.

    Args:
        database: Where.
        settings: How long they last.
        clock: The current moment.

    Every method raises `UnavailableError` where the database cannot be used.
    """

    def __init__(
        self, database: Database, settings: Settings, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._idle = timedelta(minutes=settings.session_idle_minutes)
        self._longest = timedelta(hours=settings.session_hours)
        self._clock = clock

    def begin(
        self,
        principal: Principal,
        *,
        replaces: str | None = None,
        context: dict[str, Any] | None = None,
        token: SecretStr | None = None,
    ) -> str:
        """Return the cookie of a new session; the one it replaces ends.

        Args:
            principal: Who logged in.
            replaces: Cookie the browser had before.
            context: What an EHR launched with.
            token: Its access token.
        """
        cookie = new_secret()
        now = self._clock()
        row = SessionRow(
            id=digest(cookie),
            principal=principal.model_dump(mode="json"),
            context=context,
            sealed=None if token is None else seal(cookie, token.get_secret_value()),
            created_at=now,
            seen_at=now,
            expires_at=now + self._longest,
        )
        with self._database.transaction() as session:
            session.execute(
                delete(SessionRow).where(
                    (SessionRow.expires_at <= now) | (SessionRow.seen_at <= now - self._idle)
                )
            )
            if replaces is not None:
                session.execute(delete(SessionRow).where(SessionRow.id == digest(replaces)))
            session.add(row)
        return cookie

    def find(self, cookie: str) -> Login | None:
        """Return the session of a cookie, or None where there is none or it has ended."""
        now = self._clock()
        with self._database.reading() as session:
            row = session.get(SessionRow, digest(cookie))
        if row is None or now >= row.expires_at or now - row.seen_at >= self._idle:
            return None
        if now - row.seen_at >= _TOUCH:
            self._touch(row.id, now)
        token = None if row.sealed is None else unseal(cookie, row.sealed)
        return Login(
            principal=Principal.model_validate(row.principal),
            csrf=derived(cookie, "csrf"),
            context=row.context,
            token=None if token is None else SecretStr(token),
            expires_at=row.expires_at,
        )

    def _touch(self, session_id: str, now: datetime) -> None:
        with self._database.transaction() as session:
            session.execute(
                update(SessionRow).where(SessionRow.id == session_id).values(seen_at=now)
            )

    def end(self, cookie: str) -> None:
        """End the session of a cookie, where there is one."""
        with self._database.transaction() as session:
            session.execute(delete(SessionRow).where(SessionRow.id == digest(cookie)))
