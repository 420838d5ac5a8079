"""Indexes for counting segments by the day of consent, and for the log of the lists by time.

Revision ID: 0025
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index(
        "ix_subscription_newsletter_id_state_subscriber_id_departments", "subscription"
    )
    op.create_index(
        "ix_subscription_audience",
        "subscription",
        ["newsletter_id", "state", "subscriber_id", "departments", "consent_at"],
    )
    op.create_index("ix_change_log_kind_at", "change_log", ["kind", "at"])
