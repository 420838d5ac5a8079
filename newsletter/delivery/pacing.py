"""How fast mail may go: a relay's rate, and what each destination bears.

Destinations are groups of recipient domains behind one mail host. A group that
complains of our pace is left alone for a while and then asked at half the pace,
which grows again slowly (additive increase, multiplicative decrease, as RFC 5681
does it for the network).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.delivery.model import Slowdown

# A group that complained is left alone this long, and twice as long each time
# that it complains again, up to the second figure (seconds).
FIRST_PAUSE = 60.0
LONGEST_PAUSE = 900.0
# After so many seconds without a complaint a group's pace grows a step.
CLEAN_SECONDS = 60.0
_GROWTH = 1.25
_SLOWEST = 1 / 60  # messages a second
# A pace above this is no limit worth keeping.
_FREE = 1_000.0
_WINDOW = 60.0
_SHORTEST_PUT_OFF = 1.0
# Two clocks that tell one moment may differ by so much (seconds).
_SAME_MOMENT = 1.0
# Those put off come back within so many seconds after a pause: the pace may have grown by
# then more than was foreseen, and who still can't go is put off again.
LONGEST_SPREAD = 300.0
# Groups kept although there is nothing to remember of them: most domains come again at once.
_KEPT = 1_000
# A group's last complaint is of no effect any more after so long (seconds).
REMEMBERED = 7_200.0


class TokenBucket:
    """Lets ``rate`` messages a second through, 0 for as many as come; times in seconds."""

    def __init__(self, rate: float, now: float) -> None:
        self.rate = rate
        self._tokens = 1.0
        self._at = now

    def set_rate(self, rate: float, now: float) -> None:
        """Go on at another rate."""
        self._refill(now)
        self.rate = rate

    def wait(self, now: float) -> float:
        """Seconds until the next message may go; 0 where it may now."""
        if self.rate <= 0:
            return 0.0
        self._refill(now)
        return 0.0 if self._tokens >= 1 else (1 - self._tokens) / self.rate

    def take(self, now: float) -> None:
        """Let one message through."""
        if self.rate > 0:
            self._refill(now)
            self._tokens -= 1

    def _refill(self, now: float) -> None:
        # A second's worth at most is saved up: what comes later must not come in a rush.
        self._tokens = min(self._tokens + (now - self._at) * self.rate, max(1.0, self.rate))
        self._at = now


@dataclass
class _Group:
    connections: float
    in_flight: int = 0
    paused_until: float = 0.0
    pause: float = FIRST_PAUSE
    changed_at: float = 0.0
    complained_at: float = 0.0
    bucket: TokenBucket | None = None
    window_from: float = 0.0
    window_count: int = 0
    slowed: bool = False
    next_turn: float = 0.0
    # When it complained of us for the first time since it took a message, and when last.
    since: float | None = None
    troubled_at: float = float("-inf")


class DestinationPace:
    """What each destination group bears, as far as it told us. For one thread."""

    def __init__(self, connections: int, rate: float) -> None:
        """``connections`` at once and ``rate`` a second to each group; 0 for no limit."""
        self._of_all = connections, rate
        self._part = (1, 0)
        self._most = float(connections) if connections else float("inf")
        self._rate = rate
        self._groups: dict[str, _Group] = {}

    def share(self, workers: int, place: int, now: float) -> None:
        """Go on as one of so many workers, with an equal part of the limits.

        Of connections each has one at least, and those of a lower ``place`` the rest.
        """
        if self._part == (workers, place):
            return
        scale = self._part[0] / workers
        self._part = workers, place
        connections, rate = self._of_all
        if connections:
            whole, rest = divmod(connections, workers)
            self._most = float(max(1, whole + (place < rest)))
        self._rate = rate / workers
        for group in self._groups.values():
            # What a group complained of is not forgotten for it: all bear their part.
            known = max(1.0, group.connections * scale) if group.slowed else self._most
            group.connections = min(known, self._most)
            if group.bucket is not None:
                rate = group.bucket.rate * scale if group.slowed else self._rate
                group.bucket.set_rate(min(rate, self._rate) if self._rate else rate, now)

    def wait(self, name: str, now: float) -> float:
        """Seconds until the group may get a message; infinite while its connections are busy."""
        group = self._groups.get(name)
        if group is None:
            return 0.0
        if group.paused_until > now:
            return group.paused_until - now
        if group.in_flight and group.in_flight + 1 > group.connections:
            return float("inf")
        return group.bucket.wait(now) if group.bucket else 0.0

    def start(self, name: str, now: float) -> None:
        """A message to the group is under way."""
        group = self._groups.get(name)
        if group is None:
            bucket = TokenBucket(self._rate, now) if self._rate else None
            group = _Group(self._most, changed_at=now, bucket=bucket, window_from=now)
            self._groups[name] = group
        group.in_flight += 1
        if now - group.window_from > _WINDOW:
            group.window_from, group.window_count = now, 0
        group.window_count += 1
        if group.bucket is not None:
            group.bucket.take(now)

    def end(self, name: str, now: float) -> None:
        """It was answered, and not with a complaint of our pace, or never offered."""
        group = self._groups[name]
        group.in_flight -= 1
        if not group.in_flight and len(self._groups) > _KEPT and _is_forgettable(group, now):
            del self._groups[name]
        elif group.slowed and now - max(group.changed_at, group.paused_until) >= CLEAN_SECONDS:
            self._grow(group, now)

    def slow_down(self, name: str, now: float) -> bool:
        """The group complained of our pace; whether that is news (one complaint a pause is)."""
        group = self._groups[name]
        group.in_flight -= 1
        _note_trouble(group, now)
        if group.paused_until > now:
            return False
        elapsed = max(now - group.window_from, 1.0)
        was = group.bucket.rate if group.bucket and group.bucket.rate else _FREE
        half = max(min(was, group.window_count / elapsed) / 2, _SLOWEST)
        # A complaint after clean time is about the pace it has grown to since.
        again = group.slowed and now - group.complained_at < group.pause + CLEAN_SECONDS
        group.pause = min(group.pause * 2, LONGEST_PAUSE) if again else FIRST_PAUSE
        group.connections = max(1.0, min(group.connections, group.in_flight + 1) / 2)
        group.bucket = TokenBucket(half, now)
        group.paused_until = now + group.pause
        group.changed_at = group.complained_at = now
        group.slowed = True
        return True

    def slowdown(self, name: str, mono: float, now: datetime) -> Slowdown:
        """What the group that has just complained bears, to be told to other workers."""
        group, workers = self._groups[name], self._part[0]
        return Slowdown(
            name,
            rate=(group.bucket.rate if group.bucket else _FREE) * workers,
            connections=group.connections * workers,
            pause=group.pause,
            paused_until=now + timedelta(seconds=group.paused_until - mono),
            changed_at=now,
            since=None if group.since is None else now + timedelta(seconds=group.since - mono),
        )

    def learn(self, slowdown: Slowdown, mono: float, now: datetime) -> None:
        """Go on with what another worker, or an earlier one, found out; twice is once.

        Since its pause the pace has grown as if the group had been content.
        """
        workers = self._part[0]
        until = mono + (slowdown.paused_until - now).total_seconds()
        steps = max(0.0, (mono - until) // CLEAN_SECONDS)
        rate = slowdown.rate / workers * _GROWTH**steps
        connections = max(1.0, slowdown.connections / workers + steps)
        group = self._groups.get(slowdown.group)
        content = rate >= (self._rate or _FREE) and until <= mono  # and has been for long
        if group is None:
            if content and slowdown.since is None:
                return
            group = _Group(self._most, changed_at=until + steps * CLEAN_SECONDS, window_from=mono)
            self._groups[slowdown.group] = group
        self._learn_trouble(group, slowdown, mono, now)
        if content:
            return
        group.slowed = True
        group.paused_until = max(group.paused_until, until)
        group.connections = min(group.connections, connections)
        if group.bucket is None:
            group.bucket = TokenBucket(min(rate, self._rate or rate), mono)
        else:
            group.bucket.set_rate(min(rate, group.bucket.rate), mono)
        complained_at = _moment(slowdown.changed_at, mono, now)
        if complained_at > group.complained_at:
            group.complained_at, group.pause = complained_at, slowdown.pause
            group.changed_at = max(group.changed_at, complained_at)

    def forget_in_flight(self, now: float) -> None:
        """Nothing is under way any more, whatever was."""
        for name, group in list(self._groups.items()):
            group.in_flight = 0
            if _is_forgettable(group, now):
                del self._groups[name]

    def took(self, name: str) -> bool:
        """The group took a message; whether that ends a time in which it took none."""
        group = self._groups[name]
        was_in_trouble, group.since = group.since is not None, None
        return was_in_trouble

    def troubled_for(self, name: str, now: float) -> float | None:
        """Seconds since the group's first complaint since it took a message; None without one."""
        group = self._groups.get(name)
        if group is None or group.since is None or now - group.troubled_at > REMEMBERED:
            return None
        return now - group.since

    def troubled(self, seconds: float, now: float) -> int:
        """How many groups have taken nothing for so long."""
        return sum((self.troubled_for(name, now) or 0.0) >= seconds for name in self._groups)

    def close(self, name: str, now: float, seconds: float) -> None:
        """Send the group nothing for a while, for another reason than our pace."""
        group = self._groups.setdefault(name, _Group(self._most, changed_at=now))
        _note_trouble(group, now)
        group.paused_until = max(group.paused_until, now + seconds)
        group.slowed = True

    def put_off(self, name: str, now: float) -> float:
        """Seconds until a message that can't go now should be asked for again.

        Of many that wait each gets another time, as the group's rate goes and will
        grow, and none a much later one than the end of the pause.
        """
        group = self._groups[name]
        earliest = max(now + _SHORTEST_PUT_OFF, group.paused_until)
        if not earliest <= group.next_turn <= earliest + LONGEST_SPREAD:
            group.next_turn = earliest
        rate = group.bucket.rate if group.bucket and group.bucket.rate else _FREE
        if group.slowed:
            clean = group.next_turn - max(group.changed_at, group.paused_until)
            rate = min(rate * _GROWTH ** max(0.0, clean // CLEAN_SECONDS), _FREE)
        group.next_turn = min(group.next_turn + 1 / rate, earliest + LONGEST_SPREAD)
        turn = group.next_turn
        if turn >= earliest + LONGEST_SPREAD:
            group.next_turn = 0.0  # the next one begins anew
        return turn - now

    def _learn_trouble(self, group: _Group, slowdown: Slowdown, mono: float, now: datetime) -> None:
        troubled_at = _moment(slowdown.changed_at, mono, now)
        if troubled_at < group.troubled_at - _SAME_MOMENT:
            return  # we know of a later complaint
        group.troubled_at = max(group.troubled_at, troubled_at)
        group.since = None if slowdown.since is None else _moment(slowdown.since, mono, now)

    def _grow(self, group: _Group, now: float) -> None:
        group.changed_at = now
        group.connections = min(group.connections + 1, self._most)
        if group.bucket is None:
            group.slowed = group.connections < self._most
            return
        rate = group.bucket.rate * _GROWTH
        if self._rate and rate >= self._rate:
            rate, group.slowed = self._rate, group.connections < self._most
        elif rate >= _FREE:
            group.bucket, group.slowed = None, group.connections < self._most
            return
        group.bucket.set_rate(rate, now)


def _note_trouble(group: _Group, now: float) -> None:
    """The group complained: of our pace, or of us."""
    if group.since is None or now - group.troubled_at > REMEMBERED:
        group.since = now
    group.troubled_at = now


def _is_forgettable(group: _Group, now: float) -> bool:
    in_trouble = group.since is not None and now - group.troubled_at <= REMEMBERED
    return not (group.slowed or in_trouble) and group.bucket is None


def _moment(instant: datetime, mono: float, now: datetime) -> float:
    """An instant in seconds of the monotonic clock."""
    return mono - (now - instant).total_seconds()
