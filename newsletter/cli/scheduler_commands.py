"""`newsletter scheduler`: drafts and sends when it is time."""

from newsletter.cli.opening import open_from_file
from newsletter.cli.options import DEFAULT_CONFIG, ConfigOption
from newsletter.cli.signals import stop_on_signals
from newsletter.scheduling.scheduler import run_scheduler


def scheduler(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Poll the sources, draft and start each issue at its time; may run on several machines."""
    with open_from_file(config) as installation, stop_on_signals() as stop:
        run_scheduler(installation, stop)
