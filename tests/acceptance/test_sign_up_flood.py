"""A flood of sign-ups over real HTTP, from addresses all over 127/8, by the form as it is."""

import re
import socket
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from newsletter.clock import SystemClock
from newsletter.publication.model import Settings
from newsletter.web.app import create_app
from tests.web.serving import serve
from tests.web.site import SETTINGS, Site, make_blank, open_site, stamp_in

VICTIMS = [f"victim{number}@reader{number % 3}.example" for number in range(9)]
# 500 addresses, each in a network of its own.
SOURCES = [f"127.{number % 250}.{number // 250 + 7}.5" for number in range(500)]
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@contextmanager
def open_door(folder: Path, **rules: int) -> Iterator[tuple[Site, str]]:
    document = SETTINGS.model_dump(mode="json", by_alias=True)
    settings = Settings.model_validate(document | {"sign_up": {"check_domains": False} | rules})
    with open_site(
        folder, make_blank(folder / "blank.sqlite", settings), settings=settings
    ) as site:
        context = replace(
            site.context, base_url="http://127.0.0.1", clock=SystemClock(), steady_seconds=0.1
        )
        with serve(create_app(context)) as root:
            yield site, root


class Visitor:
    """One address of the loopback, which keeps its connection open."""

    def __init__(self, root: str, source: str) -> None:
        at = urlsplit(root)
        self._connection = HTTPConnection(
            str(at.hostname), at.port, timeout=60, source_address=(source, 0)
        )
        self._connection.connect()
        assert self._connection.sock is not None
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def stamp(self) -> str:
        self._connection.request("GET", "/subscribe/weekly")
        return stamp_in(self._connection.getresponse().read().decode())

    def post(self, address: str, stamp: str) -> tuple[int, str, float]:
        """(status, body, seconds) of a posted form."""
        body = urlencode({"address": address, "stamp": stamp})
        started = time.perf_counter()
        self._connection.request("POST", "/subscribe/weekly", body, _FORM)
        answer = self._connection.getresponse()
        text = answer.read().decode()
        return answer.status, text, time.perf_counter() - started

    def close(self) -> None:
        self._connection.close()


def take_stamp(root: str) -> str:
    """A stamp that is old enough to be a person's."""
    visitor = Visitor(root, SOURCES[0])
    stamp = visitor.stamp()
    visitor.close()
    time.sleep(1.1)
    return stamp


def flood(root: str, posts: int, sources: Sequence[str]) -> dict[int, int]:
    """So many posts for nine addresses, spread over the sources; how they were answered."""
    stamp = take_stamp(root)

    def post_from(place: int) -> list[int]:
        visitor = Visitor(root, sources[place])
        numbers = range(place, posts, len(sources))
        statuses = [visitor.post(VICTIMS[n % len(VICTIMS)], stamp)[0] for n in numbers]
        visitor.close()
        return statuses

    counted: dict[int, int] = {}
    with ThreadPoolExecutor(30) as threads:
        for statuses in threads.map(post_from, range(len(sources))):
            for status in statuses:
                counted[status] = counted.get(status, 0) + 1
    return counted


def mails(site: Site) -> list[str | None]:
    """Whom all mails that wait are for, those in the slow lane included."""
    with site.database.read() as tx:
        rows = tx.connection.exec_driver_sql("SELECT address FROM delivery ORDER BY id")
        return [address for (address,) in rows]


@pytest.mark.parametrize(
    "posts",
    [400, pytest.param(10_000, marks=pytest.mark.long)],
)
def test_a_flood_for_nine_addresses_makes_nine_mails(tmp_path: Path, posts: int) -> None:
    with open_door(tmp_path) as (site, root):
        statuses = flood(root, posts, SOURCES[: posts // 20])
        assert sum(statuses.values()) == posts
        assert set(statuses) <= {200, 429}
        sent = mails(site)
        assert sorted(map(str, sent)) == sorted(VICTIMS)
        with site.database.read() as tx:
            attacked = tx.sign_ups.alarm().since is not None
        assert attacked


@pytest.mark.long
def test_no_quota_is_needed_for_nine_mails(tmp_path: Path) -> None:
    open_to_all = {"network_hourly": 0, "domain_hourly": 0, "hourly": 0, "attack_after": 0}
    with open_door(tmp_path, **open_to_all) as (site, root):
        assert flood(root, 360, SOURCES[:36]) == {200: 360}
        assert sorted(map(str, mails(site))) == sorted(VICTIMS)


@pytest.mark.long
def test_neither_answer_nor_time_tells_who_is_on_the_list(tmp_path: Path) -> None:
    rounds = 150
    rules = {"network_hourly": 0, "domain_hourly": 0, "hourly": 0, "attack_after": 0}
    with open_door(tmp_path, slow_lane=6000, **rules) as (site, root):
        states = ("active", "paused", "pending", "unsubscribed")
        for number in range(rounds):
            site.put(f"{states[number % 4]}{number}@reader.example", states[number % 4])
        people = [
            *((True, f"{states[n % 4]}{n}@reader.example") for n in range(rounds)),
            *((False, f"unknown{n}@reader.example") for n in range(rounds)),
        ]
        # In turns, so that what the machine does beside it meets both alike.
        in_turns = [people[n // 2 + (n % 2) * rounds] for n in range(2 * rounds)]
        stamp = take_stamp(root)
        times: dict[bool, list[float]] = {True: [], False: []}
        bodies: set[str] = set()
        for number, (known, address) in enumerate(in_turns):
            visitor = Visitor(root, SOURCES[number])
            status, body, seconds = visitor.post(address, stamp)
            visitor.close()
            assert status == 200
            bodies.add(re.sub(r"\?v=\w+", "", body))
            times[known].append(seconds)
        assert len(bodies) == 1
        # The chance that a known one takes longer than an unknown one: a half, if the
        # times tell nothing (the statistic of Mann and Whitney).
        pairs = [(a > b) + 0.5 * (a == b) for a in times[True] for b in times[False]]
        assert abs(statistics.fmean(pairs) - 0.5) < 0.15
