"""How well a rule chooses: rounds of stories with what became of them, and baselines.

A round is one moment of choice. A rule sees each story's reads and age then; it
is judged by the share of reads that its choices captured of what the best
choice would have. Intervals are percentiles of a bootstrap over rounds (Efron,
1979), with a fixed seed; differences are paired, round by round.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import log2
from operator import itemgetter
from typing import TypeVar

from newsletter.ranking.score import DEFAULT_MIX, Expectation, Score, score_story, take_next

RESAMPLES = 1000
# Hacker News' exponent.
_GRAVITY = 1.8
_HALF_LIFE = 24.0
K = TypeVar("K")
TOTAL = "total so far"


@dataclass(frozen=True)
class Candidate:
    """A story as a rule sees it, and what became of it.

    ``age`` in hours and ``reads`` until then; ``recent`` are those of the last 7
    days of them. ``eventual`` are its reads in all, ``to_come`` those after the
    choice that count.
    """

    key: str
    reads: float
    age: float
    recent: float
    eventual: float
    to_come: float
    department: str = ""


@dataclass(frozen=True)
class Round:
    """A moment of choice. ``expectation`` knows no more than was known then."""

    candidates: tuple[Candidate, ...]
    expectation: Expectation
    name: str = ""


# A rule gives the places of the chosen in the round's candidates, best first.
Rule = Callable[[Round, int, random.Random], list[int]]


@dataclass(frozen=True)
class Interval:
    """A mean over rounds, and the 95 % band of its bootstrap."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Verdict:
    """How a rule did. Shares are of the best possible choice; ``over_total`` holds
    the paired differences to the rule "total so far", by measure.

    ``departments`` is the mean share of the departments at hand, of at most k,
    that came; ``repeats`` the mean number of choices that the round before made too.
    """

    rule: str
    eventual: Interval
    to_come: Interval
    ndcg: Interval
    departments: float
    repeats: float
    over_total: Mapping[str, Interval] = field(default_factory=dict)
    chosen: tuple[tuple[str, ...], ...] = ()


def by_score(mix: float = DEFAULT_MIX) -> Rule:
    """By score, and of ties within its error band the newest first, as sections choose."""

    def choose(round_: Round, k: int, _: random.Random) -> list[int]:
        scores = [_score(candidate, round_, mix) for candidate in round_.candidates]
        order = sorted(range(len(scores)), key=lambda at: -scores[at].value)
        return [
            take_next(order, scores.__getitem__, lambda at: round_.candidates[at].age)
            for _ in range(min(k, len(order)))
        ]

    return choose


def baselines() -> dict[str, Rule]:
    """The rules that ours has to be better than."""
    return {
        "random": lambda round_, k, dice: dice.sample(
            range(len(round_.candidates)), min(k, len(round_.candidates))
        ),
        "latest": _top(lambda c: -c.age),
        TOTAL: _top(lambda c: c.reads),
        "reads per age": _top(lambda c: c.reads / max(c.age, 1.0)),
        "HN gravity 1.8": _top(lambda c: (c.reads - 1) / (c.age + 2) ** _GRAVITY),
        "half-life 24 h": _top(lambda c: c.reads * 0.5 ** (c.age / _HALF_LIFE)),
        "last 7 days": _top(lambda c: c.recent),
    }


def judge(
    rounds: Sequence[Round], rules: Mapping[str, Rule], *, k: int, seed: int
) -> list[Verdict]:
    """The verdict on each rule, over the same rounds; `TOTAL` must be among them."""
    chosen = {}
    for name, rule in rules.items():
        dice = random.Random(f"{seed} {name}")  # noqa: S311
        chosen[name] = [rule(round_, k, dice) for round_ in rounds]
    series = {
        (name, measure): [of(r, c, k) for r, c in zip(rounds, picks, strict=True)]
        for name, picks in chosen.items()
        for measure, of in _MEASURES.items()
    }
    for name in rules:
        for measure in _MEASURES:
            series[name, f"{measure} over"] = [
                a - b for a, b in zip(series[name, measure], series[TOTAL, measure], strict=True)
            ]
    bands = bootstrap(series, random.Random(seed))  # noqa: S311
    return [
        Verdict(
            rule=name,
            eventual=bands[name, "eventual"],
            to_come=bands[name, "to_come"],
            ndcg=bands[name, "ndcg"],
            departments=_mean([_departments(r, c, k) for r, c in zip(rounds, picks, strict=True)]),
            repeats=_repeats(rounds, picks),
            over_total={m: bands[name, f"{m} over"] for m in _MEASURES},
            chosen=tuple(
                tuple(round_.candidates[at].key for at in pick)
                for round_, pick in zip(rounds, picks, strict=True)
            ),
        )
        for name, picks in chosen.items()
    ]


def bootstrap(series: Mapping[K, Sequence[float]], dice: random.Random) -> dict[K, Interval]:
    """The mean of each series with its 95 % band; all are drawn by the same rounds."""
    count = len(next(iter(series.values())))
    draws = [itemgetter(*dice.choices(range(count), k=count), 0) for _ in range(RESAMPLES)]
    found = {}
    for key, values in series.items():
        # The getter ends in a place of its own, for one alone gives no tuple.
        means = sorted((sum(draw(values)) - values[0]) / count for draw in draws)
        low, high = means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES) - 1]
        found[key] = Interval(_mean(values), low, high)
    return found


def _captured(reads: Callable[[Candidate], float]) -> Callable[[Round, list[int], int], float]:
    def share(round_: Round, picks: list[int], k: int) -> float:
        best = sum(sorted(map(reads, round_.candidates), reverse=True)[:k])
        return sum(reads(round_.candidates[at]) for at in picks) / best if best else 1.0

    return share


def _ndcg(round_: Round, picks: list[int], k: int) -> float:
    """Järvelin and Kekäläinen's measure, 2002, with reads in all as the gain."""
    ideal = sorted((c.eventual for c in round_.candidates), reverse=True)[:k]
    best = sum(gain / log2(place + 2) for place, gain in enumerate(ideal))
    got = sum(round_.candidates[at].eventual / log2(place + 2) for place, at in enumerate(picks))
    return got / best if best else 1.0


_MEASURES: dict[str, Callable[[Round, list[int], int], float]] = {
    "eventual": _captured(lambda candidate: candidate.eventual),
    "to_come": _captured(lambda candidate: candidate.to_come),
    "ndcg": _ndcg,
}


def _departments(round_: Round, picks: list[int], k: int) -> float:
    at_hand = {c.department for c in round_.candidates if c.department}
    came = {round_.candidates[at].department for at in picks} - {""}
    return len(came) / min(k, len(at_hand)) if at_hand else 1.0


def _repeats(rounds: Sequence[Round], picks: Sequence[list[int]]) -> float:
    keys = [
        {round_.candidates[at].key for at in pick}
        for round_, pick in zip(rounds, picks, strict=True)
    ]
    again = sum(len(now & before) for before, now in pairwise(keys))
    return again / max(1, len(keys) - 1)


def _top(value: Callable[[Candidate], float]) -> Rule:
    def choose(round_: Round, k: int, _: random.Random) -> list[int]:
        values = [value(candidate) for candidate in round_.candidates]
        return sorted(range(len(values)), key=lambda at: -values[at])[:k]

    return choose


def _score(candidate: Candidate, round_: Round, mix: float) -> Score:
    return score_story(
        candidate.reads,
        candidate.age,
        round_.expectation,
        department=candidate.department,
        mix=mix,
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
