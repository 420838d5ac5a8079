"""Which address a system mail goes to, as the suppression list knows it.

Revision ID: 0031
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("delivery", sa.Column("address_hash", sa.String(), nullable=True))
