"""Exports of the common counters, recognised by their headers; CSV and JSON."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import ParseError
from newsletter.sources.model import DayReads, ReadBatch, ReadKind, StoryKey, TotalReads
from newsletter.sources.read_counts import read_table

DAY = date(2025, 8, 5)
SITE = "https://paper.example"
BREAD = StoryKey(url="https://paper.example/bread/")
VIEWS, VISITORS, VISITS = ReadKind.VIEWS, ReadKind.VISITORS, ReadKind.VISITS

GA4_CSV = """\
# ----------------------------------------
# Pages and screens: Page path and screen class
# Start date: 20250805
# End date: 20250805
# ----------------------------------------

Page path and screen class,Views,Active users,Views per active user,Event count
/bread/,142,90,1.57,400
"""
PLAUSIBLE_CSV = "name,visitors,pageviews,bounce_rate,time_on_page\n/bread/,90,142,55,31\n"
MATOMO_CSV = (
    "label,nb_visits,nb_uniq_visitors,nb_hits,sum_time_spent,url\n"
    "/bread/,100,90,142,300,https://paper.example/bread/\n"
)
JETPACK_CSV = (
    '"date","post_id","post_title","post_permalink","views"\n'
    '"2025-08-05","41","Bread","https://paper.example/bread/","142"\n'
)
GA4_JSON = {
    "dimensionHeaders": [{"name": "pagePath"}, {"name": "date"}],
    "metricHeaders": [{"name": "screenPageViews"}, {"name": "activeUsers"}],
    "rows": [
        {
            "dimensionValues": [{"value": "/bread/"}, {"value": "20250805"}],
            "metricValues": [{"value": "142"}, {"value": "90"}],
        }
    ],
}
PLAUSIBLE_JSON = {
    "results": [{"dimensions": ["/bread/"], "metrics": [142, 90]}],
    "meta": {},
    "query": {
        "metrics": ["pageviews", "visitors"],
        "dimensions": ["event:page"],
        "date_range": ["2025-08-05T00:00:00-04:00", "2025-08-05T23:59:59-04:00"],
    },
}
MATOMO_JSON = {
    "2025-08-05": [
        {
            "label": "/bread/",
            "nb_hits": 142,
            "nb_visits": 100,
            "url": "https://paper.example/bread/",
        }
    ],
    "2025-08-06": [],
}
JETPACK_JSON = {
    "date": "2025-08-05",
    "days": {
        "2025-08-05": {
            "postviews": [
                {
                    "id": 41,
                    "href": "https://paper.example/bread/",
                    "title": "Bread",
                    "type": "post",
                    "views": 142,
                }
            ],
            "total_views": 142,
        }
    },
    "period": "day",
}


@pytest.mark.parametrize(
    ("export", "name"),
    [
        (GA4_CSV, "GA4"),
        (JETPACK_CSV, "Jetpack"),
        (GA4_JSON, "GA4"),
        (PLAUSIBLE_JSON, "Plausible"),
        (MATOMO_JSON, "Matomo"),
        (JETPACK_JSON, "Jetpack"),
    ],
)
def test_an_export_that_tells_its_days(export: Any, name: str) -> None:
    text = export if isinstance(export, str) else json.dumps(export)
    batch = read_table(text, site=SITE)
    assert (batch.recognised, batch.kind) == (name, VIEWS)
    assert batch.days == (DayReads(BREAD, DAY, 142),)
    assert (batch.totals, batch.problems) == ((), ())


@pytest.mark.parametrize("period", ["week", "month", "year"])
def test_jetpack_s_longer_periods_are_no_days(period: str) -> None:
    with pytest.raises(ParseError, match=f"a whole {period} under one day; ask for them by day"):
        read_table(json.dumps(JETPACK_JSON | {"period": period}), site=SITE)
    posts = JETPACK_JSON["days"]["2025-08-05"]["postviews"]
    summed = json.dumps({"period": period, "summary": {"postviews": posts}})
    with pytest.raises(ParseError, match="does not tell which days"):
        read_table(summed, site=SITE)
    batch = read_table(summed, site=SITE, window=(DAY, DAY + timedelta(days=1)))
    assert [row.count for row in batch.days] == [71, 71]


@pytest.mark.parametrize(("export", "name"), [(PLAUSIBLE_CSV, "Plausible"), (MATOMO_CSV, "Matomo")])
def test_an_export_without_days_needs_them_named(export: str, name: str) -> None:
    with pytest.raises(ParseError, match=f"an export of {name} and does not tell which days"):
        read_table(export, site=SITE)
    batch = read_table(export, site=SITE, window=(DAY, DAY))
    assert batch.days == (DayReads(BREAD, DAY, 142),)


@pytest.mark.parametrize(
    ("export", "kind", "count"),
    [
        (GA4_CSV, VISITORS, 90),
        (json.dumps(GA4_JSON), VISITORS, 90),
        (json.dumps(PLAUSIBLE_JSON), VISITORS, 90),
        (json.dumps(MATOMO_JSON), VISITS, 100),
    ],
)
def test_the_kind_that_is_asked_for_is_taken(export: str, kind: ReadKind, count: int) -> None:
    batch = read_table(export, site=SITE, stats_kind=kind.value)
    assert (batch.kind, batch.days) == (kind, (DayReads(BREAD, DAY, count),))


def test_a_kind_that_is_not_there_is_told() -> None:
    with pytest.raises(ParseError, match='has no column "visits"'):
        read_table(GA4_CSV, stats_kind="visits")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            GA4_CSV.replace("Page path and screen class,", "Page title and screen class,"),
            r"choose the dimension “Page path and screen class”",
        ),
        ("Page title and screen name,Views\nBread,9\n", "choose the dimension “Page path and"),
        ('"Home page / Archives",1234\n"Bread is dearer",99\n', r"bring the JSON of their API"),
        ('"Bread, and more","1,234"\n', r"names posts by their titles only"),
        ("Bread,Mill\n", r"first line must name the columns, as in url,date,reads"),
    ],
)
def test_an_export_without_addresses_says_what_to_bring_instead(text: str, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        read_table(text)


def test_a_window_is_spread_over_its_days_and_keeps_its_sum() -> None:
    batch = read_table(
        "url,views\nhttps://paper.example/bread/,10\n", window=(date(2025, 8, 2), DAY)
    )
    assert {row.day.day: row.count for row in batch.days} == {2: 2, 3: 2, 4: 3, 5: 3}
    assert batch.totals == ()


def test_full_addresses_keep_the_tag_by_which_our_own_visits_are_known() -> None:
    tagged = "paper.example/bread/?utm_source=newsletter&utm_medium=email"
    batch = read_table(f"fullPageUrl,date,screenPageViews\n{tagged},20250805,4\n")
    assert batch.days[0].story == StoryKey(url=f"https://{tagged}")


@pytest.mark.parametrize(
    "document",
    [
        [{"url": "https://paper.example/bread/", "reads": 142}],
        {"reads": [{"path": "/bread/", "reads": "142"}]},
        {"data": [{"url": "https://paper.example/bread/", "views": 142.0, "note": None}]},
    ],
)
def test_plain_json_holds_totals(document: Any) -> None:
    batch = read_table(json.dumps(document).encode(), site=SITE)
    assert batch.totals == (TotalReads(BREAD, 142),)
    assert batch.recognised == ""


def test_bad_rows_of_json_are_named() -> None:
    rows = [{"url": "https://paper.example/bread/", "reads": n} for n in (1, "many", None, True)]
    batch = read_table(json.dumps(rows), name="reads.json")
    assert batch.totals == (TotalReads(BREAD, 1),)
    assert [p.partition(" was ")[0] for p in batch.problems] == [
        f"row {number} of reads.json" for number in (2, 3, 4)
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "holds no list of reads"),
        ('{"a": 1}', "holds no list of reads"),
        ('[{"a": 1}]', "no column"),
        ('{"result": "error", "message": "bad token"}', "Matomo answers “bad token”"),
    ],
)
def test_json_without_reads_is_refused(text: str, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        read_table(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["url", "reads", "date", "days", "rows", "results", "query", "metricHeaders"]
            )
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=3) | st.dictionaries(st.text(max_size=9), JSON, max_size=4))
def test_any_json_is_a_batch_or_our_error(document: Any) -> None:
    try:
        batch = read_table(json.dumps(document))
    except ParseError:
        return
    assert isinstance(batch, ReadBatch)
