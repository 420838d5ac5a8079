"""How well rules choose five of sixty stories, on real curves of popularity.

`python -m bench ranking --data FOLDER [--json]`: every CSV of the folder has a
row a story, its cumulative counts at even steps of 20 minutes over 48 hours
(-1: not yet counted). The curve is learned on one half of a file's stories, and
the rules are judged on the other: 60 stories of random age up to 46 hours are
drawn again and again, each rule picks 5, and what counts is the share it
captures of the best possible five's reads in all, and of the reads still to
come. The score is the one that the product ranks by.
"""

import csv
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from newsletter.ranking.curve import History, learn_curve
from newsletter.ranking.evaluate import (
    TOTAL,
    Candidate,
    Interval,
    Round,
    Verdict,
    baselines,
    by_score,
    judge,
)
from newsletter.ranking.score import Expectation

STEP_HOURS = 1 / 3
SEED = 20250805
DRAWS = 1_500
SHOWN, PICKED = 60, 5
OLDEST_HOURS = 46.0
# Gates: the score may lose so much of the reads in all against "total so far" (the lower
# bound of the paired difference), and must gain so much of the reads to come.
MOST_LOST, LEAST_GAINED = -0.01, 0.03

Series = Sequence[int]


def measure(folder: Path, *, draws: int = DRAWS, seed: int = SEED) -> dict[str, Any]:
    """Figures by file, under ``shortfalls`` a sentence for each gate that does not hold.

    SystemExit where the folder has no such file.
    """
    files = sorted(folder.glob("*.csv"))
    if not files:
        raise SystemExit(
            f"bench: {folder} holds no CSV; it wants files with a row a story: an id, then its "
            "cumulative counts every 20 minutes"
        )
    shortfalls: list[str] = []
    figures: dict[str, Any] = {
        "seed": seed,
        "draws": draws,
        "picked": PICKED,
        "shown": SHOWN,
        "files": {path.name: _of_file(path, draws, seed, shortfalls) for path in files},
    }
    figures["meant"] = {
        "eventual_against_total": f"lower bound at least {MOST_LOST}",
        "to_come_against_total": f"at least {LEAST_GAINED}",
    }
    return figures | {"shortfalls": shortfalls}


def read_series(path: Path) -> list[Series]:
    """The counts of every story, 0 before its first; SystemExit for a file of another shape."""
    series: list[Series] = []
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        width = len(next(rows, []))
        for row in rows:
            try:
                counts = [max(0, int(cell)) for cell in row[1:]]
            except ValueError:
                counts = []
            if len(row) != width or len(counts) < 2:
                raise SystemExit(
                    f"bench: {path}, line {rows.line_num}: wants an id, then whole numbers"
                )
            series.append(counts)
    if len(series) < 2 * SHOWN:
        raise SystemExit(f"bench: {path}: has {len(series)} stories, and {2 * SHOWN} are needed")
    return series


def _of_file(path: Path, draws: int, seed: int, shortfalls: list[str]) -> dict[str, Any]:
    chance = random.Random(seed)
    series = read_series(path)
    chance.shuffle(series)
    learning, judged = series[::2], series[1::2]
    expectation = _learn(learning)
    rounds = [_draw(judged, expectation, chance) for _ in range(draws)]
    rules = {
        # All reads of two days are of the last seven.
        **{name: rule for name, rule in baselines().items() if name != "last 7 days"},
        "score": by_score(),
        "score, best of the week": by_score(1.0),
        "score, still rising": by_score(0.0),
    }
    verdicts = {verdict.rule: verdict for verdict in judge(rounds, rules, k=PICKED, seed=seed)}
    against = verdicts["score"].over_total
    if against["eventual"].low < MOST_LOST:
        shortfalls.append(
            f"{path.name}: of the reads in all the score may lose {-against['eventual'].low:.3f} "
            f"against {TOTAL}, more than {-MOST_LOST}"
        )
    if against["to_come"].mean < LEAST_GAINED:
        shortfalls.append(
            f"{path.name}: of the reads to come the score gains {against['to_come'].mean:.3f} "
            f"over {TOTAL}, less than {LEAST_GAINED}"
        )
    return {
        "stories": len(series),
        "rules": {name: _shares(verdict) for name, verdict in verdicts.items()},
        "eventual_against_total": _figures(against["eventual"]),
        "to_come_against_total": _figures(against["to_come"]),
    }


def _learn(learning: Sequence[Series]) -> Expectation:
    """What these stories let expect of others by the end of the time that was counted."""
    curve = learn_curve(
        (
            History(counts[-1], tuple((at * STEP_HOURS, n) for at, n in enumerate(counts, 1)))
            for counts in learning
        ),
        len(learning[0]) * STEP_HOURS,
    )
    if curve is None:
        raise SystemExit("bench: too few stories to learn a curve from")
    return Expectation(curve, sum(counts[-1] for counts in learning) / len(learning))


def _draw(series: Sequence[Series], expectation: Expectation, chance: random.Random) -> Round:
    """Stories of random ages, as they stood then."""
    candidates = []
    for number, counts in enumerate(chance.sample(series, SHOWN)):
        step = chance.randint(1, min(len(counts) - 1, int(OLDEST_HOURS / STEP_HOURS)))
        so_far = counts[step - 1]
        candidates.append(
            Candidate(
                key=f"{number}",
                reads=so_far,
                age=step * STEP_HOURS,
                recent=so_far,
                eventual=counts[-1],
                # Shares can be taken back.
                to_come=max(0, counts[-1] - so_far),
            )
        )
    return Round(tuple(candidates), expectation)


def _shares(verdict: Verdict) -> dict[str, list[float]]:
    return {
        "eventual": _figures(verdict.eventual),
        "to_come": _figures(verdict.to_come),
        "ndcg": _figures(verdict.ndcg),
    }


def _figures(found: Interval) -> list[float]:
    return [round(value, 3) for value in (found.mean, found.low, found.high)]


def summary(figures: Mapping[str, Any]) -> str:
    """The figures as a table for a person."""
    lines = []
    for name, of_file in figures["files"].items():
        lines.append(f"{name}: {of_file['stories']} stories")
        for rule, shares in of_file["rules"].items():
            eventual, to_come = shares["eventual"], shares["to_come"]
            lines.append(
                f"  {rule:<26} reads in all {eventual[0]:.3f} ({eventual[1]:.3f} to "
                f"{eventual[2]:.3f})   to come {to_come[0]:.3f} ({to_come[1]:.3f} to "
                f"{to_come[2]:.3f})"
            )
        for key in ("eventual_against_total", "to_come_against_total"):
            mean, low, high = of_file[key]
            lines.append(
                f"  {key.replace('_', ' ')}: {mean:+.3f} ({low:+.3f} to {high:+.3f}); meant: "
                f"{figures['meant'][key]}"
            )
    return "\n".join(lines)
