"""One's own page: name, language, look, and where one is signed in."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from newsletter.errors import UsageError
from newsletter.publication.editors import Theme
from newsletter.web.desk.cookie import clear_cookie
from newsletter.web.desk.places import tell_moment
from newsletter.web.desk.visit import Visit
from newsletter.words import gettext_noop
from newsletter.workflows.editors import describe_editor
from newsletter.workflows.sign_in import sign_out_everywhere

SAID: Mapping[str, str] = {
    "saved": gettext_noop("Saved."),
    "ended": gettext_noop("That browser is signed out."),
}
THEMES: Mapping[Theme, str] = {
    Theme.AUTO: gettext_noop("as my screen"),
    Theme.LIGHT: gettext_noop("light"),
    Theme.DARK: gettext_noop("dark"),
}
# In the order in which they tell themselves apart: most call themselves by others' names too.
_BROWSERS = ("Edg", "OPR", "Firefox", "Chrome", "Safari")
_CALLED = {"Edg": "Edge", "OPR": "Opera"}
_SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Macintosh", "Linux")
_KNOWN_AS = {"Macintosh": "macOS"}


@dataclass(frozen=True)
class Browser:
    """Where one is signed in. ``browser`` and ``system`` are empty where it does not tell."""

    public_id: str
    browser: str
    system: str
    since: str
    seen: str
    this: bool


def show_me(visit: Visit, problem: str = "") -> Response:
    """The page, with ``problem`` beside the name."""
    now = visit.context.clock.now()
    with visit.context.database.read() as tx:
        sessions = [s for s in tx.editors.sessions(visit.actor) if not s.is_over(now)]
    this = visit.session.public_id if visit.session else ""
    return visit.page(
        "me",
        said=SAID,
        status=400 if problem else 200,
        problem=problem,
        name=visit.field("name") if problem else visit.editor.name,
        themes=[(theme.value, visit.words.gettext(name)) for theme, name in THEMES.items()],
        browsers=[
            Browser(
                one.public_id,
                *tell_agent(one.agent),
                tell_moment(visit, one.begun_at),
                tell_moment(visit, one.seen_at),
                one.public_id == this,
            )
            for one in sessions
        ],
    )


def show_my_page(visit: Visit) -> Response:
    """The same, as it is first shown."""
    return show_me(visit)


def take_me(visit: Visit) -> Response:
    """Keep name, language and look."""
    theme = visit.field("theme")
    try:
        describe_editor(
            visit.context.database,
            visit.actor,
            name=visit.field("name"),
            language=visit.field("tongue") or None,
            theme=Theme(theme) if theme in frozenset(Theme) else Theme.AUTO,
            now=visit.context.clock.now(),
        )
    except UsageError as error:
        if error.subject != "name":
            raise
        return show_me(
            visit, visit.words.gettext("The name is too long, or holds what no name has.")
        )
    return visit.go("/me", done="saved")


def take_session_end(visit: Visit) -> Response:
    """Sign one's own other browser out."""
    sign_out_everywhere(
        visit.context.database,
        visit.actor,
        actor=visit.actor,
        now=visit.context.clock.now(),
        only=visit.param("session"),
    )
    return visit.go("/me", done="ended")


def take_own_sign_out(visit: Visit) -> Response:
    """Sign oneself out of every browser, of this one too."""
    sign_out_everywhere(
        visit.context.database,
        visit.actor,
        actor=visit.actor,
        now=visit.context.clock.now(),
    )
    response = visit.go("/sign-in", done="out")
    clear_cookie(visit.context, response)
    return response


def tell_agent(agent: str) -> tuple[str, str]:
    """Browser and system of a User-Agent: ``("Firefox", "Linux")``."""
    browser = next((name for name in _BROWSERS if f"{name}/" in agent), "")
    system = next((name for name in _SYSTEMS if name in agent), "")
    return _CALLED.get(browser, browser), _KNOWN_AS.get(system, system)
