"""What is asked for with the address of who has left, until they confirm it.

Revision ID: 0037
"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "subscription_wish",
        sa.Column(
            "subscriber_id",
            _ID,
            sa.ForeignKey("subscriber.id", name="fk_subscription_wish_subscriber_id_subscriber"),
            nullable=False,
        ),
        sa.Column(
            "newsletter_id",
            _ID,
            sa.ForeignKey("newsletter.id", name="fk_subscription_wish_newsletter_id_newsletter"),
            nullable=False,
        ),
        sa.Column("consent_how", sa.Text(), nullable=False),
        sa.Column("consent_wording", sa.Text(), nullable=False),
        sa.Column("consent_placement", sa.Text(), nullable=False),
        sa.Column("consent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("consent_page", sa.Text(), nullable=False),
        sa.Column("consent_language", sa.Text(), nullable=False),
        sa.Column("consent_network", sa.Text(), nullable=False),
        sa.Column("cadence", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("subscriber_id", "newsletter_id", name="pk_subscription_wish"),
    )
