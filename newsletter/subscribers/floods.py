"""How many sign-ups are too many, and when they are taken for an attack."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from newsletter.subscribers.model import Alarm, Lane, Posts

# An attack is over when its pace has not been seen for so long.
CALM_AFTER = timedelta(minutes=30)
# A place in the slow lane that is further away than this is not given out: who
# asks is told to come back, whoever it is.
LONGEST_LANE = timedelta(hours=1)
_FINE = timedelta(minutes=1)
# Of the slow lane's pace in an attack, for who brings no proof of work.
_UNPROVEN_SHARE = 10


class Trust(StrEnum):
    """What speaks for a sign-up: a link we signed, a solved puzzle, or nothing."""

    SIGNED = "signed"
    PROVEN = "proven"
    UNPROVEN = "unproven"


class Verdict(StrEnum):
    """Whether a sign-up is let in; none of it depends on who is on the list."""

    WELCOME = "welcome"
    NETWORK_BUSY = "network busy"
    DOMAIN_BUSY = "domain busy"
    ALL_BUSY = "all busy"
    PROOF_NEEDED = "proof needed"


@dataclass(frozen=True)
class Quotas:
    """The most of each; 0 sets no limit."""

    network: int
    domain: int
    in_all: int
    attack_after: int


def judge_posts(posts: Posts, quotas: Quotas) -> Verdict:
    """Whether one more is let in."""
    for posted, most, verdict in (
        (posts.network, quotas.network, Verdict.NETWORK_BUSY),
        (posts.domain, quotas.domain, Verdict.DOMAIN_BUSY),
        (posts.in_all, quotas.in_all, Verdict.ALL_BUSY),
    ):
        if most and posted > most:
            return verdict
    return Verdict.WELCOME


def sound_alarm(alarm: Alarm, posts: Posts, quotas: Quotas, now: datetime) -> Alarm:
    """The alarm after one more sign-up: begun, kept on, or as it was."""
    if not quotas.attack_after or posts.last_ten_minutes <= quotas.attack_after:
        return alarm
    until = now + CALM_AFTER
    if alarm.until is not None and until - alarm.until < _FINE:
        return alarm  # not every sign-up of an attack writes it down anew
    if alarm.is_on(now):
        return replace(alarm, until=until)
    # One that has ended and was not told of yet goes on as the same.
    return Alarm(now, until) if alarm.since is None else replace(alarm, until=until)


def lane_of(trust: Trust, pace: int, *, attacked: bool) -> Lane | None:
    """Where a confirmation waits, with ``pace`` a minute; None where it goes at once."""
    gap = timedelta(minutes=1) / pace
    if trust is Trust.UNPROVEN:
        return Lane("unproven", gap * _UNPROVEN_SHARE if attacked else gap)
    if trust is Trust.PROVEN and attacked:
        return Lane("proven", gap)
    return None
