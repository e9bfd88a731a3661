"""Tables of logins, sessions, tokens and what was seen before: secrets are kept as hashes alone."""

from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from serving.storage.base import Base, Json, Moment

_SHA256 = 64


class SessionRow(Base):
    """One login of one browser; `id` is the SHA-256 of what the cookie carries.

    `sealed` is the access token of an EHR, encrypted with a key that only the cookie gives: the
    database and its backups cannot open it.
    """

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(_SHA256), primary_key=True)
    principal: Mapped[dict[str, Any]] = mapped_column(Json)
    context: Mapped[dict[str, Any] | None] = mapped_column(Json)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Moment)
    seen_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)


class LoginAttemptRow(Base):
    """A login that was begun; `id` is the SHA-256 of its `state`, used once."""

    __tablename__ = "login_attempts"

    id: Mapped[str] = mapped_column(String(_SHA256), primary_key=True)
    browser: Mapped[str] = mapped_column(String(_SHA256))
    kind: Mapped[str] = mapped_column(String(20))
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)


class ServiceTokenRow(Base):
    """A token of a system; `id` is its SHA-256."""

    __tablename__ = "service_tokens"

    id: Mapped[str] = mapped_column(String(_SHA256), primary_key=True)
    client: Mapped[str] = mapped_column(String(200))
    scope: Mapped[str] = mapped_column(String(4000))
    issued_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)


class SeenTokenRow(Base):
    """A signed token that was used; `id` is the SHA-256 of its issuer and `jti`."""

    __tablename__ = "seen_tokens"

    id: Mapped[str] = mapped_column(String(_SHA256), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)


class AccessSecretRow(Base):
    """A random secret of this installation, made at its first use."""

    __tablename__ = "access_secrets"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(String(_SHA256))
