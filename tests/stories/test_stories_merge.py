from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from newsletter.sources.model import SourceItem, SourcePicture
from newsletter.stories.merge import MergeResult, keys_of, merge_items
from newsletter.stories.model import Story

ZONE = ZoneInfo("America/New_York")
NOW = datetime(2025, 8, 5, 16, tzinfo=UTC)
HTML = (
    "<p>By Lilit Petrosyan</p><p>The mill turns again after forty years, and the baker has flour."
    "</p><figure><img src='/mill.jpg' alt='Mill'><figcaption>The wheel (photo Ani)</figcaption>"
    "</figure>"
)
ITEM = SourceItem(
    title="The mill turns",
    url="https://paper.example/2025/mill/?utm_source=feed",
    native_id="7",
    guid="https://paper.example/?p=7",
    html=HTML,
    author="The Paper",
    categories=("Region", "Life"),
    tags=("mill",),
    published_at=NOW - timedelta(hours=30),
    modified_at=NOW - timedelta(hours=29),
    comments=3,
)


def merge(*items: SourceItem, known: tuple[Story, ...] = (), source: str = "site") -> MergeResult:
    return merge_items(items, source, known, ZONE, NOW)


def only(result: MergeResult) -> Story:
    assert len(result.saved) == 1
    return result.saved[0]


def test_a_new_story_is_read() -> None:
    result = merge(ITEM)
    story = only(result)
    assert (result.new, result.changed, result.unchanged, result.problems) == (1, 0, 0, ())
    assert story.url == "https://paper.example/2025/mill/"
    assert story.byline == "Lilit Petrosyan"
    assert story.house_author == "The Paper"
    assert story.department == "Region"
    assert story.excerpt.startswith("The mill turns again")
    assert story.picture is not None
    assert story.picture.url == "https://paper.example/mill.jpg"
    assert (story.picture.caption, story.picture.credit) == ("The wheel", "Ani")
    assert story.minutes == 1
    assert story.first_seen_at == NOW


def test_the_local_day_counts() -> None:
    # Three in the morning in UTC is the evening before in New York.
    item = replace(ITEM, published_at=datetime(2025, 8, 5, 3, tzinfo=UTC))
    assert only(merge(item)).published_on == date(2025, 8, 4)


def test_the_same_again_changes_nothing() -> None:
    known = merge(ITEM).saved
    result = merge(ITEM, replace(ITEM, html=""), known=known)
    assert result == MergeResult(unchanged=1)


def test_the_same_item_is_the_same_story_in_every_process() -> None:
    assert only(merge(ITEM)).public_id == only(merge(ITEM)).public_id


def test_a_new_headline_and_address_are_taken() -> None:
    known = merge(ITEM).saved
    changed = replace(
        ITEM, title="The mill stops", url="https://paper.example/2025/stop/", modified_at=NOW
    )
    result = merge(changed, known=known)
    story = only(result)
    assert (result.new, result.changed) == (0, 1)
    assert story.public_id == known[0].public_id
    assert story.title == "The mill stops"
    assert story.title_key == "the mill stops"
    assert story.url == "https://paper.example/2025/stop/"


def test_nothing_known_is_lost() -> None:
    known = merge(ITEM).saved
    bare = SourceItem(title=ITEM.title, url=ITEM.url, native_id="7", modified_at=NOW)
    story = only(merge(bare, known=known))
    assert story == replace(known[0], modified_at=NOW)


def test_a_changed_caption_is_taken_though_the_text_is_not_read_again() -> None:
    pictured = replace(ITEM, picture=SourcePicture("https://paper.example/a.jpg", caption="One"))
    known = merge(pictured).saved
    told = SourcePicture("https://paper.example/a.jpg", caption="Two (photo Ani)")
    story = only(merge(replace(pictured, picture=told), known=known))
    assert story.picture is not None
    assert (story.picture.caption, story.picture.credit) == ("Two", "Ani")
    assert story.excerpt == known[0].excerpt


def test_a_credit_told_by_the_source() -> None:
    told = SourcePicture("https://paper.example/a.jpg", caption="A mill", credit="Photo: Ani")
    story = only(merge(replace(ITEM, picture=told)))
    assert story.picture is not None
    assert (story.picture.caption, story.picture.credit) == ("A mill", "Ani")


def test_an_older_version_out_of_a_cache_is_not_taken() -> None:
    known = merge(ITEM).saved
    stale = replace(ITEM, title="The mil truns", modified_at=NOW - timedelta(days=3))
    assert merge(stale, known=known) == MergeResult(unchanged=1)


def test_ladder_guid_then_address_then_headline() -> None:
    feed = replace(ITEM, native_id=None, guid="tag:7")
    known = merge(feed).saved
    moved = replace(feed, url="https://paper.example/moved/", title="Moved", modified_at=NOW)
    assert only(merge(moved, known=known)).public_id == known[0].public_id
    no_guid = replace(feed, guid=None, title="Renamed", modified_at=NOW)
    assert only(merge(no_guid, known=known)).public_id == known[0].public_id
    only_title = replace(
        feed,
        guid=None,
        url="https://paper.example/else/",
        title="THE MILL — turns",
        modified_at=NOW,
    )
    assert only(merge(only_title, known=known)).public_id == known[0].public_id
    other_day = replace(only_title, published_at=NOW - timedelta(days=9))
    assert merge(other_day, known=known).new == 1


def test_ids_of_one_source_mean_nothing_in_another() -> None:
    known = merge(ITEM).saved
    other = replace(ITEM, url="https://other.example/7", title="Another thing", guid=ITEM.guid)
    assert merge(other, known=known, source="other").new == 1


def test_a_weekly_column_is_not_one_story() -> None:
    """The same headline on one day under two native ids, or in one poll, is two stories."""
    first = replace(ITEM, title="Cartoon")
    second = replace(
        first, native_id="8", guid="https://paper.example/?p=8", url="https://paper.example/8"
    )
    known = merge(first).saved
    assert merge(second, known=known).new == 1
    plain = [
        SourceItem(title="Cartoon", url=f"https://paper.example/c{n}", published_at=NOW)
        for n in range(3)
    ]
    result = merge(*plain)
    assert result.new == 3
    assert merge(*plain, known=result.saved) == MergeResult(unchanged=3)


def test_a_changed_address_that_is_its_own_guid() -> None:
    link = "https://paper.example/old-slug"
    item = replace(ITEM, native_id=None, url=link, guid=link)
    known = merge(item).saved
    moved = replace(item, url=link + "-2", guid=link + "-2", modified_at=NOW)
    assert only(merge(moved, known=known)).public_id == known[0].public_id


def test_the_stronger_source_wins_and_the_id_stays() -> None:
    feed = replace(ITEM, native_id=None, categories=("From the feed",), tags=("flour",))
    known = merge(feed, source="feed").saved
    story = only(merge(replace(ITEM, tags=()), known=known, source="site"))
    assert story.public_id == known[0].public_id
    assert (story.source, story.native_id) == ("site", "7")
    assert story.departments == ("Region", "Life")
    assert story.tags == ("flour",)
    # The feed, polled again, has nothing to add and takes nothing back.
    assert merge(feed, known=(story,), source="feed") == MergeResult(unchanged=1)


def test_dates() -> None:
    undated = replace(ITEM, published_at=None, modified_at=None)
    known = merge(undated).saved
    assert known[0].published_at == NOW
    assert not known[0].published_known
    later = NOW + timedelta(days=1)
    again = merge_items([undated], "site", known, ZONE, later)
    assert again == MergeResult(unchanged=1)
    dated = only(merge_items([ITEM], "site", known, ZONE, later))
    assert dated.published_at == ITEM.published_at
    assert dated.published_known
    assert merge_items([undated], "site", [dated], ZONE, later) == MergeResult(unchanged=1)


def test_what_was_changed_last_year_was_published_before() -> None:
    changed = NOW - timedelta(days=400)
    story = only(merge(replace(ITEM, published_at=None, modified_at=changed)))
    assert (story.published_at, story.published_known) == (changed, False)


def test_impossible_dates_are_none() -> None:
    for told in (datetime(1, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)):
        story = only(merge(replace(ITEM, published_at=told, modified_at=None)))
        assert not story.published_known
    late = replace(ITEM, published_at=datetime(9999, 12, 31, 23, tzinfo=UTC), modified_at=None)
    assert only(merge(late)).published_at == NOW


def test_hidden_passes_on_and_off() -> None:
    known = merge(replace(ITEM, hidden="password")).saved
    assert known[0].hidden == "password"
    assert only(merge(ITEM, known=known)).hidden == ""


def test_what_cannot_be_used_is_named() -> None:
    result = merge(
        replace(ITEM, url=None),
        replace(ITEM, url="javascript:alert(1)"),
        replace(ITEM, title=" <b></b> "),
        replace(ITEM, native_id="9", guid="g9", url="https://paper.example/9", title="Fine"),
    )
    assert result.new == 1
    assert result.problems == (
        "site: “The mill turns” has no usable link and was left out",
        "site: “The mill turns” has no usable link and was left out",
        f"site: {ITEM.url} has no title and was left out",
    )


def test_keys() -> None:
    keys = keys_of(ITEM, "site", ZONE, NOW)
    assert keys.source == "site"
    assert keys.native_id == "7"
    assert keys.url == "https://paper.example/2025/mill/"
    assert keys.title_key == "the mill turns"
    assert keys.published_on == date(2025, 8, 4)


def test_thousands_are_told_apart() -> None:
    items = [
        SourceItem(
            title=f"Story {n}", url=f"https://paper.example/{n}", guid=f"g{n}", html="<p>Text.</p>"
        )
        for n in range(2000)
    ]
    known = merge(*items).saved
    assert len({story.public_id for story in known}) == 2000
    assert merge(*reversed(items), known=known) == MergeResult(unchanged=2000)


ITEMS = st.builds(
    SourceItem,
    title=st.sampled_from(["A", "B", "b!", ""]),
    url=st.sampled_from(["https://paper.example/1", "https://paper.example/2", None]),
    native_id=st.sampled_from([None, "1", "2"]),
    guid=st.sampled_from([None, "g1", "https://paper.example/1"]),
    html=st.sampled_from(["", "<p>Text of some length, which ends here.</p>"]),
    published_at=st.sampled_from([None, NOW - timedelta(days=1), NOW]),
    modified_at=st.sampled_from([None, NOW - timedelta(days=1), NOW]),
)


@given(st.lists(ITEMS, max_size=6), st.lists(ITEMS, max_size=6))
def test_any_batches(first: list[SourceItem], second: list[SourceItem]) -> None:
    """Every usable item finds a story, ids are unique, and nothing that was there goes."""
    before = merge(*first)
    assert before.changed == before.unchanged == 0
    after = merge(*second, known=before.saved, source="other")
    ids = [story.public_id for story in after.saved]
    assert len(set(ids)) == len(ids)
    known = {story.public_id: story for story in before.saved}
    for story in after.saved:
        old = known.get(story.public_id)
        if old is not None:
            assert story.excerpt or not old.excerpt
            assert story.published_known or not old.published_known
            assert story.first_seen_at == old.first_seen_at
    usable = [item for item in second if item.title and item.url]
    assert len(after.problems) == len(second) - len(usable)
    assert after.new + after.changed + after.unchanged <= len(usable)
