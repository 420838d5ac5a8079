"""The text part of an issue, written from its stories and not scraped from its HTML."""

import re
import textwrap
from collections.abc import Iterable
from unicodedata import combining, east_asian_width

from newsletter.issues.marked import plain_of
from newsletter.issues.model import Block, BlockKind, Issue
from newsletter.publication.brand import Publication
from newsletter.publication.newsletters import Newsletter
from newsletter.rendering.addresses import split_addresses
from newsletter.rendering.filters import count_noun, format_day
from newsletter.rendering.view import IssueView, ItemView, PictureView, SectionView
from newsletter.words import Words, words_of

COLUMNS = 78


def write_text(
    view: IssueView, issue: Issue, publication: Publication, newsletter: Newsletter
) -> str:
    """Paragraphs of at most 78 columns; addresses stand bare on lines of their own."""
    words = words_of(issue.language)
    blocks = [
        underline(publication.name, "="),
        wrap(_join((view.title, view.span.replace("\u00a0", " ")))),
        wrap(_dateline(view, issue, words)),
        label_address(words, words.gettext("View in browser"), view.archive_url),
        wrap(view.opening),
        *(_write_note(paragraph) for paragraph in view.note),
    ]
    if view.note:
        blocks.append(wrap(view.signature))
    if view.lead:
        blocks.append(_write_item(view.lead, ranked=False, numbered=False))
    for section in view.sections:
        blocks += _write_section(section)
    if view.block:
        blocks.append(_write_block(view.block, view, words))
    blocks += _write_footer(view, publication, newsletter, words)
    return "\n\n".join(block for block in blocks if block) + "\n"


def wrap(text: str, indent: str = "") -> str:
    """``text`` as lines of at most 78 columns, and its addresses whole on lines of their own."""
    inset = " " * len(indent)
    lines: list[str] = []
    behind_address = False
    for piece, is_address in split_addresses(" ".join(text.split())):
        if is_address:
            if indent.strip() and not lines:
                lines.append(indent.rstrip())
            lines.append(piece)
        else:
            words = piece.lstrip()
            if behind_address and words == piece:
                # What ends the sentence stays at the address: mail programs know it for that.
                closing, _, words = piece.partition(" ")
                lines[-1] += closing
            lines += _broken(words, inset if lines else indent, inset)
        behind_address = is_address
    return "\n".join(lines)


def columns_of(text: str) -> int:
    """How many columns a text takes: two a letter of those that are as wide as they are high."""
    if text.isascii():
        return len(text)
    return sum(
        0 if combining(letter) else 2 if east_asian_width(letter) in "WF" else 1 for letter in text
    )


def _broken(text: str, first: str, inset: str) -> list[str]:
    """``text`` in lines of at most 78 columns that begin with ``first``, then with ``inset``."""
    if columns_of(text) <= len(text):
        return textwrap.wrap(
            text,
            width=COLUMNS,
            initial_indent=first,
            subsequent_indent=inset,
            break_on_hyphens=False,
        )
    # Scripts of wide letters break between any two of them.
    lines, line = [], first
    for word in re.findall(r"[ ]?[^ ]+", text):
        for piece in word if columns_of(word) > len(word) else [word]:
            if columns_of(line + piece) > COLUMNS and line.strip():
                lines.append(line.rstrip())
                line = inset + piece.lstrip()
            else:
                line += piece
    return [*lines, line] if line.strip() else lines


def _write_note(paragraph: str) -> str:
    """A paragraph of the note, where its links lead below."""
    words, urls = plain_of(paragraph)
    return "\n".join((wrap(words), *urls))


def underline(text: str, line: str) -> str:
    """A heading: the text, and a line below as long as its longest row."""
    rows = wrap(text)
    return f"{rows}\n{line * max(map(columns_of, rows.splitlines()), default=0)}" if rows else ""


def label_address(words: Words, label: str, url: str) -> str:
    """What an address is for, and the address on a line of its own."""
    # Translators: what an address is for; the address stands on the next line.
    introduced = words.gettext("%(label)s:", label=label)
    return f"{wrap(introduced)}\n{bare_address(url)}"


def _dateline(view: IssueView, issue: Issue, words: Words) -> str:
    number = words.gettext("No. %(number)s", number=view.number) if view.number else ""
    day = format_day(issue.date, issue.language)
    return _join((day, number, _length(view, issue.language, words)))


def _length(view: IssueView, language: str, words: Words) -> str:
    stories = count_noun(view.story_count, "stories", language)
    if not view.minutes:
        return stories
    minutes = count_noun(view.minutes, "minutes", language)
    return words.gettext("%(stories)s, %(minutes)s", stories=stories, minutes=minutes)


def _write_section(section: SectionView) -> list[str]:
    ranked = section.kind == "most_read"
    headed = {group.items[0]: group.name for group in section.groups if group.name}
    blocks = ["\n" + underline(section.title, "-")]
    for item in section.items:
        if item in headed:
            blocks.append(wrap(headed[item]))
        blocks.append(_write_item(item, ranked=ranked, department=not section.groups))
    return blocks


def _write_block(block: Block, view: IssueView, words: Words) -> str:
    """The part that is no story, between two lines."""
    rows = [wrap(block.text), wrap(block.source)]
    if block.kind is BlockKind.QUOTE:
        rows[0] = wrap(
            words_of(view.foreign or words.language).gettext("“%(words)s”", words=block.text)
        )
    if block.kind is BlockKind.QUESTION:
        rows.insert(0, wrap(words.gettext("A question to our readers")))
        rows.append(wrap(view.write_to))
    line = "-" * COLUMNS
    return "\n".join(row for row in (line, *rows, line) if row)


def _write_item(
    item: ItemView, *, ranked: bool, numbered: bool = True, department: bool = True
) -> str:
    language = item.language
    words = words_of(language)
    source = item.syndicated_from
    rank = f"{item.position}. " if numbered else ""
    facts = (
        item.department if department else "",
        words.gettext("By %(name)s", name=item.byline) if item.byline else "",
        words.gettext("First published by %(name)s", name=source) if source else "",
        count_noun(item.minutes, "min", language) if item.minutes and not ranked else "",
        count_noun(item.reads, "reads", language) if item.reads and ranked else "",
        words.gettext("Still read") if item.still_read else "",
    )
    inset = " " * len(rank)
    rows = [wrap(item.headline, rank), wrap(_join(facts), inset)]
    if item.excerpt and not ranked:
        rows.append(wrap(item.excerpt, inset))
    if item.picture and not numbered:
        rows.append(wrap(_tell_picture(item.picture, words), inset))
    return "\n".join(row for row in (*rows, bare_address(item.text_link)) if row.strip())


def _tell_picture(picture: PictureView, words: Words) -> str:
    """Of the lead's picture what is printed below it."""
    credit = words.gettext("Photo: %(name)s", name=picture.credit) if picture.credit else ""
    return " ".join(part for part in (picture.caption, credit) if part)


def _write_footer(
    view: IssueView, publication: Publication, newsletter: Newsletter, words: Words
) -> list[str]:
    name = newsletter.name
    subscribe = words.gettext("Subscribe to %(newsletter)s", newsletter=name)
    rights = words.gettext(
        "© %(year)s %(publication)s", year=view.year, publication=publication.name
    )
    return [
        "\n" + underline(words.gettext("End of this issue"), "-"),
        _write_question(view, words),
        _write_share(view, words),
        wrap(view.reason),
        label_address(words, words.gettext("Unsubscribe"), view.unsubscribe_url),
        label_address(words, words.gettext("Change what you get"), view.preferences_url),
        label_address(words, words.gettext("Pause"), view.pause_url),
        wrap(words.gettext("Did a friend send you this?"))
        + "\n"
        + label_address(words, subscribe, view.subscribe_url),
        wrap(rights)
        + ("\n" + wrap(publication.postal_address) if publication.postal_address else ""),
    ]


def _write_question(view: IssueView, words: Words) -> str:
    if view.minutes:
        minutes = count_noun(view.minutes, "minutes", words.language)
        asked = words.gettext("Was this issue worth your %(minutes)s?", minutes=minutes)
    else:
        asked = words.gettext("Was this issue worth your time?")
    introduced = words.gettext("%(label)s:", label=words.gettext("Write to the editors"))
    return wrap(f"{asked} {introduced}") + f"\n{view.write_to}"


def _write_share(view: IssueView, words: Words) -> str:
    links = [label_address(words, link.name, link.url) for link in view.share]
    return "\n".join((words.gettext("Pass it on:"), *links)) if links else ""


def _join(facts: Iterable[str]) -> str:
    return " · ".join(fact for fact in facts if fact)


def bare_address(url: str) -> str:
    """An address that mail programs recognise as a whole: no white space in it."""
    return re.sub(r"\s", "%20", url.strip())
