"""The links of sent issues, their corrections, and clicks on them.

Revision ID: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "link",
        sa.Column("id", _ID, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("issue_id", _ID, nullable=False),
        sa.Column("section", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("story", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_link"),
        sa.UniqueConstraint("public_id", name="uq_link_public_id"),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name="fk_link_issue_id_issue"),
    )
    op.create_index("ix_link_issue_id", "link", ["issue_id"])
    op.create_table(
        "link_correction",
        sa.Column("id", _ID, nullable=False),
        sa.Column("issue_id", _ID, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("story", sa.String(), nullable=False),
        sa.Column("headline", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_link_correction"),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["issue.id"], name="fk_link_correction_issue_id_issue"
        ),
    )
    op.create_index("ix_link_correction_issue_id", "link_correction", ["issue_id"])
    op.create_table(
        "click_day",
        sa.Column("link_id", _ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("clicks", sa.BigInteger(), nullable=False),
        sa.Column("machine_clicks", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("link_id", "day", name="pk_click_day"),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], name="fk_click_day_link_id_link"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "reader_click",
        sa.Column("subscriber_id", _ID, nullable=False),
        sa.Column("link_id", _ID, nullable=False),
        sa.Column("clicks", sa.BigInteger(), nullable=False),
        sa.Column("machine_clicks", sa.BigInteger(), nullable=False),
        sa.Column("first_at", _INSTANT, nullable=False),
        sa.Column("last_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("subscriber_id", "link_id", name="pk_reader_click"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name="fk_reader_click_subscriber_id_subscriber"
        ),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], name="fk_reader_click_link_id_link"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_reader_click_link_id", "reader_click", ["link_id"])
