"""The log that the bench reads: the same every time, and one that counts."""

import json
import subprocess
import sys
from pathlib import Path

from bench.access_log import write_log
from tests.acceptance.command_line import ENVIRONMENT

ROOT = Path(__file__).parents[2]


def test_the_log_is_the_same_every_time(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    assert write_log(first, 200_000) == write_log(second, 200_000)
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_size >= 200_000


def test_the_child_counts_all_of_it(tmp_path: Path) -> None:
    lines = write_log(tmp_path / "access.log", 300_000)
    done = subprocess.run(
        [sys.executable, "-m", "bench.access_log_child", str(tmp_path / "access.log")],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    figures = json.loads(done.stdout)
    assert figures["lines"] == lines
    assert 0 < figures["reads"] < lines
