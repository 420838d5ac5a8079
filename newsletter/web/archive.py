"""Issues that readers have, for everyone: the list, and each as it was sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from newsletter.delivery.model import Mailing, MailingKind
from newsletter.errors import NotFound
from newsletter.issues.model import Issue
from newsletter.publication.cadence import Edition
from newsletter.publication.design import design_of
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.slots import is_range_key, next_slot
from newsletter.rendering.corrections import tell_corrections
from newsletter.rendering.fill import strip_personal
from newsletter.rendering.share import describe_issue, share_picture, small_picture
from newsletter.storage.archive import ArchivePlace
from newsletter.storage.transaction import Transaction
from newsletter.web.archive_frame import Correction, frame_mail
from newsletter.web.conditional import answer_if_changed
from newsletter.web.context import WebContext, newsletter_called
from newsletter.web.language import PageLanguage, language_name, page_language
from newsletter.web.pages import mail_response, render_page
from newsletter.web.rhythm import describe_rhythm
from newsletter.words import Words

# Near a year of a weekly; the pictures further down are loaded as one scrolls.
PAGE_LENGTH = 40


def latest_issue(context: WebContext, newsletter: Newsletter) -> Issue | None:
    """The newest issue that readers have."""
    with context.database.read() as tx:
        places = tx.archive.places(newsletter.slug, limit=1)
        return load_issue(tx, places[0]) if places else None


def load_issue(tx: Transaction, place: ArchivePlace) -> Issue:
    """The issue of a place in the archive; NotFound where it went meanwhile."""
    issue = tx.issues.by_id(place.public_id)
    if issue is None:
        raise NotFound(f"issue {place.slot} is no longer there", subject=place.slot)
    return issue


def archive_url(context: WebContext, newsletter: Newsletter) -> str:
    """The absolute address of a newsletter's list of issues, with a slash at the end."""
    return f"{context.base_url}/archive/{newsletter.slug}/"


def indexing_headers(newsletter: Newsletter, *, hidden: bool = False) -> Mapping[str, str]:
    """What tells search engines to leave a newsletter's archive out, if it is to be, or a
    page of it that is ``hidden``."""
    return {"X-Robots-Tag": "noindex"} if newsletter.archive_noindex or hidden else {}


def describe_archive(newsletter: Newsletter, settings: Settings, words: Words) -> str:
    """What a newsletter's issues are, for search engines and feed readers."""
    return words.gettext(
        "Past issues of %(newsletter)s, by %(publication)s",
        newsletter=newsletter.name,
        publication=settings.publication.name,
    )


def settings_changed_at(tx: Transaction) -> datetime | None:
    """Since when the names and colours that every page shows are as they are."""
    version = tx.settings.latest()
    return version.at if version else None


def show_archive(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    settings = context.load_settings()
    newsletter = newsletter_called(settings, request.path_params["newsletter"])
    zone = newsletter.zone_in(settings.publication)
    language = page_language(request, settings, newsletter)
    with context.database.read() as tx:
        places = tx.archive.places(newsletter.slug)
        page = _page_of(request, len(places))
        shown = places[(page - 1) * PAGE_LENGTH : page * PAGE_LENGTH]
        issues = [load_issue(tx, place) for place in shown]
        changed_at = settings_changed_at(tx)
        skipped = tx.skipped_slots.of(newsletter.slug)
    years = [place.send_at.astimezone(zone).year for place in places]
    pages = max(1, -(-len(places) // PAGE_LENGTH))
    response = render_page(
        context,
        settings,
        "archive",
        language=page_language(request, settings, newsletter),
        public=True,
        noindex=newsletter.archive_noindex,
        headers=indexing_headers(newsletter),
        newsletter=newsletter,
        description=describe_archive(newsletter, settings, language.words),
        rhythm=describe_rhythm(newsletter.send_moment, language.words),
        next_date=next_slot(newsletter, zone, context.clock.now(), skipped).date,
        issues_by_year=[
            (year, [(issue, small_picture(issue)) for issue in of])
            for year, of in groupby(issues, lambda issue: issue.date.year)
        ],
        page=page,
        pages=pages,
        page_urls=[
            _page_address(f"{context.base_path}/archive/{newsletter.slug}/", number, language)
            for number in range(1, pages + 1)
        ],
        canonical=_page_address(archive_url(context, newsletter), page),
        # Where each year begins, the newest first.
        years={year: years.index(year) // PAGE_LENGTH + 1 for year in dict.fromkeys(years)},
        url=archive_url(context, newsletter),
    )
    newest = max((place.changed_at for place in places), default=None)
    return answer_if_changed(request, response, _latest(context, newest, changed_at))


def _page_of(request: Request, issues: int) -> int:
    """The page that was asked for; NotFound where there is none of that number."""
    asked = request.query_params.get("page", "1")
    last = max(1, -(-issues // PAGE_LENGTH))
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 6 and 1 <= int(asked) <= last):
        raise NotFound(f"there is no page {asked[:20]} of {last}", subject="page")
    return int(asked)


def _page_address(url: str, number: int, language: PageLanguage | None = None) -> str:
    """The address of a page of the list, in the language that the visitor picked."""
    query = {"page": str(number)} if number > 1 else {}
    query |= {"lang": language.tag} if language is not None and language.picked else {}
    return f"{url}?{urlencode(query)}" if query else url


def _latest(context: WebContext, *moments: datetime | None) -> datetime:
    """The latest of the moments that are known."""
    return max((one for one in moments if one is not None), default=context.clock.now())


@dataclass(frozen=True)
class Neighbour:
    """The issue before or after, as its link names it."""

    url: str
    date: date
    subject: str
    language: str


def show_archived_issue(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    settings = context.load_settings()
    newsletter = newsletter_called(settings, request.path_params["newsletter"])
    slot = request.path_params["slot"]
    page = page_language(request, settings, newsletter)
    with context.database.read() as tx:
        # A catch-up has a page for those who got it, and stands in no list.
        is_catch_up = is_range_key(slot)
        places = tx.archive.places(
            newsletter.slug, edition=Edition.CATCH_UP if is_catch_up else None
        )
        places = [place for place in places if not is_catch_up or place.slot == slot]
        at = next((n for n, place in enumerate(places) if place.slot == slot), None)
        if at is None:
            raise NotFound(f"no issue {slot} of {newsletter.slug} went out", subject=slot)
        place, issue = places[at], load_issue(tx, places[at])
        older, newer = places[at + 1 : at + 2], places[max(0, at - 1) : at]
        mailings = newest_by_language(tx.mailings.of_issue(issue.public_id))
        language = _choose_language(request, issue, mailings)
        # The issues beside it are asked for in the same language, also in one without our words.
        query = page.query or (
            f"?lang={language}" if request.query_params.get("lang") == language else ""
        )
        beside = {
            name: _neighbour(context, newsletter, load_issue(tx, found[0]), query)
            if found
            else None
            for name, found in (("older", older), ("newer", newer))
        }
        corrected = tx.links.corrections(issue.public_id)
        changed_at = settings_changed_at(tx)
    zone = newsletter.zone_in(settings.publication)
    corrections = [
        Correction(at.astimezone(zone).date(), sentence)
        for at, sentence in tell_corrections(issue, corrected, page.tag)
    ]
    html = _frame(
        context, settings, newsletter, place, issue, mailings, language, page, beside, corrections
    )
    headers = indexing_headers(newsletter, hidden=is_catch_up)
    response = mail_response(html, framed=False, headers=headers)
    appeared = [one.published_at for one in newer]
    return answer_if_changed(
        request, response, _latest(context, place.changed_at, changed_at, *appeared)
    )


def newest_by_language(mailings: Sequence[Mailing]) -> dict[str, Mailing]:
    """An issue's full renderings, the last revision of each language."""
    return {
        one.language: one
        for one in mailings
        if one.kind is MailingKind.ISSUE and one.variant.is_full
    }


def _choose_language(request: Request, issue: Issue, mailings: Mapping[str, Mailing]) -> str:
    """The language that was asked for where there is a rendering in it, else the issue's own."""
    asked = request.query_params.get("lang", "")
    for language in (asked, issue.language):
        if language in mailings:
            return language
    return next(reversed(list(mailings)))


def _neighbour(context: WebContext, newsletter: Newsletter, issue: Issue, query: str) -> Neighbour:
    url = f"{context.base_path}/archive/{newsletter.slug}/{issue.slot}{query}"
    return Neighbour(url, issue.date, issue.subject, issue.language)


def _frame(
    context: WebContext,
    settings: Settings,
    newsletter: Newsletter,
    place: ArchivePlace,
    issue: Issue,
    mailings: Mapping[str, Mailing],
    language: str,
    page: PageLanguage,
    beside: Mapping[str, Neighbour | None],
    corrections: Sequence[Correction],
) -> str:
    """The rendering in ``language`` between what leads to the other issues, in ``page``'s."""
    mailing = mailings[language]
    url = f"{archive_url(context, newsletter)}{issue.slot}"
    urls = {one: url if one == issue.language else f"{url}?lang={one}" for one in mailings}
    return frame_mail(
        strip_personal(mailing.html),
        context.templates,
        publication=settings.publication,
        design=design_of(settings.publication),
        newsletter=newsletter,
        base_path=context.base_path,
        language=page.tag,
        picked=page.query,
        issue=issue,
        title=mailing.subject,
        description=describe_issue(issue),
        picture=share_picture(issue, context.base_url),
        published_at=place.published_at,
        changed_at=place.changed_at,
        url=urls[language],
        urls=urls,
        spoken=language,
        # In its own words as well: `?lang=` picks the words around the issue, too.
        languages=[(one, language_name(one)) for one in urls],
        archive_url=archive_url(context, newsletter),
        noindex=newsletter.archive_noindex or issue.edition is Edition.CATCH_UP,
        corrections=corrections,
        **beside,
    )
