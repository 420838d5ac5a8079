"""The desk's pages for a large paper: server time and weight of each, over SQLite.

The pages are found as an editor finds them, by following every link, frame and part from the
first page on; of each route the first few addresses are measured, and searches beside them.
"""

import re
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import sqlalchemy as sa
from selectolax.lexbor import LexborHTMLParser
from starlette.testclient import TestClient

from bench.paper import CONFIG, NOW, add_stories
from bench.readers import add_readers
from newsletter.clock import ShiftedClock
from newsletter.config import load_config
from newsletter.issues.model import Issue, IssueState
from newsletter.log import configure_logging
from newsletter.publication.editors import Role
from newsletter.storage import tables as t
from newsletter.tokens import new_public_id
from newsletter.web.app import create_app
from newsletter.web.context import WebContext
from newsletter.web.desk.background import BEHIND
from newsletter.web.desk.table import desk_table
from newsletter.workflows.draft import draft_issue
from newsletter.workflows.editors import add_editor
from newsletter.workflows.installation import Installation, only_newsletter
from newsletter.workflows.look_up import find_slot
from newsletter.workflows.opening import open_installation
from newsletter.workflows.publish import start_sending
from newsletter.workflows.reader_figures import count_readers
from newsletter.workflows.sign_in import make_link
from newsletter.workflows.totals import count_issues

_MOST_MS, _MOST_KB = 150, 100
_OF_A_ROUTE = 3
_SETTLES_WITHIN = 60
_WEEK = timedelta(days=7)
_SETTINGS = """
[checks]
link_seconds = 0
spam = false
[[relay]]
slug = "main"
host = "127.0.0.1"
port = 9
tls = "none"
"""
_SEGMENTS = (
    "newsletter = weekly and state = active",
    "language = hy",
    "signed_up >= 30d ago and placement = article",
    "state = unsubscribed and signed_up < 2025-01-01",
    'department in (Arts, "Armenia & Region")',
)
# Asked for once: what a page has to work out is awaited.
_FIRST_LOOKS = (
    "/readers/segments?filter=signed_up+%3E%3D+31d+ago+and+placement+%3D+article",
    "/readers/segments/count?filter=placement+%3D+article",
    "/issues/{draft}/stories?order=most_read&words=choir",
)
_LEADS = (("a", "href"), ("iframe", "src"))
_PARTS = ("data-refresh", "data-count-at")


@dataclass(frozen=True)
class DeskOptions:
    """How large the paper is."""

    readers: int = 1_000_000
    stories: int = 100_000
    issues: int = 500
    folder: str | None = None

    @classmethod
    def of(cls, scale: float, folder: str | None = None) -> "DeskOptions":
        """A paper of that part of the usual size, with three issues at least."""
        return cls(
            readers=max(10, round(cls.readers * scale)),
            stories=max(100, round(cls.stories * scale)),
            issues=max(3, round(cls.issues * scale)),
            folder=folder,
        )


def measure(options: DeskOptions | None = None) -> dict[str, Any]:
    """Milliseconds (wall and processor) and KB of every page that a GET gives."""
    options = options or DeskOptions()
    configure_logging(level="error")
    with TemporaryDirectory(prefix="newsletter-bench-", dir=options.folder) as folder:
        path = Path(folder) / "config.toml"
        path.write_text(CONFIG.replace('approval = "auto"', "") + _SETTINGS, encoding="utf-8")
        config = load_config(path, {})
        with open_installation(config, ShiftedClock(NOW)) as installation:
            draft = _fill(installation, options)
            pages, unmet = _measure_all(installation, draft)
    heavy = {
        name: page
        for name, page in pages.items()
        if page["cpu_ms"] > _MOST_MS or page["kb"] > _MOST_KB
    }
    return {
        "readers": options.readers,
        "stories": options.stories,
        "issues": options.issues,
        "pages": pages,
        "routes_without_a_page": unmet,
        "worst_cpu_ms": max(page["cpu_ms"] for page in pages.values()),
        "worst_kb": max(page["kb"] for page in pages.values()),
        "meant": {"worst_cpu_ms": f"at most {_MOST_MS}", "worst_kb": f"at most {_MOST_KB}"},
        "shortfalls": [
            f"{name}: {page['cpu_ms']} ms, {page['kb']} KB" for name, page in heavy.items()
        ],
    }


def _fill(installation: Installation, options: DeskOptions) -> Issue:
    """The paper, its readers, a draft, issues of the years before, the last one to everybody."""
    now = installation.clock.now()
    add_stories(installation, options.stories, now, 28)
    settings = installation.settings()
    newsletter = only_newsletter(settings, None)
    add_readers(installation, newsletter.slug, options.readers, now, with_choices=True)
    slot = find_slot(installation, settings, newsletter, None)
    draft = draft_issue(installation, newsletter, slot, actor="bench").issue
    for weeks in range(1, options.issues):
        _put_sent(installation, draft, weeks, now)
    last = _before(draft, 1)
    with installation.database.write() as tx:
        tx.connection.execute(
            sa.update(t.issue).where(t.issue.c.slot == last.slot).values(state="approved")
        )
        kept = tx.issues.get(last.newsletter, last.slot)
    assert kept is not None
    start_sending(installation, kept, actor="bench")
    with installation.database.write() as tx:
        tx.connection.execute(
            sa.update(t.delivery)
            .where(t.delivery.c.issue_id.is_not(None))
            .values(state="accepted", relay="main", due_at=None, attempts=1)
        )
        tx.issues.move(kept.public_id, frozenset(IssueState), IssueState.SENT, "bench", now)
    # What the scheduler keeps counted.
    count_issues(installation)
    count_readers(installation)
    return draft


def _before(draft: Issue, weeks: int) -> Issue:
    send_at = draft.send_at - weeks * _WEEK
    iso = (draft.date - weeks * _WEEK).isocalendar()
    return replace(
        draft,
        public_id=new_public_id(),
        slot=f"{iso.year:04d}-W{iso.week:02d}",
        date=draft.date - weeks * _WEEK,
        send_at=send_at,
        # The latest stories of one issue may be in no other.
        sections=draft.sections[:1],
        covers_until=send_at,
    )


def _put_sent(installation: Installation, draft: Issue, weeks: int, now: datetime) -> None:
    issue = _before(draft, weeks)
    with installation.database.write() as tx:
        assert tx.issues.create(issue, issue.send_at, "bench")
        tx.issues.move(issue.public_id, frozenset(IssueState), IssueState.SENT, "bench", now)


def _measure_all(
    installation: Installation, draft: Issue
) -> tuple[dict[str, dict[str, float]], list[str]]:
    with TestClient(
        create_app(WebContext.of(installation)), base_url=installation.base_url
    ) as client:
        now = installation.clock.now()
        editor = add_editor(
            installation.database,
            address="editor@paper.example",
            role=Role.ADMIN,
            actor="bench",
            now=now,
        )
        link = make_link(installation.database, installation.desk_url, editor, now=now)
        client.post(link, headers={"sec-fetch-site": "same-origin"})
        addresses, unmet = _find_pages(client, installation, draft)
        pages = {address: _measure(client, address) for address in addresses}
        for form in _FIRST_LOOKS:
            address = f"/desk{form.format(draft=draft.public_id)}"
            pages[address] = _measure(client, address)
        # While an issue is on its way its own page is open.
        last = f"/desk/issues/{_put_last(installation, IssueState.SENDING)}"
        client.get(f"{last}/sending")
        pages[f"{last}/sending"] = _measure(client, f"{last}/sending")
        return pages, [route for route in unmet if route != "/issues/{issue}/sending"]


def _find_pages(
    client: TestClient, installation: Installation, draft: Issue
) -> tuple[list[str], list[str]]:
    """Addresses of pages by following what leads on, and the routes that nothing led to."""
    root = "/desk"
    patterns = {
        route.path: re.compile(re.sub(r"\{\w+\}", "[^/]+", route.path) + r"\Z")
        for route in desk_table()
        if route.method == "GET"
    }
    issue = f"{root}/issues/{draft.public_id}"
    reader = _any_reader(installation)
    asked = deque(
        [
            f"{root}/",
            *(f"{issue}/stories?words={quote(words)}" for words in ("river", "choir sch", "42")),
            *(f"{issue}/stories?order=most_read&words={words}" for words in ("", "river")),
            f"{issue}/stories/{draft.items[0].story_id}",
            *(f"{root}/readers/segments?filter={quote(text)}" for text in _SEGMENTS),
            *(f"{root}/readers/segments/count?filter={quote(text)}" for text in _SEGMENTS[:2]),
            f"{root}/readers/one/{reader}",
            f"{issue}/readers/{reader}",
            f"{issue}/readers/{reader}/mail",
        ]
    )
    met: Counter[str] = Counter()
    seen: set[str] = set()
    found = []
    while asked:
        address = asked.popleft()
        path = urlsplit(address).path.removeprefix(root)
        route = next((name for name, form in patterns.items() if form.match(path)), None)
        by_hand = "?" in address and ("words=" in address or "filter=" in address)
        if address in seen or route is None or (met[route] >= _OF_A_ROUTE and not by_hand):
            continue
        seen.add(address)
        met[route] += 1
        answer = client.get(address)
        # A CSV is no page.
        if answer.status_code != 200 or "html" not in answer.headers["content-type"]:
            continue
        found.append(address)
        asked.extend(_led_to(answer.text, address, root))
    return found, [name for name in patterns if not met[name]]


def _led_to(text: str, address: str, root: str) -> list[str]:
    tree = LexborHTMLParser(text)
    led = [node.attributes.get(name) for tag, name in _LEADS for node in tree.css(tag)]
    led += [node.attributes.get(name) for name in _PARTS for node in tree.css(f"[{name}]")]
    whole = [urljoin(address, one).partition("#")[0] for one in led if one]
    return [one for one in whole if one.startswith(root + "/")]


def _put_last(installation: Installation, state: IssueState) -> str:
    """Let the last issue that went out be in ``state``; its id."""
    with installation.database.write() as tx:
        (line,) = tx.issue_lines.over(1)
        tx.connection.execute(
            sa.update(t.issue)
            .where(t.issue.c.public_id == line.public_id)
            .values(state=state.value)
        )
    return line.public_id


def _any_reader(installation: Installation) -> str:
    with installation.database.read() as tx:
        found = tx.connection.scalar(sa.select(t.subscriber.c.public_id).limit(1))
    return str(found)


def _settle() -> None:
    """Wait for what pages have begun behind themselves: it is no page's time."""
    for thread in threading.enumerate():
        if thread.name.startswith(BEHIND):
            thread.join(_SETTLES_WITHIN)


def _measure(client: TestClient, address: str) -> dict[str, float]:
    """Of one more request: finding the page was the first, for which much is loaded."""
    _settle()
    started, worked = time.perf_counter(), time.process_time()
    answer = client.get(address)
    return {
        "ms": round((time.perf_counter() - started) * 1_000, 1),
        "cpu_ms": round((time.process_time() - worked) * 1_000, 1),
        "kb": round(len(answer.content) / 1_000, 1),
    }
