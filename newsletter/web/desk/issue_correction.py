"""Correcting an issue that readers have, or are about to get."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from starlette.responses import Response

from newsletter.errors import InvalidTransition, NewsletterError, UsageError
from newsletter.issues.correct import Correction
from newsletter.issues.model import Block, BlockKind, Issue, IssueState, Item
from newsletter.web.desk.issue import BLOCK_NAMES
from newsletter.web.desk.issue_page import ON_ITS_WAY, OVER, issue_head
from newsletter.web.desk.places import asked_issue, newsletter_of
from newsletter.web.desk.visit import Visit
from newsletter.workflows.correct_links import LinkRequest, correct_links, links_alone_suffice
from newsletter.workflows.revise import revise_issue

_LONGEST_TOLD = 500


@dataclass(frozen=True)
class Led:
    """A story of the issue, where its links lead now, and whether they are taken back."""

    item: Item
    url: str
    withdrawn: bool


@dataclass(frozen=True)
class _Asked:
    """What the form asks for that is not so already; all by story."""

    subject: str | None
    preheader: str | None
    note: str | None
    block: Block | None
    headlines: Mapping[str, str]
    summaries: Mapping[str, str]
    links: Mapping[str, str]
    removed: tuple[str, ...]
    withdrawn: tuple[str, ...]
    told: str

    @property
    def of_words(self) -> bool:
        """Whether a new revision is asked for, and not links alone."""
        lines = (self.subject, self.preheader, self.note)
        return any(one is not None for one in lines) or bool(
            self.block or self.headlines or self.summaries or self.removed
        )


def show_correction(visit: Visit) -> Response:
    """The form: everything of a paused issue, of others where their links lead."""
    return _page(visit)


def take_correction(visit: Visit) -> Response:
    """Correct what differs, and go back to where the issue is followed."""
    with visit.context.database.read() as tx:
        issue = asked_issue(visit, tx)
    stories = _led(visit, issue)
    try:
        asked = _read(visit, issue, stories)
        notices = _correct(visit, issue, asked)
    except NewsletterError as error:
        return _page(visit, error, 400 if isinstance(error, UsageError) else 409)
    path = "sending" if issue.state in ON_ITS_WAY else "report"
    done = "corrected" if asked.of_words else "links"
    return visit.go(f"/issues/{issue.public_id}/{path}", done=done, **visit.seal(notices))


def _page(visit: Visit, problem: NewsletterError | None = None, status: int = 200) -> Response:
    with visit.context.database.read() as tx:
        issue = asked_issue(visit, tx)
    if issue.state not in ON_ITS_WAY | OVER:
        raise InvalidTransition(
            f"issue {issue.slot} is {issue.state}: nobody has it yet, so change it itself",
            subject=issue.slot,
        )
    return visit.page(
        "issue_correction",
        status=status,
        **issue_head(visit, issue, newsletter_of(visit, issue), problem),
        whole=issue.state is IssueState.PAUSED,
        stories=_led(visit, issue),
        blocks=[(kind, visit.words.gettext(BLOCK_NAMES[kind])) for kind in BlockKind],
        typed={name: visit.field(name) for name in visit.form},
    )


def _led(visit: Visit, issue: Issue) -> list[Led]:
    with visit.context.database.read() as tx:
        links = tx.links.of_issue(issue.public_id)
    leads = {link.story_id: link for link in links}
    return [
        Led(
            item,
            leads[item.story_id].url if item.story_id in leads else item.url,
            item.story_id in leads and leads[item.story_id].withdrawn_at is not None,
        )
        for item in {one.story_id: one for one in issue.items}.values()
    ]


def _read(visit: Visit, issue: Issue, stories: list[Led]) -> _Asked:
    def other(name: str, now: str) -> str | None:
        typed = visit.field(name).replace("\r\n", "\n").strip()
        return typed if name in visit.form and typed != now.strip() else None

    def by_story(part: str, now: Mapping[str, str]) -> dict[str, str]:
        found = {story: other(f"{part}-{story}", was) for story, was in now.items()}
        return {story: text for story, text in found.items() if text is not None}

    return _Asked(
        other("subject", issue.subject),
        other("preheader", issue.preheader),
        other("note", issue.note),
        _read_block(visit, issue),
        by_story("headline", {one.item.story_id: one.item.headline for one in stories}),
        by_story("summary", {one.item.story_id: one.item.excerpt for one in stories}),
        by_story("link", {one.item.story_id: one.url for one in stories}),
        tuple(one.item.story_id for one in stories if f"out-{one.item.story_id}" in visit.form),
        tuple(
            one.item.story_id for one in stories if f"withdraw-{one.item.story_id}" in visit.form
        ),
        " ".join(visit.field("told").split())[:_LONGEST_TOLD],
    )


def _read_block(visit: Visit, issue: Issue) -> Block | None:
    """The block that the form asks for where it is another; one without text is taken out."""
    if "block-text" not in visit.form:
        return None
    kind, text, source = (
        _one_line(visit.field(f"block-{part}")) for part in ("kind", "text", "source")
    )
    now = issue.block
    if not text:
        if source and now is None:
            raise UsageError("a block has words of its own: write them", subject="block-text")
        return replace(now, text="", source="") if now else None
    if kind not in frozenset(BlockKind):
        raise UsageError(f'there is no block "{kind}"', subject="block-kind")
    if now and (kind, text, source) == (now.kind, *map(_one_line, (now.text, now.source))):
        return None
    return Block(BlockKind(kind), text, source)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _correct(visit: Visit, issue: Issue, asked: _Asked) -> tuple[str, ...]:
    """Sentences on what it left; UsageError where nothing is asked for, or too much at once."""
    if not (asked.of_words or asked.links or asked.withdrawn):
        raise UsageError("nothing is corrected: all fields say what the issue says already")
    if asked.of_words and asked.withdrawn:
        raise UsageError("take links back in a correction of its own, after this one")
    installation = visit.installation
    by_links = asked.withdrawn or links_alone_suffice(installation, issue)
    if not asked.of_words and by_links:
        request = LinkRequest(dict(asked.links), asked.withdrawn, asked.told)
        correct_links(installation, issue, request, actor=visit.actor)
        return ()
    correction = Correction(
        subject=asked.subject,
        preheader=asked.preheader,
        note=asked.note,
        block=asked.block,
        headlines=asked.headlines,
        summaries=asked.summaries,
        links=asked.links,
        removed=asked.removed,
    )
    revision = revise_issue(installation, issue, correction, actor=visit.actor, told=asked.told)
    changed = ", ".join(revision.changes)
    return (
        f"Revision {revision.number} for {revision.readers:,} readers: {changed}.",
        *revision.notices,
    )
