"""The bench of ranking through its command, on curves made for it."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from bench import ranking

STEPS = 144


def write_curves(folder: Path, stories: int = 200, *, name: str = "Made.csv") -> None:
    """Stories whose counts grow as 1 - exp(-age / 12 h), of very different sizes."""
    chance = random.Random(1)
    lines = [",".join(["id", *(f"TS{n}" for n in range(1, STEPS + 1))])]
    for number in range(stories):
        size = 1000 ** chance.random()
        counts = [round(size * (1 - 0.5 ** (step / 36))) for step in range(1, STEPS + 1)]
        lines.append(",".join(map(str, [number, *counts])))
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", "ranking", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_figures_are_the_same_for_a_seed_and_the_score_beats_chance(tmp_path: Path) -> None:
    write_curves(tmp_path)
    figures = ranking.measure(tmp_path, draws=40)
    assert figures == ranking.measure(tmp_path, draws=40)
    assert figures != ranking.measure(tmp_path, draws=40, seed=2)
    rules = figures["files"]["Made.csv"]["rules"]
    mean, low, high = rules["score"]["eventual"]
    assert rules["random"]["eventual"][2] < low <= mean <= high <= 1
    assert figures["shortfalls"] == []


def test_a_gate_that_does_not_hold_fails_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_curves(tmp_path)
    monkeypatch.setattr(ranking, "LEAST_GAINED", 0.99)
    (shortfall,) = ranking.measure(tmp_path, draws=40)["shortfalls"]
    assert shortfall.startswith("Made.csv: of the reads to come the score gains 0.")


@pytest.mark.long
def test_the_command_prints_one_document(tmp_path: Path) -> None:
    write_curves(tmp_path, 130)
    done = run("--data", str(tmp_path), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["picked"] == 5


@pytest.mark.long
def test_without_data_of_that_shape_it_says_what_it_needs(tmp_path: Path) -> None:
    assert "--data FOLDER" in run().stderr
    empty = run("--data", str(tmp_path))
    assert empty.returncode == 1
    assert "holds no CSV" in empty.stderr
    (tmp_path / "Other.csv").write_text("id,a,b\n1,2\n", encoding="utf-8")
    other = run("--data", str(tmp_path))
    assert other.returncode == 1
    assert "Other.csv, line 2: wants an id, then whole numbers" in other.stderr
