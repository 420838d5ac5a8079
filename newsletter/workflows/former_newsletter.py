"""Newsletters that the settings have no more, whose past issues are still to be read."""

from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.storage.transaction import Transaction
from newsletter.workflows.change_settings import check_document


def former_newsletter(tx: Transaction, slug: str) -> Newsletter | None:
    """The newsletter as the settings last had it; None where they never did, or in a form that
    is not understood any more."""
    version = tx.settings.last_with_newsletter(slug)
    settings = check_document(version.document) if version else ()
    return settings.newsletter_called(slug) if isinstance(settings, Settings) else None
