"""Studies that arrived as images, and released readings on their way to an archive."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from serving.storage.base import Moment

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "dicom_studies",
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.Column("arrived_at", Moment(timezone=True), nullable=False),
        sa.Column("changed_at", Moment(timezone=True), nullable=False),
        sa.Column("case_id", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_dicom_studies_case_id_cases"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("study", name=op.f("pk_dicom_studies")),
    )  # fmt: skip
    for column in ("case_id", "state"):
        op.create_index(op.f(f"ix_dicom_studies_{column}"), "dicom_studies", [column])
    op.create_table(
        "reading_deliveries",
        sa.Column("release_id", sa.String(length=80), nullable=False),
        sa.Column("case_id", sa.String(length=80), nullable=False),
        sa.Column("round_id", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(length=500), nullable=False),
        sa.Column("due_at", Moment(timezone=True), nullable=False),
        sa.Column("sent_at", Moment(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_reading_deliveries_case_id_cases"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("release_id", name=op.f("pk_reading_deliveries")),
    )  # fmt: skip
    for column in ("case_id", "round_id", "state"):
        op.create_index(op.f(f"ix_reading_deliveries_{column}"), "reading_deliveries", [column])
