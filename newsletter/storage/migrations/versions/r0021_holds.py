"""Since when a relay has refused us, and issues that can't go on for now.

Revision ID: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("relay_state", sa.Column("since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("mailing", sa.Column("held_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("mailing", sa.Column("held_because", sa.Text(), nullable=True))
