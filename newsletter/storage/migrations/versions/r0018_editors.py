"""Editors, their sessions and sign-in links, and the log's lines about the paper.

Revision ID: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "editor",
        sa.Column("id", _ID, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("theme", sa.String(), nullable=False),
        sa.Column("added_at", _INSTANT, nullable=False),
        sa.Column("removed_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_editor"),
        sa.UniqueConstraint("public_id", name="uq_editor_public_id"),
        sa.UniqueConstraint("address", name="uq_editor_address"),
    )
    op.create_table(
        "editor_session",
        sa.Column("id", _ID, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        _editor_id("editor_session"),
        sa.Column("begun_at", _INSTANT, nullable=False),
        sa.Column("seen_at", _INSTANT, nullable=False),
        sa.Column("ends_at", _INSTANT, nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_editor_session"),
        sa.UniqueConstraint("public_id", name="uq_editor_session_public_id"),
        sa.UniqueConstraint("digest", name="uq_editor_session_digest"),
    )
    op.create_index("ix_editor_session_editor_id", "editor_session", ["editor_id"])
    op.create_table(
        "sign_in_link",
        sa.Column("id", _ID, nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        _editor_id("sign_in_link"),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.Column("ends_at", _INSTANT, nullable=False),
        sa.Column("used_at", _INSTANT, nullable=True),
        sa.Column("asked", sa.Boolean(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in_link"),
        sa.UniqueConstraint("digest", name="uq_sign_in_link_digest"),
    )
    op.create_index(
        "ix_sign_in_link_editor_id_made_at", "sign_in_link", ["editor_id", "made_at"]
    )
    where = sa.text("kind NOT IN ('subscriber', 'subscription', 'suppression')")
    op.create_index(
        "ix_change_log_house",
        "change_log",
        ["id"],
        sqlite_where=where,
        postgresql_where=where,
    )


def _editor_id(table: str) -> sa.Column[int]:
    key = sa.ForeignKey("editor.id", name=f"fk_{table}_editor_id_editor")
    return sa.Column("editor_id", _ID, key, nullable=False)
