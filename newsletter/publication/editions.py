"""A newsletter's editions: each is a newsletter of the same slug with its own rhythm and parts.

Whatever takes a newsletter takes an edition of it: its slots, its draft, the lines
around its stories.
"""

from typing import Any, ClassVar

from newsletter.errors import UsageError
from newsletter.publication.brand import Publication
from newsletter.publication.cadence import Cadence, Edition
from newsletter.publication.fields import LAST_MONTH
from newsletter.publication.newsletters import Newsletter, Waves
from newsletter.publication.sections import SectionPlan
from newsletter.publication.slots import is_month_key, is_range_key
from newsletter.words import gettext_noop, words_of

# Reads of a story's whole life count, for what was missed may be old: the longest pause
# is a year.
_MISSED = "400 days"
# A month is read in one sitting as well.
_MONTHS_MOST_READ = 10
_MONTHS_NEWEST = 5


class _Monthly(Newsletter):
    edition: ClassVar[Edition] = Edition.MONTHLY


class CatchUp(Newsletter):
    """A newsletter for those who missed the issues of the range that ``missed`` is the key of."""

    edition: ClassVar[Edition] = Edition.CATCH_UP
    missed: str


def in_edition(
    newsletter: Newsletter, edition: Edition, publication: Publication, slot: str = ""
) -> Newsletter:
    """``newsletter`` as it is in one of its editions; a catch-up is of the range ``slot``."""
    if edition is newsletter.edition:
        return newsletter
    if edition is Edition.CATCH_UP:
        return catch_up_of(newsletter, publication, slot)
    return _monthly(newsletter, publication)


def catch_up_of(newsletter: Newsletter, publication: Publication, missed: str) -> Newsletter:
    """``newsletter`` for those who missed a range of its issues, all served at once."""
    return _edition(
        CatchUp,
        newsletter,
        missed=missed,
        approval=newsletter.catch_up.approval,
        subject="",
        subjects={},
        title="",
        titles={},
        waves=Waves(),
        sections=_missed_sections(newsletter, publication),
    )


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

    UsageError where that is the monthly one, and it is not offered, or a catch-up.
    """
    if key is not None and is_range_key(key):
        raise UsageError(
            f"{key} would be a catch-up, which is made by itself once a reader's pause ends",
            subject=key,
        )
    if key is None or edition_of_key(newsletter, key) is Edition.REGULAR:
        return newsletter
    if not newsletter.offers_monthly:
        raise UsageError(
            f"{key} would be the best of a month, which {newsletter.slug} does not offer: set "
            "[newsletter.monthly] offered = true",
            subject=key,
        )
    return _monthly(newsletter, publication)


def edition_of_key(newsletter: Newsletter, key: str) -> Edition:
    """Which of the editions that the clock drafts has slots of that form."""
    is_best = is_month_key(key) and not newsletter.is_monthly
    return Edition.MONTHLY if is_best else Edition.REGULAR


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


def _missed_sections(newsletter: Newsletter, publication: Publication) -> tuple[SectionPlan, ...]:
    """The most read, and the newest of the others."""
    count = newsletter.catch_up.count
    ranked = _most_read(newsletter).model_copy(
        update={"slug": "most-read", "window": _MISSED, "count": count, "cool_down": 0}
    )
    newest = SectionPlan(
        slug="newest", kind="latest", title="-", window=_MISSED, count=max(1, count // 2)
    )
    return (
        _titled(ranked, gettext_noop("Most read while you were away"), newsletter, publication),
        _titled(newest, gettext_noop("The newest of what you missed"), newsletter, publication),
    )


def _titled(
    plan: SectionPlan, message: str, newsletter: Newsletter, publication: Publication
) -> SectionPlan:
    """A section with a title of ours, in all languages of the newsletter."""
    own, *others = newsletter.languages_in(publication)
    titles = {language: words_of(language).gettext(message) for language in others}
    return plan.model_copy(update={"title": words_of(own).gettext(message), "titles": titles})


def _most_read(newsletter: Newsletter) -> SectionPlan:
    """The newsletter's own section of that kind with its caps, or one without."""
    ranked = (plan for plan in newsletter.sections if plan.kind == "most_read")
    return next(ranked, SectionPlan(slug="month", kind="most_read", title="-"))


def _months_sections(newsletter: Newsletter, publication: Publication) -> tuple[SectionPlan, ...]:
    """The most read of the month, which comes first, and the newsletter's other sections."""
    first = _most_read(newsletter)
    month = _titled(
        first.model_copy(
            update={"window": LAST_MONTH, "count": max(first.count, _MONTHS_MOST_READ)}
        ),
        gettext_noop("Most read stories of the month"),
        newsletter,
        publication,
    )
    others = (plan for plan in newsletter.sections if plan.kind != "most_read")
    return (month, *(_of_month(plan, newsletter, publication) for plan in others))


def _of_month(plan: SectionPlan, newsletter: Newsletter, publication: Publication) -> SectionPlan:
    """A section as it stands beside the most read; one that looks back looks over the month."""
    if plan.kind == "latest":
        # Its own title may speak of the week.
        few = plan.model_copy(update={"count": min(plan.count, _MONTHS_NEWEST)})
        return _titled(few, gettext_noop("The newest stories"), newsletter, publication)
    looks_back = plan.kind in ("rising", "department")
    return plan.model_copy(update={"window": LAST_MONTH}) if looks_back else plan
