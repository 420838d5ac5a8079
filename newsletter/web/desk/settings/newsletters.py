"""The newsletters: added, set up, their parts; and the slots that come next."""

from dataclasses import replace
from typing import Any

from starlette.responses import Response

from newsletter.errors import Conflict, NotFound
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.storage.issue_lines import UNDER_WAY
from newsletter.web.context import newsletter_called
from newsletter.web.desk.settings.coming import coming_lines, unknown_holidays
from newsletter.web.desk.settings.entries import (
    Array,
    show_entries,
    show_entry,
    take_entry,
    take_new_entry,
    take_order,
    take_removal,
)
from newsletter.web.desk.settings.labels import table_label
from newsletter.web.desk.settings.page import (
    Base,
    again,
    go_on,
    latest_base,
    save,
    show_form,
    take_edits,
    try_out,
)
from newsletter.web.desk.settings.places import (
    NEW_NEWSLETTER,
    NEWSLETTER,
    NEWSLETTER_PLACES,
    SCHEDULE,
    Place,
    newsletter_parts,
    newsletter_target,
)
from newsletter.web.desk.visit import Visit
from newsletter.words import gettext_noop
from newsletter.workflows.change_settings import Changed
from newsletter.workflows.schedule_issue import skip_slot, take_in_slot

_PAGE = "/settings/newsletters"
# What a new newsletter begins with; it needs one part at least.
_FIRST_PARTS = (
    ("most-read", "most_read", gettext_noop("Most read stories of the month")),
    ("latest", "latest", gettext_noop("Latest articles of the week")),
)


def show_newsletters(visit: Visit) -> Response:
    """All of them."""
    return show_entries(visit, _newsletters(visit), latest_base(visit))


def show_new_newsletter(visit: Visit) -> Response:
    """The form for another one."""
    return show_entry(visit, _newsletters(visit), "_new")


def take_new_newsletter(visit: Visit) -> Response:
    """Add it, with two sections."""
    return take_new_entry(visit, _newsletters(visit))


def take_newsletter_order(visit: Visit) -> Response:
    """Their order on the paper's pages."""
    return take_order(visit, _newsletters(visit))


def take_newsletter_removal(visit: Visit) -> Response:
    """Take one out: its readers and issues stay, for when it comes back.

    Conflict while an issue of it is under way, which nobody could pause or look at then.
    """
    slug = visit.param("newsletter")
    with visit.context.database.read() as tx:
        mine = [issue for issue in tx.issues.in_states(UNDER_WAY) if issue.newsletter == slug]
    if mine:
        raise Conflict(
            f"issue {mine[0].slot} of {slug} is {mine[0].state}: let it end, or cancel it first",
            subject=slug,
        )
    return take_removal(visit, _newsletters(visit), slug)


def show_newsletter(visit: Visit) -> Response:
    """One of a newsletter's forms."""
    return _show(visit, _place(visit), latest_base(visit))


def take_newsletter(visit: Visit) -> Response:
    """Save it."""
    place, slug = _place(visit), visit.param("newsletter")
    target = newsletter_target(place, slug)
    base, sent = take_edits(visit, target)
    outcome = save(visit, base, sent)
    if isinstance(outcome, Changed):
        return go_on(visit, _address(place, slug), outcome)
    base, status = again(outcome, base)
    return _show(visit, place, base, sent=sent, outcome=outcome, status=status)


def try_schedule(visit: Visit) -> Response:
    """The dates that come of a time that is not saved."""
    slug = visit.param("newsletter")
    base, sent = take_edits(visit, newsletter_target(SCHEDULE, slug))
    checked = try_out(visit, base, sent)
    if not isinstance(checked, Settings):
        return _show(visit, SCHEDULE, base, sent=sent, outcome=checked, status=422)
    return _show(visit, SCHEDULE, base, sent=sent, tried=newsletter_called(checked, slug))


def take_skip(visit: Visit) -> Response:
    """Let a slot not come, or come again."""
    slug = visit.param("newsletter")
    newsletter_called(visit.settings, slug)
    do = take_in_slot if visit.field("again") else skip_slot
    do(visit.context, slug, visit.field("slot"), actor=visit.actor)
    return visit.go(f"{_PAGE}/{slug}/schedule", done="comes" if visit.field("again") else "skipped")


def show_parts(visit: Visit) -> Response:
    """The sections of a newsletter, or another of its arrays."""
    base = latest_base(visit)
    array = _part(visit, base)
    return show_entries(visit, array, base, **_tabs(visit, base, visit.param("part")))


def take_part_order(visit: Visit) -> Response:
    """Put them in order."""
    base = latest_base(visit)
    return take_order(visit, _part(visit, base), **_tabs(visit, base, visit.param("part")))


def show_part(visit: Visit) -> Response:
    """One part's form, or that of a new one."""
    base = latest_base(visit)
    return show_entry(
        visit, _part(visit, base), visit.param("entry"), **_tabs(visit, base, visit.param("part"))
    )


def take_part(visit: Visit) -> Response:
    """Save or add it."""
    base = latest_base(visit)
    return take_entry(
        visit, _part(visit, base), visit.param("entry"), **_tabs(visit, base, visit.param("part"))
    )


def take_part_removal(visit: Visit) -> Response:
    """Take it out."""
    base = latest_base(visit)
    tabs = _tabs(visit, base, visit.param("part"))
    return take_removal(visit, _part(visit, base), visit.param("entry"), **tabs)


def _show(
    visit: Visit,
    place: Place,
    base: Base,
    *,
    tried: Newsletter | None = None,
    **values: Any,
) -> Response:
    slug = visit.param("newsletter")
    newsletter = newsletter_called(base.settings, slug)
    if place is SCHEDULE:
        values["coming"] = coming_lines(visit, base.settings, tried or newsletter)
        values["tried"] = tried is not None
        values["unknown"] = unknown_holidays(base.settings)
    return show_form(
        visit,
        "schedule" if place is SCHEDULE else "form",
        place,
        newsletter_target(place, slug),
        base,
        removable=place is NEWSLETTER and not visit.context.fixed.where(("newsletter", slug)),
        page=f"{_PAGE}/{slug}",
        **_tabs(visit, base, place.name),
        **values,
    )


def _tabs(visit: Visit, base: Base, here: str) -> dict[str, Any]:
    """The pages of a newsletter, to go from one to the other."""
    slug = visit.param("newsletter")
    newsletter = newsletter_called(base.settings, slug)
    tabs = [
        (_address(place, slug), visit.words.gettext(place.title), place.name == here)
        for place in NEWSLETTER_PLACES
    ]
    tabs += [
        (
            f"{_PAGE}/{slug}/parts/{name}",
            table_label(visit.words, tuple(name.split("."))),
            name == here,
        )
        for name in newsletter_parts()
    ]
    back = table_label(visit.words, ("newsletter",))
    return {"tabs": tabs, "over": newsletter.name, "back": _PAGE, "back_name": back}


def _address(place: Place, slug: str) -> str:
    return f"{_PAGE}/{slug}" if place is NEWSLETTER else f"{_PAGE}/{slug}/{place.name}"


def _place(visit: Visit) -> Place:
    wanted = visit.request.path_params.get("place", NEWSLETTER.name)
    for place in NEWSLETTER_PLACES:
        if place.name == wanted:
            return place
    raise NotFound(f'a newsletter has no page "{wanted}"', subject=str(wanted))


def _newsletters(visit: Visit) -> Array:
    sections = [
        {"slug": slug, "kind": kind, "title": visit.words.gettext(title)}
        for slug, kind, title in _FIRST_PARTS
    ]
    array = Array.of(("newsletter",), Newsletter, _PAGE)
    return replace(array, new=NEW_NEWSLETTER, beside={"section": sections})


def _part(visit: Visit, base: Base) -> Array:
    """The array that the address names; NotFound."""
    slug, name = visit.param("newsletter"), visit.param("part")
    newsletter_called(base.settings, slug)
    model = newsletter_parts().get(name)
    if model is None:
        raise NotFound(f'a newsletter has no "{name}"', subject=name)
    path = ("newsletter", slug, *name.split("."))
    return Array.of(path, model, f"{_PAGE}/{slug}/parts/{name}")
