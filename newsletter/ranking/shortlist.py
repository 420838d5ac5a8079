"""The few of very many stories that a section ordered by score may take."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from newsletter.publication.sections import Ranking, SectionPlan
from newsletter.ranking.curve import HORIZON_HOURS
from newsletter.ranking.model import Standing, Window
from newsletter.ranking.score import Expectation, value_story

_HOUR = timedelta(hours=1)


def competitors(
    plan: SectionPlan, standings: Iterable[Standing], now: datetime, latest: Window
) -> list[Standing]:
    """The stories that the section of ``plan`` may choose from, the newest first."""
    since = now - plan.window_length
    if plan.kind != "department":
        # Only stories in their first weeks have a score.
        since = max(since, now - HORIZON_HOURS * _HOUR)
    until = latest.start if plan.kind == "you_may_have_missed" else now
    wanted = plan.department.casefold()
    return [
        one
        for one in standings
        if since <= one.published_at < until
        and (not wanted or any(name.casefold() == wanted for name in one.departments))
    ]


def shortlist(
    standings: Iterable[Standing],
    expectation: Expectation,
    now: datetime,
    ranking: Ranking,
    limit: int,
) -> list[str]:
    """The ids of the ``limit`` best by score; of those with the same the first named."""
    values = [
        (
            value_story(
                one.reads,
                (now - one.published_at) / _HOUR,
                expectation,
                department=one.departments[0] if one.departments else "",
                mix=ranking.mix,
            )
            * (ranking.syndicated_weight if one.syndicated else 1.0),
            one.public_id,
        )
        for one in standings
    ]
    values.sort(key=lambda found: -found[0])
    return [public_id for _, public_id in values[:limit]]
