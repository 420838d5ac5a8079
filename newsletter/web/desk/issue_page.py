"""What stands on top of every page that is about sending one issue."""

from typing import Any

from newsletter.issues.model import Issue, IssueState
from newsletter.issues.states import EDITABLE
from newsletter.publication.editors import Act
from newsletter.publication.newsletters import Newsletter
from newsletter.web.desk.places import is_removed, issue_address, tell_moment
from newsletter.web.desk.visit import Visit
from newsletter.web.desk.waiting import ALARMING, STATES
from newsletter.words import Words, gettext_noop

ON_ITS_WAY = frozenset({IssueState.SENDING, IssueState.PAUSED})
OVER = frozenset({IssueState.SENT, IssueState.RECALLED})

# Parts of an issue's address below it, what they are called, and what one needs for them.
_PLACES = (
    ("", gettext_noop("The issue"), Act.LOOK),
    ("/readers", gettext_noop("As a reader gets it"), Act.READERS),
    ("/tests", gettext_noop("Tests"), Act.EDIT),
    ("/rehearsal", gettext_noop("Rehearsal"), Act.LOOK),
    ("/review", gettext_noop("Review"), Act.LOOK),
    ("/sending", gettext_noop("On its way"), Act.LOOK),
    ("/report", gettext_noop("Report"), Act.LOOK),
)


def issue_head(
    visit: Visit, issue: Issue, newsletter: Newsletter, problem: Exception | None = None
) -> dict[str, Any]:
    """The values of `issue_page.html`: the issue, how it stands, and the ways to its pages.

    ``problem`` says in English why something was not done.
    """
    address = issue_address(visit, issue.public_id)
    return {
        "issue": issue,
        "newsletter": newsletter,
        "address": address,
        "state": visit.words.gettext(STATES[issue.state]),
        "alarming": issue.state in ALARMING,
        "time": tell_moment(visit, issue.send_at, newsletter),
        "places": [
            (f"{address}{path}", visit.words.gettext(name))
            for path, name, needs in _PLACES
            if visit.editor.may(needs) and _is_open(path, issue.state)
        ],
        "removed": is_removed(visit, issue),
        "page_address": visit.request.url.path,
        "told": visit.told,
        "problem": tell_sentence(str(problem)) if problem else "",
    }


def tell_sentence(text: str) -> str:
    """What an error says, as a sentence."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _is_open(path: str, state: IssueState) -> bool:
    """Whether a page says anything of an issue in that state."""
    if path in ("/tests", "/rehearsal", "/review"):
        return state in EDITABLE
    if path == "/sending":
        return state in ON_ITS_WAY
    return path != "/report" or state in ON_ITS_WAY | OVER | {IssueState.CANCELLED}


def tell_length(words: Words, seconds: float) -> str:
    """A length of time in its two largest units: ``2 h 46 min``."""
    minutes, left = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return words.gettext("%(days)s d %(hours)s h", days=days, hours=hours)
    if hours:
        return words.gettext("%(hours)s h %(minutes)s min", hours=hours, minutes=minutes)
    if minutes:
        return words.gettext("%(minutes)s min %(seconds)s s", minutes=minutes, seconds=left)
    return words.gettext("%(seconds)s s", seconds=left)
