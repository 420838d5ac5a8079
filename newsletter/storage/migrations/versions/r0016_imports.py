"""Imports that can be undone, attributes of subscribers, suppressed domains.

Revision ID: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("subscriber", sa.Column("attributes", sa.JSON(), nullable=True))
    op.add_column("subscriber", sa.Column("import_id", _ID, nullable=True))
    op.add_column(
        "subscriber",
        sa.Column("domain_suppressed", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("subscription", sa.Column("import_id", _ID, nullable=True))
    op.add_column(
        "suppression", sa.Column("source", sa.Text(), nullable=False, server_default="")
    )
    op.add_column("suppression", sa.Column("import_id", _ID, nullable=True))
    op.create_table(
        "suppression_rule",
        sa.Column("id", _ID, nullable=False),
        sa.Column("pattern", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_suppression_rule"),
        sa.UniqueConstraint("pattern", name="uq_suppression_rule_pattern"),
    )
    op.create_table(
        "subscriber_import",
        sa.Column("id", _ID, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("newsletter_id", _ID, nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("consent", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("started_at", _INSTANT, nullable=False),
        sa.Column("finished_at", _INSTANT, nullable=True),
        sa.Column("undone_at", _INSTANT, nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subscriber_import"),
        sa.UniqueConstraint("public_id", name="uq_subscriber_import_public_id"),
        sa.ForeignKeyConstraint(
            ["newsletter_id"],
            ["newsletter.id"],
            name="fk_subscriber_import_newsletter_id_newsletter",
        ),
    )
    op.create_index(
        "ix_subscriber_import_newsletter_id_digest",
        "subscriber_import",
        ["newsletter_id", "digest"],
    )
    op.create_table(
        "import_trace",
        sa.Column("import_id", _ID, nullable=False),
        sa.Column("subscriber_id", _ID, nullable=False),
        sa.Column("was_state", sa.String(), nullable=True),
        sa.Column("was_import_id", _ID, nullable=True),
        sa.Column("learned", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("import_id", "subscriber_id", name="pk_import_trace"),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["subscriber_import.id"],
            name="fk_import_trace_import_id_subscriber_import",
        ),
        sqlite_with_rowid=False,
    )
