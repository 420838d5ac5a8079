"""One word for a story that its source no longer has: gone.

Revision ID: 0007
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE story SET hidden = 'gone' WHERE hidden = 'deleted'")
    for column in ("before", "after"):
        op.execute(
            f"UPDATE story_trail SET \"{column}\" = 'gone' "
            f"WHERE kind IN ('hidden', 'shown') AND \"{column}\" = 'deleted'"
        )
