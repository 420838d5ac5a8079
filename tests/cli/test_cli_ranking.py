"""Choosing at the command line: the explained draft, an editor's wishes, past weeks replayed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.clock import ShiftedClock
from newsletter.config import load_config
from newsletter.issues.model import Issue, IssueState, Item, Section
from newsletter.sources.model import ReadKind
from newsletter.stories.canonical import title_key
from newsletter.stories.model import Story
from newsletter.workflows.opening import open_installation
from tests.acceptance.command_line import write_config
from tests.cli.conftest import Call

NOW = datetime(2025, 8, 7, 16, tzinfo=UTC)
AT = ("--now", NOW.isoformat())
SECTIONS = """
max_per_department = 2
[[newsletter.section]]
slug = "pick"
kind = "editors_pick"
title = "The editors’ pick"
[[newsletter.section]]
slug = "rising"
kind = "rising"
title = "Rising"
count = 2
"""
WORDS = ("apricot", "bridge", "choir", "dam", "eagle", "fair", "goat", "harvest", "ink", "jazz")


def a_story(number: int, published_at: datetime, department: str) -> Story:
    title = f"{WORDS[number % 10].title()} {WORDS[number // 10 % 10]} number {number}"
    return Story(
        public_id=f"s{number}",
        source="site",
        url=f"https://paper.example/stories/?p={number}",
        title=title,
        published_at=published_at,
        first_seen_at=published_at,
        title_key=title_key(title),
        published_on=published_at.date(),
        departments=(department,) if department else (),
    )


def keep(folder: Path, stories: list[Story], reads: dict[str, list[int]]) -> None:
    """Store ``stories``, each with its reads by day from the day it came out on."""
    rows = [
        (story.public_id, story.published_at.date() + timedelta(days=day), ReadKind.VIEWS, count)
        for story in stories
        for day, count in enumerate(reads.get(story.public_id, ()))
    ]
    clock = ShiftedClock(NOW)
    with (
        open_installation(load_config(folder / "config.toml", {}), clock) as installation,
        installation.database.write() as tx,
    ):
        tx.stories.save(stories)
        tx.reads.put_days("by-hand", rows)


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    """Two dozen stories of a week, counted; two sections besides the usual ones."""
    path = write_config(tmp_path, feed="https://paper.example/feed/", port=2525)
    path.write_text(path.read_text(encoding="utf-8") + SECTIONS, encoding="utf-8")
    stories = [
        a_story(n, NOW - timedelta(hours=7 * n + 1), ("Arts", "Region", "Sport")[n % 3])
        for n in range(24)
    ]
    keep(tmp_path, stories, {f"s{n}": [10 + 37 * (n % 5)] * (n // 3) for n in range(24)})
    return tmp_path


def draft(call: Call, folder: Path, *more: str) -> dict[str, object]:
    answer = call(folder, "issue", "draft", "--no-fetch", "--json", *AT, *more)
    assert answer.status == 0, answer.err
    return dict(answer.json)


def test_every_item_carries_its_score_and_what_lost_its_reason(call: Call, paper: Path) -> None:
    document = draft(call, paper)
    items = document["items"]
    assert isinstance(items, list)
    (lead,) = [item for item in items if item["leads"]]
    assert lead["section"] == "latest"
    assert all(item["score"] > 0 for item in items)
    rising = [item for item in items if item["section"] == "rising"]
    assert len(rising) == 2
    assert "so far, about" in rising[0]["reasons"][0]
    assert "by score" in rising[0]["reasons"][1]
    assert rising[0]["score"] >= rising[1]["score"]
    over = document["passed_over"]
    assert isinstance(over, list)
    assert over
    assert all({"story", "reads", "score", "reason"} <= found.keys() for found in over)
    shown = call(paper, "issue", "draft", "--no-fetch", "--explain", *AT, "--slot", "2025-W32.x1")
    assert shown.status == 0, shown.err
    assert "Most read stories of the month" in shown.out
    assert f"{lead['headline']} [lead]" in " ".join(shown.out.split())


def test_an_old_story_is_not_said_to_lose_reads(call: Call, tmp_path: Path) -> None:
    path = write_config(tmp_path, feed="https://paper.example/feed/", port=2525)
    text, missed = path.read_text(encoding="utf-8"), 'kind = "you_may_have_missed"\ncount = 1'
    path.write_text(text.replace('kind = "most_read"', missed), encoding="utf-8")
    stories = [a_story(n, NOW - timedelta(days=24 + n, hours=1), "") for n in range(2)]
    keep(tmp_path, [*stories, a_story(5, NOW, "")], {"s0": [1_000, 241], "s1": [900, 41]})
    document = draft(call, tmp_path)
    items, over = document["items"], document["passed_over"]
    assert isinstance(items, list)
    assert isinstance(over, list)
    (item,) = [item for item in items if item["section"] == "most-read"]
    assert item["reasons"][0] == "1,241 reads so far, almost all it will get."
    assert [p["reason"] for p in over if p["section"] == "most-read"] == [
        "lower score: 941 reads, almost all it will get"
    ]


def test_a_section_that_found_nothing_says_why(call: Call, tmp_path: Path) -> None:
    path = write_config(tmp_path, feed="https://paper.example/feed/", port=2525)
    missed = '[[newsletter.section]]\nslug = "m"\nkind = "you_may_have_missed"\ntitle = "Missed"\n'
    path.write_text(path.read_text(encoding="utf-8") + missed, encoding="utf-8")
    young = [a_story(n, NOW - timedelta(hours=n + 1), "") for n in range(3)]
    keep(tmp_path, young, {})
    assert "“Missed” was left out: no reads are known." in str(draft(call, tmp_path)["notices"])
    with (
        open_installation(load_config(path, {}), ShiftedClock(NOW)) as installation,
        installation.database.write() as tx,
    ):
        tx.reads.put_days("by-hand", [("s0", NOW.date(), ReadKind.VIEWS, 40)])
    notices = draft(call, tmp_path, "--slot", "2025-W32.x1")["notices"]
    assert notices == [
        "“Missed” was left out: no story of its window is old enough to be no news any more."
    ]


def test_a_limit_that_gave_way_is_told(call: Call, tmp_path: Path) -> None:
    path = write_config(tmp_path, feed="https://paper.example/feed/", port=2525)
    limits = "max_per_department = 1\nminimum = 3\n"
    path.write_text(path.read_text(encoding="utf-8") + limits, encoding="utf-8")
    keep(tmp_path, [a_story(n, NOW - timedelta(hours=n + 1), "Arts") for n in range(6)], {})
    document = draft(call, tmp_path)
    limit = "three of one department may come instead of one"
    assert document["relaxed"] == [{"section": "latest", "limit": limit}]
    assert f"In “Latest articles of the week” {limit}." in document["notices"]
    assert f"* {limit}" in call(tmp_path, "issue", "show", *AT).out


def test_pins_exclusions_and_holds(call: Call, paper: Path) -> None:
    document = draft(
        call,
        paper,
        *("--pin", "https://paper.example/stories/?p=7"),
        *("--pin", "latest/2=s3"),
        *("--exclude", "s1"),
        *("--hold", "https://paper.example/stories/?p=0#top"),
    )
    items = document["items"]
    assert isinstance(items, list)
    places = {f"{item['section']}/{item['position']}": item["story"] for item in items}
    assert places["pick/1"] == "s7"
    assert places["latest/2"] == "s3"
    assert not {"s0", "s1"} & set(places.values())
    assert document["held_over"] == ["s0"]
    pinned = next(item for item in items if item["section"] == "pick")
    assert pinned["reasons"][0] == "Pinned by an editor."


def test_what_is_held_comes_in_the_next_issue(call: Call, paper: Path) -> None:
    draft(call, paper, "--hold", "s2")
    assert call(paper, "issue", "approve", *AT).status == 0
    with (
        open_installation(
            load_config(paper / "config.toml", {}), ShiftedClock(NOW)
        ) as installation,
        installation.database.write() as tx,
    ):
        (issue,) = tx.issues.recent("weekly", 1)
        for to, come_from in (("sending", "approved"), ("sent", "sending")):
            states = type(issue.state)
            tx.issues.move(issue.public_id, {states(come_from)}, states(to), "test", NOW)
    later = (NOW + timedelta(days=7)).isoformat()
    answer = call(paper, "issue", "draft", "--no-fetch", "--json", "--now", later)
    assert answer.status == 0, answer.err
    latest = [item for item in answer.json["items"] if item["section"] == "latest"]
    assert [item["story"] for item in latest] == ["s2"]
    assert latest[0]["reasons"][-1] == "An editor held it over from the last issue."


@pytest.mark.parametrize(
    ("wish", "status", "says"),
    [
        (["--pin", "s99"], 1, 'there is no story "s99"'),
        (["--pin", "nowhere/1=s1"], 1, 'has no section "nowhere", only most-read, latest'),
        (["--pin", "latest/13=s1"], 2, "there is no place latest/13; latest has 12"),
        (["--pin", "latest/0=s1"], 2, "there is no place latest/0"),
        (["--pin", "latest/1=s1", "--pin", "latest/1=s2"], 2, "two stories are pinned to latest/1"),
        (["--pin", "s1", "--pin", "latest=s1"], 2, "one story is pinned to two places"),
        (["--pin", "s1", "--hold", "s1"], 2, "can't be excluded or held too"),
        (["--exclude", "https://elsewhere.example/"], 1, "there is no story"),
    ],
)
def test_wishes_that_cant_be(
    call: Call, paper: Path, wish: list[str], status: int, says: str
) -> None:
    answer = call(paper, "issue", "draft", "--no-fetch", *AT, *wish)
    assert (answer.status, len(answer.err.strip().splitlines())) == (status, 1)
    assert says in answer.err
    # Nothing was kept.
    assert "no issue yet" in call(paper, "issue", "show", *AT).err


def test_a_pick_without_a_section_for_it(call: Call, tmp_path: Path) -> None:
    write_config(tmp_path, feed="https://paper.example/feed/", port=2525)
    keep(tmp_path, [a_story(1, NOW, "")], {})
    answer = call(tmp_path, "issue", "draft", "--no-fetch", *AT, "--pin", "s1")
    assert answer.status == 2
    assert "say where it goes, such as --pin most-read/1=s1" in answer.err


def test_more_stories_are_looked_at_where_caps_use_the_first_up(call: Call, tmp_path: Path) -> None:
    path = write_config(tmp_path, feed="https://paper.example/feed/", port=2525)
    path.write_text(path.read_text(encoding="utf-8") + "max_per_department = 2\n", encoding="utf-8")
    stories = [
        a_story(n, NOW - timedelta(minutes=10 * (n + 1)), "Region" if n == 699 else "Arts")
        for n in range(700)
    ]
    keep(tmp_path, stories, {f"s{n}": [3000 - n] for n in range(700)})
    items = draft(call, tmp_path)["items"]
    assert isinstance(items, list)
    # The 700th of its section is the only one of its department.
    assert [item["story"] for item in items if item["section"] == "latest"] == ["s5", "s6", "s699"]


def history(folder: Path, weeks: int, syndicated: int | None = None) -> None:
    """Ten stories a week for ``weeks`` weeks before NOW; the third of each is read most.

    That of place ``syndicated`` is another paper's.
    """
    start = NOW - timedelta(days=7 * weeks)
    stories, reads = [], {}
    for number in range(10 * weeks):
        week, place = divmod(number, 10)
        published = start + timedelta(days=7 * week, hours=16 * place)
        story = a_story(number, published, ("Arts", "Region", "Sport")[number % 3])
        wire = "The Wire" if place == syndicated else ""
        stories.append(replace(story, syndicated_from=wire))
        size = 900 if place == 3 else 20 + 7 * place
        reads[f"s{number}"] = [int(size * 0.8**day) for day in range(28)]
    keep(folder, stories, reads)


def test_past_weeks_are_replayed(call: Call, tmp_path: Path) -> None:
    write_config(tmp_path, feed="https://paper.example/feed/", port=2525)
    history(tmp_path, 20)
    answer = call(tmp_path, "stories", "evaluate", "--json", "--choose", "3", *AT)
    assert answer.status == 0, answer.err
    document = answer.json
    assert document["chosen"] == 3
    assert len(document["weeks"]) == 15
    assert document["weeks"] == sorted(document["weeks"])
    assert 0 < document["learned_weeks"] < 15
    rules = {rule["verdict"]["rule"]: rule for rule in document["rules"]}
    ours, chance = rules["as we choose"], rules["random"]
    assert ours["verdict"]["eventual"]["low"] > chance["verdict"]["eventual"]["high"]
    assert (ours["duplicates"], ours["verdict"]["repeats"]) == (0, 0)
    assert rules["total so far"]["verdict"]["repeats"] > 0
    # Every week's winner is among the choices of the first week in which it can be.
    chosen = [set(week) for week in ours["verdict"]["chosen"]]
    assert all(any(int(key[1:]) % 10 == 3 for key in week) for week in chosen)
    same = call(tmp_path, "stories", "evaluate", "--json", "--choose", "3", *AT)
    assert same.out == answer.out
    table = call(tmp_path, "stories", "evaluate", *AT)
    assert table.out.startswith("15 weeks from ")
    assert "half-life 24 h" in table.out


def test_a_replay_keeps_the_paper_s_own_rules(call: Call, tmp_path: Path) -> None:
    path = write_config(tmp_path, feed="https://paper.example/feed/", port=2525)
    caps = "max_per_department = 1\n[newsletter.ranking]\n"
    rules = 'exclude_departments = ["Sport"]\nsyndicated = "exclude"\n'
    path.write_text(path.read_text(encoding="utf-8") + caps + rules, encoding="utf-8")
    history(tmp_path, 20, syndicated=3)
    answer = call(tmp_path, "stories", "evaluate", "--json", "--choose", "2", *AT)
    assert answer.status == 0, answer.err
    weeks = {
        rule["verdict"]["rule"]: [
            [int(key[1:]) for key in week] for week in rule["verdict"]["chosen"]
        ]
        for rule in answer.json["rules"]
    }
    # Sport is every third story, and each week's winner is another paper's.
    for chosen in weeks.values():
        assert all(number % 3 != 2 and number % 10 != 3 for week in chosen for number in week)
    assert all(sorted(n % 3 for n in week) == [0, 1] for week in weeks["as we choose"])


def send_issues(folder: Path, picks: dict[datetime, list[int]]) -> None:
    """Issues that were drafted and sent at those instants with those stories."""
    clock = ShiftedClock(NOW)
    with (
        open_installation(load_config(folder / "config.toml", {}), clock) as installation,
        installation.database.write() as tx,
    ):
        for number, (drafted, stories) in enumerate(picks.items()):
            items = tuple(
                Item(f"s{story}", at, f"Story {story}", f"https://paper.example/{story}")
                for at, story in enumerate(stories, 1)
            )
            issue = Issue(
                public_id=f"issue{number:011}",
                newsletter="weekly",
                slot=f"{drafted:%G-W%V}",
                state=IssueState.SENT,
                date=drafted.date() + timedelta(days=1),
                send_at=drafted + timedelta(hours=19),
                covers_from=drafted - timedelta(days=7),
                covers_until=drafted,
                title="Top Stories",
                subject="Stories",
                preheader="",
                sections=(Section("latest", "latest", "Latest", "", items),),
                language="en",
            )
            assert tx.issues.create(issue, drafted, "test")


def test_what_past_issues_had_is_judged_beside_the_rules(call: Call, tmp_path: Path) -> None:
    write_config(tmp_path, feed="https://paper.example/feed/", port=2525)
    history(tmp_path, 20)
    before = call(tmp_path, "stories", "evaluate", *AT)
    assert "0 of these weeks had an issue of yours" in before.err
    # Drafted on Tuesdays, while NOW is a Thursday: each with the three of its week read least.
    tuesdays = [NOW - timedelta(days=7 * week + 2, hours=1) for week in range(5, 11)]
    week_of = {day: (day - (NOW - timedelta(days=140))).days // 7 for day in tuesdays}
    send_issues(tmp_path, {day: [10 * week_of[day] + at for at in range(3)] for day in tuesdays})
    answer = call(tmp_path, "stories", "evaluate", "--json", "--choose", "3", *AT)
    assert answer.status == 0, answer.err
    document = answer.json
    assert document["issues"] == 6
    assert all(datetime.fromisoformat(week).weekday() == 1 for week in document["weeks"])
    rules = {rule["verdict"]["rule"]: rule["verdict"] for rule in document["rules"]}
    sent = rules["as we sent"]
    assert [len(week) for week in sent["chosen"]] == [3] * 6
    assert sent["eventual"]["high"] < 0.2 < rules["as we choose"]["eventual"]["low"]
    assert sent["over_total"]["eventual"]["high"] < 0
    table = call(tmp_path, "stories", "evaluate", *AT)
    assert "as we sent" in table.out
    assert '"as we sent" is what your issues had in 6 of these weeks' in table.err


def test_a_history_too_short_to_replay(call: Call, tmp_path: Path) -> None:
    write_config(tmp_path, feed="https://paper.example/feed/", port=2525)
    answer = call(tmp_path, "stories", "evaluate", *AT)
    assert answer.status == 1
    assert "0 past weeks can be replayed and 4 are the least" in answer.err
    assert "there are none" in answer.err
    history(tmp_path, 8)
    answer = call(tmp_path, "stories", "evaluate", *AT)
    assert answer.status == 1
    assert "they begin on 2025-06-12" in answer.err


def test_a_replay_sees_nothing_of_its_future(call: Call, tmp_path: Path) -> None:
    """What comes after a week changes what the week is judged by, and not what was chosen."""
    write_config(tmp_path, feed="https://paper.example/feed/", port=2525)
    history(tmp_path, 14)

    def choices() -> dict[str, list[str]]:
        answer = call(tmp_path, "stories", "evaluate", "--json", *AT)
        weeks = answer.json["weeks"]
        rules = [r["verdict"] for r in answer.json["rules"] if r["verdict"]["rule"] != "random"]
        return {
            f"{rule['rule']} {week}": picked
            for rule in rules
            for week, picked in zip(weeks, rule["chosen"], strict=True)
        }

    before = choices()
    last = max(key.rpartition(" ")[2] for key in before)
    cut = datetime.fromisoformat(last).date()
    with (
        open_installation(
            load_config(tmp_path / "config.toml", {}), ShiftedClock(NOW)
        ) as installation,
        installation.database.write() as tx,
    ):
        tx.reads.put_days(
            "by-hand",
            [
                (f"s{n}", cut + timedelta(days=day), ReadKind.VIEWS, (n * 7919) % 5_000)
                for n in range(140)
                for day in range(20)
            ],
        )
    after = choices()
    assert after == before
