"""The trail of stories, and where a syndicated one was published first.

Revision ID: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("story") as table:
        for name in ("syndicated_from", "syndicated_url"):
            table.add_column(sa.Column(name, sa.Text(), nullable=False, server_default=""))
    with op.batch_alter_table("story") as table:
        for name in ("syndicated_from", "syndicated_url"):
            table.alter_column(name, server_default=None)
    op.create_table(
        "story_trail",
        sa.Column("id", _ID, nullable=False),
        sa.Column("story_id", _ID, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name="fk_story_trail_story_id_story"),
        sa.PrimaryKeyConstraint("id", name="pk_story_trail"),
    )
    op.create_index("ix_story_trail_story_id", "story_trail", ["story_id"])
