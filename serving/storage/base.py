"""What every table shares: ids, times with their zone, JSON as it was written."""

import secrets
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import DateTime, Dialect, MetaData, Text
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

_BYTES = 16


class Base(DeclarativeBase):
    """Base of all tables; constraint names are fixed, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Moment(TypeDecorator[datetime]):
    """A zoned time, kept in UTC; a naive one is refused.

    SQLite has no zone of its own: what is read back is given the one it was written in.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without its zone cannot be kept")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time, zoned."""
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


class Json(TypeDecorator[Any]):
    """A JSON value as text: the same bytes come back, so that its hash can be checked."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Return the canonical text: sorted keys, no spaces."""
        return None if value is None else canonical(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Return the value."""
        return None if value is None else orjson.loads(value)


def canonical(value: Any) -> bytes:
    """Return JSON with sorted keys and no spaces: equal values have equal bytes.

    Examples:
        >>> canonical({"b": 1, "a": [True]})
        b'{"a":[true],"b":1}'
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def new_id(kind: str) -> str:
    """Return an id that cannot be guessed, for example ``case-1f...``.

    Args:
        kind: What it is an id of.
    """
    return f"{kind}-{secrets.token_hex(_BYTES)}"
