"""An issue as it lies on an editor's desk: three sections, runners-up, a lead."""

from datetime import timedelta

from newsletter.issues.edit import Desk
from newsletter.issues.lines import write_lines
from newsletter.issues.model import Issue, Item, RunnerUp, Section
from newsletter.publication.newsletters import Newsletter
from newsletter.stories.model import Picture
from tests.contracts.nouns import NOW, a_settings, an_issue

SECTIONS = (
    {"slug": "most-read", "kind": "most_read", "title": "Most read", "count": 4},
    {"slug": "latest", "kind": "latest", "title": "Latest", "count": 6},
    {"slug": "arts", "kind": "department", "department": "Arts", "title": "Arts", "count": 3},
    {"slug": "picks", "kind": "editors_pick", "title": "Our picks", "count": 2},
)


def a_newsletter() -> Newsletter:
    table = a_settings().newsletter[0].model_dump(by_alias=True, exclude={"sections", "section"})
    return Newsletter.model_validate(table | {"section": SECTIONS})


DESK = Desk(a_newsletter(), a_settings().publication)


def an_item(number: int, **changes: object) -> Item:
    fields: dict[str, object] = {
        "story_id": f"story{number}",
        "position": number,
        "headline": f"Headline {number} of the week",
        "url": f"https://paper.example/{number}",
        "excerpt": f"What happened on day {number}.",
        "department": "Arts" if number % 2 else "Town",
        "published_at": NOW - timedelta(hours=number),
        "picture": Picture(f"https://paper.example/{number}.jpg", 1200, 800, f"Picture {number}"),
        "reads": 100 * number,
        "score": float(100 - number),
        "reasons": ("Newest of all.",),
    }
    return Item(**(fields | changes))  # type: ignore[arg-type]


def _section(slug: str, kind: str, title: str, numbers: list[int], passed: list[int]) -> Section:
    items = tuple(an_item(number, position=at) for at, number in enumerate(numbers, 1))
    runners = tuple(
        RunnerUp(f"story{n}", f"Headline {n} of the week", f"https://paper.example/{n}", n, "older")
        for n in passed
    )
    return Section(slug, kind, title, "since Friday", items, runners)


def a_desk_issue(**changes: object) -> Issue:
    """Stories 1 to 3, 4 to 7 and 9, 11; runners-up 12 to 15; 4 leads."""
    issue = an_issue(
        sections=(
            _section("most-read", "most_read", "Most read", [1, 2, 3], [12, 13]),
            _section("latest", "latest", "Latest", [4, 5, 6, 7], [14, 15]),
            _section("arts", "department", "Arts", [9, 11], []),
        ),
        lead="story4",
        **changes,
    )
    return write_lines(DESK.newsletter, DESK.publication, issue)
