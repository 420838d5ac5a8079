"""How rules are judged, on rounds whose best choice is known."""

import random

import pytest

from newsletter.ranking.curve import Curve
from newsletter.ranking.evaluate import (
    TOTAL,
    Candidate,
    Interval,
    Round,
    baselines,
    bootstrap,
    by_score,
    judge,
)
from newsletter.ranking.score import Expectation

CURVE = Curve((24.0, 48.0), (0.5, 1.0))


def candidate(key: str, reads: float, age: float, eventual: float, **more: object) -> Candidate:
    fields = {"recent": reads, "to_come": eventual - reads, **more}
    return Candidate(key=key, reads=reads, age=age, eventual=eventual, **fields)


def a_round(*candidates: Candidate, mean: float = 0) -> Round:
    return Round(candidates, Expectation(CURVE, mean))


OLD = candidate("old", 100, 48, 100, department="Arts")
YOUNG = candidate("young", 60, 12, 240, department="Arts", recent=10)
NEW = candidate("new", 1, 1, 20, department="Region")


def chosen(rule: str, round_: Round, k: int = 1) -> list[str]:
    rules = {**baselines(), "score": by_score(), "week": by_score(1.0), "rising": by_score(0.0)}
    places = rules[rule](round_, k, random.Random(1))
    return [round_.candidates[at].key for at in places]


def test_what_each_rule_prefers() -> None:
    round_ = a_round(OLD, YOUNG, NEW)
    assert chosen(TOTAL, round_) == ["old"]
    assert chosen("latest", round_) == ["new"]
    assert chosen("last 7 days", round_) == ["old"]
    for rule in ("reads per age", "HN gravity 1.8", "half-life 24 h", "score", "week", "rising"):
        assert chosen(rule, round_) == ["young"]
    assert sorted(chosen("random", round_, 5)) == ["new", "old", "young"]
    assert chosen("score", round_, 9) == ["young", "old", "new"]


def test_ties_go_to_the_newer_as_in_a_section() -> None:
    one, other = candidate("one", 100, 48, 100), candidate("other", 99, 47.9, 100)
    assert chosen("score", a_round(one, other)) == ["other"]


def test_shares_are_of_the_best_choice() -> None:
    rounds = [a_round(OLD, YOUNG, NEW)] * 6
    verdicts = {v.rule: v for v in judge(rounds, {**baselines(), "score": by_score()}, k=1, seed=1)}
    total, score = verdicts[TOTAL], verdicts["score"]
    assert total.eventual == Interval(pytest.approx(100 / 240), *[pytest.approx(100 / 240)] * 2)
    assert total.to_come.mean == 0
    assert score.eventual.mean == score.to_come.mean == score.ndcg.mean == 1
    assert score.over_total["eventual"].low == pytest.approx(140 / 240)
    assert total.over_total["eventual"] == Interval(0, 0, 0)
    # One of one department came, and the same story every time.
    assert (score.departments, score.repeats) == (1, 1)
    assert score.chosen == (("young",),) * 6


def test_the_order_counts_for_ndcg() -> None:
    rounds = [a_round(OLD, YOUNG)] * 2
    (total,) = judge(rounds, {TOTAL: baselines()[TOTAL]}, k=2, seed=1)
    assert total.eventual.mean == 1
    assert 0.6 < total.ndcg.mean < 1


def test_nothing_to_capture_is_no_failure() -> None:
    unread = a_round(candidate("a", 0, 3, 0), candidate("b", 0, 4, 0))
    verdicts = judge([unread] * 4, {**baselines(), "score": by_score()}, k=1, seed=1)
    assert all(v.eventual.mean == v.to_come.mean == v.ndcg.mean == 1 for v in verdicts)


def test_the_interval_is_that_of_a_mean() -> None:
    dice = random.Random(4)
    values = [dice.gauss(10, 2) for _ in range(400)]
    found = bootstrap({"x": values, "y": [2 * v for v in values]}, random.Random(1))
    assert found["x"].mean == pytest.approx(sum(values) / 400)
    # The standard error is 2 / 20, and 95 % are 1.96 of it to each side.
    assert found["x"].high - found["x"].low == pytest.approx(0.39, abs=0.05)
    assert found["y"].low == pytest.approx(2 * found["x"].low)
    assert bootstrap({"x": values}, random.Random(1)) == {"x": found["x"]}
    assert bootstrap({"x": [3.0]}, random.Random(1))["x"] == Interval(3, 3, 3)
