"""Table of the studies that arrived: in which case each is, or why it is in none."""

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from serving.cases.tables import CASCADE
from serving.storage.base import Base, Moment


class DicomStudyRow(Base):
    """See `serving.dicom_in.studies.Arrived`. It is deleted with its case."""

    __tablename__ = "dicom_studies"

    study: Mapped[str] = mapped_column(String(64), primary_key=True)
    state: Mapped[str] = mapped_column(String(20), index=True)
    reason: Mapped[str] = mapped_column(String(500))
    images: Mapped[int] = mapped_column(Integer)
    content: Mapped[str] = mapped_column(String(64))
    arrived_at: Mapped[datetime] = mapped_column(Moment)
    changed_at: Mapped[datetime] = mapped_column(Moment)
    case_id: Mapped[str | None] = mapped_column(
        ForeignKey("cases.id", ondelete=CASCADE), index=True
    )
