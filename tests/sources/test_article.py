"""Pages as stories: thirty real ones, and what can stand in their metadata.

What is found on the real pages is pinned in tests/data/sources/pages.json, written
by ``python -m tests.sources.test_article``; look at every line that changes.
"""

import json
import re
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.sources.article import read_article
from newsletter.sources.model import SourceItem, SourcePicture
from tests.sources.archives import NEWSPAPER, page_files

PINNED = Path(__file__).parents[1] / "data/sources/pages.json"
URL = "https://paper.example/2025/08/bread/"


def summary(page: Path) -> Any:
    """What a page tells, short enough to be read in a diff."""
    item = read_article(page.read_bytes(), f"https://paper.example/{page.stem}")
    if isinstance(item, str):
        return item
    return {
        "title": item.title,
        "author": item.author,
        "published": item.published_at.isoformat() if item.published_at else None,
        "modified": item.modified_at.isoformat() if item.modified_at else None,
        "picture": item.picture.url if item.picture else None,
        "categories": item.categories,
        "tags": item.tags[:5],
        "language": item.language,
        "excerpt": item.excerpt_html[:60],
        "text": len(item.html),
    }


def read_all() -> dict[str, Any]:
    found = {page.name: summary(page) for page in page_files()}
    plain: dict[str, Any] = json.loads(json.dumps(found))
    return plain


def test_thirty_real_pages_tell_what_is_pinned() -> None:
    pinned = json.loads(PINNED.read_text(encoding="utf-8"))
    found = read_all()
    assert len(found) == 30
    assert {n: f for n, f in found.items() if pinned.get(n) != f} == {}
    assert set(found) == set(pinned)


def words_of(text: str) -> list[str]:
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text).lower())


def test_titles_and_days_agree_with_what_the_archive_expects() -> None:
    """The archive's own expectations, which people wrote: another hand than our pins."""
    told = compared = 0
    for path in sorted((NEWSPAPER / "metadata").glob("*.json")):
        expected = json.loads(path.read_text(encoding="utf-8"))
        page = NEWSPAPER / "html" / f"{path.stem}.html"
        found = summary(page) if page.exists() else ""
        if not isinstance(found, dict):
            continue
        compared += 1
        words = set(words_of(found["title"]))
        shared = len(words & set(words_of(expected["title"]))) / len(words)
        told += shared >= 0.7
        day = str(expected["publish_date"])[:10]
        if found["published"] and day != "None":
            apart = datetime.fromisoformat(found["published"]) - datetime.fromisoformat(
                f"{day}T12:00:00+00:00"
            )
            assert abs(apart.total_seconds()) < 36 * 3600, path.stem
    # One paper writes another headline into its metadata than over the story.
    assert (told, compared) == (14, 15)


ARTICLE = {
    "@context": "https://schema.org",
    "@graph": [
        {"@type": "WebPage", "name": "no"},
        {
            "@type": ["NewsArticle"],
            "headline": "Bread &amp; salt",
            "image": [{"@type": "ImageObject", "url": "/oven.jpg", "width": 1200.0,
                       "height": {"value": "800"}, "caption": "The oven", "creditText": "Ani"},
                      "/other.jpg"],
            "datePublished": "2025-08-05T10:00:00+04:00",
            "dateModified": "2025-08-05T12:00:00+04:00",
            "author": [{"@type": "Person", "name": "Lilit Hakobyan"},
                       {"name": "https://paper.example/author/x"}, "Ani Petrosyan"],
            "articleSection": ["Town", "Arts &amp; Culture"],
            "keywords": "bakers, Yerevan",
            "description": "How bread is made.",
            "articleBody": "First.\n\nSecond < third.",
            "inLanguage": "en-US",
        },
    ],
}  # fmt: skip


def page(document: Any = None, head: str = "") -> bytes:
    data = f'<script type="application/ld+json">{json.dumps(document)}</script>' if document else ""
    return f"<html lang=hy><head>{data}{head}<title>T | Paper</title></head></html>".encode()


def test_json_ld_tells_a_story() -> None:
    item = read_article(page(ARTICLE, '<link rel="canonical" href="/2025/08/bread">'), URL)
    assert item == SourceItem(
        title="Bread & salt",
        url="https://paper.example/2025/08/bread",
        html="<p>First.</p><p>Second &lt; third.</p>",
        excerpt_html="How bread is made.",
        author="Lilit Hakobyan, Ani Petrosyan",
        categories=("Town", "Arts & Culture"),
        tags=("bakers", "Yerevan"),
        published_at=datetime(2025, 8, 5, 6, tzinfo=UTC),
        modified_at=datetime(2025, 8, 5, 8, tzinfo=UTC),
        picture=SourcePicture(
            "https://paper.example/oven.jpg", 1200, 800, caption="The oven", credit="Ani"
        ),
        language="en-US",
    )


def test_opengraph_tells_a_story() -> None:
    head = """<meta property="og:type" content="article"><meta property="og:title" content="Bread">
    <meta property="og:image" content="/a.jpg"><meta property="og:image:width" content="1200">
    <meta property="og:image:alt" content="An oven"><meta name="author" content="Ani">
    <meta property="article:published_time" content="2025-08-05T10:00:00Z">
    <meta property="article:section" content="Town"><meta property="article:tag" content="a">
    <meta property="article:tag" content="b"><meta property="og:description" content="1 < 2">"""
    item = read_article(page(head=head), URL)
    assert isinstance(item, SourceItem)
    assert (item.title, item.author, item.categories, item.tags) == (
        "Bread", "Ani", ("Town",), ("a", "b"),
    )  # fmt: skip
    assert item.picture == SourcePicture("https://paper.example/a.jpg", 1200, alt="An oven")
    assert item.excerpt_html == "1 &lt; 2"
    assert item.published_at == datetime(2025, 8, 5, 10, tzinfo=UTC)
    assert item.language == "hy"


@pytest.mark.parametrize(
    ("canonical", "kept"),
    [
        ("https://www.paper.example/bread", "https://www.paper.example/bread"),
        ("https://other.example/bread", URL),
        ("https://paper.example/", URL),
        ("javascript:alert(1)", URL),
    ],
)
def test_a_canonical_address_counts_on_the_same_site(canonical: str, kept: str) -> None:
    item = read_article(page(ARTICLE, f'<link rel="canonical" href="{canonical}">'), URL)
    assert isinstance(item, SourceItem)
    assert item.url == kept


def test_a_front_page_is_no_story() -> None:
    front = page(
        {"@type": "WebSite", "name": "Paper"}, '<meta property="og:type" content="website">'
    )
    assert read_article(front, URL) == "it does not call itself an article"
    assert read_article(b"", URL) == "it does not call itself an article"


def test_a_page_in_another_charset() -> None:
    body = (
        '<html><head><meta charset="windows-1251"><meta property="og:type" content="article">'
        "<title>Хлеб и соль</title></head></html>"
    ).encode("cp1251")
    item = read_article(body, URL)
    assert isinstance(item, SourceItem)
    assert item.title == "Хлеб и соль"


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
FIELDS = st.sampled_from(
    ["headline", "image", "author", "articleSection", "keywords", "datePublished", "articleBody",
     "description", "inLanguage", "dateModified"]
)  # fmt: skip


@given(st.dictionaries(FIELDS, JSON))
def test_any_metadata_is_read(fields: dict[str, Any]) -> None:
    item = read_article(page({"@type": "NewsArticle", **fields}), URL)
    assert isinstance(item, str) or (item.title and item.url == URL)


if __name__ == "__main__":
    text = json.dumps(read_all(), ensure_ascii=False, indent=1)
    PINNED.write_text(text + "\n", encoding="utf-8")
