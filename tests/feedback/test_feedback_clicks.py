"""Which clicks are a person's, and what many come to."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.feedback.clicks import (
    BURST_STORIES,
    BURST_WITHIN,
    SOONEST_PERSON,
    judge_readers_clicks,
    sum_by_day,
    sum_by_reader,
)
from newsletter.feedback.model import Addressee, Click, ClickSum, ReaderClicks

NOON = datetime(2025, 8, 5, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LINKS = {f"link{n}": ("issue1", f"story{n // 2}") for n in range(20)}
MAILS = {("mail1", "anna"): Addressee("issue1", NOON), ("mail1", "bob"): Addressee("issue1", None)}


def click(link: int, at: datetime, recipient: str = "anna", **changes: object) -> Click:
    made = Click(f"link{link}", at, by_machine=False, mailing="mail1", recipient=recipient)
    return made._replace(**changes)


LATE = click(0, NOON + timedelta(hours=1))


def judge(*clicks: Click) -> list[bool]:
    """Whether each is a machine's; ValueError where one was left out."""
    judged = judge_readers_clicks(clicks, MAILS, LINKS)
    assert len(judged) == len(clicks)
    return [one.by_machine for one in judged]


@pytest.mark.parametrize(
    ("after", "machine"), [(SECOND, True), (SOONEST_PERSON, False), (timedelta(days=9), False)]
)
def test_who_clicks_before_the_mail_can_be_read_is_a_machine(
    after: timedelta, machine: bool
) -> None:
    assert judge(click(0, NOON + after)) == [machine]
    assert judge(click(0, NOON + after, "bob")) == [False]


def test_many_stories_at_once_are_a_machines_and_one_story_often_is_not() -> None:
    later = NOON + timedelta(hours=1)
    burst = [click(2 * n, later + SECOND * (n % 2)) for n in range(BURST_STORIES)]
    assert judge(*burst) == [True] * BURST_STORIES
    assert judge(*burst[:-1]) == [False] * (BURST_STORIES - 1)
    assert judge(*(click(n % 2, later) for n in range(10))) == [False] * 10
    slow = [click(2 * n, later + (BURST_WITHIN / 2) * n) for n in range(8)]
    assert judge(*slow) == [False] * 8
    others = [click(2 * n, later, "anna" if n % 2 else "bob") for n in range(BURST_STORIES)]
    assert judge(*others) == [False] * BURST_STORIES


def test_what_is_a_machines_already_stays_so() -> None:
    later = NOON + timedelta(hours=1)
    assert judge(click(0, later, by_machine=True), click(1, later)) == [True, False]


@pytest.mark.parametrize(
    "stray",
    [LATE._replace(mailing="mail2"), LATE._replace(recipient="x"), LATE._replace(link="elsewhere")],
)
def test_what_does_not_fit_together_is_nobodys(stray: Click) -> None:
    links = LINKS | {"elsewhere": ("issue2", "story1")}
    assert judge_readers_clicks([LATE], MAILS, links) == [LATE]
    assert judge_readers_clicks([stray], MAILS, links) == []


CLICKS = st.lists(
    st.builds(
        click,
        st.integers(0, 19),
        st.integers(0, 200_000).map(lambda seconds: NOON + SECOND * seconds),
        st.sampled_from(["anna", "bob"]),
        by_machine=st.booleans(),
    ),
    max_size=40,
)


@given(CLICKS)
def test_judging_and_adding_up_lose_nothing(clicks: list[Click]) -> None:
    judged = judge_readers_clicks(clicks, MAILS, LINKS)
    assert sorted(one._replace(by_machine=False) for one in judged) == sorted(
        one._replace(by_machine=False) for one in clicks
    )
    assert sum(one.by_machine for one in judged) >= sum(one.by_machine for one in clicks)
    days = sum_by_day(judged, ZoneInfo("Asia/Yerevan")).values()
    readers = sum_by_reader(judged)
    people = sum(not one.by_machine for one in judged)
    assert sum(day.clicks for day in days) == sum(one.clicks for one in readers) == people
    machines = len(judged) - people
    assert sum(day.machine_clicks for day in days) == machines
    assert sum(one.machine_clicks for one in readers) == machines


def test_days_are_the_papers() -> None:
    late = datetime(2025, 8, 5, 21, tzinfo=UTC)
    clicks = [click(0, NOON), click(0, late), click(0, late, by_machine=True)]
    assert sum_by_day(clicks, ZoneInfo("Asia/Yerevan")) == {
        ("link0", date(2025, 8, 5)): ClickSum(1, 0),
        ("link0", date(2025, 8, 6)): ClickSum(1, 1),
    }
    assert sum_by_reader(clicks) == [ReaderClicks("anna", "link0", 2, 1, NOON, late)]
