"""Stories that another publication had first, from the feed to the letter."""

from html import escape
from pathlib import Path
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser

from tests.acceptance.command_line import write_config
from tests.cli.conftest import Call
from tests.web_pages import site

__all__ = ["site"]

NOW = ("--now", "2025-08-07T18:00:00Z")
BODY = "<p>{text} The wheel turns, and the flour is white.</p><img src='https://paper.example/{name}.jpg'>{note}"
NOTE = "<p>This story was first published by <a href='https://wire.example/'>Valley Wire</a>.</p>"


def feed(*stories: tuple[str, str]) -> bytes:
    """Items of (name, note), the last one the newest."""
    items = "".join(
        f"<item><title>The {name} of the valley</title><link>https://paper.example/{name}</link>"
        f"<guid>{name}</guid><pubDate>Wed, 06 Aug 2025 1{at}:00:00 GMT</pubDate><content:encoded>"
        f"{escape(BODY.format(text=f'All about the {name}.', name=name, note=note))}"
        "</content:encoded></item>"
        for at, (name, note) in enumerate(stories)
    )
    space = 'xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    return f"<rss {space}><channel><title>P</title>{items}</channel></rss>".encode()


def draft(call: Call, site: Any, folder: Path, ranking: str = "") -> tuple[Any, str, str]:
    """The draft, and the letter in HTML and text."""
    site.page("/feed", feed(("mill", ""), ("bakery", NOTE)))
    path = write_config(folder, feed=site.url("/feed"), port=25)
    text = path.read_text(encoding="utf-8") + '[pictures]\nserved_by = "site"\n'
    table = f"[newsletter.ranking]\n{ranking}\n[[newsletter.section]]"
    path.write_text(text.replace("[[newsletter.section]]", table, 1), encoding="utf-8")
    drafted = call(folder, "issue", "draft", "--json", *NOW)
    assert drafted.status == 0, drafted.err
    assert call(folder, "issue", "preview", "--no-screenshots", "--out", "out", *NOW).status == 0
    html, plain = (folder / "out" / f"issue.{kind}" for kind in ("html", "txt"))
    return drafted.json, html.read_text(encoding="utf-8"), plain.read_text(encoding="utf-8")


@pytest.mark.parametrize("way", ["full", "excerpt"])
def test_a_letter_says_who_had_a_story_first(
    way: str, call: Call, site: Any, tmp_path: Path
) -> None:
    told, html, text = draft(call, site, tmp_path, f'syndicated = "{way}"')
    items = {item["url"].rpartition("/")[2]: item for item in told["items"]}
    assert (items["bakery"]["syndicated_from"], items["mill"]["syndicated_from"]) == (
        "Valley Wire",
        "",
    )
    for part in (LexborHTMLParser(html).text(), text):
        assert part.count("First published by Valley Wire") == 1
        assert "All about the bakery." in part
    shown = [node.attributes["src"] for node in LexborHTMLParser(html).css("img")]
    # Newest first, the bakery would lead with its picture.
    assert items["bakery"]["leads"] == (way == "full")
    assert items["mill"]["leads"] == (way == "excerpt")
    assert ("https://paper.example/bakery.jpg" in shown) == (way == "full")
    assert "https://paper.example/mill.jpg" in shown


def test_what_is_taken_over_may_stay_out(call: Call, site: Any, tmp_path: Path) -> None:
    told, _, text = draft(call, site, tmp_path, 'syndicated = "exclude"')
    assert [item["headline"] for item in told["items"]] == ["The mill of the valley"]
    assert "bakery" not in text


def test_an_editors_pin_lets_an_excerpt_lead(call: Call, site: Any, tmp_path: Path) -> None:
    draft(call, site, tmp_path, 'syndicated = "excerpt"')
    pin = ("--pin", "latest/1=https://paper.example/bakery")
    answer = call(tmp_path, "issue", "draft", "--json", "--slot", "2025-W32.x1", *pin, *NOW)
    (lead,) = (item for item in answer.json["items"] if item["leads"])
    assert lead["headline"] == "The bakery of the valley"
    assert lead["picture"] is None


def test_another_word_for_it_is_refused(call: Call, tmp_path: Path) -> None:
    path = write_config(tmp_path, feed="https://paper.example/feed", port=25)
    text = path.read_text(encoding="utf-8")
    table = '[newsletter.ranking]\nsyndicated = "never"\n[[newsletter.section]]'
    path.write_text(text.replace("[[newsletter.section]]", table, 1), encoding="utf-8")
    answer = call(tmp_path, "stories", "list")
    assert answer.status == 2
    assert "syndicated" in answer.err
