"""Counts one log by `reads sync`'s own workflow, and tells what it cost."""

import json
import sys

from bench.access_log import STORIES
from bench.children import Stopwatch, peak_rss_mb
from bench.paper import installation_with
from newsletter.log import configure_logging
from newsletter.publication.sources import Reads
from newsletter.workflows.access_logs import count_logs


def main() -> None:
    """Print one line of JSON; logs go to standard error."""
    configure_logging("text", "error")
    with installation_with(STORIES, days_of_reads=0) as installation:
        settings = installation.settings()
        counter = Reads(slug="site", source="site", kind="access-log", path=sys.argv[1])
        now = installation.clock.now()
        watch = Stopwatch()
        report = count_logs(installation, settings, counter, None, now)
        usage = watch.read()
    if report.problems:
        sys.exit("; ".join(report.problems))
    figures = {"lines": report.rows, "reads": report.matched, "rss_mb": peak_rss_mb()}
    print(json.dumps({**figures, **usage.figures()}))


if __name__ == "__main__":
    main()
