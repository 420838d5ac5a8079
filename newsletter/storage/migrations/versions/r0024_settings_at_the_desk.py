"""What the file fixed when settings were written, and sources that are to be looked at now.

Revision ID: 0024
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    document = sa.JSON(none_as_null=True)
    op.add_column("settings", sa.Column("fixed", document, nullable=True))
    op.add_column("source", sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True))
