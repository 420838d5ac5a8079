"""Kinds of totals, doubtful reads, how far logs were read, and visits of the last half hour.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    # Totals had no kind so far, and were differenced as views.
    op.add_column(
        "read_point", sa.Column("kind", sa.String(), nullable=False, server_default="views")
    )
    _name_known_kinds()
    op.create_table(
        "read_doubt",
        sa.Column("reads_id", _ID, nullable=False),
        sa.Column("story_id", _ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reads", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger()),
        sa.PrimaryKeyConstraint("reads_id", "story_id", "day", "kind", name="pk_read_doubt"),
        sa.ForeignKeyConstraint(["reads_id"], ["source.id"], name="fk_read_doubt_reads_id_source"),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name="fk_read_doubt_story_id_story"),
    )
    op.create_table(
        "read_log",
        sa.Column("reads_id", _ID, nullable=False),
        sa.Column("head_hash", sa.String(), nullable=False),
        sa.Column("head_bytes", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("read_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("reads_id", "head_hash", name="pk_read_log"),
        sa.ForeignKeyConstraint(["reads_id"], ["source.id"], name="fk_read_log_reads_id_source"),
    )
    op.create_table(
        "recent_read",
        sa.Column("reads_id", _ID, nullable=False),
        sa.Column("visit", sa.String(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("reads_id", "visit", name="pk_recent_read"),
        sa.ForeignKeyConstraint(["reads_id"], ["source.id"], name="fk_recent_read_reads_id_source"),
    )
    op.create_index("ix_recent_read_reads_id_at", "recent_read", ["reads_id", "at"])


def _name_known_kinds() -> None:
    """A counter's totals are of the kind of its days; without any they stay views."""
    read_day = sa.table("read_day", sa.column("reads_id"), sa.column("kind"))
    read_point = sa.table("read_point", sa.column("reads_id"), sa.column("kind"))
    known = op.get_bind().execute(sa.select(read_day.c.reads_id, read_day.c.kind).distinct())
    for reads_id, kind in known.all():
        op.execute(
            sa.update(read_point).where(read_point.c.reads_id == reads_id).values(kind=kind)
        )
