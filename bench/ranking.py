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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsletter.ranking.curve import History, learn_curve
from newsletter.ranking.score import DEFAULT_MIX, Expectation, score_story, take_next

STEP_HOURS = 1 / 3
SEED = 20250805
DRAWS = 1_500
RESAMPLES = 1_000
SHOWN, PICKED = 60, 5
OLDEST_HOURS = 46.0
# Gates: the score may lose so much of the reads in all against "total so far" (the lower
# bound of the paired difference), and must gain so much of the reads to come.
MOST_LOST, LEAST_GAINED = -0.01, 0.03

Series = Sequence[int]


@dataclass(frozen=True)
class Candidate:
    """A story as a rule may see it, and what it does not see: ``final`` reads."""

    reads: int
    age: float
    day_before: int
    final: int


Rule = Callable[[Sequence[Candidate]], list[Candidate]]


@dataclass(frozen=True)
class Share:
    """A captured share over all draws: its mean, and a 95 % bootstrap interval."""

    mean: float
    low: float
    high: float

    def figures(self) -> list[float]:
        return [round(value, 3) for value in (self.mean, self.low, self.high)]


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
    """The counts of every story that was counted at all; SystemExit for a file of another shape."""
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
            if counts[-1] > 0:
                series.append(counts)
    if len(series) < 2 * SHOWN:
        raise SystemExit(f"bench: {path}: has {len(series)} stories, and {2 * SHOWN} are needed")
    return series


def _of_file(path: Path, draws: int, seed: int, shortfalls: list[str]) -> dict[str, Any]:
    chance = random.Random(seed)
    series = read_series(path)
    chance.shuffle(series)
    learning, judged = series[::2], series[1::2]
    rules = _rules(learning, chance)
    drawn = [_draw(judged, chance) for _ in range(draws)]
    eventual: dict[str, list[float]] = {}
    to_come: dict[str, list[float]] = {}
    for name, rule in rules.items():
        eventual[name], to_come[name] = [], []
        for candidates in drawn:
            picked = rule(candidates)
            eventual[name].append(_captured(picked, candidates, lambda c: c.final))
            to_come[name].append(_captured(picked, candidates, lambda c: c.final - c.reads))
    against = {
        key: interval(
            [a - b for a, b in zip(shares["score"], shares["total so far"], strict=True)], seed
        )
        for key, shares in (("eventual", eventual), ("to_come", to_come))
    }
    if against["eventual"].low < MOST_LOST:
        shortfalls.append(
            f"{path.name}: of the reads in all the score may lose {-against['eventual'].low:.3f} "
            f"against total so far, more than {-MOST_LOST}"
        )
    if against["to_come"].mean < LEAST_GAINED:
        shortfalls.append(
            f"{path.name}: of the reads to come the score gains {against['to_come'].mean:.3f} "
            f"over total so far, less than {LEAST_GAINED}"
        )
    return {
        "stories": len(series),
        "rules": {
            name: {
                "eventual": interval(eventual[name], seed).figures(),
                "to_come": interval(to_come[name], seed).figures(),
            }
            for name in rules
        },
        "eventual_against_total": against["eventual"].figures(),
        "to_come_against_total": against["to_come"].figures(),
    }


def _rules(learning: Sequence[Series], chance: random.Random) -> dict[str, Rule]:
    horizon = len(learning[0]) * STEP_HOURS
    curve = learn_curve(
        (
            History(
                total=counts[-1],
                steps=tuple((at * STEP_HOURS, n) for at, n in enumerate(counts, 1)),
            )
            for counts in learning
        ),
        horizon,
    )
    if curve is None:
        raise SystemExit("bench: too few stories to learn a curve from")
    mean = sum(counts[-1] for counts in learning) / len(learning)
    expectation = Expectation(curve, mean)

    return {
        "random": lambda shown: chance.sample(shown, PICKED),
        "latest": _highest(lambda c: -c.age),
        "total so far": _highest(lambda c: c.reads),
        "reads per hour of age": _highest(lambda c: c.reads / c.age),
        "half-life 24 h": _highest(lambda c: c.reads * 0.5 ** (c.age / 24)),
        "HN gravity 1.8": _highest(lambda c: (c.reads - 1) / (c.age + 2) ** 1.8),
        "reads of the last 24 h": _highest(lambda c: c.reads - c.day_before),
        "score": _as_the_product(expectation, DEFAULT_MIX),
        "score, best of the week": _as_the_product(expectation, 1.0),
        "score, still rising": _as_the_product(expectation, 0.0),
    }


def _highest(key: Callable[[Candidate], float]) -> Rule:
    return lambda shown: sorted(shown, key=key, reverse=True)[:PICKED]


def _as_the_product(expectation: Expectation, mix: float) -> Rule:
    """By score, and of ties within its error band the newest first."""

    def pick(shown: Sequence[Candidate]) -> list[Candidate]:
        scored = [(score_story(c.reads, c.age, expectation, mix=mix), c) for c in shown]
        scored.sort(key=lambda entry: -entry[0].value)
        return [
            take_next(scored, lambda entry: entry[0], lambda entry: entry[1].age)[1]
            for _ in range(PICKED)
        ]

    return pick


def _draw(series: Sequence[Series], chance: random.Random) -> list[Candidate]:
    """Stories of random ages, as they stood then."""
    candidates = []
    for counts in chance.sample(series, SHOWN):
        step = chance.randint(1, int(OLDEST_HOURS / STEP_HOURS))
        a_day = step - round(24 / STEP_HOURS)
        candidates.append(
            Candidate(
                reads=counts[step - 1],
                age=step * STEP_HOURS,
                day_before=counts[a_day - 1] if a_day > 0 else 0,
                final=counts[-1],
            )
        )
    return candidates


def _captured(
    picked: Sequence[Candidate], shown: Sequence[Candidate], reads: Callable[[Candidate], int]
) -> float:
    """The share of the best possible choice's reads."""
    best = sum(sorted(map(reads, shown), reverse=True)[:PICKED])
    return sum(map(reads, picked)) / best if best > 0 else 1.0


def interval(values: Sequence[float], seed: int, *, resamples: int = RESAMPLES) -> Share:
    """The mean of ``values`` with its 95 % percentile bootstrap interval (Efron, 1979)."""
    chance = random.Random(seed)
    count = len(values)
    means = sorted(sum(chance.choices(values, k=count)) / count for _ in range(resamples))
    edge = round(0.025 * resamples)
    return Share(sum(values) / count, means[edge], means[-1 - edge])


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
