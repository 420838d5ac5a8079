"""What a rehearsal found as a document, for machines and to be kept."""

from dataclasses import asdict
from typing import Any

from newsletter.workflows.rehearse import Rehearsal


def rehearsal_document(rehearsal: Rehearsal) -> dict[str, Any]:
    """What was found, without the readers.

    ``limit`` is null where it was no sample. ``octets`` are sizes on the wire,
    null where nothing was written. ``by_domain`` is of the whole audience, and
    ends with the domain null, all that are not named.
    """
    estimate, domains = rehearsal.estimate, rehearsal.domains
    return {
        "newsletter": rehearsal.issue.newsletter,
        "issue": rehearsal.issue.slot,
        "state": rehearsal.issue.state,
        "audience": rehearsal.audience,
        "limit": rehearsal.limit,
        "rehearsed": rehearsal.rehearsed,
        "accepted": rehearsal.accepted,
        "failed": rehearsal.failed,
        "complete": rehearsal.complete,
        "falls_short": rehearsal.falls_short,
        "seconds": round(rehearsal.seconds, 3),
        "messages_per_second": round(rehearsal.per_second, 1),
        "signed": rehearsal.signed,
        "smtputf8": rehearsal.utf8,
        "octets": asdict(rehearsal.sizes) if rehearsal.sizes else None,
        "estimate": {
            "starts_at": estimate.starts_at,
            "ends_at": estimate.ends_at,
            "seconds": estimate.seconds,
            "messages_per_second": round(estimate.per_second, 3),
            "by_relay": [
                {"relay": slug, "messages": count} for slug, count in estimate.by_relay.items()
            ],
            "by_day": [asdict(day) for day in estimate.days],
            "basis": estimate.basis,
        },
        "waves": [{"name": wave.name, "starts_at": wave.starts_at} for wave in rehearsal.waves],
        "by_reason": [
            {"reason": reason, "readers": count} for reason, count in rehearsal.reasons.items()
        ],
        "by_variant": [
            {"variant": name, "readers": count} for name, count in rehearsal.variants.items()
        ],
        "by_domain": [
            *({"domain": name, "readers": count} for name, count in domains.named),
            {"domain": None, "readers": domains.others},
        ],
        "findings": rehearsal.findings,
    }
