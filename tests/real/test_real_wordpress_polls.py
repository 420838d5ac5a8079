"""Polls of a real WordPress: what was changed, written ahead, taken away, and what came back."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.clock import ShiftedClock
from newsletter.config import load_config
from newsletter.sources.model import GONE
from newsletter.stories.model import Story
from newsletter.workflows.fetch import FetchReport, fetch_stories
from newsletter.workflows.opening import open_installation
from tests.real.wordpress import WordPress, running_wordpress

CONFIG = """\
data_dir = "data"
[publication]
name = "The Araks Courier"
url = "{url}"
timezone = "America/New_York"
[[source]]
slug = "site"
kind = "wordpress"
url = "{url}/wp-json/"
allow_private = true
"""


@pytest.fixture(scope="module")
def site() -> Iterator[WordPress]:
    """A WordPress of our own: what is trashed here, others would miss."""
    with running_wordpress() as wordpress:
        yield wordpress


class Reader:
    """Polls the site at one instant or another, into one database."""

    def __init__(self, site: WordPress, folder: Path) -> None:
        self.path = folder / "config.toml"
        self.path.write_text(CONFIG.format(url=site.url), encoding="utf-8")

    def poll(self, later: timedelta = timedelta(0)) -> FetchReport:
        clock = ShiftedClock(datetime.now(UTC) + later)
        with open_installation(load_config(self.path, {}), clock) as installation:
            (report,) = fetch_stories(installation)
            assert (report.error, report.problems) == ("", ())
            with installation.database.read() as tx:
                self.stories = {s.native_id: s for s in tx.stories.recent([], 1000)}
        return report

    def story(self, number: int | str) -> Story:
        return self.stories[str(number)]


@pytest.fixture
def reader(site: WordPress, tmp_path: Path) -> Reader:
    reader = Reader(site, tmp_path)
    assert reader.poll().new >= 26
    return reader


def test_a_second_poll_asks_for_changes_only(site: WordPress, reader: Reader) -> None:
    post = site.paper.find("gyumri-library")
    update = f"wp_update_post(['ID' => {post.number}, 'post_title' => 'Another headline']);"
    site.run_script(update)
    # The last ten minutes come once more; nothing else of the twenty-seven does.
    report = reader.poll()
    assert report.changed == 1
    assert report.items < 5
    assert reader.story(post.number).title == "Another headline"


def test_a_trashed_post_is_gone_within_a_day_and_back_when_restored(
    site: WordPress, reader: Reader
) -> None:
    recent = [post for post in site.paper.list_public() if post.slug != "gyumri-library"]
    trashed, deleted = recent[0], recent[1]
    site.run_script(f"wp_trash_post({trashed.number}); wp_delete_post({deleted.number}, true);")
    report = reader.poll()
    assert (report.gone, reader.story(trashed.number).hidden) == (0, "")
    report = reader.poll(timedelta(days=1))
    assert report.gone == 2
    assert reader.story(trashed.number).hidden == GONE
    assert reader.story(deleted.number).hidden == GONE
    visible = [story for story in reader.stories.values() if not story.hidden]
    assert len(visible) == len(site.paper.list_public()) - 2
    site.run_script(f"wp_untrash_post({trashed.number}); wp_publish_post({trashed.number});")
    reader.poll(timedelta(days=2))
    assert reader.story(trashed.number).hidden == ""
    assert reader.story(deleted.number).hidden == GONE


WRITE_AHEAD = """
$id = wp_insert_post(['post_title' => 'Written ahead', 'post_content' => 'x',
  'post_status' => 'future', 'post_date_gmt' => gmdate('Y-m-d H:i:s', time() + 3600),
  'post_date' => get_date_from_gmt(gmdate('Y-m-d H:i:s', time() + 3600))]);
global $wpdb;
$wpdb->update($wpdb->posts, ['post_modified_gmt' => gmdate('Y-m-d H:i:s', time() - 172800),
  'post_modified' => gmdate('Y-m-d H:i:s', time() - 172800),
  'post_date_gmt' => gmdate('Y-m-d H:i:s', time() - 60),
  'post_date' => get_date_from_gmt(gmdate('Y-m-d H:i:s', time() - 60))], ['ID' => $id]);
clean_post_cache($id);
echo $id;
"""


def test_a_post_written_ahead_appears_at_its_hour(site: WordPress, reader: Reader) -> None:
    number = site.run_script(WRITE_AHEAD)
    assert reader.poll().new == 0
    modified = f"echo get_post({number})->post_modified_gmt;"
    before = site.run_script(modified)
    # What WordPress's own clockwork calls when the hour has come.
    site.run_script(f"check_and_publish_future_post({number});")
    site.run_script(f"if (get_post({number})->post_status != 'publish') exit(1);")
    assert site.run_script(modified) == before  # which is why modified_after can't see it
    assert reader.poll().new == 1
    assert reader.story(number).title == "Written ahead"
