"""More evidence of consents, and what is counted at the door for new readers.

Revision ID: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    for name in ("consent_page", "consent_language", "consent_network"):
        op.add_column(
            "subscription", sa.Column(name, sa.Text(), nullable=False, server_default="")
        )
    op.create_table(
        "sign_up_count",
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("since", _INSTANT, nullable=False),
        sa.Column("posts", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", "since", name="pk_sign_up_count"),
    )
    op.create_table(
        "sign_up_alarm",
        sa.Column("id", _ID, nullable=False),
        sa.Column("since", _INSTANT, nullable=True),
        sa.Column("until", _INSTANT, nullable=True),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sign_up_alarm"),
    )
    op.create_table(
        "slow_lane",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("free_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_slow_lane"),
    )
    op.create_table(
        "spent_proof",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_spent_proof"),
    )
    op.create_index("ix_spent_proof_expires_at", "spent_proof", ["expires_at"])
    op.create_table(
        "confirmation_count",
        sa.Column("address_hash", sa.String(), nullable=False),
        sa.Column("mailed", sa.Integer(), nullable=False),
        sa.Column("unanswered", sa.Integer(), nullable=False),
        sa.Column("last_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("address_hash", name="pk_confirmation_count"),
    )
