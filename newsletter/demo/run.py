"""The whole job on the demo paper, or on a real site's stories, with embedded parts only."""

import json
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from newsletter.clock import Clock
from newsletter.config import load_config
from newsletter.delivery.model import LedgerCounts
from newsletter.demo.catcher import MailCatcher
from newsletter.demo.paper import Paper
from newsletter.demo.readers import made_up_readers
from newsletter.demo.server import serve_in_thread
from newsletter.demo.site import create_site
from newsletter.errors import UsageError
from newsletter.issues.model import Block, BlockKind, Issue
from newsletter.net.fetcher import Fetcher
from newsletter.publication.editors import Role
from newsletter.sources.discovery import discover_site
from newsletter.subscribers.csv_import import open_subscriber_file
from newsletter.workflows.deliver import deliver, open_ledger
from newsletter.workflows.draft import draft_issue
from newsletter.workflows.editors import add_editor
from newsletter.workflows.fetch import fetch_stories
from newsletter.workflows.import_subscribers import import_subscribers
from newsletter.workflows.installation import Installation, only_newsletter
from newsletter.workflows.look_up import find_slot
from newsletter.workflows.notices import preview_link
from newsletter.workflows.opening import open_installation, user_agent
from newsletter.workflows.publish import SendStart, start_sending
from newsletter.workflows.reads import sync_reads
from newsletter.workflows.set_up import SetUp, config_text, is_private_address
from newsletter.workflows.sign_in import make_link

_MARKER = "demo.json"
DEMO_ZONE = "America/Los_Angeles"
ACTOR = "demo"
_EDITOR_ADDRESS = "editor@araks.example"
_SENDER = "newsletter@araks.example"
_WEEKLY, WEEKEND = "weekly", "weekend"

_CATCHER = """\
[[relay]]
slug = "catcher"
host = "127.0.0.1"
port = {port}
tls = "none"
"""


# What its editors wrote for this week's issue, which holds the same stories on any day.
_EDITOR = "Sirvart Kalfayan"
_SIGNATURE = f"{_EDITOR}, editor of the Courier Weekly"
_NOTE = """\
A week of things that came home: a samovar to its train, a carpet to its village, a cinema to \
Gyumri. Only the goalkeeper of Scholl Canyon has never been away."""
_BLOCK = Block(
    BlockKind.QUOTE,
    "A statue says: look up. What we lack is something that says: sit down, move over, whose boy "
    "are you?",
    "Maral Tashjian-Ruiz on the new square",
)

# The made-up paper links to addresses of real hosts that know nothing of it.
_UNASKED = """
[checks]
link_seconds = 0
"""
# Nothing leaves the machine: an address that is tried out need not be a real one.
_ANY_ADDRESS = """
[sign_up]
check_domains = false
"""


# Its draft is left at the desk: nothing of it has gone out.
_WEEKEND = """
[[newsletter]]
slug = "weekend"
name = "The Weekend Edition"
from = {{ name = {paper}, address = "{sender}" }}
draft_at = "Thu 12:00"
send_at = "Sat 09:00"

  [[newsletter.section]]
  slug = "latest"
  kind = "latest"
  title = "The latest"
  count = 5

  [[newsletter.section]]
  slug = "most-read"
  kind = "most_read"
  title = "Most read stories of the week"
  count = 4
  window = "7 days"

  [[newsletter.section]]
  slug = "missed"
  kind = "you_may_have_missed"
  title = "You may have missed"
  count = 3
"""


@dataclass(frozen=True)
class DemoResult:
    """What the demo did."""

    issue: Issue
    stories: int
    subscribers: int
    counts: LedgerCounts
    start: SendStart
    seconds: float
    outbox: Path
    preview: str
    desk: str
    paper_url: str

    def document(self) -> dict[str, Any]:
        """The result for machines."""
        return {
            "slot": self.issue.slot,
            "subject": self.issue.subject,
            "stories": self.stories,
            "items": [
                {
                    "section": section.slug,
                    "position": item.position,
                    "headline": item.headline,
                    "reasons": list(item.reasons),
                }
                for section in self.issue.sections
                for item in section.items
            ],
            "subscribers": self.subscribers,
            "accepted": self.counts.accepted,
            "refused": self.counts.refused,
            "uncertain": self.counts.uncertain,
            "html_bytes": self.start.html_bytes,
            "text_bytes": self.start.text_bytes,
            "seconds": round(self.seconds, 3),
            "outbox": str(self.outbox),
        }


def run_demo(
    *,
    folder: Path,
    clock: Clock,
    port: int,
    subscribers: int,
    site: str | None,
    say: Callable[[str], None],
    progress: Callable[[int], None],
    until_stopped: Callable[["DemoResult", Installation], None] | None,
) -> DemoResult:
    """Run the job in ``folder``; with ``until_stopped`` the pages are served while it runs."""
    started = clock.monotonic()
    _clear(folder)
    outbox = (folder / "outbox").resolve()
    with (
        _paper(clock, folder, site, f"http://127.0.0.1:{port}") as paper_url,
        MailCatcher(outbox) as catcher,
    ):
        config_path = folder / "config.toml"
        with Fetcher(user_agent=user_agent(paper_url)) as fetcher:
            profile = discover_site(fetcher, paper_url, allow_private=is_private_address(paper_url))
        say(f"found {profile.name}: " + ", ".join(f"{s.kind} {s.url}" for s in profile.sources))
        plan = _plan(
            clock.now(),
            profile.timezone,
            port=port,
            relay_port=catcher.port,
            signature="" if site else _SIGNATURE,
        )
        weekend = _WEEKEND.format(
            paper=json.dumps(profile.name or "The paper", ensure_ascii=False), sender=_SENDER
        )
        text = config_text(profile, plan) + weekend + _ANY_ADDRESS
        config_path.write_text(text if site else f"{text}{_UNASKED}", encoding="utf-8")
        with open_installation(load_config(config_path, {}), clock) as installation:
            result = _send_first_issue(
                installation,
                subscribers,
                outbox,
                started,
                note="" if site else _NOTE,
                block=None if site else _BLOCK,
                editor="" if site else _EDITOR,
                say=say,
                progress=progress,
            )
            (folder / _MARKER).write_text(
                json.dumps(result.document(), ensure_ascii=False, indent=2), encoding="utf-8"
            )
            if until_stopped is not None:
                until_stopped(result, installation)
    return result


def _send_first_issue(
    installation: Installation,
    subscribers: int,
    outbox: Path,
    started: float,
    *,
    note: str,
    block: Block | None,
    editor: str,
    say: Callable[[str], None],
    progress: Callable[[int], None],
) -> DemoResult:
    fetched = fetch_stories(installation)
    for report in fetched:
        say(report.error or f"read {report.items} stories from {report.source}")
    for reads in sync_reads(installation):
        say(reads.error or f"matched {reads.matched} counts of reads to stories")
    settings = installation.settings()
    newsletter = only_newsletter(settings, _WEEKLY)
    for each in settings.newsletter:
        _add_readers(installation, each.slug, subscribers)
    slot = find_slot(installation, settings, newsletter, None)
    draft = draft_issue(installation, newsletter, slot, actor=ACTOR, note=note, block=block)
    say(f"drafted {draft.issue.slot} with {len(draft.issue.items)} stories: {draft.issue.subject}")
    start = start_sending(installation, draft.issue, actor=ACTOR)
    with open_ledger(installation) as ledger:
        deliver(
            installation,
            ledger,
            on_progress=lambda summary: progress(summary.accepted + summary.refused),
        )
    with installation.database.read() as tx:
        counts = tx.mailings.counts(draft.issue.public_id)
        issue = tx.issues.by_id(draft.issue.public_id) or draft.issue
    return DemoResult(
        issue=issue,
        stories=sum(report.items for report in fetched),
        subscribers=subscribers,
        counts=counts,
        start=start,
        seconds=installation.clock.monotonic() - started,
        outbox=outbox,
        preview=preview_link(installation, issue.public_id),
        desk=_open_desk(installation, editor),
        paper_url=settings.publication.url,
    )


def leave_draft(installation: Installation) -> Issue:
    """Draft an issue that waits at the desk for its editor, who lets it go or does not."""
    settings = installation.settings()
    newsletter = only_newsletter(settings, WEEKEND)
    slot = find_slot(installation, settings, newsletter, None)
    return draft_issue(installation, newsletter, slot, actor=ACTOR).issue


def _open_desk(installation: Installation, name: str) -> str:
    """A link by which the demo's editor comes in to the desk with one press."""
    database, now = installation.database, installation.clock.now()
    editor = add_editor(
        database, address=_EDITOR_ADDRESS, name=name, role=Role.ADMIN, actor=ACTOR, now=now
    )
    return make_link(database, installation.desk_url, editor, now=now)


def _add_readers(installation: Installation, newsletter: str, count: int) -> None:
    """Bring the made-up readers in by the door that an editor's CSV takes."""
    lines = ["email,name", *(f"{address},{name}" for name, address in made_up_readers(count))]
    import_subscribers(
        installation.database,
        installation.keyring,
        open_subscriber_file("\n".join(lines).encode()),
        newsletter=newsletter,
        consent="made up for the demo",
        actor=ACTOR,
        now=installation.clock.now(),
    )


def _plan(
    now: datetime, zone_name: str | None, *, port: int, relay_port: int, signature: str
) -> SetUp:
    """A newsletter whose time is the next minute, so that the issue is today's on any day."""
    local = (now + timedelta(minutes=1)).astimezone(ZoneInfo(zone_name or DEMO_ZONE))
    return SetUp(
        base_url=f"http://127.0.0.1:{port}",
        relay=_CATCHER.format(port=relay_port),
        sender=_SENDER,
        postal_address="12 Orchard Lane, Glendale, California",
        timezone=zone_name or DEMO_ZONE,
        draft_at=f"{local - timedelta(days=1):%a %H:%M}",
        send_at=f"{local:%a %H:%M}",
        approval="auto",
        signature=signature,
    )


@contextmanager
def _paper(clock: Clock, folder: Path, site: str | None, base_url: str) -> Iterator[str]:
    """The address of the paper: the site asked for, or the demo's own, served meanwhile."""
    if site is not None:
        yield site
        return
    app = create_site(
        Paper.at(clock.now()),
        pictures=folder / "pictures",
        sign_up_url=f"{base_url}/subscribe/weekly",
    )
    with serve_in_thread(app) as server:
        yield server.url


def _clear(folder: Path) -> None:
    """An empty folder; only what an earlier demo left is removed."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--dir {folder}: is a file; name a new folder", subject=str(folder))
    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MARKER).exists():
            raise UsageError(
                f"--dir {folder}: is not empty and not an earlier demo's; name a new folder",
                subject=str(folder),
            )
        shutil.rmtree(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Written first, so that a demo that was broken off can be cleared as well.
        (folder / _MARKER).write_text("{}", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--dir {folder}: can't be used ({error.strerror})") from error


def free_port(wanted: int) -> int:
    """``wanted`` where nobody listens on it, else a free one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise UsageError("no free port on 127.0.0.1")
