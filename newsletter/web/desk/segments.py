"""Parts of the readers by a filter: counted while it is typed, listed, taken along as CSV."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response, StreamingResponse

from newsletter.errors import SegmentError
from newsletter.publication.model import Settings
from newsletter.subscribers.model import Segment, SegmentCount, Subscription
from newsletter.subscribers.segment_text import print_segment
from newsletter.subscribers.segments import MAX_LENGTH
from newsletter.web.desk.background import Background, Remembered
from newsletter.web.desk.reader_page import NO_CLICKS
from newsletter.web.desk.reader_words import STATES
from newsletter.web.desk.routes import DeskHandler
from newsletter.web.desk.visit import DESK_HEADERS, Visit
from newsletter.words import gettext_noop
from newsletter.workflows.export_subscribers import stream_subscribers
from newsletter.workflows.segments import segment_of

SHOWN = 50
# What was counted is believed for so long.
_COUNTED_FOR = timedelta(minutes=1)
# By the filter; each can be tried out by following it.
EXAMPLES: Mapping[str, str] = {
    "newsletter = weekly and state = active": gettext_noop("active readers of one newsletter"),
    "language = hy": gettext_noop("readers whose language is known to be Armenian"),
    "signed_up >= 30d ago and placement = article": gettext_noop(
        "who signed up within a month, at a story"
    ),
    "state = unsubscribed and signed_up < 2025-01-01": gettext_noop(
        "who came before 2025 and has left"
    ),
    'department in (Arts, "Armenia & Region")': gettext_noop(
        "who narrowed a newsletter to these departments"
    ),
    "attribute.city = Yerevan": gettext_noop("what an imported list said of them"),
}
CLICKS_EXAMPLE = ("clicks(90d) = 0", gettext_noop("who clicked nothing for three months"))
FIELDS: Mapping[str, str] = {
    "newsletter": gettext_noop("its short name in the settings"),
    "state": gettext_noop("pending, active, paused, unsubscribed"),
    "language": gettext_noop("such as hy"),
    "department": gettext_noop("one that the reader chose"),
    "signed_up": gettext_noop("a day such as 2026-01-31, or 90d ago"),
    "cadence": gettext_noop("each issue, or the best of each month: each, monthly"),
    "source": gettext_noop("form, embed, frame, api, import, editor"),
    "placement": gettext_noop("where on the site"),
    "attribute.NAME": gettext_noop("what else a list said of them, text or a number"),
    "clicks(90d)": gettext_noop(
        "how many different stories’ links were clicked within so many days"
    ),
}


@dataclass(frozen=True)
class Asked:
    """What a filter came to. ``before``, ``at``, ``after`` are its text around the place
    where it can't be read. ``waits``: it is being counted."""

    text: str
    count: SegmentCount | None = None
    waits: bool = False
    problem: str = ""
    before: str = ""
    at: str = ""
    after: str = ""


class SegmentCounts:
    """Filters counted behind the pages: on a long list that takes some seconds."""

    def __init__(self, background: Background) -> None:
        self._counts = Remembered[SegmentCount](background, _COUNTED_FOR)
        self._readers = Remembered[list[Subscription]](background, _COUNTED_FOR)

    def of(self, visit: Visit, segment: Segment) -> SegmentCount | None:
        """How many a segment has; None where that is being counted."""
        database = visit.context.database

        def count() -> SegmentCount:
            with database.read() as tx:
                return tx.segments.count(segment)

        return self._counts.of(f"count {print_segment(segment.filter)}", segment.now, count)

    def readers(self, visit: Visit, segment: Segment) -> list[Subscription] | None:
        """Some of them; None where they are being looked for."""
        database = visit.context.database

        def find() -> list[Subscription]:
            with database.read() as tx:
                return tx.subscribers.some(segment, SHOWN)

        return self._readers.of(f"list {print_segment(segment.filter)}", segment.now, find)


def show_segments(counts: SegmentCounts) -> DeskHandler:
    """The field, and of a filter its count and the first readers it names."""

    def handle(visit: Visit) -> Response:
        text = _asked_filter(visit)
        asked = ask(visit, counts, text)
        found: list[Subscription] | None = []
        if asked.count is not None and asked.count.readers:
            found = counts.readers(visit, _segment(visit, text))
        return visit.page(
            "segments",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if asked.problem else HTTPStatus.OK,
            most=MAX_LENGTH,
            found=found,
            all_shown=asked.count is not None
            and found is not None
            and sum(asked.count.subscriptions.values()) == len(found),
            again=f"{visit.root}/readers/segments?{urlencode({'filter': text})}",
            examples=_examples(visit),
            fields=[(name, visit.words.gettext(message)) for name, message in FIELDS.items()],
            no_clicks=_no_clicks(visit),
            **_shown(visit, asked),
        )

    return handle


def show_segment_count(counts: SegmentCounts) -> DeskHandler:
    """Only what the filter came to: fetched while somebody types, and put into the page."""

    def handle(visit: Visit) -> Response:
        asked = ask(visit, counts, _asked_filter(visit))
        return visit.page("segment_count", **_shown(visit, asked))

    return handle


def _asked_filter(visit: Visit) -> str:
    return visit.query("filter")[: MAX_LENGTH + 1].strip()


def take_segment_export(visit: Visit) -> Response:
    """All that a filter names as a CSV that no spreadsheet runs."""
    text = visit.field("filter").strip()
    segment = _segment(visit, text)
    rows = stream_subscribers(
        visit.context.database,
        segment,
        actor=visit.actor,
        filter_text=print_segment(segment.filter),
        now=visit.context.clock.now(),
    )
    return StreamingResponse(
        rows,
        media_type="text/csv; charset=utf-8",
        headers={
            **DESK_HEADERS,
            "Content-Disposition": 'attachment; filename="readers.csv"',
        },
    )


def ask(visit: Visit, counts: SegmentCounts, text: str) -> Asked:
    """Count what a filter names, or tell where it breaks."""
    if not text:
        return Asked("")
    try:
        segment = _segment(visit, text)
    except SegmentError as error:
        place = max(error.place - 1, 0)
        end = place + max(len(text[place:].split(" ")[0]), 1)
        before, at, after = (
            (text[:place], text[place:end], text[end:]) if error.place else ("",) * 3
        )
        told = visit.words.say(error.saying)
        return Asked(text, problem=told, before=before, at=at, after=after)
    counted = counts.of(visit, segment)
    return Asked(text, counted, waits=counted is None)


def _segment(visit: Visit, text: str) -> Segment:
    return segment_of(text, visit.settings, visit.context.clock.now())


def _shown(visit: Visit, asked: Asked) -> dict[str, Any]:
    settings: Settings = visit.settings
    names = {one.slug: one.name for one in settings.newsletter}
    counts = asked.count.subscriptions if asked.count else {}
    return {
        "asked": asked,
        "readers": asked.count.readers if asked.count else None,
        "counts": [
            (names.get(slug, slug), visit.words.gettext(STATES[state]), number)
            for (slug, state), number in counts.items()
        ],
        "states": {state: visit.words.gettext(message) for state, message in STATES.items()},
        "names": names,
    }


def _examples(visit: Visit) -> list[tuple[str, str]]:
    slug = visit.settings.newsletter[0].slug if visit.settings.newsletter else "weekly"
    examples = [
        (text.replace("weekly", slug), visit.words.gettext(message))
        for text, message in EXAMPLES.items()
    ]
    if visit.settings.tracking.clicks == "count":
        text, message = CLICKS_EXAMPLE
        examples.append((text, visit.words.gettext(message)))
    return examples


def _no_clicks(visit: Visit) -> str:
    clicks = visit.settings.tracking.clicks
    return "" if clicks == "count" else visit.words.gettext(NO_CLICKS[clicks])
