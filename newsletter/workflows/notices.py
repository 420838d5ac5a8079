"""Telling the editors, by system mail: each thing once."""

from dataclasses import dataclass

from newsletter.log import get_logger
from newsletter.publication.editors import Act
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.rendering.passing_on import Link
from newsletter.rendering.system_mail import Quote, render_notice
from newsletter.storage.transaction import Transaction
from newsletter.tokens import Purpose, derived_public_id
from newsletter.workflows.installation import Installation
from newsletter.workflows.system_mail import system_mailing

log = get_logger(__name__)


@dataclass(frozen=True)
class Notice:
    """Something to tell the editors. ``key`` makes it be told once, whoever notices it.

    Its sentences are in the publication's language, save those that are quoted.
    """

    key: str
    subject: str
    sentences: tuple[str | Quote, ...]
    link: Link | None = None


def preview_link(installation: Installation, issue_id: str) -> str:
    """Where an issue can be looked at before it goes out; whoever has the link may."""
    token = installation.keyring.sign(Purpose.PREVIEW, issue_id)
    return f"{installation.desk_url}/preview/{token}"


def desk_page(installation: Installation, issue_id: str, page: str = "") -> str:
    """Where an editor does something about an issue; ``page`` begins with a slash."""
    return f"{installation.desk_url}/issues/{issue_id}{page}"


def queue_notice(
    tx: Transaction,
    installation: Installation,
    settings: Settings,
    newsletter: Newsletter,
    notice: Notice,
    *,
    only: Act | None = None,
    desk: bool = True,
) -> bool:
    """Queue ``notice`` for every editor; False where it was told before or nobody is named.

    Told are the addresses that the settings name, which may be a room's, and everybody
    at the desk who may do something about it. With ``only`` those at the desk who may do
    that; where nobody may, all the same. Without ``desk`` those there are told otherwise.
    """
    may = [each.address for each in tx.editors.all() if each.may(only or Act.EDIT)]
    at_the_desk = may if desk else []
    named = () if only and at_the_desk else settings.publication.editors
    editors = tuple(dict.fromkeys((*named, *at_the_desk)))
    if not editors:
        if may:
            return False
        log.warning("no_editor_to_tell", subject=notice.subject)
        return False
    now = installation.clock.now()
    mail = render_notice(
        publication=settings.publication,
        templates=installation.templates,
        subject=notice.subject,
        sentences=notice.sentences,
        link=notice.link,
    )
    mailing = system_mailing(
        installation.keyring,
        settings,
        newsletter,
        mail,
        public_id=derived_public_id("notice", notice.key),
        base_url=installation.base_url,
        now=now,
        dkim_selectors=installation.dkim_selectors,
    )
    if not tx.mailings.create(mailing, key=f"notice:{notice.key}"):
        return False
    for address in editors:
        tx.mailings.enqueue(mailing.public_id, derived_public_id("editor", address), address, now)
    return True
