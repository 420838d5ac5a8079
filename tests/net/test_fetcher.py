"""Fetching from a real server on the loopback."""

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

import httpcore2
import pytest

from newsletter.errors import FetchError
from newsletter.net.fetcher import Fetcher
from newsletter.net.pace import parse_retry_after
from newsletter.net.response import (
    HostHeld,
    HostUnnamed,
    PrivateAddress,
    StatusError,
    TlsFailure,
    TooLarge,
    TooSlow,
    Unreachable,
)

AGENT = "newsletter/0 (+https://paper.example/contact)"


class TestClock:
    """A clock whose sleeps take no time."""

    __test__ = False

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.at = 100.0

    def now(self) -> datetime:
        return datetime(2025, 8, 5, 12, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


def resolving(**names: str) -> Callable[[str, int], Sequence[str]]:
    """A resolver of a few names; dots are written as underscores."""
    known = {name.replace("_", "."): address.split() for name, address in names.items()}

    def resolve(host: str, port: int) -> Sequence[str]:
        if host not in known:
            raise socket.gaierror(f"no {host}")
        return known[host]

    return resolve


def connecting_to(site: Any, asked: list[str]) -> Callable[..., httpcore2.NetworkStream]:
    """Stands in for the internet: every public address is the loopback site."""

    def connect(address: str, port: int, seconds: float) -> httpcore2.NetworkStream:
        asked.append(address)
        return httpcore2.SyncBackend().connect_tcp(
            "127.0.0.1", site.port, timeout=seconds, socket_options=()
        )

    return connect


def test_a_page_comes_with_its_headers_and_validators(site: Any, fetcher: Fetcher) -> None:
    site.page(
        "/feed", b"<rss/>", ETag='"a1"', Last_Modified="Tue, 05 Aug 2025 10:00:00 GMT",
        Content_Type="Application/RSS+xml; charset=UTF-8",
    )  # fmt: skip
    response = fetcher.get(site.url("/feed#top"), max_bytes=100, allow_private=True)
    assert (response.status, response.body, response.cut) == (200, b"<rss/>", False)
    assert response.url == site.url("/feed")
    assert response.etag == '"a1"'
    assert response.last_modified == "Tue, 05 Aug 2025 10:00:00 GMT"
    assert response.content_type == "application/rss+xml"
    headers = site.seen[0][1]
    assert headers["user-agent"] == AGENT
    assert headers["accept-encoding"] == "gzip, deflate"


def test_validators_go_back_as_received_and_304_is_a_value(site: Any, fetcher: Fetcher) -> None:
    site.page("/feed", b"", status=304, ETag='W/"a1"')
    response = fetcher.get(
        site.url("/feed"), max_bytes=100, etag='W/"a1"',
        last_modified="yesterday or so", allow_private=True,
    )  # fmt: skip
    assert response.is_unchanged
    assert response.body == b""
    assert site.seen[0][1]["if-none-match"] == 'W/"a1"'
    assert site.seen[0][1]["if-modified-since"] == "yesterday or so"


def test_the_loopback_is_refused_with_the_mend(site: Any, fetcher: Fetcher) -> None:
    site.page("/", b"secret")
    with pytest.raises(PrivateAddress, match=r"127\.0\.0\.1.*allow_private = true"):
        fetcher.get(site.url(), max_bytes=100)
    assert site.seen == []


def test_a_connection_allowed_into_private_networks_is_not_used_for_others(
    site: Any, fetcher: Fetcher
) -> None:
    site.page("/", b"x")
    fetcher.get(site.url(), max_bytes=100, allow_private=True)
    with pytest.raises(PrivateAddress):
        fetcher.get(site.url(), max_bytes=100)
    assert len(site.seen) == 1


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "[::1]", "[::ffff:7f00:1]"])
def test_every_spelling_of_the_loopback_is_refused(host: str, site: Any, fetcher: Fetcher) -> None:
    with pytest.raises(FetchError):
        fetcher.get(f"http://{host}:{site.port}/", max_bytes=100)
    assert site.connections == 0


def test_a_name_that_resolves_to_a_private_address_is_refused(site: Any) -> None:
    resolve = resolving(inside_example="10.0.0.7", meta_example="169.254.169.254")
    with Fetcher(AGENT, resolve=resolve) as fetcher:
        with pytest.raises(PrivateAddress, match=r"inside\.example.*10\.0\.0\.7.*allow_private"):
            fetcher.get("http://inside.example/", max_bytes=100)
        with pytest.raises(PrivateAddress) as caught:
            fetcher.get("http://meta.example/", max_bytes=100, allow_private=True)
    assert "allow_private" not in str(caught.value)


def test_the_name_is_resolved_once_and_the_checked_number_is_connected_to(site: Any) -> None:
    site.page("/", b"hello")
    asked: list[str] = []
    answers = iter([["10.0.0.1", "93.184.215.14"], ["127.0.0.1"]])  # a rebinding name server
    with Fetcher(
        AGENT, resolve=lambda *_: next(answers), connect=connecting_to(site, asked)
    ) as fetcher:
        assert fetcher.get("http://paper.example/", max_bytes=100).body == b"hello"
    assert asked == ["93.184.215.14"]
    assert site.seen[0][1]["host"] == "paper.example"


def test_tls_is_asked_for_by_name_although_the_number_is_connected_to() -> None:
    hello: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as door:

        def take_hello() -> None:
            connection, _ = door.accept()
            with connection:
                hello.append(connection.recv(4096))

        thread = threading.Thread(target=take_hello)
        thread.start()
        port = door.getsockname()[1]
        with (
            Fetcher(
                AGENT,
                resolve=resolving(paper_example="93.184.215.14"),
                connect=lambda _address, _port, seconds: httpcore2.SyncBackend().connect_tcp(
                    "127.0.0.1", port, timeout=seconds, socket_options=()
                ),
            ) as fetcher,
            pytest.raises(FetchError, match=r"paper\.example"),
        ):
            fetcher.get("https://paper.example/", max_bytes=100)
        thread.join()
    assert b"paper.example" in hello[0]


def test_a_site_without_tls_is_named_as_such(site: Any, fetcher: Fetcher) -> None:
    with pytest.raises(TlsFailure, match=r"127\.0\.0\.1 could not be trusted over https"):
        fetcher.get(f"https://127.0.0.1:{site.port}/", max_bytes=100, allow_private=True)


def test_redirects_are_followed_to_the_final_address(site: Any, fetcher: Fetcher) -> None:
    site.page("/old", b"", status=301, Location="/new?a=1")
    site.page("/new", b"here")
    response = fetcher.get(site.url("/old"), max_bytes=100, allow_private=True)
    assert (response.url, response.body) == (site.url("/new?a=1"), b"here")


def test_a_redirect_loop_ends(site: Any, fetcher: Fetcher) -> None:
    site.page("/a", b"", status=302, Location="/b")
    site.page("/b", b"", status=302, Location="/a")
    with pytest.raises(FetchError, match="5 redirects"):
        fetcher.get(site.url("/a"), max_bytes=100, allow_private=True)
    assert len(site.seen) == 6


@pytest.mark.parametrize("port", [3306, 5432, 6379, 9200, 11211, 25565, 65535])
def test_public_hosts_are_asked_at_the_ports_of_the_web_only(port: int, site: Any) -> None:
    asked: list[str] = []
    resolve = resolving(paper_example="93.184.215.14")
    with Fetcher(AGENT, resolve=resolve, connect=connecting_to(site, asked)) as fetcher:
        for allow_private in (False, True):
            with pytest.raises(FetchError, match=f"port {port} is not one that public sites use"):
                fetcher.get(
                    f"http://paper.example:{port}/", max_bytes=100, allow_private=allow_private
                )
    assert asked == []


def test_a_redirect_does_not_lead_to_another_port(site: Any) -> None:
    site.page("/a", b"", status=302, Location="http://paper.example:6379/")
    asked: list[str] = []
    resolve = resolving(paper_example="93.184.215.14")
    with (
        Fetcher(AGENT, resolve=resolve, connect=connecting_to(site, asked)) as fetcher,
        pytest.raises(FetchError, match="port 6379"),
    ):
        fetcher.get("http://paper.example:8080/a", max_bytes=100)
    assert [path for path, _ in site.seen] == ["/a"]


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "::1", "fe80::1", "fd00::1",
     "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1", "2001:0:1::1", "0.0.0.0", "::"],
)  # fmt: skip
def test_a_second_look_at_a_name_is_checked_again(address: str, site: Any) -> None:
    """Every hop resolves anew: a name that was public for the first is not believed later."""
    site.page("/a", b"", status=302, Location="http://other.example/b")
    asked: list[str] = []
    resolve = resolving(paper_example="93.184.215.14", other_example=address)
    with (
        Fetcher(AGENT, resolve=resolve, connect=connecting_to(site, asked)) as fetcher,
        pytest.raises(PrivateAddress, match="lies at"),
    ):
        fetcher.get("http://paper.example/a", max_bytes=100)
    assert asked == ["93.184.215.14"]


def test_of_several_addresses_only_the_public_are_connected_to(site: Any) -> None:
    site.page("/a", b"x")
    asked: list[str] = []
    resolve = resolving(paper_example="10.0.0.1 93.184.215.14 127.0.0.1")
    with Fetcher(AGENT, resolve=resolve, connect=connecting_to(site, asked)) as fetcher:
        fetcher.get("http://paper.example/a", max_bytes=100)
    assert asked == ["93.184.215.14"]


def test_a_site_may_ask_for_a_longer_pause_between_requests(site: Any) -> None:
    site.page("/a", b"x")
    clock = TestClock()
    resolve = resolving(paper_example="93.184.215.14")
    with Fetcher(AGENT, clock=clock, resolve=resolve, connect=connecting_to(site, [])) as fetcher:
        fetcher.slow_down("http://paper.example/", 7)
        for _ in range(2):
            fetcher.get("http://paper.example/a", max_bytes=100)
        fetcher.slow_down("http://paper.example/", 5000)  # a poll must come to an end
        for _ in range(2):
            fetcher.get("http://paper.example/a", max_bytes=100)
    assert clock.slept == [7, 7, 60]


@pytest.mark.parametrize(
    "location",
    ["http://169.254.169.254/latest/meta-data/", "http://[64:ff9b::7f00:1]/", "http://0.0.0.0/"],
)
def test_a_redirect_to_a_forbidden_address_is_refused(
    location: str, site: Any, fetcher: Fetcher
) -> None:
    site.page("/a", b"", status=302, Location=location)
    with pytest.raises(PrivateAddress):
        fetcher.get(site.url("/a"), max_bytes=100, allow_private=True)


def test_a_public_site_cannot_lead_us_home(site: Any) -> None:
    site.page("/a", b"", status=302, Location=site.url("/secret"))
    site.page("/secret", b"secret")
    asked: list[str] = []

    def resolve(host: str, port: int) -> Sequence[str]:
        return ["93.184.215.14"] if host == "paper.example" else [host]

    with (
        Fetcher(AGENT, resolve=resolve, connect=connecting_to(site, asked)) as fetcher,
        pytest.raises(PrivateAddress),
    ):
        fetcher.get("http://paper.example/a", max_bytes=100)
    assert [path for path, _ in site.seen] == ["/a"]


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://paper.example/", "javascript:x"])
def test_a_redirect_to_something_else_is_refused(
    location: str, site: Any, fetcher: Fetcher
) -> None:
    site.page("/a", b"", status=302, Location=location)
    with pytest.raises(FetchError, match="not a web address"):
        fetcher.get(site.url("/a"), max_bytes=100, allow_private=True)


@pytest.mark.parametrize(
    "url",
    ["", "paper.example", "ftp://paper.example/", "http://", "http://[::1", "javascript:alert(1)",
     "http://paper.example:22/", "http://paper.example:70000/", "http://paper.example:x/"],
)  # fmt: skip
def test_what_is_no_web_address_is_refused(url: str, fetcher: Fetcher) -> None:
    with pytest.raises(FetchError):
        fetcher.get(url, max_bytes=100, allow_private=True)


def test_an_unknown_host_is_named(site: Any) -> None:
    with (
        Fetcher(AGENT, resolve=resolving()) as fetcher,
        pytest.raises(Unreachable, match=r"no host called nowhere\.example"),
    ):
        fetcher.get("https://nowhere.example/feed", max_bytes=100)


def test_a_closed_port_is_unreachable(fetcher: Fetcher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    with pytest.raises(Unreachable, match="could not be reached"):
        fetcher.get(f"http://127.0.0.1:{port}/", max_bytes=100, allow_private=True)


@pytest.mark.parametrize(
    ("status", "words"),
    [(404, "not found"), (410, "not found"), (401, "refused"), (403, "refused"),
     (429, "too often"), (500, "trouble"), (503, "trouble"), (418, "status 418")],
)  # fmt: skip
def test_each_refusal_has_its_sentence(
    status: int, words: str, site: Any, fetcher: Fetcher
) -> None:
    site.page("/feed", b'{"code": "nope"}', status=status)
    with pytest.raises(StatusError, match=words) as caught:
        fetcher.get(site.url("/feed?key=hush"), max_bytes=100, allow_private=True)
    assert caught.value.status == status
    assert caught.value.body == b'{"code": "nope"}'
    assert "127.0.0.1" in str(caught.value)
    assert "hush" not in str(caught.value) + caught.value.subject


def test_credentials_are_sent_and_never_shown(site: Any, fetcher: Fetcher) -> None:
    site.page("/feed", b"x", status=404)
    url = f"http://lilit:hush@127.0.0.1:{site.port}/feed"
    with pytest.raises(StatusError) as caught:
        fetcher.get(url, max_bytes=100, allow_private=True)
    assert site.seen[0][1]["authorization"].startswith("Basic ")
    assert "hush" not in str(caught.value) + caught.value.subject
    site.page("/feed", b"x")
    assert "hush" not in fetcher.get(url, max_bytes=100, allow_private=True).url


def test_too_large_by_its_own_word_is_refused_unread(site: Any, fetcher: Fetcher) -> None:
    def boast(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(200_000_000))
        request.end_headers()
        request.wfile.write(b"x")

    site.pages["/feed"] = boast
    with pytest.raises(TooLarge, match="larger than the 10 MB"):
        fetcher.get(site.url("/feed"), max_bytes=10_000_000, allow_private=True)


def test_a_huge_stream_is_left_early(site: Any, fetcher: Fetcher) -> None:
    sent = 0

    def pour(request: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        request.send_response(200)
        request.send_header("Connection", "close")
        request.end_headers()
        request.close_connection = True
        block = b"x" * 65536
        while sent < 200_000_000:
            request.wfile.write(block)
            sent += len(block)

    site.pages["/feed"] = pour
    with pytest.raises(TooLarge):
        fetcher.get(site.url("/feed"), max_bytes=1_000_000, allow_private=True)
    fetcher.close()
    assert sent < 100_000_000


def test_a_gzip_bomb_is_counted_decoded(site: Any, fetcher: Fetcher) -> None:
    bomb = gzip.compress(b"\0" * 20_000_000)
    assert len(bomb) < 100_000
    site.page("/feed", bomb, Content_Encoding="gzip")
    with pytest.raises(TooLarge):
        fetcher.get(site.url("/feed"), max_bytes=1_000_000, allow_private=True)


def test_gzip_is_decoded(site: Any, fetcher: Fetcher) -> None:
    site.page("/feed", gzip.compress(b"hello"), Content_Encoding="gzip")
    response = fetcher.get(site.url("/feed"), max_bytes=100, allow_private=True)
    assert response.body == b"hello"


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "zstd"])
def test_an_encoding_not_asked_for_is_refused(encoding: str, site: Any, fetcher: Fetcher) -> None:
    site.page("/feed", b"x", Content_Encoding=encoding)
    with pytest.raises(FetchError, match="was not asked for"):
        fetcher.get(site.url("/feed"), max_bytes=100, allow_private=True)


def test_a_false_gzip_is_named(site: Any, fetcher: Fetcher) -> None:
    site.page("/feed", b"hello", Content_Encoding="gzip")
    with pytest.raises(FetchError, match="says it is compressed"):
        fetcher.get(site.url("/feed"), max_bytes=100, allow_private=True)


def test_a_cut_body_is_an_error_unless_the_rest_is_wanted(site: Any, fetcher: Fetcher) -> None:
    def cut(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(b"the first half")
        request.close_connection = True

    site.pages["/feed"] = cut
    with pytest.raises(FetchError, match="broke off in the middle"):
        fetcher.get(site.url("/feed"), max_bytes=2000, allow_private=True)
    kept = fetcher.get(site.url("/feed"), max_bytes=2000, allow_private=True, keep_partial=True)
    assert (kept.body, kept.cut) == (b"the first half", True)


@pytest.mark.parametrize("where", ["headers", "body"])
def test_a_server_that_drips_is_left(where: str, site: Any) -> None:
    stop = threading.Event()

    def drip(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n")
        if where == "body":
            request.wfile.write(b"\r\n")
        while not stop.wait(0.05):
            request.wfile.write(b"x" if where == "body" else b"X: y\r\n")

    site.pages["/feed"] = drip
    started = time.monotonic()
    with Fetcher(AGENT, total_seconds=0.3) as fetcher, pytest.raises(TooSlow, match=r"0\.3 second"):
        fetcher.get(site.url("/feed"), max_bytes=2000, allow_private=True)
    stop.set()
    assert time.monotonic() - started < 10


def test_one_connection_is_kept_alive(site: Any, fetcher: Fetcher) -> None:
    for number in range(5):
        site.page(f"/{number}", b"x")
        fetcher.get(site.url(f"/{number}"), max_bytes=100, allow_private=True)
    assert site.connections == 1


def test_two_at_a_time_share_one_connection(site: Any, fetcher: Fetcher) -> None:
    at_once, most = 0, 0

    def answer(request: BaseHTTPRequestHandler) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        time.sleep(0.02)
        at_once -= 1
        request.send_response(200)
        request.send_header("Content-Length", "1")
        request.end_headers()
        request.wfile.write(b"x")

    site.pages["/a"] = answer

    def ask() -> None:
        fetcher.get(site.url("/a"), max_bytes=10, allow_private=True)

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(site.seen), most, site.connections) == (5, 1, 1)


def test_cookies_are_not_kept(site: Any, fetcher: Fetcher) -> None:
    site.page("/", b"x", Set_Cookie="who=you; Path=/")
    fetcher.get(site.url(), max_bytes=100, allow_private=True)
    fetcher.get(site.url(), max_bytes=100, allow_private=True)
    assert "cookie" not in site.seen[1][1]


@pytest.fixture
def open_internet(site: Any) -> Iterator[tuple[Fetcher, TestClock]]:
    clock = TestClock()
    resolve = resolving(paper_example="93.184.215.14", other_example="93.184.215.15")
    with Fetcher(AGENT, clock=clock, resolve=resolve, connect=connecting_to(site, [])) as fetcher:
        yield fetcher, clock


def test_a_public_host_is_asked_once_a_second(
    site: Any, open_internet: tuple[Fetcher, TestClock]
) -> None:
    fetcher, clock = open_internet
    site.page("/", b"x")
    for host in ("paper", "other", "paper"):
        fetcher.get(f"http://{host}.example/", max_bytes=100)
    assert clock.slept == [1.0]


def test_a_host_that_asks_for_a_pause_gets_it(
    site: Any, open_internet: tuple[Fetcher, TestClock]
) -> None:
    fetcher, clock = open_internet
    site.page("/", b"", status=503, Retry_After="120")
    with pytest.raises(StatusError) as caught:
        fetcher.get("http://paper.example/", max_bytes=100)
    assert caught.value.retry_after == 120
    site.page("/", b"x")
    with pytest.raises(FetchError, match=r"paper\.example asked us to wait"):
        fetcher.get("http://paper.example/", max_bytes=100)
    assert len(site.seen) == 1
    clock.at += 121
    assert fetcher.get("http://paper.example/", max_bytes=100).body == b"x"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30", 30), ("Tue, 05 Aug 2025 12:01:00 GMT", 60), ("Tue, 05 Aug 2025 11:00:00 GMT", 0),
     ("soon", None), ("", None), (None, None), ("-5", None)],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(text: str | None, seconds: float | None) -> None:
    assert parse_retry_after(text, TestClock()) == seconds


def test_a_probe_asks_for_the_head_alone(site: Any, fetcher: Fetcher) -> None:
    site.page("/a", b"x" * 2_000_000)
    found = fetcher.probe(site.url("/a"), seconds=5, allow_private=True)
    assert (found.status, found.body) == (200, b"")
    assert (site.heads, site.seen) == (["/a"], [])


def test_where_the_head_is_refused_a_probe_asks_for_the_page_and_reads_none_of_it(
    site: Any, fetcher: Fetcher
) -> None:
    site.page("/a", b"x" * 2_000_000)
    site.no_head = {"/a"}
    assert fetcher.probe(site.url("/a"), seconds=5, allow_private=True).body == b""
    assert [path for path, _ in site.seen] == ["/a"]
    site.page("/gone", b"", status=410)
    with pytest.raises(StatusError) as gone:
        fetcher.probe(site.url("/gone"), seconds=5, allow_private=True)
    assert gone.value.status == 410
    assert [path for path, _ in site.seen] == ["/a", "/gone"]


def test_a_probe_follows_where_it_is_sent(site: Any, fetcher: Fetcher) -> None:
    site.page("/old", b"", status=301, Location="/new")
    site.page("/new", b"here")
    assert fetcher.probe(site.url("/old"), seconds=5, allow_private=True).url == site.url("/new")


def test_who_asks_to_wait_is_not_probed_twice(site: Any, fetcher: Fetcher) -> None:
    site.page("/a", b"", status=503, Retry_After="60")
    with pytest.raises(StatusError):
        fetcher.probe(site.url("/a"), seconds=5, allow_private=True)
    with pytest.raises(HostHeld):
        fetcher.probe(site.url("/b"), seconds=5, allow_private=True)
    assert (site.heads, site.seen) == (["/a"], [])


def test_a_host_that_is_to_be_spared_for_longer_is_not_waited_for(
    site: Any, ssl_context: Any
) -> None:
    site.page("/", b"a page")
    clock = TestClock()
    with Fetcher(
        AGENT,
        clock=clock,
        resolve=resolving(paper_example="93.184.216.34"),
        connect=connecting_to(site, []),
        ssl_context=ssl_context,
    ) as fetcher:
        fetcher.slow_down("http://paper.example/", 40)
        fetcher.probe("http://paper.example/", seconds=5)
        with pytest.raises(HostHeld):
            fetcher.probe("http://paper.example/", seconds=5)
    assert clock.slept == []


@pytest.mark.parametrize(
    ("number", "kind"), [(socket.EAI_NONAME, HostUnnamed), (socket.EAI_AGAIN, Unreachable)]
)
def test_a_name_that_does_not_exist_is_told_from_a_resolver_that_fails(
    ssl_context: Any, number: int, kind: type[Unreachable]
) -> None:
    def resolve(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(number, "no")

    with (
        Fetcher(AGENT, resolve=resolve, ssl_context=ssl_context) as fetcher,
        pytest.raises(Unreachable) as failed,
    ):
        fetcher.probe("http://nowhere.example/", seconds=5)
    assert type(failed.value) is kind
