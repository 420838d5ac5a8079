"""What the pages are given to work with."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from urllib.parse import urlsplit

from newsletter.clock import Clock
from newsletter.delivery.model import Relay
from newsletter.errors import NotFound
from newsletter.net.mail_domains import WAIT_SECONDS, MailDomains
from newsletter.pictures.store import PictureStore
from newsletter.publication.fixed_keys import FixedKeys
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.rendering.environment import Templates
from newsletter.storage.database import Database
from newsletter.tokens import Keyring
from newsletter.workflows.clone_guard import reason_to_hold
from newsletter.workflows.installation import Installation
from newsletter.workflows.letters import Letters
from newsletter.workflows.reader_uploads import UploadStore


@dataclass(frozen=True)
class WebContext:
    """One installation's parts, as the pages need them.

    ``base_url`` is the root of every absolute link, without a slash at the end.
    ``load_settings`` reads the settings anew, once a request, because another
    process may have changed them. ``trusted_proxies`` are addresses whose
    X-Forwarded-For is believed. ``api_key`` is what programs show to read readers;
    empty, none may. ``hold`` tells why nothing is sent now, if so.
    ``mail_domains`` knows which domains take mail; without it all do. A sign-up is
    answered after ``steady_seconds``, or its time would tell whether it was mailed.
    ``desk`` is where the editors' desk lies, where that is not below ``base_url``;
    ``installation`` is what its acts are done with; ``fixed`` are the settings that
    can't be changed there, and ``relays`` come without their passwords.
    """

    database: Database
    keyring: Keyring
    clock: Clock
    base_url: str
    templates: Templates
    pictures: PictureStore
    load_settings: Callable[[], Settings]
    trusted_proxies: frozenset[str] = frozenset()
    api_key: str = field(default="", repr=False)
    dkim_selectors: tuple[str, ...] = ()
    hold: Callable[[], str] = lambda: ""
    mail_domains: MailDomains | None = None
    steady_seconds: float = 0.1
    desk: str = ""
    installation: Installation | None = field(default=None, repr=False)
    fixed: FixedKeys = field(default_factory=FixedKeys)
    relays: tuple[Relay, ...] = ()

    @classmethod
    def of(cls, installation: Installation) -> "WebContext":
        """What the pages need of an installation."""
        return cls(
            database=installation.database,
            dkim_selectors=installation.dkim_selectors,
            keyring=installation.keyring,
            clock=installation.clock,
            base_url=installation.base_url,
            templates=installation.templates,
            pictures=installation.pictures,
            load_settings=installation.settings,
            trusted_proxies=installation.trusted_proxies,
            api_key=installation.api_key,
            hold=partial(reason_to_hold, installation),
            desk=installation.desk,
            installation=installation,
            fixed=installation.fixed,
            relays=tuple(replace(relay, password="") for relay in installation.relays),
            mail_domains=MailDomains(installation.resolver.within(WAIT_SECONDS)),
        )

    def settings(self) -> Settings:
        """The settings as they stand now."""
        return self.load_settings()

    def letters(self, settings: Settings) -> Letters:
        """What system mails are made with."""
        return Letters(self.keyring, settings, self.templates, self.base_url, self.dkim_selectors)

    @property
    def uploads(self) -> UploadStore:
        """Where the files lie that editors bring to the desk."""
        if self.installation is None:
            raise LookupError("these pages were opened without an installation")
        return UploadStore(self.installation.uploads)

    @property
    def desk_url(self) -> str:
        """The root of the desk's pages, without a slash at the end."""
        return self.desk or f"{self.base_url}/desk"

    @property
    def desk_host(self) -> str:
        """The host that serves the desk and nothing else; empty where the readers' does."""
        # Routes know hosts by name: another port of the same one is no host of its own.
        own = urlsplit(self.desk_url).hostname or ""
        return "" if own == urlsplit(self.base_url).hostname else own

    @property
    def base_path(self) -> str:
        """The path below which the pages lie: empty, or ``/news``."""
        return urlsplit(self.base_url).path


def newsletter_called(settings: Settings, slug: str) -> Newsletter:
    """The newsletter of that slug; NotFound where there is none."""
    newsletter = settings.newsletter_called(slug)
    if newsletter is None:
        raise NotFound(f'there is no newsletter "{slug}"', subject=slug)
    return newsletter
