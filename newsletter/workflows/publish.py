"""From the approved issue to the queue: hold, cancel, send, pause, resume."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn

from newsletter.checks.model import Finding, in_order, of_variants, stop, stops
from newsletter.checks.rendered import check_rendered, words_of_stories
from newsletter.checks.targets import find_dead_stories
from newsletter.checks.wire import check_wire
from newsletter.delivery.message import MessageTemplate
from newsletter.delivery.model import Delivery, Mailing, MailingKind
from newsletter.errors import (
    Conflict,
    InvalidTransition,
    IssueHeld,
    NotFound,
    Remedy,
    RenderError,
)
from newsletter.issues.model import Issue, IssueState, ServedVariant, Variant
from newsletter.issues.states import check_move, sources_of_move
from newsletter.log import get_logger
from newsletter.publication.cadence import Edition
from newsletter.publication.model import Settings
from newsletter.rendering.passing_on import Link
from newsletter.rendering.system_mail import Quote
from newsletter.storage.transaction import Transaction
from newsletter.tokens import derived_public_id
from newsletter.words import words_of
from newsletter.workflows.ask_links import JUST_NOW, look_at_links
from newsletter.workflows.check import check_sender
from newsletter.workflows.clone_guard import assert_may_send
from newsletter.workflows.freshen import Freshened, freshen_issue, goes_by_itself
from newsletter.workflows.illustrate import find_missing
from newsletter.workflows.installation import Installation, newsletter_of
from newsletter.workflows.judge_spam import judge_spam
from newsletter.workflows.notices import Notice, desk_page, preview_link, queue_notice
from newsletter.workflows.segments import audience_segment
from newsletter.workflows.soon import give_back_time
from newsletter.workflows.unserved import CALLED_OFF, give_newest, skip_called_off
from newsletter.workflows.variants import (
    RenderedVariant,
    choose_variants,
    render_variants,
)
from newsletter.workflows.waves import issue_waves

log = get_logger(__name__)

# Issues planned for later may have been sent already, so the search reaches ahead.
_EVER = timedelta(days=3650)
_ISSUES_BACK = 53
# So many stories with dead pages are replaced; where more are, a person has to look.
_MOST_DEAD = 10
_NOBODY = derived_public_id("nobody")


@dataclass(frozen=True)
class SendStart:
    """An issue whose sending began, and how many readers it is for.

    ``mailing_id`` and the sizes are those of the canonical variant.
    """

    issue: Issue
    mailing_id: str
    audience: int
    html_bytes: int
    text_bytes: int
    variants: tuple[str, ...] = ()


def render_current(installation: Installation, settings: Settings, issue: Issue) -> RenderedVariant:
    """The issue as it would go out now, full and in its own language."""
    canonical = ServedVariant(Variant(issue.language))
    newsletter = newsletter_of(settings, issue)
    return render_variants(installation, settings, newsletter, issue, (canonical,))[0]


def check_issue(
    installation: Installation,
    settings: Settings,
    issue: Issue,
    *,
    served: Sequence[ServedVariant] = (),
) -> tuple[tuple[RenderedVariant, ...], tuple[Finding, ...]]:
    """The issue rendered in its variants, and what the checks say that ask nobody else.

    The canonical variant comes first. Without ``served`` they are those for its
    audience as it stands.
    """
    newsletter = newsletter_of(settings, issue)
    if not served:
        with installation.database.read() as tx:
            served = choose_variants(tx, settings, newsletter, issue, installation.clock.now())
    variants = render_variants(installation, settings, newsletter, issue, served)
    said = {
        one.variant.name: _check_variant(installation, settings, issue, one) for one in variants
    }
    return variants, in_order(of_variants(said), find_missing(installation, issue))


def _check_variant(
    installation: Installation, settings: Settings, issue: Issue, made: RenderedVariant
) -> tuple[Finding, ...]:
    address = newsletter_of(settings, issue).sender.address
    rendered = check_rendered(made.issue, made.rendered, settings.publication, sender=address)
    try:
        message = build_sample(installation, settings, issue, made)
        wire = check_wire(message, told=words_of_stories(made.issue))
    except RenderError as error:
        wire = (
            stop(
                "message",
                f"No message can be written: {error}.",
                "Mend what is named.",
                "message",
            ),
        )
    return (*rendered, *wire)


def check_outside(
    installation: Installation,
    settings: Settings,
    issue: Issue,
    variants: Sequence[RenderedVariant],
    *,
    known: Collection[str] = (),
    ask: bool = True,
    good_for: timedelta = JUST_NOW,
    bad_for: timedelta = JUST_NOW,
) -> tuple[Finding, ...]:
    """What those say of an issue who are asked: the hosts that it links to, and SpamAssassin.

    Without ``ask`` only SpamAssassin, which is on this machine. ``known`` are stories
    that were just seen where they come from, and answers of before are believed for
    ``good_for`` or ``bad_for``. Takes up to ``[checks] link_seconds`` and some 20
    seconds more for every four variants.
    """
    links: tuple[Finding, ...] = ()
    if ask:
        rendered = [(one.issue, one.rendered) for one in variants]
        links = look_at_links(
            installation,
            settings,
            issue,
            rendered,
            known=known,
            good_for=good_for,
            bad_for=bad_for,
        )
    if not settings.checks.spam:
        return links
    messages = {}
    for one in variants:
        try:
            messages[one.variant.name] = build_sample(installation, settings, issue, one)
        except RenderError:
            continue  # `check_issue` tells of it
    return in_order(links, of_variants(judge_spam(messages)))


def build_sample(
    installation: Installation, settings: Settings, issue: Issue, made: RenderedVariant
) -> bytes:
    """The message of a variant of the issue to nobody, with values as long as any reader's.

    RenderError where none can be written.
    """
    with installation.database.read() as tx:
        now = installation.clock.now()
        mailing = issue_mailing(tx, installation, settings, issue, made, now)
    template = MessageTemplate.of(mailing, installation.keyring, installation.signer)
    domain = mailing.from_address.rpartition("@")[2]
    return template.build(Delivery(0, mailing.public_id, _NOBODY, f"reader@{domain}"))


def move_issue(
    installation: Installation,
    issue: Issue,
    to: IssueState,
    *,
    actor: str,
    reason: str = "",
    only: Collection[IssueState] = frozenset(IssueState),
) -> Issue:
    """Move an issue to another state; InvalidTransition where its state does not allow it.

    ``only`` narrows the states from which it may. To sending only a paused one moves
    here: what was never queued is begun by `start_sending`.
    """
    now = installation.clock.now()
    allowed = {IssueState.PAUSED} if to is IssueState.SENDING else sources_of_move(to)
    allowed = allowed & frozenset(only)
    revision = 0
    if to is IssueState.SENDING:
        # A correction may have been broken off; nobody takes rows while it is paused.
        revision, _ = give_newest(installation, issue)
    settings = installation.settings()
    with installation.database.write() as tx:
        standing = tx.issues.by_id(issue.public_id)
        if standing is not None and standing.state in allowed and to is not IssueState.SENDING:
            give_back_time(tx, settings, standing, actor, now)
        moved = tx.issues.move(issue.public_id, allowed, to, actor, now, reason=reason)
        if revision and moved and tx.mailings.newest_revision(issue.public_id) != revision:
            raise Conflict(
                f"issue {issue.slot} was corrected just now; look at it and resume it then",
                subject=issue.slot,
            )
        current = tx.issues.by_id(issue.public_id)
    if current is None:
        raise NotFound(f"there is no issue {issue.slot} any more", subject=issue.slot)
    if not moved:
        raise why_not_moved(current, to)
    if to in CALLED_OFF:
        skip_called_off(installation)
    log.info("issue_moved", newsletter=issue.newsletter, issue=issue.slot, to=str(to), actor=actor)
    return current


def why_not_moved(issue: Issue, to: IssueState) -> InvalidTransition:
    """Why an issue did not move to ``to``."""
    if issue.state is to:
        return InvalidTransition(f"issue {issue.slot} is {to} already", subject=issue.slot)
    try:
        check_move(issue.state, to)
    except InvalidTransition as error:
        return error
    if to is not IssueState.SENDING:
        return InvalidTransition(
            f"issue {issue.slot} is {issue.state} meanwhile; look at it again", subject=issue.slot
        )
    return InvalidTransition(
        f"issue {issue.slot} is {issue.state}; only one that is paused can be resumed",
        subject=issue.slot,
    )


def start_sending(installation: Installation, issue: Issue, *, actor: str) -> SendStart:
    """Freeze an approved issue and queue it for its audience, in one transaction.

    Its stories are looked up at their sources before, and what else it links to is
    asked whether it is alive. Conflict where a check stops it, a key that DNS does not
    show among them, IssueHeld where a person has to see first what became of a story
    or a link, and SendingHeld where nothing may be sent from here: nothing is queued
    then.
    """
    assert_may_send(installation)
    settings = installation.settings()
    newsletter = newsletter_of(settings, issue)
    _ = installation.relay  # ConfigError before anything is frozen
    issue = _approved(installation, issue)
    variants, findings = check_issue(installation, settings, issue)
    findings += check_sender(installation, settings, newsletter)
    refuse_stopped(issue, (*findings, *find_repeats(installation, issue)))
    # Last, so that an issue which is stopped is not looked up at every tick.
    before, dead = issue, frozenset[str]()
    fresh = freshen_issue(installation, settings, newsletter, issue)
    while True:
        issue = fresh.issue
        if fresh.changes or fresh.hold:
            variants = _freshened(installation, settings, before, fresh, actor)
        outside = stops(check_outside(installation, settings, issue, variants, known=fresh.seen))
        found = find_dead_stories((issue, *(one.issue for one in variants)), outside)
        if not found or not goes_by_itself(newsletter, issue) or len(dead) >= _MOST_DEAD:
            break
        dead |= found
        fresh = freshen_issue(installation, settings, newsletter, before, gone=dead, before=fresh)
    if outside:
        # Held, and not refused: at every tick all hosts would be asked again.
        _hold(installation, settings, before, fresh, " ".join(one.told for one in outside), actor)
    now = installation.clock.now()
    with installation.database.write() as tx:
        _put_freshened(tx, before, issue, actor, now)
        tx.issues.move(issue.public_id, {IssueState.APPROVED}, IssueState.SENDING, actor, now)
        if fresh.changes:
            notice = _changes_notice(installation, settings, fresh)
            queue_notice(tx, installation, settings, newsletter, notice)
        frozen = freeze_mailings(tx, installation, settings, issue, variants, now)
        canonical = next(iter(frozen))
        if issue.edition is Edition.CATCH_UP:
            tx.catch_ups.close(issue.newsletter, issue.slot)
        waves = issue_waves(tx, settings, newsletter, issue, now)
        segment = audience_segment(newsletter, settings, now)
        audience = tx.mailings.enqueue_audience(
            canonical, newsletter.slug, now, waves, frozen, segment
        )
        if issue.edition is Edition.CATCH_UP:
            tx.catch_ups.settle(issue.newsletter, issue.slot)
    log.info(
        "sending_started",
        newsletter=newsletter.slug,
        issue=issue.slot,
        audience=audience,
        variants=len(frozen),
    )
    return SendStart(
        issue=issue,
        mailing_id=canonical,
        audience=audience,
        variants=tuple(one.variant.name for one in variants),
        html_bytes=len(variants[0].rendered.html.encode()),
        text_bytes=len(variants[0].rendered.text.encode()),
    )


def _approved(installation: Installation, issue: Issue) -> Issue:
    """The issue as it stands, which must be approved."""
    with installation.database.read() as tx:
        current = tx.issues.by_id(issue.public_id)
    if current is None or current.state is not IssueState.APPROVED:
        raise _not_approved(issue)
    return current


def _not_approved(issue: Issue) -> InvalidTransition:
    return InvalidTransition(
        f"issue {issue.slot} is not approved, or somebody was quicker; look at it again",
        subject=issue.slot,
        remedy=Remedy.SHOW,
    )


def _freshened(
    installation: Installation, settings: Settings, before: Issue, fresh: Freshened, actor: str
) -> tuple[RenderedVariant, ...]:
    """The issue that a fresh check changed, rendered; held where it can't go out by itself."""
    variants, findings = check_issue(installation, settings, fresh.issue)
    findings += find_repeats(installation, fresh.issue)
    told = [finding.told for finding in stops(findings)]
    reason = " ".join(filter(None, (fresh.hold, *told)))
    if reason:
        _hold(installation, settings, before, fresh, reason, actor)
    return variants


def _hold(
    installation: Installation,
    settings: Settings,
    before: Issue,
    fresh: Freshened,
    reason: str,
    actor: str,
) -> NoReturn:
    """Keep what the fresh check found and hold the issue; IssueHeld."""
    now = installation.clock.now()
    with installation.database.write() as tx:
        _put_freshened(tx, before, fresh.issue, actor, now)
        hold_issue(tx, installation, settings, fresh.issue, reason, actor=actor)
    raise IssueHeld(f"issue {before.slot} is held: {reason}", subject=before.slot)


def _put_freshened(tx: Transaction, before: Issue, fresh: Issue, actor: str, now: datetime) -> None:
    """Put ``fresh`` in the place of ``before``; InvalidTransition where that is no more."""
    if tx.issues.by_id(before.public_id) != before or not tx.issues.freshen(fresh, actor, now):
        raise _not_approved(before)


def _changes_notice(installation: Installation, settings: Settings, fresh: Freshened) -> Notice:
    issue = fresh.issue
    words = words_of(settings.publication.language)
    return Notice(
        key=f"fresh:{issue.public_id}:{issue.checks[-1].at.isoformat()}",
        subject=words.gettext("Changed at the site: %(subject)s", subject=issue.subject),
        sentences=(
            words.gettext(
                "Issue %(slot)s of %(newsletter)s is on its way. Its stories were looked up "
                "just before:",
                slot=issue.slot,
                newsletter=issue.newsletter,
            ),
            *map(Quote, fresh.changes),
        ),
        link=Link(words.gettext("See the issue"), preview_link(installation, issue.public_id)),
    )


def refuse_stopped(issue: Issue, findings: Iterable[Finding]) -> None:
    """Conflict where a finding stops the issue."""
    told = " ".join(finding.told for finding in stops(findings))
    if told:
        raise Conflict(f"issue {issue.slot} can't go out: {told}", subject=issue.slot)


def find_repeats(installation: Installation, issue: Issue) -> tuple[Finding, ...]:
    """A stop where a story of "latest" went out in another issue since the draft was made.

    All that a catch-up has went out in another one.
    """
    if issue.edition is Edition.CATCH_UP:
        return ()
    mine = {
        item.story_id: item.headline
        for section in issue.sections
        if section.kind == "latest"
        for item in section.items
    }
    far = issue.send_at + _EVER
    with installation.database.read() as tx:
        uses = tx.issues.past_uses(issue.newsletter, far, _ISSUES_BACK, issue.edition)
    again = [
        (mine[story], use.slot)
        for story in mine
        for use in uses.get(story, ())
        if use.kind == "latest" and use.slot != issue.slot
    ]
    if not again:
        return ()
    headline, slot = again[0]
    return (
        stop(
            "repeats",
            f"{len(again)} of its latest stories went out in another issue, such as "
            f"“{headline}” in {slot}.",
            "Cancel it and draft it again.",
            headline,
        ),
    )


def freeze_mailings(
    tx: Transaction,
    installation: Installation,
    settings: Settings,
    issue: Issue,
    variants: Sequence[RenderedVariant],
    now: datetime,
    *,
    revision: int = 1,
) -> dict[str, ServedVariant]:
    """Keep what goes out as a revision of the issue, from now on unchangeable.

    The variants by the public id of their mailing, the canonical one first.
    RenderError where one can't be sent: in the worker it would refuse every
    reader. Conflict where there is such a revision already.
    """
    frozen: dict[str, ServedVariant] = {}
    for one in variants:
        mailing = issue_mailing(tx, installation, settings, issue, one, now, revision)
        MessageTemplate.of(mailing, installation.keyring, installation.signer)
        parts = ["issue", issue.public_id, str(revision)]
        if one.variant != Variant(issue.language):
            parts.append(mailing.public_id)
        if not tx.mailings.create(
            mailing, key=":".join(parts), issue_id=issue.public_id, newsletter=issue.newsletter
        ):
            raise Conflict(
                f"issue {issue.slot} has a revision {revision} already", subject=issue.slot
            )
        tx.links.keep(issue.public_id, one.rendered.links)
        frozen[mailing.public_id] = one.served
    return frozen


def _own_part(issue: Issue, variant: Variant, revision: int) -> tuple[str, ...]:
    """What tells a mailing of an issue from its others."""
    is_canonical = variant == Variant(issue.language)
    return (str(revision), *(() if is_canonical else variant.key))


def issue_mailing(
    tx: Transaction,
    installation: Installation,
    settings: Settings,
    issue: Issue,
    made: RenderedVariant,
    now: datetime,
    revision: int = 1,
) -> Mailing:
    """The mailing of one revision of an issue in one variant."""
    variant, rendered = made.variant, made.rendered
    newsletter = newsletter_of(settings, issue)
    domain = newsletter.sender.address.rpartition("@")[2]
    base_url = installation.base_url
    return Mailing(
        token_key=installation.keyring.signing_key,
        dkim_selectors=installation.dkim_selectors,
        public_id=derived_public_id("issue", issue.public_id, *_own_part(issue, variant, revision)),
        revision=revision,
        departments=variant.departments,
        kind=MailingKind.ISSUE,
        subject=rendered.subject,
        html=rendered.html,
        text=rendered.text,
        from_name=newsletter.sender.name,
        from_address=newsletter.sender.address,
        reply_to=newsletter.reply_to,
        return_path=settings.bounces.return_path,
        created_at=now,
        language=rendered.language,
        newsletter_id=tx.settings.newsletter_id(newsletter.slug),
        list_id=f"{newsletter.slug}.{domain}",
        list_name=newsletter.name,
        base_url=base_url,
        archive_url=f"{base_url}/archive/{newsletter.slug}/",
        leave_address=settings.inbox.address,
    )


def hold_issue(
    tx: Transaction,
    installation: Installation,
    settings: Settings,
    issue: Issue,
    reason: str,
    *,
    actor: str = "scheduler",
) -> bool:
    """Hold an issue that must not go out by itself, and tell the editors why."""
    now = installation.clock.now()
    standing = tx.issues.by_id(issue.public_id)
    if standing is not None:
        give_back_time(tx, settings, standing, actor, now)
    moved = tx.issues.move(
        issue.public_id,
        {IssueState.DRAFT, IssueState.APPROVED},
        IssueState.HELD,
        actor,
        now,
        reason=reason,
    )
    if moved:
        log.warning("issue_held", newsletter=issue.newsletter, issue=issue.slot, reason=reason)
        words = words_of(settings.publication.language)
        notice = Notice(
            # It may be released and be held again.
            key=f"held:{issue.public_id}:{now.isoformat()}",
            subject=words.gettext("Held: %(subject)s", subject=issue.subject),
            sentences=(
                words.gettext(
                    "Issue %(slot)s of %(newsletter)s is held:",
                    slot=issue.slot,
                    newsletter=issue.newsletter,
                ),
                Quote(reason),
                words.gettext(
                    "It goes out when you approve it at the desk, and then at once: %(address)s",
                    address=desk_page(installation, issue.public_id, "/review"),
                ),
            ),
            link=Link(words.gettext("See the issue"), preview_link(installation, issue.public_id)),
        )
        queue_notice(tx, installation, settings, newsletter_of(settings, issue), notice)
    return moved
