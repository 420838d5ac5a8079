"""Consent as rows hold it: of a subscription, and of a wish that waits beside one."""

from typing import Any

from newsletter.storage.statements import AnyRow
from newsletter.subscribers.model import Consent


def consent_values(consent: Consent) -> dict[str, Any]:
    """The columns of a consent, with what stands in them."""
    return {
        "consent_how": consent.how,
        "consent_wording": consent.wording,
        "consent_at": consent.at,
        "consent_placement": consent.placement,
        "consent_page": consent.page,
        "consent_language": consent.language,
        "consent_network": consent.network,
    }


def consent_of(row: AnyRow) -> Consent:
    """The consent of a row that has these columns."""
    return Consent(
        how=row.consent_how,
        wording=row.consent_wording,
        at=row.consent_at,
        placement=row.consent_placement,
        page=row.consent_page,
        language=row.consent_language,
        network=row.consent_network,
    )
