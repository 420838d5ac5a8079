"""Assemble a draft: sections filled in their order of right, then the lines around them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
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
from newsletter.publication.model import Newsletter, Publication, Ranking, SectionKind, SectionPlan
from newsletter.publication.slots import Slot
from newsletter.ranking.bars import why_excluded
from newsletter.ranking.curve import HORIZON_HOURS
from newsletter.ranking.expect import expect_reads
from newsletter.ranking.likeness import Likenesses
from newsletter.ranking.model import (
    NO_INSTRUCTIONS,
    Choice,
    Instructions,
    PastStory,
    PastUse,
    Pool,
    Selection,
    Window,
)
from newsletter.ranking.score import Score, score_story
from newsletter.ranking.select import choose_lead, select_stories
from newsletter.ranking.windows import latest_window, window_days
from newsletter.stories.model import Story
from newsletter.tokens import derived_public_id

_HOUR = timedelta(hours=1)
# Who chooses first: nothing comes twice.
_ORDER_OF_RIGHT: tuple[SectionKind, ...] = (
    "editors_pick",
    "most_read",
    "rising",
    "department",
    "you_may_have_missed",
    "latest",
)
_NOTHING = {
    "most_read": "no reads are known",
    "rising": "no reads of new stories are known",
    "you_may_have_missed": "no reads are known",
    "editors_pick": "no editor pinned a story in it",
}


@dataclass(frozen=True)
class Material:
    """What an issue is made from.

    ``reads`` holds, by section slug, each story's reads on the days that
    `window_days` names, by public id. ``past_uses`` are those of this
    newsletter, by public id. ``covers_from`` is where the previous issue's
    "latest" ended; None for a newsletter's first issue. ``so_far`` are the reads
    of the last 28 days, by public id, and ``past`` the stories that scores learn from.
    """

    stories: tuple[Story, ...]
    reads: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    so_far: Mapping[str, int] = field(default_factory=dict)
    past: tuple[PastStory, ...] = ()
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
    instructions: Instructions = NO_INSTRUCTIONS,
) -> Draft:
    """The draft for ``slot`` as things stand at ``now``.

    Nothing comes twice: editors' picks and the most-read sections choose first,
    and the latest ones fill up from what is left; printed they are in the
    configured order. A section with fewer stories than its minimum is left out.
    NotFound where no section has any.
    """
    zone = newsletter.zone_in(publication)
    latest = next((plan for plan in newsletter.sections if plan.kind == "latest"), None)
    window = latest_window(latest, material.covers_from, now)
    pool = _make_pool(newsletter, publication, material, instructions, now)
    selections, notices = _select_sections(newsletter, material, pool, window)
    if not selections:
        since = name_since(window.start, now, zone, "en")
        raise NotFound(
            f"{newsletter.slug} {slot.key}: no story was published {since} and none has enough "
            "reads; see `newsletter stories list` for what its sources brought",
            subject=slot.key,
        )
    language = newsletter.language_in(publication)
    printed = [plan for plan in newsletter.sections if plan.slug in selections]
    lead = _choose_lead(printed, selections)
    words = _template_words(newsletter, publication, slot, lead.title)
    sections = tuple(
        _print_section(plan, selections[plan.slug], window, now, zone, language, words)
        for plan in printed
    )
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
        preheader=_preheader(newsletter, sections, subject, lead.public_id),
        sections=sections,
        language=language,
        lead=lead.public_id if any(plan.kind == "latest" for plan in printed) else "",
    )
    for key, template in (("subject", newsletter.subject), ("title", newsletter.title)):
        for name in unknown_names(template, words):
            notices.append(
                f"The {key} template names {{{name}}}, which is none of: {', '.join(words)}."
            )
    return Draft(issue, tuple(notices))


def _make_pool(
    newsletter: Newsletter,
    publication: Publication,
    material: Material,
    instructions: Instructions,
    now: datetime,
) -> Pool:
    """What all sections choose from; each adds its own reads and what is taken by then."""
    wanted = set(newsletter.sources)
    stories = tuple(s for s in material.stories if not wanted or s.source in wanted)
    ranking = newsletter.ranking
    barred = {
        story.public_id: why for story in stories if (why := why_excluded(story, ranking))
    } | dict.fromkeys(instructions.excluded, "an editor keeps it out")
    return Pool(
        stories,
        now,
        past_uses=material.past_uses,
        scores=_score(stories, material, ranking, now),
        pins=instructions.pins,
        barred=barred,
        house=frozenset(name.casefold() for name in (publication.name, publication.nickname)),
    )


def _score(
    stories: tuple[Story, ...], material: Material, ranking: Ranking, now: datetime
) -> dict[str, Score]:
    """The scores of the stories that are still in their first 28 days; none without any reads."""
    if not material.so_far:
        return {}
    ages = {s.public_id: (now - s.published_at) / _HOUR for s in stories}
    young = [s for s in stories if 0 <= ages[s.public_id] < HORIZON_HOURS]
    counted = {s.public_id: float(material.so_far.get(s.public_id, 0)) for s in young}
    expectation = expect_reads(
        material.past, [(counted[s.public_id], ages[s.public_id]) for s in young]
    )
    return {
        s.public_id: score_story(
            counted[s.public_id],
            ages[s.public_id],
            expectation,
            department=s.department,
            mix=ranking.mix,
            weight=ranking.syndicated_weight if s.syndicated_from else 1.0,
        )
        for s in young
    }


def _select_sections(
    newsletter: Newsletter, material: Material, whole: Pool, window: Window
) -> tuple[dict[str, Selection], list[str]]:
    """The selections by section slug, in order of right, and what an editor should know of them."""
    taken: dict[str, str] = {}
    selections: dict[str, Selection] = {}
    notices: list[str] = []
    likenesses = Likenesses(whole.stories)
    # A pin is a promise: no section that chooses earlier may take its story.
    pinned = {pin.story_id: pin.section for pin in whole.pins}
    # A stable sort: among equals the configured order decides.
    for plan in sorted(newsletter.sections, key=lambda plan: _ORDER_OF_RIGHT.index(plan.kind)):
        elsewhere = {
            story_id: "another section, where an editor pinned it"
            for story_id, slug in pinned.items()
            if slug != plan.slug
        }
        reads = material.reads.get(plan.slug, material.so_far)
        pool = replace(whole, reads=reads, taken=elsewhere | taken)
        selection = select_stories(plan, pool, window, likenesses)
        if len(selection.chosen) < plan.minimum:
            notices.append(_left_out(plan, selection))
            continue
        notices += [f"In “{plan.title}” {change}." for change in selection.relaxed]
        selections[plan.slug] = selection
        taken |= {choice.story.public_id: plan.title for choice in selection.chosen}
    return selections, notices


def _choose_lead(printed: Sequence[SectionPlan], selections: Mapping[str, Selection]) -> Story:
    """The best story of the news, else what comes first."""
    plan = next((plan for plan in printed if plan.kind == "latest"), printed[0])
    chosen = selections[plan.slug]
    lead = choose_lead(chosen) if plan.kind == "latest" else None
    return lead or chosen.chosen[0].story


def _left_out(plan: SectionPlan, selection: Selection) -> str:
    found = len(selection.chosen)
    why = f"it has {found} of at least {plan.minimum} {'story' if plan.minimum == 1 else 'stories'}"
    if not selection.considered:
        why = _NOTHING.get(plan.kind, "nothing new was published")
    return f"“{plan.title}” was left out: {why}."


def _print_section(
    plan: SectionPlan,
    selection: Selection,
    window: Window,
    now: datetime,
    zone: ZoneInfo,
    language: str,
    words: Mapping[str, str],
) -> Section:
    if plan.kind == "latest":
        looked_at = name_since(window.start, now, zone, language)
    else:
        looked_at = name_days(*window_days(plan, now, zone), language)
    words = {**words, "window": looked_at, "department": plan.department}
    return Section(
        slug=plan.slug,
        kind=plan.kind,
        title=fill_template(plan.title, words),
        window=looked_at,
        items=tuple(_print_item(choice, at) for at, choice in enumerate(selection.chosen, 1)),
        runners_up=tuple(
            RunnerUp(
                p.story.public_id, p.story.title, p.story.url, p.reads, p.reason, _value(p.score)
            )
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
        score=_value(choice.score),
    )


def _value(score: Score | None) -> float | None:
    return None if score is None else round(score.value, 1)


def _template_words(
    newsletter: Newsletter, publication: Publication, slot: Slot, headline: str
) -> dict[str, str]:
    language = newsletter.language_in(publication)
    return {
        "headline": headline,
        "newsletter": newsletter.name,
        "publication": publication.name,
        "short_name": publication.nickname,
        "period": name_period(newsletter.send_moment.period, slot.date, language),
        "date": name_date(slot.date, language),
    }


def _preheader(
    newsletter: Newsletter, sections: tuple[Section, ...], subject: str, lead_id: str
) -> str:
    every = [item for section in sections for item in section.items]
    lead = next(item for item in every if item.story_id == lead_id)
    items = [item for item in every if item is not lead]
    if "{headline}" not in newsletter.subject:
        items = [lead, *items]
    headlines = [item.headline for item in items]
    return write_preheader(headlines, subject, [item.excerpt for item in (lead, *items)])
