"""The stories themselves: each its own, whole, and in the forms that real papers use."""

import re
from collections import Counter

import pytest

from newsletter.demo.manuscripts import (
    SIGN_UP,
    Manuscript,
    body_html,
    load_manuscripts,
    read_manuscript,
)
from newsletter.demo.pictures import SCENES
from newsletter.demo.scenes.palettes import PALETTES

STORIES = load_manuscripts()
TEXT = """+++
headline = "A Headline"
author = "Lilit Sargsyan"
departments = ["Arts"]
age_hours = 1.5
reads = 3
+++
One *word* & <b> of it.

[[sign-up]]

- flour
- water

See [the mill](https://mill.example/a?b=1&c=2).
"""


def test_there_are_enough_stories() -> None:
    assert len(STORIES) >= 64
    assert len({story.headline for story in STORIES}) == len(STORIES)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.slug)
def test_a_story_is_whole(story: Manuscript) -> None:
    words = sum(len(paragraph.split()) for paragraph in story.paragraphs)
    assert 110 <= words <= 520
    assert 3 <= len(story.paragraphs) <= 10
    assert story.reads > 0
    # Typewriter quotes have no place in print.
    assert not re.search(r"[\"']", " ".join((story.headline, story.standfirst, *story.paragraphs)))
    if story.picture:
        assert story.picture.scene in SCENES
        assert story.picture.palette in PALETTES
        assert story.picture.alt
        assert story.picture.caption


def test_no_sentence_stands_in_two_stories() -> None:
    sentences = Counter(
        sentence
        for story in STORIES
        for sentence in set(re.split(r"(?<=[.!?։])\s+", " ".join(story.paragraphs)))
        if len(sentence.split()) > 4
    )
    assert [sentence for sentence, times in sentences.items() if times > 1] == []


def test_the_ways_of_real_papers_are_among_them() -> None:
    assert sum(story.language == "hy" for story in STORIES) == 2
    assert sum(not story.standfirst for story in STORIES) == 1
    assert 5 <= sum(story.picture is None for story in STORIES) <= 12
    assert sum(SIGN_UP in story.paragraphs for story in STORIES) >= 8
    house = [story for story in STORIES if story.author == "The Araks Courier"]
    assert (
        sum(bool(re.fullmatch(r"By [A-Z]\w+ [A-Z]\w+", story.paragraphs[0])) for story in house)
        >= 8
    )
    captions = [story.picture.caption for story in STORIES if story.picture]
    assert any(re.search(r"\(photo [^)]+\)$", caption) for caption in captions)
    assert any(re.search(r"\. Photo: [^.]+$", caption) for caption in captions)
    assert sum("first published by" in story.paragraphs[-1] for story in STORIES) == 1


def test_a_manuscript_becomes_html_with_the_prompt_in_its_place() -> None:
    story = read_manuscript("a-headline", TEXT)
    assert body_html(story, "<aside>Join</aside>").split("\n") == [
        "<p>One <em>word</em> &amp; &lt;b&gt; of it.</p>",
        "<aside>Join</aside>",
        "<ul><li>flour</li><li>water</li></ul>",
        '<p>See <a href="https://mill.example/a?b=1&amp;c=2">the mill</a>.</p>',
    ]


@pytest.mark.parametrize(
    ("caption", "parted"),
    [
        ("The gate. (photo Araz Petoian)", ("The gate.", "Araz Petoian")),
        ("The gate. (photo courtesy the choir)", ("The gate.", "the choir")),
        ("The gate. Photo: Courier archive", ("The gate.", "Courier archive")),
        ("The gate. (archive photo)", ("The gate. (archive photo)", "")),
    ],
)
def test_a_caption_is_parted_from_its_credit(caption: str, parted: tuple[str, str]) -> None:
    picture = f'[picture]\nscene = "sea"\npalette = "day"\nalt = "x"\ncaption = "{caption}"\n'
    story = read_manuscript("x", TEXT.replace("reads = 3\n", f"reads = 3\n{picture}"))
    assert story.picture is not None
    assert story.picture.parted == parted
