"""Pauses with an end, why readers left, addresses that are to change, folded deliveries.

Revision ID: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column(
        "subscription", sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("subscription", sa.Column("left_because", sa.String(), nullable=True))
    where = sa.text("paused_until IS NOT NULL")
    op.create_index(
        "ix_subscription_paused_until",
        "subscription",
        ["paused_until"],
        sqlite_where=where,
        postgresql_where=where,
    )
    op.create_table(
        "address_change",
        sa.Column(
            "subscriber_id",
            _ID,
            sa.ForeignKey(
                "subscriber.id", name="fk_address_change_subscriber_id_subscriber"
            ),
            nullable=False,
        ),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subscriber_id", name="pk_address_change"),
        sa.UniqueConstraint("public_id", name="uq_address_change_public_id"),
    )
    op.create_table(
        "folded_delivery",
        sa.Column("mailing_id", _ID, nullable=False),
        sa.Column("wave", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("relay", sa.String(), nullable=False),
        sa.Column("issue_id", _ID, nullable=False),
        sa.Column("readers", sa.BigInteger(), nullable=False),
        sa.Column("doubtful", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "mailing_id", "wave", "state", "reason", "relay", name="pk_folded_delivery"
        ),
    )
    op.create_index("ix_folded_delivery_issue_id", "folded_delivery", ["issue_id"])
