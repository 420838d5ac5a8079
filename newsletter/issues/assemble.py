"""Assemble a draft: sections filled in their order of right, then the lines around them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from newsletter.errors import NotFound, Remedy
from newsletter.issues.lines import name_window, template_words, title_words, write_lines
from newsletter.issues.model import Issue, IssueState, Item, RunnerUp, Section
from newsletter.issues.wording import (
    fill_template,
    name_since,
    unknown_names,
)
from newsletter.publication.brand import Publication
from newsletter.publication.cadence import Edition
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.sections import Ranking, SectionKind, SectionPlan
from newsletter.publication.slots import Slot
from newsletter.ranking.bars import why_excluded
from newsletter.ranking.curve import HORIZON_HOURS
from newsletter.ranking.likeness import Likenesses
from newsletter.ranking.model import (
    NO_INSTRUCTIONS,
    Choice,
    Field,
    Instructions,
    PastUse,
    Pool,
    Selection,
    Window,
)
from newsletter.ranking.score import Expectation, Score, score_story
from newsletter.ranking.select import choose_lead, select_stories
from newsletter.ranking.windows import latest_window
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
# Why a section has no story to choose from: where reads are known, and where it needs some.
_NOTHING = {
    "most_read": "nothing was read in its window",
    "you_may_have_missed": "no story of its window is old enough to be no news any more",
    "editors_pick": "no editor pinned a story in it",
}
_UNCOUNTED = {
    "most_read": "no reads are known",
    "rising": "no reads of new stories are known",
    "you_may_have_missed": "no reads are known",
}


@dataclass(frozen=True)
class Material:
    """What an issue is made from.

    ``reads`` holds, by section slug, each story's reads on the days that
    `window_days` names, by public id. ``past_uses`` are those of this
    newsletter, by public id. ``covers_from`` is where the previous issue's
    "latest" ended; None for a newsletter's first issue. ``so_far`` are the reads
    of the last 28 days, by public id (``own`` and ``own_so_far`` those which our mails
    caused, as far as they were left out of these), and ``expectation`` what scores go by.
    ``fields``, by section slug, tells how many stories compete where ``stories``
    holds only the best; ``held_over`` are those that the previous issue's editor held,
    and ``led_before`` is the department of the story that led it. ``notices`` are
    sentences on what the material lacks. ``counted``: reads of any story are known.
    """

    stories: tuple[Story, ...]
    reads: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    so_far: Mapping[str, int] = field(default_factory=dict)
    expectation: Expectation = field(default_factory=Expectation)
    past_uses: Mapping[str, tuple[PastUse, ...]] = field(default_factory=dict)
    covers_from: datetime | None = None
    fields: Mapping[str, Field] = field(default_factory=dict)
    held_over: frozenset[str] = frozenset()
    led_before: str = ""
    notices: tuple[str, ...] = ()
    own: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    own_so_far: Mapping[str, int] = field(default_factory=dict)
    counted: bool = False


@dataclass(frozen=True)
class Draft:
    """A new issue, and sentences on what an editor should know of it.

    ``starved`` are the slugs of sections that more stories than the material
    held might fill.
    """

    issue: Issue
    notices: tuple[str, ...] = ()
    starved: frozenset[str] = frozenset()


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
    language = newsletter.language_in(publication)
    latest = next((plan for plan in newsletter.sections if plan.kind == "latest"), None)
    window = latest_window(latest, material.covers_from, now)
    pool = _make_pool(newsletter, publication, material, instructions, now)
    words = template_words(newsletter, publication, slot)
    looked_at = {
        p.slug: name_window(p, window.start, now, zone, language) for p in newsletter.sections
    }
    titles = {
        plan.slug: fill_template(plan.title, title_words(plan, looked_at[plan.slug], words))
        for plan in newsletter.sections
    }
    selections, notices = _select_sections(newsletter, material, pool, window, titles)
    notices = [*material.notices, *notices]
    starved = frozenset(slug for slug, selection in selections.items() if selection.starved)
    printed = [
        plan
        for plan in newsletter.sections
        if plan.slug in selections and selections[plan.slug].chosen
    ]
    if not printed and not starved:
        since = name_since(window.start, now, zone, "en")
        raise NotFound(
            f"{newsletter.slug} {slot.key}: no story was published {since} and none has enough "
            "reads; look at what its sources brought",
            subject=slot.key,
            remedy=Remedy.SOURCES,
        )
    is_news = newsletter.edition is Edition.REGULAR
    lead = (
        _choose_lead(printed, selections, newsletter.ranking, material.led_before)
        if is_news
        else _first_of(printed, selections, newsletter.ranking)
    )
    sections = tuple(
        _print_section(
            plan,
            selections[plan.slug],
            titles[plan.slug],
            looked_at[plan.slug],
            newsletter.ranking,
        )
        for plan in printed
    )
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
        title="",
        subject="",
        preheader="",
        sections=sections,
        language=language,
        lead=lead.public_id
        if lead and (not is_news or any(p.kind == "latest" for p in printed))
        else "",
        held_over=tuple(sorted(instructions.held)),
        pins=instructions.pins,
        excluded=tuple(sorted(instructions.excluded)),
        edition=newsletter.edition,
    )
    issue = write_lines(newsletter, publication, issue)
    notices += _unfulfilled(newsletter, issue, instructions)
    notices += _unknown_words(newsletter, looked_at, words)
    return Draft(issue, tuple(notices), starved)


def _unfulfilled(newsletter: Newsletter, issue: Issue, instructions: Instructions) -> Iterator[str]:
    """Sentences on pins that the issue does not have."""
    printed = {item.story_id for item in issue.items}
    counts = {plan.slug: plan.count for plan in newsletter.sections}
    sections = {section.slug for section in issue.sections}
    for pin in instructions.pins:
        if pin.story_id in printed:
            continue
        if pin.position > counts[pin.section]:
            why = f"the section has {counts[pin.section]} places"
        elif pin.section not in sections:
            why = "the section was left out"
        else:
            why = "readers may not see the story now"
        yield f"The pin at {pin.section}/{pin.position} was left out: {why}."


def _unknown_words(
    newsletter: Newsletter, looked_at: Mapping[str, str], words: Mapping[str, str]
) -> Iterator[str]:
    """Sentences on the names in templates for which there is no word."""
    of_title = {name: word for name, word in words.items() if name != "title"}
    templates = [
        ("subject", newsletter.subject, words),
        ("title", newsletter.title, of_title),
        *(
            (f"{plan.slug} title", plan.title, title_words(plan, looked_at[plan.slug], words))
            for plan in newsletter.sections
        ),
    ]
    for key, template, known in templates:
        for name in unknown_names(template, known):
            yield f"The {key} template names {{{name}}}, which is none of: {', '.join(known)}."


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
    barred = {story.public_id: why for story in stories if (why := why_excluded(story, ranking))}
    barred |= dict.fromkeys(instructions.held, "an editor holds it for the next issue")
    barred |= dict.fromkeys(instructions.excluded, "an editor keeps it out")
    return Pool(
        stories,
        now,
        past_uses=material.past_uses,
        scores=_score(stories, material, ranking, now),
        pins=instructions.pins,
        kept=instructions.kept,
        barred=barred,
        house=publication.house_names,
        held_over=material.held_over,
    )


def _score(
    stories: tuple[Story, ...], material: Material, ranking: Ranking, now: datetime
) -> dict[str, Score]:
    """The scores of the stories that are still in their first 28 days; none without any reads."""
    if not material.so_far:
        return {}
    ages = {s.public_id: (now - s.published_at) / _HOUR for s in stories}
    young = [s for s in stories if 0 <= ages[s.public_id] < HORIZON_HOURS]
    return {
        s.public_id: score_story(
            material.so_far.get(s.public_id, 0),
            ages[s.public_id],
            material.expectation,
            department=s.department,
            mix=ranking.mix,
            weight=ranking.syndicated_weight if s.syndicated_from else 1.0,
        )
        for s in young
    }


def _select_sections(
    newsletter: Newsletter,
    material: Material,
    whole: Pool,
    window: Window,
    titles: Mapping[str, str],
) -> tuple[dict[str, Selection], list[str]]:
    """The selections by section slug, in order of right, and what an editor should know of them."""
    taken: dict[str, str] = {}
    selections: dict[str, Selection] = {}
    notices: list[str] = []
    likenesses = Likenesses(whole.stories)
    # A pin is a promise: no section that chooses earlier may take its story.
    placed = {story_id: (slug, titles.get(slug, slug)) for story_id, slug in whole.kept.items()}
    placed |= {
        pin.story_id: (pin.section, "another section, where an editor pinned it")
        for pin in whole.pins
    }
    # A stable sort: among equals the configured order decides.
    for plan in sorted(newsletter.sections, key=lambda plan: _ORDER_OF_RIGHT.index(plan.kind)):
        elsewhere = {
            story_id: where for story_id, (slug, where) in placed.items() if slug != plan.slug
        }
        reads = material.reads.get(plan.slug, material.so_far)
        pool = replace(
            whole,
            reads=reads,
            own=material.own.get(plan.slug, material.own_so_far),
            taken=elsewhere | taken,
            field=material.fields.get(plan.slug),
        )
        selection = select_stories(plan, pool, window, likenesses)
        title = titles[plan.slug]
        # What is starved will be tried again, with more stories to choose from.
        if len(selection.chosen) < plan.minimum and not selection.starved:
            notices.append(_left_out(plan, title, selection, counted=material.counted))
            continue
        notices += [f"In “{title}” {change}." for change in selection.relaxed]
        selections[plan.slug] = selection
        taken |= {choice.story.public_id: title for choice in selection.chosen}
    return selections, notices


def _choose_lead(
    printed: Sequence[SectionPlan],
    selections: Mapping[str, Selection],
    ranking: Ranking,
    led_before: str,
) -> Story | None:
    """The best story of the news, else what comes first.

    What is shown as an excerpt leads only where an editor pinned it, or nothing else can.
    """
    if not printed:
        return None
    plan = next((plan for plan in printed if plan.kind == "latest"), printed[0])
    chosen = selections[plan.slug].chosen
    whole = tuple(c for c in chosen if c.pinned or not is_excerpt(c.story, ranking)) or chosen
    lead = choose_lead(Selection(whole), led_before) if plan.kind == "latest" else None
    return lead or whole[0].story


def _first_of(
    printed: Sequence[SectionPlan], selections: Mapping[str, Selection], ranking: Ranking
) -> Story | None:
    """What comes first of an issue that is no news; a mere excerpt only where all are such."""
    chosen = [choice for plan in printed[:1] for choice in selections[plan.slug].chosen]
    whole = [c for c in chosen if c.pinned or not is_excerpt(c.story, ranking)]
    return next((choice.story for choice in whole or chosen), None)


def _left_out(plan: SectionPlan, title: str, selection: Selection, *, counted: bool) -> str:
    found = len(selection.chosen)
    why = f"it has {found} of at least {plan.minimum} {'story' if plan.minimum == 1 else 'stories'}"
    if not selection.considered:
        nothing = _NOTHING if counted else {**_NOTHING, **_UNCOUNTED}
        why = nothing.get(plan.kind, "nothing new was published")
    return f"“{title}” was left out: {why}."


def _print_section(
    plan: SectionPlan, selection: Selection, title: str, looked_at: str, ranking: Ranking
) -> Section:
    return Section(
        slug=plan.slug,
        kind=plan.kind,
        title=title,
        window=looked_at,
        items=tuple(
            _print_item(choice, at, ranking) for at, choice in enumerate(selection.chosen, 1)
        ),
        runners_up=tuple(
            RunnerUp(
                p.story.public_id, p.story.title, p.story.url, p.reads, p.reason, _value(p.score)
            )
            for p in selection.passed_over
        ),
        relaxed=selection.relaxed,
    )


def is_excerpt(story: Story, ranking: Ranking) -> bool:
    """Whether the paper shows no more of the story than a hint at it."""
    return bool(story.syndicated_from) and ranking.syndicated == "excerpt"


def _print_item(choice: Choice, position: int, ranking: Ranking) -> Item:
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
        picture=None if is_excerpt(story, ranking) else story.picture,
        reads=choice.reads,
        reasons=choice.reasons,
        score=_value(choice.score),
        syndicated_from=story.syndicated_from,
        still_read=choice.still_read,
    )


def _value(score: Score | None) -> float | None:
    return None if score is None else round(score.value, 1)
