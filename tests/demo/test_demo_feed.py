"""The demo paper's feed, as feedparser and as our own rooms read it."""

import re
from datetime import UTC, datetime

import feedparser
import pytest

from newsletter.demo.feed import write_feed
from newsletter.demo.paper import ZONE, Paper
from newsletter.sources.feeds import parse_feed, read_feed_profile
from newsletter.stories.model import Story
from newsletter.stories.record import keys_of, read_text, tell_story

NOW = datetime(2025, 8, 5, 19, tzinfo=UTC)
PAPER = Paper.at(NOW)
SITE = "https://paper.example"
FEED = write_feed(PAPER, SITE, "https://news.paper.example/subscribe/weekly?a=1&b=2")


@pytest.fixture(scope="module")
def told() -> list[Story]:
    """The stories as we believe them after reading the feed."""
    batch = parse_feed(FEED.body, f"{SITE}/feed/", "application/rss+xml")
    assert batch.problems == ()
    return [
        tell_story(
            item, keys_of(item, "paper", ZONE, NOW), read_text(item, item.url or ""), ZONE, NOW
        )
        for item in batch.items
    ]


def test_feedparser_reads_every_story_with_all_its_parts() -> None:
    feed = feedparser.parse(FEED.body)
    assert not feed.bozo
    assert len(feed.entries) == len(PAPER.stories)
    for entry, story in zip(feed.entries, PAPER.stories, strict=True):
        manuscript = story.manuscript
        assert entry.title == manuscript.headline
        assert entry.link == SITE + story.path
        assert entry.author == manuscript.author
        # Media RSS has a description too, which must not take the story's place.
        assert entry.get("summary", "") == manuscript.standfirst or not manuscript.standfirst
        names = [tag.term for tag in entry.tags]
        assert names == [*manuscript.departments, *manuscript.tags]
        assert datetime(*entry.published_parsed[:6], tzinfo=UTC) == story.published_at
        if manuscript.picture:
            picture = entry.media_content[0]
            assert picture["url"] == SITE + story.picture_path
            assert (picture["width"], picture["height"]) == ("1200", "800")
        else:
            assert "media_content" not in entry
    assert len({entry.id for entry in feed.entries}) == len(feed.entries)


def test_we_read_name_language_and_stories(told: list[Story]) -> None:
    profile = read_feed_profile(FEED.body, f"{SITE}/feed/", "application/rss+xml")
    assert profile.name == "The Araks Courier"
    assert [story.title for story in told] == [s.manuscript.headline for s in PAPER.stories]
    assert [story.published_at for story in told] == [s.published_at for s in PAPER.stories]
    assert sum(story.language == "hy" for story in told) == 2


def test_the_writer_named_in_the_text_goes_before_the_house(told: list[Story]) -> None:
    by_title = {story.title: story for story in told}
    for printed in PAPER.stories:
        story = by_title[printed.manuscript.headline]
        first = printed.manuscript.paragraphs[0]
        if re.fullmatch(r"By [A-Z]\w+ [A-Z]\w+", first):
            assert story.byline == first.removeprefix("By ")
            assert story.house_author == "The Araks Courier"
    assert sum(story.byline == "The Araks Courier" for story in told) == 1


def test_prompts_and_captions_stay_out_of_the_excerpts(told: list[Story]) -> None:
    for story in told:
        assert story.excerpt
        assert "inbox" not in story.excerpt
        assert "photo" not in story.excerpt.lower()


def test_pictures_keep_their_words(told: list[Story]) -> None:
    for story, printed in zip(told, PAPER.stories, strict=True):
        drawn = printed.manuscript.picture
        assert (story.picture is None) == (drawn is None)
        if story.picture and drawn:
            assert story.picture.alt == drawn.alt
            assert story.picture.credit == drawn.parted[1] or not drawn.parted[1]
            assert story.picture.caption in drawn.caption


def test_an_address_with_signs_of_markup_stays_whole() -> None:
    html = parse_feed(FEED.body, f"{SITE}/feed/", "application/rss+xml").items
    linked = [item.html for item in html if "newsletter-prompt" in item.html]
    assert len(linked) >= 8
    assert all("subscribe/weekly?a=1&amp;b=2" in each for each in linked)


def test_the_same_paper_writes_the_same_feed() -> None:
    again = write_feed(Paper.at(NOW), SITE, "https://news.paper.example/subscribe/weekly?a=1&b=2")
    assert again == FEED
    later = write_feed(Paper.at(NOW.replace(day=6)), SITE, "https://news.paper.example/")
    assert later.etag != FEED.etag
