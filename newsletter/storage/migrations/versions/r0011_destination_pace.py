"""What destinations that complained of our pace bear, known to all workers.

Revision ID: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "destination_pace",
        sa.Column("destination", sa.String(), nullable=False),
        sa.Column("rate", sa.Float(), nullable=False),
        sa.Column("connections", sa.Float(), nullable=False),
        sa.Column("pause", sa.Float(), nullable=False),
        sa.Column("paused_until", _INSTANT, nullable=False),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("destination", name="pk_destination_pace"),
    )
