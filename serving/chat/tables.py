"""The table of conversations: one row a question, of one user on one case."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from serving.cases.tables import CASCADE
from serving.storage.base import Base, Json, Moment


class TurnRow(Base):
    """See `serving.chat.model.Turn`."""

    __tablename__ = "chat_turns"
    __table_args__ = (UniqueConstraint("owner", "case_id", "number"),)

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete=CASCADE), index=True)
    owner: Mapped[str] = mapped_column(String(300), index=True)
    number: Mapped[int] = mapped_column(Integer)
    question: Mapped[str] = mapped_column(String(2000))
    language: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(20))
    asked_at: Mapped[datetime] = mapped_column(Moment, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    problem: Mapped[str] = mapped_column(String(1000))
    body: Mapped[dict[str, Any] | None] = mapped_column(Json)
