"""A paper whose every story means harm, behind each of the doors by which stories come in."""

import json
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Any

from tests.acceptance.hostile_corpus import ADDRESSES, PAYLOADS

# Serves the stories of these numbers below a path, and gives the source's address.
Door = Callable[[Any, str, Sequence[int]], str]
ALL = range(len(PAYLOADS))

# XML holds no other control characters than these.
_NO_XML = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF])
_GHOST_KEY = "22444f78447824223cefc48062"


def words(number: int) -> str:
    """Words of their own for each story: no two may be taken for the same one."""
    sounds = ["ba", "ke", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sa", "te", "vi", "zo"]
    first, second = divmod(number, len(sounds))
    names = ["".join((sounds[second], sounds[(first + at) % 14], sounds[at])) for at in range(3)]
    return " ".join(f"{name}{number}" for name in names)


def title_of(number: int) -> str:
    return f"{words(number)} {PAYLOADS[number]}"


def address_of(number: int) -> str:
    return ADDRESSES[number % len(ADDRESSES)]


def time_of(number: int, numbers: Sequence[int]) -> str:
    """The last of the numbers is the newest story."""
    hour, minute = divmod(numbers.index(number), 60)
    return f"2025-08-04T{hour:02}:{minute:02}:00"


def body_of(number: int) -> str:
    payload, address = PAYLOADS[number], escape(address_of(number))
    return (
        f"<p>By {payload}</p> The first sentence of {words(number)} is {payload} here. "
        f"<img src='{address}' alt='{escape(payload)}'><figure><img src='/p{number}.jpg'>"
        f"<figcaption>{payload} (photo {payload})</figcaption></figure>{payload}"
    )


def _xml(text: str) -> str:
    return escape(text.translate(_NO_XML))


def rss(numbers: Sequence[int] = ALL) -> bytes:
    items = []
    for number in numbers:
        payload = PAYLOADS[number]
        text, time = _xml(payload), time_of(number, numbers)
        address = _xml(address_of(number)).replace("\n", "&#10;")
        items.append(
            f"<item><title>{_xml(title_of(number))}</title>"
            f"<link>https://paper.example/{number}/?a={''.join(text.split())[:500]}</link>"
            f"<guid>{text[:500]}{number}</guid><description>{_xml(words(number))} {text} An "
            f"excerpt. {text}</description><author>{text}</author><dc:creator>{text} Lilit"
            f"</dc:creator><category>{text}</category><pubDate>{time}Z</pubDate>"
            f"<enclosure type='image/jpeg' url=\"{address}\"/><media:content medium='image' "
            f'url="{address}"><media:credit>{text}</media:credit><media:description>{text}'
            "</media:description></media:content>"
            f"<content:encoded>{_xml(body_of(number))}</content:encoded></item>"
        )
    spaces = (
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    )
    channel = f"<channel><title>P</title>{''.join(items)}</channel>"
    return f"<rss version='2.0' {spaces}>{channel}</rss>".encode()


def atom(numbers: Sequence[int] = ALL) -> bytes:
    """Each of Atom's three kinds of text in turn."""
    entries = []
    for number in numbers:
        kind = ("text", "html", "xhtml")[number % 3]
        title = _xml(title_of(number))
        if kind == "xhtml":
            title = f'<div xmlns="http://www.w3.org/1999/xhtml">{title}</div>'
        text, time = _xml(PAYLOADS[number]), time_of(number, numbers)
        entries.append(
            f'<entry><title type="{kind}">{title}</title><id>urn:hurt:{number}</id>'
            f'<link href="https://paper.example/a{number}/"/><updated>{time}Z</updated>'
            f'<link rel="enclosure" type="image/png" href="{_xml(address_of(number))}"/>'
            f"<author><name>{text}</name><uri>javascript:hurt()</uri></author>"
            f'<category term="{text}" label="{text}"/><summary type="html">{text}</summary>'
            f'<content type="html" xml:base="javascript:hurt()">{_xml(body_of(number))}</content>'
            "</entry>"
        )
    return f'<feed xmlns="http://www.w3.org/2005/Atom">{"".join(entries)}</feed>'.encode()


def json_feed(numbers: Sequence[int] = ALL) -> bytes:
    items = [
        {
            "id": f"{number}",
            "url": f"https://paper.example/j{number}/",
            "title": title_of(number),
            "content_html": body_of(number),
            "summary": PAYLOADS[number],
            "image": address_of(number),
            "banner_image": address_of(number + 1),
            "date_published": f"{time_of(number, numbers)}Z",
            "authors": [{"name": PAYLOADS[number], "url": "javascript:hurt()"}],
            "tags": [PAYLOADS[number]],
            "attachments": [{"url": address_of(number + 2), "mime_type": "image/png"}],
        }
        for number in numbers
    ]
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items}).encode()


def wordpress_posts(numbers: Sequence[int]) -> Iterator[dict[str, Any]]:
    for number in numbers:
        payload = PAYLOADS[number]
        media = {
            "alt_text": payload,
            "caption": {"rendered": payload},
            "source_url": address_of(number),
            "mime_type": "image/jpeg",
            "media_details": {"width": 900, "height": 600, "sizes": {}},
        }
        yield {
            "id": number + 1,
            "link": f"https://paper.example/w{number}/",
            "guid": {"rendered": payload},
            "title": {"rendered": title_of(number)},
            "excerpt": {"rendered": f"<p>{payload}</p>", "protected": False},
            "content": {"rendered": body_of(number), "protected": False},
            "date_gmt": time_of(number, numbers),
            "modified_gmt": time_of(number, numbers),
            "_embedded": {
                "author": [{"id": 1, "name": payload, "link": "javascript:hurt()"}],
                "wp:featuredmedia": [media],
                "wp:term": [
                    [{"id": 1, "name": payload, "taxonomy": "category"}],
                    [{"id": 2, "name": payload, "taxonomy": "post_tag"}],
                ],
            },
        }


def ghost_posts(numbers: Sequence[int]) -> Iterator[dict[str, Any]]:
    for number in numbers:
        payload = PAYLOADS[number]
        yield {
            "id": f"5ddc9141c35e7700383b29{number:02x}",
            "uuid": f"a5aa9bd8-ea31-415c-b452-3040dae1e{number:03}",
            "title": title_of(number),
            "html": body_of(number),
            "custom_excerpt": f"{words(number)} {payload}",
            "visibility": "public",
            "url": f"https://paper.example/g{number}/",
            "canonical_url": address_of(number),
            "feature_image": address_of(number),
            "feature_image_alt": payload,
            "feature_image_caption": payload,
            "authors": [{"name": payload}],
            "tags": [{"name": payload}],
            "published_at": f"{time_of(number, numbers)}.000Z",
            "updated_at": f"{time_of(number, numbers)}.000Z",
        }


def article_page(number: int, numbers: Sequence[int]) -> bytes:
    """A page whose metadata mean harm: by JSON-LD, by OpenGraph, or by its bare title, in turn."""
    payload, title = PAYLOADS[number], title_of(number)
    told = {
        "@type": "NewsArticle",
        "headline": title,
        "description": f"{words(number)} {payload}",
        "articleBody": f"The first sentence of {words(number)} is {payload} here.",
        "author": {"name": payload},
        "articleSection": payload,
        "keywords": payload,
        "image": address_of(number),
        "mainEntityOfPage": "javascript:hurt()",
        "datePublished": f"{time_of(number, numbers)}Z",
    }
    # As careful sites write it: the script element must not end too early.
    document = json.dumps(told).replace("<", "\\u003c")
    graph = f'<script type="application/ld+json">{document}</script>'
    attribute = escape(title)
    opengraph = (
        f'<meta property="og:title" content="{attribute}"><meta property="og:type" '
        f'content="article"><meta property="og:image" content="{escape(address_of(number))}">'
        f'<meta property="og:description" content="{attribute}"><meta name="author" '
        f'content="{escape(payload)}"><meta property="article:section" content="{attribute}">'
        f'<meta property="article:published_time" content="{time_of(number, numbers)}Z">'
    )
    date = f'<meta property="article:published_time" content="{time_of(number, numbers)}Z">'
    shapes = (graph, opengraph, date)
    return (
        f'<html><head><title>{attribute}</title><link rel="canonical" '
        f'href="{escape(address_of(number))}">{shapes[number % 3]}</head><body>{payload}</body>'
    ).encode()


def _open_feed(write: Callable[[Sequence[int]], bytes]) -> Door:
    def opened(site: Any, path: str, numbers: Sequence[int]) -> str:
        site.page(f"{path}/feed", write(numbers))
        return str(site.url(f"{path}/feed"))

    return opened


def _open_wordpress(site: Any, path: str, numbers: Sequence[int]) -> str:
    body = json.dumps(list(wordpress_posts(numbers))).encode()
    headers = {"Content_Type": "application/json", "X_WP_TotalPages": "1"}
    site.page(f"{path}/wp-json/wp/v2/posts", body, **headers)
    return str(site.url(f"{path}/wp-json/"))


def _open_ghost(site: Any, path: str, numbers: Sequence[int]) -> str:
    meta = {"pagination": {"page": 1, "next": None}}
    document = {"posts": list(ghost_posts(numbers)), "meta": meta}
    site.page(f"{path}/ghost/api/content/posts/", json.dumps(document).encode())
    return str(site.url(f"{path}/ghost/api/content/?key={_GHOST_KEY}"))


def _open_sitemap(site: Any, path: str, numbers: Sequence[int]) -> str:
    entries = []
    for number in numbers:
        page = f"{path}/{number}"
        site.page(page, article_page(number, numbers), Content_Type="text/html; charset=utf-8")
        title, time = _xml(title_of(number)), time_of(number, numbers)
        entries.append(
            f"<url><loc>{site.url(page)}</loc><lastmod>{time}Z</lastmod><n:news>"
            f"<n:title>{title}</n:title></n:news></url>"
        )
    space = 'xmlns:n="http://www.google.com/schemas/sitemap-news/0.9"'
    site.page(f"{path}/sitemap.xml", f"<urlset {space}>{''.join(entries)}</urlset>".encode())
    return str(site.url(f"{path}/sitemap.xml"))


# The kind of source behind each door, and what serves it below a path and tells its address.
DOORS: dict[str, tuple[str, Door]] = {
    "rss": ("feed", _open_feed(rss)),
    "atom": ("feed", _open_feed(atom)),
    "json": ("feed", _open_feed(json_feed)),
    "wordpress": ("wordpress", _open_wordpress),
    "ghost": ("ghost", _open_ghost),
    "pages": ("sitemap", _open_sitemap),
}
