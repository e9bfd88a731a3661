"""Readings of studies: rounds, their versions, releases, and who did what."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from serving.storage.base import Json, Moment

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def _case(table: str) -> tuple[sa.Column[str], sa.ForeignKeyConstraint]:
    return sa.Column("case_id", sa.String(length=80), nullable=False), sa.ForeignKeyConstraint(
        ["case_id"], ["cases.id"], name=op.f(f"fk_{table}_case_id_cases"), ondelete="CASCADE"
    )


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "reading_rounds",
        sa.Column("id", sa.String(length=80), nullable=False),
        *_case("reading_rounds"),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("modality", sa.String(length=16), nullable=False),
        sa.Column("files", Json(), nullable=False),
        sa.Column("question", sa.String(length=2000), nullable=False),
        sa.Column("asked_by", sa.String(length=200), nullable=False),
        sa.Column("asked_name", sa.String(length=200), nullable=False),
        sa.Column("of_release", sa.String(length=80), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("form", sa.String(length=60), nullable=False),
        sa.Column("first_by", sa.String(length=200), nullable=True),
        sa.Column("first_name", sa.String(length=200), nullable=True),
        sa.Column("second_by", sa.String(length=200), nullable=True),
        sa.Column("second_name", sa.String(length=200), nullable=True),
        sa.Column("locked_by", sa.String(length=200), nullable=True),
        sa.Column("locked_name", sa.String(length=200), nullable=True),
        sa.Column("locked_at", Moment(timezone=True), nullable=True),
        sa.Column("created_at", Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reading_rounds")),
    )
    for column in ("case_id", "state"):
        op.create_index(op.f(f"ix_reading_rounds_{column}"), "reading_rounds", [column])
    op.create_table(
        "reading_versions",
        sa.Column("id", sa.String(length=80), nullable=False),
        *_case("reading_versions"),
        sa.Column("round_id", sa.String(length=80), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("at", Moment(timezone=True), nullable=False),
        sa.Column("signed", sa.Boolean(), nullable=False),
        sa.Column("body", Json(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reading_versions")),
        sa.UniqueConstraint("round_id", "number", name=op.f("uq_reading_versions_round_id")),
    )
    op.create_index(op.f("ix_reading_versions_case_id"), "reading_versions", ["case_id"])
    op.create_table(
        "reading_releases",
        sa.Column("id", sa.String(length=80), nullable=False),
        *_case("reading_releases"),
        sa.Column("round_id", sa.String(length=80), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("follows", sa.String(length=80), nullable=False),
        sa.Column("released_at", Moment(timezone=True), nullable=False),
        sa.Column("released_by", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("body", Json(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reading_releases")),
        sa.UniqueConstraint("round_id", name=op.f("uq_reading_releases_round_id")),
    )
    op.create_index(op.f("ix_reading_releases_case_id"), "reading_releases", ["case_id"])
    op.create_table(
        "reading_log",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        *_case("reading_log"),
        sa.Column("round_id", sa.String(length=80), nullable=False),
        sa.Column("at", Moment(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("detail", Json(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_reading_log")),
    )
    for column in ("case_id", "round_id"):
        op.create_index(op.f(f"ix_reading_log_{column}"), "reading_log", [column])
