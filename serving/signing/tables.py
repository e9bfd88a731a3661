"""Tables of draft decisions, signed reports and what has changed since."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from serving.cases.tables import CASCADE
from serving.storage.base import Base, Json, Moment


class DraftDecisionRow(Base):
    """One person's decision on one statement of one version, as long as it is not signed."""

    __tablename__ = "draft_decisions"

    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete=CASCADE), index=True)
    assessment_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    subject: Mapped[str] = mapped_column(String(200), primary_key=True)
    statement: Mapped[str] = mapped_column(String(80), primary_key=True)
    decision: Mapped[dict[str, Any]] = mapped_column(Json)
    decided_at: Mapped[datetime] = mapped_column(Moment)


class SignOffRow(Base):
    """See `serving.signing.model.SignOff`; never changed.

    `follows` is the sign-off this one amends, empty for the first of a case: each can be amended
    once, so that the sign-offs of a case are one line.
    """

    __tablename__ = "sign_offs"
    __table_args__ = (UniqueConstraint("case_id", "follows"),)

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete=CASCADE), index=True)
    follows: Mapped[str] = mapped_column(String(80), default="")
    number: Mapped[int] = mapped_column(Integer)
    assessment_id: Mapped[str] = mapped_column(String(80), index=True)
    version: Mapped[int] = mapped_column(Integer)
    signed_at: Mapped[datetime] = mapped_column(Moment)
    signed_by: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(200))
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    sha256: Mapped[str] = mapped_column(String(64))


class FlagRow(Base):
    """See `serving.signing.model.Flag`."""

    __tablename__ = "flags"
    __table_args__ = (UniqueConstraint("sign_off_id", "assessment_id"),)

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete=CASCADE), index=True)
    sign_off_id: Mapped[str] = mapped_column(String(80), index=True)
    assessment_id: Mapped[str] = mapped_column(String(80))
    version: Mapped[int] = mapped_column(Integer)
    why: Mapped[str] = mapped_column(String(20))
    raised_at: Mapped[datetime] = mapped_column(Moment)
    changes: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    resolved_at: Mapped[datetime | None] = mapped_column(Moment)
    resolved_by: Mapped[str | None] = mapped_column(String(200))
    resolver: Mapped[str | None] = mapped_column(String(200))
    resolution: Mapped[str | None] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column(String(2000))
