"""Every page of the desk, with the act that it needs: the one place where they are named."""

from newsletter.publication.editors import Act
from newsletter.web.desk.background import Background
from newsletter.web.desk.editors import (
    show_editors_page,
    take_editor,
    take_editor_sign_out,
    take_removal,
    take_role,
)
from newsletter.web.desk.history import show_history
from newsletter.web.desk.home import show_home
from newsletter.web.desk.issue_table import issue_routes
from newsletter.web.desk.me import (
    show_my_page,
    take_me,
    take_own_sign_out,
    take_session_end,
)
from newsletter.web.desk.readers_table import readers_routes
from newsletter.web.desk.routes import DeskRoute, show, take
from newsletter.web.desk.send_table import send_routes
from newsletter.web.desk.settings.table import settings_table
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
    background = Background()
    return (
        show("/", show_home, needs=Act.LOOK, nav=gettext_noop("This week")),
        *issue_routes(background),
        *send_routes(background),
        *readers_routes(background),
        show("/sign-in", show_sign_in, needs=Act.SIGN_IN),
        take("/sign-in", take_sign_in(PostLimit(ASKED_A_MINUTE)), needs=Act.SIGN_IN, steady=True),
        show("/sign-in/sent", show_sent, needs=Act.SIGN_IN),
        show("/sign-in/{token}", show_link, needs=Act.SIGN_IN),
        take("/sign-in/{token}", take_sign_in_link, needs=Act.SIGN_IN),
        take("/sign-out", take_sign_out, needs=Act.OWN),
        show("/history", show_history, needs=Act.HISTORY, nav=gettext_noop("History")),
        *settings_table(),
        show("/editors", show_editors_page, needs=Act.EDITORS, nav=gettext_noop("Editors")),
        take("/editors", take_editor, needs=Act.EDITORS),
        take("/editors/{editor}/role", take_role, needs=Act.EDITORS),
        take("/editors/{editor}/sign-out", take_editor_sign_out, needs=Act.EDITORS),
        take("/editors/{editor}/remove", take_removal, needs=Act.EDITORS),
        show("/me", show_my_page, needs=Act.OWN),
        take("/me", take_me, needs=Act.OWN),
        take("/me/sign-out", take_own_sign_out, needs=Act.OWN),
        take("/me/sessions/{session}/end", take_session_end, needs=Act.OWN),
    )
