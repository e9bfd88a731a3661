"""Keys of requests that make a case; addresses of FHIR servers as they are compared."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from serving.access.compartment import normal

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "case_keys",
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("case_id", sa.String(length=80), nullable=False),
        sa.Column("request_sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cases.id"],
            name=op.f("fk_case_keys_case_id_cases"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("subject", "key", name=op.f("pk_case_keys")),
    )
    op.create_index(op.f("ix_case_keys_case_id"), "case_keys", ["case_id"])
    _as_compared()


def _as_compared() -> None:
    """Name the servers of the cases there are as new ones are named: one server, one address."""
    cases = sa.table("cases", sa.column("id"), sa.column("patient"), sa.column("encounter"))
    found = op.get_bind().execute(sa.select(cases).where(cases.c.patient.is_not(None))).all()
    for identity, *kept in found:
        compared = [None if one is None else normal(one) for one in kept]
        if compared != kept:
            op.get_bind().execute(
                sa.update(cases)
                .where(cases.c.id == identity)
                .values(patient=compared[0], encounter=compared[1])
            )
