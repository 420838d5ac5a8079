"""The first schema.

Types are written out rather than taken from `storage.columns`: a migration
must go on doing what it did when it was new.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_change_log()
    _create_newsletter()
    _create_settings()
    _create_source()
    _create_subscriber()
    _create_suppression()
    _create_issue()
    _create_section()
    _create_story()
    _create_subscription()
    _create_item()
    _create_mailing()
    _create_read_day()
    _create_read_point()
    _create_delivery()


def _create_change_log() -> None:
    op.create_table(
        "change_log",
        sa.Column("id", _ID, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_change_log"),
    )
    op.create_index("ix_change_log_kind_subject", "change_log", ["kind", "subject"])


def _create_newsletter() -> None:
    op.create_table(
        "newsletter",
        sa.Column("id", _ID, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_newsletter"),
        sa.UniqueConstraint("public_id", name="uq_newsletter_public_id"),
        sa.UniqueConstraint("slug", name="uq_newsletter_slug"),
    )


def _create_settings() -> None:
    op.create_table(
        "settings",
        sa.Column("id", _ID, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_settings"),
    )


def _create_source() -> None:
    op.create_table(
        "source",
        sa.Column("id", _ID, nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("configured", sa.Boolean(), nullable=False),
        sa.Column("etag", sa.Text()),
        sa.Column("last_modified", sa.Text()),
        sa.Column("latest_modified", _INSTANT),
        sa.Column("last_success_at", _INSTANT),
        sa.Column("last_error_at", _INSTANT),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_source"),
        sa.UniqueConstraint("role", "slug", name="uq_source_role_slug"),
    )


def _create_subscriber() -> None:
    op.create_table(
        "subscriber",
        sa.Column("id", _ID, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("address_hash", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("language", sa.Text()),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subscriber"),
        sa.UniqueConstraint("address", name="uq_subscriber_address"),
        sa.UniqueConstraint("public_id", name="uq_subscriber_public_id"),
    )
    op.create_index("ix_subscriber_address_hash", "subscriber", ["address_hash"])


def _create_suppression() -> None:
    op.create_table(
        "suppression",
        sa.Column("id", _ID, nullable=False),
        sa.Column("address_hash", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_suppression"),
        sa.UniqueConstraint("address_hash", name="uq_suppression_address_hash"),
    )


def _create_issue() -> None:
    op.create_table(
        "issue",
        sa.Column("id", _ID, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("newsletter_id", _ID, nullable=False),
        sa.Column("slot", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("send_at", _INSTANT, nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("held_because", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("approved_at", _INSTANT),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["newsletter_id"], ["newsletter.id"], name="fk_issue_newsletter_id_newsletter"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_issue"),
        sa.UniqueConstraint("newsletter_id", "slot", name="uq_issue_newsletter_id_slot"),
        sa.UniqueConstraint("public_id", name="uq_issue_public_id"),
    )
    op.create_index("ix_issue_newsletter_id_send_at", "issue", ["newsletter_id", "send_at"])
    op.create_index("ix_issue_state", "issue", ["state"])


def _create_section() -> None:
    op.create_table(
        "section",
        sa.Column("id", _ID, nullable=False),
        sa.Column("newsletter_id", _ID, nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["newsletter_id"], ["newsletter.id"], name="fk_section_newsletter_id_newsletter"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_section"),
        sa.UniqueConstraint("newsletter_id", "slug", name="uq_section_newsletter_id_slug"),
    )


def _create_story() -> None:
    op.create_table(
        "story",
        sa.Column("id", _ID, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("source_id", _ID, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("published_at", _INSTANT, nullable=False),
        sa.Column("first_seen_at", _INSTANT, nullable=False),
        sa.Column("title_key", sa.Text(), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=False),
        sa.Column("native_id", sa.Text()),
        sa.Column("guid", sa.Text()),
        sa.Column("byline", sa.Text(), nullable=False),
        sa.Column("house_author", sa.Text(), nullable=False),
        sa.Column("departments", sa.JSON(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("excerpt", sa.Text(), nullable=False),
        sa.Column("words", sa.Integer(), nullable=False),
        sa.Column("language", sa.Text()),
        sa.Column("published_known", sa.Boolean(), nullable=False),
        sa.Column("modified_at", _INSTANT),
        sa.Column("picture", sa.JSON()),
        sa.Column("comments", sa.Integer()),
        sa.Column("hidden", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name="fk_story_source_id_source"),
        sa.PrimaryKeyConstraint("id", name="pk_story"),
        sa.UniqueConstraint("public_id", name="uq_story_public_id"),
    )
    op.create_index("ix_story_guid", "story", ["guid"], postgresql_using="hash")
    op.create_index("ix_story_native_id", "story", ["native_id"], postgresql_using="hash")
    op.create_index("ix_story_source_id_published_at", "story", ["source_id", "published_at"])
    op.create_index("ix_story_title_key", "story", ["title_key"], postgresql_using="hash")
    op.create_index("ix_story_url", "story", ["url"], postgresql_using="hash")


def _create_subscription() -> None:
    op.create_table(
        "subscription",
        sa.Column("id", _ID, nullable=False),
        sa.Column("subscriber_id", _ID, nullable=False),
        sa.Column("newsletter_id", _ID, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.Column("consent_how", sa.Text(), nullable=False),
        sa.Column("consent_wording", sa.Text(), nullable=False),
        sa.Column("consent_placement", sa.Text(), nullable=False),
        sa.Column("consent_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["newsletter_id"], ["newsletter.id"], name="fk_subscription_newsletter_id_newsletter"
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name="fk_subscription_subscriber_id_subscriber"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_subscription"),
        sa.UniqueConstraint(
            "subscriber_id", "newsletter_id", name="uq_subscription_subscriber_id_newsletter_id"
        ),
    )
    op.create_index(
        "ix_subscription_newsletter_id_state_subscriber_id",
        "subscription",
        ["newsletter_id", "state", "subscriber_id"],
    )


def _create_item() -> None:
    op.create_table(
        "item",
        sa.Column("id", _ID, nullable=False),
        sa.Column("issue_id", _ID, nullable=False),
        sa.Column("section", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("story", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name="fk_item_issue_id_issue"),
        sa.PrimaryKeyConstraint("id", name="pk_item"),
    )
    op.create_index("ix_item_issue_id", "item", ["issue_id"])


def _create_mailing() -> None:
    op.create_table(
        "mailing",
        sa.Column("id", _ID, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("issue_id", _ID),
        sa.Column("newsletter_id", _ID),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name="fk_mailing_issue_id_issue"),
        sa.ForeignKeyConstraint(
            ["newsletter_id"], ["newsletter.id"], name="fk_mailing_newsletter_id_newsletter"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_mailing"),
        sa.UniqueConstraint("key", name="uq_mailing_key"),
        sa.UniqueConstraint("public_id", name="uq_mailing_public_id"),
    )
    op.create_index("ix_mailing_issue_id", "mailing", ["issue_id"])


def _create_read_day() -> None:
    op.create_table(
        "read_day",
        sa.Column("reads_id", _ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("story_id", _ID, nullable=False),
        sa.Column("reads", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["reads_id"], ["source.id"], name="fk_read_day_reads_id_source"),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name="fk_read_day_story_id_story"),
        sa.PrimaryKeyConstraint("reads_id", "day", "kind", "story_id", name="pk_read_day"),
        sqlite_with_rowid=False,
    )


def _create_read_point() -> None:
    op.create_table(
        "read_point",
        sa.Column("reads_id", _ID, nullable=False),
        sa.Column("story_id", _ID, nullable=False),
        sa.Column("taken_at", _INSTANT, nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["reads_id"], ["source.id"], name="fk_read_point_reads_id_source"),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name="fk_read_point_story_id_story"),
        sa.PrimaryKeyConstraint("reads_id", "story_id", "taken_at", name="pk_read_point"),
        sqlite_with_rowid=False,
    )


def _create_delivery() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", _ID, nullable=False),
        sa.Column("mailing_id", _ID, nullable=False),
        sa.Column("issue_id", _ID),
        sa.Column("subscriber_id", _ID),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("address", sa.Text()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("queued_at", _INSTANT, nullable=False),
        sa.Column("due_at", _INSTANT),
        sa.Column("worker", sa.String()),
        sa.Column("lease_until", _INSTANT),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("doubts", sa.Integer(), nullable=False),
        sa.Column("first_tried_at", _INSTANT),
        sa.Column("handed_over_at", _INSTANT),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("sender_fault", sa.Boolean(), nullable=False),
        sa.Column("relay", sa.String(), nullable=False),
        sa.Column("reply_code", sa.Integer(), nullable=False),
        sa.Column("reply_enhanced", sa.String(), nullable=False),
        sa.Column("reply_text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name="fk_delivery_issue_id_issue"),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["mailing.id"], name="fk_delivery_mailing_id_mailing"
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name="fk_delivery_subscriber_id_subscriber"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
        sa.UniqueConstraint("mailing_id", "recipient", name="uq_delivery_mailing_id_recipient"),
        sa.UniqueConstraint("subscriber_id", "issue_id", name="uq_delivery_subscriber_id_issue_id"),
    )
    op.create_index(
        "ix_delivery_held",
        "delivery",
        ["worker", "lease_until"],
        sqlite_where=sa.text("lease_until IS NOT NULL"),
        postgresql_where=sa.text("lease_until IS NOT NULL"),
    )
    op.create_index(
        "ix_delivery_waiting",
        "delivery",
        ["issue_id", "due_at", "id"],
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
