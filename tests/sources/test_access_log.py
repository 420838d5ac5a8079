"""Reads from lines of access logs."""

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.sources.access_log import REPEAT_SECONDS, LogCounter, LogTally
from newsletter.sources.bots import is_bot
from newsletter.sources.recent_visits import RecentVisits

DAY = date(2025, 8, 5)
NOON = datetime(2025, 8, 5, 12, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
STORIES = {"/bread/": ("bread", False), "/mill/": ("mill", False), "/mill/?own": ("mill", True)}


def log_line(
    at: datetime = NOON,
    *,
    path: str = "/bread/",
    method: str = "GET",
    status: int = 200,
    client: str = "192.0.2.7",
    agent: str = FIREFOX,
) -> str:
    stamp = at.strftime("%d/%b/%Y:%H:%M:%S %z")
    request = f"{method} {path} HTTP/1.1"
    return f'{client} - - [{stamp}] "{request}" {status} 512 "https://x.example/" "{agent}"'


def counted(*lines: str | bytes, zone: str = "UTC", recent: RecentVisits | None = None) -> LogTally:
    counter = LogCounter(
        STORIES.get, ZoneInfo(zone), lambda day: sha256(str(day).encode()).digest(), recent
    )
    counter.take([line if isinstance(line, bytes) else line.encode() for line in lines])
    return counter.tally


@pytest.mark.parametrize(
    "line",
    [
        log_line(),
        log_line(status=304),
        "paper.example:443 " + log_line(),
        log_line(client="2001:db8::1"),
        "paper.example:443 " + log_line(client="2001:db8::1"),
        log_line() + ' 0.042 "203.0.113.9"',
        log_line().replace("192.0.2.7 - - ", "192.0.2.7 - Ani Example "),
        log_line().replace('"https://x.example/"', r'"https://x.example/\"q\""'),
        log_line().replace('"https://x.example/"', '"-"'),
    ],
)
def test_a_readers_request_of_a_story_counts(line: str) -> None:
    tally = counted(line)
    assert tally.reads == {("bread", DAY): 1}
    assert (tally.malformed, tally.lines) == (0, 1)


@pytest.mark.parametrize(
    "line",
    [
        log_line(method="HEAD"),
        log_line(method="POST"),
        log_line(status=301),
        log_line(status=404),
        log_line(status=206),
        log_line(path="/style.css"),
        log_line(agent="-"),
        log_line(agent=""),
        log_line(agent="Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
        log_line(agent="curl/7.88.1"),
        log_line(agent="x" * 5000),
    ],
)
def test_what_is_no_reader_or_no_story_does_not_count(line: str) -> None:
    tally = counted(line)
    assert not tally.reads
    assert tally.malformed == 0


def test_a_request_hidden_in_an_agent_counts_for_nothing() -> None:
    hidden = log_line(method="POST", path="/x", agent=r"\"GET /bread/ HTTP/1.1\" 200 1 \"-\" \"M")
    assert not counted(hidden).reads


def test_a_repeat_within_half_an_hour_of_the_last_request_does_not_count() -> None:
    minutes = (0, 29, 58, 88)
    tally = counted(*(log_line(NOON + timedelta(minutes=m)) for m in minutes))
    assert tally.reads == {("bread", DAY): 2}
    assert tally.repeats == 2


def test_another_reader_story_or_agent_is_no_repeat() -> None:
    tally = counted(
        log_line(),
        log_line(client="192.0.2.8"),
        log_line(agent=FIREFOX.replace("128", "129")),
        log_line(path="/mill/"),
    )
    assert tally.reads == {("bread", DAY): 3, ("mill", DAY): 1}


def test_lines_out_of_order_by_a_little_are_repeats_too() -> None:
    assert counted(log_line(), log_line(NOON - timedelta(seconds=3))).repeats == 1


def test_visits_are_remembered_between_two_readings() -> None:
    recent = RecentVisits(REPEAT_SECONDS)
    counted(log_line(), recent=recent)
    ((visit, at),) = recent.current()
    assert at == int(NOON.timestamp())
    assert b"192.0.2.7" not in visit
    assert counted(log_line(NOON + timedelta(minutes=5)), recent=recent).repeats == 1


def test_old_visits_are_forgotten() -> None:
    recent = RecentVisits(REPEAT_SECONDS)
    counted(log_line(), log_line(NOON + timedelta(hours=1), path="/mill/"), recent=recent)
    assert [at for _, at in recent.current()] == [int(NOON.timestamp()) + 3600]
    assert len(recent) == 1


def test_the_day_is_the_papers() -> None:
    late = datetime(2025, 8, 6, 3, 30, tzinfo=UTC)
    assert counted(log_line(late), zone="America/New_York").reads == {("bread", DAY): 1}
    assert counted(log_line(late.astimezone(ZoneInfo("Asia/Yerevan")))).reads == {
        ("bread", date(2025, 8, 6)): 1
    }


def test_visits_that_our_mails_caused_are_among_all_and_told_apart() -> None:
    tally = counted(log_line(path="/mill/?own"), log_line(path="/mill/", client="192.0.2.8"))
    assert tally.reads == {("mill", DAY): 2}
    assert tally.own == {("mill", DAY): 1}


def test_the_common_format_is_told_of_for_it_names_no_browser() -> None:
    tally = counted('192.0.2.7 - - [05/Aug/2025:12:00:00 +0000] "GET /bread/ HTTP/1.1" 200 512')
    assert (tally.bare, not tally.reads) == (1, True)


@pytest.mark.parametrize(
    "line",
    [
        "what is this",
        "\0" * 40,
        log_line().replace("05/Aug", "05/Foo"),
        log_line().replace("12:00:00", "12:00:xx"),
        log_line()[:60],
        '"GET /bread/ HTTP/1.1" 200',
    ],
)
def test_damaged_lines_are_counted_as_such(line: str) -> None:
    tally = counted(line, log_line())
    assert tally.reads == {("bread", DAY): 1}
    assert tally.malformed == 1


PIECES = st.sampled_from(
    [
        b'"GET /bread/ ',
        b'HTTP/1.1"',
        b" 200 ",
        b"[",
        b"] ",
        b"05/Aug/2025:12:00:00 +0000",
        b'"',
        b"\\",
    ]
)


@given(st.lists(st.one_of(st.binary(max_size=30), PIECES), max_size=12).map(b"".join))
def test_any_bytes_are_a_line(line: bytes) -> None:
    tally = counted(line)
    assert tally.lines == 1
    assert tally.reads.total() + tally.bots + tally.bare + tally.malformed <= 1


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 4)), max_size=40))
def test_repeats_and_reads_are_all_there_was(visits: list[tuple[int, int]]) -> None:
    """Against the rule written plainly: a visit counts after 30 minutes of silence."""
    lines, expected = [], 0
    last: dict[int, int] = {}
    for minute, who in sorted(visits):
        lines.append(log_line(NOON + timedelta(minutes=minute), client=f"192.0.2.{who}"))
        expected += who not in last or minute - last[who] >= 30
        last[who] = minute
    tally = counted(*lines)
    assert tally.reads.total() == expected
    assert tally.reads.total() + tally.repeats == len(visits)


@pytest.mark.parametrize(
    "agent",
    [
        FIREFOX,
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
        "Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (Linux; Android 9; CUBOT_X18_Plus) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/120.0.0.0 Mobile Safari/537.36",
    ],
)
def test_browsers_are_no_bots(agent: str) -> None:
    assert not is_bot(agent)


@pytest.mark.parametrize(
    "agent",
    [
        "BarracudaCentral",
        "Mozilla/5.0 (Windows NT 10.0) Mimecast-URL-Protect",
        "Microsoft Office Protocol Discovery",
        "Trend Micro WTP",
    ],
)
def test_mail_scanners_that_say_so_are_bots(agent: str) -> None:
    assert is_bot(agent)


def test_pages_that_are_no_storys_are_told() -> None:
    pages = ["/about/", "/news/2025/old-story", "/article.php?id=7", "/a.b/page.html"]
    others = [
        *("/style.css?ver=2", "/a.jpg", "/", "/?p=3", "/feed/", "/news/feed", "/wp-login.php"),
        *("/wp-json/wp/v2/posts", "/robots.txt", "/xmlrpc.php", "/bread/"),
    ]
    lines = [log_line(path=path) for path in (*pages, *others, "/about/?utm_source=x")]
    lines += [
        log_line(path="/gone/", status=404),
        log_line(path="/moved/", status=301),
        log_line(path="/robot/", agent="curl/7.88.1"),
        log_line(path="/posted/", method="POST"),
        log_line(path="/torn/")[:60],
    ]
    assert counted(*lines).others == {
        "/about/": 2,
        "/news/2025/old-story": 1,
        "/article.php": 1,
        "/a.b/page.html": 1,
    }


def test_of_pages_without_end_the_frequent_ones_stay() -> None:
    invented = [log_line(path=f"/page/{n}") for n in range(9_000)]
    often = [log_line(path="/about/")] * 5
    others = counted(*often, *invented[:5_000], *often, *invented[5_000:]).others
    assert len(others) <= 4_000
    assert others["/about/"] == 10
    (path,) = counted(log_line(path="/" + "x" * 9_000)).others
    assert len(path) == 200
