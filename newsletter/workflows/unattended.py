"""A draft that nobody acts on: mailed for approval, called to mind, and the rule for its time."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from enum import StrEnum

from newsletter.delivery.waves import earliest_start
from newsletter.issues.model import Issue, IssueState
from newsletter.log import get_logger
from newsletter.publication.editors import Act
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.slots import Slot, is_extra_key
from newsletter.rendering.filters import format_weekday
from newsletter.rendering.passing_on import Link
from newsletter.words import Words, words_of
from newsletter.workflows.audience_outlook import (
    KEPT_FOR,
    count_outlook,
    foreseen_begin,
    read_outlook,
)
from newsletter.workflows.draft import AUTO_ACTOR, propose_issue
from newsletter.workflows.edit_issue import save_whole
from newsletter.workflows.installation import Installation
from newsletter.workflows.mail_preview import mail_previews
from newsletter.workflows.notices import Notice, preview_link, queue_notice

log = get_logger(__name__)

_SAFE = "made the safe version: by the reads up to yesterday, without what editors wrote"


class Rule(StrEnum):
    """What becomes of a draft that nobody approved."""

    WAIT = "wait"
    SEND = "send"
    SAFE = "safe"


def rule_of(newsletter: Newsletter, slot: str) -> Rule:
    """What becomes of the draft of a slot when its time comes.

    An extra was made by hand, so a hand approves it.
    """
    if is_extra_key(slot) or newsletter.unapproved == "hold":
        return Rule.WAIT
    return Rule.SEND if newsletter.unapproved == "send" else Rule.SAFE


def rule_for(newsletter: Newsletter, issue: Issue, begins: datetime, now: datetime) -> Rule:
    """What is to be done at ``now`` with a draft whose sending ``begins`` then; what is late
    beyond the newsletter's bound is held as ever."""
    in_time = begins <= now <= issue.send_at + newsletter.lateness
    return rule_of(newsletter, issue.slot) if in_time else Rule.WAIT


def tell_rule(words: Words, rule: Rule) -> str:
    """What becomes of a draft that nobody approves, in a sentence."""
    if rule is Rule.SEND:
        return words.gettext("If nobody acts, it goes out as it is.")
    if rule is Rule.SAFE:
        return words.gettext(
            "If nobody acts, a safe version goes out: chosen by the reads up to yesterday, without "
            "what editors wrote."
        )
    return words.gettext("Unless somebody approves it, it goes nowhere.")


def reminder_due(newsletter: Newsletter, begins: datetime, now: datetime) -> int | None:
    """The number of the reminder whose time it is, counted from 0; the last where several are.

    None before the first, and from when the sending ``begins`` on.
    """
    if now >= begins:
        return None
    begun = [at for at in newsletter.reminder_times if begins - at <= now]
    return len(begun) - 1 if begun else None


def attend_draft(
    installation: Installation, settings: Settings, newsletter: Newsletter, issue: Issue
) -> Issue:
    """Do what a draft asks for at this moment; the issue as it is then."""
    now = installation.clock.now()
    if now < issue.send_at:
        mail_previews(installation, settings, newsletter, issue)
    begins = _begins_by_readers(installation, settings, newsletter, issue, now)
    number = reminder_due(newsletter, begins, now)
    if number is not None:
        _remind(installation, settings, newsletter, issue, begins, number)
    rule = rule_for(newsletter, issue, begins, now)
    if rule is Rule.WAIT:
        return issue
    if rule is Rule.SAFE:
        issue = _make_safe(installation, settings, newsletter, issue)
    with installation.database.write() as tx:
        tx.issues.move(issue.public_id, {IssueState.DRAFT}, IssueState.APPROVED, AUTO_ACTOR, now)
        approved = tx.issues.by_id(issue.public_id)
    log.warning("issue_goes_unapproved", newsletter=newsletter.slug, issue=issue.slot, rule=rule)
    return approved or issue


def _begins_by_readers(
    installation: Installation,
    settings: Settings,
    newsletter: Newsletter,
    issue: Issue,
    now: datetime,
) -> datetime:
    """As `foreseen_begin`, by readers who are counted anew where that was long ago."""
    home = newsletter.zone_in(settings.publication)
    ahead = max(newsletter.reminder_times, default=timedelta())
    if not earliest_start(newsletter.waves, issue.send_at, home) - ahead <= now < issue.send_at:
        return issue.send_at
    outlook = read_outlook(installation, issue)
    if outlook is None or now - outlook.at > KEPT_FOR:
        count_outlook(installation, issue)
    return foreseen_begin(installation, settings, issue)


def _make_safe(
    installation: Installation, settings: Settings, newsletter: Newsletter, issue: Issue
) -> Issue:
    """The issue as the chooser alone would have it by the reads up to yesterday's midnight."""
    zone = newsletter.zone_in(settings.publication)
    today = installation.clock.now().astimezone(zone).date()
    midnight = datetime.combine(today, time(), zone)
    slot = Slot(issue.slot, issue.date, midnight, issue.send_at)
    with installation.database.read() as tx:
        chosen = propose_issue(tx, settings, newsletter, slot, midnight).issue
    safe = replace(chosen, public_id=issue.public_id, logo=issue.logo, note="", block=None)
    return save_whole(installation, issue, safe, _SAFE, actor=AUTO_ACTOR).issue


def _remind(
    installation: Installation,
    settings: Settings,
    newsletter: Newsletter,
    issue: Issue,
    begins: datetime,
    number: int,
) -> None:
    """Tell those who may approve; from the second time on everybody who is told of things."""
    key = f"reminder:{issue.public_id}:{issue.send_at:%Y%m%d%H%M}:{number}"
    with installation.database.read() as tx:
        if tx.mailings.is_known(f"notice:{key}"):
            return
    language = settings.publication.language
    words = words_of(language)
    local = begins.astimezone(newsletter.zone_in(settings.publication))
    when = f"{format_weekday(local, language)}, {local:%H:%M}"
    notice = Notice(
        key=key,
        subject=words.gettext("Still waits for approval: %(subject)s", subject=issue.subject),
        sentences=(
            words.gettext(
                "Issue %(slot)s of %(newsletter)s is due on %(time)s, and nobody has approved it.",
                slot=issue.slot,
                newsletter=newsletter.name,
                time=when,
            ),
            tell_rule(words, rule_of(newsletter, issue.slot)),
        ),
        link=Link(words.gettext("See the draft"), preview_link(installation, issue.public_id)),
    )
    with installation.database.write() as tx:
        queue_notice(
            *(tx, installation, settings, newsletter, notice), only=None if number else Act.SEND
        )
