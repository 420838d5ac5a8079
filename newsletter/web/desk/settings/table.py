"""The pages of the settings, all of them for who may change settings."""

from newsletter.publication.editors import Act
from newsletter.web.desk.routes import DeskRoute, show, take
from newsletter.web.desk.settings.brand import (
    show_brand_form,
    show_brand_preview,
    take_brand,
    try_brand,
)
from newsletter.web.desk.settings.newsletters import (
    show_new_newsletter,
    show_newsletter,
    show_newsletters,
    show_part,
    show_parts,
    take_new_newsletter,
    take_newsletter,
    take_newsletter_order,
    take_newsletter_removal,
    take_part,
    take_part_order,
    take_part_removal,
    take_skip,
    try_schedule,
)
from newsletter.web.desk.settings.overview import show_place, show_settings, take_place
from newsletter.web.desk.settings.polled import (
    show_polled,
    show_polled_one,
    show_relays,
    take_look,
    take_pause,
    take_polled_one,
    take_polled_removal,
)
from newsletter.web.desk.settings.versions import show_versions, take_restore, take_undo
from newsletter.words import gettext_noop

_ACT = Act.SETTINGS
_ONE = "/settings/newsletters/{newsletter}"
_PARTS = f"{_ONE}/parts/{{part}}"
_POLLED = "/settings/sources/{array}/{entry}"


def settings_table() -> tuple[DeskRoute, ...]:
    """Their routes, in the order in which paths are tried."""
    return (
        show("/settings", show_settings, needs=_ACT, nav=gettext_noop("Settings")),
        show("/settings/brand", show_brand_form, needs=_ACT),
        take("/settings/brand", take_brand, needs=_ACT),
        take("/settings/brand/try", try_brand, needs=_ACT),
        show("/settings/brand/preview/{view}", show_brand_preview, needs=_ACT),
        show("/settings/history", show_versions, needs=_ACT),
        take("/settings/history/{version}/undo", take_undo, needs=_ACT),
        take("/settings/history/{version}/restore", take_restore, needs=_ACT),
        show("/settings/newsletters", show_newsletters, needs=_ACT),
        take("/settings/newsletters/_order", take_newsletter_order, needs=_ACT),
        show("/settings/newsletters/_new", show_new_newsletter, needs=_ACT),
        take("/settings/newsletters/_new", take_new_newsletter, needs=_ACT),
        show(_ONE, show_newsletter, needs=_ACT),
        take(_ONE, take_newsletter, needs=_ACT),
        take(f"{_ONE}/remove", take_newsletter_removal, needs=_ACT),
        take(f"{_ONE}/schedule/try", try_schedule, needs=_ACT),
        take(f"{_ONE}/skip", take_skip, needs=_ACT),
        show(f"{_ONE}/{{place}}", show_newsletter, needs=_ACT),
        take(f"{_ONE}/{{place}}", take_newsletter, needs=_ACT),
        show(_PARTS, show_parts, needs=_ACT),
        take(f"{_PARTS}/_order", take_part_order, needs=_ACT),
        show(f"{_PARTS}/{{entry}}", show_part, needs=_ACT),
        take(f"{_PARTS}/{{entry}}", take_part, needs=_ACT),
        take(f"{_PARTS}/{{entry}}/remove", take_part_removal, needs=_ACT),
        show("/settings/sources", show_polled, needs=_ACT),
        show(_POLLED, show_polled_one, needs=_ACT),
        take(_POLLED, take_polled_one, needs=_ACT),
        take(f"{_POLLED}/remove", take_polled_removal, needs=_ACT),
        take(f"{_POLLED}/pause", take_pause, needs=_ACT),
        take(f"{_POLLED}/look", take_look, needs=_ACT),
        show("/settings/relays", show_relays, needs=_ACT),
        show("/settings/{place}", show_place, needs=_ACT),
        take("/settings/{place}", take_place, needs=_ACT),
    )
