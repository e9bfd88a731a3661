"""Who the patient of a case is, to show; cases that are assessed by the clock."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from serving.storage import base

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.add_column("cases", sa.Column("clock_since", base.Moment(timezone=True), nullable=True))
    op.create_table(
        "case_patients",
        sa.Column("case_id", sa.String(length=80), nullable=False),
        sa.Column("body", base.Json(), nullable=False),
        sa.Column("read_at", base.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cases.id"],
            name=op.f("fk_case_patients_case_id_cases"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_case_patients")),
    )
