"""Reads from CSV, and from WordPress Popular Posts."""

import csv
import json
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import ParseError, SourceError
from newsletter.net.fetcher import Fetcher
from newsletter.publication.sources import Reads
from newsletter.sources.model import DayReads, ReadKind, StoryKey, TotalReads
from newsletter.sources.poll import Poll
from newsletter.sources.popular_posts import estimate_days, fetch_popular_posts
from newsletter.sources.read_counts import (
    fetch_table,
    parse_count,
    parse_day,
    read_table,
    spread_evenly,
)

DAY = date(2025, 8, 5)
BREAD = StoryKey(url="https://paper.example/bread/")


def test_days_by_address() -> None:
    batch = read_table("url,date,reads\nhttps://paper.example/bread/,2025-08-05,142\n")
    assert batch.days == (DayReads(BREAD, DAY, 142),)
    assert (batch.totals, batch.problems, batch.kind) == ((), (), ReadKind.VIEWS)


@pytest.mark.parametrize(
    "text",
    [
        "URL;Datum?;Date;PageViews\nhttps://paper.example/bread/;x;2025-08-05;1.142\n",
        "Date\tViews\tUrl\n20250805\t1,142\thttps://paper.example/bread/\n",
        '\ufeff"url","date","reads"\r\n"https://paper.example/bread/","05.08.2025","1,142"\r\n',
        "# -----\n# Report\n\nurl,date,reads\nhttps://paper.example/bread/,2025-08-05T00:00,1142\n",
        "sep=;\nurl;date;reads\nhttps://paper.example/bread/;2025/08/05;1 142\n",
        "url|date|reads\nhttps://paper.example/bread/|2025-08-05|1\u202f142\n",
        "url,date,reads\npaper.example/bread/,2025-08-05,1142.0\n",
        "url,date,reads\nhttps://paper.example/bread/,2025-08-05,1000\n\n"
        "https://paper.example/bread/,2025-08-05,142\n",
    ],
)
def test_dialects(text: str) -> None:
    batch = read_table(text)
    assert batch.days == (DayReads(BREAD, DAY, 1142),)
    assert batch.problems == ()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(encoding: str) -> None:
    batch = read_table(
        "path,reads\n/café/,7\n".encode(encoding), site="https://paper.example/x.csv"
    )
    assert batch.totals == (TotalReads(StoryKey(url="https://paper.example/café/"), 7),)


def test_without_dates_the_numbers_are_totals_by_id_or_path() -> None:
    assert read_table("id,views\n41,142\n").totals == (TotalReads(StoryKey(native_id="41"), 142),)
    assert read_table("path,views\n/bread/,142\n").totals == (TotalReads(StoryKey("/bread/"), 142),)


@pytest.mark.parametrize(
    ("header", "kind"),
    [("reads", ReadKind.VIEWS), ("Visitors", ReadKind.VISITORS), ("Sessions", ReadKind.VISITS)],
)
def test_the_column_tells_what_is_counted(header: str, kind: ReadKind) -> None:
    assert read_table(f"url,{header}\nhttps://paper.example/,1\n").kind is kind


def test_bad_rows_name_their_line_and_the_rest_is_kept() -> None:
    batch = read_table(
        "url,date,reads\n"
        "https://paper.example/bread/,2025-08-05,1\n"
        "https://paper.example/bread/,05/08/2025,1\n"
        "https://paper.example/bread/,2025-08-05,many\n"
        "https://paper.example/bread/,2025-08-05,-4\n"
        "https://paper.example/bread/\n"
        ",2025-08-05,4\n"
        "(not set),2025-08-05,4\n",
        name="reads.csv",
    )
    assert batch.days == (DayReads(BREAD, DAY, 1),)
    assert [problem.partition(" was ")[0] for problem in batch.problems] == [
        f"line {number} of reads.csv" for number in range(3, 9)
    ]
    assert '"05/08/2025" is not a date' in batch.problems[0]
    assert '"many" is not a whole number' in batch.problems[1]
    assert "it has 1 of 3 columns" in batch.problems[3]


@pytest.mark.parametrize(
    "text", ["", "\n\n", "a,b\n1,2\n", "url,date\nx,y\n", "reads\n4\n", "<html><body>no</body>"]
)
def test_a_table_without_its_columns_is_refused(text: str) -> None:
    with pytest.raises(ParseError, match=r"no column .* first line must name the columns"):
        read_table(text)


@pytest.mark.parametrize("of_the_process", [131_072, 1_000_000])
def test_a_cell_of_monstrous_size_is_refused(of_the_process: int) -> None:
    before = csv.field_size_limit(of_the_process)
    try:
        with pytest.raises(ParseError, match="not a table"):
            read_table("url,reads\n" + "x" * 200_000 + ",1\n")
    finally:
        csv.field_size_limit(before)


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_any_input_is_a_batch_or_our_error(text: str | bytes) -> None:
    try:
        batch = read_table(text)
    except ParseError:
        return
    assert batch.days or batch.totals or batch.problems or batch == type(batch)(kind=batch.kind)


CELL = st.text(alphabet='/ax.:-0123456789,;"\t\n #', max_size=12)


@given(st.lists(st.tuples(CELL, CELL, CELL), max_size=8), st.sampled_from([",", ";", "\t"]))
def test_any_rows_are_counts_or_problems(rows: list[tuple[str, str, str]], mark: str) -> None:
    text = mark.join(("url", "date", "reads")) + "\n"
    text += "\n".join(mark.join(row) for row in rows)
    try:
        batch = read_table(text)
    except ParseError:
        return
    assert all(row.count >= 0 and row.story.url for row in batch.days)
    assert batch.totals == ()


@given(st.integers(0, 10**9), st.sampled_from(["", ",", ".", " ", "\u00a0", "\u202f", "'"]))
def test_a_grouped_number_comes_back(number: int, mark: str) -> None:
    assert parse_count(f" {number:,} ".replace(",", mark)) == number


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "1,23", "1e5", "１２", "9" * 20, "1,234.5"])
def test_what_is_no_count(text: str) -> None:
    assert parse_count(text) is None


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_days_come_back(day: date) -> None:
    for form in ("%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%d.%m.%Y", "%Y-%m-%dT00:00:00Z"):
        assert parse_day(day.strftime(form)) == day


def test_a_csv_is_fetched_and_its_paths_are_of_its_site(site: Any, fetcher: Fetcher) -> None:
    site.page("/stats/reads.csv", b"path,date,reads\n/bread/,2025-08-05,3\nx,y,z\n")
    reads = Reads(
        slug="own", source="paper", kind="csv", url=site.url("/stats/reads.csv"),
        allow_private=True,
    )  # fmt: skip
    batch = fetch_table(Poll(fetcher, reads, DAY))
    assert batch.days == (DayReads(StoryKey(url=site.url("/bread/")), DAY, 3),)
    assert site.url("/stats/reads.csv") in batch.problems[0]


def test_a_counter_without_an_address_says_how_to_bring_its_counts(fetcher: Fetcher) -> None:
    with pytest.raises(SourceError, match="newsletter reads import FILE"):
        fetch_table(Poll(fetcher, Reads(slug="own", source="paper", kind="csv"), DAY))


class Counter:
    """The plugin's route: counts by range."""

    def __init__(self, site: Any, **ranges: list[dict[str, Any]]) -> None:
        self.ranges = ranges
        self.asked: list[dict[str, str]] = []
        self.reads = Reads(
            slug="wpp", source="paper", kind="wordpress-popular-posts",
            url=site.url("/wp-json/"), allow_private=True,
        )  # fmt: skip
        site.pages["/wp-json/wordpress-popular-posts/v1/popular-posts"] = self.answer

    def answer(self, request: Any) -> None:
        query = {k: v[0] for k, v in parse_qs(urlsplit(request.path).query).items()}
        self.asked.append(query)
        start = int(query["offset"])
        rows = self.ranges[query["range"]][start : start + int(query["limit"])]
        body = json.dumps(rows).encode()
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


def row(number: int, count: object) -> dict[str, Any]:
    return {"id": number, "pageviews": count}


def test_later_polls_read_totals_only(site: Any, fetcher: Fetcher) -> None:
    counter = Counter(site, all=[row(41, "142"), row(42, 7), row(43, "lots"), {"pageviews": "1"}])
    batch = fetch_popular_posts(Poll(fetcher, counter.reads, DAY, since=DAY))
    assert batch.totals == (
        TotalReads(StoryKey(native_id="41"), 142),
        TotalReads(StoryKey(native_id="42"), 7),
    )
    assert batch.days == ()
    assert [problem.rpartition(": ")[2] for problem in batch.problems] == [
        'post 43 has "lots" as its pageviews',
        "it has no post id",
    ]
    assert [asked["range"] for asked in counter.asked] == ["all"]


def test_all_pages_of_a_counter_are_read(site: Any, fetcher: Fetcher) -> None:
    counter = Counter(site, all=[row(n, "1") for n in range(1, 251)])
    assert len(fetch_popular_posts(Poll(fetcher, counter.reads, DAY, since=DAY)).totals) == 250
    assert [asked["offset"] for asked in counter.asked] == ["0", "100", "200"]


def test_the_first_poll_also_estimates_the_days(site: Any, fetcher: Fetcher) -> None:
    counter = Counter(
        site,
        all=[row(41, "500")],
        last24hours=[row(41, "10")],
        last7days=[row(41, "70")],
        last30days=[row(41, "162")],
    )
    batch = fetch_popular_posts(Poll(fetcher, counter.reads, DAY))
    by_day = {entry.day: entry.count for entry in batch.days}
    assert by_day[DAY] == 10
    assert [by_day[DAY - timedelta(days=back)] for back in range(1, 7)] == [10] * 6
    assert [by_day[DAY - timedelta(days=back)] for back in range(7, 30)] == [4] * 23
    assert len(by_day) == 30
    assert batch.totals == (TotalReads(StoryKey(native_id="41"), 500),)


def test_a_site_without_the_plugin_is_named(site: Any, fetcher: Fetcher) -> None:
    reads = Counter(site, all=[]).reads
    site.page("/wp-json/wordpress-popular-posts/v1/popular-posts", b'{"code": "x"}')
    with pytest.raises(ParseError, match="plugin WordPress Popular Posts is active"):
        fetch_popular_posts(Poll(fetcher, reads, DAY, since=DAY))


COUNTS = st.dictionaries(st.sampled_from(["1", "2", "3"]), st.integers(0, 5000))


@given(COUNTS, COUNTS, COUNTS)
def test_estimated_days_keep_the_sums_of_their_windows(
    day: dict[str, int], week: dict[str, int], month: dict[str, int]
) -> None:
    found = estimate_days(day, week, month, today=DAY)
    for story in {*day, *week, *month}:
        mine = {e.day: e.count for e in found if e.story.native_id == story}
        wanted = max(day.get(story, 0), week.get(story, 0), month.get(story, 0))
        assert sum(mine.values()) == wanted
        assert mine.get(DAY, 0) == day.get(story, 0)
        assert all(DAY - timedelta(days=29) <= d <= DAY for d in mine)


@given(st.integers(0, 10**6), st.integers(1, 40))
def test_spreading_keeps_the_sum(count: int, parts: int) -> None:
    shares = spread_evenly(count, parts)
    assert sum(shares) == count
    assert max(shares) - min(shares) <= 1
