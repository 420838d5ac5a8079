"""The dates on which a newsletter comes next, with what is odd about them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from newsletter.issues.model import IssueState
from newsletter.publication.holidays import holiday_names, is_known
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.slots import Slot, coming_slots
from newsletter.web.desk.places import tell_moment
from newsletter.web.desk.visit import Visit
from newsletter.words import Words

COMING = 8


@dataclass(frozen=True)
class ComingLine:
    """A slot to come. ``marks`` are sentences; ``drafted`` where there is an issue already."""

    slot: str
    send_at: str
    draft_at: str
    marks: tuple[str, ...]
    skipped: bool
    drafted: bool


def coming_lines(visit: Visit, settings: Settings, newsletter: Newsletter) -> list[ComingLine]:
    """The next eight, told in the newsletter's own zone."""
    zone = newsletter.zone_in(settings.publication)
    now = visit.context.clock.now()
    slots = coming_slots(newsletter, zone, now, COMING)
    with visit.context.database.read() as tx:
        skipped = tx.skipped_slots.of(newsletter.slug)
        issues = {slot.key: tx.issues.get(newsletter.slug, slot.key) for slot in slots}
    lines = []
    before = now
    for slot in slots:
        issue = issues[slot.key]
        marks = (
            *_clock_marks(visit.words, newsletter, slot, before, zone),
            *_holiday_marks(visit, settings, slot),
        )
        lines.append(
            ComingLine(
                slot=slot.key,
                send_at=tell_moment(visit, slot.send_at, newsletter),
                draft_at=tell_moment(visit, slot.draft_at, newsletter),
                marks=marks,
                skipped=slot.key in skipped,
                drafted=issue is not None and issue.state is not IssueState.CANCELLED,
            )
        )
        before = slot.send_at
    return lines


def unknown_holidays(settings: Settings) -> list[str]:
    """Codes among the paper's that have no list of holidays."""
    return [code for code in settings.publication.holidays if not is_known(code)]


def _clock_marks(
    words: Words, newsletter: Newsletter, slot: Slot, before: datetime, zone: ZoneInfo
) -> list[str]:
    """Whether the clocks changed since the slot before, and whether its hour is a real one."""
    marks = []
    old, new = (moment.astimezone(zone).utcoffset() for moment in (before, slot.send_at))
    if old is not None and new is not None and old != new:
        hours = f"{abs((new - old) / timedelta(hours=1)):g}"
        if new > old:
            marks.append(words.gettext("the clocks have gone forward by %(hours)s h", hours=hours))
        else:
            marks.append(words.gettext("the clocks have gone back by %(hours)s h", hours=hours))
    wanted = newsletter.send_moment.at
    local = slot.send_at.astimezone(zone)
    if (local.hour, local.minute) != (wanted.hour, wanted.minute):
        marks.append(
            words.gettext(
                "the clocks skip %(wanted)s that day: it goes out at %(time)s",
                wanted=f"{wanted:%H:%M}",
                time=f"{local:%H:%M}",
            )
        )
    later = (slot.send_at + timedelta(hours=1)).astimezone(zone)
    if (later.hour, later.minute) == (local.hour, local.minute):
        marks.append(
            words.gettext(
                "the clocks show %(time)s twice that day: it goes out the first time",
                time=f"{local:%H:%M}",
            )
        )
    return marks


def _holiday_marks(visit: Visit, settings: Settings, slot: Slot) -> tuple[str, ...]:
    return holiday_names(settings.publication.holidays, slot.date, visit.language.tag)
