"""Since when a destination has taken nothing.

Revision ID: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("destination_pace", sa.Column("since", sa.DateTime(timezone=True)))
