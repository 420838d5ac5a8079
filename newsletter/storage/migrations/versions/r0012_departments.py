"""The departments that a subscription is narrowed to.

Revision ID: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("subscription", sa.Column("departments", sa.Text(), nullable=True))
    op.drop_index("ix_subscription_newsletter_id_state_subscriber_id", table_name="subscription")
    op.create_index(
        "ix_subscription_newsletter_id_state_subscriber_id_departments",
        "subscription",
        ["newsletter_id", "state", "subscriber_id", "departments"],
    )
