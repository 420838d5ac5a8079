"""Drafting from 100,000 stories with four weeks of reads each; meant to stay below 2 s.

Each draft is made by a process of its own, whose memory is then its own: once
as most newsletters are, once with a section of each kind.
"""

import argparse
import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.children import peak_rss_mb, run_once
from bench.paper import CONFIG, EVERY_KIND, NOW, add_stories
from newsletter.clock import ShiftedClock
from newsletter.config import load_config
from newsletter.log import configure_logging
from newsletter.publication.slots import named_slot
from newsletter.workflows.draft import draft_issue
from newsletter.workflows.installation import only_newsletter
from newsletter.workflows.look_up import find_slot
from newsletter.workflows.opening import open_installation

STORIES = 100_000
_MOST_SECONDS = 2
_MOST_MB = 300


def measure(stories: int = STORIES) -> dict[str, Any]:
    """Seconds from the call to the kept draft, and the process's memory, on SQLite."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "config.toml"
        path.write_text(CONFIG, encoding="utf-8")
        with open_installation(load_config(path, {}), ShiftedClock(NOW)) as installation:
            add_stories(installation, stories, NOW, 28)
        plain = run_once("bench.drafting", str(path))
        path.write_text(CONFIG + EVERY_KIND, encoding="utf-8")
        full = run_once("bench.drafting", str(path), "--extra")
    shortfalls = [
        f"{name} took {run['seconds']} s and {run['rss_mb_peak']} MB"
        for name, run in (("the draft", plain), ("a draft of every kind", full))
        if run["seconds"] > _MOST_SECONDS or run["rss_mb_peak"] > _MOST_MB
    ]
    return {
        "stories": stories,
        **plain,
        **{f"every_kind_{name}": value for name, value in full.items()},
        "meant_below_seconds": _MOST_SECONDS,
        "meant_below_mb": _MOST_MB,
        "shortfalls": shortfalls,
    }


def main() -> None:
    """Draft once, as a child of the bench."""
    parser = argparse.ArgumentParser(prog="python -m bench.drafting", description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--extra", action="store_true", help="draft beside the regular issue")
    arguments = parser.parse_args()
    configure_logging()
    with open_installation(load_config(arguments.config, {}), ShiftedClock(NOW)) as installation:
        settings = installation.settings()
        newsletter = only_newsletter(settings, None)
        slot = find_slot(installation, settings, newsletter, None)
        if arguments.extra:
            zone = newsletter.zone_in(settings.publication)
            slot = named_slot(newsletter, zone, f"{slot.key}.x1")
        before = peak_rss_mb()
        started = time.perf_counter()
        draft = draft_issue(installation, newsletter, slot, actor="bench")
        seconds = time.perf_counter() - started
    figures = {
        "sections": len(draft.issue.sections),
        "items": len(draft.issue.items),
        "seconds": round(seconds, 3),
        "rss_mb_before": round(before, 1),
        "rss_mb_peak": round(peak_rss_mb(), 1),
    }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
