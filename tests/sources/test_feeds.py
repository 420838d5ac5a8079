"""Feeds: paired fixtures, bad input, polling."""

import dataclasses
import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import FetchError, ParseError
from newsletter.net.fetcher import Fetcher
from newsletter.publication.sources import Source
from newsletter.sources.feed_text import MAX_ENTRIES, looks_like_feed
from newsletter.sources.feeds import fetch_feed, parse_feed, read_feed_profile
from newsletter.sources.model import SourceState, Validators

DATA = Path(__file__).parent.parent / "data" / "sources"
URL = "https://paper.example/feed/"
NOW = datetime(2025, 8, 5, 12, tzinfo=UTC)


def plain(value: Any) -> Any:
    """A noun as JSON holds it, without the fields left at their defaults."""
    if dataclasses.is_dataclass(value):
        return {
            field.name: plain(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if getattr(value, field.name) != field.default
        }
    if isinstance(value, datetime):
        return value.isoformat()
    return [plain(entry) for entry in value] if isinstance(value, tuple) else value


def rss(*items: str, head: str = "") -> bytes:
    body = "".join(items)
    return f'<rss version="2.0"><channel><title>P</title>{head}{body}</channel></rss>'.encode()


def item(number: int = 1, extra: str = "") -> str:
    return (
        f"<item><title>Story {number}</title><link>https://paper.example/{number}/</link>"
        f"{extra}</item>"
    )


@pytest.mark.parametrize("name", ["rss_paper", "atom_paper", "rdf_paper"])
def test_a_feed_becomes_what_stands_beside_it(name: str) -> None:
    batch = parse_feed((DATA / f"{name}.xml").read_bytes(), URL, "text/xml; charset=utf-8")
    expected = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    assert {"items": plain(batch.items), "problems": plain(batch.problems)} == expected


def test_a_feed_tells_of_its_site() -> None:
    profile = read_feed_profile((DATA / "rss_paper.xml").read_bytes(), URL)
    assert profile.name == "The Paper & Mirror"
    assert profile.description == "News of the town"
    assert profile.link == "https://paper.example"
    assert profile.language == "en-US"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "is empty"),
        (b" \n\t ", "is empty"),
        (b"<!DOCTYPE html><html><body><p>Not here</p></body></html>", "web page and not a feed"),
        (b"<html><head><title>x</title></head></html>", "web page and not a feed"),
        (b'{"version": "https://example.org/feed", "items": []}', "is JSON"),
        (b"PNG\r\n\x1a\n", "something else"),
        (b"<?xml version='1.0'?><opml/>", "something else"),
        (b'<?xml version="1.0"?><rss version="2.0"><channel><title>P</tit', "before its first"),
        (b"<!DOCTYPE rss [<!ENTITY a 'b'>]><rss><channel></channel></rss>", "entities of its own"),
        (
            '<!DOCTYPE rss [<!ENTITY a "b">]><rss><channel/></rss>'.encode("utf-16"),
            "entities of its own",
        ),
    ],
)
def test_what_is_no_feed_is_named(body: bytes, words: str) -> None:
    with pytest.raises(ParseError, match=words) as caught:
        parse_feed(body, URL)
    assert URL in str(caught.value)


def test_a_document_type_without_entities_is_harmless() -> None:
    doctype = b'<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "x.dtd">'
    assert len(parse_feed(doctype + rss(item()), URL).items) == 1


def test_a_feed_cut_in_the_middle_keeps_its_whole_entries() -> None:
    body = rss(item(1), item(2), item(3))
    batch = parse_feed(body[: body.index(b"Story 3") + 5], URL)
    assert [i.title for i in batch.items] == ["Story 1", "Story 2"]
    assert "breaks off in the middle" in batch.problems[0]
    assert len(batch.problems) == 1


def test_an_atom_feed_cut_within_a_character_keeps_its_whole_entries() -> None:
    body = (DATA / "atom_paper.xml").read_bytes()
    batch = parse_feed(body[: body.index("Տ".encode()) + 1], URL)
    assert [i.title for i in batch.items] == ["Bread & salt"]


def test_an_ill_formed_feed_is_read_as_well_as_possible() -> None:
    batch = parse_feed(rss(item(1, "<source>a<b</source>"), item(2)), URL)
    assert [i.title for i in batch.items] == ["Story 1", "Story 2"]
    assert "is not well-formed XML" in batch.problems[0]


def test_html_entities_and_control_characters_do_not_harm() -> None:
    body = rss(
        item(1, "<category>Tom &nbsp;\x0b&amp; caf&eacute; &unknown; & AT&T</category>"),
        item(2, "<category><![CDATA[R&amp;D & more]]></category>"),
    )
    batch = parse_feed(body, URL)
    assert batch.items[0].categories == ("Tom & café &unknown; & AT&T",)
    assert batch.items[1].categories == ("R&D & more",)
    assert batch.problems == ()


def test_a_feed_without_entries_says_so() -> None:
    batch = parse_feed(rss(), URL)
    assert batch.items == ()
    assert batch.problems == (f"{URL} holds no entries",)


def test_entries_are_capped() -> None:
    batch = parse_feed(rss(*(item(n) for n in range(MAX_ENTRIES + 20))), URL)
    assert len(batch.items) == MAX_ENTRIES
    assert f"the first {MAX_ENTRIES} were kept" in batch.problems[0]


def test_many_problems_are_summed_up() -> None:
    batch = parse_feed(rss(*("<item><title>x</title></item>" for _ in range(50))), URL)
    assert len(batch.problems) == 21
    assert batch.problems[-1].startswith("30 more entries")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "iso-8859-1", "cp1252"])
def test_encodings(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>' + rss(item(1)).decode()
    batch = parse_feed(text.replace("Story", "Café à l’eau" if encoding == "cp1252" else "Café")
                       .encode(encoding), URL)  # fmt: skip
    assert batch.items[0].title.startswith("Café")
    assert "�" not in batch.items[0].title


def test_a_flood_of_elements_is_refused() -> None:
    flood = "<b>" * 60_000 + "</b>" * 60_000
    with pytest.raises(ParseError, match="more than 100000 elements"):
        parse_feed(rss(item(1, f"<description>{flood}</description>")), URL)
    in_text = f"<description><![CDATA[{flood}]]></description>"
    assert len(parse_feed(rss(item(1, in_text)), URL).items) == 1


def test_deep_nesting_is_read_or_refused() -> None:
    deep = "<b>" * 3000 + "</b>" * 3000
    batch = parse_feed(rss(item(1, f"<description>{deep}</description>"), item(2)), URL)
    assert [i.title for i in batch.items] == ["Story 1", "Story 2"]


def test_a_feed_is_told_from_a_page() -> None:
    assert looks_like_feed((DATA / "rss_paper.xml").read_bytes())
    assert looks_like_feed((DATA / "rdf_paper.xml").read_bytes())
    assert not looks_like_feed(b"<!doctype html><html><body><code>&lt;rss</code><rss >")
    assert not looks_like_feed(b"")


_FRAGMENTS = """
<rss> </rss> <channel> </channel> <item> </item> </feed> <entry> </entry> <title> </title> <link>
</link> <link_href=' '/> <guid> </guid> <pubDate> </pubDate> <content:encoded> <![CDATA[ ]]> &amp;
<feed_xmlns='http://www.w3.org/2005/Atom'> <media:content_url='x.jpg'> &#x0; &#99999999; &nbsp;
&bogus; https://paper.example/ http://[ 31_Feb_2025 <updated>2025-99-99T00:00:00Z</updated> <svg>
<img_src=' xml:base='http://[' <!-- --> <? ?> <dc:date> </dc:date> <author>a@b_( </author> <div>
<!DOCTYPE [ </div> é
"""
FRAGMENTS = [fragment.replace("_", " ") for fragment in _FRAGMENTS.split()]


@settings(max_examples=150)
@given(st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=5), max_size=40), st.booleans())
def test_any_text_is_a_batch_or_our_error(parts: list[str], rooted: bool) -> None:
    text = "".join(parts)
    if rooted:
        text = f"<rss><channel>{text}</channel></rss>"
    try:
        batch = parse_feed(text.encode("utf-8", "replace"), URL, "text/xml")
    except ParseError:
        return
    for entry in batch.items:
        assert entry.title
        assert entry.url is not None
        assert entry.url.startswith(("http://", "https://"))
        assert entry.published_at is None or entry.published_at.tzinfo is UTC


@settings(max_examples=80)
@given(st.data())
def test_a_damaged_feed_is_a_batch_or_our_error(data: st.DataObject) -> None:
    body = bytearray(
        (DATA / data.draw(st.sampled_from(["rss_paper.xml", "atom_paper.xml"]))).read_bytes()
    )
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=6))
    with suppress(ParseError):
        parse_feed(bytes(body), URL)


@settings(max_examples=60)
@given(st.binary(max_size=300), st.text(max_size=30))
def test_any_bytes_are_a_batch_or_our_error(body: bytes, content_type: str) -> None:
    with suppress(ParseError):
        parse_feed(body, URL, content_type)


@settings(max_examples=60)
@given(st.integers(0, 4000))
def test_wherever_it_is_cut_only_whole_entries_are_kept(at: int) -> None:
    body = (DATA / "rss_paper.xml").read_bytes()
    whole = parse_feed(body, URL).items
    try:
        items = parse_feed(body[:at], URL).items
    except ParseError:
        return
    assert items == whole[: len(items)]


def polled(site: Any) -> Source:
    return Source(slug="paper", url=site.url("/feed"), allow_private=True)


def test_a_poll_keeps_the_validators_and_sends_them_back(site: Any, fetcher: Fetcher) -> None:
    site.page("/feed", rss(item(1)), ETag='"1"', Last_Modified="Tue, 05 Aug 2025 10:00:00 GMT")
    batch = fetch_feed(fetcher, polled(site), SourceState(), NOW)
    assert len(batch.items) == 1
    assert batch.validators == Validators('"1"', "Tue, 05 Aug 2025 10:00:00 GMT")
    site.page("/feed", b"", status=304)
    state = SourceState(validators=batch.validators)
    again = fetch_feed(fetcher, polled(site), state, NOW)
    assert (again.unchanged, again.items, again.validators) == (True, (), batch.validators)
    assert site.seen[1][1]["if-none-match"] == '"1"'


def test_a_feed_cut_on_the_way_is_asked_for_whole_the_next_time(
    site: Any, fetcher: Fetcher
) -> None:
    body = rss(item(1), item(2))

    def cut(request: Any) -> None:
        request.send_response(200)
        request.send_header("ETag", '"1"')
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body[:-60])
        request.close_connection = True

    site.pages["/feed"] = cut
    batch = fetch_feed(fetcher, polled(site), SourceState(), NOW)
    assert [i.title for i in batch.items] == ["Story 1"]
    assert batch.validators == Validators()
    assert "breaks off" in batch.problems[0]


def test_a_feed_of_200_megabytes_is_refused(site: Any, fetcher: Fetcher) -> None:
    def boast(request: Any) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(200_000_000))
        request.end_headers()
        request.wfile.write(rss(item(1)))

    site.pages["/feed"] = boast
    with pytest.raises(FetchError, match="larger than the 10 MB"):
        fetch_feed(fetcher, polled(site), SourceState(), NOW)


ENDS = {"whole": "</item></channel></rss>", "not well-formed": "</b></item></channel></rss>"}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_an_endless_name_does_not_hold_us_up(end: str) -> None:
    """feedparser looks for an address in it in time that grows with the square of its length."""
    names = f"<author>{'A' * 300_000}</author><dc:creator>{'b.' * 200_000}</dc:creator>"
    space = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
    text = (
        f"<rss {space}><channel><item><title>T</title><link>https://p.example/</link>{names}{end}"
    )
    (item,) = parse_feed(text.encode(), "https://paper.example/feed/").items
    assert len(item.author) < 1_200
