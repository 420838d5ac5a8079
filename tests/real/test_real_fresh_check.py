"""What an editor does at a real WordPress between the draft and the send, by the command line."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default as mail_policy
from pathlib import Path
from typing import Any

import pytest

from newsletter.demo.catcher import MailCatcher
from newsletter.demo.outbox_store import list_messages
from tests.acceptance.command_line import Answer
from tests.cli.conftest import Call, call
from tests.marking import first_soon
from tests.real.paper import Post
from tests.real.programs import find_port
from tests.real.wordpress import WordPress, running_wordpress

__all__ = ["call"]

CONFIG = """\
data_dir = "data"
[[relay]]
slug = "catcher"
host = "127.0.0.1"
port = {port}
tls = "none"
[publication]
name = "The Araks Courier"
url = "{site}"
timezone = "America/New_York"
postal_address = "12 Orchard Lane, Glendale, California"
editors = ["desk@paper.example"]
[[source]]
slug = "site"
kind = "{kind}"
url = "{source}"
allow_private = true
[[newsletter]]
slug = "weekly"
name = "Courier Weekly"
from = {{ name = "The Araks Courier", address = "weekly@paper.example" }}
approval = "{approval}"
changed_headline = "{changed_headline}"
[[newsletter.section]]
slug = "latest"
kind = "latest"
title = "Latest articles of the week"
count = 5
"""


@pytest.fixture(scope="module")
def site() -> Iterator[WordPress]:
    """A WordPress of our own: what is trashed here, others would miss."""
    with running_wordpress() as wordpress:
        yield wordpress


@dataclass
class House:
    """An installation that reads the site, with three readers, and a relay that catches."""

    folder: Path
    site: WordPress
    port: int
    call: Call

    def must(self, *arguments: str) -> Answer:
        """A command that has to succeed."""
        answer = self.call(self.folder, *arguments)
        assert answer.status == 0, answer.err + answer.out
        return answer

    def set_up(
        self, approval: str = "auto", changed_headline: str = "take", kind: str = "wordpress"
    ) -> None:
        source = f"{self.site.url}/{'wp-json' if kind == 'wordpress' else 'feed'}/"
        config = CONFIG.format(
            port=self.port,
            site=self.site.url,
            source=source,
            kind=kind,
            approval=approval,
            changed_headline=changed_headline,
        )
        (self.folder / "config.toml").write_text(config, encoding="utf-8")
        readers = "".join(f"reader{number}@readers.example\n" for number in range(3))
        (self.folder / "readers.csv").write_text(f"email\n{readers}", encoding="utf-8")
        self.must("subscribers", "import", "readers.csv", "--consent", "told on paper")

    def draft(self, *options: str) -> Any:
        return self.must("issue", "draft", "--json", *options).json

    def send(self) -> Answer:
        return self.call(self.folder, "issue", "send", "--json")

    def issue(self) -> Any:
        return self.must("issue", "show", "--json").json

    def mails(self, to: str) -> list[tuple[str, str]]:
        """Subject and text of what came to an address."""
        found = []
        for caught in list_messages(self.folder / "outbox"):
            message = message_from_bytes(
                (self.folder / "outbox" / caught.name).read_bytes(), policy=mail_policy
            )
            if message["To"] == to:
                text = message.get_body(("plain",)).get_content()
                found.append((message["Subject"], " ".join(text.split())))
        return found

    def trail(self, story: str) -> list[tuple[str, str]]:
        shown = self.must("stories", "show", story, "--json").json
        return [(entry["kind"], entry["after"]) for entry in shown["trail"]]


@pytest.fixture
def house(site: WordPress, tmp_path: Path, call: Call) -> Iterator[House]:
    with MailCatcher(tmp_path / "outbox") as catcher:
        yield House(tmp_path, site, catcher.port, call)


Edit = Callable[[str, str], None]


@pytest.fixture
def edit(site: WordPress) -> Iterator[Edit]:
    """Does something to posts, and undoes it when the test is over."""
    undo = []

    def act(code: str, undoing: str) -> None:
        undo.append(undoing)
        site.run_script(code)

    yield act
    for code in undo:
        site.run_script(code)


def trash(edit: Edit, post: Post) -> None:
    back = f"wp_untrash_post({post.number}); wp_publish_post({post.number});"
    edit(f"wp_trash_post({post.number});", back)


def update(edit: Edit, post: Post, field: str, to: str, back: str) -> None:
    script = "wp_update_post(['ID' => {}, '{}' => '{}', 'edit_date' => true]);"
    edit(script.format(post.number, field, to), script.format(post.number, field, back))


def titles(issue: Any) -> list[str]:
    return [item["headline"] for item in issue["items"]]


def opening(post: Post) -> str:
    """What a subject, which is cut, must begin with."""
    return post.title[:25]


def newest(site: WordPress) -> list[Post]:
    return site.paper.list_public()


def test_a_draft_has_no_story_that_the_polls_can_not_know_to_be_gone(
    house: House, edit: Edit, site: WordPress
) -> None:
    house.set_up()
    house.must("stories", "fetch")
    gone = newest(site)[0]
    trash(edit, gone)
    draft = house.draft()
    assert titles(draft) == [post.title for post in newest(site)[1:6]]
    (check,) = draft["checks"]
    assert check["changes"] == [f"“{gone.title}” was left out: site no longer has it."]


def test_what_is_trashed_before_the_send_gives_way_to_the_next(
    house: House, edit: Edit, site: WordPress
) -> None:
    house.set_up()
    draft = house.draft()
    posts = newest(site)
    assert (draft["state"], titles(draft)) == ("approved", [p.title for p in posts[:5]])
    assert draft["subject"].startswith(opening(posts[0]))
    trash(edit, posts[0])
    sent = house.send()
    assert sent.status == 0, sent.err
    issue = house.issue()
    assert titles(issue) == [p.title for p in posts[1:6]]
    assert issue["subject"].startswith(opening(posts[1]))
    assert [item["leads"] for item in issue["items"]] == [True, False, False, False, False]
    assert [item["position"] for item in issue["items"]] == [1, 2, 3, 4, 5]
    assert issue["items"][4]["reasons"][0] == f"Takes the place of “{posts[0].title}”."
    for number in range(3):
        ((subject, text),) = house.mails(f"reader{number}@readers.example")
        assert subject.startswith(opening(posts[1]))
        assert posts[5].title in text
        assert posts[0].title not in text
    ((subject, text),) = house.mails("desk@paper.example")
    assert subject.startswith("Changed at the site")
    told = f"“{posts[0].title}” is out: site no longer has it. “{posts[5].title}” takes its place."
    assert told in text
    assert f"“{posts[1].title}” leads the issue." in text
    assert told in house.must("issue", "show").out
    assert house.trail(draft["items"][0]["story"])[-1] == ("hidden", "gone")


@pytest.mark.long
def test_what_is_trashed_holds_an_issue_that_a_person_approved(
    house: House, edit: Edit, site: WordPress
) -> None:
    house.set_up(approval="required")
    house.draft()
    house.must("issue", "approve")
    posts = newest(site)
    trash(edit, posts[2])
    held = house.send()
    assert held.status == 1
    assert "is held" in held.err
    assert f"“{posts[2].title}” is gone: site no longer has it." in held.err
    issue = house.issue()
    assert issue["state"] == "held"
    assert titles(issue) == [p.title for p in (*posts[:2], *posts[3:6])]
    # Whoever approves it now has seen what comes instead.
    house.must("issue", "approve")
    assert house.send().status == 0
    assert len(house.mails("reader0@readers.example")) == 1
    alerts = [subject for subject, _ in house.mails("desk@paper.example")]
    assert len([subject for subject in alerts if subject.startswith("Held")]) == 1


@pytest.mark.parametrize("approval", first_soon(["auto", "required"]))
@pytest.mark.parametrize("wish", first_soon(["take", "flag"]))
def test_a_changed_headline_is_taken_or_flagged(
    house: House, edit: Edit, site: WordPress, wish: str, approval: str
) -> None:
    house.set_up(approval=approval, changed_headline=wish)
    house.draft()
    if approval == "required":
        house.must("issue", "approve")
    lead = newest(site)[0]
    update(edit, lead, "post_title", "A better headline", lead.title)
    assert house.send().status == 0
    issue = house.issue()
    now = "A better headline" if wish == "take" else lead.title
    assert titles(issue)[0] == now
    assert issue["subject"].startswith(now[:25])
    kept = "." if wish == "take" else "; the issue keeps the old headline."
    told = f"“{lead.title}” is called “A better headline” now{kept}"
    assert issue["checks"][-1]["changes"] == [told]
    alerts = [text for s, text in house.mails("desk@paper.example") if s.startswith("Changed")]
    assert len(alerts) == 1
    assert told in alerts[0]
    assert house.mails("reader0@readers.example")[0][0].startswith(now[:25])
    assert ("retitled", "A better headline") in house.trail(issue["items"][0]["story"])


@pytest.mark.long
def test_a_post_with_a_password_or_put_off_gives_way(
    house: House, edit: Edit, site: WordPress
) -> None:
    house.set_up()
    draft = house.draft("--pin", f"latest/2={newest(site)[8].link}", "--exclude",
                        newest(site)[4].link)  # fmt: skip
    posts = newest(site)
    assert titles(draft) == [p.title for p in (posts[0], posts[8], *posts[1:4])]
    update(edit, posts[0], "post_password", "open sesame", "")
    update(edit, posts[2], "post_date_gmt", "2099-01-01 00:00:00",
           posts[2].published_at.strftime("%Y-%m-%d %H:%M:%S"))  # fmt: skip
    assert house.send().status == 0
    issue = house.issue()
    # What an editor said of other stories still holds.
    assert titles(issue) == [p.title for p in (posts[1], posts[8], posts[3], *posts[5:7])]
    assert issue["subject"].startswith(opening(posts[1]))
    changes = issue["checks"][-1]["changes"]
    assert "site hides it from readers (password)" in changes[0]
    assert "site no longer has it" in changes[1]
    assert ("hidden", "password") in house.trail(draft["items"][0]["story"])


@pytest.mark.long
def test_a_site_that_is_down_stops_no_mail(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.set_up(approval="required")
    before = house.draft()
    house.must("issue", "approve")
    down = f"http://127.0.0.1:{find_port()}/wp-json/"
    monkeypatch.setenv("NEWSLETTER_SOURCE__SITE__URL", down)
    sent = house.send()
    assert sent.status == 0, sent.err
    assert sent.json["accepted"] == 3
    after = house.issue()
    assert titles(after) == titles(before)
    check = after["checks"][-1]
    assert check["changes"] == []
    assert "site could not be asked" in check["notes"][0]
    assert check["notes"][0] in house.must("issue", "show").out


@pytest.mark.long
def test_what_a_feed_no_longer_holds_is_looked_for_at_its_page(
    house: House, edit: Edit, site: WordPress
) -> None:
    house.set_up(kind="feed")
    house.draft()
    posts = newest(site)
    trash(edit, posts[0])
    update(edit, posts[1], "post_password", "open sesame", "")
    assert house.send().status == 0
    issue = house.issue()
    assert titles(issue) == [p.title for p in posts[2:7]]
    first, second, *_ = issue["checks"][-1]["changes"]
    assert "site no longer has it" in first
    assert "(password)" in second
