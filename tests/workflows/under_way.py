"""An issue on its way, in an installation of its own; the relays are played by hand."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from newsletter.config import Config, load_config
from newsletter.delivery.model import Delivery, Outcome, Settlement
from newsletter.issues.model import Issue, IssueState, Section
from newsletter.storage.delivery_rows import DeliveryRow
from newsletter.workflows.installation import Installation
from newsletter.workflows.opening import open_installation
from newsletter.workflows.publish import move_issue, start_sending
from newsletter.workflows.report import IssueReport, report_issue
from tests.acceptance.command_line import write_config
from tests.acceptance.moving_clock import MovingClock
from tests.contracts.nouns import LEASE, NOW, add_reader, an_issue
from tests.contracts.one_at_a_time import Workers

READERS = 6
FEED = "http://127.0.0.1:9/feed/"


class IssueUnderWay:
    """What tests do to an issue that is being sent."""

    def __init__(self, installation: Installation, clock: MovingClock, issue: Issue) -> None:
        self.installation = installation
        self.clock = clock
        self.ledger = Workers(installation.database)
        self._id = issue.public_id

    @property
    def issue(self) -> Issue:
        with self.installation.database.read() as tx:
            found = tx.issues.by_id(self._id)
        assert found is not None
        return found

    @property
    def rows(self) -> dict[str, DeliveryRow]:
        with self.installation.database.read() as tx:
            return {row.recipient_id: row for row in tx.mailings.deliveries(self._id)}

    @property
    def report(self) -> IssueReport:
        return report_issue(self.installation, self.issue)

    def revisions(self) -> dict[str, int]:
        return {name: row.revision for name, row in self.rows.items()}

    def move(self, to: IssueState) -> Issue:
        return move_issue(self.installation, self.issue, to, actor="anna")

    def claim(self, readers: int) -> list[Delivery]:
        return list(self.ledger.claim("w", self.clock.now(), LEASE, readers))

    def hand_over(self, delivery: Delivery) -> bool:
        return self.ledger.hand_over(delivery, "w", self.clock.now())

    def answer(self, delivery: Delivery, outcome: Outcome, relay: str = "main") -> None:
        settled = [Settlement(delivery.id, outcome, relay)]
        self.ledger.groups.commit(self.ledger.number("w"), settled, [], self.clock.now())

    def deliver(self, *outcomes: Outcome, relay: str = "main") -> list[str]:
        """Send to as many readers as there are outcomes; who they are."""
        claimed = self.claim(len(outcomes))
        assert len(claimed) == len(outcomes)
        for delivery, outcome in zip(claimed, outcomes, strict=True):
            assert self.hand_over(delivery)
            self.answer(delivery, outcome, relay)
        return [delivery.recipient_id for delivery in claimed]


def a_weekly_issue() -> Issue:
    """Two stories that are read and two that are new."""
    issue = an_issue(state=IssueState.APPROVED, subject="Headline 3", note="From the editors.")
    latest = tuple(
        replace(
            item,
            story_id=f"story{number}",
            headline=f"Headline {number}",
            url=f"https://paper.example/{number}",
        )
        for number, item in enumerate(issue.items, 3)
    )
    return replace(
        issue, sections=(*issue.sections, Section("latest", "latest", "Latest", "a week", latest))
    )


def prepare_issue(folder: Path, tables: str = "") -> Path:
    """`a_weekly_issue`, whose sending to reader0 … reader5 begins; nobody sends yet.

    ``tables`` come into the config.
    """
    with open_installation(_config(folder, 9, tables), MovingClock(NOW)) as i:
        issue = a_weekly_issue()
        with i.database.write() as tx:
            for number in range(READERS):
                add_reader(tx, number)
            tx.issues.create(issue, NOW, "anna")
        start_sending(i, issue, actor="anna")
    return folder


@contextmanager
def issue_under_way(
    prepared: Path,
    folder: Path,
    clock: MovingClock | None = None,
    *,
    port: int = 9,
    tables: str = "",
) -> Iterator[IssueUnderWay]:
    """A copy of what was prepared: rendering an issue takes longer than most tests.

    ``port`` is that of a relay on this machine. The copy sends nothing by
    itself, for the clone guard knows it: to send, let ``folder`` be ``prepared``.
    """
    if folder != prepared:
        shutil.copytree(prepared, folder, dirs_exist_ok=True)
    clock = clock or MovingClock(NOW)
    with open_installation(_config(folder, port, tables), clock) as installation:
        under_way = IssueUnderWay(installation, clock, a_weekly_issue())
        yield under_way
        under_way.ledger.close()


def _config(folder: Path, port: int, tables: str) -> Config:
    path = write_config(folder, feed=FEED, port=port)
    path.write_text(f"{path.read_text('utf-8')}\n{tables}", encoding="utf-8")
    return load_config(path, {})
