"""Lists at the desk without the opt-ins that Mailchimp tells, and why an import was not taken back.

Revision ID: 0034
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "reader_upload",
        sa.Column("without_opt_in", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column(
        "subscriber_import",
        sa.Column("undo_problem", sa.Text(), nullable=False, server_default=""),
    )
