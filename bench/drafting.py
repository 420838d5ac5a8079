"""Drafting from 5,000 stories with four weeks of reads each; meant to stay below 2 s."""

import time
from typing import Any

from bench.paper import installation_with
from newsletter.workflows.draft import draft_issue
from newsletter.workflows.installation import only_newsletter
from newsletter.workflows.look_up import find_slot

STORIES = 5_000


def measure() -> dict[str, Any]:
    """Seconds from the call to the kept draft, on SQLite."""
    with installation_with(STORIES) as installation:
        settings = installation.settings()
        newsletter = only_newsletter(settings, None)
        slot = find_slot(installation, settings, newsletter, None)
        started = time.perf_counter()
        draft = draft_issue(installation, newsletter, slot, actor="bench")
        seconds = time.perf_counter() - started
    return {
        "stories": STORIES,
        "items": len(draft.issue.items),
        "seconds": round(seconds, 3),
        "meant_below_seconds": 2,
    }
