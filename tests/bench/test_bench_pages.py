"""The bench of the pages in small, as it is called."""

import json
import sys

import pytest

from bench.__main__ import main


@pytest.mark.long
def test_all_that_was_asked_for_is_done_and_every_figure_is_there(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    small = ["--seconds", "0.5", "--sign-ups", "16", "--goodbyes", "20", "--list", "300"]
    monkeypatch.setattr(sys, "argv", ["bench", "pages", *small, "--json"])
    main()
    figures = json.loads(capfd.readouterr().out)
    assert figures["shortfalls"] == []
    for load, requests in (("sign_up", 8), ("one_click", 10)):
        alone, beside = figures[load], figures[f"{load}_beside_a_send"]
        assert (alone["requests"], beside["requests"]) == (requests, requests)
        assert 0 < alone["median_ms"] <= alone["p99_ms"] <= alone["worst_ms"]
        assert beside["messages_per_second"] > 0
    # A sign-up is answered in equal time, whoever asks.
    assert figures["sign_up"]["median_ms"] >= 100
