"""A released reading goes out on several ways, each with its own tries."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply: what waits or is there already went to the archive."""
    with op.batch_alter_table("reading_deliveries") as table:
        table.add_column(
            sa.Column("way", sa.String(length=10), nullable=False, server_default="archive")
        )
        table.drop_constraint(op.f("pk_reading_deliveries"), type_="primary")
        table.create_primary_key(op.f("pk_reading_deliveries"), ["release_id", "way"])
    with op.batch_alter_table("reading_deliveries") as table:
        table.alter_column("way", server_default=None)
