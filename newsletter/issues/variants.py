"""The variants of an issue: in which languages and for which departments it is rendered.

A reader gets the variant of their language and chosen departments. A choice
without its own gets the full one in that language.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from newsletter.issues.lead import choose_lead
from newsletter.issues.lines import name_window, template_words, title_words, write_lines
from newsletter.issues.model import Choice, Issue, Item, Section, ServedVariant, Variant
from newsletter.issues.wording import fill_template
from newsletter.publication.brand import Publication
from newsletter.publication.newsletters import Newsletter
from newsletter.words import is_armenian, pick_language

# With fewer stories than this a mail is not worth opening: whoever chose so gets all.
FEWEST_STORIES = 3


def language_of(choice: Choice, issue: Issue, offered: Iterable[str]) -> str:
    """The language in which the issue goes to readers of that choice: its own, or one offered."""
    wanted = [choice.language] if choice.language else []
    return pick_language(wanted, (issue.language, *offered)) or issue.language


def plan_variants(
    issue: Issue,
    newsletter: Newsletter,
    publication: Publication,
    choices: Mapping[Choice, int],
) -> tuple[ServedVariant, ...]:
    """The variants to render, each with the choices that it serves; the canonical one first.

    ``choices`` says how many readers made each. There are at most
    `Newsletter.max_variants`: the full one in each language, then those of
    departments that most readers chose. A choice that leaves too few stories, or
    all of them, has none of its own.
    """
    offered = newsletter.languages_in(publication)
    languages = list(dict.fromkeys((issue.language, *offered)))[: newsletter.max_variants]
    plan: dict[Variant, list[Choice]] = {Variant(language): [] for language in languages}
    found: dict[tuple[str, ...], list[Choice]] = {}
    readers: Counter[tuple[str, ...]] = Counter()
    for choice in sorted(choices, key=lambda one: (one.language or "", one.departments)):
        language = language_of(choice, issue, languages)
        key = Variant(language, choice.departments).key
        found.setdefault(key, []).append(choice)
        readers[key] += choices[choice]
    room = newsletter.max_variants - len(plan)
    for key in sorted(found, key=lambda key: (-readers[key], key)):
        language = language_of(found[key][0], issue, languages)
        # Spelt as most readers do, so that the same readers always give the same name.
        spelling = max(found[key], key=lambda choice: (choices[choice], choice.departments))
        variant = Variant(language, spelling.departments)
        if variant.is_full:
            plan[variant] += found[key]
        elif room > 0 and is_worth_rendering(issue, variant):
            plan[variant] = found[key]
            room -= 1
        else:
            plan[Variant(language)] += found[key]
    return tuple(ServedVariant(variant, tuple(served)) for variant, served in plan.items())


def match_variants(
    issue: Issue, made: Mapping[str, Variant], choices: Iterable[Choice]
) -> dict[str, ServedVariant]:
    """The variants that an issue was ``made`` in, by any name, each with what it serves.

    What readers chose later has no variant of its own: it gets the full one in its language.
    """
    names = {variant.key: name for name, variant in made.items()}
    languages = [variant.language for variant in made.values() if variant.is_full]
    served: dict[str, list[Choice]] = {name: [] for name in made}
    for choice in sorted(choices, key=lambda one: (one.language or "", one.departments)):
        language = language_of(choice, issue, languages)
        full = names.get(Variant(language).key)
        name = names.get(Variant(language, choice.departments).key, full)
        if name is not None:
            served[name].append(choice)
    return {name: ServedVariant(made[name], tuple(found)) for name, found in served.items()}


def is_worth_rendering(issue: Issue, variant: Variant) -> bool:
    """Whether a choice of departments leaves enough stories, and not all of them."""
    left = [item for item in issue.items if _is_chosen(item, variant.departments)]
    return len({item.story_id for item in left}) >= FEWEST_STORIES and len(left) < len(issue.items)


def vary_issue(
    issue: Issue,
    variant: Variant,
    newsletter: Newsletter,
    publication: Publication,
    *,
    subject: str | None = None,
) -> Issue:
    """The issue as that variant prints it.

    Stories keep their language, and so does what editors wrote, and a title of the
    newsletter's own that it has in no other. Where a choice of departments leaves too
    few stories, as a correction may, it is the full one. Title, subject and preheader
    are written anew if they were made from the issue's stories. With ``subject`` that
    is kept, and tells whether the variant has lines of its own.
    """
    chosen = _choose(issue, variant, newsletter) if is_worth_rendering(issue, variant) else issue
    if chosen is issue and variant.language == issue.language:
        return issue
    speaking = newsletter.speaking(variant.language)
    varied = chosen
    if variant.language != issue.language:
        varied = replace(
            chosen,
            language=variant.language,
            editors_language=issue.language,
            sections=tuple(
                _speak(section, issue, speaking, publication) for section in chosen.sections
            ),
        )
    own = newsletter.speaking(issue.language)
    made_from = write_lines(own, publication, issue)
    written = write_lines(speaking, publication, varied)
    titled = written
    spoken = variant.language == issue.language or not own.title or own.title != speaking.title
    if not spoken:
        titled = write_lines(own, publication, varied)
    if issue.title != made_from.title:
        titled, spoken = issue, False
    own_preheader = issue.preheader == made_from.preheader
    if subject is None:
        subject = written.subject if issue.subject == made_from.subject else issue.subject
    else:
        own_preheader = subject != issue.subject
    return replace(
        varied,
        title=titled.title,
        title_language=None if spoken else varied.editors_language,
        subject=subject,
        preheader=written.preheader if own_preheader else issue.preheader,
    )


def _choose(issue: Issue, variant: Variant, newsletter: Newsletter) -> Issue:
    """The issue with the stories of the chosen departments; sections left empty go."""
    sections = []
    for section in issue.sections:
        items = tuple(item for item in section.items if _is_chosen(item, variant.departments))
        if items:
            sections.append(replace(section, items=items))
    lead = issue.lead
    if lead and lead not in {item.story_id for section in sections for item in section.items}:
        lead = choose_lead(sections, issue.pins, newsletter)
    return replace(issue, sections=tuple(sections), lead=lead)


def _speak(
    section: Section, issue: Issue, newsletter: Newsletter, publication: Publication
) -> Section:
    """The section within the issue in the newsletter's language; what is in another says so."""
    items = tuple(
        item
        if item.language or is_armenian(item.headline)
        else replace(item, language=issue.language)
        for item in section.items
    )
    language = newsletter.language_in(publication)
    plan = next((plan for plan in newsletter.sections if plan.slug == section.slug), None)
    template = plan.titles.get(language) if plan else None
    if plan is None or template is None:
        return replace(section, items=items, language=issue.language)
    zone = newsletter.zone_in(publication)
    looked_at = name_window(plan, issue.covers_from, issue.covers_until, zone, language)
    words = title_words(plan, looked_at, template_words(newsletter, publication, issue))
    return replace(section, items=items, title=fill_template(template, words), window=looked_at)


def _is_chosen(item: Item, departments: Sequence[str]) -> bool:
    wanted = {name.casefold() for name in departments}
    return not wanted or item.department.casefold() in wanted
