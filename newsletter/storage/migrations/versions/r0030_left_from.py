"""From which state a reader left, whither alone the undo leads back.

Of those who left before it is not known, so that they come back by signing up.

Revision ID: 0030
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("subscription", sa.Column("left_from", sa.String(), nullable=True))
