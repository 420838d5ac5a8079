"""Whom a catch-up waits for.

Revision ID: 0027
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "catch_up",
        sa.Column(
            "newsletter_id",
            _ID,
            sa.ForeignKey("newsletter.id", name="fk_catch_up_newsletter_id_newsletter"),
            nullable=False,
        ),
        sa.Column("slot", sa.String(), nullable=False),
        sa.Column(
            "subscriber_id",
            _ID,
            sa.ForeignKey("subscriber.id", name="fk_catch_up_subscriber_id_subscriber"),
            nullable=False,
        ),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("newsletter_id", "slot", "subscriber_id", name="pk_catch_up"),
    )
    op.create_index("ix_catch_up_subscriber_id", "catch_up", ["subscriber_id"])
