"""Rendering an issue of 17 stories, filling it for a reader, and the same issue in MJML."""

import time
from collections.abc import Callable
from typing import Any

import mjml

from bench.mail_on_screen import look_at
from bench.mjml_issue import write_mjml
from bench.paper import installation_with
from newsletter.delivery.message import MessageTemplate
from newsletter.delivery.model import Delivery
from newsletter.issues.model import Issue
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.rendering.fill import fill_slots
from newsletter.rendering.model import ReaderSlot
from newsletter.rendering.view import view_issue
from newsletter.workflows.draft import draft_issue
from newsletter.workflows.installation import Installation, only_newsletter
from newsletter.workflows.look_up import find_slot
from newsletter.workflows.publish import issue_mailing, render_current

STORIES = 400
_FILLINGS = 2000
# Of what is meant, the numbers that a figure may be at most.
_MOST = {
    "first_seconds": 1,
    "best_later_seconds": 1,
    "fill_microseconds": 30,
    "html_bytes": 60_000,
    "beyond_px_without_styles": 0,
}
MEANT = {
    "first_seconds": "below 1",
    "best_later_seconds": "below 1",
    "fill_microseconds": "below 30",
    "html_bytes": "at most 60000",
    "axe_violations": "none",
    "beyond_px_without_styles": 0,
}


def measure() -> dict[str, Any]:
    """Seconds of the first rendering in a process, and of the best of five after it.

    Under ``shortfalls`` a sentence for each figure that is not what it is meant to be.
    ``fill_microseconds`` are those of a reader's message: their own tokens made, and
    their places in the prepared bytes filled.
    """
    with installation_with(STORIES) as installation:
        settings = installation.settings()
        newsletter = only_newsletter(settings, None)
        slot = find_slot(installation, settings, newsletter, None)
        issue = draft_issue(installation, newsletter, slot, actor="bench").issue
        seconds = []
        for _ in range(6):
            started = time.perf_counter()
            rendered = render_current(installation, settings, issue).rendered
            seconds.append(time.perf_counter() - started)
        filling = _fill_microseconds(installation, settings, issue)
        theirs = mjml.mjml2html(_in_mjml(installation, settings, newsletter, issue))
    # Marks are no addresses; a browser is given what a reader would get.
    nobody = dict.fromkeys(ReaderSlot, "x")
    ours_seen, theirs_seen = look_at(fill_slots(rendered.html, nobody), fill_slots(theirs, nobody))
    figures: dict[str, Any] = {
        "items": len(issue.items),
        "html_bytes": len(rendered.html.encode()),
        "text_bytes": len(rendered.text.encode()),
        "first_seconds": round(seconds[0], 3),
        "best_later_seconds": round(min(seconds[1:]), 3),
        "fill_microseconds": round(filling, 1),
        "axe_violations": ours_seen.violations or "none",
        "beyond_px_without_styles": ours_seen.beyond_px,
        "mjml_html_bytes": len(theirs.encode()),
        "mjml_axe_violations": theirs_seen.violations or "none",
        "mjml_beyond_px_without_styles": theirs_seen.beyond_px,
        "meant": MEANT,
    }
    shortfalls = [
        f"{key} is {figures[key]}, and meant to be {MEANT[key]}"
        for key, most in _MOST.items()
        if figures[key] > most
    ]
    if ours_seen.violations:
        shortfalls.append(f"axe finds {ours_seen.violations}")
    return figures | {"shortfalls": shortfalls}


def _fill_microseconds(installation: Installation, settings: Settings, issue: Issue) -> float:
    made = render_current(installation, settings, issue)
    with installation.database.read() as tx:
        now = installation.clock.now()
        mailing = issue_mailing(tx, installation, settings, issue, made, now)
    template = MessageTemplate.of(mailing, installation.keyring)
    reader = Delivery(1, mailing.public_id, "r" * 16, "reader@reader.example")
    return _best(lambda: template.write([reader], [reader.address])) * 1e6


def _best(fill: Callable[[], object]) -> float:
    """Seconds of one call, by the best of five rounds of many."""
    rounds = []
    for _ in range(5):
        started = time.perf_counter()
        for _ in range(_FILLINGS):
            fill()
        rounds.append((time.perf_counter() - started) / _FILLINGS)
    return min(rounds)


def _in_mjml(
    installation: Installation, settings: Settings, newsletter: Newsletter, issue: Issue
) -> str:
    view = view_issue(
        issue,
        settings.publication,
        newsletter,
        base_url=installation.base_url,
        utm_source=settings.tracking.utm_source,
        clicks=settings.tracking.clicks,
    )
    return write_mjml(view, settings.publication, newsletter)
