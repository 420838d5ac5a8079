"""Reads by story, so that an issue is drafted from 100,000 of them within two seconds.

Revision ID: 0005
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_read_day_story", "read_day", ["story_id", "kind", "reads_id", "day", "reads"]
    )
