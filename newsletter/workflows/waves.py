"""Waves and the brake at work: begin what may begin, stop what must not go on."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from newsletter.checks.model import Finding, Level
from newsletter.delivery.brake import Brake, BrakeTrip, find_trip
from newsletter.delivery.model import PlannedWave, Wave
from newsletter.delivery.waves import (
    WaveResult,
    earliest_start,
    first_start,
    held_back,
    plan_waves,
    wait_after,
)
from newsletter.issues.model import Issue, IssueState
from newsletter.log import get_logger
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.slots import upcoming_slot
from newsletter.rendering.system_mail import Quote
from newsletter.storage.transaction import Transaction
from newsletter.words import Words, words_of
from newsletter.workflows.installation import Installation
from newsletter.workflows.notices import Notice, desk_page, queue_notice
from newsletter.workflows.segments import audience_segment
from newsletter.workflows.soon import time_before

log = get_logger(__name__)

ACTOR = "brake"
# What the change log calls it when the brake trips; `detail` holds the wave's
# number and how many of its first rows were looked at by then.
_TRIPPED = "braked"


@dataclass(frozen=True)
class WaveLine:
    """A wave for a person to read; ``state`` is "waits", "under way", "stopped" or "done".

    ``waiting`` are the rows that are still to be sent, ``because`` says why a
    wave that waits has not begun.
    """

    name: str
    readers: int
    starts_at: datetime
    released_at: datetime | None
    waiting: int
    state: str
    because: str = ""

    def sentence(self) -> str:
        """The wave in words."""
        since = self.released_at or self.starts_at
        verb = "from" if self.released_at is None else "since"
        why = f": {self.because}" if self.because else ""
        left = f", {self.waiting:,} still to go" if 0 < self.waiting < self.readers else ""
        return (
            f"{self.name}: {self.readers:,} readers, {self.state}{left}, "
            f"{verb} {since:%Y-%m-%d %H:%M} UTC{why}"
        )


def issue_waves(
    tx: Transaction, settings: Settings, newsletter: Newsletter, issue: Issue, now: datetime
) -> tuple[PlannedWave, ...]:
    """The waves of an issue whose sending begins now, for `enqueue_audience`."""
    waves = newsletter.waves
    segment = audience_segment(newsletter, settings, now)
    zones = tx.waves.reader_zones(newsletter.slug, segment) if waves.local_time else ()
    home = newsletter.zone_in(settings.publication)
    return plan_waves(waves, issue.send_at, home, zones, now)


def sending_begins(
    installation: Installation, settings: Settings, newsletter: Newsletter, issue: Issue
) -> datetime:
    """When an issue's sending is to begin: at ``send_at``, or before it for readers in the east.

    One that was sent now begins for nobody before the minute is over in which that is taken
    back. What the readers' zones are is asked only where it could be time for one.
    """
    waves = newsletter.waves
    home = newsletter.zone_in(settings.publication)
    now = installation.clock.now()
    if not earliest_start(waves, issue.send_at, home) <= now < issue.send_at:
        return issue.send_at
    with installation.database.read() as tx:
        if time_before(tx, issue) is not None:
            return issue.send_at
        begins = first_start(waves, issue.send_at, home, tx.waves.known_zones())
        if begins <= now:
            segment = audience_segment(newsletter, settings, now)
            zones = tx.waves.reader_zones(newsletter.slug, segment)
            begins = first_start(waves, issue.send_at, home, zones)
    return begins


def release_due(installation: Installation) -> tuple[Wave, ...]:
    """Begin the waves that may begin now; asked about every second."""
    now = installation.clock.now()
    with installation.database.read() as tx:
        due = tx.waves.due(now)
    if not due:
        return ()
    settings = installation.settings()
    brake = _brake(settings)
    released = []
    for wave, before in due:
        with installation.database.read() as tx:
            if held_back(wave, now, _result(tx, brake, before) if before else None, brake):
                continue
        with installation.database.write() as tx:
            if not tx.waves.release(wave, now):
                continue
            _put_off_following(tx, settings, wave, now)
        released.append(wave)
        log.info("wave_released", issue=wave.issue_id, wave=wave.name, readers=wave.readers)
    return tuple(released)


def check_brake(installation: Installation, delivery_ids: Collection[int]) -> tuple[str, ...]:
    """Pause the issues that ledger rows newly refused for good stop.

    Their public ids. A wave whose issue a person let go on is looked at from
    the readers on that come after those who were looked at before.
    """
    if not delivery_ids:
        return ()
    with installation.database.read() as tx:
        waves = tx.waves.of_first_rows(delivery_ids)
    if not waves:
        return ()
    settings = installation.settings()
    brake = _brake(settings)
    stopped = []
    for wave in waves:
        with installation.database.read() as tx:
            trip = _trip_of(tx, brake, wave)
        if trip is not None and _stop(installation, settings, brake, wave):
            stopped.append(wave.issue_id)
    return tuple(stopped)


def wave_lines(
    installation: Installation, issue: Issue, waiting: Mapping[int, int] | None = None
) -> tuple[WaveLine, ...]:
    """An issue's waves as they stand now; none before its sending began.

    ``waiting`` are the rows of each that are still to be sent, where they were counted
    already.
    """
    now = installation.clock.now()
    brake = _brake(installation.settings())
    lines = []
    with installation.database.read() as tx:
        current = tx.issues.by_id(issue.public_id) or issue
        if waiting is None:
            waiting = tx.waves.waiting(issue.public_id)
        before: Wave | None = None
        for wave in tx.waves.of_issue(issue.public_id):
            left = waiting.get(wave.number, 0)
            state = _state_of(wave, left, current.state)
            because = ""
            if state == "waits" and current.state is IssueState.PAUSED:
                because = _why_paused(tx, issue)
            elif state == "waits":
                because = held_back(
                    wave, now, _result(tx, brake, before) if before else None, brake
                )
            lines.append(
                WaveLine(
                    *(wave.name, wave.readers, wave.starts_at, wave.released_at),
                    *(left, state, because),
                )
            )
            before = wave
    return tuple(lines)


def check_waves(installation: Installation, settings: Settings) -> Iterator[Finding]:
    """A warning for each newsletter whose drafts come too late for its first readers."""
    now = installation.clock.now()
    for newsletter in settings.newsletter:
        if not newsletter.waves.local_time:
            continue
        home = newsletter.zone_in(settings.publication)
        slot = upcoming_slot(newsletter, home, now)
        with installation.database.read() as tx:
            zones = tx.waves.reader_zones(
                newsletter.slug, audience_segment(newsletter, settings, now)
            )
        begins = first_start(newsletter.waves, slot.send_at, home, zones)
        if slot.draft_at >= begins:
            yield Finding(
                Level.WARN,
                "draft_at",
                f"{newsletter.slug} is drafted at {slot.draft_at:%a %H:%M} UTC, after the time of "
                f"its first readers, {begins:%a %H:%M} UTC, who get it late.",
                "Draft it earlier: draft_at.",
                newsletter.slug,
            )


def _brake(settings: Settings) -> Brake:
    return Brake(settings.delivery.brake_share, settings.delivery.brake_after)


def _result(tx: Transaction, brake: Brake, wave: Wave) -> WaveResult:
    return WaveResult(
        wave, tx.waves.first_rows(wave, brake.after, after=_looked_at_before(tx, wave))
    )


def _trip_of(tx: Transaction, brake: Brake, wave: Wave) -> BrakeTrip | None:
    return find_trip(brake, wave, _result(tx, brake, wave).first)


def _looked_at_before(tx: Transaction, wave: Wave) -> int:
    """How many of a wave's first rows a person has let pass by resuming its issue."""
    return max(
        (
            change.detail["rows"]
            for change in tx.changes.of("issue", wave.issue_id)
            if change.act == _TRIPPED and change.detail["wave"] == wave.number
        ),
        default=0,
    )


def _why_paused(tx: Transaction, issue: Issue) -> str:
    reasons = [
        change.detail.get("reason", "")
        for change in tx.changes.of("issue", issue.public_id)
        if change.act == IssueState.PAUSED.value
    ]
    return ": ".join(filter(None, ("the issue is paused", *reasons[-1:])))


def _put_off_following(tx: Transaction, settings: Settings, wave: Wave, now: datetime) -> None:
    """Let the waves after staff and canary wait from when these really began."""
    issue = tx.issues.by_id(wave.issue_id)
    newsletter = settings.newsletter_called(issue.newsletter) if issue else None
    following = [w for w in tx.waves.of_issue(wave.issue_id) if w.number > wave.number]
    if newsletter is None or not following:
        return
    wait = wait_after(wave, following[0], newsletter.waves)
    if wait:
        tx.waves.hold_until(following[0], now + wait)


def _stop(installation: Installation, settings: Settings, brake: Brake, wave: Wave) -> bool:
    """Pause the issue and tell the editors; False where another worker was quicker."""
    now = installation.clock.now()
    with installation.database.write() as tx:
        # Asked again: a person may have let the issue go on since.
        trip = _trip_of(tx, brake, wave)
        issue = tx.issues.by_id(wave.issue_id)
        if trip is None or issue is None:
            return False
        sending, paused = IssueState.SENDING, IssueState.PAUSED
        told = trip.sentence()
        if not tx.issues.move(wave.issue_id, {sending}, paused, ACTOR, now, reason=told):
            return False
        looked_at = _looked_at_before(tx, wave) + brake.after
        detail = {"wave": wave.number, "rows": looked_at, "refused": trip.refused}
        tx.changes.record(now, ACTOR, "issue", wave.issue_id, _TRIPPED, detail)
        newsletter = settings.newsletter_called(issue.newsletter)
        if newsletter is not None:
            words = words_of(settings.publication.language)
            address = desk_page(installation, issue.public_id, "/sending")
            notice = _notice(words, issue, wave, trip, looked_at, address)
            queue_notice(tx, installation, settings, newsletter, notice)
    log.warning(
        "issue_braked",
        newsletter=issue.newsletter,
        issue=issue.slot,
        wave=wave.name,
        refused=trip.refused,
        rows=trip.rows,
    )
    return True


def _notice(
    words: Words, issue: Issue, wave: Wave, trip: BrakeTrip, looked_at: int, address: str
) -> Notice:
    """What the brake did; ``address`` is that of the issue's page at the desk."""
    return Notice(
        key=f"brake:{issue.public_id}:{wave.number}:{looked_at}",
        subject=words.gettext("Paused: %(subject)s", subject=issue.subject),
        sentences=(
            words.gettext(
                "Issue %(slot)s of %(newsletter)s is paused:",
                slot=issue.slot,
                newsletter=issue.newsletter,
            ),
            Quote(trip.sentence()),
            words.gettext(
                "To go on all the same, resume it at the desk; the brake then looks at the readers "
                "who come next. What the servers said stands there too: %(address)s",
                address=address,
            ),
        ),
    )


def _state_of(wave: Wave, waiting: int, issue: IssueState) -> str:
    open_issue = issue in (IssueState.SENDING, IssueState.PAUSED)
    if wave.released_at is None:
        return "waits" if open_issue else "stopped"
    if not waiting:
        return "done"
    return "under way" if issue is IssueState.SENDING else "stopped"
