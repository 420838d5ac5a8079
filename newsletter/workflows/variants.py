"""An issue in the variants that its readers chose: planned and rendered."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from newsletter.issues.model import Issue, ServedVariant, Variant
from newsletter.issues.variants import plan_variants, vary_issue
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.rendering.issue import render_issue
from newsletter.rendering.model import RenderedIssue
from newsletter.storage.transaction import Transaction
from newsletter.workflows.installation import Installation
from newsletter.workflows.segments import audience_segment


@dataclass(frozen=True)
class RenderedVariant:
    """A variant as it goes out; ``issue`` is the issue as that variant prints it."""

    served: ServedVariant
    issue: Issue
    rendered: RenderedIssue

    @property
    def variant(self) -> Variant:
        return self.served.variant


def choose_variants(
    tx: Transaction, settings: Settings, newsletter: Newsletter, issue: Issue, now: datetime
) -> tuple[ServedVariant, ...]:
    """The variants of an issue for its audience as it stands; the canonical one first."""
    segment = audience_segment(newsletter, settings, now)
    publication = settings.publication
    others = set(newsletter.languages_in(publication)) - {issue.language}
    choices = tx.audience.choices(newsletter.slug, only_departments=not others, segment=segment)
    return plan_variants(issue, newsletter, publication, choices)


def frozen_variants(tx: Transaction, before: Issue, after: Issue) -> tuple[ServedVariant, ...]:
    """The variants in which an issue began to be sent, for a correction of it.

    Each keeps its subject, unless an editor changed the lines that stand for all.
    """
    lines_stay = (before.subject, before.preheader) == (after.subject, after.preheader)
    found = {
        mailing.variant.key: ServedVariant(
            mailing.variant, subject=mailing.subject if lines_stay else None
        )
        for mailing in tx.mailings.of_issue(before.public_id)
    }
    canonical = found.pop(Variant(before.language).key, ServedVariant(Variant(before.language)))
    return (canonical, *found.values())


def render_variants(
    installation: Installation,
    settings: Settings,
    newsletter: Newsletter,
    issue: Issue,
    variants: Iterable[ServedVariant],
) -> tuple[RenderedVariant, ...]:
    """The issue in each of the variants, in their order."""
    publication = settings.publication
    made = []
    for served in variants:
        varied = vary_issue(issue, served.variant, newsletter, publication, subject=served.subject)
        rendered = render_issue(
            varied,
            publication,
            newsletter,
            base_url=installation.base_url,
            templates=installation.templates,
            utm_source=settings.tracking.utm_source,
            clicks=settings.tracking.clicks,
            archived_in=issue.language,
        )
        made.append(RenderedVariant(served, varied, rendered))
    return tuple(made)
