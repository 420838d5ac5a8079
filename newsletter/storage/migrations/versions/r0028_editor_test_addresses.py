"""Addresses to which an editor has tests of issues sent.

Revision ID: 0028
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "editor_test_address",
        sa.Column(
            "editor_id",
            _ID,
            sa.ForeignKey("editor.id", name="fk_editor_test_address_editor_id_editor"),
            nullable=False,
        ),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("editor_id", "address", name="pk_editor_test_address"),
    )
