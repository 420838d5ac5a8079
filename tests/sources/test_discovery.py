"""What a site tells of itself."""

import io
import json
from typing import Any

import httpcore2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from newsletter.net.fetcher import Fetcher
from newsletter.net.guard import PUBLIC_PORTS, resolve_host
from newsletter.net.response import PrivateAddress, StatusError, TlsFailure, Unreachable
from newsletter.sources.discovery import discover_site
from newsletter.sources.logo_colour import dominant_colour
from newsletter.sources.model import FoundSource, SiteProfile
from newsletter.sources.page import read_page

FEED = b"""<rss version="2.0"><channel><title>The Paper</title><link>%s</link>
<description>News of the town</description><language>en-US</language>
<item><title>Bread</title><link>https://paper.example/bread/</link></item></channel></rss>"""

SOCIAL = """
<a href="https://www.facebook.com/sharer/sharer.php?u=x">Share</a>
<a href="https://twitter.com/intent/tweet?x">Tweet</a>
<a href="https://x.com/somebody/status/123">a post</a>
<a href="https://www.facebook.com/thepaper">Facebook</a>
<a href="https://www.facebook.com/thepaper/">Facebook again</a>
<a href="https://x.com/thepaper">X</a> <a href="https://twitter.com/oldpaper">Twitter</a>
<a href="https://www.instagram.com/thepaper/">I</a>
<a href="https://t.me/thepaper">T</a> <a href="https://bsky.app/profile/paper.example">B</a>
<a href="https://www.linkedin.com/company/thepaper">L</a> <a href="https://x.com/">X</a>
<a rel="me noopener" href="https://town.example/@thepaper">M</a>
<a href="https://town.example/@other">not ours</a>
"""


def a_logo(colour: str) -> bytes:
    """Letters of that colour on white, with a black line below."""
    image = Image.new("RGB", (200, 60), "white")
    image.paste(colour, (20, 10, 150, 40))
    image.paste("black", (0, 52, 200, 60))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def discover(site: Any, fetcher: Fetcher, path: str = "/") -> SiteProfile:
    return discover_site(fetcher, site.url(path), allow_private=True)


def origin_of(profile: SiteProfile, what: str) -> str:
    return next(finding.origin for finding in profile.findings if finding.what == what)


def serve_wordpress(site: Any, **root: Any) -> None:
    facts = {
        "name": "The Paper &amp; Mirror",
        "description": "News of the town",
        "home": site.url().rstrip("/"),
        "timezone_string": "America/New_York",
        "gmt_offset": -4,
        "namespaces": ["wp/v2", "wordpress-popular-posts/v1"],
        "site_icon_url": site.url("/icon.png"),
        "site_logo": 7,
        **root,
    }
    api = site.url("/wp-json/")
    site.page(
        "/",
        f'<html lang="en-US"><head><title>Home</title><link rel="alternate" '
        f'type="application/rss+xml" title="The Paper &raquo; Feed" href="/feed/">'
        f'<link rel="alternate" type="application/rss+xml" title="Comments" href="/comments/feed/">'
        f"</head><body>{SOCIAL}</body></html>".encode(),
        Link=f'<{api}>; rel="https://api.w.org/"',
    )
    site.page("/wp-json/", json.dumps(facts).encode())
    for path in ("/logo.png", "/icon.png"):
        site.page(path, a_logo("#1a5e63"), Content_Type="image/png")
    site.page("/wp-json/wp/v2/posts", b'[{"id": 41}]')
    site.page("/wp-json/wp/v2/media/7", b'{"source_url": "/logo.png"}')
    site.page("/feed/", FEED % site.url().encode())


def test_a_wordpress_site_tells_all(site: Any, fetcher: Fetcher) -> None:
    serve_wordpress(site)
    profile = discover(site, fetcher)
    api = site.url("/wp-json/")
    assert profile.sources == (
        FoundSource("wordpress", api),
        FoundSource("feed", site.url("/feed/")),
    )
    assert profile.reads == (FoundSource("wordpress-popular-posts", api),)
    assert profile.name == "The Paper & Mirror"
    assert profile.description == "News of the town"
    assert profile.timezone == "America/New_York"
    assert profile.language == "en-US"
    assert profile.logo == site.url("/logo.png")
    assert profile.colour == "#1a5e63"
    assert origin_of(profile, "colour") == "the logo's pixels"
    assert profile.counters == ("WordPress Popular Posts",)
    assert profile.social == (
        "https://www.facebook.com/thepaper",
        "https://x.com/thepaper",
        "https://www.instagram.com/thepaper/",
        "https://t.me/thepaper",
        "https://bsky.app/profile/paper.example",
        "https://www.linkedin.com/company/thepaper",
        "https://town.example/@thepaper",
    )
    assert profile.warnings == ()
    assert origin_of(profile, "timezone") == "WordPress REST"
    assert "/comments/feed/" not in [path for path, _ in site.seen]


def test_only_an_offset_is_a_warning(site: Any, fetcher: Fetcher) -> None:
    serve_wordpress(site, timezone_string="", gmt_offset=5.5, site_logo=0)
    profile = discover(site, fetcher)
    assert profile.timezone is None
    assert any("UTC+5.5" in warning for warning in profile.warnings)
    assert profile.logo == site.url("/icon.png")


def test_a_closed_rest_api_leaves_the_feed(site: Any, fetcher: Fetcher) -> None:
    serve_wordpress(site)
    site.page("/wp-json/", b'{"code": "rest_disabled"}', status=401)
    profile = discover(site, fetcher)
    assert profile.sources == (FoundSource("feed", site.url("/feed/")),)
    assert profile.name == "The Paper"
    assert any("WordPress REST can't be used" in warning for warning in profile.warnings)


def test_a_page_without_rest_is_read_for_its_metadata(site: Any, fetcher: Fetcher) -> None:
    data = {
        "@context": "https://schema.org",
        "@graph": [
            {"@type": "WebSite", "name": "paper.example", "alternateName": "Mirror"},
            {
                "@type": ["NewsMediaOrganization"],
                "name": "The &quot;Paper&quot;",
                "logo": {"@type": "ImageObject", "url": "/logo.png"},
            },
        ],
    }
    site.page(
        "/",
        f"""<html lang="hy_AM"><head><title>The Paper | Home</title>
        <meta property="og:site_name" content="Paper OG"><meta name="description" content="About">
        <script type="application/ld+json">{{broken</script>
        <script type="application/ld+json">{json.dumps(data)}</script>
        <link rel="alternate" type="text/csv" title="reads" href="/reads.csv">
        <link rel="alternate" type="application/atom+xml" href="/category/arts/feed/">
        <link rel="alternate" type="application/atom+xml" href="feeds/all.xml">
        <link rel="apple-touch-icon" sizes="180x180" href="/touch.png"></head></html>""".encode(),
    )
    site.page("/feeds/all.xml", FEED % b"https://paper.example/")
    profile = discover(site, fetcher)
    assert profile.name == 'The "Paper"'
    assert profile.short_name == "Mirror"
    assert profile.description == "About"
    assert profile.language == "hy-AM"
    assert profile.logo == site.url("/logo.png")
    assert profile.sources == (FoundSource("feed", site.url("/feeds/all.xml")),)
    assert profile.reads == (FoundSource("csv", site.url("/reads.csv")),)
    assert any("time zone" in warning for warning in profile.warnings)
    assert origin_of(profile, "reads") == "a CSV link on the page"


@pytest.mark.parametrize("path", ["/feed/", "/rss/", "/feed.xml", "/index.xml", "/atom.xml"])
def test_a_feed_in_a_usual_place_is_found(path: str, site: Any, fetcher: Fetcher) -> None:
    site.page("/", b"<html><head><title>A paper</title></head></html>")
    site.page(path, FEED % b"https://paper.example/")
    profile = discover(site, fetcher)
    assert profile.sources == (FoundSource("feed", site.url(path)),)
    assert profile.name == "The Paper"


def test_a_feeds_own_address_is_accepted(site: Any, fetcher: Fetcher) -> None:
    site.page("/news.xml", FEED % site.url("/front").encode(), Content_Type="text/xml")
    site.page("/front", b'<html><body><a href="https://t.me/thepaper">T</a></body></html>')
    profile = discover(site, fetcher, "/news.xml")
    assert profile.sources == (FoundSource("feed", site.url("/news.xml")),)
    assert (profile.name, profile.url) == ("The Paper", site.url("/front"))
    assert profile.social == ("https://t.me/thepaper",)


def test_a_feed_whose_site_fails_is_still_a_feed(site: Any, fetcher: Fetcher) -> None:
    site.page("/news.xml", FEED % site.url("/gone").encode())
    profile = discover(site, fetcher, "/news.xml")
    assert profile.sources == (FoundSource("feed", site.url("/news.xml")),)
    assert any("could not be looked at" in warning for warning in profile.warnings)


def test_a_site_with_nothing_says_what_to_do(site: Any, fetcher: Fetcher) -> None:
    site.page("/", b"<p>hello")
    profile = discover(site, fetcher)
    assert profile.sources == ()
    assert any("give the address of a feed" in warning for warning in profile.warnings)


def test_a_logo_that_mail_cannot_show_is_not_proposed(site: Any, fetcher: Fetcher) -> None:
    serve_wordpress(site, site_icon_url="")
    site.page("/wp-json/wp/v2/media/7", b'{"source_url": "/logo.svg"}')
    profile = discover(site, fetcher)
    assert profile.logo is None
    assert any("PNG or JPEG" in warning for warning in profile.warnings)


def test_without_a_scheme_the_loopback_is_tried_in_the_clear(site: Any, fetcher: Fetcher) -> None:
    site.page("/", b"<title>A paper</title>")
    profile = discover_site(fetcher, f"127.0.0.1:{site.port}", allow_private=True)
    assert (profile.url, profile.name) == (site.url("").rstrip("/"), "A paper")


def test_what_cannot_be_reached_is_an_error(site: Any, fetcher: Fetcher) -> None:
    with pytest.raises(StatusError, match="not found"):
        discover(site, fetcher, "/nothing")
    with pytest.raises(PrivateAddress, match="allow_private"):
        discover_site(fetcher, f"127.0.0.1:{site.port}")
    with pytest.raises(TlsFailure):
        discover_site(fetcher, f"https://127.0.0.1:{site.port}", allow_private=True)
    with (
        Fetcher("newsletter/0", resolve=lambda *_: []) as nowhere,
        pytest.raises(Unreachable, match=r"no host called nowhere\.example"),
    ):
        discover_site(nowhere, "nowhere.example")


@given(st.binary(max_size=200), st.text(alphabet="<>linkrehf=\"' /a@{}[]:;mtscp", max_size=80))
def test_any_page_is_read(body: bytes, markup: str) -> None:
    for page in (body, markup.encode(), b"<html>" + body):
        assert read_page(page, "https://paper.example/").url == "https://paper.example/"


@pytest.mark.parametrize(
    "document", ["[" * 50_000, '{"@graph": {"@graph": []}}', '{"@type": 4}', "1"]
)
def test_odd_json_ld_is_passed_over(document: str) -> None:
    body = f'<script type="application/ld+json">{document}</script>'.encode()
    page = read_page(body, "https://paper.example/")
    assert (page.organisation, page.site) == ({}, {})


def test_json_feed_goes_before_other_feeds(site: Any, fetcher: Fetcher) -> None:
    site.page(
        "/",
        b'<link rel="alternate" type="application/rss+xml" href="/feed.xml">'
        b'<link rel="alternate" type="application/feed+json" href="/feed.json">',
    )
    site.page("/feed.xml", FEED % b"https://paper.example/")
    document = {"version": "https://jsonfeed.org/version/1.1", "title": "J", "items": []}
    site.page("/feed.json", json.dumps(document).encode())
    assert discover(site, fetcher).sources == (FoundSource("feed", site.url("/feed.json")),)
    direct = discover(site, fetcher, "/feed.json")
    assert (direct.name, direct.sources) == ("J", (FoundSource("feed", site.url("/feed.json")),))


def test_a_ghost_site_opens_with_the_key_in_its_page(site: Any, fetcher: Fetcher) -> None:
    key = "22444f78447824223cefc48062"
    site.page(
        "/",
        f'<meta name="generator" content="Ghost 5.80"><script data-key="{key}" src="/s.js">'
        '</script><link rel="alternate" type="application/rss+xml" href="/rss/">'.encode(),
    )
    site.page("/rss/", FEED % b"https://paper.example/")
    told = {"title": "Ghost Paper", "timezone": "Asia/Yerevan", "accent_color": "#abc"}
    site.page("/ghost/api/content/settings/", json.dumps({"settings": told}).encode())
    profile = discover(site, fetcher)
    ghost = FoundSource("ghost", site.url(f"/ghost/api/content/?key={key}"))
    assert profile.sources == (ghost, FoundSource("feed", site.url("/rss/")))
    assert (profile.timezone, profile.colour) == ("Asia/Yerevan", "#aabbcc")
    assert origin_of(profile, "timezone") == "Ghost's Content API"


SITEMAP = b'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">%s</urlset>'


def test_a_site_with_nothing_but_sitemaps(site: Any, fetcher: Fetcher) -> None:
    site.page("/", b"<html><head><title>A paper</title></head></html>")
    robots = f"Sitemap: {site.url('/core.xml')}\nSitemap: {site.url('/news.xml')}\n"
    site.page("/robots.txt", robots.encode())
    site.page("/news.xml", SITEMAP % b"")
    site.page("/core.xml", SITEMAP % b"<url><loc>/bread</loc></url>")
    profile = discover(site, fetcher)
    # The news sitemap goes first although it is empty: it may be, for two days.
    assert profile.sources == (FoundSource("sitemap", site.url("/news.xml")),)
    assert [f.value for f in profile.findings if f.what == "sitemap"] == [
        site.url("/news.xml"),
        site.url("/core.xml"),
    ]


def test_a_guessed_feed_goes_before_a_sitemap(site: Any, fetcher: Fetcher) -> None:
    site.page("/", b"<title>A paper</title>")
    site.page("/robots.txt", f"Sitemap: {site.url('/core.xml')}\n".encode())
    site.page("/core.xml", SITEMAP % b"<url><loc>/bread</loc></url>")
    site.page("/index.xml", FEED % b"https://paper.example/")
    kinds = [source.kind for source in discover(site, fetcher).sources]
    assert kinds == ["feed", "sitemap"]


def test_counters_are_seen_by_their_scripts(site: Any, fetcher: Fetcher) -> None:
    site.page(
        "/",
        b"""<script defer data-domain="p" src="https://plausible.io/js/script.js"></script>
        <script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>
        <script>var _paq = window._paq || []; _paq.push(["trackPageView"]);</script>
        <script src="https://stats.wp.com/e-202532.js"></script>
        <script src="/wp-content/plugins/koko-analytics/assets/dist/js/script.js"></script>
        <script type="application/json">{"x": "goatcounter.com/count"}</script>""",
    )
    profile = discover(site, fetcher)
    assert set(profile.counters) == {
        "Plausible", "Google Analytics", "Matomo", "Jetpack Stats", "Koko Analytics",
    }  # fmt: skip
    assert origin_of(profile, "counter") == "a script on the page"


@pytest.mark.parametrize(
    ("told", "colour"),
    [("#1A5E63", "#1a5e63"), ("abc", "#aabbcc"), ("red", None), ("#12345", None), ("", None)],
)
def test_a_theme_colour_is_taken_where_it_is_one(
    told: str, colour: str | None, site: Any, fetcher: Fetcher
) -> None:
    site.page("/", f'<meta name="theme-color" content="{told}">'.encode())
    assert discover(site, fetcher).colour == colour


@pytest.mark.parametrize("body", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n" + b"\0" * 60, b"<svg/>"])
def test_what_is_no_picture_has_no_colour(body: bytes) -> None:
    assert dominant_colour(body) is None


def test_black_on_white_is_no_colour() -> None:
    assert dominant_colour(a_logo("black")) is None


FORBIDDEN = [
    "http://169.254.169.254/latest/meta-data/", "http://[::ffff:10.0.0.1]/x", "http://10.0.0.1/x",
    "http://[64:ff9b::a00:1]/", "http://[2002:a00:1::]/", "http://0x7f.1/", "http://2130706433/",
    "file:///etc/passwd", "gopher://127.0.0.1:70/_x", "http://93.184.215.14:6379/", "//127.0.0.1/x",
]  # fmt: skip


@pytest.mark.parametrize("target", FORBIDDEN)
def test_whatever_a_hostile_page_names_is_not_gone_to(target: str, site: Any) -> None:
    """Every door that discovery has, led to one forbidden address: only public ones are opened."""
    opened: list[tuple[str, int]] = []

    def resolve(host: str, port: int) -> list[str]:
        if host == "paper.example":
            return ["93.184.215.14"]
        return resolve_host(host, port)

    def connect(address: str, port: int, seconds: float) -> httpcore2.NetworkStream:
        opened.append((address, port))
        return httpcore2.SyncBackend().connect_tcp(
            "127.0.0.1", site.port, timeout=seconds, socket_options=()
        )

    site.page(
        "/",
        f"""<html><head><title>P</title><link rel="https://api.w.org/" href="{target}">
        <link rel="alternate" type="application/rss+xml" href="{target}">
        <link rel="alternate" type="application/atom+xml" href="/away">
        <link rel="apple-touch-icon" href="{target}">
        <script data-key="22444f78447824223cefc48062"></script></head></html>""".encode(),
    )
    site.page("/away", b"", status=302, Location=target)
    site.page("/robots.txt", f"Sitemap: {target}\nSitemap: http://paper.example/s.xml\n".encode())
    index = f"<sitemapindex><sitemap><loc>{target}</loc></sitemap></sitemapindex>"
    site.page("/s.xml", index.encode())
    with Fetcher("newsletter/0", seconds_between=0, resolve=resolve, connect=connect) as fetcher:
        profile = discover_site(fetcher, "http://paper.example/")
    assert {address for address, _ in opened} == {"93.184.215.14"}
    assert {port for _, port in opened} <= PUBLIC_PORTS
    assert all(source.url.startswith("http://paper.example/") for source in profile.sources)
