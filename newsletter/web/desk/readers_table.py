"""The desk's pages about readers, with the act that each needs."""

from newsletter.publication.editors import Act
from newsletter.web.desk.reader_figures import show_readers, take_count
from newsletter.web.desk.routes import DeskRoute, show, take
from newsletter.web.desk.sign_up_forms import show_sign_up_forms, show_sign_up_look
from newsletter.words import gettext_noop


def readers_routes() -> tuple[DeskRoute, ...]:
    """Figures for all; whatever shows or changes a reader for who may do that."""
    return (
        show("/readers", show_readers, needs=Act.LOOK, nav=gettext_noop("Readers")),
        take("/readers/count", take_count, needs=Act.READERS),
        show("/readers/sign-up", show_sign_up_forms, needs=Act.LOOK),
        show("/readers/sign-up/{newsletter}/{placement}/{way}", show_sign_up_look, needs=Act.LOOK),
    )
