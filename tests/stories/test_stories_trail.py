"""What a story's trail says after each poll."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from newsletter.sources.model import SourceItem
from newsletter.stories.merge import MergeResult, merge_items
from newsletter.stories.model import Story, TrailKind

ZONE = ZoneInfo("America/New_York")
NOW = datetime(2025, 8, 5, 16, tzinfo=UTC)
ITEM = SourceItem(
    title="The mill turns",
    url="https://paper.example/2025/mill/",
    native_id="7",
    html="<p>The mill turns again after forty years.</p>",
    published_at=NOW - timedelta(hours=30),
    modified_at=NOW - timedelta(hours=29),
)


def merge(item: SourceItem, *known: Story, source: str = "site") -> MergeResult:
    return merge_items([item], source, known, ZONE, NOW)


KNOWN = merge(ITEM).saved[0]


def kinds(result: MergeResult) -> list[str]:
    return [entry.kind.value for entry in result.trail]


def test_a_new_story_was_seen() -> None:
    (entry,) = merge(ITEM).trail
    assert (entry.story_id, entry.at, entry.source) == (KNOWN.public_id, NOW, "site")
    assert (entry.kind, entry.before, entry.after) == (TrailKind.SEEN, "", KNOWN.url)


def test_the_same_again_leaves_no_trail() -> None:
    assert merge(ITEM, KNOWN).trail == ()


@pytest.mark.parametrize(
    ("change", "kind", "before", "after"),
    [
        ({"title": "The mill stops"}, "retitled", "The mill turns", "The mill stops"),
        (
            {"url": "https://paper.example/2025/stop/"},
            "moved",
            "https://paper.example/2025/mill/",
            "https://paper.example/2025/stop/",
        ),
        ({"hidden": "password"}, "hidden", "", "password"),
        ({"categories": ("Region",)}, "departments", "", "Region"),
        ({"author": "Ani Hakobyan"}, "byline", "", "Ani Hakobyan"),
        (
            {"published_at": NOW + timedelta(days=2)},
            "embargoed",
            (NOW - timedelta(hours=30)).isoformat(),
            (NOW + timedelta(days=2)).isoformat(),
        ),
        (
            {"published_at": NOW - timedelta(hours=20)},
            "redated",
            (NOW - timedelta(hours=30)).isoformat(),
            (NOW - timedelta(hours=20)).isoformat(),
        ),
    ],
)
def test_one_change_one_line(change: dict[str, object], kind: str, before: str, after: str) -> None:
    result = merge(replace(ITEM, modified_at=NOW, **change), KNOWN)  # type: ignore[arg-type]
    assert [(e.kind.value, e.before, e.after) for e in result.trail] == [(kind, before, after)]


def test_a_text_that_grew() -> None:
    result = merge(replace(ITEM, modified_at=NOW, html=ITEM.html + "<p>And it grinds.</p>"), KNOWN)
    assert [(e.kind.value, e.before, e.after) for e in result.trail] == [
        ("rewritten", "7 words", "10 words")
    ]


def test_hidden_and_shown_again() -> None:
    hidden = merge(replace(ITEM, hidden="password"), KNOWN).saved[0]
    result = merge(ITEM, hidden)
    assert [(e.kind.value, e.before) for e in result.trail] == [("shown", "password")]


def test_another_source_that_knows_it_better() -> None:
    feed = merge(replace(ITEM, native_id=None, guid=ITEM.url), source="feed").saved[0]
    assert kinds(merge(ITEM, feed)) == ["taken over"]


def test_an_embargoed_story_says_so_at_once() -> None:
    result = merge(replace(ITEM, published_at=NOW + timedelta(days=1), hidden="future"))
    assert kinds(result) == ["seen", "hidden", "embargoed"]
