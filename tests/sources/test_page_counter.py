"""The number that a site prints on its pages, and the selector learned from one of them."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import SourceError
from newsletter.net.fetcher import Fetcher
from newsletter.publication.sources import Reads
from newsletter.sources.model import StoryKey, TotalReads
from newsletter.sources.page_counter import fetch_page_counts, learn_selector, read_printed_count
from newsletter.sources.poll import Poll

DAY = date(2025, 8, 5)
# As a magazine theme prints it: the number beside an icon, other numbers around it.
THEME = """<html><body class="post-4711">
<header><span class="number">32</span></header>
<div class="meta"><a class="byline">by Ani</a>
<div class="views post-4711-views"><i class="icon-eye"></i> {views} <b>VIEWS</b></div>
<div class="comments"><i class="icon"></i>0</div></div>
<article><p>142 people came, 17 of them by train.</p></article></body></html>"""
PLAIN = '<html><body><p class="a">7</p><p>Read <span>142</span> times</p></body></html>'


def reads(selector: str = "div.views") -> Reads:
    return Reads(slug="page", source="paper", kind="page", selector=selector, allow_private=True)


@pytest.mark.parametrize(
    ("printed", "count"),
    [
        ("142", 142),
        ("1,142", 1142),
        ("1.142", 1142),
        ("1\u202f142", 1142),
        ("1.2K", 1200),
        ("2,5k", 2500),
        ("1M", 1_000_000),
        ("Views: 142.", 142),
        ("", None),
        ("none yet", None),
        ("12%", None),
    ],
)
def test_a_printed_number(printed: str, count: int | None) -> None:
    page = THEME.format(views=printed).encode()
    assert read_printed_count(page, "div.views") == count


@pytest.mark.parametrize(("page", "other"), [(THEME.format(views=142), THEME.format(views=99))])
def test_a_selector_learned_from_one_page_reads_another(page: str, other: str) -> None:
    selector = learn_selector(page.encode(), 142)
    assert selector == "div.views"
    assert read_printed_count(other.encode(), selector) == 99


def test_without_classes_the_way_from_above_is_learned() -> None:
    selector = learn_selector(PLAIN.encode(), 142)
    assert selector is not None
    assert read_printed_count(PLAIN.replace("142", "143").encode(), selector) == 143


def test_a_number_that_is_nowhere_teaches_nothing() -> None:
    assert learn_selector(PLAIN.encode(), 15) is None
    assert learn_selector(b"", 15) is None


@given(st.binary(max_size=300), st.integers(0, 200))
def test_any_page_can_be_learned_from(body: bytes, count: int) -> None:
    selector = learn_selector(body, count)
    assert selector is None or read_printed_count(body, selector) == count


def test_the_pages_of_recent_stories_are_asked(site: Any, fetcher: Fetcher) -> None:
    for path, views in (("/bread/", "142"), ("/mill/", "1,205"), ("/new/", "")):
        site.page(path, THEME.format(views=views).encode())
    urls = tuple(map(site.url, ("/bread/", "/mill/", "/new/", "/gone/")))
    batch = fetch_page_counts(Poll(fetcher, reads(), DAY, stories=urls))
    assert batch.totals == (
        TotalReads(StoryKey(url=urls[0]), 142),
        TotalReads(StoryKey(url=urls[1]), 1205),
    )
    assert len(batch.problems) == 2
    assert 'prints no number at "div.views"' in batch.problems[0]
    assert "/gone/" in batch.problems[1]


def test_a_selector_that_fits_no_page_is_an_error(site: Any, fetcher: Fetcher) -> None:
    site.page("/bread/", THEME.format(views=1).encode())
    with pytest.raises(SourceError, match="newsletter reads learn"):
        fetch_page_counts(Poll(fetcher, reads("em.none"), DAY, stories=(site.url("/bread/"),)))
    with pytest.raises(SourceError, match="is none that CSS knows"):
        fetch_page_counts(Poll(fetcher, reads("<<"), DAY, stories=(site.url("/bread/"),)))


def test_robots_txt_has_its_say(site: Any, fetcher: Fetcher) -> None:
    urls = tuple(map(site.url, ("/bread/", "/private/mill/")))
    for path in ("/bread/", "/private/mill/"):
        site.page(path, THEME.format(views=142).encode())
    site.page("/robots.txt", b"User-agent: *\nDisallow: /private/\n")
    batch = fetch_page_counts(Poll(fetcher, reads(), DAY, stories=urls))
    assert [total.story.url for total in batch.totals] == [urls[0]]
    (problem,) = batch.problems
    assert "robots.txt forbids it" in problem
    assert "/private/mill/" not in [path for path, _ in site.seen]
    assert [path for path, _ in site.seen].count("/robots.txt") == 1
    site.page("/robots.txt", b"User-agent: newsletter\nDisallow: /\n")
    with pytest.raises(SourceError, match='allow the user agent "newsletter"'):
        fetch_page_counts(Poll(fetcher, reads(), DAY, stories=urls))
    site.page("/robots.txt", b"", status=500)
    with pytest.raises(SourceError, match="could not be read"):
        fetch_page_counts(Poll(fetcher, reads(), DAY, stories=urls))
    assert [path for path, _ in site.seen].count("/bread/") == 1
