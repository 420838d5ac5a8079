"""Readers at a glance: by state, week and placement, and why they left."""

from dataclasses import dataclass
from functools import partial

from starlette.responses import Response

from newsletter.publication.newsletters import Newsletter
from newsletter.subscribers.figures import ListFigures, ReaderFigures
from newsletter.web.desk.background import Background
from newsletter.web.desk.growth_chart import ListGrowth, growth_of
from newsletter.web.desk.reader_words import (
    LEAVE_REASONS,
    LEFT_BY,
    STATES,
    SUPPRESSION_REASONS,
    name_in,
    name_placement,
)
from newsletter.web.desk.routes import DeskHandler
from newsletter.web.desk.visit import Visit
from newsletter.words import Words, gettext_noop
from newsletter.workflows.reader_figures import WEEKS, count_anew, read_figures

_COUNTING = gettext_noop("The readers are being counted; this page shows it once they are.")
_COUNTED = gettext_noop("Counted anew.")
# So often the page asks whether they are.
_EVERY_SECONDS = 3


@dataclass(frozen=True)
class ListView:
    """One newsletter as the page shows it; ``figures`` None where it was not counted yet."""

    newsletter: Newsletter
    figures: ListFigures | None
    states: list[tuple[str, int]]
    growth: ListGrowth
    places: list[tuple[str, str]]
    told: list[tuple[str, int]]
    how: list[tuple[str, int]]


def show_readers(visit: Visit) -> Response:
    """The figures of all newsletters."""
    now = visit.context.clock.now()
    figures = read_figures(visit.context.database, visit.settings, now)
    # The count that is to be newer than the one that was shown.
    shown = visit.query("shown")
    counting = bool(shown) and shown == _name(figures)
    suppressed = figures.suppressed if figures else {}
    return visit.page(
        "readers",
        said={"counting": _COUNTING if counting else _COUNTED} if shown else {},
        every=_EVERY_SECONDS if counting else 0,
        again=f"{visit.root}/readers?{visit.request.url.query}",
        counted=bool(shown) and not counting,
        figures=figures,
        stale=figures is not None and figures.at != now,
        lists=[_view(visit.words, one, figures) for one in visit.settings.newsletter]
        if figures
        else [],
        suppressed=[
            (visit.words.gettext(SUPPRESSION_REASONS[reason]), count)
            for reason, count in suppressed.items()
        ],
        weeks=WEEKS,
    )


def take_count(background: Background) -> DeskHandler:
    """Count long lists anew, behind the page."""

    def handle(visit: Visit) -> Response:
        database, settings = visit.context.database, visit.settings
        now = visit.context.clock.now()
        shown = _name(read_figures(database, settings, now))
        background.begin("count readers", partial(count_anew, database, settings, now))
        return visit.go("/readers", done="counting", shown=shown)

    return handle


def _name(figures: ReaderFigures | None) -> str:
    """What a count is known by: when it was made."""
    return figures.at.isoformat() if figures else "none"


def _view(words: Words, newsletter: Newsletter, figures: ReaderFigures) -> ListView:
    counted = figures.lists.get(newsletter.slug)
    growth = growth_of(newsletter.slug, figures.growth, figures.since, WEEKS)
    told = counted.told if counted else {}
    return ListView(
        newsletter,
        counted,
        [(words.gettext(STATES[state]), counted.states[state]) for state in STATES]
        if counted
        else [],
        growth,
        [(slug, name_placement(words, slug)) for slug in sorted(growth.places)],
        [(words.gettext(LEAVE_REASONS[reason]), n) for reason, n in told.items() if n],
        [(name_in(words, LEFT_BY, how), n) for how, n in growth.how.most_common()],
    )
