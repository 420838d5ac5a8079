"""Visits that may be repeated, in memory that traffic bounds and the length of a log does not.

Visits lie in slices of log time, so that those which are over are forgotten a
slice at a time and nothing is copied. At 80 requests a second, of which a third
are visits, some 60,000 are held at a time, in about 100 bytes each.
"""

from collections.abc import Iterable, Iterator

_SLICE_SECONDS = 5 * 60


class RecentVisits:
    """Visits of the last ``seconds``, by key, with when they last were (seconds since 1970).

    Lines may be a little out of order, and those of an old log may come after
    visits of today: both are held while lines of that time come.
    """

    def __init__(self, seconds: int, visits: Iterable[tuple[bytes, int]] = ()) -> None:
        self._seconds = seconds
        self._reach = -(-seconds // _SLICE_SECONDS)
        self._slices: dict[int, dict[bytes, int]] = {}
        self._newest = 0
        self._number = -1
        self._here: dict[bytes, int] = {}
        self._near: tuple[dict[bytes, int], ...] = ()
        for key, at in visits:
            self._slices.setdefault(at // _SLICE_SECONDS, {})[key] = at
            self._newest = max(self._newest, at)

    def __len__(self) -> int:
        return sum(map(len, self._slices.values()))

    def repeats(self, key: bytes, at: int) -> bool:
        """Whether the visit was made before within so many seconds; it is noted as made ``at``."""
        number = at // _SLICE_SECONDS
        if number != self._number:
            self._enter(number)
        self._newest = max(self._newest, at)
        here = self._here
        last = here.get(key)
        if last is None:
            for other in self._near:
                last = other.pop(key, None)
                if last is not None:
                    break
        if last is None:
            here[key] = at
            return False
        # Servers write a line when the answer is done: times go back by a little.
        if last // _SLICE_SECONDS > number:
            self._slices[last // _SLICE_SECONDS][key] = last
        else:
            here[key] = max(at, last)
        return abs(at - last) < self._seconds

    def _enter(self, number: int) -> None:
        """Go to the slice of that number, and forget those that are neither near it nor new."""
        self._number = number
        newest = max(self._newest // _SLICE_SECONDS, number)
        for other in list(self._slices):
            # One more than reaches, for lines that go back over a slice's beginning.
            if other < newest - self._reach - 1 and abs(other - number) > self._reach + 1:
                del self._slices[other]
        self._here = self._slices.setdefault(number, {})
        near = sorted((abs(other - number), other) for other in self._slices if other != number)
        self._near = tuple(self._slices[other] for far, other in near if far <= self._reach)

    def current(self) -> Iterator[tuple[bytes, int]]:
        """The visits that can still be repeated."""
        since = self._newest - self._seconds
        for visits in self._slices.values():
            for key, at in visits.items():
                if at > since:
                    yield key, at
