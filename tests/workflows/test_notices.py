"""Whom notices reach: the addresses of the settings, and who may do something at the desk."""

from pathlib import Path

from newsletter.publication.editors import Role
from newsletter.storage.ledger import SqlLedger
from newsletter.workflows.editors import add_editor
from newsletter.workflows.installation import Installation
from newsletter.workflows.notices import Notice, queue_notice
from tests.workflows.test_clone_guard import HOUR, House


def told(installation: Installation, notice: Notice, named: list[str]) -> list[str] | None:
    """Who is told of ``notice`` where the settings name those; None where nobody is."""
    settings = installation.settings()
    publication = settings.publication.model_copy(update={"editors": tuple(named)})
    settings = settings.model_copy(update={"publication": publication})
    with installation.database.write() as tx:
        if not queue_notice(tx, installation, settings, settings.newsletter[0], notice):
            return None
    now = installation.clock.now()
    ledger = SqlLedger(installation.database)
    worker = ledger.enroll("test", now, HOUR)
    found = [delivery.address for delivery in ledger.claim_system(worker, now, 100)]
    ledger.close()
    return sorted(found)


def test_who_may_act_is_told_beside_whom_the_settings_name(tmp_path: Path) -> None:
    with House(tmp_path / "house").open() as installation:
        now = installation.clock.now()
        assert told(installation, Notice("none", "Held", ("Why.",)), []) is None
        for role in Role:
            add_editor(
                installation.database,
                address=f"{role}@paper.example",
                role=role,
                actor="test",
                now=now,
            )
        named = ["room@paper.example", "admin@paper.example"]
        notice = Notice("first", "Held", ("Why.",))
        assert told(installation, notice, named) == [
            *("admin@paper.example", "editor@paper.example"),
            *("publisher@paper.example", "room@paper.example"),
        ]
        assert told(installation, notice, named) is None
        assert told(installation, Notice("second", "Held", ("Why.",)), []) == [
            *("admin@paper.example", "editor@paper.example", "publisher@paper.example"),
        ]
