"""All checks of an issue at once, as `newsletter issue check` makes them."""

from dataclasses import dataclass
from datetime import timedelta

from newsletter.checks.model import Finding, in_order, stop
from newsletter.checks.wire import read_message
from newsletter.errors import NewsletterError, RenderError
from newsletter.issues.model import Issue, IssueState
from newsletter.publication.model import Settings
from newsletter.workflows.ask_links import GOOD_FOR
from newsletter.workflows.check import check_sender_dns
from newsletter.workflows.installation import Installation, newsletter_of
from newsletter.workflows.publish import build_sample, check_issue, check_outside, find_repeats
from newsletter.workflows.variants import RenderedVariant

_TO_BE_SENT = frozenset({IssueState.DRAFT, IssueState.HELD, IssueState.APPROVED})


_RENDERING = "Mend what `newsletter templates check` names: it lies in files of the service."
NO_TIME = timedelta(0)


@dataclass(frozen=True)
class CheckedIssue:
    """What was found. ``html_octets`` are of the HTML part, ``encoded_octets`` of it on the wire.

    They are the canonical variant's, and 0 where no message can be written, which a
    finding tells. ``variants`` names all that were looked at.
    """

    findings: tuple[Finding, ...]
    html_octets: int
    encoded_octets: int
    variants: tuple[str, ...]


def check_whole_issue(
    installation: Installation, settings: Settings, issue: Issue, *, ask: bool, fresh: bool = False
) -> CheckedIssue:
    """What may be said against an issue; with ``ask`` hosts that it links to and DNS are asked.

    With ``fresh`` no host's answer of before is believed, else a good one for some minutes.
    """
    try:
        variants, findings = check_issue(installation, settings, issue)
    except RenderError as error:
        told = stop("rendering", f"The issue can't be rendered: {error}.", _RENDERING, "templates")
        return CheckedIssue((told,), 0, 0, ())
    good_for = NO_TIME if fresh else GOOD_FOR
    outside = check_outside(
        *(installation, settings, issue, variants), ask=ask, good_for=good_for, bad_for=NO_TIME
    )
    repeats = find_repeats(installation, issue) if issue.state in _TO_BE_SENT else ()
    names = _check_names(installation, settings, issue) if ask else ()
    html, encoded = _sizes(installation, settings, issue, variants[0])
    every = in_order(findings, repeats, outside, names)
    return CheckedIssue(every, html, encoded, tuple(one.variant.name for one in variants))


def _check_names(
    installation: Installation, settings: Settings, issue: Issue
) -> tuple[Finding, ...]:
    try:
        newsletter = newsletter_of(settings, issue)
        return check_sender_dns(installation, settings, newsletter)
    except NewsletterError as error:
        # A sender's address that is none, or a key that is gone: what is wrong with it all.
        return (stop("message", f"{error}.", "Mend what is named.", "sender"),)


def _sizes(
    installation: Installation, settings: Settings, issue: Issue, canonical: RenderedVariant
) -> tuple[int, int]:
    try:
        message = build_sample(installation, settings, issue, canonical)
    except RenderError:
        return 0, 0
    html = read_message(message).part("html")
    return len(html.content.encode()), len(html.encoded)
