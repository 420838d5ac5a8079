"""The best of a month: who chose it gets no weekly issue, and one issue a month by the same way."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.issues.model import IssueState
from newsletter.publication.cadence import Cadence, Edition
from tests.cli.conftest import Call
from tests.cli.ticking_house import BEGIN, House, open_house

EACH, MONTHLY = "ani@readers.example", "lilit@readers.example"
# Noon of the first and seven of the third of September in New York.
DRAFTED = datetime(2026, 9, 1, 16, tzinfo=UTC)
SENT = datetime(2026, 9, 3, 11, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def house(tmp_path: Path, call: Call) -> Iterator[House]:
    with open_house(tmp_path, call) as opened:
        yield opened


def test_a_month_of_weeklies_and_then_its_best(house: House) -> None:
    house.at(BEGIN)
    house.add(EACH)
    house.add(MONTHLY, Cadence.MONTHLY)
    for week in range(4):
        friday = datetime(2026, 8, 7, 11, 1, tzinfo=UTC) + timedelta(weeks=week)
        house.at(friday - timedelta(hours=12))
        house.at(friday)
    assert len(house.mail_of(EACH)) == 4
    assert house.mail_of(MONTHLY) == []

    house.at(DRAFTED - MINUTE)
    assert house.issues(Edition.MONTHLY) == []
    house.at(DRAFTED)
    (draft,) = house.issues(Edition.MONTHLY)
    assert (draft.slot, draft.state) == ("2026-08", IssueState.DRAFT)
    assert draft.title == "The best of August"
    assert draft.subject.startswith("The best of August: ")
    # What ran in the weeklies may be among the best of their month.
    ran = {item.story_id for issue in house.issues(Edition.REGULAR) for item in issue.items}
    assert ran & {item.story_id for item in draft.items}

    of_month = ("--newsletter", "weekly", "--slot", "2026-08")
    now = ("--now", DRAFTED.isoformat())
    rehearsed = house.call("issue", "rehearse", *of_month, *now, "--json").json
    assert (rehearsed["audience"], rehearsed["accepted"]) == (1, 1)
    house.call("issue", "check", *of_month, *now, "--no-fetch")
    # Without a slot there is one issue that is under way.
    shown = house.call("issue", "show", *now, "--json").json
    assert (shown["slot"], shown["edition"]) == ("2026-08", "monthly")

    house.at(SENT)
    assert house.mail_of(MONTHLY) == []
    house.call("issue", "approve", *of_month)
    house.at(SENT + MINUTE)
    (subject,) = house.mail_of(MONTHLY)
    assert subject == draft.subject
    assert len(house.mail_of(EACH)) == 4
    report = house.call("issue", "report", *of_month, "--json").json
    assert (report["state"], report["audience"], report["accepted"]) == ("sent", 1, 1)
    (weekly, *_) = house.issues(Edition.REGULAR)
    report = house.call("issue", "report", "--slot", weekly.slot, "--json").json
    assert (report["audience"], report["accepted"]) == (1, 1)
    rows = house.call("issue", "list", "--json").json["issues"]
    assert [row["edition"] for row in rows] == ["monthly", *["regular"] * 4]

    # The next weekly's news begin where the last weekly's ended, not where the month's best did.
    friday = datetime(2026, 9, 4, 11, 1, tzinfo=UTC)
    house.at(friday - timedelta(hours=12))
    (newest, *_) = house.issues(Edition.REGULAR)
    assert newest.covers_from == weekly.covers_until


@pytest.mark.long
def test_nothing_is_drafted_that_nobody_chose(house: House) -> None:
    house.at(BEGIN)
    house.add(EACH)
    house.at(DRAFTED)
    assert house.issues(Edition.MONTHLY) == []
    # Who chooses it only now gets the next one; the last one is nobody's missed issue.
    house.at(SENT + timedelta(days=2))
    assert "Saved." in house.choose(EACH, **{"cadence.weekly": "monthly"})
    house.at(SENT + timedelta(days=3))
    assert house.issues(Edition.MONTHLY) == []
    house.at(datetime(2026, 10, 1, 16, 1, tzinfo=UTC))
    assert [issue.slot for issue in house.issues(Edition.MONTHLY)] == ["2026-09"]


def test_the_best_of_a_month_is_drafted_by_hand_like_any_issue(house: House) -> None:
    house.at(BEGIN)
    house.add(EACH)
    told = ("--consent", "told on paper", "--cadence", "monthly")
    house.call("subscribers", "add", MONTHLY, *told)
    found = house.call("subscribers", "find", MONTHLY, "--json").json["subscriptions"]
    assert [row["cadence"] for row in found] == ["monthly"]
    counted = house.call("subscribers", "count", "cadence = monthly", "--json").json
    assert counted["readers"] == 1
    stats = house.call("subscribers", "stats", "--json").json["newsletters"]["weekly"]
    assert (stats["active"], stats["audience"], stats["monthly_audience"]) == (2, 1, 1)
    reads = "\n".join(
        f"http://paper.example/stories/{number}/,2026-07-28,{number}" for number in range(238, 244)
    )
    (house.folder / "reads.csv").write_text(f"url,date,reads\n{reads}\n", "utf-8")
    now = ("--now", "2026-08-04T12:00:00+00:00")
    house.call("stories", "fetch", *now)
    house.call("reads", "import", "reads.csv", *now)
    made = house.call(
        "issue", "draft", "--slot", "2026-07", "--note", "Hello.", *now, "--json"
    ).json
    assert (made["slot"], made["edition"], made["state"]) == ("2026-07", "monthly", "draft")
    leading = [item for item in made["items"] if item["leads"]]
    assert [(item["section"], item["position"]) for item in leading] == [("most-read", 1)]
    assert "in the last month, first of 6 stories" in " ".join(leading[0]["reasons"])
    again = house.call("issue", "draft", "--slot", "2026-07", *now, status=1)
    assert "has an issue 2026-07 already" in again.err
    house.call("issue", "preview", "--slot", "2026-07", "--out", "looks", *now)
    text = next((house.folder / "looks").glob("**/*.txt")).read_text("utf-8")
    assert "The best of July" in text
    assert "because you chose the best of each month of" in " ".join(text.split())
    # The first of the ranking leads, so that the list below it begins with the second.
    assert "\n2. " in text
    assert "\n1. " not in text.split("The newest stories")[0]


def test_what_is_not_offered_is_said(house: House) -> None:
    text = (house.folder / "config.toml").read_text("utf-8")
    text = text.replace('approval = "required"', "offered = false")
    (house.folder / "config.toml").write_text(text, "utf-8")
    wrong = house.call(
        "subscribers", "add", EACH, "--consent", "x", "--cadence", "monthly", status=2
    )
    assert "weekly does not offer the best of a month" in wrong.err
    wrong = house.call("issue", "draft", "--slot", "2026-07", status=2)
    assert "[newsletter.monthly] offered = true" in wrong.err
    rows = f"email,cadence\n{EACH},each\n{MONTHLY},monthly\nx@readers.example,often\n"
    (house.folder / "list.csv").write_text(rows, "utf-8")
    answer = house.call("subscribers", "import", "list.csv", "--consent", "x", "--json", status=1)
    assert answer.json["outcomes"]["added"] == 1
    sentences = {row["line"]: row["sentence"] for row in answer.json["refused_rows"]}
    assert "does not offer the best of a month" in sentences[3]
    assert 'the cadence "often" is not known; write each or monthly' in sentences[4]
