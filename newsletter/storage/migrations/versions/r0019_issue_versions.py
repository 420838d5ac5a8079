"""Versions of issues: what editors saved, and when. And what their search goes by.

Revision ID: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column(
        "issue", sa.Column("version", sa.Integer(), nullable=False, server_default="1")
    )
    op.create_table(
        "issue_version",
        sa.Column(
            "issue_id",
            _ID,
            sa.ForeignKey("issue.id", name="fk_issue_version_issue_id_issue"),
            nullable=False,
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("touched", sa.JSON(), nullable=False),
        sa.Column("of_version", sa.Integer(), nullable=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("issue_id", "number", name="pk_issue_version"),
    )
    op.create_index("ix_story_published_at", "story", ["published_at"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE INDEX ix_story_title_words ON story "
            "USING gin (to_tsvector('simple', title_key))"
        )
