"""Editors: the people at the desk, and what each role may do there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from newsletter.words import gettext_noop

# From one weekly issue to the next, with a day to spare.
IDLE_TIME = timedelta(days=8)
LONGEST_SESSION = timedelta(days=30)
# A sign-in link's life: long enough for slow mail, short enough for a stolen one.
LINK_LASTS = timedelta(minutes=15)
# One that a person at the server was shown, and may have to pass on.
SHOWN_LINK_LASTS = timedelta(hours=24)
MOST_LINKS_AN_HOUR = 5


class Act(StrEnum):
    """What somebody wants to do at the desk. Each of its pages names the one it needs."""

    SIGN_IN = "sign_in"  # to come in, and to go
    OWN = "own"  # one's own name, language and sessions
    LOOK = "look"  # issues, stories, figures
    EDIT = "edit"  # drafts, holds, test sends
    HISTORY = "history"  # who did what
    SEND = "send"  # approve, schedule, send, pause, recall, correct
    READERS = "readers"  # readers' addresses, imports, suppressions
    SETTINGS = "settings"  # newsletters, sources, relays, brand
    EDITORS = "editors"  # who may do what


class Role(StrEnum):
    """What an editor is; each may all that the one before it may."""

    VIEWER = "viewer"
    EDITOR = "editor"
    PUBLISHER = "publisher"
    ADMIN = "admin"


_ANYONE = frozenset({Act.SIGN_IN})
_VIEWER = _ANYONE | {Act.OWN, Act.LOOK}
_EDITOR = _VIEWER | {Act.EDIT, Act.HISTORY}
_PUBLISHER = _EDITOR | {Act.SEND, Act.READERS}
_ADMIN = _PUBLISHER | {Act.SETTINGS, Act.EDITORS}

# None is whoever is not signed in.
MAY: Mapping[Role | None, frozenset[Act]] = {
    None: _ANYONE,
    Role.VIEWER: _VIEWER,
    Role.EDITOR: _EDITOR,
    Role.PUBLISHER: _PUBLISHER,
    Role.ADMIN: _ADMIN,
}

ROLE_NAMES: Mapping[Role, str] = {
    Role.VIEWER: gettext_noop("viewer"),
    Role.EDITOR: gettext_noop("editor"),
    Role.PUBLISHER: gettext_noop("publisher"),
    Role.ADMIN: gettext_noop("admin"),
}


def may(role: Role | None, act: Act) -> bool:
    """Whether that role may do that; None for whoever is not signed in."""
    return act in MAY[role]


class Theme(StrEnum):
    """How an editor wants the desk to look; AUTO is as their screen does."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True)
class Editor:
    """A person at the desk. ``language`` None is the publication's.

    Of one who was removed the name stays, for the log, and the address is empty.
    """

    public_id: str
    address: str
    name: str
    role: Role
    added_at: datetime
    language: str | None = None
    theme: Theme = Theme.AUTO
    removed_at: datetime | None = None

    @property
    def called(self) -> str:
        """The name, or where there is none what stands before the @."""
        return self.name or self.address.partition("@")[0] or self.public_id

    def may(self, act: Act) -> bool:
        """Whether this editor may do that."""
        return self.removed_at is None and may(self.role, act)


@dataclass(frozen=True)
class Session:
    """A browser in which somebody is signed in. ``agent`` is what it calls itself."""

    public_id: str
    editor: Editor
    begun_at: datetime
    seen_at: datetime
    ends_at: datetime
    agent: str = ""

    def is_over(self, now: datetime) -> bool:
        """Whether it ended by its age, by idling, or with its editor."""
        return (
            self.editor.removed_at is not None
            or now >= self.ends_at
            or now >= self.seen_at + IDLE_TIME
        )
