"""What each counter counts now, by what it last told.

Revision ID: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# Of several kinds told of the newest day the first stands, as before: the alphabet's
# order is views, visitors, visits.
_NEWEST = (
    "(SELECT kind FROM {table} WHERE reads_id = source.id AND kind NOT LIKE 'own%' "
    "ORDER BY {time} DESC, kind LIMIT 1)"
)


def upgrade() -> None:
    op.add_column("source", sa.Column("stats_kind", sa.Text(), nullable=True))
    days = _NEWEST.format(table="read_day", time="day")
    points = _NEWEST.format(table="read_point", time="taken_at")
    op.execute(
        f"UPDATE source SET stats_kind = COALESCE({days}, {points}) WHERE role = 'reads'"
    )
