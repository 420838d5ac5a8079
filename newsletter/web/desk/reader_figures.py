"""Readers at a glance: by state, week and placement, and why they left."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from newsletter.publication.model import Newsletter
from newsletter.subscribers.figures import ListFigures, ReaderFigures
from newsletter.web.desk.growth_chart import ListGrowth, growth_of
from newsletter.web.desk.reader_words import (
    LEAVE_REASONS,
    LEFT_BY,
    STATES,
    SUPPRESSION_REASONS,
    name_in,
    name_placement,
)
from newsletter.web.desk.visit import Visit
from newsletter.words import Words, gettext_noop
from newsletter.workflows.reader_figures import WEEKS, count_anew, read_figures

SAID: Mapping[str, str] = {"counted": gettext_noop("Counted anew.")}


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
    suppressed = figures.suppressed if figures else {}
    return visit.page(
        "readers",
        said=SAID,
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


def take_count(visit: Visit) -> Response:
    """Count long lists anew, now."""
    count_anew(visit.context.database, visit.settings, visit.context.clock.now())
    return visit.go("/readers", done="counted")


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
