"""What the templates of an issue are given: decided here, so that they only print."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from newsletter.issues.model import Block, Issue, Item, LinkPlace, Section
from newsletter.issues.wording import name_days, name_period, name_week
from newsletter.pictures.model import LOGO, SlotName
from newsletter.publication.brand import Publication
from newsletter.publication.cadence import Edition
from newsletter.publication.campaign import tag_link
from newsletter.publication.model import Clicks
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.schedule import Period
from newsletter.rendering.links import LinkBook
from newsletter.rendering.model import ReaderSlot
from newsletter.rendering.passing_on import Link, mail_link, share_links
from newsletter.stories.model import Picture
from newsletter.words import Words, fallback_of, is_armenian, words_of

# Slots of the layout in CSS px; templates/email/styles/base.css has the same widths.
# A picture that is left at the site keeps its own proportions in them.
LEAD_BOX = (592, 740)
CARD_BOX = (200, 200)
_BOXES: Mapping[SlotName, tuple[int, int]] = {"lead": LEAD_BOX, "card": CARD_BOX}
# A picture narrower than this would blur when a phone shows it at full width.
_FLUID_FROM = 320

_SITE_NAMES = {
    "facebook.com": "Facebook",
    "instagram.com": "Instagram",
    "linkedin.com": "LinkedIn",
    "t.me": "Telegram",
    "tiktok.com": "TikTok",
    "twitter.com": "X",
    "x.com": "X",
    "youtube.com": "YouTube",
    "bsky.app": "Bluesky",
    "threads.net": "Threads",
    "threads.com": "Threads",
}


@dataclass(frozen=True)
class PictureView:
    """A picture as it is shown: ``width`` and ``height`` in CSS px on a wide screen.

    ``height`` is None where the file's size is unknown. ``fluid``: it may fill
    a phone's width. ``plate``: what is behind shows through, and must be light.
    """

    url: str
    width: int
    height: int | None
    alt: str
    caption: str
    credit: str
    fluid: bool
    plate: bool = False


@dataclass(frozen=True)
class ItemView:
    """An item as it is printed. ``foreign`` is its language where that is not the issue's.

    ``url`` is where its headline leads, ``picture_link`` and ``text_link`` where its
    picture does, and its line in the text part.
    """

    position: int
    headline: str
    url: str
    picture_link: str
    text_link: str
    excerpt: str
    byline: str
    department: str
    language: str
    foreign: str | None
    minutes: int
    reads: int | None
    picture: PictureView | None
    syndicated_from: str
    still_read: bool


@dataclass(frozen=True)
class GroupView:
    """The stories of a section that stand under one department's name; "" for no name.

    ``foreign`` is the name's language where that is not the issue's.
    """

    name: str
    items: tuple[ItemView, ...]
    foreign: str | None = None


@dataclass(frozen=True)
class SectionView:
    """A section with something in it, without the lead. ``kind`` chooses the template.

    ``groups`` holds its ``items`` once more, by department, where that is wanted.
    ``foreign`` is its title's language where that is not the issue's.
    """

    slug: str
    kind: str
    title: str
    items: tuple[ItemView, ...]
    groups: tuple[GroupView, ...] = ()
    foreign: str | None = None


@dataclass(frozen=True)
class LogoView:
    """The paper's logo in CSS px; a ``width`` of None is not known. ``plate`` as of a picture."""

    url: str
    width: int | None
    height: int
    plate: bool


@dataclass(frozen=True)
class IssueView:
    """An issue as it is printed, whatever the part (HTML or text).

    ``span`` stands behind the title: the week's days, and its number where the title
    does not say it. ``foreign`` is the language of what editors wrote (note, block),
    where that is not the issue's; the title and the signature have their own. ``reason``
    says why its reader gets it, ``opening`` what it is where that is not plain.
    ``answers`` are what a reader may say of the issue, each a mail to the editors;
    ``write_to`` is their address, and ``write_url`` a mail to it.
    """

    title: str
    span: str
    subject: str
    preheader: str
    number: str
    logo: LogoView | None
    note: tuple[str, ...]
    signature: str
    lead: ItemView | None
    sections: tuple[SectionView, ...]
    block: Block | None
    answers: tuple[Link, ...]
    write_to: str
    write_url: str
    share: tuple[Link, ...]
    story_count: int
    minutes: int
    archive_url: str
    subscribe_url: str
    unsubscribe_url: str
    preferences_url: str
    pause_url: str
    reason: str
    opening: str
    social: tuple[Link, ...]
    year: int
    book: LinkBook = field(default_factory=LinkBook)
    foreign: str | None = None
    title_foreign: str | None = None
    signature_foreign: str | None = None


def view_issue(
    issue: Issue,
    publication: Publication,
    newsletter: Newsletter,
    *,
    base_url: str,
    utm_source: str = "",
    clicks: Clicks = "off",
    archived_in: str = "",
) -> IssueView:
    """The issue laid out: its lead, its sections, its numbers and links.

    Links to stories carry ``utm_source`` as their campaign's source, if one is given,
    and lead through us unless ``clicks`` are off. Pages of ours that are for everybody
    are asked for in the issue's language where they have ``archived_in`` else.
    """
    issue = _tag_links(issue, utm_source)
    base_url = base_url.rstrip("/")
    book = LinkBook.of(issue, base_url, clicks)
    lead_section, lead = find_lead(issue) or (None, None)
    grouped = {plan.slug for plan in newsletter.sections if plan.group_by_department}
    sections = tuple(
        _view_section(section, issue.language, lead, base_url, book, section.slug in grouped)
        for section in issue.sections
        if any(item is not lead for item in section.items)
    )
    words = words_of(issue.language)
    picked = f"?lang={issue.language}" if issue.language != (archived_in or issue.language) else ""
    archive_url = f"{base_url}/archive/{newsletter.slug}/{issue.slot}{picked}"
    preferences_url = f"{base_url}/preferences/{ReaderSlot.PREFERENCES}"
    return IssueView(
        title=issue.title,
        span=_name_span(issue, newsletter, publication),
        subject=issue.subject,
        preheader=issue.preheader,
        number=issue_number(issue.slot) if issue.edition is Edition.REGULAR else "",
        logo=_view_logo(issue.logo, base_url) if issue.logo else None,
        note=split_paragraphs(issue.note),
        signature=newsletter.signature or words.gettext("Your editors"),
        lead=_view_item(lead_section, lead, issue.language, base_url, "lead", book)
        if lead_section and lead
        else None,
        sections=sections,
        block=issue.block,
        answers=_answers(issue, newsletter),
        write_to=_write_to(newsletter),
        write_url=mail_link(_write_to(newsletter), issue.title),
        share=share_links(publication.share, archive_url, issue.subject or issue.title, words),
        story_count=len({item.story_id for item in issue.items}),
        minutes=issue.minutes,
        archive_url=archive_url,
        subscribe_url=f"{base_url}/subscribe/{newsletter.slug}{picked}",
        unsubscribe_url=f"{base_url}/unsubscribe/{ReaderSlot.UNSUBSCRIBE}",
        preferences_url=preferences_url,
        pause_url=f"{preferences_url}#pause",
        reason=_reason(issue, newsletter, words),
        opening=words.gettext(
            "Your pause is over. These are the stories of it that were read most; what is new "
            "comes to you again from now on."
        )
        if issue.edition is Edition.CATCH_UP
        else "",
        social=tuple(Link(_name_site(url), url) for url in publication.social),
        year=issue.date.year,
        book=book,
        foreign=issue.editors_language,
        title_foreign=issue.title_language,
        signature_foreign=issue.editors_language
        if newsletter.signature
        else fallback_of(issue.language),
    )


def find_lead(issue: Issue) -> tuple[Section, Item] | None:
    """The item that was chosen to lead, else the first of the latest stories; with its section."""
    for section in issue.sections:
        for item in section.items:
            if item.story_id == issue.lead:
                return section, item
    for section in issue.sections:
        if section.kind == "latest" and section.items:
            return section, section.items[0]
    return None


def _name_span(issue: Issue, newsletter: Newsletter, publication: Publication) -> str:
    if issue.edition is Edition.CATCH_UP:
        first = issue.covers_from.astimezone(newsletter.zone_in(publication)).date()
        return name_days(first, issue.date, issue.language)
    if newsletter.send_moment.period is not Period.WEEK:
        return ""
    title = issue.title.casefold()
    # A variant's title may be in the language of the newsletter all the same.
    languages = (issue.language, issue.title_language or issue.language)
    weeks = [name_period(Period.WEEK, issue.date, language) for language in languages]
    # The days in one piece, as far as a phone's line can hold them: see `.days` of the sheet.
    days = name_week(issue.date, issue.language).replace(" ", "\u00a0")
    return days if any(week.casefold() in title for week in weeks) else f"{weeks[0]} · {days}"


def _answers(issue: Issue, newsletter: Newsletter) -> tuple[Link, ...]:
    """What a reader may say of the issue by one tap and a mail; nothing else is noted."""
    words = words_of(issue.language)
    weekly = issue.edition is Edition.REGULAR
    # Translators: answers to "Was this issue worth your fourteen minutes?"
    answers = (
        words.gettext("Yes, gladly"),
        words.gettext("Some of it"),
        words.gettext("Not this week") if weekly else words.gettext("Not this time"),
    )
    return tuple(
        Link(answer, mail_link(_write_to(newsletter), f"{answer} · {issue.title}"))
        for answer in answers
    )


def _reason(issue: Issue, newsletter: Newsletter, words: Words) -> str:
    """Why its reader gets it."""
    name = newsletter.name
    if issue.edition is Edition.MONTHLY:
        return words.gettext(
            "You get this e-mail because you chose the best of each month of %(newsletter)s.",
            newsletter=name,
        )
    if issue.edition is Edition.CATCH_UP:
        return words.gettext(
            "You get this e-mail because you had paused %(newsletter)s, and the pause is over.",
            newsletter=name,
        )
    return words.gettext(
        "You get this e-mail because you subscribed to %(newsletter)s.", newsletter=name
    )


def _write_to(newsletter: Newsletter) -> str:
    """Where answers to the mail go."""
    return newsletter.reply_to or newsletter.sender.address


def _view_logo(logo: Picture, base_url: str) -> LogoView | None:
    """The file that we keep of it, else the site's own."""
    file = logo.file_for("logo")
    if file is not None:
        scale = min(LOGO.height / file.height, LOGO.width / file.width, 1.0)
        return LogoView(
            url=f"{base_url}/media/{file.name}",
            width=max(1, round(file.width * scale)),
            height=max(1, round(file.height * scale)),
            plate=file.name.endswith(".png"),
        )
    if not logo.url.lower().startswith(("http://", "https://")):
        return None
    return LogoView(url=logo.url, width=None, height=LOGO.height, plate=True)


def issue_number(slot: str) -> str:
    """The number printed in the masthead: the slot's week or month; none for a daily paper."""
    match = re.match(r"\d{4}-(?:W(\d\d)|(\d\d))(?:\.x\d+)?$", slot)
    return str(int(match[1] or match[2])) if match else ""


def split_paragraphs(text: str) -> tuple[str, ...]:
    """The paragraphs of a plain text, parted by empty lines."""
    parts = (" ".join(part.split()) for part in re.split(r"\n\s*\n", text))
    return tuple(part for part in parts if part)


def fit_picture(picture: Picture, box: tuple[int, int], headline: str) -> PictureView | None:
    """The picture scaled into ``box`` (width, height), never enlarged; None if not on the web.

    A picture of a linked card says where the link leads when it has no words of its own.
    """
    if not picture.url.lower().startswith(("http://", "https://")):
        return None
    box_width, box_height = box
    width, height = box_width, None
    if picture.width and picture.height:
        scale = min(box_width / picture.width, box_height / picture.height, 1.0)
        width, height = round(picture.width * scale), max(1, round(picture.height * scale))
    return PictureView(
        url=picture.url,
        width=max(1, width),
        height=height,
        alt=picture.alt or picture.caption or headline,
        caption=picture.caption,
        credit=picture.credit,
        fluid=width == box_width and (picture.width or _FLUID_FROM) >= _FLUID_FROM,
    )


def _tag_links(issue: Issue, utm_source: str) -> Issue:
    """The issue with story links by which a visit that it caused is known."""
    campaign = f"{issue.newsletter}-{issue.slot}"
    return replace(
        issue,
        sections=tuple(
            replace(
                section,
                items=tuple(
                    replace(item, url=tag_link(item.url, utm_source, campaign))
                    for item in section.items
                ),
            )
            for section in issue.sections
        ),
    )


def _view_section(
    section: Section,
    language: str,
    lead: Item | None,
    base_url: str,
    book: LinkBook,
    grouped: bool,
) -> SectionView:
    # Ranks are counted here: what an editor removed must not leave a gap.
    left = [item for item in section.items if item is not lead]
    # What leads a ranking is its first, shown above it.
    first = 2 if section.kind == "most_read" and lead is section.items[0] else 1
    items = tuple(
        _view_item(section, item, language, base_url, "card", book, position)
        for position, item in enumerate(_by_department(left) if grouped else left, first)
    )
    return SectionView(
        slug=section.slug,
        kind=section.kind,
        title=section.title,
        items=items,
        groups=_group(items) if grouped else (),
        foreign=section.language,
    )


def _by_department(items: list[Item]) -> list[Item]:
    """The departments in the order in which they come first; what has none comes last."""
    order = list(dict.fromkeys(item.department for item in items if item.department))
    return sorted(items, key=lambda item: (*order, "").index(item.department))


def _group(items: tuple[ItemView, ...]) -> tuple[GroupView, ...]:
    """``items``, already in that order, by department; none where no story has one."""
    names = list(dict.fromkeys(item.department for item in items))
    if names == [""]:
        return ()
    parts = {name: tuple(item for item in items if item.department == name) for name in names}
    return tuple(
        GroupView(name, part, part[0].foreign if name else None) for name, part in parts.items()
    )


def _view_item(
    section: Section,
    item: Item,
    language: str,
    base_url: str,
    slot: SlotName,
    book: LinkBook,
    position: int = 1,
) -> ItemView:
    own = item.language or ("hy" if is_armenian(item.headline) else language)
    picture = _view_picture(item, item.picture, slot, base_url) if item.picture else None
    return ItemView(
        position=position,
        headline=item.headline,
        url=book.address(section, item, LinkPlace.HEADLINE),
        picture_link=book.address(section, item, LinkPlace.PICTURE),
        text_link=book.address(section, item, LinkPlace.TEXT),
        excerpt=item.excerpt,
        byline=item.byline,
        department=item.department,
        language=own,
        foreign=own if _primary(own) != _primary(language) else None,
        minutes=item.minutes,
        reads=item.reads,
        picture=picture,
        syndicated_from=item.syndicated_from,
        still_read=item.still_read,
    )


def _view_picture(
    item: Item, picture: Picture, slot: SlotName, base_url: str
) -> PictureView | None:
    """The file that we keep for that slot, else the site's own."""
    file = picture.file_for(slot)
    if file is None:
        return fit_picture(picture, _BOXES[slot], item.headline)
    url = f"{base_url}/media/{file.name}"
    ours = replace(picture, url=url, width=file.width, height=file.height)
    shown = fit_picture(ours, _BOXES[slot], item.headline)
    return shown and replace(shown, plate=file.name.endswith(".png"))


def _primary(language: str) -> str:
    return language.split("-")[0].lower()


def _name_site(url: str) -> str:
    host = (urlsplit(url).hostname or url).removeprefix("www.").removeprefix("m.")
    return _SITE_NAMES.get(host, host)
