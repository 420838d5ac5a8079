"""A site whose issues can be checked, approved and sent without asking the network."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from newsletter.delivery.model import Relay
from newsletter.issues.model import Issue
from newsletter.net.resolver import Resolver
from newsletter.publication.model import Settings
from newsletter.web.app import create_app
from tests.rendering.sample_issue import sample_issue
from tests.web.desk.test_desk_issue import bare_issue
from tests.web.site import SETTINGS, Site
from tests.web.test_web_issues import put_issue

ISSUE = sample_issue().public_id
PATH = f"/desk/issues/{ISSUE}"
# Nobody answers there, which is told at once.
_NOBODY = Resolver(("127.0.0.1",), 9, 0.2)


def open_send_shop(site: Site, **newsletter: Any) -> Site:
    """The site with the sample issue, a relay, and nobody to ask; ``newsletter`` are settings."""
    set_up(site, newsletter)
    put_issue(site, bare_issue())
    return site


def set_up(site: Site, newsletter: Mapping[str, Any]) -> None:
    """Change the settings of the weekly newsletter, and let the pages know them."""
    document = SETTINGS.model_dump(mode="json", by_alias=True)
    document["newsletter"][0] |= newsletter
    document["checks"] |= {"link_seconds": 0, "spam": False}
    settings = Settings.model_validate(document)
    with site.database.write() as tx:
        tx.settings.append(document, "test", site.clock.now())
    assert site.context.installation is not None
    relays = (Relay("main", "127.0.0.1", 9, tls="none"),)
    installation = replace(site.context.installation, relays=relays, resolver=_NOBODY)
    site.context = replace(site.context, installation=installation, load_settings=lambda: settings)
    site.client.app = create_app(site.context)


def stored(site: Site) -> Issue:
    """The issue as it stands."""
    with site.database.read() as tx:
        issue = tx.issues.by_id(ISSUE)
    assert issue is not None
    return issue
