"""Settings are read anew for every unit of work, and parsed once a version."""

from pathlib import Path

import pytest

from newsletter.clock import SystemClock
from newsletter.config import load_config
from newsletter.errors import ConfigError
from newsletter.workflows.opening import open_installation
from tests.acceptance.command_line import write_config


def test_what_another_process_changed_counts_at_once(tmp_path: Path) -> None:
    config = load_config(write_config(tmp_path, feed="http://127.0.0.1:9/", port=9), {})
    with (
        open_installation(config, SystemClock()) as ours,
        open_installation(config, SystemClock()) as theirs,
    ):
        before = ours.settings()
        assert ours.settings() is before
        with theirs.database.read() as tx:
            latest = tx.settings.latest()
        assert latest is not None
        publication = latest.document["publication"] | {"name": "The Evening Courier"}
        with theirs.database.write() as tx:
            tx.settings.append(
                latest.document | {"publication": publication}, "anna", theirs.clock.now()
            )
        assert ours.settings().publication.name == "The Evening Courier"
        with theirs.database.write() as tx:
            tx.settings.append({"publication": {}}, "anna", theirs.clock.now())
        for _ in range(2):
            with pytest.raises(ConfigError):
                ours.settings()
