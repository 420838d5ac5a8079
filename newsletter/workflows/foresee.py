"""When an issue would go out, and how long the relays would take over it."""

from dataclasses import dataclass
from datetime import datetime

from newsletter.delivery.estimate import (
    USUAL_REPLY_SECONDS,
    Estimate,
    capacity_of,
    destination_seconds,
    foresee_sending,
)
from newsletter.delivery.model import PlannedWave, RelayUse
from newsletter.delivery.waves import first_start, plan_waves
from newsletter.issues.model import Issue
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.sending import DeliverySettings
from newsletter.storage.audience_rows import AudienceDomains
from newsletter.storage.transaction import Transaction
from newsletter.workflows.installation import Installation
from newsletter.workflows.segments import audience_segment

# As many as the report of an issue names.
NAMED_DOMAINS = 50


@dataclass(frozen=True)
class Outlook:
    """What is known of a send before it begins."""

    waves: tuple[PlannedWave, ...]
    domains: AudienceDomains
    uses: dict[str, RelayUse]

    @property
    def starts_at(self) -> datetime:
        return self.waves[0].starts_at


def look_ahead(
    tx: Transaction, installation: Installation, settings: Settings, issue: Issue, plan: Newsletter
) -> Outlook:
    """Who would be served when, if the issue were approved now."""
    home = plan.zone_in(settings.publication)
    segment = audience_segment(plan, settings, installation.clock.now())
    zones = tx.waves.reader_zones(plan.slug, segment) if plan.waves.local_time else []
    begins = first_start(plan.waves, issue.send_at, home, zones)
    begins = max(begins, installation.clock.now())
    waves = plan_waves(plan.waves, issue.send_at, home, zones, begins)
    return Outlook(
        waves,
        tx.audience.domains(plan.slug, NAMED_DOMAINS, segment),
        {relay.slug: tx.relay_uses.of(relay.slug, begins) for relay in installation.relays},
    )


def foresee_issue(
    installation: Installation,
    delivery: DeliverySettings,
    outlook: Outlook,
    *,
    written_per_second: float | None,
) -> Estimate:
    """How long the relays would take over all of the audience, by their limits."""
    replies = [use.reply_seconds for use in outlook.uses.values() if use.reply_seconds is not None]
    slowest = None
    if outlook.domains.named:
        domain, readers = outlook.domains.named[0]
        seconds = destination_seconds(
            readers,
            delivery.domain_rate,
            delivery.domain_connections,
            min(replies, default=USUAL_REPLY_SECONDS),
        )
        slowest = (domain, seconds) if seconds is not None else None
    return foresee_sending(
        outlook.domains.readers,
        [capacity_of(relay, outlook.uses[relay.slug]) for relay in installation.relays],
        outlook.starts_at,
        written_per_second=written_per_second,
        slowest=slowest,
    )
