"""An issue as a test: mailed to editors, marked as one, and counted nowhere."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from newsletter.delivery.message import MessageTemplate
from newsletter.delivery.model import DeliveryState, MailingKind
from newsletter.errors import Conflict, NotFound, UsageError
from newsletter.issues.model import Issue, ServedVariant, Variant
from newsletter.issues.states import OPEN
from newsletter.log import get_logger
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.rendering.links import lead_straight
from newsletter.storage.mailings import Fate
from newsletter.subscribers.address import normalise_address
from newsletter.tokens import derived_public_id, new_public_id
from newsletter.workflows.clone_guard import assert_may_send
from newsletter.workflows.installation import Installation, newsletter_of
from newsletter.workflows.publish import issue_mailing
from newsletter.workflows.variants import render_variants

log = get_logger(__name__)

# Before the subject, in every language: filters are made for it.
MARK = "[Test]"
# Of one test: it is no way to mail a list.
MOST_ADDRESSES = 20
_OPEN = frozenset(
    {
        DeliveryState.QUEUED,
        DeliveryState.CLAIMED,
        DeliveryState.HANDED_OVER,
        DeliveryState.DEFERRED,
    }
)


@dataclass(frozen=True)
class SentTest:
    """A test that is on its way: ``mailing_id`` is what `fates_of_test` asks by."""

    mailing_id: str
    subject: str
    addresses: tuple[str, ...]


def send_test(
    installation: Installation,
    issue: Issue,
    addresses: Sequence[str] = (),
    *,
    actor: str,
    language: str | None = None,
    saved: bool = True,
) -> SentTest:
    """Queue the issue as it is now for ``addresses`` and those that the newsletter keeps.

    It is marked, its links lead straight to the stories, and neither the issue's report
    nor any figure knows of it. Without ``saved`` only ``addresses`` get it. ``language``
    is that of a variant. UsageError where nobody is named, or too many are; AddressError
    for what is no address.
    """
    assert_may_send(installation)
    settings = installation.settings()
    newsletter = newsletter_of(settings, issue)
    wanted = _addresses(newsletter, addresses, saved=saved)
    if issue.state not in OPEN:
        raise Conflict(
            f"issue {issue.slot} is {issue.state}; a test is of an issue before it goes out",
            subject=issue.slot,
        )
    now = installation.clock.now()
    served = ServedVariant(_variant(settings, newsletter, issue, language))
    made = render_variants(installation, settings, newsletter, issue, (served,))[0]
    made = replace(made, rendered=lead_straight(made.rendered))
    with installation.database.write() as tx:
        mailing = replace(
            issue_mailing(tx, installation, settings, issue, made, now),
            public_id=new_public_id(),
            kind=MailingKind.TEST,
            subject=f"{MARK} {made.rendered.subject}",
        )
        MessageTemplate.of(mailing, installation.keyring, installation.signer)
        tx.mailings.create(mailing, key=f"test:{mailing.public_id}", newsletter=newsletter.slug)
        for address in wanted:
            recipient = derived_public_id("test", mailing.public_id, address)
            tx.mailings.enqueue(mailing.public_id, recipient, address, now)
        # The log names no address.
        detail = {
            "addresses": len(wanted),
            "version": issue.version,
            "mailing": mailing.public_id,
        }
        tx.changes.record(now, actor, "issue", issue.public_id, "tested", detail)
    log.info("test_queued", newsletter=issue.newsletter, issue=issue.slot, addresses=len(wanted))
    return SentTest(mailing.public_id, mailing.subject, wanted)


def fates_of_test(installation: Installation, mailing_id: str) -> tuple[Fate, ...]:
    """What became of a test at each address so far; NotFound for one that there is not."""
    with installation.database.read() as tx:
        found = tuple(tx.mailings.fates(mailing_id))
    if not found:
        raise NotFound("there is no such test any more", subject=mailing_id)
    return found


def is_over(fates: Sequence[Fate]) -> bool:
    """Whether nothing more will become of it by itself, or only after a while."""
    return not any(fate.state in _OPEN - {DeliveryState.DEFERRED} for fate in fates)


def tell_fate(fate: Fate) -> str:
    """What became of it at one address, in a sentence."""
    reply = f" ({fate.reply_code} {fate.reply_text})".replace(" )", ")") if fate.reply_code else ""
    match fate.state:
        case DeliveryState.ACCEPTED:
            return f"{fate.address}: sent{reply}"
        case DeliveryState.DEFERRED:
            return f"{fate.address}: put off, and tried again{reply}"
        case DeliveryState.REFUSED:
            return f"{fate.address}: refused{reply or f' ({fate.reason})'}"
        case DeliveryState.UNCERTAIN:
            return f"{fate.address}: it may have arrived; the relay's answer was lost"
        case _:
            return f"{fate.address}: waits for `newsletter run`"


def _addresses(newsletter: Newsletter, addresses: Sequence[str], *, saved: bool) -> tuple[str, ...]:
    named = [*addresses, *(newsletter.test_addresses if saved else ())]
    wanted = tuple(dict.fromkeys(normalise_address(one) for one in named))
    if not wanted:
        raise UsageError(
            f"nobody is named who gets the test; name an address, or set test_addresses of "
            f"{newsletter.slug}",
            subject="test_addresses",
        )
    if len(wanted) > MOST_ADDRESSES:
        raise UsageError(
            f"a test goes to {MOST_ADDRESSES} addresses at most, and {len(wanted)} are named",
            subject="test_addresses",
        )
    return wanted


def _variant(
    settings: Settings, newsletter: Newsletter, issue: Issue, language: str | None
) -> Variant:
    offered = dict.fromkeys((issue.language, *newsletter.languages_in(settings.publication)))
    if language is None or language == issue.language:
        return Variant(issue.language)
    if language not in offered:
        raise UsageError(
            f'{newsletter.slug} has no language "{language}", only {", ".join(offered)}',
            subject=language,
        )
    return Variant(language)
