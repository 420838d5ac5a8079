"""Where things are at the desk, and how its pages tell a time."""

from datetime import datetime
from zoneinfo import ZoneInfo

from newsletter.delivery.model import Hold
from newsletter.errors import NotFound
from newsletter.issues.model import Issue
from newsletter.publication.editions import in_edition
from newsletter.publication.newsletters import Newsletter
from newsletter.rendering.filters import format_weekday
from newsletter.storage.transaction import Transaction
from newsletter.web.desk.visit import Visit
from newsletter.web.desk.waiting import HeldUp
from newsletter.words import name_day
from newsletter.workflows.former_newsletter import former_newsletter
from newsletter.workflows.installation import newsletter_of as issues_newsletter


def issue_address(visit: Visit, issue_id: str) -> str:
    """Where an issue is looked at and changed."""
    return f"{visit.root}/issues/{issue_id}"


def asked_issue(visit: Visit, tx: Transaction) -> Issue:
    """The issue whose public id stands in the path; NotFound."""
    issue = tx.issues.by_id(visit.param("issue"))
    if issue is None:
        raise NotFound("there is no such issue, or not any more", subject="issue")
    return issue


def newsletter_of(visit: Visit, issue: Issue) -> Newsletter:
    """The newsletter of an issue, in its edition: as it last was where it is removed; NotFound
    where nothing is known of it."""
    if is_removed(visit, issue):
        with visit.context.database.read() as tx:
            former = former_newsletter(tx, issue.newsletter)
        if former is not None:
            return in_edition(former, issue.edition, visit.settings.publication, issue.slot)
    return issues_newsletter(visit.settings, issue)


def is_removed(visit: Visit, issue: Issue) -> bool:
    """Whether the settings have the newsletter of an issue no more: it can only be read then."""
    return visit.settings.newsletter_called(issue.newsletter) is None


def tell_moment(visit: Visit, instant: datetime, newsletter: Newsletter | None = None) -> str:
    """``Friday, August 8, 07:00 Los Angeles``, where the newsletter, else the paper, is made.

    A day of another year is told with its year.
    """
    publication = visit.settings.publication
    zone = newsletter.zone_in(publication) if newsletter else publication.zone
    local, language = instant.astimezone(zone), visit.language.tag
    this_year = local.year == visit.context.clock.now().astimezone(zone).year
    day = format_weekday(local, language) if this_year else name_day(local.date(), language)
    return f"{day}, {local:%H:%M} {city_of(zone)}"


def hold_of(visit: Visit, hold: Hold | None, newsletter: Newsletter | None) -> HeldUp | None:
    """Why an issue on its way can't go on, as pages tell it."""
    return HeldUp(tell_moment(visit, hold.until, newsletter), hold.because) if hold else None


def city_of(zone: ZoneInfo) -> str:
    """The city that a zone is named by: ``Los Angeles``."""
    return zone.key.rpartition("/")[2].replace("_", " ")
