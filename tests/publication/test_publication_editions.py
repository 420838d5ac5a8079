"""The best of a month as an edition of a newsletter: its slots, its parts, its words."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from newsletter.errors import UsageError
from newsletter.publication.brand import Publication
from newsletter.publication.cadence import Cadence, Edition
from newsletter.publication.editions import (
    edition_for,
    edition_with_slot,
    editions_of,
    in_edition,
)
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.slots import (
    is_month_key,
    latest_slot,
    named_slot,
    period_day,
    upcoming_slot,
)

PAPER = Publication.model_validate({"name": "The Courier", "url": "https://paper.example"})
YEREVAN = ZoneInfo("Asia/Yerevan")
# Of the years 2000 to 2096.
instants = st.integers(946_684_800, 4_000_000_000).map(lambda s: datetime.fromtimestamp(s, UTC))
days = st.integers(1, 27)


def weekly(**changes: Any) -> Newsletter:
    sections = [
        {"slug": "latest", "kind": "latest", "title": "Latest"},
        {"slug": "arts", "kind": "department", "department": "Arts", "title": "Arts"},
        {"slug": "top", "kind": "most_read", "title": "Top of the week", "max_per_department": 2},
    ]
    document = {
        "slug": "weekly",
        "name": "Weekly",
        "from": {"name": "The Courier", "address": "weekly@paper.example"},
        "languages": ["en", "hy"],
        "section": sections,
    }
    return Newsletter.model_validate(document | changes)


MONTHLY = in_edition(weekly(), Edition.MONTHLY, PAPER)


def test_the_best_of_august_goes_out_in_september_and_is_called_after_august() -> None:
    slot = named_slot(MONTHLY, YEREVAN, "2025-08")
    assert slot.date == date(2025, 9, 3)
    assert slot.send_at == datetime(2025, 9, 3, 3, tzinfo=UTC)
    assert slot.draft_at == datetime(2025, 9, 1, 8, tzinfo=UTC)
    assert period_day(MONTHLY, slot.key, slot.date) == date(2025, 8, 1)
    # Also where it goes out much later.
    assert period_day(MONTHLY, "2025-08.x1", date(2025, 10, 1)) == date(2025, 8, 1)
    assert period_day(weekly(), "2025-W32", date(2025, 8, 8)) == date(2025, 8, 8)
    assert named_slot(MONTHLY, YEREVAN, "2025-12.x1").date == date(2026, 1, 3)
    assert upcoming_slot(MONTHLY, YEREVAN, slot.send_at).key == "2025-09"
    assert latest_slot(MONTHLY, YEREVAN, slot.send_at).key == "2025-08"


@given(instants, days, days, st.integers(0, 23))
def test_each_month_has_one_slot_drafted_after_its_end(
    now: datetime, one: int, other: int, hour: int
) -> None:
    draft, send = sorted((one, other + 1)) if one != other + 1 else (one, one + 1)
    plan = {"draft_at": f"day {draft} {hour}:00", "send_at": f"day {send} 07:00"}
    edition = in_edition(weekly(monthly=plan), Edition.MONTHLY, PAPER)
    slot = upcoming_slot(edition, YEREVAN, now)
    assert named_slot(edition, YEREVAN, slot.key) == slot
    assert is_month_key(slot.key)
    told = date.fromisoformat(f"{slot.key}-01")
    drafted = slot.draft_at.astimezone(YEREVAN).date()
    # Drafted in the month after the one that it tells of, and sent in the same one.
    following = (told.replace(day=28) + timedelta(days=4)).replace(day=1)
    assert drafted.replace(day=1) == slot.date.replace(day=1) == following
    assert slot.draft_at < slot.send_at
    # Never a slot of the newsletter itself.
    regular = weekly()
    assert upcoming_slot(regular, YEREVAN, now).key != slot.key
    assert edition_with_slot(regular, slot.key, PAPER).edition is Edition.MONTHLY


def test_the_most_read_of_the_month_comes_first_and_the_rest_as_it_was() -> None:
    assert [plan.slug for plan in MONTHLY.sections] == ["top", "latest", "arts"]
    top, latest, arts = MONTHLY.sections
    assert (top.window, top.count, top.max_per_department) == ("last month", 10, 2)
    assert top.title == "Most read stories of the month"
    assert set(top.titles) == {"hy"}
    # Its own title may speak of the week.
    assert (latest.title, latest.count) == ("The newest stories", 5)
    assert arts.window == "last month"
    only_latest = weekly(section=[{"slug": "latest", "kind": "latest", "title": "Latest"}])
    assert [p.kind for p in in_edition(only_latest, Edition.MONTHLY, PAPER).sections] == [
        "most_read",
        "latest",
    ]
    own = [{"slug": "best", "kind": "most_read", "title": "Best"}]
    edition = in_edition(weekly(monthly={"section": own}), Edition.MONTHLY, PAPER)
    assert [plan.slug for plan in edition.sections] == ["best"]


def test_an_edition_stays_one_in_another_language_and_in_a_copy() -> None:
    assert MONTHLY.speaking("hy").edition is Edition.MONTHLY
    assert MONTHLY.model_copy(update={"sections": ()}).edition is Edition.MONTHLY
    assert weekly().edition is Edition.REGULAR
    assert in_edition(weekly(), Edition.REGULAR, PAPER) == weekly()


def test_who_gets_which_edition() -> None:
    regular = weekly()
    assert [one.edition for one in editions_of(regular, PAPER)] == ["regular", "monthly"]
    assert edition_for(regular, Cadence.EACH, PAPER).edition is Edition.REGULAR
    assert edition_for(regular, Cadence.MONTHLY, PAPER).edition is Edition.MONTHLY
    # What comes once a month anyway has no other edition, and goes to all.
    once = weekly(draft_at="day 1 07:00", send_at="day 2 07:00")
    assert [one.edition for one in editions_of(once, PAPER)] == ["regular"]
    assert once.comes_to_all
    assert not MONTHLY.comes_to_all
    assert edition_with_slot(once, "2025-08", PAPER).edition is Edition.REGULAR
    assert once.serves(Cadence.MONTHLY)
    without = weekly(monthly={"offered": False})
    assert [one.edition for one in editions_of(without, PAPER)] == ["regular"]
    assert not without.serves(Cadence.MONTHLY)
    with pytest.raises(UsageError, match=r"newsletter\.monthly"):
        edition_with_slot(without, "2025-08", PAPER)


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        ({"draft_at": "day 5 07:00", "send_at": "day 3 07:00"}, "must come before send_at"),
        ({"draft_at": "day 3 07:00", "send_at": "day 3 07:00"}, "must come before send_at"),
        ({"send_at": "Fri 07:00"}, "more often than once a month"),
        ({"send_at": "day 30 07:00"}, "1 to 28"),
        (
            {"section": [{"slug": "a", "kind": "latest", "title": "A"}] * 2},
            'two section entries have the slug "a"',
        ),
    ],
)
def test_a_plan_that_cannot_be(plan: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        weekly(monthly=plan)
