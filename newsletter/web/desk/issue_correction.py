"""Correcting an issue that readers have, or are about to get."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from starlette.responses import Response

from newsletter.errors import Conflict, InvalidTransition, NewsletterError, UsageError
from newsletter.issues.correct import Correction
from newsletter.issues.model import Block, BlockKind, Issue, IssueState, Item
from newsletter.storage.transaction import Transaction
from newsletter.web.desk.issue import BLOCK_NAMES
from newsletter.web.desk.issue_page import ON_ITS_WAY, OVER, issue_head
from newsletter.web.desk.places import asked_issue, newsletter_of
from newsletter.web.desk.visit import Visit
from newsletter.workflows.correct_links import (
    LinkRequest,
    correct_links,
    former_stories,
    links_alone_suffice,
)
from newsletter.workflows.revise import revise_issue

_LONGEST_TOLD = 500


@dataclass(frozen=True)
class Led:
    """A story of the issue, where its links lead now, and whether they are taken back.

    ``gone``: a correction took it out, and only mails that were sent before lead to it.
    """

    item: Item
    url: str
    withdrawn: bool
    gone: bool = False


@dataclass(frozen=True)
class _Asked:
    """What the form asks for that was not so when it was opened; all by story."""

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

    @property
    def fields(self) -> dict[str, str]:
        """The form's fields that ask for it."""
        lines = {"subject": self.subject, "preheader": self.preheader, "note": self.note}
        typed = {name: text for name, text in lines.items() if text is not None}
        if self.block is not None:
            parts = (
                ("kind", self.block.kind),
                ("text", self.block.text),
                ("source", self.block.source),
            )
            typed |= {f"block-{name}": text for name, text in parts}
        for name, texts in (
            ("headline", self.headlines),
            ("summary", self.summaries),
            ("link", self.links),
        ):
            typed |= {f"{name}-{story}": text for story, text in texts.items()}
        typed |= {f"out-{story}": "on" for story in self.removed}
        typed |= {f"withdraw-{story}": "on" for story in self.withdrawn}
        return typed | {"told": self.told}


def show_correction(visit: Visit) -> Response:
    """The form: everything of a paused issue, of others where their links lead."""
    return _page(visit)


def take_correction(visit: Visit) -> Response:
    """Correct what differs, and go back to where the issue is followed."""
    with visit.context.database.read() as tx:
        issue = asked_issue(visit, tx)
        seen = _seen(visit, tx, issue)
    stories = _led(visit, issue)
    # What the form does not say, or says wrongly, stands in it as it was sent.
    typed = {name: visit.field(name) for name in visit.form}
    try:
        asked = _read(visit, seen, _as_seen(visit, seen, stories))
        typed = asked.fields
        _refuse_clashes(seen, issue, stories, asked, visit)
        notices = _correct(visit, issue, stories, asked)
    except NewsletterError as error:
        return _page(visit, error, 400 if isinstance(error, UsageError) else 409, typed)
    path = "sending" if issue.state in ON_ITS_WAY else "report"
    done = "corrected" if asked.of_words else "links"
    return visit.go(f"/issues/{issue.public_id}/{path}", done=done, **visit.seal(notices))


def _page(
    visit: Visit,
    problem: NewsletterError | None = None,
    status: int = 200,
    typed: Mapping[str, str] = MappingProxyType({}),
) -> Response:
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
        typed=dict(typed),
    )


def _seen(visit: Visit, tx: Transaction, issue: Issue) -> Issue:
    """The issue as it was when the form was opened: only what differs from that is asked."""
    number = visit.field("version")
    if not (number.isascii() and number.isdecimal() and 0 < int(number[:9]) < issue.version):
        return issue
    return tx.issues.at_version(issue.public_id, int(number[:9])) or issue


def _as_seen(visit: Visit, seen: Issue, stories: list[Led]) -> list[Led]:
    """The stories as the form had them, and where their links led."""
    items = {item.story_id: item for item in seen.items}
    now = {one.item.story_id for one in stories}
    out = [Led(item, item.url, withdrawn=False) for item in items.values()]
    every = [*stories, *(one for one in out if one.item.story_id not in now)]
    return [
        replace(
            one,
            item=items.get(one.item.story_id, one.item),
            url=visit.field(f"was-{one.item.story_id}") or one.url,
        )
        for one in every
    ]


def _refuse_clashes(
    seen: Issue, now: Issue, stories: list[Led], asked: _Asked, visit: Visit
) -> None:
    """Conflict where somebody corrected the same since the form was opened."""
    was_led = {one.item.story_id: one.url for one in _as_seen(visit, seen, stories)}
    was = {item.story_id: item for item in seen.items}
    items = {item.story_id: item for item in now.items}
    looked = [
        ("the subject", seen.subject, now.subject, asked.subject),
        ("the preheader", seen.preheader, now.preheader, asked.preheader),
        ("the note", seen.note, now.note, asked.note),
    ]
    for name, part, texts in (
        ("headline", "headline", asked.headlines),
        ("summary", "excerpt", asked.summaries),
    ):
        looked += [
            (
                f"the {name} of “{was[story].headline}”",
                getattr(was[story], part),
                getattr(items[story], part),
                text,
            )
            for story, text in texts.items()
            if story in was and story in items
        ]
    looked += [
        (f"the link of “{one.item.headline}”", was_led[story], one.url, asked.links[story])
        for one in stories
        if (story := one.item.story_id) in asked.links
    ]
    told = [
        f"{name} was “{before}”, is “{theirs}”, and you would have “{mine}”"
        for name, before, theirs, mine in looked
        if mine is not None and before != theirs and theirs.strip() != mine
    ]
    if asked.block and now.block != seen.block and now.block != asked.block:
        told.append("the part that is no story is another now")
    if told:
        raise Conflict(
            f"somebody else corrected the same meanwhile, so nothing is corrected: "
            f"{'; '.join(told)}. Look at it, and send it again",
            subject=now.slot,
        )


def _led(visit: Visit, issue: Issue) -> list[Led]:
    with visit.context.database.read() as tx:
        links = tx.links.of_issue(issue.public_id)
        former = former_stories(tx, issue, links)
    leads = {link.story_id: link for link in links}
    gone = [
        Led(
            Item(story, 0, headline, leads[story].url),
            leads[story].url,
            leads[story].withdrawn_at is not None,
            gone=True,
        )
        for story, headline in former.items()
    ]
    return [
        Led(
            item,
            leads[item.story_id].url if item.story_id in leads else item.url,
            item.story_id in leads and leads[item.story_id].withdrawn_at is not None,
        )
        for item in {one.story_id: one for one in issue.items}.values()
    ] + gone


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


def _correct(visit: Visit, issue: Issue, stories: list[Led], asked: _Asked) -> tuple[str, ...]:
    """Sentences on what it left; UsageError where nothing is asked for, or too much at once."""
    if not (asked.of_words or asked.links or asked.withdrawn):
        raise UsageError("nothing is corrected: all fields say what the issue says already")
    if asked.of_words and asked.withdrawn:
        raise UsageError("take links back in a correction of its own, after this one")
    if asked.of_words and any(one.gone and one.item.story_id in asked.links for one in stories):
        raise UsageError("lead the links of a story that is out elsewhere in one of its own")
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
    revision = revise_issue(
        installation, issue, correction, actor=visit.actor, told=asked.told, version=issue.version
    )
    changed = ", ".join(revision.changes)
    return (
        f"Revision {revision.number} for {revision.readers:,} readers: {changed}.",
        *(notice.sentence for notice in revision.notices),
    )
