"""A system mail as a mailing: frozen as it was rendered, from the newsletter's own sender."""

from datetime import datetime

from newsletter.delivery.model import Mailing, MailingKind
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.rendering.model import RenderedMail
from newsletter.tokens import Keyring


def system_mailing(
    keyring: Keyring,
    settings: Settings,
    newsletter: Newsletter,
    mail: RenderedMail,
    *,
    public_id: str,
    base_url: str,
    now: datetime,
    dkim_selectors: tuple[str, ...],
    reply_to: str | None = None,
) -> Mailing:
    """``mail`` as it will be sent, whatever the settings become meanwhile."""
    return Mailing(
        public_id=public_id,
        kind=MailingKind.SYSTEM,
        subject=mail.subject,
        html=mail.html,
        text=mail.text,
        from_name=newsletter.sender.name,
        from_address=newsletter.sender.address,
        reply_to=reply_to,
        return_path=settings.bounces.return_path,
        created_at=now,
        language=mail.language,
        base_url=base_url,
        token_key=keyring.signing_key,
        dkim_selectors=dkim_selectors,
    )
