"""Tables of jobs and of what they tell while they run."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from serving.storage.base import Base, Json, Moment

CASCADE = "CASCADE"


class JobRow(Base):
    """See `serving.jobs.seam.Job`.

    `begun_at` and `reads` are what the run is over: one that goes on after a restart keeps them, so
    that it ends with the same assessment. `wanted_cancel` is set by whoever cancels and read by
    whoever runs, which may be another process.
    """

    __tablename__ = "jobs"
    __table_args__ = (UniqueConstraint("case_id", "key"),)

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete=CASCADE), index=True)
    key: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(20), index=True)
    by: Mapped[str] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(8))
    asked_at: Mapped[datetime] = mapped_column(Moment)
    begun_at: Mapped[datetime | None] = mapped_column(Moment)
    reads: Mapped[dict[str, Any] | None] = mapped_column(Json)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    assessment: Mapped[str | None] = mapped_column(String(80))
    problem: Mapped[str] = mapped_column(String(1000))
    wanted_cancel: Mapped[bool] = mapped_column(Boolean)


class JobEventRow(Base):
    """See `serving.jobs.seam.JobEvent`."""

    __tablename__ = "job_events"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete=CASCADE), primary_key=True)
    sequence: Mapped[int] = mapped_column(Integer, primary_key=True)
    type: Mapped[str] = mapped_column(String(80))
    data: Mapped[dict[str, Any]] = mapped_column(Json)
    at: Mapped[datetime] = mapped_column(Moment)
