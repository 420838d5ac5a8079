"""Fixtures over a real ledger, by ``pytest_plugins = ["tests.delivery.sql_fixtures"]``."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.delivery.sql_sending import MakeSending, Sending


@pytest.fixture
def make_sending(tmp_path: Path) -> Iterator[MakeSending]:
    """Makes an issue for so many readers in a file of its own."""
    with ExitStack() as stack:

        def make(readers: int, **options: Any) -> Sending:
            sending = Sending.on_sqlite(tmp_path, readers, **options)
            stack.callback(sending.close)
            return sending

        yield make
