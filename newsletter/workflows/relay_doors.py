"""The relays' doors: what each says it takes, asked without sending anything."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from newsletter.checks.model import Finding, stop, warn
from newsletter.delivery.model import Relay
from newsletter.delivery.rehearsal import SizeSpread
from newsletter.delivery.responder import OFFERS
from newsletter.delivery.smtp import TimeLimits, largest_message, open_connection
from newsletter.errors import RelayError
from newsletter.workflows.installation import Installation

# To be asked what it offers, a relay need not be given minutes.
_ASKING = TimeLimits(connect=10.0, step=10.0, final=10.0)

# The SMTP extensions that a relay offers, by name; RelayError where it lets nobody in.
Asking = Callable[[Relay], Mapping[str, str]]


@dataclass(frozen=True)
class PausedRelay:
    """A relay that refused us and is left alone; ``reason`` is a sentence with its mend."""

    relay: str
    paused_until: datetime
    reason: str

    def sentence(self) -> str:
        """It in words, without its name."""
        return f"paused until {self.paused_until:%Y-%m-%d %H:%M} UTC: {self.reason}"


def paused_relays(installation: Installation) -> tuple[PausedRelay, ...]:
    """The relays whose breaker is open: a notice of it may wait behind the very relay."""
    now = installation.clock.now()
    with installation.database.read() as tx:
        states = tx.relay_uses.states()
    return tuple(
        PausedRelay(relay.slug, state.paused_until, state.reason)
        for relay in installation.relays
        if (state := states.get(relay.slug)) is not None
        and state.paused_until is not None
        and state.paused_until > now
    )


def ask_relay(relay: Relay) -> Mapping[str, str]:
    """What ``relay`` offers once it took us in, as for a send. RelayError."""
    link = open_connection(relay, limits=_ASKING)
    link.close()
    return dict(link.offers)


def ask_nobody(_relay: Relay) -> Mapping[str, str]:
    """Take it that a relay offers all that can be made use of."""
    return OFFERS


def ask_relays(
    relays: Sequence[Relay], ask: Asking
) -> tuple[dict[str, Mapping[str, str]], tuple[Finding, ...]]:
    """What each relay offers, and a warning for each that does not let us in."""
    offers: dict[str, Mapping[str, str]] = {}
    findings = []
    for relay in relays:
        try:
            offers[relay.slug] = ask(relay)
        except RelayError as error:
            sentence = f"{error}. It is taken here as offering all that a relay should."
            findings.append(warn("relay", sentence, "Mend its [[relay]] table.", relay.slug))
    return offers, tuple(findings)


def check_sizes(
    sizes: SizeSpread | None, offers: Mapping[str, Mapping[str, str]]
) -> tuple[Finding, ...]:
    """The relays that refuse messages as large as ours (RFC 1870 section 4)."""
    found = []
    for slug, extensions in offers.items():
        most = largest_message(extensions)
        if sizes is not None and 0 < most < sizes.largest:
            sentence = (
                f"Relay {slug} takes messages of up to {most:,} octets, and the largest has "
                f"{sizes.largest:,}."
            )
            found.append(stop("size", sentence, "Take out some stories.", slug))
    return tuple(found)
