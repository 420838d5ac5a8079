"""From the address of a real Hugo site to its stories: by its feed, and by its sitemap alone."""

from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.command_line import must
from tests.real.hugo import STORIES, write_site
from tests.web_pages import site

__all__ = ["site"]


@pytest.fixture
def hugo(site: Any, tmp_path: Path) -> Any:
    for path, body in write_site(tmp_path / "hugo", site.url("").rstrip("/")).items():
        site.page(path, body)
    return site


def stories_of(folder: Path) -> dict[str, dict[str, Any]]:
    must(folder, "stories", "fetch", "--now", "2025-08-05T12:00:00Z")
    listed = must(folder, "stories", "list", "--json").json["stories"]
    return {story["url"].rstrip("/").rpartition("/")[2]: story for story in listed}


def check_stories(stories: dict[str, dict[str, Any]]) -> None:
    assert set(stories) == set(STORIES)
    for slug, (title, date, _) in STORIES.items():
        assert stories[slug]["title"] == title
        assert stories[slug]["published_known"] is True
        assert stories[slug]["published_at"][:10] == date[:10]


def test_a_hugo_site_is_read_by_its_feed(hugo: Any, tmp_path: Path) -> None:
    answer = must(tmp_path, "init", "--site", hugo.url("/"), "--json").json
    assert answer["profile"]["name"] == "The Orchard Post"
    assert answer["profile"]["sources"] == [{"kind": "feed", "url": hugo.url("/index.xml")}]
    stories = stories_of(tmp_path)
    check_stories(stories)
    assert stories["bread"]["excerpt"].startswith("The first sentence of bread.")


@pytest.mark.long
def test_a_hugo_site_is_read_by_its_sitemap_alone(hugo: Any, tmp_path: Path) -> None:
    for path in [path for path in hugo.pages if path.endswith("index.xml")]:
        del hugo.pages[path]
    answer = must(tmp_path, "init", "--site", hugo.url("/"), "--json").json
    assert answer["profile"]["sources"] == [{"kind": "sitemap", "url": hugo.url("/sitemap.xml")}]
    stories = stories_of(tmp_path)
    check_stories(stories)
    assert stories["school"]["departments"] == ["stories"]
    # Hugo's lists of stories and topics are in its sitemap too, and are none.
    asked = [path for path, _ in hugo.seen]
    assert asked.count("/robots.txt") == 2
    assert stories_of(tmp_path) == stories
