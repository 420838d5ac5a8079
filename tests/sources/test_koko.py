"""Koko Analytics, against a fake of the answers that the plugin was seen to give."""

import base64
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from newsletter.errors import ParseError, SourceError
from newsletter.net.fetcher import Fetcher
from newsletter.publication.sources import Reads
from newsletter.sources.koko import fetch_koko
from newsletter.sources.model import DayReads, ReadKind, StoryKey
from newsletter.sources.poll import Poll

DAY = date(2025, 8, 5)
YESTERDAY = DAY - timedelta(days=1)


def row(post: int, views: object, visitors: object = 1) -> dict[str, Any]:
    return {
        "path": f"/{post}/",
        "post_id": post,
        "label": f"Story {post}",
        "visitors": visitors,
        "pageviews": views,
        "post_permalink": f"https://paper.example/{post}/",
        "post_title": f"Story {post}",
    }


class Koko:
    """The plugin's route: rows by day, for whoever knows ``login``, or for all."""

    def __init__(self, site: Any, login: str = "", **days: list[dict[str, Any]]) -> None:
        self.days = days
        self.asked: list[dict[str, str]] = []
        self._login = "Basic " + base64.b64encode(login.encode()).decode() if login else ""
        self.url = site.url("/wp-json/")
        site.pages["/wp-json/koko-analytics/v1/posts"] = self.answer

    def reads(self, **changes: Any) -> Reads:
        return Reads(
            slug="koko",
            source="paper",
            kind="koko-analytics",
            url=self.url,
            allow_private=True,
            **changes,
        )

    def answer(self, request: Any) -> None:
        query = {k: v[0] for k, v in parse_qs(urlsplit(request.path).query).items()}
        self.asked.append(query)
        allowed = request.headers.get("Authorization", "") == self._login
        assert query["start_date"] == query["end_date"]
        start, day = int(query["offset"]), query["start_date"].replace("-", "_")
        rows: Any = self.days.get(f"on_{day}", [])[start : start + min(int(query["limit"]), 100)]
        if not allowed:
            rows = {"code": "rest_forbidden", "message": "Sorry."}
        body = json.dumps(rows).encode()
        request.send_response(200 if allowed else 401)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


def key(post: int) -> StoryKey:
    return StoryKey(f"https://paper.example/{post}/", str(post))


def test_each_day_since_the_one_before_the_last_asking(site: Any, fetcher: Fetcher) -> None:
    koko = Koko(site, on_2025_08_05=[row(41, 12)], on_2025_08_04=[row(41, 142), row(42, 7)])
    batch = fetch_koko(Poll(fetcher, koko.reads(), DAY, since=DAY))
    assert set(batch.days) == {
        DayReads(key(41), DAY, 12),
        DayReads(key(41), YESTERDAY, 142),
        DayReads(key(42), YESTERDAY, 7),
    }
    assert (batch.kind, batch.totals, batch.problems) == (ReadKind.VIEWS, (), ())
    assert [asked["start_date"] for asked in koko.asked] == ["2025-08-04", "2025-08-05"]


def test_the_first_asking_reaches_thirty_days_back(site: Any, fetcher: Fetcher) -> None:
    koko = Koko(site)
    fetch_koko(Poll(fetcher, koko.reads(), DAY))
    assert len(koko.asked) == 30
    assert koko.asked[0]["start_date"] == "2025-07-07"


def test_all_pages_of_a_day_are_read(site: Any, fetcher: Fetcher) -> None:
    koko = Koko(site, on_2025_08_05=[row(n, 1) for n in range(1, 251)])
    assert len(fetch_koko(Poll(fetcher, koko.reads(), DAY, since=DAY)).days) == 250
    assert [a["offset"] for a in koko.asked if a["start_date"] == "2025-08-05"] == [
        "0",
        "100",
        "200",
    ]


def test_visitors_where_the_config_says_so(site: Any, fetcher: Fetcher) -> None:
    koko = Koko(site, on_2025_08_05=[row(41, 12, visitors=9)])
    batch = fetch_koko(Poll(fetcher, koko.reads(stats_kind="visitors"), DAY, since=DAY))
    assert (batch.kind, batch.days) == (ReadKind.VISITORS, (DayReads(key(41), DAY, 9),))
    with pytest.raises(SourceError, match="no visits; set stats_kind"):
        fetch_koko(Poll(fetcher, koko.reads(stats_kind="visits"), DAY))


def test_bad_rows_are_told_and_paths_that_are_no_posts_passed_over(
    site: Any, fetcher: Fetcher
) -> None:
    front = {"path": "/", "post_id": 0, "visitors": 3, "pageviews": 5}
    koko = Koko(site, on_2025_08_05=[row(41, "many"), row(42, 3), front, {}, row(43, -1)])
    batch = fetch_koko(Poll(fetcher, koko.reads(), DAY, since=DAY))
    assert batch.days == (DayReads(key(42), DAY, 3),)
    assert [problem.rpartition(": ")[2] for problem in batch.problems] == [
        'post 41 has "many" as its pageviews',
        "it names no post",
        'post 43 has "-1" as its pageviews',
    ]


def test_an_application_password_opens_it_and_is_shown_nowhere(
    site: Any, fetcher: Fetcher, tmp_path: Path
) -> None:
    koko = Koko(site, login="desk:abcd efgh/:@", on_2025_08_05=[row(41, 12)])
    secret = tmp_path / "password"
    secret.write_text("abcd efgh/:@\n", encoding="utf-8")
    reads = koko.reads(username="desk", password_file=str(secret))
    assert fetch_koko(Poll(fetcher, reads, DAY, since=DAY)).days
    secret.write_text("wrong", encoding="utf-8")
    with pytest.raises(SourceError, match="application password") as refused:
        fetch_koko(Poll(fetcher, reads, DAY, since=DAY))
    assert "wrong" not in str(refused.value)
    secret.unlink()
    with pytest.raises(SourceError, match=r"password_file .* can't be read"):
        fetch_koko(Poll(fetcher, reads, DAY, since=DAY))


def test_a_site_without_the_plugin_is_named(site: Any, fetcher: Fetcher) -> None:
    koko = Koko(site)
    site.page("/wp-json/koko-analytics/v1/posts", b'{"code": "x"}')
    with pytest.raises(ParseError, match="plugin Koko Analytics is active"):
        fetch_koko(Poll(fetcher, koko.reads(), DAY))


def test_a_login_over_http_is_refused_save_in_ones_own_network() -> None:
    with pytest.raises(ValueError, match="a login needs an https address"):
        Reads(slug="k", source="s", kind="koko-analytics", url="http://p.example/", username="desk")
