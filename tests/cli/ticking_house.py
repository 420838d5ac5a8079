"""An installation that ticks when it is told the time, and the mail and pages of its readers."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from starlette.testclient import TestClient

from newsletter.config import load_config
from newsletter.demo.catcher import MailCatcher
from newsletter.demo.outbox_store import list_messages
from newsletter.issues.model import Issue
from newsletter.publication.cadence import Cadence, Edition
from newsletter.tokens import Purpose
from newsletter.web.app import create_app
from newsletter.web.context import WebContext
from newsletter.workflows.deliver import deliver, open_ledger
from newsletter.workflows.import_subscribers import add_subscriber
from newsletter.workflows.opening import open_installation
from newsletter.workflows.tick import tick
from tests.acceptance.command_line import Answer, write_config
from tests.acceptance.moving_clock import MovingClock
from tests.acceptance.weekly_feed import weekly_feed
from tests.cli.conftest import Call

BEGIN = datetime(2026, 8, 3, 12, tzinfo=UTC)


class House:
    """An installation that ticks when it is told the time, and its readers' mail."""

    def __init__(
        self, folder: Path, clock: MovingClock, feed: str, catcher: MailCatcher, call: Call
    ) -> None:
        self.folder, self.clock, self._call = folder, clock, call
        path = write_config(folder, feed=feed, port=catcher.port)
        # The weekly goes out by itself, the best of the month when a person says so.
        text = path.read_text("utf-8").replace(
            'draft_at = "Thu',
            'approval = "auto"\nmonthly = { approval = "required" }\ndraft_at = "Thu',
        )
        path.write_text(text, encoding="utf-8")
        self.config = load_config(path, {})

    def configure(self, line: str) -> None:
        """Add a line to the newsletter's table."""
        path = self.folder / "config.toml"
        text = path.read_text("utf-8").replace('draft_at = "Thu', f'{line}\ndraft_at = "Thu', 1)
        path.write_text(text, encoding="utf-8")
        self.config = load_config(path, {})

    def at(self, now: datetime) -> None:
        """Tick and send at that time, twice: the second is to change nothing."""
        self.clock.set(now)
        for _ in range(2):
            with (
                open_installation(self.config, self.clock) as installation,
                open_ledger(installation) as ledger,
            ):
                tick(installation)
                deliver(installation, ledger)

    def call(self, *arguments: str, status: int = 0) -> Answer:
        answer = self._call(self.folder, *arguments)
        assert answer.status == status, answer.err + answer.out
        return answer

    def visit(self, path: str, data: dict[str, str] | None = None) -> str:
        """A page, or what it answers to a form, as it is here at that time."""
        with open_installation(self.config, self.clock) as installation:
            app = create_app(WebContext.of(installation))
            with TestClient(app, base_url=installation.base_url) as client:
                answer = client.get(path) if data is None else client.post(path, data=data)
        assert answer.status_code == 200, answer.text
        return answer.text

    def choose(self, address: str, **wishes: str) -> str:
        """Send a reader's preferences form with the weekly switched on."""
        with (
            open_installation(self.config, self.clock) as installation,
            installation.database.read() as tx,
        ):
            reader = tx.subscribers.find(address)
            assert reader is not None
            token = installation.keyring.sign(Purpose.PREFERENCES, reader.public_id)
        form = {"newsletter": "weekly", "shown": "weekly", **wishes}
        return self.visit(f"/preferences/{token}", form)

    def issues(self, edition: Edition) -> list[Issue]:
        with (
            open_installation(self.config, self.clock) as installation,
            installation.database.read() as tx,
        ):
            return [i for i in tx.issues.recent("weekly", 50) if i.edition is edition]

    def mail_of(self, address: str) -> list[str]:
        messages = list_messages(self.folder / "outbox")
        return [mail.subject for mail in messages if address in mail.to]

    def add(self, address: str, cadence: Cadence = Cadence.EACH) -> None:
        """At the time that it is here, which the command line can't be told."""
        with open_installation(self.config, self.clock) as installation:
            add_subscriber(
                installation.database,
                installation.keyring,
                newsletter="weekly",
                address=address,
                wording="told on paper",
                actor="test",
                now=self.clock.now(),
                cadence=cadence,
            )


@contextmanager
def open_house(folder: Path, call: Call) -> Iterator[House]:
    """One in ``folder``, over a feed with three stories a week."""
    clock = MovingClock(BEGIN)
    with (
        weekly_feed(clock, datetime(2025, 1, 1, tzinfo=UTC)) as feed,
        MailCatcher(folder / "outbox") as catcher,
    ):
        yield House(folder, clock, feed, catcher, call)
