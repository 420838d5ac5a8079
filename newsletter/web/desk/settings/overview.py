"""The first page of the settings, and those of the whole paper that are a form and no more."""

from starlette.responses import Response

from newsletter.errors import NotFound
from newsletter.web.desk.history import tell_actor
from newsletter.web.desk.places import tell_moment
from newsletter.web.desk.settings.page import (
    SAID,
    again,
    go_on,
    latest_base,
    save,
    show_form,
    take_edits,
)
from newsletter.web.desk.settings.places import BRAND, Place, settings_target, visible_places
from newsletter.web.desk.visit import Visit
from newsletter.web.rhythm import describe_rhythm
from newsletter.workflows.change_settings import Changed


def show_settings(visit: Visit) -> Response:
    """What there is to set, and who changed it last."""
    words, settings = visit.words, visit.settings
    with visit.context.database.read() as tx:
        version = tx.settings.latest()
        names = tx.editors.names()
        failing = [
            *(slug for slug, state in tx.sources.states().items() if state.is_failing),
            *(slug for slug, state in tx.reads.states().items() if state.is_failing),
        ]
    return visit.page(
        "settings/overview",
        said=SAID,
        places=[
            (one.name, words.gettext(one.title), words.gettext(one.about))
            for one in visible_places()
        ],
        newsletters=[
            (one.slug, one.name, describe_rhythm(one.send_moment, words))
            for one in settings.newsletter
        ],
        polled=[*(one.slug for one in settings.source), *(one.slug for one in settings.reads)],
        failing=failing,
        relays=[relay.slug for relay in visit.context.relays],
        fixed_file=visit.context.fixed.file,
        version=version,
        by=tell_actor(words, version.actor, names) if version else "",
        at=tell_moment(visit, version.at) if version else "",
    )


def show_place(visit: Visit) -> Response:
    """A page of the whole settings."""
    place = _place(visit)
    return show_form(visit, "form", place, settings_target(place), latest_base(visit))


def take_place(visit: Visit) -> Response:
    """Save it, or say what can't be."""
    place = _place(visit)
    target = settings_target(place)
    base, sent = take_edits(visit, target)
    outcome = save(visit, base, sent)
    if isinstance(outcome, Changed):
        return go_on(visit, f"/settings/{place.name}", outcome)
    base, status = again(outcome, base)
    return show_form(visit, "form", place, target, base, sent=sent, outcome=outcome, status=status)


def _place(visit: Visit) -> Place:
    wanted = visit.param("place")
    for place in visible_places():
        if place.name == wanted and place is not BRAND:
            return place
    raise NotFound(f'the settings have no page "{wanted}"', subject=wanted)
