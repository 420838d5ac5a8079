"""Links of an issue that readers have are led elsewhere, or taken back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from newsletter.errors import Advice, Conflict, InvalidTransition, NotFound, Remedy, UsageError
from newsletter.issues.correct import find_item, place_of
from newsletter.issues.model import CorrectionKind, CorrectionNote, Issue, IssueState, StoryLink
from newsletter.log import get_logger
from newsletter.publication.campaign import carries_tag, tag_link
from newsletter.publication.model import Settings
from newsletter.storage.transaction import Transaction
from newsletter.stories.canonical import web_address
from newsletter.workflows.installation import Installation

log = get_logger(__name__)

# Somebody may have it in the inbox.
_SENT = frozenset((IssueState.SENDING, IssueState.PAUSED, IssueState.SENT, IssueState.RECALLED))


@dataclass(frozen=True)
class LinkRequest:
    """What an editor asks for. ``urls`` are by story, ``withdrawn`` are stories: each named by
    its id or its place. ``told`` is what the archive says of it, behind our own words."""

    urls: dict[str, str]
    withdrawn: tuple[str, ...] = ()
    told: str = ""


def correct_links(
    installation: Installation, issue: Issue, request: LinkRequest, *, actor: str
) -> tuple[CorrectionNote, ...]:
    """Change where the links of a sent issue lead, for everybody who has it; what was changed.

    No mail is sent for it. InvalidTransition where nobody has the issue yet;
    Conflict where its links are not ours, or all is so already; UsageError for
    an address that is not of the web; NotFound for a story that neither it nor
    any mail of it has.
    """
    settings = installation.settings()
    with installation.database.write() as tx:
        current = tx.issues.by_id(issue.public_id) or issue
        if current.state not in _SENT:
            raise InvalidTransition(
                f"issue {issue.slot} is {current.state}: nobody has its links yet; only those of "
                "an issue that was sent are corrected so",
                subject=issue.slot,
            )
        links = tx.links.of_issue(issue.public_id)
        if not links:
            raise Conflict(
                f"the links of issue {issue.slot} can't be changed any more: it went out with "
                'the stories\' own addresses ([tracking] clicks = "off")',
                subject=issue.slot,
            )
        former = former_stories(tx, current, links)
        made = _corrections(settings, current, links, request, installation.clock.now(), former)
        if not made:
            raise Conflict(
                f"nothing changed: the links of issue {issue.slot} are so already",
                subject=issue.slot,
            )
        put_corrections(tx, current, made, actor)
    return made


def links_alone_suffice(installation: Installation, issue: Issue) -> bool:
    """Whether links are corrected by `correct_links` and not by a revision.

    Only where the issue is paused and its links are the stories' own is there
    something that a revision can do: for the readers who were not served yet.
    """
    with installation.database.read() as tx:
        current = tx.issues.by_id(issue.public_id) or issue
        return current.state is not IssueState.PAUSED or bool(tx.links.of_issue(issue.public_id))


def put_corrections(
    tx: Transaction, issue: Issue, corrections: Iterable[CorrectionNote], actor: str
) -> None:
    """Make corrections, each logged and kept for the archive."""
    for correction in corrections:
        tx.links.correct(issue.public_id, correction, actor)
        log.info(
            "links_corrected",
            newsletter=issue.newsletter,
            issue=issue.slot,
            story=correction.story_id,
            kind=correction.kind.value,
        )


def changed_addresses(
    settings: Settings,
    before: Issue,
    after: Issue,
    links: Iterable[StoryLink],
    now: datetime,
    told: str = "",
) -> tuple[CorrectionNote, ...]:
    """What a revision changes for those who have the issue: addresses of stories that lead through
    us. ``links`` are the issue's as they were sent, ``told`` the editor's words on it."""
    old = {item.story_id: item for item in before.items}
    urls = {
        item.story_id: item.url
        for item in after.items
        if item.story_id in old and item.url != old[item.story_id].url
    }
    return _corrections(settings, before, links, LinkRequest(urls, told=told), now)


def links_left(issue: Issue, before: Issue, links: Iterable[StoryLink]) -> tuple[Advice, ...]:
    """What is left to do about stories that a revision took out, and that mails from before have.

    ``before`` is the issue before it, ``links`` are those of all its mails.
    """
    kept = {item.story_id for item in issue.items}
    leading = {link.story_id for link in links if link.withdrawn_at is None}
    gone = {item.story_id: item.headline for item in before.items if item.story_id not in kept}
    return tuple(
        Advice(
            f"The links of “{headline}” in mails that were sent still lead there; take them back.",
            *(Remedy.WITHDRAW, issue.slot, story),
        )
        for story, headline in gone.items()
        if story in leading
    )


def _corrections(
    settings: Settings,
    issue: Issue,
    links: Iterable[StoryLink],
    request: LinkRequest,
    now: datetime,
    former: Mapping[str, str] = MappingProxyType({}),
) -> tuple[CorrectionNote, ...]:
    """The corrections that change something; ``former`` are the headlines of stories that only
    mails of earlier revisions have, by id."""
    by_story: dict[str, list[StoryLink]] = {}
    for link in links:
        by_story.setdefault(link.story_id, []).append(link)
    made: dict[str, CorrectionNote] = {}
    for story, url in request.urls.items():
        place, story_id, headline = _find_story(issue, by_story, former, story)
        target = web_address(_tagged(settings, issue, url))
        if not target:
            raise UsageError(
                f'the link of {place} can\'t lead to "{url}"; write a whole '
                "address that begins with https://",
                subject=story,
            )
        mine = by_story.get(story_id, [])
        if any(link.url != target or link.withdrawn_at for link in mine):
            made[story_id] = CorrectionNote(
                now, CorrectionKind.CHANGED, story_id, headline, target, request.told
            )
    for story in request.withdrawn:
        _, story_id, headline = _find_story(issue, by_story, former, story)
        if any(link.withdrawn_at is None for link in by_story.get(story_id, [])):
            made[story_id] = CorrectionNote(
                now, CorrectionKind.WITHDRAWN, story_id, headline, told=request.told
            )
    return tuple(made.values())


def former_stories(tx: Transaction, issue: Issue, links: Iterable[StoryLink]) -> dict[str, str]:
    """The stories that were taken out and stand in mails that were sent: titles by id.

    The headline that an editor gave one is in those mails only.
    """
    kept = {item.story_id for item in issue.items}
    gone = {link.story_id for link in links} - kept
    titles = {story.public_id: story.title for story in tx.stories.by_ids(sorted(gone))}
    return {story: titles.get(story, story) for story in gone}


def _find_story(
    issue: Issue,
    by_story: Mapping[str, Iterable[StoryLink]],
    former: Mapping[str, str],
    story: str,
) -> tuple[str, str, str]:
    """The place, id and headline of the story called ``story`` by its id or place: in the issue as
    it stands, else in the mails of its earlier revisions. NotFound where neither has it."""
    try:
        section, item = find_item(issue, story)
    except NotFound:
        for story_id, headline in former.items():
            for link in by_story[story_id]:
                if story in (story_id, link.name):
                    return link.name, story_id, headline
        raise
    return place_of(section, item), item.story_id, item.headline


def _tagged(settings: Settings, issue: Issue, url: str) -> str:
    """The address with our tag, so that its visits are known as ours as before."""
    source = settings.tracking.utm_source
    if carries_tag(url, source):
        return url
    return tag_link(url.strip(), source, f"{issue.newsletter}-{issue.slot}")
