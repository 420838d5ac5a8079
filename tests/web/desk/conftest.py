"""What tests of the desk have in common."""

import pytest

from newsletter.web.desk import background


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages wait for what comes at once, however busy the machine is."""
    monkeypatch.setattr(background, "PATIENCE", 30.0)
