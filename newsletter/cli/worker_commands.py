"""`newsletter worker`: sends what is queued."""

from newsletter.cli.opening import open_from_file
from newsletter.cli.options import DEFAULT_CONFIG, ConfigOption
from newsletter.cli.signals import stop_on_signals
from newsletter.workflows.deliver import work


def worker(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Hand queued mail to the relay, system mail first; one with SQLite, many with PostgreSQL."""
    with open_from_file(config) as installation, stop_on_signals() as stop:
        work(installation, stop.is_set)
