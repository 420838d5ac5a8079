"""A paper whose settings are partly fixed by a file, read from its database at each request."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from newsletter.delivery.model import Relay
from newsletter.publication.fixed_keys import FixedKeys
from newsletter.publication.model import Settings
from newsletter.storage.settings import SettingsVersion
from newsletter.web.app import create_app
from newsletter.web.context import WebContext
from newsletter.workflows.installation import read_settings
from tests.web.site import NOW, SETTINGS, Site, make_blank, open_site

PASSWORD = "a-password-that-nobody-sees"
GHOST_KEY = "0123456789abcdef"
RELAYS = (
    Relay("main", "smtp.paper.example", 587, username="anna", password=PASSWORD, daily_cap=5000),
    Relay("spare", "smtp.other.example", 465, tls="tls", rate=2.5, weight=0),
)
FILE: dict[str, Any] = {
    "publication": {"name": "The Araks Courier", "url": "https://paper.example"},
    "newsletter": [
        {
            "slug": "weekly",
            "name": "The Courier Weekly",
            "section": [{"slug": "most-read", "kind": "most_read"}],
        }
    ],
}
FIXED = FixedKeys(FILE, "config.toml", {("publication", "name"): "NEWSLETTER_PUBLICATION__NAME"})
DOCUMENT: dict[str, Any] = {
    **SETTINGS.model_dump(mode="json", by_alias=True, exclude_defaults=True),
    "source": [
        {"slug": "site", "kind": "wordpress", "url": "https://paper.example/wp-json/"},
        {
            "slug": "ghost",
            "kind": "ghost",
            "url": f"https://paper.example/ghost/api/content/?key={GHOST_KEY}",
        },
    ],
    "reads": [
        {"slug": "counter", "source": "site", "kind": "csv", "url": "https://paper.example/c.csv"},
        {"slug": "beacon", "source": "site", "kind": "beacon"},
        {"slug": "log", "source": "site", "kind": "access-log", "path": "/var/log/access.log"},
    ],
}


def live(context: WebContext) -> WebContext:
    """The pages with the settings as they stand in the database, relays, and what is fixed."""

    def settings() -> Settings:
        with context.database.read() as tx:
            return read_settings(tx)

    relays = tuple(replace(relay, password="") for relay in RELAYS)
    return replace(context, load_settings=settings, relays=relays, fixed=FIXED)


@contextmanager
def open_settings_shop(folder: Path, **changes: Any) -> Iterator[Site]:
    """The site, with sources that fare differently."""
    blank = make_blank(folder / "blank.sqlite", Settings.model_validate(DOCUMENT))
    with open_site(folder, blank) as site:
        with site.database.write() as tx:
            tx.settings.append(DOCUMENT, "config file", NOW, fixed=FILE)
            tx.sources.record_success("site", NOW - timedelta(minutes=20))
            tx.sources.record_error(
                "ghost",
                NOW - timedelta(minutes=5),
                "https://paper.example/ghost/ answered 503",
                due_at=NOW + timedelta(minutes=10),
            )
        context = replace(live(site.context), **changes)
        client = TestClient(
            create_app(context),
            base_url=str(site.client.base_url),
            follow_redirects=False,
            raise_server_exceptions=False,
        )
        with client:
            yield replace(site, context=context, client=client)


def latest(site: Site) -> SettingsVersion:
    """The version in force."""
    with site.database.read() as tx:
        version = tx.settings.latest()
    assert version is not None
    return version
