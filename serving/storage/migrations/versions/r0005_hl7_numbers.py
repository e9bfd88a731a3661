"""Numbers of the patients of messages received over MLLP."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "hl7_numbers",
        sa.Column("patient", sa.String(length=400), nullable=False),
        sa.Column("case_id", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cases.id"],
            name=op.f("fk_hl7_numbers_case_id_cases"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("patient", "case_id", name=op.f("pk_hl7_numbers")),
    )
    op.create_index(op.f("ix_hl7_numbers_case_id"), "hl7_numbers", ["case_id"])
