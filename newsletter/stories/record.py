"""One source item, read: the story that it tells of, before it meets what we had."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from newsletter.sources.model import SourceItem, SourcePicture
from newsletter.stories.body import Body, read_body
from newsletter.stories.byline import Byline, clean_author, find_byline, strip_byline
from newsletter.stories.canonical import canonical_url, title_key
from newsletter.stories.credit import split_credit
from newsletter.stories.excerpt import cut_at_word, make_excerpt, strip_cut
from newsletter.stories.model import Picture, Story, StoryKeys
from newsletter.stories.pictures import BodyPicture, picture_url, same_picture
from newsletter.stories.syndication import Origin, find_origin
from newsletter.stories.text import clean_line, clean_title, guess_language, text_of
from newsletter.tokens import derived_public_id

# A date before the first newspapers, or one that no calendar arithmetic survives, is none.
_EARLIEST, _LATEST = 1600, 9000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Far more than papers write: one endless line must not keep an issue from being sent.
_LONGEST_TITLE, _LONGEST_NAME, _LONGEST_CAPTION = 300, 120, 500
_MOST_NAMES = 30


def keys_of(item: SourceItem, source: str, zone: ZoneInfo, now: datetime) -> StoryKeys:
    """What ``item`` may be recognised by; ``published_on`` is its local date in ``zone``."""
    published_at, _ = _published(item, now)
    return StoryKeys(
        source=source,
        native_id=item.native_id or None,
        guid=item.guid or None,
        url=canonical_url(item.url or "") or None,
        title_key=title_key(clean_title(item.title)),
        published_on=_local_date(published_at, zone),
    )


@dataclass(frozen=True)
class StoryText:
    """What an item's text tells: the writer it names, an excerpt, its length, its pictures,
    and where it was published first."""

    writer: str = ""
    excerpt: str = ""
    words: int = 0
    pictures: tuple[BodyPicture, ...] = ()
    origin: Origin = field(default_factory=Origin)


def read_text(item: SourceItem, url: str) -> StoryText:
    """Read the text of ``item``; ``url`` is its address, against which others are resolved."""
    author = clean_author(clean_line(item.author))
    body = read_body(item.html, url) if item.html else Body()
    byline, paragraphs = _opening(body, clean_title(item.title), author)
    excerpt = make_excerpt(_own_excerpt(item, url, byline.writer or author), paragraphs)
    # The length of a text that was cut off is not known.
    words = 0 if strip_cut(body.ending)[1] else body.words
    origin = find_origin(body.origin_notes, body.links, url=url, canonical=item.canonical_url or "")
    return StoryText(byline.writer, excerpt, words, body.pictures, origin)


def tell_story(
    item: SourceItem, keys: StoryKeys, text: StoryText, zone: ZoneInfo, now: datetime
) -> Story:
    """The story that ``item`` alone tells of; its keys must hold an address and a title.

    Without a date the first sight stands in, or the last change where that is
    earlier: a story was published before it was changed.
    """
    url = keys.url or ""
    title = clean_title(item.title)
    author = clean_author(clean_line(item.author))
    published_at, known = _published(item, now)
    return Story(
        public_id=derived_public_id("story", keys.source, keys.native_id or keys.guid or "", url),
        source=keys.source,
        url=url,
        title=cut_at_word(title, _LONGEST_TITLE),
        published_at=published_at,
        first_seen_at=now,
        title_key=keys.title_key,
        published_on=_local_date(published_at, zone),
        native_id=keys.native_id,
        guid=keys.guid,
        byline=cut_at_word(text.writer or author, _LONGEST_NAME),
        house_author=cut_at_word(author, _LONGEST_NAME),
        departments=_names(item.categories),
        tags=_names(item.tags),
        excerpt=text.excerpt,
        words=text.words,
        language=guess_language(f"{title} {text.excerpt}", item.language),
        published_known=known,
        modified_at=item.modified_at,
        picture=read_story_picture(item.picture, text.pictures, url),
        comments=item.comments,
        hidden=clean_line(item.hidden),
        syndicated_from=cut_at_word(clean_line(text.origin.name), _LONGEST_NAME),
        syndicated_url=text.origin.url,
    )


def read_story_picture(
    told: SourcePicture | None, in_text: Sequence[BodyPicture], base: str
) -> Picture | None:
    """The picture the source names, else the first of the text; caption and credit apart."""
    url = picture_url(told.url, base) if told is not None else ""
    if told is None or not url:
        return _picture(in_text[0], in_text[0].caption) if in_text else None
    # The text often says more about the same picture in another size.
    twin = next((each for each in in_text if same_picture(each.url, url)), None)
    alt = told.alt or (twin.alt if twin else "")
    caption = told.caption or (twin.caption if twin else "")
    return _picture(BodyPicture(url, told.width, told.height, alt), caption, told.credit)


def _picture(picture: BodyPicture, caption: str, told_credit: str = "") -> Picture:
    words, credit = split_credit(clean_line(caption))
    if told_credit:
        credit = split_credit(clean_line(told_credit))[1] or clean_line(told_credit)
    alt = clean_line(picture.alt)
    return Picture(
        picture.url,
        picture.width,
        picture.height,
        cut_at_word(alt, _LONGEST_CAPTION),
        cut_at_word(words, _LONGEST_CAPTION),
        cut_at_word(credit, _LONGEST_NAME),
    )


def _opening(body: Body, title: str, author: str) -> tuple[Byline, list[str]]:
    """The byline, and the paragraphs after it that an excerpt may be made of.

    Left out are headings, the title once more, and the lone name of the house.
    """
    key, house = title_key(title), author.casefold()
    lines: list[str] = []
    starts: list[int] = []
    for paragraph in body.opening:
        text = paragraph.text
        if paragraph.is_heading or _repeats(text, title, key) or text.casefold() == house:
            continue
        starts.append(len(lines))
        lines += paragraph.lines
    byline = find_byline(lines, author=author, stressed=body.stressed)
    # The byline may have taken lines off the first paragraphs; the rest of the
    # paragraphs are found again from the end, where nothing has moved.
    taken = len(lines) - len(byline.lines)
    bounds = [max(0, start - taken) for start in starts] + [len(byline.lines)]
    paragraphs = [
        " ".join(byline.lines[first:last]) for first, last in pairwise(bounds) if first < last
    ]
    return byline, paragraphs


def _repeats(paragraph: str, title: str, key: str) -> bool:
    # The key is dear, and a paragraph is seldom as short as a headline.
    return len(paragraph) <= len(title) + 20 and title_key(paragraph) == key


def _own_excerpt(item: SourceItem, url: str, writer: str) -> str:
    # Only a link can be a "continue reading"; without one the text is all there is.
    if "<a" in item.excerpt_html:
        opening = read_body(item.excerpt_html, url).opening
        text = " ".join(paragraph.text for paragraph in opening)
    else:
        text = text_of(item.excerpt_html)
    return strip_byline(text, writer)


def _published(item: SourceItem, now: datetime) -> tuple[datetime, bool]:
    told = item.published_at
    if told is not None and _EARLIEST < told.year < _LATEST and told != _EPOCH:
        return told, True
    changed = item.modified_at
    if changed is not None and changed.year > _EARLIEST and changed != _EPOCH:
        return min(changed, now), False
    return now, False


def _local_date(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()


def _names(names: Iterable[str]) -> tuple[str, ...]:
    """Names in their order, each once; a CMS's own word for "no category" is none."""
    cleaned = (clean_line(re.sub(r"<[^<>]*>", "", name)) for name in names)
    own = (name for name in cleaned if name and name.lower() != "uncategorized")
    once = dict.fromkeys(cut_at_word(name, _LONGEST_NAME) for name in own)
    return tuple(once)[:_MOST_NAMES]
