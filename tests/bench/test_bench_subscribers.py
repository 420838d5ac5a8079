"""The list that the bench imports, and the bench in small."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.subscribers import write_list
from tests.acceptance.command_line import ENVIRONMENT

ROOT = Path(__file__).parents[2]


def test_the_list_is_the_same_every_time(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    write_list(first, 500)
    write_list(second, 500)
    assert first.read_bytes() == second.read_bytes()
    assert len(set(first.read_text(encoding="utf-8").splitlines())) == 501


@pytest.mark.long
def test_the_bench_in_small() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "subscribers", "--rows", "50", "--find", "90", "--json"],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    figures = json.loads(done.stdout)
    assert figures["rows"] == 50
    assert figures["find_among"] == 90
    assert len(figures["count_segment_ms"]) == 4
    assert figures["resume"]["counted"] == figures["resume"]["rows"]
    assert figures["import_ratio"] > 0
