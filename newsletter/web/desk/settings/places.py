"""Which settings stand on which page, in which groups. What no group names is on the last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.settings_document import Path
from newsletter.publication.settings_keys import Key, arrays_of, keys_of
from newsletter.words import gettext_noop


@dataclass(frozen=True)
class Group:
    """Keys under a heading. ``names`` are dotted keys, or tables of which all keys are meant.

    An empty ``names`` are those that no other group names, on whatever page.
    """

    title: str
    names: tuple[str, ...] = ()

    def holds(self, key: Key) -> bool:
        dotted = ".".join(key.path)
        return any(dotted == name or dotted.startswith(f"{name}.") for name in self.names)


@dataclass(frozen=True)
class Place:
    """A page with a form: its name in addresses, a title, a sentence, its groups."""

    name: str
    title: str
    about: str
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Target:
    """What one form changes: a table of the settings, at ``root``, and which of its keys."""

    root: Path
    model: type[BaseModel]
    groups: tuple[Group, ...]
    others: tuple[Group, ...] = ()

    def grouped(self) -> list[tuple[Group, tuple[Key, ...]]]:
        """The groups with their keys, each key in the first that holds it; empty ones left out.

        A key shown twice would be two fields of one name, of which a form that is sent
        counts the last alone.
        """
        keys = list(keys_of(self.model))
        named = (*self.groups, *self.others)
        rest = [key for key in keys if not any(group.holds(key) for group in named)]
        found = []
        for group in self.groups:
            inner = tuple(key for key in keys if group.holds(key)) if group.names else tuple(rest)
            keys = [key for key in keys if key not in inner]
            if inner:
                found.append((group, inner))
        return found

    @property
    def keys(self) -> tuple[Key, ...]:
        return tuple(key for _, keys in self.grouped() for key in keys)


MORE = Group(gettext_noop("More"))
_ALL = Group(gettext_noop("Settings"))

PUBLICATION = Place(
    "publication",
    gettext_noop("Publication"),
    gettext_noop("The paper itself: its name, its zone and language, and who is told."),
    (
        Group(
            gettext_noop("The paper"),
            (
                *("publication.name", "publication.short_name", "publication.url"),
                *("publication.timezone", "publication.language", "publication.postal_address"),
                "publication.holidays",
            ),
        ),
        Group(
            gettext_noop("Where readers find it, and pass it on"),
            ("publication.social", "publication.share"),
        ),
        Group(gettext_noop("Who is told"), ("publication.editors",)),
    ),
)
BRAND = Place(
    "brand",
    gettext_noop("Brand"),
    gettext_noop(
        "How mails and pages look. Beside it stands what comes of it, before it is saved."
    ),
    (
        Group(gettext_noop("Logo"), ("publication.logo",)),
        Group(gettext_noop("Colours"), ("publication.colours",)),
        Group(gettext_noop("Fonts"), ("publication.fonts",)),
    ),
)
PLACES: Sequence[Place] = (
    PUBLICATION,
    BRAND,
    Place(
        "delivery",
        gettext_noop("Delivery"),
        gettext_noop("How hard and how fast mail is sent, and where it comes back to."),
        (
            Group(gettext_noop("Sending"), ("delivery",)),
            Group(gettext_noop("What comes back"), ("bounces", "inbox")),
            Group(gettext_noop("Pictures and checks"), ("pictures", "checks")),
        ),
    ),
    Place(
        "tracking",
        gettext_noop("Tracking"),
        gettext_noop("What is known of readers’ clicks, and how our own visits are told apart."),
        (Group(gettext_noop("Clicks and visits"), ("tracking",)),),
    ),
    Place(
        "sign-up",
        gettext_noop("Sign-up"),
        gettext_noop("What the door for new readers asks, and what shields it from floods."),
        (
            Group(
                gettext_noop("At the door"),
                ("sign_up.check_domains", "sign_up.role_accounts", "sign_up.sites"),
            ),
            Group(gettext_noop("Against floods"), ("sign_up",)),
        ),
    ),
    Place(
        "more",
        gettext_noop("More"),
        gettext_noop("Settings that have no page of their own yet."),
        (MORE,),
    ),
)

NEWSLETTER = Place(
    "newsletter",
    gettext_noop("Settings"),
    gettext_noop("What it is called, what it holds, and who gets it."),
    (
        Group(
            gettext_noop("Name and sender"),
            ("slug", "name", "from", "reply_to", "signature"),
        ),
        Group(
            gettext_noop("What readers see"),
            ("subject", "subjects", "title", "titles", "consent"),
        ),
        Group(gettext_noop("Languages"), ("language", "languages", "max_variants")),
        Group(gettext_noop("Stories"), ("sources", "departments", "ranking")),
        Group(
            gettext_noop("Who approves it"),
            ("approval", "unapproved", "reminders", "test_addresses", "changed_headline"),
        ),
        Group(
            gettext_noop("Who gets it"),
            ("segment", "welcome_issue", "archive_noindex"),
        ),
        Group(gettext_noop("After a pause"), ("catch_up",)),
        MORE,
    ),
)
SCHEDULE = Place(
    "schedule",
    gettext_noop("Schedule"),
    gettext_noop("When it is drafted and when it goes out."),
    (
        Group(gettext_noop("Its time"), ("timezone", "draft_at", "send_at", "max_lateness")),
        Group(gettext_noop("The best of the month"), ("monthly",)),
    ),
)
WAVES = Place(
    "waves",
    gettext_noop("Waves"),
    gettext_noop("Who is served first, and how long the others wait."),
    (Group(gettext_noop("One after the other"), ("waves",)),),
)
NEWSLETTER_PLACES = (NEWSLETTER, SCHEDULE, WAVES)
# A new newsletter needs no more; the rest has defaults.
NEW_NEWSLETTER = Place(
    "new",
    gettext_noop("Add a newsletter"),
    gettext_noop("Readers can sign up as soon as it is added; all else can be changed later."),
    (
        Group(gettext_noop("Name and sender"), ("slug", "name", "from", "reply_to")),
        Group(gettext_noop("Its time"), ("timezone", "draft_at", "send_at", "language")),
    ),
)


def settings_target(place: Place) -> Target:
    """What the form of a page of the whole settings changes."""
    others = tuple(group for one in PLACES if one is not place for group in one.groups)
    return Target((), Settings, place.groups, others)


def newsletter_target(place: Place, slug: str) -> Target:
    """What the form of one of a newsletter's pages changes."""
    others = tuple(
        group
        for one in NEWSLETTER_PLACES
        if one is not place
        for group in one.groups
        if group.names
    )
    return Target(("newsletter", slug), Newsletter, place.groups, others)


def entry_target(array: Path, model: type[BaseModel], slug: str) -> Target:
    """What the form of an entry of an array changes: all of it."""
    return Target((*array, slug), model, (_ALL,))


def newsletter_parts() -> Mapping[str, type[BaseModel]]:
    """The arrays within a newsletter by their dotted names, with what an entry is."""
    return {".".join(path): model for path, model in arrays_of(Newsletter).items()}


def visible_places() -> list[Place]:
    """The pages of the whole settings that have a key."""
    return [place for place in PLACES if settings_target(place).keys]
