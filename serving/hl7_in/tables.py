"""Tables of the messages that were acknowledged, and of whose they are."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from serving.storage.base import Base, Moment

CASCADE = "CASCADE"


class Hl7MessageRow(Base):
    """One message as it came, kept before its sender was told so.

    `source` and `control_id` (MSH-3, MSH-4 and MSH-10) name it: sent again, it is kept once.
    `state` is ``received`` (to be put into a case), ``filed``, ``waiting`` (of a patient without a
    case) or ``held`` (a person decides; `reason` says why). It is deleted with its case.
    """

    __tablename__ = "hl7_messages"
    __table_args__ = (UniqueConstraint("source", "control_id"),)

    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    source: Mapped[str] = mapped_column(String(400))
    control_id: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    type: Mapped[str] = mapped_column(String(20))
    patient: Mapped[str] = mapped_column(String(400), index=True)
    encounter: Mapped[str | None] = mapped_column(String(400))
    received_at: Mapped[datetime] = mapped_column(Moment)
    state: Mapped[str] = mapped_column(String(20), index=True)
    reason: Mapped[str] = mapped_column(String(500))
    case_id: Mapped[str | None] = mapped_column(
        ForeignKey("cases.id", ondelete=CASCADE), index=True
    )


class Hl7NumberRow(Base):
    """One number of the patient of a case, as `Case.patient`, that a message in it states.

    A later message may state another of the numbers alone. It is deleted with its case.
    """

    __tablename__ = "hl7_numbers"

    patient: Mapped[str] = mapped_column(String(400), primary_key=True)
    case_id: Mapped[str] = mapped_column(
        ForeignKey("cases.id", ondelete=CASCADE), primary_key=True, index=True
    )
