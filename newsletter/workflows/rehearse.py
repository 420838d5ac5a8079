"""Rehearsing an issue: a whole send but for the wire and the ledger, to see how it will go."""

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from typing import IO

from newsletter.checks.model import Finding, in_order, stop, stops
from newsletter.delivery.brake import Brake
from newsletter.delivery.engine import Callbacks, Engine, Limits
from newsletter.delivery.estimate import Estimate
from newsletter.delivery.message import MessageTemplate
from newsletter.delivery.model import Delivery, DeliverySummary, Mailing, PlannedWave
from newsletter.delivery.rehearsal import CountingRelay, RehearsalLedger, SizeSpread, Unmailable
from newsletter.delivery.responder import Answers, accept
from newsletter.delivery.writing import LetterWriter
from newsletter.errors import InvalidTransition, NotFound, RenderError
from newsletter.issues.model import Choice, Issue, IssueState
from newsletter.log import get_logger
from newsletter.publication.durations import parse_duration
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.sending import DeliverySettings
from newsletter.storage.audience_rows import AudienceDomains, AudiencePlace
from newsletter.subscribers.model import Segment
from newsletter.workflows.check import check_sender
from newsletter.workflows.clone_guard import reason_to_hold
from newsletter.workflows.foresee import foresee_issue, look_ahead
from newsletter.workflows.installation import Installation, newsletter_of
from newsletter.workflows.publish import (
    check_issue,
    check_outside,
    find_repeats,
    issue_mailing,
)
from newsletter.workflows.relay_doors import Asking, ask_relay, ask_relays, check_sizes
from newsletter.workflows.segments import audience_segment

log = get_logger(__name__)

_NOT_BEGUN = frozenset({IssueState.DRAFT, IssueState.HELD, IssueState.APPROVED})
# Fewer messages than this tell little of the pace at which many are written.
_TELLING = 1_000
# Readers who can't be mailed are kept in memory up to this, and beyond it in a file.
_KEPT_OCTETS = 1024 * 1024


@dataclass(frozen=True)
class Rehearsal:
    """What was found. ``findings`` are those that a send would meet, and what the relays told.

    ``audience`` are all readers to whom the issue would go now, ``rehearsed``
    those it was written for: fewer where ``limit`` asked for a sample, or where
    it was broken off. ``accepted`` of them would get it; ``reasons`` counts why
    others would not, and ``unmailable`` reads them one by one. ``variants`` counts
    those rehearsed by the name of the variant that was theirs. ``utf8`` of the
    messages need a server that takes SMTPUTF8. ``seconds`` went into writing,
    signing and speaking SMTP, and none into network or ledger.
    """

    issue: Issue
    audience: int
    limit: int | None
    rehearsed: int
    accepted: int
    reasons: Mapping[str, int]
    variants: Mapping[str, int]
    unmailable: Callable[[], Iterator[Unmailable]]
    utf8: int
    signed: bool
    seconds: float
    sizes: SizeSpread | None
    domains: AudienceDomains
    waves: tuple[PlannedWave, ...]
    findings: tuple[Finding, ...]
    estimate: Estimate

    @property
    def per_second(self) -> float:
        return self.rehearsed / self.seconds if self.seconds > 0 else 0.0

    @property
    def failed(self) -> int:
        """Readers who would not get it."""
        return sum(self.reasons.values())

    @property
    def complete(self) -> bool:
        """Whether each reader of the audience, or of the sample, was tried."""
        wanted = self.audience if self.limit is None else min(self.limit, self.audience)
        return self.accepted + self.failed >= wanted

    @property
    def falls_short(self) -> bool:
        """Whether something stops the issue, or somebody would not get it."""
        return bool(stops(self.findings)) or self.failed > 0 or not self.complete


def audience_size(installation: Installation, issue: Issue) -> int:
    """How many readers the issue would go to now."""
    settings = installation.settings()
    newsletter = newsletter_of(settings, issue)
    segment = audience_segment(newsletter, settings, installation.clock.now())
    with installation.database.read() as tx:
        return tx.subscribers.audience_size(issue.newsletter, segment)


@contextmanager
def rehearse_issue(
    installation: Installation,
    issue: Issue,
    *,
    limit: int | None = None,
    ask: Asking = ask_relay,
    outside: bool = False,
    answers: Answers = accept,
    should_stop: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Iterator[Rehearsal]:
    """Write the issue to its readers as a send would, hand it to nobody, and change nothing.

    With ``limit`` to so many readers, a fair sample. ``ask`` tells what a relay
    offers, ``answers`` how it answers; with ``outside`` its links and SpamAssassin
    are asked as well. Readers who can't be mailed may be read
    while the context is open. InvalidTransition where sending has begun.
    """
    _ = installation.relay  # ConfigError where there is none
    issue = _not_begun(installation, issue)
    settings = installation.settings()
    newsletter = newsletter_of(settings, issue)
    variants, findings = check_issue(installation, settings, issue)
    findings += _find_obstacles(installation, settings, issue, newsletter)
    if outside:
        findings += check_outside(installation, settings, issue, variants)
    with installation.database.read() as tx:
        outlook = look_ahead(tx, installation, settings, issue, newsletter)
        now = installation.clock.now()
        mailings = {
            issue_mailing(tx, installation, settings, issue, one, now): one.served.choices
            for one in variants
        }
    offers, closed = ask_relays(installation.relays, ask)
    relay = CountingRelay(offers, answers)
    with tempfile.SpooledTemporaryFile(_KEPT_OCTETS, "w+", encoding="utf-8") as file:
        begun: Counter[str] = Counter()
        segment = audience_segment(newsletter, settings, now)
        readers = islice(_readers(installation, mailings, newsletter.slug, segment), limit)
        early = settings.delivery.brake_after
        ledger = RehearsalLedger(
            list(mailings), _counted(readers, begun), lambda one: _keep(file, one), early=early
        )
        callbacks = Callbacks(
            should_stop=should_stop, on_progress=lambda summary: on_progress(_done(summary))
        )
        started = installation.clock.monotonic()
        faults = _run(installation, settings, ledger, relay, list(mailings), callbacks)
        seconds = installation.clock.monotonic() - started
        sizes = SizeSpread.of(relay.sizes)
        telling = ledger.accepted >= _TELLING and seconds > 0
        rehearsal = Rehearsal(
            issue=issue,
            audience=outlook.domains.readers,
            limit=limit,
            rehearsed=ledger.accepted + sum(ledger.reasons.values()),
            accepted=ledger.accepted,
            reasons=dict(ledger.reasons.most_common()),
            variants={one.variant.name: begun[one.public_id] for one in mailings},
            unmailable=lambda: _kept(file),
            utf8=relay.utf8,
            signed=installation.signer is not None and bool(installation.dkim_selectors),
            seconds=seconds,
            sizes=sizes,
            domains=outlook.domains,
            waves=outlook.waves,
            findings=in_order(
                findings,
                faults,
                closed,
                check_sizes(sizes, offers),
                _check_brake(settings.delivery, ledger.early_hard, outlook.domains.readers),
            ),
            estimate=foresee_issue(
                installation,
                settings.delivery,
                outlook,
                written_per_second=ledger.accepted / seconds if telling else None,
            ),
        )
        log.info(
            "issue_rehearsed",
            newsletter=issue.newsletter,
            issue=issue.slot,
            readers=rehearsal.rehearsed,
            failed=rehearsal.failed,
            ms=round(seconds * 1000),
        )
        yield rehearsal


def _counted(readers: Iterator[Delivery], begun: Counter[str]) -> Iterator[Delivery]:
    """The readers, each counted by its mailing as it is taken."""
    for delivery in readers:
        begun[delivery.mailing_id] += 1
        yield delivery


def _not_begun(installation: Installation, issue: Issue) -> Issue:
    """The issue as it stands."""
    with installation.database.read() as tx:
        current = tx.issues.by_id(issue.public_id)
    if current is None:
        raise NotFound(f"there is no issue {issue.slot} any more", subject=issue.slot)
    if current.state not in _NOT_BEGUN:
        raise InvalidTransition(
            f"issue {issue.slot} is {current.state}; only one whose sending has not begun can be "
            "rehearsed",
            subject=issue.slot,
        )
    return current


def _run(
    installation: Installation,
    settings: Settings,
    ledger: RehearsalLedger,
    relay: CountingRelay,
    mailings: Sequence[Mailing],
    callbacks: Callbacks,
) -> tuple[Finding, ...]:
    """Send it all to ``relay``; what keeps all of it from being sent."""
    try:
        templates = {
            mailing.public_id: MessageTemplate.of(
                mailing, installation.keyring, installation.signer
            )
            for mailing in mailings
        }
    except RenderError as error:
        # In the engine it would be told of each reader.
        return (_no_message(f"No message can be written: {error}."),)
    engine = Engine(
        ledger,
        # What limits them only takes time: that is reckoned, not waited for.
        [relay.without_limits(one) for one in installation.relays],
        LetterWriter(ledger.mailing, lambda mailing: templates[mailing.public_id], str.lower),
        installation.clock,
        Limits(
            give_up_after=parse_duration(settings.delivery.give_up_after),
            signs=installation.signer is not None,
        ),
        callbacks,
        name="rehearsal",
        connect=relay.connect,
    )
    try:
        engine.run()
        failure = engine.failure
    finally:
        engine.close()
    if failure is None:
        return ()
    return (stop("relay", f"{failure}.", "Mend its [[relay]] table.", "relay"),)


def _no_message(sentence: str) -> Finding:
    return stop("message", sentence, "Mend what is named.", "message")


def _readers(
    installation: Installation,
    mailings: Mapping[Mailing, Sequence[Choice]],
    newsletter: str,
    segment: Segment | None,
) -> Iterator[Delivery]:
    """The audience in the order in which it would be queued, a page at a time.

    ``mailings`` are by the choices that they serve; the first one is the canonical.
    """
    canonical = next(iter(mailings)).public_id
    served = {
        choice: mailing.public_id for mailing, choices in mailings.items() for choice in choices
    }
    place: AudiencePlace | None = AudiencePlace(canonical)
    number = 0
    while place is not None:
        with installation.database.read() as tx:
            rows, place = tx.audience.page(newsletter, place, segment=segment)
        for row in rows:
            # Below zero: what the engine logs of it is of no row of the real ledger.
            number -= 1
            mailing = served.get(row.choice, canonical)
            yield Delivery(number, mailing, row.recipient_id, row.address, domain=row.domain)


def _find_obstacles(
    installation: Installation, settings: Settings, issue: Issue, newsletter: Newsletter
) -> tuple[Finding, ...]:
    """What stops a send besides what the issue holds."""
    repeats = find_repeats(installation, issue)
    held = reason_to_hold(installation)
    return (
        *repeats,
        *check_sender(installation, settings, newsletter),
        *(
            (stop("held", f"All sending is held: {held}.", "See newsletter adopt.", "all sending"),)
            if held
            else ()
        ),
    )


def _check_brake(delivery: DeliverySettings, refused: int, audience: int) -> tuple[Finding, ...]:
    """Whether readers who can't be mailed would trip the brake, as far as one wave goes."""
    rows = min(delivery.brake_after, audience)
    brake = Brake(delivery.brake_share, delivery.brake_after)
    if brake.share >= 1 or refused <= brake.allowed_among(rows):
        return ()
    sentence = (
        f"{refused:,} of the first {rows:,} readers can't be mailed, at which the brake would "
        "pause the issue."
    )
    mend = "Suppress or forget those named here, or set brake_share higher."
    return (stop("brake", sentence, mend, "readers"),)


def _done(summary: DeliverySummary) -> int:
    return summary.accepted + summary.refused + summary.deferred + summary.uncertain


def _keep(file: IO[str], one: Unmailable) -> None:
    file.write(json.dumps(asdict(one)) + "\n")


def _kept(file: IO[str]) -> Iterator[Unmailable]:
    file.seek(0)
    for line in file:
        yield Unmailable(**json.loads(line))
