"""Commands in this process: a process of its own takes ten times as long to begin."""

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from newsletter.cli.ending import run_to_status
from newsletter.cli.main import build_app
from tests.acceptance.command_line import Answer, must

Call = Callable[..., Answer]


@pytest.fixture(scope="session")
def demo_house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's installation, whose first issue is sent: for drafts of one's own beside it."""
    folder = tmp_path_factory.mktemp("house")
    must(folder, "demo", "--no-serve", "--subscribers", "3", "--dir", ".")
    return folder


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Call]:
    """``call(folder, "issue", "report")``: how the command ended."""
    for name in [name for name in os.environ if name.startswith("NEWSLETTER_")]:
        monkeypatch.delenv(name)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def run(folder: Path, *arguments: str) -> Answer:
        monkeypatch.chdir(folder)
        capsys.readouterr()
        app = build_app(arguments[0])
        try:
            status = run_to_status(lambda: app(list(arguments)))
        except SystemExit as end:
            status = int(end.code or 0)
        captured = capsys.readouterr()
        return Answer(status, captured.out, captured.err)

    yield run
    # Commands set the process's logs up for themselves.
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
