"""Which addresses a reader had before, by keyed hash.

Revision ID: 0036
"""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "former_address",
        sa.Column("address_hash", sa.String(), nullable=False),
        sa.Column(
            "subscriber_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.ForeignKey("subscriber.id", name="fk_former_address_subscriber_id_subscriber"),
            nullable=False,
        ),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("address_hash", name="pk_former_address"),
    )
    op.create_index("ix_former_address_subscriber_id", "former_address", ["subscriber_id"])
