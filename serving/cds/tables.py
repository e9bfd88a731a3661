"""Tables of cards that were shown and of what became of them: only ever added to."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from serving.cases.tables import CASCADE
from serving.storage.base import Base, Json, Moment

_NUMBER = BigInteger().with_variant(Integer, "sqlite")


class ShownCardRow(Base):
    """One card as it was shown; its text is in the assessment, not here.

    `place` is the patient's encounter, or the patient where the client named none, as a hash;
    `fingerprint` is over what the card says, so that the same content is recognised.
    """

    __tablename__ = "cds_cards_shown"

    uuid: Mapped[str] = mapped_column(String(36), primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment, index=True)
    client: Mapped[str] = mapped_column(String(200))
    service: Mapped[str] = mapped_column(String(80))
    user: Mapped[str] = mapped_column(String(200))
    case_id: Mapped[str | None] = mapped_column(
        ForeignKey("cases.id", ondelete=CASCADE), index=True
    )
    place: Mapped[str] = mapped_column(String(64), index=True)
    topic: Mapped[str] = mapped_column(String(80), index=True)
    level: Mapped[str] = mapped_column(String(40))
    fingerprint: Mapped[str] = mapped_column(String(64))
    suggestions: Mapped[dict[str, Any]] = mapped_column(Json)


class FeedbackRow(Base):
    """What a client told of one card; one that was never shown to it is kept as unknown."""

    __tablename__ = "cds_feedback"

    number: Mapped[int] = mapped_column(_NUMBER, primary_key=True, autoincrement=True)
    case_id: Mapped[str | None] = mapped_column(
        ForeignKey("cases.id", ondelete=CASCADE), index=True
    )
    received_at: Mapped[datetime] = mapped_column(Moment, index=True)
    client: Mapped[str] = mapped_column(String(200))
    service: Mapped[str] = mapped_column(String(80))
    card: Mapped[str] = mapped_column(String(36), index=True)
    known: Mapped[bool] = mapped_column(Boolean)
    outcome: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(Moment)
    topic: Mapped[str] = mapped_column(String(80))
    level: Mapped[str] = mapped_column(String(40))
    place: Mapped[str] = mapped_column(String(64), index=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    body: Mapped[dict[str, Any]] = mapped_column(Json)
