"""What a counter counted before its kind changed, and when that was.

Revision ID: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("source", sa.Column("former_kind", sa.Text(), nullable=True))
    op.add_column("source", sa.Column("kind_since", sa.DateTime(timezone=True), nullable=True))
