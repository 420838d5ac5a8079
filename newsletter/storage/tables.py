"""The schema, on one page.

Integer keys inside; public ids and slugs towards the outside. A reader's
address stands in ``subscriber`` and ``delivery``, the one that is to take its place
in ``address_change``, the one whose place it took in ``previous_address``, and none of them
anywhere else.
"""

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Index, Table, UniqueConstraint

from newsletter.storage.columns import Document, Instant, NameList, PlainText, RowId

# The revision that these tables are; the newest file in migrations/versions.
SCHEMA_REVISION = "0037"

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def _key() -> Column[int]:
    return Column("id", RowId, primary_key=True)


def _points_to(name: str, table: str, *, optional: bool = False) -> Column[int]:
    return Column(name, RowId, ForeignKey(f"{table}.id"), nullable=optional)


def _text(name: str) -> Column[str]:
    return Column(name, PlainText, nullable=False, default="")


def _partial_index(name: str, present: str, *columns: str) -> Index:
    """An index of the rows that have a value in ``present``."""
    where = sa.text(f"{present} IS NOT NULL")
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


# What readers, and whoever brings them in, do to themselves fills the log by the million.
HOUSE_CHANGES = "kind NOT IN ('subscriber', 'subscription', 'suppression')"

# Settings, one row a version; the key is the version. ``fixed`` is what the config file
# fixed at the latest start that saw this version in force.
settings = Table(
    "settings",
    metadata,
    _key(),
    Column("at", Instant, nullable=False),
    Column("actor", sa.String, nullable=False),
    Column("document", Document, nullable=False),
    Column("fixed", Document),
)

# Who changed what: written in the change's own transaction, never updated.
change_log = Table(
    "change_log",
    metadata,
    _key(),
    Column("at", Instant, nullable=False),
    Column("actor", sa.String, nullable=False),
    Column("kind", sa.String, nullable=False),
    Column("subject", sa.String, nullable=False),
    Column("act", sa.String, nullable=False),
    Column("detail", Document, nullable=False),
    Index(None, "kind", "subject"),
    # What became of the lists within a time.
    Index(None, "kind", "at"),
    # The few lines about the paper among the millions about its readers.
    Index(
        "ix_change_log_house",
        "id",
        sqlite_where=sa.text(HOUSE_CHANGES),
        postgresql_where=sa.text(HOUSE_CHANGES),
    ),
)

# Who may sit at the desk. Of one who was removed the name stays for the log, and
# the address is NULL.
editor = Table(
    "editor",
    metadata,
    _key(),
    Column("public_id", sa.String, nullable=False, unique=True),
    Column("address", PlainText, unique=True),
    _text("name"),
    Column("role", sa.String, nullable=False),
    Column("language", PlainText),
    Column("theme", sa.String, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("removed_at", Instant),
)

# Where an editor has tests of issues sent besides their own address.
editor_test_address = Table(
    "editor_test_address",
    metadata,
    Column("editor_id", RowId, ForeignKey("editor.id"), primary_key=True),
    Column("address", PlainText, primary_key=True),
    Column("at", Instant, nullable=False),
)

# Browsers in which an editor is signed in; ``digest`` is of the secret in the cookie.
editor_session = Table(
    "editor_session",
    metadata,
    _key(),
    Column("public_id", sa.String, nullable=False, unique=True),
    Column("digest", sa.String, nullable=False, unique=True),
    _points_to("editor_id", "editor"),
    Column("begun_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    _text("agent"),
    Index(None, "editor_id"),
)

# Links by which an editor signs in, once; ``page`` is where they were going.
sign_in_link = Table(
    "sign_in_link",
    metadata,
    _key(),
    Column("digest", sa.String, nullable=False, unique=True),
    _points_to("editor_id", "editor"),
    Column("made_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("used_at", Instant),
    Column("asked", sa.Boolean, nullable=False),
    _text("page"),
    Index(None, "editor_id", "made_at"),
)

# What is polled: feeds and sites (role "source"), counters (role "reads").
source = Table(
    "source",
    metadata,
    _key(),
    Column("role", sa.String, nullable=False),
    Column("slug", sa.String, nullable=False),
    Column("configured", sa.Boolean, nullable=False),
    Column("etag", PlainText),
    Column("last_modified", PlainText),
    Column("latest_modified", Instant),
    Column("last_success_at", Instant),
    Column("last_error_at", Instant),
    _text("last_error"),
    # How often it failed in a row, and when it may be asked again.
    Column("failures", sa.Integer, nullable=False, default=0),
    Column("due_at", Instant),
    Column("held_until", Instant),
    Column("scanned_at", Instant),
    # When somebody asked for it to be looked at now; NULL once it was.
    Column("asked_at", Instant),
    # Of a counter: what it counts now, by what it last told.
    Column("stats_kind", PlainText),
    # What it counted before, and since when it counts that no more.
    Column("former_kind", PlainText),
    Column("kind_since", Instant),
    UniqueConstraint("role", "slug"),
)

# Pages of a site that were read for their metadata: not again until the sitemap
# gives them another date. Addresses are long: their SHA-256 stands for them.
crawled_page = Table(
    "crawled_page",
    metadata,
    Column("source_id", RowId, ForeignKey("source.id"), primary_key=True),
    Column("url_hash", sa.String, primary_key=True),
    _text("lastmod"),
    Column("read_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

story = Table(
    "story",
    metadata,
    _key(),
    Column("public_id", sa.String, nullable=False, unique=True),
    _points_to("source_id", "source"),
    _text("url"),
    _text("title"),
    Column("published_at", Instant, nullable=False),
    Column("first_seen_at", Instant, nullable=False),
    _text("title_key"),
    Column("published_on", sa.Date, nullable=False),
    Column("native_id", PlainText),
    Column("guid", PlainText),
    _text("byline"),
    _text("house_author"),
    Column("departments", Document, nullable=False),
    Column("tags", Document, nullable=False),
    _text("excerpt"),
    Column("words", sa.Integer, nullable=False),
    Column("language", PlainText),
    Column("published_known", sa.Boolean, nullable=False),
    Column("modified_at", Instant),
    Column("picture", Document),
    Column("comments", sa.Integer),
    _text("hidden"),
    _text("syndicated_from"),
    _text("syndicated_url"),
    Index(None, "source_id", "published_at"),
    Index(None, "published_at"),
    # The merge ladder. Hash indexes, for addresses and guids come in any
    # length and a PostgreSQL B-tree refuses entries above 2,704 bytes.
    Index(None, "native_id", postgresql_using="hash"),
    Index(None, "guid", postgresql_using="hash"),
    Index(None, "url", postgresql_using="hash"),
    Index(None, "title_key", postgresql_using="hash"),
)
# PostgreSQL has an index of the headlines' words beside, for an editor's search, which
# migration 0019 makes: Alembic can't compare it. SQLite reads through the index above.
TITLE_WORDS_INDEX = "ix_story_title_words"

# What we made of a picture's address, so that it is asked for conditionally. The key
# is the SHA-256 of the address and of the recipe by which the files were made.
fetched_picture = Table(
    "fetched_picture",
    metadata,
    Column("key", sa.String, primary_key=True),
    Column("etag", PlainText),
    Column("last_modified", PlainText),
    Column("files", Document, nullable=False),
    Column("fetched_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

# What each poll changed in a story: written with the story, never updated.
story_trail = Table(
    "story_trail",
    metadata,
    _key(),
    _points_to("story_id", "story"),
    Column("at", Instant, nullable=False),
    Column("source", sa.String, nullable=False),
    Column("kind", sa.String, nullable=False),
    _text("before"),
    _text("after"),
    Index(None, "story_id"),
)

# Reads of a story on one local day of the paper. The key starts with what the
# sums ask for; SQLite then keeps the rows in that order.
read_day = Table(
    "read_day",
    metadata,
    Column("reads_id", RowId, ForeignKey("source.id"), primary_key=True),
    Column("day", sa.Date, primary_key=True),
    Column("kind", sa.String, primary_key=True),
    Column("story_id", RowId, ForeignKey("story.id"), primary_key=True),
    Column("reads", sa.BigInteger, nullable=False),
    # All days of one story, and all stories in their order, from this alone.
    Index("ix_read_day_story", "story_id", "kind", "reads_id", "day", "reads"),
    sqlite_with_rowid=False,
)

# A counter's running total of a story, each time that it changed. ``kind`` says of
# what: a total of views is never differenced against one of visitors. In read_day
# the visits that our own mails caused stand beside, as kinds such as "own_visits".
read_point = Table(
    "read_point",
    metadata,
    Column("reads_id", RowId, ForeignKey("source.id"), primary_key=True),
    Column("story_id", RowId, ForeignKey("story.id"), primary_key=True),
    Column("taken_at", Instant, primary_key=True),
    Column("total", sa.BigInteger, nullable=False),
    Column("kind", sa.String, nullable=False, server_default="views"),
    sqlite_with_rowid=False,
)

# Reads that no counter gains so fast, set aside until a person confirms them.
# ``total`` is the running total that showed them, where the counter keeps one.
read_doubt = Table(
    "read_doubt",
    metadata,
    Column("reads_id", RowId, ForeignKey("source.id"), primary_key=True),
    Column("story_id", RowId, ForeignKey("story.id"), primary_key=True),
    Column("day", sa.Date, primary_key=True),
    Column("kind", sa.String, primary_key=True),
    Column("reads", sa.BigInteger, nullable=False),
    Column("total", sa.BigInteger),
)

# How far a log file was read, in bytes as they are when unpacked. A file is known
# by the hash of its first ``head_bytes``: by its content, whatever it is called
# after a rotation and whether it was compressed since.
read_log = Table(
    "read_log",
    metadata,
    Column("reads_id", RowId, ForeignKey("source.id"), primary_key=True),
    Column("head_hash", sa.String, primary_key=True),
    Column("head_bytes", sa.Integer, nullable=False),
    Column("position", sa.BigInteger, nullable=False),
    Column("read_at", Instant, nullable=False),
)

# Who read what within the last half hour, to count no repeat: a keyed hash that
# differs every day, of visitor and story together.
recent_read = Table(
    "recent_read",
    metadata,
    Column("reads_id", RowId, ForeignKey("source.id"), primary_key=True),
    Column("visit", sa.String, primary_key=True),
    Column("at", Instant, nullable=False),
    Index(None, "reads_id", "at"),
)

newsletter = Table(
    "newsletter",
    metadata,
    _key(),
    Column("public_id", sa.String, nullable=False, unique=True),
    Column("slug", sa.String, nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
)

section = Table(
    "section",
    metadata,
    _key(),
    _points_to("newsletter_id", "newsletter"),
    Column("slug", sa.String, nullable=False),
    UniqueConstraint("newsletter_id", "slug"),
)

# Slots that an editor skips: no issue is drafted for them.
skipped_slot = Table(
    "skipped_slot",
    metadata,
    Column("newsletter_id", RowId, ForeignKey("newsletter.id"), primary_key=True),
    Column("slot", sa.String, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor", sa.String, nullable=False),
)

# ``content`` is the issue as `documents` writes it, copies of its stories included.
issue = Table(
    "issue",
    metadata,
    _key(),
    Column("public_id", sa.String, nullable=False, unique=True),
    _points_to("newsletter_id", "newsletter"),
    Column("slot", sa.String, nullable=False),
    Column("state", sa.String, nullable=False),
    Column("send_at", Instant, nullable=False),
    Column("content", Document, nullable=False),
    _text("held_because"),
    _text("approved_by"),
    Column("approved_at", Instant),
    # Of two approvals the first, where two are asked for.
    Column("first_approved_by", PlainText, nullable=False, default="", server_default=""),
    Column("first_approved_at", Instant),
    Column("changed_at", Instant, nullable=False),
    # Counts what was saved of it; the newest is ``content``.
    Column("version", sa.Integer, nullable=False, default=1, server_default="1"),
    Column("edition", sa.String, nullable=False, server_default="regular"),
    UniqueConstraint("newsletter_id", "slot"),
    Index(None, "newsletter_id", "send_at"),
    Index(None, "state"),
)

# What was saved of an issue, by whom and why; ``content`` as it was then. A while
# after the issue was sent only the change log tells of it.
issue_version = Table(
    "issue_version",
    metadata,
    Column("issue_id", RowId, ForeignKey("issue.id"), primary_key=True),
    Column("number", sa.Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor", sa.String, nullable=False),
    Column("kind", sa.String, nullable=False),
    _text("told"),
    Column("changes", Document, nullable=False),
    Column("touched", Document, nullable=False),
    Column("of_version", sa.Integer),
    Column("content", Document, nullable=False),
)

# Where a story ran, for the cool-down. ``story`` is a public id and no foreign
# key: an issue outlives its stories.
item = Table(
    "item",
    metadata,
    _key(),
    _points_to("issue_id", "issue"),
    Column("section", sa.String, nullable=False),
    Column("kind", sa.String, nullable=False),
    Column("story", sa.String, nullable=False),
    Column("position", sa.Integer, nullable=False),
    Index(None, "issue_id"),
)

# A sent story's links, one a place in the mail: what /l/ID leads to. ``story`` is a
# public id and no foreign key, as in ``item``.
link = Table(
    "link",
    metadata,
    _key(),
    Column("public_id", sa.String, nullable=False, unique=True),
    _points_to("issue_id", "issue"),
    Column("section", sa.String, nullable=False),
    Column("position", sa.Integer, nullable=False),
    Column("story", sa.String, nullable=False),
    Column("place", sa.String, nullable=False),
    _text("url"),
    Column("withdrawn_at", Instant),
    Index(None, "issue_id"),
)

# What was corrected in the links of an issue that readers have, for its archive page.
link_correction = Table(
    "link_correction",
    metadata,
    _key(),
    _points_to("issue_id", "issue"),
    Column("at", Instant, nullable=False),
    Column("kind", sa.String, nullable=False),
    Column("story", sa.String, nullable=False),
    _text("headline"),
    _text("url"),
    _text("told"),
    Index(None, "issue_id"),
)

# Clicks of one local day of the paper, of nobody in particular; those of programs apart.
click_day = Table(
    "click_day",
    metadata,
    Column("link_id", RowId, ForeignKey("link.id"), primary_key=True),
    Column("day", sa.Date, primary_key=True),
    Column("clicks", sa.BigInteger, nullable=False),
    Column("machine_clicks", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

subscriber = Table(
    "subscriber",
    metadata,
    _key(),
    Column("public_id", sa.String, nullable=False, unique=True),
    Column("address", PlainText, nullable=False, unique=True),
    Column("address_hash", sa.String, nullable=False),
    _text("name"),
    Column("language", PlainText),
    Column("timezone", sa.String),
    Column("created_at", Instant, nullable=False),
    # What else a list said of them: a flat JSON document, NULL for nothing.
    Column("attributes", Document),
    # The import that brought this person, of those that were.
    Column("import_id", RowId),
    # Whether a rule forbids mail to the address's domain, so that nobody who asks
    # before each message has to match patterns.
    Column(
        "domain_suppressed", sa.Boolean, nullable=False, default=False, server_default=sa.false()
    ),
    Index(None, "address_hash"),
)

subscription = Table(
    "subscription",
    metadata,
    _key(),
    _points_to("subscriber_id", "subscriber"),
    _points_to("newsletter_id", "newsletter"),
    Column("state", sa.String, nullable=False),
    Column("changed_at", Instant, nullable=False),
    _text("consent_how"),
    _text("consent_wording"),
    _text("consent_placement"),
    Column("consent_at", Instant, nullable=False),
    # None are all of them; NULL is a reader who was never asked.
    Column("departments", NameList),
    Column("consent_page", PlainText, nullable=False, server_default=""),
    Column("consent_language", PlainText, nullable=False, server_default=""),
    # A keyed hash of the visitor's network address; emptied when its time is over.
    Column("consent_network", PlainText, nullable=False, server_default=""),
    # The import on whose word alone it stands as it does; NULL once anybody changed it.
    Column("import_id", RowId),
    # When a pause ends by itself, why a reader left, and from which state: only as long as
    # that lasts; a goodbye, which may be undone, leaves the pause's end.
    Column("paused_until", Instant),
    Column("left_because", sa.String),
    Column("left_from", sa.String),
    # How often it is wanted, and since when its reader chose that; NULL: from the beginning.
    Column("cadence", sa.String, nullable=False, server_default="each"),
    Column("cadence_at", Instant),
    UniqueConstraint("subscriber_id", "newsletter_id"),
    _partial_index("ix_subscription_paused_until", "paused_until", "paused_until"),
    # All that queueing an audience asks of a subscription, and counting most segments.
    Index(
        "ix_subscription_audience",
        *("newsletter_id", "state", "cadence", "subscriber_id", "departments", "consent_at"),
    ),
)

# What was asked for with the address of who had left: it waits beside the subscription,
# which stays as it was left, until the reader confirms.
subscription_wish = Table(
    "subscription_wish",
    metadata,
    Column("subscriber_id", RowId, ForeignKey("subscriber.id"), primary_key=True),
    Column("newsletter_id", RowId, ForeignKey("newsletter.id"), primary_key=True),
    # As in ``subscription``; it was asked for then.
    _text("consent_how"),
    _text("consent_wording"),
    _text("consent_placement"),
    Column("consent_at", Instant, nullable=False),
    _text("consent_page"),
    _text("consent_language"),
    _text("consent_network"),
    # NULL: nothing was said of it.
    Column("cadence", sa.String),
)

# Who waits for the best of the issues that they missed in a pause; ``slot`` is the range
# of those, and the catch-up's once there is one. Gone when it is queued for them.
catch_up = Table(
    "catch_up",
    metadata,
    Column("newsletter_id", RowId, ForeignKey("newsletter.id"), primary_key=True),
    Column("slot", sa.String, primary_key=True),
    Column("subscriber_id", RowId, ForeignKey("subscriber.id"), primary_key=True),
    Column("since", Instant, nullable=False),
    Index(None, "subscriber_id"),
)

# How many sign-ups there were since the begin of an hour (of a minute, in all): of a
# network (a keyed hash), for a domain, in all. Gone after that hour.
sign_up_count = Table(
    "sign_up_count",
    metadata,
    Column("scope", sa.String, primary_key=True),
    Column("key", PlainText, primary_key=True),
    Column("since", Instant, primary_key=True),
    Column("posts", sa.BigInteger, nullable=False),
)

# One row: the attack that is going on, or the last one until editors know its end.
sign_up_alarm = Table(
    "sign_up_alarm",
    metadata,
    _key(),
    Column("since", Instant),
    Column("until", Instant),
    Column("told", sa.Boolean, nullable=False, default=False),
)

# When the next confirmation of a lane may go.
slow_lane = Table(
    "slow_lane",
    metadata,
    Column("name", sa.String, primary_key=True),
    Column("free_at", Instant, nullable=False),
)

# Proofs of work count once; kept until they would have expired anyway.
spent_proof = Table(
    "spent_proof",
    metadata,
    Column("id", sa.String, primary_key=True),
    Column("expires_at", Instant, nullable=False),
    Index(None, "expires_at"),
)

# Confirmations mailed to an address and its variants (a keyed hash): in all, and
# since its reader last acted on one.
confirmation_count = Table(
    "confirmation_count",
    metadata,
    Column("address_hash", sa.String, primary_key=True),
    Column("mailed", sa.Integer, nullable=False),
    Column("unanswered", sa.Integer, nullable=False),
    Column("last_at", Instant, nullable=False),
)

# The address that a reader asked to be written to, until its mailbox has answered.
address_change = Table(
    "address_change",
    metadata,
    Column("subscriber_id", RowId, ForeignKey("subscriber.id"), primary_key=True),
    Column("public_id", sa.String, nullable=False, unique=True),
    Column("address", PlainText, nullable=False),
    Column("asked_at", Instant, nullable=False),
)

# The address that a reader was written to before, as long as its mailbox may take the change
# back; ``public_id`` is that of the wish that was fulfilled.
previous_address = Table(
    "previous_address",
    metadata,
    Column("public_id", sa.String, primary_key=True),
    Column("subscriber_id", RowId, ForeignKey("subscriber.id"), nullable=False),
    Column("address", PlainText, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Index(None, "subscriber_id"),
)

# The keyed hash of each address that a reader has given up, so that no list brings it back.
former_address = Table(
    "former_address",
    metadata,
    Column("address_hash", sa.String, primary_key=True),
    Column("subscriber_id", RowId, ForeignKey("subscriber.id"), nullable=False),
    Column("since", Instant, nullable=False),
    Index(None, "subscriber_id"),
)

# Outlives the subscriber: the hash is keyed, so that it tells nobody the address.
suppression = Table(
    "suppression",
    metadata,
    _key(),
    Column("address_hash", sa.String, nullable=False, unique=True),
    Column("reason", sa.String, nullable=False),
    Column("at", Instant, nullable=False),
    Column("source", PlainText, nullable=False, default="", server_default=""),
    # The import that caused it, as in ``subscription``.
    Column("import_id", RowId),
    # The latest of one reason, without going through all.
    Index(None, "reason", "id"),
)

# Domains that may not be mailed: "@example.org" is one, "*.example.org" all below it.
suppression_rule = Table(
    "suppression_rule",
    metadata,
    _key(),
    Column("pattern", sa.String, nullable=False, unique=True),
    Column("reason", sa.String, nullable=False),
    Column("at", Instant, nullable=False),
    _text("source"),
)

# Figures that take long to count on a long list, as they were counted last.
kept_figure = Table(
    "kept_figure",
    metadata,
    Column("name", sa.String, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("document", Document, nullable=False),
)

# Readers brought in from a file. ``digest`` is the file's SHA-256 and ``rows`` how
# far it was read, by which an import that broke off goes on.
subscriber_import = Table(
    "subscriber_import",
    metadata,
    _key(),
    Column("public_id", sa.String, nullable=False, unique=True),
    _points_to("newsletter_id", "newsletter"),
    Column("digest", sa.String, nullable=False),
    _text("file"),
    _text("format"),
    _text("consent"),
    Column("actor", sa.String, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("undone_at", Instant),
    Column("rows", sa.BigInteger, nullable=False),
    Column("counts", Document, nullable=False),
    # Who wants it taken back, until that has been done.
    Column("undo_wanted_by", sa.String, nullable=False, default="", server_default=""),
    # Why that was not brought to its end, until somebody wants it anew.
    Column("undo_problem", PlainText, nullable=False, default="", server_default=""),
    Index(None, "newsletter_id", "digest"),
)

# Files that editors brought to the desk, until their time is over: looked through, then
# imported once wanted. The file itself lies in data_dir under the public id.
reader_upload = Table(
    "reader_upload",
    metadata,
    _key(),
    Column("public_id", sa.String, nullable=False, unique=True),
    Column("kind", sa.String, nullable=False),
    _text("file"),
    Column("bytes", sa.BigInteger, nullable=False),
    # A newsletter's slug, or the reason that suppressions are given.
    Column("target", sa.String, nullable=False),
    _text("consent"),
    Column("all_columns", sa.Boolean, nullable=False),
    Column("without_opt_in", sa.Boolean, nullable=False, server_default=sa.false()),
    Column("actor", sa.String, nullable=False),
    Column("state", sa.String, nullable=False),
    Column("uploaded_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("rows", sa.BigInteger, nullable=False),
    Column("row_bound", sa.BigInteger, nullable=False),
    Column("told", Document, nullable=False),
    _text("problem"),
    Index(None, "state"),
)

# What an import changed of readers who were there already, to give it back:
# the state it took them off from, and what it filled in where nothing was known.
import_trace = Table(
    "import_trace",
    metadata,
    Column("import_id", RowId, ForeignKey("subscriber_import.id"), primary_key=True),
    Column("subscriber_id", RowId, primary_key=True),
    Column("was_state", sa.String),
    Column("was_import_id", RowId),
    Column("learned", Document),
    sqlite_with_rowid=False,
)

# Who clicked what, where the publication counts that; erased with the reader.
reader_click = Table(
    "reader_click",
    metadata,
    Column("subscriber_id", RowId, ForeignKey("subscriber.id"), primary_key=True),
    Column("link_id", RowId, ForeignKey("link.id"), primary_key=True),
    Column("clicks", sa.BigInteger, nullable=False),
    Column("machine_clicks", sa.BigInteger, nullable=False),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Index(None, "link_id"),
    sqlite_with_rowid=False,
)

# ``content`` is the mailing as `documents` writes it; ``key`` makes twice once.
mailing = Table(
    "mailing",
    metadata,
    _key(),
    Column("public_id", sa.String, nullable=False, unique=True),
    Column("key", PlainText, nullable=False, unique=True),
    Column("kind", sa.String, nullable=False),
    _points_to("issue_id", "issue", optional=True),
    _points_to("newsletter_id", "newsletter", optional=True),
    Column("created_at", Instant, nullable=False),
    Column("content", Document, nullable=False),
    # A worker found that it can't go: until when it is left alone, and why.
    Column("held_until", Instant),
    Column("held_because", PlainText),
    Index(None, "issue_id"),
)

# The ledger. ``due_at`` is set only while a row waits (queued, deferred) and
# ``worker_id`` only while a worker holds it (claimed, handed over), so that two
# small partial indexes find both among millions of finished rows. ``handed_by``
# is the worker that last handed it over. ``address`` is NULL once its reader is
# forgotten. No foreign keys: they would double the time a million rows take to
# queue (measured), and what they would guard is only ever deleted with its rows.
delivery = Table(
    "delivery",
    metadata,
    _key(),
    Column("mailing_id", RowId, nullable=False),
    Column("issue_id", RowId),
    Column("subscriber_id", RowId),
    Column("recipient", sa.String, nullable=False),
    Column("address", PlainText),
    Column("domain", PlainText, nullable=False, default=""),
    # Of system mail to a reader, whose address at that time it may be no more: what forbids
    # mail to it is looked up by this, and not by the reader.
    Column("address_hash", sa.String),
    Column("wave", sa.Integer, nullable=False, default=0),
    Column("state", sa.String, nullable=False),
    Column("queued_at", Instant, nullable=False),
    Column("due_at", Instant),
    Column("worker_id", RowId),
    Column("handed_by", RowId),
    Column("attempts", sa.Integer, nullable=False, default=0),
    Column("doubts", sa.Integer, nullable=False, default=0),
    Column("first_tried_at", Instant),
    Column("handed_over_at", Instant),
    Column("changed_at", Instant, nullable=False),
    Column("reason", sa.String, nullable=False, default=""),
    Column("sender_fault", sa.Boolean, nullable=False, default=False),
    Column("relay", sa.String, nullable=False, default=""),
    Column("reply_code", sa.Integer, nullable=False, default=0),
    Column("reply_enhanced", sa.String, nullable=False, default=""),
    _text("reply_text"),
    UniqueConstraint("mailing_id", "recipient"),
    UniqueConstraint("subscriber_id", "issue_id"),
    _partial_index("ix_delivery_waiting", "due_at", "issue_id", "wave", "due_at", "id"),
    _partial_index("ix_delivery_held", "worker_id", "worker_id"),
)

# What a mail server told later of a message that ours had taken: the newest report, and
# that it failed rather than any other. Goes with its row of the ledger, or the reader.
bounce_report = Table(
    "bounce_report",
    metadata,
    Column("delivery_id", RowId, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("action", sa.String, nullable=False),
    Column("code", sa.Integer, nullable=False),
    Column("enhanced", sa.String, nullable=False),
    _text("text"),
)

# What the ledger's rows of issues sent long ago were folded into.
folded_delivery = Table(
    "folded_delivery",
    metadata,
    Column("mailing_id", RowId, primary_key=True),
    Column("wave", sa.Integer, primary_key=True),
    Column("state", sa.String, primary_key=True),
    Column("reason", sa.String, primary_key=True),
    Column("relay", sa.String, primary_key=True),
    Column("issue_id", RowId, nullable=False),
    Column("readers", sa.BigInteger, nullable=False),
    Column("doubtful", sa.BigInteger, nullable=False),
    Index(None, "issue_id"),
)

# Lines of the change log about subscriptions that have lost their detail, by the hour.
folded_change = Table(
    "folded_change",
    metadata,
    Column("at", Instant, primary_key=True),
    Column("newsletter", sa.String, primary_key=True),
    Column("placement", sa.String, primary_key=True),
    Column("act", sa.String, primary_key=True),
    Column("how", sa.String, primary_key=True),
    Column("reason", sa.String, primary_key=True),
    Column("before", sa.String, primary_key=True),
    Column("changes", sa.BigInteger, nullable=False),
)

# The ledger of an issue that is over, counted when it had last changed: to count a
# million rows takes seconds.
issue_totals = Table(
    "issue_totals",
    metadata,
    Column("issue_id", RowId, ForeignKey("issue.id"), primary_key=True),
    Column("changed_at", Instant, nullable=False),
    Column("counts", Document, nullable=False),
)

# A part of an issue's audience with its own start; claimed from ``released_at`` on.
# ``first_delivery`` is where its rows begin in the ledger.
wave = Table(
    "wave",
    metadata,
    Column("issue_id", RowId, ForeignKey("issue.id"), primary_key=True),
    Column("number", sa.Integer, primary_key=True),
    Column("name", sa.String, nullable=False),
    Column("readers", sa.Integer, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("released_at", Instant),
    Column("first_delivery", RowId),
)

# A process that sends. Its key is the fencing token: a worker whose lease was
# lost gets a new one. ``lease_until`` is NULL once it has ended or was given up.
worker = Table(
    "worker",
    metadata,
    _key(),
    Column("name", sa.String, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("lease_until", Instant),
    Index(None, "lease_until"),
)

# What of a relay's limits a worker may use; all together never exceed them.
permit = Table(
    "permit",
    metadata,
    Column("worker_id", RowId, ForeignKey("worker.id"), primary_key=True),
    Column("relay", sa.String, primary_key=True),
    Column("connections", sa.Integer, nullable=False),
    Column("rate", sa.Float),
)

# Messages granted to workers of a relay's day (UTC), for daily caps and warm-up.
relay_day = Table(
    "relay_day",
    metadata,
    Column("relay", sa.String, primary_key=True),
    Column("day", sa.Date, primary_key=True),
    Column("granted", sa.BigInteger, nullable=False),
)

# The breaker of a relay: why and until when nothing goes over it.
relay_state = Table(
    "relay_state",
    metadata,
    Column("relay", sa.String, primary_key=True),
    Column("trips", sa.Integer, nullable=False),
    Column("paused_until", Instant),
    _text("reason"),
    Column("changed_at", Instant, nullable=False),
    Column("since", Instant),
)

# What a destination that complained of our pace or of us bears, for all workers; its last
# complaint, and `since` when it has taken nothing, where it has not.
destination_pace = Table(
    "destination_pace",
    metadata,
    Column("destination", sa.String, primary_key=True),
    Column("rate", sa.Float, nullable=False),
    Column("connections", sa.Float, nullable=False),
    Column("pause", sa.Float, nullable=False),
    Column("paused_until", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("since", Instant),
)

# A right that one process has at a time, such as the scheduler's tick.
lease = Table(
    "lease",
    metadata,
    Column("name", sa.String, primary_key=True),
    Column("holder", sa.String, nullable=False),
    Column("until", Instant, nullable=False),
)

# One row: who this installation is, to tell it from a copy of itself.
installation = Table(
    "installation",
    metadata,
    _key(),
    Column("instance_id", sa.String, nullable=False),
    Column("generation", sa.Integer, nullable=False),
    Column("fingerprint", sa.String, nullable=False),
    _text("hold"),
    Column("changed_at", Instant, nullable=False),
)
