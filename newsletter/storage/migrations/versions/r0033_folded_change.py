"""How the lists grew, for longer than the log of it keeps who it was.

Revision ID: 0033
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "folded_change",
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("newsletter", sa.String(), nullable=False),
        sa.Column("placement", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            *("at", "newsletter", "placement", "act", "how", "reason", "before"),
            name="pk_folded_change",
        ),
    )
