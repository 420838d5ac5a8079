"""Bots known by their names: quickly, and exactly as the list of crawlers says."""

import re

import pytest
from crawleruseragents import CRAWLER_USER_AGENTS_DATA, is_crawler
from hypothesis import given
from hypothesis import strategies as st

from newsletter.sources.bots import is_bot
from tests.sources.test_access_log import FIREFOX

NAMES = [name for entry in CRAWLER_USER_AGENTS_DATA for name in entry["instances"]]
PATTERNS = [re.sub(r"[\\\\^$]", "", entry["pattern"]) for entry in CRAWLER_USER_AGENTS_DATA]


def test_every_name_of_the_list_is_a_bot_s() -> None:
    assert len(NAMES) > 2_000
    assert [name for name in NAMES if not is_bot(name)] == []


@st.composite
def torn_names(draw: st.DrawFn) -> str:
    """Pieces of names and expressions, run together."""
    texts = st.sampled_from([*NAMES, *PATTERNS, FIREFOX])
    pieces = []
    for text in draw(st.lists(texts, min_size=1, max_size=3)):
        start = draw(st.integers(0, len(text)))
        pieces.append(text[start : start + draw(st.integers(1, 60))])
    return "".join(pieces)


@given(torn_names().filter(lambda name: name.strip() not in ("", "-")))
def test_it_finds_what_the_list_finds_and_no_more(name: str) -> None:
    assert is_bot(name) == is_crawler(name.strip())


@pytest.mark.parametrize(
    "name",
    [
        FIREFOX,
        "Mozilla/5.0 (Linux; Android 10; CUBOT X30) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/120.0.0.0 Mobile Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
        "Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    ],
)
def test_browsers_are_none(name: str) -> None:
    assert not is_bot(name)


@pytest.mark.parametrize(
    "name",
    ["", "-", "  ", "x" * 1_001, "Barracuda Sentinel", "TrendMicro/1", "trend micro", "MIMECAST"],
)
def test_who_names_nobody_or_a_mail_scanner_is_a_bot(name: str) -> None:
    assert is_bot(name)
