"""What tests of the desk have in common."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from newsletter.web.desk import background
from tests.browser import open_browser
from tests.web.desk.desk_in_browser import Shop, open_shop
from tests.web.desk.send_shop import open_send_shop


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A site with an issue that can be sent, served to browsers."""
    with open_shop(tmp_path) as opened:
        open_send_shop(opened.site)
        # Others of a test ask without a browser, at the same address.
        opened.site.client.base_url = opened.root
        opened.serve_anew()
        yield opened


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages wait for what comes at once, however busy the machine is."""
    monkeypatch.setattr(background, "PATIENCE", 30.0)
