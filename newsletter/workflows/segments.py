"""Filters over the readers of an installation, and the segments of its newsletters."""

from datetime import datetime
from typing import Any

from newsletter.publication.cadence import CADENCE_OF
from newsletter.publication.editions import CatchUp
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.subscribers.model import (
    AllOf,
    Asked,
    Comparison,
    Consent,
    Filter,
    Operator,
    Segment,
    SegmentField,
    Subscription,
    SubscriptionWish,
    Waits,
)
from newsletter.subscribers.segments import Scope, parse_segment


def segment_of(text: str, settings: Settings, now: datetime) -> Segment:
    """The segment that a filter names now; its days are the publication's. SegmentError."""
    return Segment(parse_segment(text, Scope.of(settings)), now, settings.publication.zone)


def audience_segment(newsletter: Newsletter, settings: Settings, now: datetime) -> Segment | None:
    """What the audience of a newsletter's edition is narrowed to, or None.

    Those who chose it, or wait for it, among those whom the newsletter's own segment
    names; its days are the newsletter's.
    """
    parts: list[Filter] = []
    if isinstance(newsletter, CatchUp):
        parts.append(Waits(newsletter.missed))
    elif not newsletter.comes_to_all:
        chosen = CADENCE_OF[newsletter.edition]
        parts.append(Comparison(Asked(SegmentField.CADENCE), Operator.EQUAL, chosen.value))
    if newsletter.segment:
        scope = Scope.of(settings, of_newsletter=True)
        parts.append(parse_segment(newsletter.segment, scope))
    if not parts:
        return None
    tree = parts[0] if len(parts) == 1 else AllOf(tuple(parts))
    return Segment(tree, now, newsletter.zone_in(settings.publication))


def subscription_row(subscription: Subscription) -> dict[str, Any]:
    """What is told of a subscription beside whose it is, by command line and API."""
    return {
        "newsletter": subscription.newsletter,
        "state": subscription.state,
        "since": subscription.changed_at,
        "departments": subscription.departments,
        "cadence": subscription.cadence,
        **_consent_row(subscription.consent),
    }


def wish_row(wish: SubscriptionWish | None) -> dict[str, Any] | None:
    """What is told of a wish for a newsletter that was left, where there is one."""
    return {"cadence": wish.cadence, **_consent_row(wish.consent)} if wish else None


def _consent_row(consent: Consent) -> dict[str, Any]:
    return {
        "how": consent.how,
        "wording": consent.wording,
        "wording_version": consent.wording_version,
        "language": consent.language,
        "placement": consent.placement,
        "page": consent.page,
        "at": consent.at,
    }
