"""Where things are at the desk, and how its pages tell a time."""

from datetime import datetime
from zoneinfo import ZoneInfo

from newsletter.publication.model import Newsletter
from newsletter.rendering.filters import format_weekday
from newsletter.tokens import Purpose
from newsletter.web.desk.visit import Visit
from newsletter.words import name_day


def issue_address(visit: Visit, issue_id: str) -> str:
    """Where an issue is looked at."""
    token = visit.context.keyring.sign(Purpose.PREVIEW, issue_id)
    return f"{visit.root}/preview/{token}"


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


def city_of(zone: ZoneInfo) -> str:
    """The city that a zone is named by: ``Los Angeles``."""
    return zone.key.rpartition("/")[2].replace("_", " ")
