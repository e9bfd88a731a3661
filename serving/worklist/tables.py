"""The table of critical results that a person must acknowledge."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from serving.cases.tables import CASCADE
from serving.storage.base import Base, Json, Moment


class AcknowledgementRow(Base):
    """See `serving.worklist.model.Acknowledgement`.

    `occurrence` counts how often one and the same result became critical again after it was not.
    """

    __tablename__ = "acknowledgements"
    __table_args__ = (UniqueConstraint("case_id", "key", "occurrence"),)

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete=CASCADE), index=True)
    key: Mapped[str] = mapped_column(String(80))
    occurrence: Mapped[int] = mapped_column(Integer)
    result: Mapped[dict[str, Any]] = mapped_column(Json)
    assessment_id: Mapped[str] = mapped_column(String(80))
    version: Mapped[int] = mapped_column(Integer)
    raised_at: Mapped[datetime] = mapped_column(Moment, index=True)
    due_at: Mapped[datetime] = mapped_column(Moment)
    level: Mapped[int] = mapped_column(Integer, default=0)
    escalations: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    superseded_at: Mapped[datetime | None] = mapped_column(Moment)
    superseded_why: Mapped[str | None] = mapped_column(String(400))
    acknowledged_at: Mapped[datetime | None] = mapped_column(Moment, index=True)
    acknowledged_by: Mapped[str | None] = mapped_column(String(200))
    name: Mapped[str | None] = mapped_column(String(200))
    note: Mapped[str | None] = mapped_column(String(1000))
