"""Tables of cases, files, assessments and answers."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from serving.storage.base import Base, Json, Moment

CASCADE = "CASCADE"


class CaseRow(Base):
    """See `serving.cases.model.Case`."""

    __tablename__ = "cases"

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    label: Mapped[str] = mapped_column(String(200))
    patient: Mapped[str | None] = mapped_column(String(400), index=True)
    encounter: Mapped[str | None] = mapped_column(String(400), index=True)
    source: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(Moment, index=True)
    created_by: Mapped[str] = mapped_column(String(200))
    time_zone: Mapped[str | None] = mapped_column(String(80))
    deleted_at: Mapped[datetime | None] = mapped_column(Moment)
    clock_since: Mapped[datetime | None] = mapped_column(Moment)


class CasePatientRow(Base):
    """Who the patient of a case is, as `serving.cases.patient.PatientLine`: only to be shown."""

    __tablename__ = "case_patients"

    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete=CASCADE), primary_key=True)
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    read_at: Mapped[datetime] = mapped_column(Moment)


class CaseKeyRow(Base):
    """That a request of somebody, named by their key, made a case: sent again, it makes no other.

    `request_sha256` is over what was sent: another request with the same key is a mistake.
    """

    __tablename__ = "case_keys"

    subject: Mapped[str] = mapped_column(String(200), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete=CASCADE), index=True)
    request_sha256: Mapped[str] = mapped_column(String(64))


class CaseFileRow(Base):
    """See `serving.cases.model.CaseFile`."""

    __tablename__ = "case_files"

    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete=CASCADE), index=True)
    name: Mapped[str] = mapped_column(String(400))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size: Mapped[int] = mapped_column(BigInteger)
    received_at: Mapped[datetime] = mapped_column(Moment)
    received_by: Mapped[str] = mapped_column(String(200))
    removed_at: Mapped[datetime | None] = mapped_column(Moment)


class AssessmentRow(Base):
    """See `serving.cases.model.StoredAssessment`."""

    __tablename__ = "assessments"
    __table_args__ = (UniqueConstraint("case_id", "version"),)

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete=CASCADE), index=True)
    version: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(Moment)
    made_at: Mapped[datetime] = mapped_column(Moment)
    made_by: Mapped[str] = mapped_column(String(200))
    why: Mapped[str] = mapped_column(String(20))
    author: Mapped[str] = mapped_column(String(20))
    job: Mapped[str | None] = mapped_column(String(80), unique=True)
    language: Mapped[str] = mapped_column(String(8))
    status: Mapped[str] = mapped_column(String(20))
    headline: Mapped[str] = mapped_column(String(2000))
    urgency: Mapped[str] = mapped_column(String(40))
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    sha256: Mapped[str] = mapped_column(String(64))
    inputs_sha256: Mapped[str] = mapped_column(String(64))
    result_sha256: Mapped[str] = mapped_column(String(64))


class AnswerRow(Base):
    """See `serving.cases.model.StoredAnswer`."""

    __tablename__ = "answers"

    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete=CASCADE), index=True)
    input: Mapped[str] = mapped_column(String(80))
    answer: Mapped[dict[str, Any]] = mapped_column(Json)
    author: Mapped[str] = mapped_column(String(80))
    by: Mapped[str] = mapped_column(String(200))
    entered_at: Mapped[datetime] = mapped_column(Moment)
