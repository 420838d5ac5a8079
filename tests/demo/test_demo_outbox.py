"""The outbox's pages over a folder of caught mail."""

import email.policy
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from newsletter.demo.outbox import PER_PAGE, create_outbox
from newsletter.rendering.environment import Templates


def put_mail(folder: Path, number: int, *, html: str = "<p>Good <b>light</b></p>") -> None:
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"] = "The Courier <weekly@paper.example>"
    message["To"] = f"reader{number}@reader.example"
    message["Subject"] = f"Issue {number} <script>x</script> of Գյումրի"
    message["Date"] = datetime(2025, 8, 5, 12, 0, number % 60, tzinfo=UTC)
    message["X-Other"] = "quiet"
    message.set_content("Good light in plain words")
    if html:
        message.add_alternative(html, subtype="html")
    folder.mkdir(exist_ok=True)
    (folder / f"{number:06}.eml").write_bytes(message.as_bytes())


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    app = Starlette(routes=[Mount("/outbox", app=create_outbox(tmp_path / "box", Templates()))])
    with TestClient(app) as opened:
        yield opened


def rows(client: TestClient, path: str = "/outbox/") -> list[str]:
    answer = client.get(path)
    assert answer.status_code == 200
    return [row.text() for row in LexborHTMLParser(answer.text).css("a.row .who")]


def test_an_empty_outbox_says_so(client: TestClient) -> None:
    assert "Nothing has arrived yet" in client.get("/outbox/").text


def test_a_row_opens_its_mail(client: TestClient, tmp_path: Path) -> None:
    put_mail(tmp_path / "box", 7)
    row = LexborHTMLParser(client.get("/outbox/").text).css_first("a.row")
    assert row.attributes["href"] == "/outbox/000007.eml"
    assert "<script>x</script> of Գյումրի" in row.text()
    opened = LexborHTMLParser(client.get("/outbox/000007.eml").text)
    assert "reader7@reader.example" in opened.css_first("dl").text()
    assert "quiet" in opened.css_first("details").text()
    assert opened.css_first("script") is None
    frame = opened.css_first("iframe").attributes
    assert frame["src"] == "/outbox/000007.eml/html"
    assert "allow-scripts" not in (frame["sandbox"] or "")
    assert "allow-same-origin" not in (frame["sandbox"] or "")


def test_the_mail_itself_can_do_nothing(client: TestClient, tmp_path: Path) -> None:
    put_mail(tmp_path / "box", 1, html="<p>Good <b>light</b></p><script>x()</script>")
    answer = client.get("/outbox/000001.eml/html")
    assert "<b>light</b>" in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "script-src" not in policy


def test_the_text_and_the_raw_source_are_shown_as_text(client: TestClient, tmp_path: Path) -> None:
    put_mail(tmp_path / "box", 1)
    assert "Good light in plain words" in client.get("/outbox/000001.eml?part=text").text
    raw = client.get("/outbox/000001.eml/raw")
    assert raw.headers["content-type"].startswith("text/plain")
    assert raw.headers["x-content-type-options"] == "nosniff"
    assert "X-Other: quiet" in raw.text


def test_a_mail_without_html_opens_with_its_text(client: TestClient, tmp_path: Path) -> None:
    put_mail(tmp_path / "box", 1, html="")
    page = client.get("/outbox/000001.eml").text
    assert "Good light in plain words" in page
    assert "<iframe" not in page


def test_what_is_looked_for_is_found_by_reader_and_subject(
    client: TestClient, tmp_path: Path
) -> None:
    for number in range(1, 4):
        put_mail(tmp_path / "box", number)
    assert rows(client, "/outbox/?q=READER2") == ["reader2@reader.example"]
    assert rows(client, "/outbox/?q=issue+3") == ["reader3@reader.example"]
    assert rows(client, "/outbox/?q=%D4%B3%D5%B5%D5%B8%D6%82%D5%B4") != []
    assert "speaks of “&lt;b&gt;”" in client.get("/outbox/?q=%3Cb%3E").text


def test_many_messages_come_in_pages(client: TestClient, tmp_path: Path) -> None:
    for number in range(PER_PAGE + 3):
        put_mail(tmp_path / "box", number, html="")
    assert len(rows(client)) == PER_PAGE
    links = LexborHTMLParser(client.get("/outbox/?q=issue").text).css(".pages a")
    assert [link.attributes["href"] for link in links] == ["/outbox/?q=issue&page=2"]
    assert rows(client, "/outbox/?page=2") == [
        f"reader{PER_PAGE + i}@reader.example" for i in range(3)
    ]


@pytest.mark.parametrize("page", ["0", "-1", "x", "²", "1e3", "9999999999", ""])
def test_a_strange_page_number_is_the_first_page(
    client: TestClient, tmp_path: Path, page: str
) -> None:
    put_mail(tmp_path / "box", 1)
    assert len(rows(client, f"/outbox/?page={page}")) == 1


@pytest.mark.parametrize("path", ["/outbox/none.eml", "/outbox/none.eml/raw", "/outbox/x/html"])
def test_a_missing_mail_is_told_of(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "no such message" in answer.text
