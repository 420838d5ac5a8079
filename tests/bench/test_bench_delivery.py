"""`python -m bench delivery` as it is called: small sends of all senders, and wrong usage."""

import json
import sys

import pytest

from bench.__main__ import main
from bench.smtp_source import find_smtp_source

ASKED_FOR = {
    "readers",
    "accepted",
    "messages_per_second",
    "cpu_us_per_message",
    "rss_mb_peak",
    "enqueue_seconds",
    "smtplib_messages_per_second",
    "smtplib_cpu_us_per_message",
    "speedup_over_smtplib",
    "openssl_rsa_us",
    "dkim_overhead_ratio",
}
BESIDE_POSTFIX = {
    "smtp_source_messages_per_second",
    "smtp_source_cpu_us_per_message",
    "cpu_ratio_to_smtp_source",
}


def run_bench(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    """The exit status, or the sentence that stands for status 1."""
    monkeypatch.setattr(sys, "argv", ["bench", *arguments])
    try:
        main()
    except SystemExit as end:
        return end.code
    return 0


@pytest.mark.long
def test_every_reader_is_accounted_for_and_every_figure_is_there(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    small = ["--readers", "60", "--kb", "24", "--rounds", "1", "--dkim", "--json"]
    assert run_bench(monkeypatch, "delivery", *small) == 0
    figures = json.loads(capfd.readouterr().out)
    assert (figures["readers"], figures["accepted"], figures["shortfalls"]) == (60, 60, [])
    wanted = ASKED_FOR | (BESIDE_POSTFIX if find_smtp_source() else set())
    assert all(figures[key] > 0 for key in wanted)
    # All senders send messages of one size.
    sizes = [value for key, value in figures.items() if key.endswith("octets_per_message")]
    assert max(sizes) - min(sizes) < 0.05 * max(sizes)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["wire"], "no bench is called wire"),
        (["delivery", "--workers", "2"], "--workers needs --database"),
        (["delivery", "--database", "sqlite:///x"], "--database is postgresql://"),
        (["rendering", "--kill"], "belong to `python -m bench delivery`"),
        (["delivery", "--readers", "0"], "--readers"),
    ],
)
def test_wrong_usage_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    says: str,
) -> None:
    assert run_bench(monkeypatch, *arguments) == 2
    assert says in capsys.readouterr().err


def test_a_message_smaller_than_any_issue_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    ended = run_bench(monkeypatch, "delivery", "--readers", "3", "--kb", "1", "--engine-only")
    assert isinstance(ended, str)
    said = capfd.readouterr().err
    assert "give a larger --kb" in said
    assert "Traceback" not in said
