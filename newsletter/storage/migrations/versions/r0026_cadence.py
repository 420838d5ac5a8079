"""Which readers want the best of each month only, and of which edition an issue is.

Revision ID: 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None



def upgrade() -> None:
    op.add_column(
        "subscription", sa.Column("cadence", sa.String(), nullable=False, server_default="each")
    )
    op.add_column(
        "subscription", sa.Column("cadence_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "issue", sa.Column("edition", sa.String(), nullable=False, server_default="regular")
    )
    op.drop_index("ix_subscription_audience", "subscription")
    op.create_index(
        "ix_subscription_audience",
        "subscription",
        ["newsletter_id", "state", "cadence", "subscriber_id", "departments", "consent_at"],
    )
