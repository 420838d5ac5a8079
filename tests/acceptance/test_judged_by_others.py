"""The demo's mail and pages, judged by programs that know nothing of us."""

import re
import subprocess
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as mail_policy
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from newsletter.checks.spam import read_verdict
from newsletter.demo.server import serve_in_thread
from tests.acceptance.lighthouse import judge_accessibility
from tests.acceptance.served_demo import Served, request, serve_demo
from tests.browser import open_browser
from tests.real.programs import find_program


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    with serve_demo(folder) as demo:
        yield demo


@pytest.fixture(scope="module")
def mail(served: Served, folder: Path) -> bytes:
    """A reader's message of the demo's issue."""
    assert served.links
    return next((folder / "new" / "outbox").glob("*.eml")).read_bytes()


def test_spamassassin_has_next_to_nothing_against_the_issue(mail: bytes, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            find_program("spamassassin", "spamassassin"),
            *("--local", "--nocreate-prefs"),
            *("--cf=report_safe 0", "--cf=add_header all Report _REPORT_", "--cf=use_bayes 0"),
        ],
        input=mail.replace(b"\r\n", b"\n"),
        capture_output=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8"},
        check=True,
        timeout=60,
    )
    verdict = read_verdict(done.stdout)
    assert verdict is not None
    # It did look at the mail.
    assert "HTML_MESSAGE" in {rule.name for rule in verdict.rules}
    assert verdict.score <= 0.1, verdict.rules


@pytest.mark.long
def test_lighthouse_finds_every_page_and_the_mail_accessible(
    served: Served, mail: bytes, tmp_path: Path
) -> None:
    message = message_from_bytes(mail, policy=mail_policy)  # type: ignore[arg-type]
    assert isinstance(message, EmailMessage)
    html = message.get_body(("html",)).get_content()  # type: ignore[union-attr]
    (leave,) = set(re.findall(r'"(http[^"]+/unsubscribe/[^"#]+)"', html))
    (choose,) = set(re.findall(r'"(http[^"]+/preferences/[^"#]+)"', html))
    root = "http://" + urlsplit(served.links["sign up"]).netloc
    archive = f"{root}/archive/weekly/"
    (slot,) = set(re.findall(r"/archive/weekly/(\d{4}-W\d\d)", request(archive)[1]))
    # The archive's page lets no program into it, Lighthouse least of all: a saved copy is judged.
    saved = {"/mail": html, "/archived": request(f"{archive}{slot}")[1]}
    copies = Starlette(
        routes=[
            Route(path, lambda _, text=text: HTMLResponse(text)) for path, text in saved.items()
        ]
    )
    with serve_in_thread(copies) as server:
        pages = {
            "the mail": f"{server.url}/mail",
            "the archived issue": f"{server.url}/archived",
            "the archive": archive,
            "the front page": f"{root}/",
            "sign-up": served.links["sign up"],
            "leaving": leave,
            "preferences": choose,
            "the desk's preview": served.links["the issue"],
        }
        pages |= {
            f"{name} in Armenian": f"{pages[name]}{'&' if '?' in pages[name] else '?'}lang=hy"
            for name in ("sign-up", "leaving", "preferences", "the archive")
        }
        verdicts = {name: judge_accessibility(url, tmp_path) for name, url in pages.items()}
        assert request(leave, {"from": "page"})[0] == 200
        pages["the way back"] = leave
        verdicts["the way back"] = judge_accessibility(leave, tmp_path)
    assert verdicts == dict.fromkeys(pages, (1.0, {}))


@pytest.fixture(scope="module")
def signed_in(served: Served) -> tuple[str, dict[str, str]]:
    """The cookie of somebody at the desk, and where the draft and the sent issue are."""
    with open_browser() as browser:
        page = browser.new_page()
        page.goto(served.links["the desk"])
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name="Look at the issue").click()
        draft = urlsplit(page.url).path
        page.goto(f"{served.root}/desk/")
        report = page.locator("[aria-labelledby=last] a").get_attribute("href")
        cookies = page.context.cookies()
    assert report is not None
    cookie = "; ".join(f"{one['name']}={one['value']}" for one in cookies)
    return cookie, {"DRAFT": draft, "REPORT": report}


@pytest.mark.long
@pytest.mark.parametrize(
    "path",
    [
        *(f"/desk{path}" for path in ("/", "/issues", "/readers", "/history", "/editors", "/me")),
        *("DRAFT", "DRAFT/stories", "DRAFT/versions", "DRAFT/tests", "DRAFT/rehearsal"),
        *("DRAFT/review", "REPORT", "/desk/readers/segments", "/desk/settings"),
        *(f"/desk/settings/{path}" for path in ("newsletters/weekly", "brand", "sources")),
    ],
)
def test_lighthouse_finds_the_desk_accessible(
    served: Served, signed_in: tuple[str, dict[str, str]], tmp_path: Path, path: str
) -> None:
    cookie, places = signed_in
    for name, place in places.items():
        path = path.replace(name, place)
    assert judge_accessibility(served.root + path, tmp_path, cookie=cookie) == (1.0, {})
