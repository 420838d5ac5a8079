"""What a draft knows: one counter's reads, without our own where so configured, and what led."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from newsletter.issues.model import IssueState
from newsletter.publication.slots import upcoming_slot
from newsletter.sources.model import ReadKind
from newsletter.storage.database import Database
from newsletter.workflows.material import gather_material
from tests.contracts.nouns import NOW, a_settings, a_story, an_issue

DAY = date(2025, 8, 4)
FIRST = {"slug": "counter", "source": "site", "kind": "beacon"}
SECOND = {"slug": "log", "source": "site", "kind": "access-log"}


@pytest.mark.parametrize(
    ("second", "tracking", "reads"),
    [
        ({}, {}, {"story1": 100}),
        ({"primary": True}, {}, {"story1": 70, "story2": 60}),
        ({"primary": True}, {"subtract_own": True}, {"story1": 20, "story2": 60}),
    ],
)
def test_one_counter_ranks(
    tmp_path: Path, second: dict[str, Any], tracking: dict[str, Any], reads: dict[str, int]
) -> None:
    settings = a_settings(reads=[FIRST, SECOND | second], tracking=tracking)
    newsletter = settings.newsletter[0]
    database = Database.open(f"sqlite:///{tmp_path}/newsletter.sqlite")
    database.migrate()
    with database.write() as tx:
        tx.settings.register(settings, NOW)
        tx.stories.save([a_story(1), a_story(2)])
        tx.reads.put_days("counter", [("story1", DAY, ReadKind.VISITS, 100)])
        rows = [("story1", DAY, ReadKind.VISITS, 70), ("story2", DAY, ReadKind.VISITS, 60)]
        tx.reads.put_days("log", rows)
        tx.reads.put_days("log", [("story1", DAY, ReadKind.VISITS, 50)], own=True)
        slot = upcoming_slot(newsletter, newsletter.zone_in(settings.publication), NOW)
        material = gather_material(tx, settings, newsletter, slot, NOW)
    database.close()
    assert material.reads["most-read"] == reads


def test_it_knows_the_department_that_led_the_previous_issue(tmp_path: Path) -> None:
    settings = a_settings()
    newsletter = settings.newsletter[0]
    before = an_issue("2025-W31", send_at=NOW - timedelta(days=4), lead="story2")
    (section,) = before.sections
    items = tuple(replace(i, department=f"Department of {i.story_id}") for i in section.items)
    database = Database.open(f"sqlite:///{tmp_path}/newsletter.sqlite")
    database.migrate()
    with database.write() as tx:
        tx.settings.register(settings, NOW)
        tx.stories.save([a_story(1)])
        slot = upcoming_slot(newsletter, newsletter.zone_in(settings.publication), NOW)
        assert gather_material(tx, settings, newsletter, slot, NOW).led_before == ""
        sent = replace(before, sections=(replace(section, items=items),), state=IssueState.SENDING)
        assert tx.issues.create(sent, NOW, "test")
        material = gather_material(tx, settings, newsletter, slot, NOW)
    database.close()
    assert material.led_before == "Department of story2"
