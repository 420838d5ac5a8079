"""Thousands of feeds that others collected for their oddity: all are read or refused in words.

The counts pinned in tests/data/sources/archive_counts.txt are written by
``python -m tests.sources.test_archives``; look at every line that changes.
"""

import re
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from newsletter.errors import ParseError
from newsletter.sources.feeds import parse_feed, read_feed_profile
from tests.sources.archives import FEEDPARSER, GOFEED, feed_files

PINNED = Path(__file__).parents[1] / "data/sources/archive_counts.txt"
URL = "https://paper.example/feed/"
# No feed of these is large; one that takes longer than this was not going to end.
SECONDS_A_FEED = 20


def reading_of(path: Path) -> str:
    """How many entries became items and how many were left out, or that it is no feed."""
    body = path.read_bytes()
    try:
        batch = parse_feed(body, URL)
    except ParseError:
        with pytest.raises(ParseError):
            read_feed_profile(body, URL)
        return "no feed"
    read_feed_profile(body, URL)
    left_out = sum("was left out" in problem for problem in batch.problems)
    return f"{len(batch.items)} items, {left_out} left out"


def is_expectation(path: Path) -> bool:
    """Whether the file says what its archive's own parser makes of the feed beside it."""
    if path.stem.endswith("_expected"):
        return True
    return path.suffix == ".json" and path.with_suffix(".xml").exists()


def read_all(*, expectations: bool = False) -> dict[str, str]:
    """What each feed gives; or each file that is no feed but an archive's own expectation."""
    found = {}
    for name, path in feed_files():
        if is_expectation(path) is not expectations:
            continue
        started = time.monotonic()
        found[name] = reading_of(path)
        assert time.monotonic() - started < SECONDS_A_FEED, name
    return found


def test_each_feed_of_the_archives_is_read_as_pinned() -> None:
    pinned = dict(line.split("\t") for line in PINNED.read_text(encoding="utf-8").splitlines())
    found = read_all()
    assert {n: r for n, r in found.items() if pinned.get(n) != r} == {}
    assert set(found) == set(pinned)


def test_the_archives_own_expectations_raise_nothing_either() -> None:
    found = read_all(expectations=True)
    assert len(found) >= 490
    # A few have a JSON Feed's keys; what they give is nobody's claim.
    assert sum(reading == "no feed" for reading in found.values()) >= 480


def entries_of(path: Path) -> int | None:
    """How many entries a plain XML parser finds; None where that can't read it."""
    try:
        root = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, ValueError, LookupError):  # no XML, or of a charset it lacks
        return None
    return sum(element.tag.rpartition("}")[2] in ("item", "entry") for element in root.iter())


def test_the_counts_are_those_of_a_plain_xml_parser() -> None:
    """The pins are our own; here another parser counts."""
    pinned = dict(line.split("\t") for line in PINNED.read_text(encoding="utf-8").splitlines())
    compared = 0
    apart = {}
    for name, path in feed_files():
        numbers = re.findall(r"\d+", pinned.get(name, ""))
        entries = entries_of(path) if numbers and path.suffix == ".xml" else None
        if entries is None:
            continue
        compared += 1
        if sum(map(int, numbers)) != entries:
            apart[name] = (pinned[name], entries)
    assert apart == {}
    assert compared > 2_000


def test_the_archives_are_whole() -> None:
    assert len(list(FEEDPARSER.rglob("*.xml"))) == 2242
    assert len(list(GOFEED.rglob("*.xml"))) >= 495


if __name__ == "__main__":
    lines = [f"{name}\t{reading}\n" for name, reading in sorted(read_all().items())]
    PINNED.write_text("".join(lines), encoding="utf-8")
