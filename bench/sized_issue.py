"""An approved issue of the bench's paper whose message has a given size on the wire."""

import random
from dataclasses import replace

from bench.letter import Letter
from newsletter.delivery.message import MessageTemplate
from newsletter.delivery.model import Delivery, Mailing
from newsletter.issues.model import Issue
from newsletter.workflows.approve import approve_issue
from newsletter.workflows.draft import draft_issue
from newsletter.workflows.installation import Installation, only_newsletter
from newsletter.workflows.look_up import find_slot
from newsletter.workflows.publish import issue_mailing, render_current

_WORDS = ("orchard", "council", "school", "river", "choir", "bridge", "walnut", "letter")
_CLOSE_ENOUGH = 40
_TRIES = 12


def approve_issue_of_size(installation: Installation, octets: int) -> Letter:
    """Draft the paper's next issue, bring its message to about ``octets``, approve it.

    Stories are left out from the end until it is small enough; an editor's note
    fills up what is missing. Gives what the other senders need to send the same.
    SystemExit where one story alone is larger.
    """
    settings = installation.settings()
    newsletter = only_newsletter(settings, None)
    slot = find_slot(installation, settings, newsletter, None)
    issue = draft_issue(installation, newsletter, slot, actor="bench").issue
    while (size := len(_message(installation, _mailing(installation, issue)))) > octets:
        if len(issue.items) == 1:
            raise SystemExit(f"an issue of one story has {size} octets: give a larger --kb")
        issue = _without_last_item(issue)
    issue = _filled_up(installation, issue, octets)
    with installation.database.write() as tx:
        tx.issues.replace(issue, "bench", installation.clock.now())
    approve_issue(installation, issue, actor="bench")
    mailing = _mailing(installation, issue)
    return Letter(
        subject=mailing.subject,
        from_name=mailing.from_name,
        from_address=mailing.from_address,
        base_url=mailing.base_url,
        text=mailing.text,
        html=mailing.html,
        sample=_message(installation, mailing),
    )


def _mailing(installation: Installation, issue: Issue) -> Mailing:
    settings = installation.settings()
    made = render_current(installation, settings, issue)
    with installation.database.read() as tx:
        now = installation.clock.now()
        return issue_mailing(tx, installation, settings, issue, made, now)


def _message(installation: Installation, mailing: Mailing) -> bytes:
    template = MessageTemplate.of(mailing, installation.keyring, installation.signer)
    return template.build(Delivery(1, mailing.public_id, "r" * 16, "reader@reader.example"))


def _without_last_item(issue: Issue) -> Issue:
    *before, last = issue.sections
    kept = (replace(last, items=last.items[:-1]),) if len(last.items) > 1 else ()
    return replace(issue, sections=(*before, *kept))


def _filled_up(installation: Installation, issue: Issue, octets: int) -> Issue:
    """With a note that brings the message to ``octets``; it stands in both parts."""
    words = random.Random(7).choices(_WORDS, k=octets // 4)
    note = " ".join(words)
    length, best = 0, issue
    for _ in range(_TRIES):
        size = len(_message(installation, _mailing(installation, best)))
        if abs(octets - size) <= _CLOSE_ENOUGH:
            break
        length = max(0, length + int((octets - size) / 2.1))
        best = replace(issue, note=note[:length].strip())
    return best
