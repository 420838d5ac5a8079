"""Readers from a file: what is taken of those who are there already."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.errors import UsageError
from newsletter.subscribers.csv_import import open_subscriber_file
from newsletter.subscribers.importing import Imported
from newsletter.workflows.import_subscribers import ImportReport, add_subscriber, import_subscribers
from newsletter.workflows.installation import Installation
from newsletter.workflows.opening import open_installation
from tests.acceptance.command_line import write_config
from tests.acceptance.moving_clock import MovingClock

NOW = datetime(2025, 8, 5, 12, tzinfo=UTC)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    config = load_config(write_config(tmp_path, feed="http://127.0.0.1:9/", port=9), {})
    with open_installation(config, MovingClock(NOW)) as found:
        yield found


def bring_in(installation: Installation, *rows: str) -> ImportReport:
    return import_subscribers(
        installation.database,
        installation.keyring,
        open_subscriber_file("\n".join(("email,timezone", *rows)).encode()),
        newsletter="weekly",
        consent="told on paper",
        actor="test",
        now=NOW,
    )


def zone_of(installation: Installation, address: str) -> str | None:
    with installation.database.read() as tx:
        found = tx.subscribers.find(address)
    assert found is not None
    return found.timezone


def test_a_file_fills_in_time_zones_and_overrules_none(installation: Installation) -> None:
    bring_in(installation, "ani@reader.example,Asia/Yerevan", "eva@reader.example,")
    report = bring_in(
        installation, "ani@reader.example,Europe/Paris", "eva@reader.example,Europe/Paris"
    )
    assert report.outcomes[Imported.ALREADY_THERE] == 2
    assert zone_of(installation, "ani@reader.example") == "Asia/Yerevan"
    assert zone_of(installation, "eva@reader.example") == "Europe/Paris"


def test_one_reader_is_added_with_a_zone_that_exists(installation: Installation) -> None:
    def add(zone: str) -> Imported:
        return add_subscriber(
            installation.database,
            installation.keyring,
            newsletter="weekly",
            address="ani@reader.example",
            wording="told on paper",
            actor="test",
            now=NOW,
            timezone=zone,
        )

    with pytest.raises(UsageError, match="Mars/Base"):
        add("Mars/Base")
    assert add("Asia/Yerevan") is Imported.ADDED
    assert zone_of(installation, "ani@reader.example") == "Asia/Yerevan"
