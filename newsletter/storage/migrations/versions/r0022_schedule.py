"""The first of two approvals, and slots that are skipped.

Revision ID: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column(
        "issue", sa.Column("first_approved_by", sa.Text(), nullable=False, server_default="")
    )
    op.add_column("issue", sa.Column("first_approved_at", _INSTANT, nullable=True))
    op.create_table(
        "skipped_slot",
        sa.Column(
            "newsletter_id",
            _ID,
            sa.ForeignKey("newsletter.id", name="fk_skipped_slot_newsletter_id_newsletter"),
            nullable=False,
        ),
        sa.Column("slot", sa.String(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("newsletter_id", "slot", name="pk_skipped_slot"),
    )
