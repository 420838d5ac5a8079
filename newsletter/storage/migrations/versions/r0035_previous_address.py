"""The address that a reader had before, kept for as long as its mailbox may take a change back.

Revision ID: 0035
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "previous_address",
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column(
            "subscriber_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.ForeignKey(
                "subscriber.id", name="fk_previous_address_subscriber_id_subscriber"
            ),
            nullable=False,
        ),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("public_id", name="pk_previous_address"),
    )
    op.create_index("ix_previous_address_subscriber_id", "previous_address", ["subscriber_id"])
