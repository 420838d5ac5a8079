"""The search for stories at the desk: found at once, scored once it is known what to expect."""

import time
from datetime import date

from newsletter.publication.editors import Role
from newsletter.sources.model import ReadKind
from tests.contracts.nouns import a_story
from tests.web.desk.people import somebody
from tests.web.desk.send_shop import PATH, set_up
from tests.web.desk.test_desk_issue import bare_issue
from tests.web.site import Site
from tests.web.test_web_issues import put_issue

FEED = {"slug": "site", "kind": "feed", "url": "http://127.0.0.1:9/feed/"}
COUNTER = {"slug": "counter", "source": "site", "kind": "beacon"}


def test_what_is_expected_is_learned_behind_the_page(site: Site) -> None:
    set_up(site, {}, source=[FEED], reads=[COUNTER])
    put_issue(site, bare_issue())
    with site.database.write() as tx:
        tx.stories.save([a_story(number) for number in range(1, 5)])
        days = [(f"story{number}", date(2025, 8, 4), ReadKind.VISITS, 90) for number in (1, 2)]
        tx.reads.put_days("counter", days)
    site.clock.sleep(24 * 3600)
    editor = somebody(site, Role.EDITOR)
    path = f"{PATH}/stories?words=headline&order=most_read"
    text = editor.get(path).text
    assert "Headline 1" in text
    assert "90 reads in the last 28 days." in text
    end = time.monotonic() + 30
    while "90 reads so far" not in text:
        assert time.monotonic() < end
        text = editor.get(path).text
    assert "90 reads in the last 28 days." not in text


def test_an_address_of_no_known_story_is_told_as_one(site: Site) -> None:
    set_up(site, {}, source=[FEED])
    put_issue(site, bare_issue())
    text = somebody(site, Role.EDITOR).get(f"{PATH}/stories?words=https://other.example/a/").text
    assert "No story known here has this address" in text
    assert "Try fewer" not in text
