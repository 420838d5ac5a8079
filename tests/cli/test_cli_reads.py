"""`newsletter reads` as an editor meets it: what matched, what did not, what is doubtful."""

import gzip
import json
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from newsletter.clock import ShiftedClock
from newsletter.config import load_config
from newsletter.feedback.model import ClickSum
from newsletter.issues.links import story_links
from newsletter.issues.model import IssueState
from newsletter.sources.access_log import LogCounter
from newsletter.storage.database import Database
from newsletter.workflows.opening import open_installation
from newsletter.workflows.reads import sync_reads
from tests.cli.counted_paper import DAY, Call, Paper, counter
from tests.contracts.nouns import NOW, a_story, an_issue
from tests.sources.test_access_log import log_line
from tests.web_pages import Site, fetcher, site, ssl_context

__all__ = ["fetcher", "site", "ssl_context"]


READS_WARNING = ("reads of weekly", "warn")
TAG = "?utm_source=newsletter&utm_medium=email&utm_campaign=weekly-2025-W31"


@pytest.fixture
def paper(tmp_path: Path, call: Call) -> Callable[[str], Paper]:
    return lambda counters: Paper(tmp_path, call, counters)


def test_an_import_tells_what_matched_and_what_did_not(paper: Callable[[str], Paper]) -> None:
    desk = paper(counter("hand", "csv"))
    rows = [f"https://paper.example/other{n},2025-08-04,1" for n in range(12)]
    desk.write("reads.csv", "url,date,reads", "https://paper.example/1,2025-08-04,142", *rows)
    (report,) = desk.report("import", "reads.csv")
    assert (report["rows"], report["matched"], report["unmatched_count"]) == (13, 1, 12)
    assert len(report["unmatched"]) == 10
    assert report["kind"] == "views"
    spoken = desk.reads("import", "reads.csv")
    assert "hand (views): 1 of 13 rows matched a story" in spoken.out
    assert "no story has https://paper.example/other0" in spoken.err
    assert "and 2 more that no story has" in spoken.err
    assert desk.sums("hand") == {"story1": 142}


def test_a_log_counts_once_however_often_and_in_whatever_form_it_comes(
    paper: Callable[[str], Paper],
) -> None:
    desk = paper(counter("server", "access-log"))
    lines = [log_line(path="/1", client=f"192.0.2.{n}") for n in range(5)]
    bot = log_line(path="/1", agent="Googlebot/2.1 (+http://www.google.com/bot.html)")
    log = desk.write("access.log", *lines, bot, lines[0], "garbage")
    (report,) = desk.report("import", "access.log")
    assert report["kind"] == "visits"
    assert (report["rows"], report["matched"]) == (8, 5)
    assert "1 of bots, 1 repeats" in report["note"]
    assert "1 of 8 lines are not in the combined format" in report["problems"][0]
    (desk.folder / "old.gz").write_bytes(gzip.compress(log.read_bytes()))
    assert desk.report("import", "old.gz")[0]["rows"] == 0
    assert desk.sums("server") == {"story1": 5}


def test_a_log_s_pages_that_no_story_has_are_named_by_how_often_they_were_read(
    paper: Callable[[str], Paper],
) -> None:
    desk = paper(counter("server", "access-log", 'path = "access.log"'))
    pages = [f"/page{n:02}" for n in range(12) for _ in range(n + 1)]
    desk.write("access.log", *(log_line(path=path) for path in ("/1", "/a.css", *pages)))
    spoken = desk.reads("sync")
    assert "server (visits): 1 of 80 rows matched a story" in spoken.out
    told = [line for line in spoken.err.splitlines() if "no story has" in line]
    assert told[:2] == ["  no story has /page11", "  no story has /page10"]
    assert told[-1] == "  … and 2 more that no story has"
    assert len(told) == 11
    assert desk.report("sync")[0]["unmatched"] == []


def test_a_tailed_log_is_read_on_across_its_rotation(paper: Callable[[str], Paper]) -> None:
    desk = paper(counter("server", "access-log", 'path = "access.log"'))
    log = desk.write("access.log", log_line(path="/1"))
    assert desk.report("sync")[0]["matched"] == 1
    tag = "/1?utm_source=newsletter&utm_medium=email&utm_campaign=weekly-2025-W31"
    at = datetime(2025, 8, 5, 12, 10, tzinfo=UTC)
    with log.open("a", encoding="utf-8") as file:
        file.write(log_line(at, path="/1") + "\n" + log_line(path=tag, client="192.0.2.9") + "\n")
    log.rename(desk.folder / "access.log.1")
    desk.write("access.log", log_line(at, path="/2"))
    (report,) = desk.report("sync")
    # The reader of before came again within half an hour.
    assert (report["rows"], report["matched"]) == (3, 2)
    assert "1 reads came from our mails" in report["note"]
    assert desk.report("sync")[0]["rows"] == 0
    assert desk.sums("server") == {"story1": 2, "story2": 1}
    assert desk.sums("server", less_own=True) == {"story1": 1, "story2": 1}


def test_two_that_count_one_log_at_the_same_time_count_it_once(
    paper: Callable[[str], Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = paper(counter("server", "access-log", 'path = "access.log"'))
    desk.write("access.log", log_line(path="/1"))
    take, others = LogCounter.take, iter([lambda: desk.report("sync")])

    def take_second(self: LogCounter, lines: Iterable[bytes]) -> None:
        for other in others:
            assert other()[0]["matched"] == 1
        take(self, lines)

    monkeypatch.setattr(LogCounter, "take", take_second)
    (report,) = desk.report("sync", status=1)
    assert "another process counted the log of server" in report["error"]
    assert desk.sums("server") == {"story1": 1}


def test_one_counter_that_fails_never_stops_another(
    paper: Callable[[str], Paper], site: Site
) -> None:
    site.page("/reads.csv", b"url,date,reads\nhttps://paper.example/2,2025-08-05,7\n")
    desk = paper(
        counter("gone", "access-log", 'path = "/nowhere/access.log"')
        + counter("table", "csv", f'url = "{site.url("/reads.csv")}"', "allow_private = true")
    )
    gone, table = desk.report("sync", status=1)
    assert gone["error"].startswith("/nowhere/access.log: there is no such log")
    assert (table["error"], table["matched"]) == ("", 1)
    assert desk.sums("table") == {"story2": 7}


def test_a_counter_that_asks_us_to_wait_is_left_alone_by_every_process(
    paper: Callable[[str], Paper], site: Site
) -> None:
    site.page("/reads.csv", b"", status=503, Retry_After="7200")
    desk = paper(
        counter("table", "csv", f'url = "{site.url("/reads.csv")}"', "allow_private = true")
    )
    (failed,) = desk.report("sync", now="2025-08-05T12:00:00Z", status=1)
    assert "is busy" in failed["error"] or "503" in failed["error"]
    site.page("/reads.csv", b"url,date,reads\nhttps://paper.example/2,2025-08-05,7\n")
    (waiting,) = desk.report("sync", now="2025-08-05T13:00:00Z")
    assert waiting["waiting"] == "it asked us to wait until 2025-08-05 14:00 UTC"
    spoken = desk.reads("sync", now="2025-08-05T13:30:00Z")
    assert spoken.out == "table: not asked: it asked us to wait until 2025-08-05 14:00 UTC\n"
    assert len(site.seen) == 1
    assert desk.report("sync", now="2025-08-05T14:01:00Z")[0]["matched"] == 1


def test_a_counter_that_fails_is_asked_less_and_less_by_the_service(
    paper: Callable[[str], Paper], site: Site
) -> None:
    site.page("/reads.csv", b"", status=500)
    desk = paper(
        counter("table", "csv", f'url = "{site.url("/reads.csv")}"', "allow_private = true")
    )

    def refreshed(now: datetime) -> int:
        config = load_config(desk.folder / "config.toml", {})
        with open_installation(config, ShiftedClock(now)) as installation:
            sync_reads(installation, due_only=True)
        return len(site.seen)

    minute = timedelta(minutes=1)
    assert [refreshed(NOW + at * minute) for at in (0, 5, 20, 40, 65)] == [1, 1, 2, 2, 3]
    # A person need not wait, nor does a counter that moved.
    desk.report("sync", now=(NOW + 66 * minute).isoformat(), status=1)
    config = desk.folder / "config.toml"
    config.write_text(
        config.read_text(encoding="utf-8").replace("/reads.csv", "/moved.csv"), "utf-8"
    )
    assert refreshed(NOW + 67 * minute) == 5


def test_a_jump_is_set_aside_told_every_time_and_counted_when_confirmed(
    paper: Callable[[str], Paper], site: Site
) -> None:
    address = f'url = "{site.url("/totals.csv")}"'
    desk = paper(counter("totals", "csv", address, "allow_private = true"))

    def poll(total: int) -> dict[str, Any]:
        text = f"url,reads\nhttps://paper.example/1,{total}\nhttps://paper.example/2,300\n"
        site.page("/totals.csv", text.encode())
        return desk.report("sync")[0]

    poll(142)
    poll(145)
    for total in (14_600, 14_700):
        report = poll(total)
        assert desk.sums("totals") == {"story1": 145, "story2": 300}
        assert (
            f"{total - 145} views of “Headline 1” on 2025-08-05 are set aside"
            in (report["set_aside"][0])
        )
    answer = desk.reads("confirm", "--json").json
    assert (answer["counts"], answer["total"]) == (1, 14_555)
    assert desk.sums("totals")["story1"] == 14_700
    assert poll(14_705)["set_aside"] == []
    assert desk.sums("totals")["story1"] == 14_705


def test_a_jump_that_is_gone_again_is_forgotten(paper: Callable[[str], Paper], site: Site) -> None:
    desk = paper(counter("totals", "csv", f'url = "{site.url("/t.csv")}"', "allow_private = true"))
    for total, aside in ((142, 0), (99_000, 1), (150, 0)):
        site.page("/t.csv", f"url,reads\nhttps://paper.example/1,{total}\n".encode())
        assert len(desk.report("sync")[0]["set_aside"]) == aside
    assert desk.sums("totals") == {"story1": 150}


def test_a_jump_may_be_left_out_for_good(paper: Callable[[str], Paper], site: Site) -> None:
    desk = paper(counter("totals", "csv", f'url = "{site.url("/t.csv")}"', "allow_private = true"))
    for total in (142, 99_000):
        site.page("/t.csv", f"url,reads\nhttps://paper.example/1,{total}\n".encode())
        desk.report("sync")
    desk.reads("confirm", "--leave-out")
    site.page("/t.csv", b"url,reads\nhttps://paper.example/1,99004\n")
    assert desk.report("sync")[0]["set_aside"] == []
    assert desk.sums("totals") == {"story1": 146}


def test_a_reset_and_a_lag_are_told_apart(paper: Callable[[str], Paper], site: Site) -> None:
    desk = paper(counter("totals", "csv", f'url = "{site.url("/t.csv")}"', "allow_private = true"))

    def poll(total: int, day: int, hour: int = 12) -> dict[str, Any]:
        site.page("/t.csv", f"url,reads\nhttps://paper.example/1,{total}\n".encode())
        (report,) = desk.report("sync", now=f"2025-08-{day:02}T{hour}:00:00Z")
        assert desk.sums("totals", until=date(2025, 9, 1))["story1"] >= 142
        return report

    told = [poll(total, 5, hour) for total, hour in ((142, 12), (140, 13), (143, 14))]
    assert [bool(report["problems"]) for report in told] == [False, True, False]
    assert "nothing is counted until it is past 142 again" in told[1]["problems"][0]
    # A far fall may be a lag, too: of that nothing counts while it may pass.
    for total, day in ((5, 6), (150, 7), (5, 8), (9, 9)):
        aside = poll(total, day)["set_aside"]
        assert len(aside) == (total < 10)
    assert "fell from 150 to 9: a cache that lags, or a reset" in aside[0]
    assert "if it stays below for 2 days, or at once by `newsletter reads confirm" in aside[0]
    assert desk.sums("totals", until=date(2025, 9, 1)) == {"story1": 150}
    reset = poll(12, 10)
    assert (
        "fell from 150, stayed below it and is 12 now: taken as a counter" in reset["problems"][0]
    )
    assert reset["set_aside"] == []
    poll(20, 11)
    assert desk.sums("totals", until=date(2025, 9, 1)) == {"story1": 150 + 20}


def test_a_reset_may_be_confirmed_at_once(paper: Callable[[str], Paper], site: Site) -> None:
    desk = paper(counter("totals", "csv", f'url = "{site.url("/t.csv")}"', "allow_private = true"))
    for total in (900, 4):
        site.page("/t.csv", f"url,reads\nhttps://paper.example/1,{total}\n".encode())
        desk.report("sync")
    assert desk.reads("confirm", "--json").json["total"] == 4
    site.page("/t.csv", b"url,reads\nhttps://paper.example/1,7\n")
    assert desk.report("sync")[0]["set_aside"] == []
    assert desk.sums("totals") == {"story1": 907}


def test_a_counter_that_changes_its_kind_starts_anew(
    paper: Callable[[str], Paper], site: Site
) -> None:
    desk = paper(counter("totals", "csv", f'url = "{site.url("/t.csv")}"', "allow_private = true"))
    ranked = []
    for head, total in (("views", 142), ("visitors", 90), ("visitors", 95), ("views", 300)):
        site.page("/t.csv", f"url,{head}\nhttps://paper.example/1,{total}\n".encode())
        report = desk.report("sync")[0]
        told = [p for p in report["problems"] if "the two are not mixed, counting starts" in p]
        assert len(told) == (total in (90, 300))
        ranked.append(desk.sums("totals"))
    # What it grew by while it counted something else is nobody's day.
    assert ranked == [{"story1": 142}, {}, {"story1": 5}, {"story1": 142}]


def test_a_counter_of_days_that_changes_its_kind_starts_anew(
    paper: Callable[[str], Paper],
) -> None:
    desk = paper(counter("hand", "csv"))
    desk.write("r.csv", "url,date,views", "https://paper.example/1,2025-08-05,142")
    assert desk.report("import", "r.csv")[0]["problems"] == []
    desk.write("r.csv", "url,date,visitors", "https://paper.example/2,2025-08-04,90")
    refused = desk.reads("import", "r.csv", status=2)
    assert refused.err == (
        "newsletter: r.csv: counts visitors, but hand has counted views so far, and the two are "
        "never mixed; bring a file of views, or let hand count visitors from now on by --new-kind, "
        "which leaves what it told before out of the ranking\n"
    )
    assert desk.sums("hand") == {"story1": 142}
    (report,) = desk.report("import", "r.csv", "--new-kind")
    assert report["problems"] == [
        "hand counts visitors now, and views before: the two are not mixed, counting starts anew"
    ]
    assert desk.sums("hand") == {"story2": 90}
    assert desk.report("import", "r.csv")[0]["problems"] == []
    desk.write("access.log", log_line(path="/1"))
    assert "access.log: counts visits, but hand" in desk.reads("import", "access.log", status=2).err


def test_a_new_kind_is_told_of_for_a_month(paper: Callable[[str], Paper], call: Call) -> None:
    desk = paper(counter("hand", "csv"))
    told = (
        "Since 2025-08-05 hand counts visitors, by which its stories rank; the views that it "
        "counted until then rank no more."
    )

    database = Database.open(f"sqlite:///{desk.folder}/data/newsletter.sqlite")
    with database.write() as tx:
        tx.stories.save([a_story(3, published_at=NOW + timedelta(days=30))])
    database.close()

    def drafted(now: str) -> list[str]:
        answer = call(desk.folder, "issue", "draft", "--no-fetch", "--json", "--now", now)
        notices: list[str] = answer.json["notices"]
        return notices

    desk.write("r.csv", "url,date,views", "https://paper.example/1,2025-08-05,142")
    desk.report("import", "r.csv")
    assert told not in drafted("2025-08-05T12:30:00Z")
    desk.write("r.csv", "url,date,visitors", "https://paper.example/1,2025-08-05,90")
    desk.report("import", "r.csv", "--new-kind")
    assert told in drafted("2025-08-12T12:00:00Z")
    assert told not in drafted("2025-09-05T12:00:00Z")
    now = datetime.now(UTC).isoformat()
    checks = call(desk.folder, "check", "--json").json["checks"]
    assert not [c for c in checks if (c["what"], c["level"]) == READS_WARNING]
    desk.write("r.csv", "url,date,views", f"https://paper.example/1,{now[:10]},142")
    desk.reads("import", "r.csv", "--new-kind", now=now)
    checks = call(desk.folder, "check", "--json").json["checks"]
    (warning,) = [c["sentence"] for c in checks if (c["what"], c["level"]) == READS_WARNING]
    assert "hand counts views, by which its stories rank" in warning


def test_counters_of_different_kinds_are_told_by_what_ranks(
    paper: Callable[[str], Paper], call: Call
) -> None:
    wire = '[[source]]\nslug = "wire"\nurl = "http://127.0.0.1:9/feed/"\nallow_private = true\n'
    other = counter("visits", "csv").replace('source = "site"', 'source = "wire"')
    desk = paper(wire + counter("views", "csv") + other)
    database = Database.open(f"sqlite:///{desk.folder}/data/newsletter.sqlite")
    with database.write() as tx:
        tx.stories.save([a_story(3, source="wire", url="https://wire.example/3")])
    database.close()
    desk.write("a.csv", "url,date,views", "https://paper.example/1,2025-08-05,142")
    desk.write("b.csv", "url,date,visits", "https://wire.example/3,2025-08-05,9000")

    def warnings() -> list[str]:
        checks = call(desk.folder, "check", "--json").json["checks"]
        return [c["sentence"] for c in checks if (c["what"], c["level"]) == READS_WARNING]

    desk.report("import", "a.csv", "--reads", "views")
    assert warnings() == []
    desk.report("import", "b.csv", "--reads", "visits")
    (warning,) = warnings()
    assert warning.startswith(
        "Stories rank by views, as views counts them. visits counts visits, which are never "
        "compared with views: no story of wire ranks by its reads."
    )
    drafted = call(
        desk.folder,
        *("issue", "draft", "--no-fetch", "--json", "--now", "2025-08-05T13:00:00Z"),
    ).json
    assert warning in drafted["notices"]
    ranked = [i for i in drafted["items"] if i["section"] == "most-read"]
    assert [item["story"] for item in ranked] == ["story1"]


def test_one_export_brought_to_the_counters_of_two_sources_counts_once(
    paper: Callable[[str], Paper], call: Call
) -> None:
    arts = '[[source]]\nslug = "arts"\nurl = "https://paper.example/arts/feed/"\n'
    second = counter("second", "csv").replace('source = "site"', 'source = "arts"')
    desk = paper(arts + counter("first", "csv") + second)
    database = Database.open(f"sqlite:///{desk.folder}/data/newsletter.sqlite")
    with database.write() as tx:
        tx.stories.save([a_story(3, source="arts")])
    database.close()
    # GA4 tells of the whole site, whatever section a page is in.
    desk.write("ga4.csv", "pagePath,date,screenPageViews", "/1,20250804,150", "/3,20250804,90")
    for slug in ("first", "second"):
        (report,) = desk.report("import", "ga4.csv", "--reads", slug)
        assert report["matched"] == 2
    drafted = call(
        desk.folder, *("issue", "draft", "--no-fetch", "--json", "--now", "2025-08-05T13:00:00Z")
    ).json
    ranked = {i["story"]: i["reads"] for i in drafted["items"] if i["section"] == "most-read"}
    assert ranked == {"story1": 150, "story3": 90}
    assert not any("Stories rank by" in notice for notice in drafted["notices"])


def mailed(desk: Paper, clicks: dict[str, ClickSum]) -> None:
    """Let last week's issue have had stories 1 and 2, with ``clicks`` on the day before."""
    database = Database.open(f"sqlite:///{desk.folder}/data/newsletter.sqlite")
    issue = an_issue("2025-W31", send_at=NOW - timedelta(days=4), state=IssueState.SENT)
    with database.write() as tx:
        assert tx.issues.create(issue, NOW, "test")
        links = {link.story_id: link for link in story_links(issue)}
        tx.links.keep(issue.public_id, links.values())
        day = DAY - timedelta(days=1)
        tx.links.add_clicks({(links[s].public_id, day): sum_ for s, sum_ in clicks.items()})
    database.close()


def test_clicks_in_our_mails_are_taken_off_where_the_counter_sees_no_tag(
    paper: Callable[[str], Paper], call: Call, site: Site
) -> None:
    # A counter of running totals, and one of days brought by hand.
    address = f'url = "{site.url("/totals.csv")}"'
    wire = '[[source]]\nslug = "wire"\nurl = "https://wire.example/feed/"\n'
    hand = counter("hand", "csv").replace('source = "site"', 'source = "wire"')
    own = "[tracking]\nsubtract_own = true\n"
    desk = paper(wire + counter("totals", "csv", address, "allow_private = true") + hand + own)
    database = Database.open(f"sqlite:///{desk.folder}/data/newsletter.sqlite")
    with database.write() as tx:
        tx.stories.save([a_story(2, source="wire")])
    database.close()
    mailed(desk, {"story1": ClickSum(40, 500), "story2": ClickSum(300, 0)})
    site.page("/totals.csv", b"url,reads\nhttps://paper.example/1,142\n")
    desk.report("sync")
    days = [f"https://paper.example/2,2025-08-0{day},100" for day in (2, 4)]
    desk.write("hand.csv", "url,date,reads", *days, "https://paper.example/1,2025-08-03,5")
    for _ in range(2):
        desk.report("import", "hand.csv", "--reads", "hand")
    drafted = call(
        desk.folder, *("issue", "draft", "--no-fetch", "--json", "--now", "2025-08-05T13:00:00Z")
    ).json
    (item,) = [item for item in drafted["items"] if item["section"] == "most-read"]
    assert (item["story"], item["reads"]) == ("story1", 102)
    assert "40 reads by our own mails are left out." in item["reasons"]
    # More clicks than reads are no reads.
    assert desk.sums("hand", less_own=True) == {"story1": 0, "story2": 0}


def test_check_tells_where_our_own_reads_can_t_be_taken_off(
    paper: Callable[[str], Paper], call: Call
) -> None:
    desk = paper(counter("hand", "csv") + "[tracking]\nsubtract_own = true\n")
    config = desk.folder / "config.toml"
    text = config.read_text(encoding="utf-8")

    def warnings(changed: str) -> list[str]:
        config.write_text(changed, encoding="utf-8")
        checks = call(desk.folder, "check", "--json").json["checks"]
        return [c["sentence"] for c in checks if (c["what"], c["level"]) == READS_WARNING]

    assert warnings(text) == []
    off = text.replace("subtract_own", 'clicks = "off"\nsubtract_own')
    assert warnings(off) == [
        "hand can't tell visits from our mails apart, and clicks in them are not counted: nothing "
        "is subtracted; set [tracking] clicks to anonymous or count."
    ]
    desk.write("r.csv", "url,date,reads", f"https://paper.example/1{TAG},2025-08-04,9")
    desk.report("import", "r.csv")
    assert warnings(off) == []
    beacon = text.replace('kind = "csv"', 'kind = "beacon"')
    assert warnings(beacon) == []
    (warning,) = warnings(beacon.replace("subtract_own", 'utm_source = ""\nsubtract_own'))
    assert warning.endswith("nothing is subtracted; set [tracking] utm_source.")


def test_days_that_repeat_or_go_back(paper: Callable[[str], Paper]) -> None:
    desk = paper(counter("hand", "csv"))
    for count in (142, 142, 120):
        desk.write("r.csv", "url,date,reads", f"https://paper.example/1,2025-08-04,{count}")
        (report,) = desk.report("import", "r.csv")
    assert "went back from 142 to 120: the new number stands" in report["problems"][0]
    assert desk.sums("hand") == {"story1": 120}


def test_an_export_is_recognised_and_its_days_are_named(paper: Callable[[str], Paper]) -> None:
    desk = paper(counter("hand", "csv"))
    desk.write("pages.csv", "name,visitors,pageviews", "/1,90,142")
    refused = desk.reads("import", "pages.csv", status=1)
    assert "name them by --from and --until" in refused.err
    (report,) = desk.report("import", "pages.csv", "--from", "2025-08-01", "--until", "2025-08-04")
    assert report["note"] == "read as an export of Plausible"
    assert desk.sums("hand") == {"story1": 142}


def test_a_month_of_jetpack_is_not_booked_on_one_day(paper: Callable[[str], Paper]) -> None:
    desk = paper(counter("hand", "csv"))
    posts = [{"id": 1, "href": "https://paper.example/1", "title": "One", "views": 3_000}]
    month = {"date": "2025-08-01", "days": {"2025-08-01": {"postviews": posts}}, "period": "month"}
    desk.write("jetpack.json", json.dumps(month))
    refused = desk.reads("import", "jetpack.json", status=1)
    assert "the views of a whole month under one day; ask for them by day" in refused.err
    assert desk.sums("hand") == {}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("import", "none.csv"), "none.csv: can't be read"),
        (("import", "r.csv", "--format", "xml"), "--format: choose one of csv, json, access-log"),
        (("import", "r.csv", "--format", "json"), "r.csv: is not JSON"),
        (("import", "r.csv", "--until", "2025-08-05"), "--until needs --from"),
        (("import", "r.csv", "--from", "soon"), '--from: "soon" is no day'),
        (
            ("import", "r.csv", "--from", "2025-08-05", "--until", "2025-08-01"),
            "--until must be a day after --from",
        ),
    ],
)
def test_wrong_usage_is_one_line(
    paper: Callable[[str], Paper], arguments: tuple[str, ...], words: str
) -> None:
    desk = paper(counter("hand", "csv"))
    desk.write("r.csv", "url,date,reads")
    answer = desk.reads(*arguments, status=2)
    assert words in answer.err
    assert answer.err.count("\n") == 1


def test_printed_counters_are_learned_and_asked_once_a_day(
    paper: Callable[[str], Paper], site: Site
) -> None:
    desk = paper(counter("page", "page", 'selector = "span.views"', "allow_private = true"))
    page = '<body><p>7</p><span class="views">{} views</span></body>'
    site.page("/1", page.format("142").encode())
    learned = desk.reads("learn", site.url("/1"), "142")
    assert learned.out == "selector = 'span.views'\n"
    missing = desk.reads("learn", site.url("/1"), "143", status=1)
    assert "prints the number 143 nowhere" in missing.err
    database = Database.open(f"sqlite:///{desk.folder}/data/newsletter.sqlite")
    with database.write() as tx:
        tx.stories.save([a_story(1, url=site.url("/1")), a_story(2, hidden="password")])
    database.close()
    asked = [path for path, _ in site.seen].count("/1")
    assert desk.report("sync")[0]["matched"] == 1
    assert "asked today" in desk.report("sync", now="2025-08-05T20:00:00Z")[0]["note"]
    site.page("/1", page.format("150").encode())
    desk.report("sync", now="2025-08-06T12:00:00Z")
    assert [path for path, _ in site.seen].count("/1") - asked == 2
    assert desk.sums("page") == {"story1": 142}


def test_the_snippet_is_small_and_says_where_it_goes(paper: Callable[[str], Paper]) -> None:
    desk = paper(counter("hand", "csv"))
    answer = desk.reads("snippet")
    assert len(answer.out.encode()) < 1024
    assert answer.out.startswith("<script>")
    assert '"http://127.0.0.1:8000/b"' in answer.out
    assert "cookie" not in answer.out
    assert "just before </body>" in answer.err
    assert 'kind = "beacon"' in answer.err
    assert json.loads(desk.reads("snippet", "--json").out)["configured"] is False
