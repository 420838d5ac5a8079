"""An issue in the variants that its readers chose: planned, rendered and looked at."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from newsletter.checks.model import Finding
from newsletter.checks.rendered import check_rendered
from newsletter.issues.model import Issue, ServedVariant, Variant
from newsletter.issues.variants import plan_variants, vary_issue
from newsletter.publication.model import Newsletter, Settings
from newsletter.rendering.issue import render_issue
from newsletter.rendering.model import RenderedIssue
from newsletter.storage.transaction import Transaction
from newsletter.workflows.installation import Installation


@dataclass(frozen=True)
class RenderedVariant:
    """A variant as it goes out, and the choices that it serves."""

    served: ServedVariant
    rendered: RenderedIssue

    @property
    def variant(self) -> Variant:
        return self.served.variant


def choose_variants(
    tx: Transaction, settings: Settings, newsletter: Newsletter, issue: Issue
) -> tuple[ServedVariant, ...]:
    """The variants of an issue for its audience as it stands; the canonical one first."""
    publication = settings.publication
    others = set(newsletter.languages_in(publication)) - {issue.language}
    choices = tx.audience.choices(newsletter.slug, only_departments=not others)
    return plan_variants(issue, newsletter, publication, choices)


def frozen_variants(tx: Transaction, before: Issue, after: Issue) -> tuple[ServedVariant, ...]:
    """The variants in which an issue began to be sent, for a correction of it.

    Each keeps its subject, unless an editor changed the lines that stand for all.
    """
    lines_stay = (before.subject, before.preheader) == (after.subject, after.preheader)
    found = {
        variant.key: ServedVariant(variant, subject=mailing.subject if lines_stay else None)
        for mailing in tx.mailings.of_issue(before.public_id)
        for variant in [Variant(mailing.language, mailing.departments)]
    }
    canonical = found.pop(Variant(before.language).key, ServedVariant(Variant(before.language)))
    return (canonical, *found.values())


def render_variant(
    installation: Installation,
    settings: Settings,
    newsletter: Newsletter,
    issue: Issue,
    variant: Variant,
    *,
    subject: str | None = None,
) -> RenderedIssue:
    """The issue as that variant of it would go out now, called ``subject`` if that is given."""
    return render_issue(
        vary_issue(issue, variant, newsletter, settings.publication, subject=subject),
        settings.publication,
        newsletter,
        base_url=installation.base_url,
        templates=installation.templates,
        utm_source=settings.tracking.utm_source,
        clicks=settings.tracking.clicks,
        archived_in=issue.language,
    )


def render_variants(
    installation: Installation,
    settings: Settings,
    newsletter: Newsletter,
    issue: Issue,
    canonical: RenderedIssue,
    variants: tuple[ServedVariant, ...],
    known: Iterable[Finding],
) -> tuple[tuple[RenderedVariant, ...], tuple[Finding, ...]]:
    """The variants, the first as it is rendered already; and what the checks say of the others.

    What they say of several, or of the canonical one (``known``), is told once.
    """
    made = [RenderedVariant(variants[0], canonical)]
    said = {finding.sentence for finding in known}
    findings: list[Finding] = []
    for served in variants[1:]:
        variant = served.variant
        rendered = render_variant(
            installation, settings, newsletter, issue, variant, subject=served.subject
        )
        made.append(RenderedVariant(served, rendered))
        varied = vary_issue(
            issue, variant, newsletter, settings.publication, subject=served.subject
        )
        for finding in check_rendered(varied, rendered, settings.publication):
            if finding.sentence not in said:
                said.add(finding.sentence)
                sentence = f"In the variant {variant.name}: {finding.sentence}"
                findings.append(replace(finding, sentence=sentence))
    return tuple(made), tuple(findings)
