"""A real WordPress in, a real Postfix out: from a site's address alone to the inbox."""

import re
from datetime import timedelta
from email import message_from_bytes
from email.policy import default as mail_policy
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from selectolax.lexbor import LexborHTMLParser

from tests.acceptance.command_line import import_readers, must
from tests.real.paper import Post
from tests.real.postfix import Postfix
from tests.real.wordpress import WordPress

pytest_plugins = ["tests.real.fixtures"]

READERS = 12
RELAY = """
[[relay]]
slug = "postfix"
host = "127.0.0.1"
port = {port}
tls = "none"
"""


@pytest.fixture
def drafted(tmp_path: Path, wordpress: WordPress) -> dict[str, Any]:
    """The draft that comes of the site's address and nothing else."""
    must(tmp_path, "init", "--site", wordpress.url)
    return must(tmp_path, "issue", "draft", "--json").json


def latest_of_the_week(wordpress: WordPress) -> list[Post]:
    since = wordpress.paper.now - timedelta(days=7)
    return wordpress.paper.list_since(since)


def test_config_tells_what_the_site_told(tmp_path: Path, wordpress: WordPress) -> None:
    must(tmp_path, "init", "--site", wordpress.url)
    text = (tmp_path / "config.toml").read_text(encoding="utf-8")
    assert f'name = "{wordpress.paper.name}"' in text
    assert f'timezone = "{wordpress.paper.timezone}"' in text
    assert 'kind = "wordpress"' in text


def test_draft_holds_the_right_stories(drafted: dict[str, Any], wordpress: WordPress) -> None:
    items = [item for item in drafted["items"] if item["section"] == "latest"]
    expected = latest_of_the_week(wordpress)[: len(items)]
    assert len(items) == min(12, len(latest_of_the_week(wordpress)))
    assert [item["headline"] for item in items] == [post.title for post in expected]
    assert [item["url"] for item in items] == [post.link for post in expected]
    for item, post in zip(items, expected, strict=True):
        assert item["byline"].removeprefix("By ") == post.writer, post.slug
        assert item["department"] == post.categories[0]
        assert (item["picture"] is not None) == (post.picture is not None), post.slug
        assert item["excerpt"]
        assert not item["excerpt"].startswith("By ")
        assert all(item["reasons"])


def test_the_mail_shows_small_files_of_our_own(
    tmp_path: Path, drafted: dict[str, Any], wordpress: WordPress
) -> None:
    assert not [sentence for sentence in drafted["notices"] if "picture" in sentence]
    formats = {Path(item["picture"]).suffix for item in drafted["items"] if item["picture"]}
    assert ".webp" in formats
    must(tmp_path, "issue", "preview", "--no-screenshots", "--out", "out")
    shown = LexborHTMLParser((tmp_path / "out/issue.html").read_text("utf-8")).css("img.photo")
    posts = latest_of_the_week(wordpress)[: len(drafted["items"])]
    assert len(shown) == sum(post.picture is not None for post in posts)
    for place, image in enumerate(shown):
        name = str(image.attributes["src"]).rpartition("/media/")[2]
        path = tmp_path / "data/pictures" / name
        assert path.stat().st_size <= 150_000
        with Image.open(path) as picture:
            picture.load()
            assert picture.format == "JPEG"
        size = (image.attributes["width"], image.attributes["height"])
        assert size == (("592", "395") if place == 0 else ("200", "133"))


def test_draft_holds_no_hidden_post(drafted: dict[str, Any], wordpress: WordPress) -> None:
    hidden = {post.title for post in wordpress.paper.list_hidden()}
    shown = {item["headline"] for item in (*drafted["items"], *drafted["passed_over"])}
    assert len(hidden) >= 4
    assert not hidden & shown


def test_issue_reaches_every_inbox_through_postfix(
    tmp_path: Path, wordpress: WordPress, postfix: Postfix
) -> None:
    must(tmp_path, "init", "--site", wordpress.url)
    with (tmp_path / "config.toml").open("a", encoding="utf-8") as config:
        config.write(RELAY.format(port=postfix.port))
    import_readers(tmp_path, READERS)
    draft = must(tmp_path, "issue", "draft", "--json").json
    must(tmp_path, "issue", "approve")
    before = len(postfix.messages())
    sent = must(tmp_path, "issue", "send", "--json").json
    assert (sent["audience"], sent["accepted"], sent["state"]) == (READERS, READERS, "sent")

    report = must(tmp_path, "issue", "report", "--slot", draft["slot"], "--json").json
    leads_to = {row["link"]: row["url"].partition("?utm_")[0] for row in report["clicks"]}
    arrived = postfix.wait_for(before + READERS)[-READERS:]
    assert len({message.recipients for message in arrived}) == READERS
    assert len({message.sender for message in arrived}) == READERS
    for one in arrived:
        message = message_from_bytes(one.content, policy=mail_policy)
        assert message["To"] == one.recipients[0]
        assert message["Subject"] == draft["subject"]
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        text = message.get_body(("plain",)).get_content()
        html = message.get_body(("html",)).get_content()
        for item in draft["items"]:
            assert item["headline"] in " ".join(text.split())
        for part in (text, html):
            led_to = {leads_to[link] for link in re.findall(r"/l/([a-z2-7]{12})\b", part)}
            assert led_to == {item["url"] for item in draft["items"]}
