"""Assemble a draft: sections filled in their order of right, then the lines around them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from newsletter.errors import NotFound
from newsletter.issues.lines import write_preheader, write_subject
from newsletter.issues.model import Issue, IssueState, Item, RunnerUp, Section
from newsletter.issues.wording import (
    fill_template,
    name_date,
    name_days,
    name_period,
    name_since,
    unknown_names,
)
from newsletter.publication.model import Newsletter, Publication, SectionPlan
from newsletter.publication.slots import Slot
from newsletter.ranking.model import Choice, PastUse, Pool, Selection, Window
from newsletter.ranking.select import select_latest, select_most_read
from newsletter.ranking.windows import latest_window, window_days
from newsletter.stories.model import Story
from newsletter.tokens import derived_public_id


@dataclass(frozen=True)
class Material:
    """What an issue is made from.

    ``reads`` holds, by section slug, each story's reads on the days that
    `window_days` names, by public id. ``past_uses`` are those of this
    newsletter, by public id. ``covers_from`` is where the previous issue's
    "latest" ended; None for a newsletter's first issue.
    """

    stories: tuple[Story, ...]
    reads: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    past_uses: Mapping[str, tuple[PastUse, ...]] = field(default_factory=dict)
    covers_from: datetime | None = None


@dataclass(frozen=True)
class Draft:
    """A new issue, and sentences on what an editor should know of it."""

    issue: Issue
    notices: tuple[str, ...] = ()


def assemble_issue(
    newsletter: Newsletter,
    publication: Publication,
    slot: Slot,
    material: Material,
    now: datetime,
    *,
    public_id: str | None = None,
) -> Draft:
    """The draft for ``slot`` as things stand at ``now``.

    Nothing comes twice: the most-read sections choose first and the latest ones
    fill up from what is left; printed they are in the configured order. A
    section with fewer stories than its minimum is left out. NotFound where no
    section has any.
    """
    zone = newsletter.zone_in(publication)
    latest = next((plan for plan in newsletter.sections if plan.kind == "latest"), None)
    window = latest_window(latest, material.covers_from, now)
    selections, notices = _select_sections(newsletter, material, window, now)
    if not selections:
        since = name_since(window.start, now, zone, "en")
        raise NotFound(
            f"{newsletter.slug} {slot.key}: no story was published {since} and none has enough "
            "reads; see `newsletter stories list` for what its sources brought",
            subject=slot.key,
        )
    language = newsletter.language_in(publication)
    sections = tuple(
        _print_section(plan, selections[plan.slug], window, now, zone, language)
        for plan in newsletter.sections
        if plan.slug in selections
    )
    words = _template_words(newsletter, publication, slot, sections)
    subject = write_subject(newsletter.subject, words)
    issue = Issue(
        public_id=public_id
        or derived_public_id("issue", newsletter.slug, slot.key, now.isoformat()),
        newsletter=newsletter.slug,
        slot=slot.key,
        state=IssueState.DRAFT,
        date=slot.date,
        send_at=slot.send_at,
        covers_from=window.start,
        covers_until=now,
        title=fill_template(newsletter.title, words),
        subject=subject,
        preheader=_preheader(newsletter, sections, subject),
        sections=sections,
        language=language,
    )
    for key, template in (("subject", newsletter.subject), ("title", newsletter.title)):
        for name in unknown_names(template, words):
            notices.append(
                f"The {key} template names {{{name}}}, which is none of: {', '.join(words)}."
            )
    return Draft(issue, tuple(notices))


def _select_sections(
    newsletter: Newsletter, material: Material, window: Window, now: datetime
) -> tuple[dict[str, Selection], list[str]]:
    """The selections by section slug, in order of right, and why others are missing."""
    wanted = set(newsletter.sources)
    stories = tuple(s for s in material.stories if not wanted or s.source in wanted)
    taken: dict[str, str] = {}
    selections: dict[str, Selection] = {}
    notices: list[str] = []
    # A stable sort: among equals the configured order decides.
    for plan in sorted(newsletter.sections, key=lambda plan: plan.kind != "most_read"):
        reads = material.reads.get(plan.slug, {})
        pool = Pool(stories, now, reads, material.past_uses, dict(taken))
        if plan.kind == "most_read":
            selection = select_most_read(plan, pool)
        else:
            selection = select_latest(plan, pool, window)
        if len(selection.chosen) < plan.minimum:
            notices.append(_left_out(plan, selection))
            continue
        selections[plan.slug] = selection
        taken |= {choice.story.public_id: plan.title for choice in selection.chosen}
    return selections, notices


def _left_out(plan: SectionPlan, selection: Selection) -> str:
    found = len(selection.chosen)
    why = f"it has {found} of at least {plan.minimum} {'story' if plan.minimum == 1 else 'stories'}"
    if not selection.considered:
        why = "no reads are known" if plan.kind == "most_read" else "nothing new was published"
    return f"“{plan.title}” was left out: {why}."


def _print_section(
    plan: SectionPlan,
    selection: Selection,
    window: Window,
    now: datetime,
    zone: ZoneInfo,
    language: str,
) -> Section:
    if plan.kind == "most_read":
        looked_at = name_days(*window_days(plan, now, zone), language)
    else:
        looked_at = name_since(window.start, now, zone, language)
    return Section(
        slug=plan.slug,
        kind=plan.kind,
        title=plan.title,
        window=looked_at,
        items=tuple(_print_item(choice, at) for at, choice in enumerate(selection.chosen, 1)),
        runners_up=tuple(
            RunnerUp(p.story.public_id, p.story.title, p.story.url, p.reads, p.reason)
            for p in selection.passed_over
        ),
    )


def _print_item(choice: Choice, position: int) -> Item:
    story = choice.story
    return Item(
        story_id=story.public_id,
        position=position,
        headline=story.title,
        url=story.url,
        excerpt=story.excerpt,
        byline=story.byline,
        department=story.department,
        language=story.language,
        minutes=story.minutes,
        published_at=story.published_at,
        picture=story.picture,
        reads=choice.reads,
        reasons=choice.reasons,
    )


def _template_words(
    newsletter: Newsletter, publication: Publication, slot: Slot, sections: tuple[Section, ...]
) -> dict[str, str]:
    language = newsletter.language_in(publication)
    return {
        "headline": lead_item(sections).headline,
        "newsletter": newsletter.name,
        "publication": publication.name,
        "short_name": publication.nickname,
        "period": name_period(newsletter.send_moment.period, slot.date, language),
        "date": name_date(slot.date, language),
    }


def lead_item(sections: tuple[Section, ...]) -> Item:
    """The item that leads the subject: the newest news, else whatever comes first."""
    latest = [section for section in sections if section.kind == "latest"]
    return (latest or list(sections))[0].items[0]


def _preheader(newsletter: Newsletter, sections: tuple[Section, ...], subject: str) -> str:
    lead = lead_item(sections)
    items = [item for section in sections for item in section.items if item is not lead]
    if "{headline}" not in newsletter.subject:
        items = [lead, *items]
    headlines = [item.headline for item in items]
    return write_preheader(headlines, subject, [item.excerpt for item in (lead, *items)])
