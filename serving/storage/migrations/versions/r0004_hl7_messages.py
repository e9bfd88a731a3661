"""Messages received over MLLP."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from serving.storage.base import Moment

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "hl7_messages",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("source", sa.String(length=400), nullable=False),
        sa.Column("control_id", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("patient", sa.String(length=400), nullable=False),
        sa.Column("encounter", sa.String(length=400), nullable=True),
        sa.Column("received_at", Moment(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("case_id", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cases.id"],
            name=op.f("fk_hl7_messages_case_id_cases"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_hl7_messages")),
        sa.UniqueConstraint("source", "control_id", name=op.f("uq_hl7_messages_source")),
    )
    for column in ("case_id", "patient", "state"):
        op.create_index(op.f(f"ix_hl7_messages_{column}"), "hl7_messages", [column])
