import logging
import re
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from newsletter.errors import ConfigError, StorageError
from newsletter.issues.model import IssueState
from newsletter.log import configure_logging
from newsletter.publication.model import Settings
from newsletter.web.app import create_app
from newsletter.web.limits import PostLimit, client_network
from tests.web.site import SETTINGS, Site, links_in, open_site, stamp_in
from tests.web.test_web_issues import issue_of, preview_path, put_issue, rendered_html

LILIT = "lilit@reader.example"
SIGN_UP_PAGES = ("/subscribe/weekly", "/subscribe/kitchen")


def every_page(site: Site) -> list[str]:
    """The path of one page of each kind, found as a scanner finds them: by following links."""
    issue = issue_of(state=IssueState.SENT)
    put_issue(site, issue, html=rendered_html(site, issue))
    site.sign_up(LILIT)
    ani = site.put("ani@reader.example")
    new = {"address": "ani@other.example"}
    site.client.post(f"{site.preferences_path(ani)}/address", data=new)
    site.client.post(f"{site.preferences_path(ani)}/data")
    mailings = [mailing for _, mailing in site.outgoing()]
    assert len(mailings) == 3
    gone = site.put("gone@reader.example", "unsubscribed")
    found = [
        *("/", "/healthz", "/nowhere", "/subscribe/daily", "/static/site.css"),
        *(preview_path(site, issue), site.preferences_path(ani)),
        *(site.unsubscribe_path(ani), site.unsubscribe_path(gone)),
        *(link for mailing in mailings for link in links_in(mailing.html + mailing.text)),
    ]
    ours = site.context.base_url
    paths: list[str] = []
    while found:
        path = found.pop().removeprefix(ours).rstrip(".,)>")
        if path.startswith("/") and path not in paths:
            paths.append(path)
            answer = site.client.get(path)
            if answer.headers["content-type"].startswith("text/html"):
                found.extend(links_in(answer.text))
    return paths


def test_a_scanner_that_follows_every_link_changes_nothing(site: Site) -> None:
    paths = every_page(site)
    kinds = {path.split("/")[1] for path in paths}
    assert kinds >= {"confirm", "unsubscribe", "preferences", "subscribe", "archive", "desk"}
    assert kinds >= {"address", "data"}
    before = site.dump()
    for path in paths:
        for method in ("GET", "HEAD"):
            answer = site.client.request(method, path, headers={"purpose": "prefetch"})
            assert answer.status_code in (200, 404), (method, path)
            assert "set-cookie" not in answer.headers
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
            assert site.client.request(method, path).status_code in (404, 405), (method, path)
    assert site.dump() == before
    assert site.state(LILIT) == "pending"


def test_every_answer_carries_the_safe_headers(site: Site) -> None:
    paths = every_page(site)
    for path in paths:
        headers = site.client.get(path).headers
        assert headers["referrer-policy"] == "no-referrer", path
        assert headers["x-content-type-options"] == "nosniff", path
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'"), path
        assert "frame-ancestors" in policy, path
        own_script = path in SIGN_UP_PAGES
        assert ("script-src" in policy) == own_script, path
        assert not own_script or "script-src 'self';" in policy, path
        assert "cache-control" in headers, path
        personal = path.split("/")[1] in (
            *("confirm", "unsubscribe", "preferences", "address", "data", "desk"),
        )
        if personal or path.startswith("/subscribe"):
            assert headers["cache-control"] == "no-store", path
            assert headers["x-robots-tag"] == "noindex", path


def test_no_page_holds_a_script_of_others_or_another_site(site: Site) -> None:
    for path in every_page(site):
        answer = site.client.get(path)
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        scripts = re.findall("<script.*", answer.text)
        assert len(scripts) == (path in SIGN_UP_PAGES), path
        for script in scripts:
            assert re.fullmatch(r'<script src="/static/form\.js\?v=\w+" defer></script>', script), (
                path
            )
        if not path.startswith("/archive/weekly/2") and "/html" not in path:
            assert "style=" not in answer.text, path
            assert 'src="http' not in answer.text, path


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "news.paper.example.evil.example", "news.paper.example@evil.example"),
        *("", "[::1", "evil.example:443", "news.paper.example."),
    ],
)
def test_another_host_is_refused(site: Site, host: str) -> None:
    answer = site.client.get("/subscribe/weekly", headers={"host": host})
    assert answer.status_code == 400
    assert "base_url" in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert site.client.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["news.paper.example", "NEWS.paper.example:8443", "localhost:8000", "[::1]:8000"]
)
def test_our_own_hosts_are_answered(site: Site, host: str) -> None:
    assert site.client.get("/", headers={"host": host}).status_code == 200


def test_a_forged_host_or_proxy_header_changes_no_link(site: Site) -> None:
    stamp = stamp_in(site.client.get("/subscribe/weekly").text)
    site.clock.sleep(5)
    site.client.post(
        "/subscribe/weekly",
        data={"address": LILIT, "stamp": stamp},
        headers={
            "x-forwarded-host": "evil.example",
            "x-forwarded-proto": "ftp",
            "forwarded": "host=evil.example",
            "origin": "https://evil.example",
        },
    )
    ((_, mailing),) = site.outgoing()
    assert "evil.example" not in mailing.html + mailing.text
    assert "https://news.paper.example/confirm/" in mailing.text


@pytest.mark.parametrize("path", ["/subscribe/weekly", "/preferences/x", "/confirm/x"])
def test_a_body_that_is_too_large_is_refused(site: Site, path: str) -> None:
    assert site.client.post(path, content=b"x" * 100_000).status_code == 413

    def drops() -> list[bytes]:
        return [b"address=" + b"x" * 10_000] * 10

    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert site.client.post(path, content=iter(drops()), headers=headers).status_code == 413


@pytest.mark.parametrize(("language", "begins"), [("en", "What was sent"), ("hy", "")])
def test_the_api_says_the_same_of_it_however_it_comes(
    site: Site, language: str, begins: str
) -> None:
    path = f"/api/v1/subscriptions?language={language}"
    headers = {"content-type": "application/json"}
    whole, drops = b"x" * 100_000, iter([b"x" * 10_000] * 10)
    answers = [
        site.client.post(path, content=content, headers=headers) for content in (whole, drops)
    ]
    assert [answer.status_code for answer in answers] == [413, 413]
    first, second = (answer.json() for answer in answers)
    assert first == second
    assert first["error"]["code"] == "too_large"
    assert first["error"]["sentence"].startswith(begins)
    assert first["error"]["sentence"].isascii() is bool(begins)


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"--x\r\nbroken", "multipart/form-data; boundary=y"),
        (b"a=1&" * 5000, "application/x-www-form-urlencoded"),
        (
            b'--x\r\nContent-Disposition: form-data; name="address"; filename="a"\r\n\r\n'
            b"a\r\n--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
        (b"\xff\xfe%zz=%", "application/x-www-form-urlencoded"),
        (b'{"address": "lilit@reader.example"}', "application/json"),
    ],
)
def test_a_body_that_is_no_form_is_answered_with_a_sentence(
    site: Site, content: bytes, content_type: str
) -> None:
    answer = site.client.post(
        "/subscribe/weekly", content=content, headers={"content-type": content_type}
    )
    assert answer.status_code in (200, 400)
    assert "<h1>" in answer.text


def test_the_log_holds_no_token_and_no_address(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    configure_logging("text", "info")
    try:
        path = site.unsubscribe_path(site.put(LILIT))
        site.client.post(path)
        site.client.get(f"{path}/more")
        site.client.get(f"{path[:-5]}")
        site.client.get(f"/x{path.replace('/', '-')}")
        site.sign_up("ani@reader.example")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    logged = capsys.readouterr().err
    assert "path='/unsubscribe/…'" in logged
    assert "status=404" in logged
    assert "a…@reader.example" in logged
    assert path.removeprefix("/unsubscribe/")[2:20] not in logged
    assert LILIT not in logged
    assert "ani@" not in logged


def test_health_tells_whether_the_database_answers(site: Site, tmp_path: Path) -> None:
    assert site.client.get("/healthz").json() == {"status": "ok"}
    site.database.close()
    for file in tmp_path.glob("newsletter.sqlite*"):
        file.unlink()
    unwell = site.client.get("/healthz")
    assert unwell.status_code == 503
    assert unwell.json()["status"] == "unavailable"


def client_with(site: Site, error: Exception) -> TestClient:
    def fail() -> Settings:
        raise error

    app = create_app(replace(site.context, load_settings=fail))
    return TestClient(app, base_url=site.context.base_url, raise_server_exceptions=False)


def test_a_resting_database_is_told_and_may_be_tried_again(site: Site) -> None:
    answer = client_with(site, StorageError("the disk is full: /secret/path")).get("/")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "60"
    assert "try again in a minute" in answer.text
    assert "/secret/path" not in answer.text


@pytest.mark.parametrize("error", [ConfigError("no publication"), ZeroDivisionError("oh")])
def test_our_own_failure_has_a_page_with_the_safe_headers(site: Site, error: Exception) -> None:
    answer = client_with(site, error).get("/subscribe/weekly")
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.text
    assert str(error) not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_the_pages_may_lie_below_a_path(tmp_path: Path, blank: Path) -> None:
    with open_site(tmp_path, blank, base_url="https://paper.example/news") as site:
        page = site.client.get("/news/subscribe/weekly")
        assert page.status_code == 200
        for link in links_in(page.text):
            path = link.removeprefix("https://paper.example")
            if path.startswith("/news"):
                assert site.client.get(path).status_code == 200, path
            else:
                assert not path.startswith("/"), path
        assert 'action="/news/subscribe/weekly"' in page.text
        assert site.client.get("/healthz").status_code == 200
        assert site.client.get("/subscribe/weekly").status_code == 404


def test_the_papers_colours_come_as_a_stylesheet(site: Site) -> None:
    answer = site.client.get("/static/brand.css")
    assert answer.headers["content-type"].startswith("text/css")
    assert SETTINGS.publication.colours.accent in answer.text
    assert "static/site.css?v=" in site.client.get("/").text
    assert site.client.get("/static/../app.py").status_code == 404
    assert site.client.get("/static/%2e%2e/app.py").status_code == 404


def request_from(client: str, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    return Request({"type": "http", "client": (client, 5), "headers": headers})


@pytest.mark.parametrize(
    ("client", "forwarded", "network"),
    [
        ("203.0.113.9", (), "203.0.113.0/24"),
        ("203.0.113.9", ("198.51.100.1",), "203.0.113.0/24"),
        ("10.0.0.1", ("198.51.100.1",), "198.51.100.0/24"),
        ("10.0.0.1", ("192.0.2.7, 198.51.100.1",), "198.51.100.0/24"),
        ("10.0.0.1", ("192.0.2.7", "198.51.100.1, 10.0.0.1"), "198.51.100.0/24"),
        ("10.0.0.1", ("rubbish",), "unknown"),
        ("10.0.0.1", (), "10.0.0.0/24"),
        ("2001:db8:1:2:3::4", (), "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", (), "203.0.113.0/24"),
        ("testclient", (), "unknown"),
    ],
)
def test_the_visitors_network_is_read_only_from_trusted_proxies(
    client: str, forwarded: tuple[str, ...], network: str
) -> None:
    assert client_network(request_from(client, *forwarded), {"10.0.0.1"}) == network


def test_the_limit_forgets_the_network_not_heard_of_for_longest() -> None:
    limit = PostLimit(posts=1)
    assert limit.allow("first", 0)
    assert not limit.allow("first", 1)
    for number in range(10_000):
        assert limit.allow(f"network {number}", 2)
    assert limit.allow("first", 3)
