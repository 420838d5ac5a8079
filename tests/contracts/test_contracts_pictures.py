"""What was made of pictures' addresses, and which files are in use."""

from dataclasses import replace
from datetime import timedelta

from newsletter.issues.model import Issue, IssueState
from newsletter.pictures.model import FetchedPicture, PictureFile
from newsletter.storage.database import Database
from newsletter.stories.model import Picture
from tests.contracts.nouns import NOW, a_mailing, an_issue

FILES = (PictureFile("lead", f"{'a' * 40}.jpg", 1184, 790), PictureFile("card", "b.png", 720, 480))


def test_a_fetched_picture_comes_back_whole(database: Database) -> None:
    first = FetchedPicture(FILES, '"v1"', "Mon, 04 Aug 2025 10:00:00 GMT")
    bare = FetchedPicture(FILES[:1])
    with database.write() as tx:
        tx.pictures.remember({"one": first, "two": bare}, NOW)
        tx.pictures.remember({}, NOW)
    with database.read() as tx:
        assert tx.pictures.known(["one", "two", "three"]) == {"one": first, "two": bare}
        assert tx.pictures.known([]) == {}


def test_the_last_word_counts_until_it_is_forgotten(database: Database) -> None:
    later = FetchedPicture(FILES[:1], '"v2"')
    day = timedelta(days=1)
    with database.write() as tx:
        tx.pictures.remember({"one": FetchedPicture(FILES), "old": FetchedPicture(FILES)}, NOW)
        tx.pictures.remember({"one": later}, NOW + 2 * day)
        tx.pictures.forget(NOW + day)
        assert tx.pictures.known(["one", "old"]) == {"one": later}


def illustrated(issue: Issue, letter: str) -> Issue:
    files = (PictureFile("card", f"{letter * 40}.jpg", 720, 480),)
    section = issue.sections[0]
    items = tuple(
        replace(item, picture=Picture("https://paper.example/p.jpg", files=files))
        for item in section.items
    )
    return replace(issue, sections=(replace(section, items=items),))


def test_files_of_issues_and_of_mails_are_in_use(database: Database) -> None:
    with database.write() as tx:
        assert tx.pictures.used_names() == set()
        draft = illustrated(an_issue("2025-W32"), "a")
        gone = illustrated(an_issue("2025-W33", public_id="issue33"), "c")
        for issue in (draft, gone):
            assert tx.issues.create(issue, NOW, "test")
        html = f'<img src="https://news.paper.example/media/{"e" * 40}.png" width="200">'
        assert tx.mailings.create(a_mailing("mail1", html=html), key="k")
        assert tx.issues.move(gone.public_id, {IssueState.DRAFT}, IssueState.CANCELLED, "test", NOW)
        assert tx.pictures.used_names() == {f"{'a' * 40}.jpg", f"{'e' * 40}.png"}
