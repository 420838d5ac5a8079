"""A newsletter's editions: each is a newsletter of the same slug with its own rhythm and parts.

Whatever takes a newsletter takes an edition of it: its slots, its draft, the lines
around its stories.
"""

from typing import Any, ClassVar

from newsletter.errors import UsageError
from newsletter.publication.cadence import Cadence, Edition
from newsletter.publication.model import (
    LAST_MONTH,
    Newsletter,
    Publication,
    SectionPlan,
)
from newsletter.publication.slots import is_month_key
from newsletter.words import words_of

# A month is read in one sitting as well.
_MONTHS_MOST_READ = 10


class _Monthly(Newsletter):
    edition: ClassVar[Edition] = Edition.MONTHLY


def in_edition(newsletter: Newsletter, edition: Edition, publication: Publication) -> Newsletter:
    """``newsletter`` as it is in one of its editions."""
    if edition is newsletter.edition:
        return newsletter
    return _monthly(newsletter, publication)


def editions_of(newsletter: Newsletter, publication: Publication) -> tuple[Newsletter, ...]:
    """The editions that the clock drafts: the regular one, and the best of the month if offered."""
    if not newsletter.offers_monthly:
        return (newsletter,)
    return newsletter, _monthly(newsletter, publication)


def edition_for(newsletter: Newsletter, cadence: Cadence, publication: Publication) -> Newsletter:
    """The edition that a reader of that cadence gets; the regular one where there is no other."""
    monthly = cadence is Cadence.MONTHLY and newsletter.offers_monthly
    return _monthly(newsletter, publication) if monthly else newsletter


def edition_with_slot(
    newsletter: Newsletter, key: str | None, publication: Publication
) -> Newsletter:
    """The edition that has a slot of that key; without one the regular edition.

    UsageError where that is the monthly one, and it is not offered.
    """
    if key is None or not is_month_key(key) or newsletter.is_monthly:
        return newsletter
    if not newsletter.offers_monthly:
        raise UsageError(
            f"{key} would be the best of a month, which {newsletter.slug} does not offer: set "
            "[newsletter.monthly] offered = true",
            subject=key,
        )
    return _monthly(newsletter, publication)


def _monthly(newsletter: Newsletter, publication: Publication) -> Newsletter:
    plan = newsletter.monthly
    return _edition(
        _Monthly,
        newsletter,
        draft_at=plan.draft_at,
        send_at=plan.send_at,
        approval=plan.approval or newsletter.approval,
        subject=plan.subject,
        subjects=plan.subjects,
        title=plan.title,
        titles=plan.titles,
        sections=plan.sections or _months_sections(newsletter, publication),
    )


def _edition(kind: type[Newsletter], newsletter: Newsletter, **changes: Any) -> Newsletter:
    # Its fields are valid ones: validating again would take the time of a render.
    return kind.model_construct(**{**dict(newsletter), **changes})


def _months_sections(newsletter: Newsletter, publication: Publication) -> tuple[SectionPlan, ...]:
    """The most read of the month, which comes first, and the newsletter's other sections."""
    ranked = [plan for plan in newsletter.sections if plan.kind == "most_read"]
    first = ranked[0] if ranked else SectionPlan(slug="month", kind="most_read", title="-")
    title, *others = (
        words_of(language).gettext("Most read stories of the month")
        for language in newsletter.languages_in(publication)
    )
    month = first.model_copy(
        update={
            "title": title,
            "titles": dict(zip(newsletter.languages_in(publication)[1:], others, strict=True)),
            "window": LAST_MONTH,
            "count": max(first.count, _MONTHS_MOST_READ),
        }
    )
    return (month, *(_of_month(plan) for plan in newsletter.sections if plan.kind != "most_read"))


def _of_month(plan: SectionPlan) -> SectionPlan:
    """A section as it stands beside the most read; one that looks back looks over the month."""
    looks_back = plan.kind in ("rising", "department")
    return plan.model_copy(update={"window": LAST_MONTH}) if looks_back else plan
