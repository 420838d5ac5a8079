"""The lines around an issue's stories: subject and preheader of an inbox, and the title."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from newsletter.issues.model import Issue
from newsletter.issues.wording import (
    fill_template,
    name_date,
    name_days,
    name_month,
    name_period,
    name_since,
)
from newsletter.publication.brand import Publication
from newsletter.publication.cadence import Edition
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.sections import SectionPlan
from newsletter.publication.slots import Slot, period_day
from newsletter.ranking.windows import window_days
from newsletter.stories.canonical import title_key
from newsletter.stories.excerpt import cut_at_word
from newsletter.words import words_of

# What phones show of a subject, and what inboxes show after it.
LONGEST_SUBJECT = 60
SHORTEST_PREHEADER = 40
LONGEST_PREHEADER = 110
_BETWEEN = " · "
# Of an edition whose subject nobody wrote; the regular one always has one.
_USUAL_SUBJECT = "{title}: {headline}"


def write_lines(newsletter: Newsletter, publication: Publication, issue: Issue) -> Issue:
    """``issue`` with title, subject and preheader written from its stories.

    They speak of the story that leads, else of the first one.
    """
    items = issue.items
    lead = next((item for item in items if item.story_id == issue.lead), None)
    lead = lead or next(iter(items), None)
    words = template_words(newsletter, publication, issue)
    if lead is not None:
        words |= {"headline": lead.headline}
    title = _write_title(newsletter, publication, words, issue)
    template = newsletter.subject or _USUAL_SUBJECT
    subject = write_subject(template, words | {"title": title})
    following = [item for item in items if item is not lead]
    filling = [lead, *following] if lead is not None else []
    told = following if "{headline}" in template else filling
    return replace(
        issue,
        title=title,
        subject=subject,
        preheader=write_preheader(
            [item.headline for item in told], subject, [item.excerpt for item in filling]
        ),
    )


def made_lines(newsletter: Newsletter, publication: Publication, issue: Issue) -> frozenset[str]:
    """Which of title, subject and preheader are as they are made from the stories."""
    made = write_lines(newsletter, publication, issue)
    lines = ("title", "subject", "preheader")
    return frozenset(line for line in lines if getattr(issue, line) == getattr(made, line))


def remake_lines(
    newsletter: Newsletter, publication: Publication, issue: Issue, lines: Collection[str]
) -> Issue:
    """The issue with these lines made from its stories; the others stay."""
    made = write_lines(newsletter, publication, issue)
    return replace(
        issue,
        title=made.title if "title" in lines else issue.title,
        subject=made.subject if "subject" in lines else issue.subject,
        preheader=made.preheader if "preheader" in lines else issue.preheader,
    )


def rewrite_lines(
    newsletter: Newsletter, publication: Publication, before: Issue, after: Issue
) -> Issue:
    """``after`` with the lines made anew that ``before`` had as they were made.

    What an editor wrote stays.
    """
    made = made_lines(newsletter, publication, before)
    return remake_lines(newsletter, publication, after, made)


def template_words(
    newsletter: Newsletter, publication: Publication, dated: Issue | Slot
) -> dict[str, str]:
    """The words of subject and title; the headline is filled in when there is a lead,
    and the title once it is written."""
    language = newsletter.language_in(publication)
    key = dated.slot if isinstance(dated, Issue) else dated.key
    day = period_day(newsletter, key, dated.date)
    period = newsletter.send_moment.period
    return {
        "headline": "",
        "title": "",
        "newsletter": newsletter.name,
        "publication": publication.name,
        "short_name": publication.nickname,
        "period": name_period(period, day, language),
        "date": name_date(dated.date, language),
    }


def title_words(plan: SectionPlan, looked_at: str, words: Mapping[str, str]) -> dict[str, str]:
    """The words of a section's title, which is written before there is a lead."""
    rest = {name: word for name, word in words.items() if name not in ("headline", "title")}
    return {"window": looked_at, "department": plan.department, **rest}


def name_window(
    plan: SectionPlan, since: datetime, now: datetime, zone: ZoneInfo, language: str
) -> str:
    """What the section looks at, in words; "latest" at what was published ``since`` then."""
    if plan.kind == "latest":
        return name_since(since, now, zone, language)
    return name_days(*window_days(plan, now, zone), language)


def _write_title(
    newsletter: Newsletter, publication: Publication, words: Mapping[str, str], issue: Issue
) -> str:
    if newsletter.title:
        return fill_template(newsletter.title, words)
    language = newsletter.language_in(publication)
    if newsletter.edition is Edition.MONTHLY:
        month = name_month(period_day(newsletter, issue.slot, issue.date), language)
        return words_of(language).gettext("The best of %(month)s", month=month)
    if newsletter.edition is Edition.CATCH_UP:
        return words_of(language).gettext("While you were away")
    return words_of(language).gettext("Top Stories · %(period)s", period=words["period"])


def write_subject(template: str, words: Mapping[str, str]) -> str:
    """The subject, cut at a word to `LONGEST_SUBJECT` characters.

    What the template adds to the headline is kept, and the headline cut, unless
    so little room is left that a headline could not be told from another.
    """
    subject = fill_template(template, words).strip()
    if len(subject) <= LONGEST_SUBJECT:
        return subject
    headline = words.get("headline", "")
    room = LONGEST_SUBJECT - (len(subject) - len(headline))
    if template.count("{headline}") == 1 and room >= LONGEST_SUBJECT // 2:
        cut = {**words, "headline": cut_at_word(headline, room)}
        return fill_template(template, cut).strip()
    return cut_at_word(subject, LONGEST_SUBJECT)


def write_preheader(headlines: Sequence[str], subject: str, filling: Sequence[str] = ()) -> str:
    """The next headlines after the subject's, `SHORTEST_PREHEADER` to `LONGEST_PREHEADER` long.

    A headline that the subject already shows is left out. Where the headlines
    do not make up a line, sentences of ``filling`` follow. With too little of
    either the line is short, or empty.
    """
    shown = title_key(subject)
    line = ""
    for text in (*headlines, *filling):
        key = title_key(text)
        if not key or key in shown:
            continue
        longer = f"{line}{_BETWEEN}{text}" if line else text
        if len(longer) > LONGEST_PREHEADER:
            return (
                line if len(line) >= SHORTEST_PREHEADER else cut_at_word(longer, LONGEST_PREHEADER)
            )
        line = longer
        if len(line) >= SHORTEST_PREHEADER and text in filling:
            break
    return line
