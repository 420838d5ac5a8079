"""Paired fixtures: what a source wrote, beside what it must become."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from newsletter.sources.article import read_article
from newsletter.sources.model import SourceItem
from newsletter.stories.byline import read_byline
from newsletter.stories.credit import split_credit
from newsletter.stories.excerpt import make_excerpt
from newsletter.stories.merge import merge_items

DATA = Path(__file__).parent.parent / "data" / "stories"
NOW = datetime(2025, 8, 5, 12, tzinfo=UTC)


def read(name: str) -> Any:
    return json.loads((DATA / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize(("line", "writer"), read("bylines.json"))
def test_byline(line: str, writer: str) -> None:
    assert read_byline(line) == writer


@pytest.mark.parametrize(("text", "caption", "credit"), read("credits.json"))
def test_credit(text: str, caption: str, credit: str) -> None:
    assert split_credit(text) == (caption, credit)


@pytest.mark.parametrize("case", read("excerpts.json"), ids=lambda case: case["name"])
def test_excerpt(case: dict[str, Any]) -> None:
    assert make_excerpt(case["own"], case["paragraphs"]) == case["excerpt"]


@pytest.mark.parametrize("name", ["lazy_pictures", "old_breaks", "armenian"])
def test_story_of_a_page(name: str) -> None:
    expected = read(f"{name}.json")
    item = SourceItem(
        url="https://paper.example/2025/08/story",
        html=(DATA / f"{name}.html").read_text(encoding="utf-8"),
        published_at=NOW,
        **expected["item"],
    )
    result = merge_items([item], "paper", [], ZoneInfo("America/New_York"), NOW)
    story = asdict(result.saved[0])
    assert {key: story[key] for key in expected["story"]} == expected["story"]
    picture = expected["picture"]
    assert story["picture"] == (picture and {**picture, "files": (), "focus": None})


@pytest.mark.parametrize("name", ["arabic", "armenian", "russian"])
def test_story_of_a_bare_page(name: str) -> None:
    """From the bytes of a page with metadata alone; two are in the charsets of their scripts."""
    pages = DATA.parent / "sources" / "pages"
    item = read_article((pages / f"{name}.html").read_bytes(), f"https://paper.example/{name}")
    assert isinstance(item, SourceItem)
    (story,) = merge_items([item], "paper", [], ZoneInfo("Asia/Yerevan"), NOW).saved
    expected = json.loads((pages / f"{name}.json").read_text(encoding="utf-8"))
    told = asdict(story)
    told["published_at"] = story.published_at.isoformat()
    assert (told["picture"].pop("files"), told["picture"].pop("focus")) == ((), None)
    assert {key: told[key] for key in expected} == {
        key: tuple(value) if isinstance(value, list) else value for key, value in expected.items()
    }
