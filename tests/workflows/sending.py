"""An issue on its way in waves, in an installation of its own."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from newsletter.config import load_config
from newsletter.delivery.brake import is_hard
from newsletter.delivery.model import Delivery, Outcome
from newsletter.issues.model import IssueState
from newsletter.subscribers.model import Subscriber, SubscriptionState
from newsletter.tokens import derived_public_id
from newsletter.workflows.installation import Installation
from newsletter.workflows.opening import open_installation
from newsletter.workflows.publish import move_issue
from newsletter.workflows.waves import (
    WaveLine,
    check_brake,
    issue_waves,
    release_due,
    wave_lines,
)
from tests.acceptance.command_line import write_config
from tests.acceptance.moving_clock import MovingClock
from tests.contracts.nouns import NOW, a_consent, a_mailing, an_issue
from tests.contracts.one_at_a_time import Workers

ISSUE = an_issue(state=IssueState.APPROVED, send_at=NOW)
HOUR = timedelta(hours=1)


class Sending:
    """An issue on its way, a relay that answers what it is told, and the worker's two duties."""

    def __init__(self, installation: Installation, clock: MovingClock) -> None:
        self.installation = installation
        self.clock = clock
        self.ledger = Workers(installation.database)

    def start(
        self,
        readers: int,
        zones: tuple[str | None, ...] = (None,),
        domains: Sequence[str] = ("reader.example",),
    ) -> None:
        settings = self.installation.settings()
        with self.installation.database.write() as tx:
            for number in range(readers):
                staff = number < 3
                domain = "paper.example" if staff else domains[number % len(domains)]
                address = f"reader{number}@{domain}"
                reader = Subscriber(
                    derived_public_id(address),
                    address,
                    NOW,
                    timezone=zones[number % len(zones)],
                )
                tx.subscribers.add(reader, address)
                active = SubscriptionState.ACTIVE
                consent = a_consent()
                tx.subscribers.subscribe(reader.public_id, "weekly", active, consent, NOW, "x")
            tx.issues.create(ISSUE, NOW, "test")
            allowed = {IssueState.APPROVED}
            now = self.clock.now()
            assert tx.issues.move(ISSUE.public_id, allowed, IssueState.SENDING, "test", now)
            tx.mailings.create(
                a_mailing(), key="issue", issue_id=ISSUE.public_id, newsletter="weekly"
            )
            waves = issue_waves(tx, settings, settings.newsletter[0], ISSUE, now)
            tx.mailings.enqueue_audience("mailing1", "weekly", now, waves)

    def claim(self, limit: int = 9999) -> list[Delivery]:
        now = self.clock.now()
        return list(self.ledger.claim("w", now, now + HOUR, limit))

    def answer(self, deliveries: list[Delivery], outcome: Outcome) -> tuple[str, ...]:
        """Send these, all with the same answer; which issues the brake stopped then."""
        for delivery in deliveries:
            assert self.ledger.hand_over(delivery, "w", self.clock.now())
            self.ledger.record(delivery, "w", outcome, self.clock.now())
        hard = [delivery.id for delivery in deliveries if is_hard(outcome)]
        return check_brake(self.installation, hard)

    def release(self, after: timedelta = timedelta()) -> list[str]:
        self.clock.set(self.clock.now() + after)
        return [wave.name for wave in release_due(self.installation)]

    @property
    def state(self) -> IssueState:
        with self.installation.database.read() as tx:
            issue = tx.issues.by_id(ISSUE.public_id)
        assert issue is not None
        return issue.state

    def resume(self) -> None:
        move_issue(self.installation, ISSUE, IssueState.SENDING, actor="anna")

    def lines(self) -> list[tuple[str, int, str]]:
        return [(line.name, line.readers, line.state) for line in self.waves()]

    def waves(self) -> tuple[WaveLine, ...]:
        return wave_lines(self.installation, ISSUE)

    def notices(self) -> list[str]:
        """What the editors are told, taken off the queue while the issue is paused."""
        found = [delivery for delivery in self.claim() if delivery.is_system]
        return [" ".join(self.ledger.mailing(d.mailing_id).text.split()) for d in found]


@contextmanager
def opened(
    folder: Path,
    waves: str = "",
    delivery: str = "",
    *,
    port: int = 9,
    changes: Mapping[str, str] | None = None,
) -> Iterator[Sending]:
    """An installation; ``waves`` and ``delivery`` are tables of its config.

    ``changes`` are made in the rest of its text.
    """
    path = write_config(folder, feed="http://127.0.0.1:9/feed/", port=port)
    text = path.read_text("utf-8")
    for before, after in (changes or {}).items():
        assert before in text
        text = text.replace(before, after)
    text = text.replace("[[newsletter.section]]", f"{waves}\n[[newsletter.section]]", 1)
    path.write_text(f"{text}\n{delivery}", encoding="utf-8")
    clock = MovingClock(NOW)
    with open_installation(load_config(path, {}), clock) as installation:
        sending = Sending(installation, clock)
        yield sending
        sending.ledger.close()
