"""Tables of rounds of reading, their versions and releases, and who did what."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from serving.cases.tables import CASCADE
from serving.storage.base import Base, Json, Moment


class RoundRow(Base):
    """See `serving.reading.model.Round`."""

    __tablename__ = "reading_rounds"

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete=CASCADE), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(200))
    modality: Mapped[str] = mapped_column(String(16))
    files: Mapped[list[str]] = mapped_column(Json)
    question: Mapped[str] = mapped_column(String(2000))
    asked_by: Mapped[str] = mapped_column(String(200))
    asked_name: Mapped[str] = mapped_column(String(200))
    of_release: Mapped[str | None] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(20), index=True)
    form: Mapped[str] = mapped_column(String(60))
    first_by: Mapped[str | None] = mapped_column(String(200))
    first_name: Mapped[str | None] = mapped_column(String(200))
    second_by: Mapped[str | None] = mapped_column(String(200))
    second_name: Mapped[str | None] = mapped_column(String(200))
    locked_by: Mapped[str | None] = mapped_column(String(200))
    locked_name: Mapped[str | None] = mapped_column(String(200))
    locked_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)


class VersionRow(Base):
    """See `serving.reading.model.Version`; never changed."""

    __tablename__ = "reading_versions"
    __table_args__ = (UniqueConstraint("round_id", "number"),)

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete=CASCADE), index=True)
    round_id: Mapped[str] = mapped_column(String(80))
    number: Mapped[int] = mapped_column(Integer)
    role: Mapped[str] = mapped_column(String(20))
    by: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(Moment)
    signed: Mapped[bool] = mapped_column()
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    sha256: Mapped[str] = mapped_column(String(64))


class ReleaseRow(Base):
    """See `serving.reading.model.Release`; never changed: a correction is a release of its own."""

    __tablename__ = "reading_releases"
    __table_args__ = (UniqueConstraint("round_id"),)

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete=CASCADE), index=True)
    round_id: Mapped[str] = mapped_column(String(80))
    number: Mapped[int] = mapped_column(Integer)
    follows: Mapped[str] = mapped_column(String(80))
    released_at: Mapped[datetime] = mapped_column(Moment)
    released_by: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(200))
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    sha256: Mapped[str] = mapped_column(String(64))


class LogRow(Base):
    """See `serving.reading.model.Done`; never changed."""

    __tablename__ = "reading_log"

    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete=CASCADE), index=True)
    round_id: Mapped[str] = mapped_column(String(80), index=True)
    at: Mapped[datetime] = mapped_column(Moment)
    by: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(200))
    what: Mapped[str] = mapped_column(String(40))
    detail: Mapped[dict[str, Any]] = mapped_column(Json)


class DeliveryRow(Base):
    """A release on one of its ways out; see `serving.reading.outbox.Delivery`."""

    __tablename__ = "reading_deliveries"

    release_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    way: Mapped[str] = mapped_column(String(10), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete=CASCADE), index=True)
    round_id: Mapped[str] = mapped_column(String(80), index=True)
    state: Mapped[str] = mapped_column(String(20), index=True)
    tries: Mapped[int] = mapped_column(Integer)
    problem: Mapped[str] = mapped_column(String(500))
    due_at: Mapped[datetime] = mapped_column(Moment)
    sent_at: Mapped[datetime | None] = mapped_column(Moment)
