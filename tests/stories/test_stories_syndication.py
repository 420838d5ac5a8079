"""Which notes tell that a story was another publication's first."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.sources.model import SourceItem
from newsletter.stories.merge import merge_items
from newsletter.stories.model import Story, TrailKind
from newsletter.stories.syndication import TextLink, find_origin, is_origin_note

DATA = Path(__file__).parent.parent / "data" / "stories"
NOW = datetime(2025, 8, 5, 12, tzinfo=UTC)
TEXT = (
    "<p>By Arshaluys Barseghyan</p><p>The mill by the river turns again after forty years, and the "
    "baker has the first flour.</p><p>Nobody in the valley had expected it.</p>"
)
ITEM = SourceItem(
    title="The mill turns",
    url="https://paper.example/mill/",
    native_id="7",
    html=TEXT,
    published_at=NOW,
    modified_at=NOW,
)


def story_of(item: SourceItem, *known: Story) -> Story:
    return merge_items([item], "site", known, ZoneInfo("UTC"), NOW).saved[0]


@pytest.mark.parametrize(
    ("note", "name", "url"), json.loads((DATA / "origins.json").read_text(encoding="utf-8"))
)
@pytest.mark.parametrize("place", ["end", "head"])
def test_a_note_at_either_end(note: str, name: str, url: str, place: str) -> None:
    html = TEXT + note if place == "end" else note + TEXT
    story = story_of(replace(ITEM, html=html))
    assert (story.syndicated_from, story.syndicated_url) == (name, url)
    if name:
        assert story.excerpt.startswith("The mill by the river turns")
        assert story.byline == "Arshaluys Barseghyan"


def test_a_note_amid_a_long_text_is_prose() -> None:
    html = TEXT * 4 + "<p>This story was originally published on OC Media.</p>" + TEXT * 4
    assert story_of(replace(ITEM, html=html)).syndicated_from == ""


def test_a_canonical_address_elsewhere() -> None:
    story = story_of(replace(ITEM, canonical_url="https://www.wire.example/mill"))
    assert (story.syndicated_from, story.syndicated_url) == (
        "wire.example",
        "https://www.wire.example/mill",
    )
    for own in ("https://www.paper.example/mill/", "https://amp.paper.example/mill/"):
        assert story_of(replace(ITEM, canonical_url=own)).syndicated_from == ""


def test_the_attribution_outlives_a_poll_without_the_text() -> None:
    known = story_of(replace(ITEM, html=TEXT + "<p>First published by Wire Asia.</p>"))
    assert known.syndicated_from == "Wire Asia"
    later = story_of(replace(ITEM, html="", title="The mill turns on"), known)
    assert later.syndicated_from == "Wire Asia"


def test_the_trail_tells_of_it() -> None:
    html = TEXT + "<p>First published by Wire Asia.</p>"
    trail = merge_items([replace(ITEM, html=html)], "site", [], ZoneInfo("UTC"), NOW).trail
    assert [(entry.kind, entry.after) for entry in trail] == [
        (TrailKind.SEEN, "https://paper.example/mill/"),
        (TrailKind.SYNDICATED, "Wire Asia"),
    ]


@given(
    st.lists(
        st.sampled_from(
            [
                *("This story was ", "originally published ", "on ", "by ", "first ", "in "),
                *("republished from ", "OC Media", "2015", ".", " (", ")", "«Х»", "впервые "),
                *("опубликован на ", "նյութը առաջին անգամ հրապարակվել է ", "نُشر لأول مرة في "),
                *("here", "\x00", "the print edition", "“", "”"),
            ]
        ),
        max_size=12,
    ).map("".join)
    | st.text()
)
def test_any_note_gives_a_short_name(text: str) -> None:
    links = [TextLink(text, "https://wire.example/"), TextLink("here", "http://[broken")]
    origin = find_origin([text], links, url="https://paper.example/x")
    assert len(origin.name) <= max(60, len("wire.example"))
    if origin.name:
        assert is_origin_note(text)
