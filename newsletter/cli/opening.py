"""Opening the installation that a config file describes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from newsletter.cli.options import parse_now
from newsletter.config import load_config
from newsletter.log import configure_logging
from newsletter.workflows.installation import Installation
from newsletter.workflows.opening import open_installation


@contextmanager
def open_from_file(
    config_path: Path, *, now: str | None = None, adopts: bool = True
) -> Iterator[Installation]:
    """The installation of ``config_path``, with logs as it says and the clock that --now sets.

    What only looks at the paper does not adopt the config: a variable of one shell would
    else change what the service goes by.
    """
    config = load_config(config_path, os.environ)
    configure_logging(config.bootstrap.log.format, config.bootstrap.log.level)
    with open_installation(config, parse_now(now), adopts=adopts) as installation:
        yield installation
