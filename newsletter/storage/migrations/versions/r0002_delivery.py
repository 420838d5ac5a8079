"""Workers with leases, waves, relays' permits and states, and who this installation is.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.DateTime(timezone=True)
# No worker has this key, so that what it holds counts as a dead worker's.
_NOBODY = 0


def upgrade() -> None:
    op.add_column("subscriber", sa.Column("timezone", sa.String()))
    _rebuild_delivery()
    _create_worker()
    _create_permit()
    _create_relay_day()
    _create_relay_state()
    _create_lease()
    _create_installation()
    _create_wave()


def _rebuild_delivery() -> None:
    op.drop_index("ix_delivery_waiting", "delivery")
    op.drop_index("ix_delivery_held", "delivery")
    with op.batch_alter_table("delivery") as table:
        table.add_column(sa.Column("domain", sa.Text(), nullable=False, server_default=""))
        table.add_column(sa.Column("wave", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("worker_id", _ID))
        table.add_column(sa.Column("handed_by", _ID))
        for column, other in (
            ("mailing_id", "mailing"),
            ("issue_id", "issue"),
            ("subscriber_id", "subscriber"),
        ):
            table.drop_constraint(f"fk_delivery_{column}_{other}", type_="foreignkey")
    delivery = sa.table(
        "delivery",
        *(sa.column(name) for name in ("address", "domain", "state", "worker_id", "handed_by")),
    )
    if op.get_bind().dialect.name == "sqlite":
        at = sa.func.instr(delivery.c.address, "@")
        domain = sa.func.substr(delivery.c.address, at + 1)
    else:
        domain = sa.func.split_part(delivery.c.address, "@", 2)
    op.execute(
        sa.update(delivery)
        .where(delivery.c.address.is_not(None))
        .values(domain=sa.func.lower(domain))
    )
    op.execute(
        sa.update(delivery)
        .where(delivery.c.state.in_(["claimed", "handed_over"]))
        .values(worker_id=_NOBODY, handed_by=_NOBODY)
    )
    with op.batch_alter_table("delivery") as table:
        table.drop_column("worker")
        table.drop_column("lease_until")
        table.alter_column("domain", server_default=None)
        table.alter_column("wave", server_default=None)
    _create_partial_index("ix_delivery_waiting", "due_at", ["issue_id", "wave", "due_at", "id"])
    _create_partial_index("ix_delivery_held", "worker_id", ["worker_id"])


def _create_partial_index(name: str, present: str, columns: list[str]) -> None:
    where = sa.text(f"{present} IS NOT NULL")
    op.create_index(name, "delivery", columns, sqlite_where=where, postgresql_where=where)


def _create_worker() -> None:
    op.create_table(
        "worker",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("started_at", _INSTANT, nullable=False),
        sa.Column("lease_until", _INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_worker"),
    )
    op.create_index("ix_worker_lease_until", "worker", ["lease_until"])


def _create_permit() -> None:
    op.create_table(
        "permit",
        sa.Column("worker_id", _ID, nullable=False),
        sa.Column("relay", sa.String(), nullable=False),
        sa.Column("connections", sa.Integer(), nullable=False),
        sa.Column("rate", sa.Float()),
        sa.ForeignKeyConstraint(["worker_id"], ["worker.id"], name="fk_permit_worker_id_worker"),
        sa.PrimaryKeyConstraint("worker_id", "relay", name="pk_permit"),
    )


def _create_relay_day() -> None:
    op.create_table(
        "relay_day",
        sa.Column("relay", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("granted", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("relay", "day", name="pk_relay_day"),
    )


def _create_relay_state() -> None:
    op.create_table(
        "relay_state",
        sa.Column("relay", sa.String(), nullable=False),
        sa.Column("trips", sa.Integer(), nullable=False),
        sa.Column("paused_until", _INSTANT),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("relay", name="pk_relay_state"),
    )


def _create_lease() -> None:
    op.create_table(
        "lease",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("until", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
    )


def _create_installation() -> None:
    op.create_table(
        "installation",
        sa.Column("id", _ID, nullable=False),
        sa.Column("instance_id", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("hold", sa.Text(), nullable=False),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_installation"),
    )


def _create_wave() -> None:
    op.create_table(
        "wave",
        sa.Column("issue_id", _ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("readers", sa.Integer(), nullable=False),
        sa.Column("starts_at", _INSTANT, nullable=False),
        sa.Column("released_at", _INSTANT),
        sa.Column("first_delivery", _ID),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name="fk_wave_issue_id_issue"),
        sa.PrimaryKeyConstraint("issue_id", "number", name="pk_wave"),
    )
    # An issue that was on its way before there were waves is one wave, released.
    issue, delivery = sa.table("issue", sa.column("id")), sa.table(
        "delivery", sa.column("id"), sa.column("issue_id"), sa.column("queued_at")
    )
    first = sa.func.min(delivery.c.id)
    op.execute(
        sa.insert(
            sa.table(
                "wave",
                *(sa.column(name) for name in ("issue_id", "number", "name", "readers")),
                *(sa.column(name) for name in ("starts_at", "released_at", "first_delivery")),
            )
        ).from_select(
            ["issue_id", "number", "name", "readers", "starts_at", "released_at", "first_delivery"],
            sa.select(
                issue.c.id,
                sa.literal(0),
                sa.literal("all"),
                sa.func.count(),
                sa.func.min(delivery.c.queued_at),
                sa.func.min(delivery.c.queued_at),
                first,
            )
            .join_from(issue, delivery, delivery.c.issue_id == issue.c.id)
            .group_by(issue.c.id),
        )
    )
