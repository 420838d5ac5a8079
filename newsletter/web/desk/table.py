"""Every page of the desk, with the act that it needs: the one place where they are named."""

from newsletter.publication.editors import Act
from newsletter.web.desk.home import show_home
from newsletter.web.desk.routes import DeskRoute, show, take
from newsletter.web.desk.sign_in import (
    ASKED_A_MINUTE,
    show_link,
    show_sent,
    show_sign_in,
    take_sign_in,
    take_sign_in_link,
    take_sign_out,
)
from newsletter.web.limits import PostLimit
from newsletter.words import gettext_noop


def desk_table() -> tuple[DeskRoute, ...]:
    """The desk's routes, in the order in which paths are tried and the navigation stands."""
    return (
        show("/", show_home, needs=Act.LOOK, nav=gettext_noop("This week")),
        show("/sign-in", show_sign_in, needs=Act.SIGN_IN),
        take("/sign-in", take_sign_in(PostLimit(ASKED_A_MINUTE)), needs=Act.SIGN_IN, steady=True),
        show("/sign-in/sent", show_sent, needs=Act.SIGN_IN),
        show("/sign-in/{token}", show_link, needs=Act.SIGN_IN),
        take("/sign-in/{token}", take_sign_in_link, needs=Act.SIGN_IN),
        take("/sign-out", take_sign_out, needs=Act.OWN),
    )
