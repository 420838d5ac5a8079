"""How sources fare: failures in a row, when to ask again, the last scan; pages that were crawled.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("source") as table:
        table.add_column(sa.Column("failures", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("due_at", _INSTANT))
        table.add_column(sa.Column("held_until", _INSTANT))
        table.add_column(sa.Column("scanned_at", _INSTANT))
    with op.batch_alter_table("source") as table:
        table.alter_column("failures", server_default=None)
    op.create_table(
        "crawled_page",
        sa.Column("source_id", _ID, nullable=False),
        sa.Column("url_hash", sa.String(), nullable=False),
        sa.Column("lastmod", sa.Text(), nullable=False),
        sa.Column("read_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name="fk_crawled_page_source_id_source"
        ),
        sa.PrimaryKeyConstraint("source_id", "url_hash", name="pk_crawled_page"),
        sqlite_with_rowid=False,
    )
