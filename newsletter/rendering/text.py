"""The text part of an issue, written from its stories and not scraped from its HTML."""

import re
import textwrap
from collections.abc import Iterable

from newsletter.issues.model import Issue
from newsletter.publication.model import Newsletter, Publication
from newsletter.rendering.filters import count_noun, format_day
from newsletter.rendering.view import IssueView, ItemView, SectionView
from newsletter.rendering.words import say

COLUMNS = 78


def write_text(
    view: IssueView, issue: Issue, publication: Publication, newsletter: Newsletter
) -> str:
    """Paragraphs of at most 78 columns; addresses stand bare on lines of their own."""
    language = issue.language
    blocks = [
        underline(publication.name, "="),
        wrap(view.title),
        wrap(_dateline(view, issue)),
        f"{say('view_in_browser', language)}:\n{view.archive_url}",
        *(wrap(paragraph) for paragraph in view.note),
    ]
    if view.note:
        blocks.append(wrap(say("note_signature", language)))
    if view.lead:
        blocks.append(_write_item(view.lead, ranked=False))
    for section in view.sections:
        blocks += _write_section(section)
    blocks += _write_footer(view, publication, newsletter, language)
    return "\n\n".join(block for block in blocks if block) + "\n"


def wrap(text: str, indent: str = "") -> str:
    """``text`` as lines of at most 78 columns."""
    return textwrap.fill(
        " ".join(text.split()),
        width=COLUMNS,
        initial_indent=indent,
        subsequent_indent=" " * len(indent),
        break_on_hyphens=False,
    )


def underline(text: str, line: str) -> str:
    """A heading: the text, and a line below as long as its longest row."""
    rows = wrap(text)
    return f"{rows}\n{line * max(map(len, rows.splitlines()), default=0)}" if rows else ""


def _dateline(view: IssueView, issue: Issue) -> str:
    language = issue.language
    number = say("number", language, number=view.number) if view.number else ""
    return _join(
        language,
        (format_day(issue.date, language), number, _length(view, language)),
    )


def _length(view: IssueView, language: str) -> str:
    stories = count_noun(view.story_count, "stories", language)
    if not view.minutes:
        return stories
    minutes = count_noun(view.minutes, "minutes", language)
    return say("stories_and_minutes", language, stories=stories, minutes=minutes)


def _write_section(section: SectionView) -> list[str]:
    ranked = section.kind == "most_read"
    return [
        "\n" + underline(section.title, "-"),
        *(_write_item(item, ranked=ranked) for item in section.items),
    ]


def _write_item(item: ItemView, *, ranked: bool) -> str:
    language = item.language
    rank = f"{item.position}. " if ranked else ""
    facts = (
        item.department,
        say("byline", language, name=item.byline) if item.byline else "",
        say("first_published", language, name=item.syndicated_from) if item.syndicated_from else "",
        count_noun(item.minutes, "min", language) if item.minutes and not ranked else "",
        count_noun(item.reads, "reads", language) if item.reads and ranked else "",
        say("still_read", language) if item.still_read else "",
    )
    rows = [wrap(item.headline, rank), wrap(_join(language, facts), " " * len(rank))]
    if item.excerpt and not ranked:
        rows.append(wrap(item.excerpt))
    return "\n".join(row for row in (*rows, bare_address(item.url)) if row.strip())


def _write_footer(
    view: IssueView, publication: Publication, newsletter: Newsletter, language: str
) -> list[str]:
    def link(key: str, url: str) -> str:
        return f"{say(key, language, newsletter=newsletter.name)}:\n{url}"

    return [
        "\n" + underline(say("end", language), "-"),
        wrap(say("reason", language, newsletter=newsletter.name)),
        link("unsubscribe", view.unsubscribe_url),
        link("preferences", view.preferences_url),
        wrap(say("forwarded", language)) + "\n" + link("subscribe", view.subscribe_url),
        wrap(say("copyright", language, year=view.year, publication=publication.name))
        + ("\n" + wrap(publication.postal_address) if publication.postal_address else ""),
    ]


def _join(language: str, facts: Iterable[str]) -> str:
    return say("separator", language).join(fact for fact in facts if fact)


def bare_address(url: str) -> str:
    """An address that mail programs recognise as a whole: no white space in it."""
    return re.sub(r"\s", "%20", url.strip())
