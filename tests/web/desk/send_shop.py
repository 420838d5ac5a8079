"""A site whose issues can be checked, approved and sent without asking the network."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from newsletter.delivery.model import Outcome, OutcomeKind, Relay, Reply, Settlement
from newsletter.feedback.model import ClickSum
from newsletter.issues.model import Issue
from newsletter.net.resolver import Resolver
from newsletter.publication.model import Settings
from newsletter.web.app import create_app
from newsletter.workflows.approve import approve_issue
from newsletter.workflows.publish import start_sending
from newsletter.workflows.waves import release_due
from tests.contracts.nouns import LEASE
from tests.contracts.one_at_a_time import Workers
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


def set_up(site: Site, newsletter: Mapping[str, Any], /, **tables: Any) -> None:
    """Change the settings of the weekly newsletter, and other ``tables``; the pages know them."""
    document = {**SETTINGS.model_dump(mode="json", by_alias=True), **tables}
    document["newsletter"][0] |= newsletter
    document["checks"] |= {"link_seconds": 0, "spam": False}
    settings = Settings.model_validate(document)
    with site.database.write() as tx:
        tx.settings.append(document, "test", site.clock.now())
        tx.settings.register(settings, site.clock.now())
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


ACCEPTED = Outcome(OutcomeKind.ACCEPTED, "", Reply(250, "ok"))
REFUSED = Outcome(OutcomeKind.REFUSED, "mailbox_unknown", Reply(550, "no such user"))


def begin(site: Site) -> None:
    """Let the sending begin, as the scheduler does."""
    assert site.context.installation is not None
    approve_issue(site.context.installation, stored(site), actor="test")
    start_sending(site.context.installation, stored(site), actor="scheduler")
    release_due(site.context.installation)


def answer(site: Site, *outcomes: Outcome) -> None:
    """Serve as many readers as there are outcomes."""
    now = site.clock.now()
    ledger = Workers(site.database)
    try:
        claimed = list(ledger.claim("w", now, LEASE, len(outcomes)))
        assert len(claimed) == len(outcomes)
        for delivery, outcome in zip(claimed, outcomes, strict=True):
            assert ledger.hand_over(delivery, "w", now)
            settled = [Settlement(delivery.id, outcome, "main")]
            ledger.groups.commit(ledger.number("w"), settled, [], now)
    finally:
        ledger.close()


def click(site: Site, issue_id: str, clicks: Mapping[str, int]) -> None:
    """Let the first links of stories be followed so often."""
    with site.database.write() as tx:
        links: dict[str, str] = {}
        for link in tx.links.of_issue(issue_id):
            links.setdefault(link.story_id, link.public_id)
        day = site.clock.now().date()
        tx.links.add_clicks(
            {(links[story], day): ClickSum(count, 0) for story, count in clicks.items()}
        )
