"""Issues and mailings as JSON documents, and back.

What was sent must come back the same years later, so the form is written out
field by field. A document of an earlier version lacks the keys that came
since: each has a default here. Instants and dates are ISO 8601.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from newsletter.delivery.model import Mailing, MailingKind
from newsletter.issues.model import (
    AS_THE_SITE,
    Block,
    BlockKind,
    DroppedSection,
    FreshCheck,
    Issue,
    IssueState,
    Item,
    RunnerUp,
    Section,
    SiteWords,
)
from newsletter.pictures.model import PictureFile
from newsletter.publication.cadence import Edition
from newsletter.ranking.model import Pin
from newsletter.stories.model import Picture

Json = dict[str, Any]
_FORMAT = 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def picture_document(picture: Picture | None) -> Json | None:
    """A picture, or nothing."""
    if picture is None:
        return None
    return {
        "url": picture.url,
        "width": picture.width,
        "height": picture.height,
        "alt": picture.alt,
        "caption": picture.caption,
        "credit": picture.credit,
        "files": files_document(picture.files),
        # An editor's, and so of few.
        **({"focus": list(picture.focus)} if picture.focus else {}),
    }


def picture_from_document(document: Mapping[str, Any] | None) -> Picture | None:
    """The picture of `picture_document`."""
    if document is None:
        return None
    return Picture(
        url=document.get("url", ""),
        width=document.get("width"),
        height=document.get("height"),
        alt=document.get("alt", ""),
        caption=document.get("caption", ""),
        credit=document.get("credit", ""),
        files=files_from_document(document.get("files", ())),
        focus=_focus_from(document.get("focus")),
    )


def _focus_from(shares: Sequence[float] | None) -> tuple[float, float] | None:
    return (shares[0], shares[1]) if shares else None


def files_document(files: Iterable[PictureFile]) -> list[Json]:
    """The files kept of a picture."""
    return [
        {"slot": file.slot, "name": file.name, "width": file.width, "height": file.height}
        for file in files
    ]


def files_from_document(document: Iterable[Mapping[str, Any]]) -> tuple[PictureFile, ...]:
    """The files of `files_document`; one of which not all is told is no file."""
    return tuple(
        PictureFile(file["slot"], file["name"], file["width"], file["height"])
        for file in document
        if {"slot", "name", "width", "height"} <= file.keys()
    )


def issue_document(issue: Issue) -> Json:
    """What an issue prints, and why; its state and identity are columns of its row."""
    return {
        "format": _FORMAT,
        "date": issue.date.isoformat(),
        "covers_from": issue.covers_from.isoformat(),
        "covers_until": issue.covers_until.isoformat(),
        "title": issue.title,
        "subject": issue.subject,
        "preheader": issue.preheader,
        "language": issue.language,
        "note": issue.note,
        "editors_language": issue.editors_language,
        "title_language": issue.title_language,
        "lead": issue.lead,
        "held_over": list(issue.held_over),
        "pins": [[pin.section, pin.position, pin.story_id] for pin in issue.pins],
        "excluded": list(issue.excluded),
        "checks": [
            {"at": check.at.isoformat(), "changes": list(check.changes), "notes": list(check.notes)}
            for check in issue.checks
        ],
        "block": _block_document(issue.block),
        "logo": picture_document(issue.logo),
        "sections": [_section_document(section) for section in issue.sections],
        "lead_kept": issue.lead_kept,
        "dropped": [
            {"section": _section_document(one.section), "behind": one.behind}
            for one in issue.dropped
        ],
    }


def issue_from_document(
    document: Mapping[str, Any],
    *,
    public_id: str,
    newsletter: str,
    slot: str,
    state: IssueState,
    send_at: datetime,
    edition: Edition = Edition.REGULAR,
    held_because: str = "",
    approved_by: str = "",
    approved_at: datetime | None = None,
    version: int = 1,
    first_approved_by: str = "",
    first_approved_at: datetime | None = None,
) -> Issue:
    """The issue of `issue_document` and the columns beside it."""
    day = document.get("date")
    return Issue(
        public_id=public_id,
        newsletter=newsletter,
        slot=slot,
        state=state,
        date=date.fromisoformat(day) if day else send_at.date(),
        send_at=send_at,
        edition=edition,
        covers_from=_instant(document.get("covers_from")) or _EPOCH,
        covers_until=_instant(document.get("covers_until")) or send_at,
        title=document.get("title", ""),
        subject=document.get("subject", ""),
        preheader=document.get("preheader", ""),
        sections=tuple(_section_from(section) for section in document.get("sections", ())),
        language=document.get("language", "en"),
        note=document.get("note", ""),
        editors_language=document.get("editors_language"),
        title_language=document.get("title_language"),
        lead=document.get("lead", ""),
        held_over=tuple(document.get("held_over", ())),
        pins=tuple(Pin(*pin) for pin in document.get("pins", ())),
        excluded=tuple(document.get("excluded", ())),
        checks=tuple(_check_from(check) for check in document.get("checks", ())),
        block=_block_from(document.get("block")),
        logo=picture_from_document(document.get("logo")),
        held_because=held_because,
        approved_by=approved_by,
        approved_at=approved_at,
        version=version,
        first_approved_by=first_approved_by,
        first_approved_at=first_approved_at,
        lead_kept=document.get("lead_kept", False),
        dropped=tuple(
            DroppedSection(_section_from(one.get("section", {})), one.get("behind", ""))
            for one in document.get("dropped", ())
        ),
    )


def _block_document(block: Block | None) -> Json | None:
    if block is None:
        return None
    return {"kind": block.kind.value, "text": block.text, "source": block.source}


def _block_from(document: Mapping[str, Any] | None) -> Block | None:
    if document is None:
        return None
    return Block(
        BlockKind(document.get("kind", BlockKind.QUOTE)),
        document.get("text", ""),
        document.get("source", ""),
    )


def _check_from(document: Mapping[str, Any]) -> FreshCheck:
    return FreshCheck(
        at=_instant(document.get("at")) or _EPOCH,
        changes=tuple(document.get("changes", ())),
        notes=tuple(document.get("notes", ())),
    )


def _section_document(section: Section) -> Json:
    return {
        "slug": section.slug,
        "kind": section.kind,
        "title": section.title,
        "window": section.window,
        "items": [_item_document(item) for item in section.items],
        "runners_up": [_runner_up_document(runner_up) for runner_up in section.runners_up],
        "relaxed": list(section.relaxed),
        "language": section.language,
        "made_title": section.made_title,
    }


def _section_from(document: Mapping[str, Any]) -> Section:
    return Section(
        slug=document.get("slug", ""),
        kind=document.get("kind", ""),
        title=document.get("title", ""),
        window=document.get("window", ""),
        items=tuple(_item_from(item) for item in document.get("items", ())),
        runners_up=tuple(_runner_up_from(found) for found in document.get("runners_up", ())),
        relaxed=tuple(document.get("relaxed", ())),
        language=document.get("language"),
        made_title=document.get("made_title", ""),
    )


def _item_document(item: Item) -> Json:
    return {
        "story_id": item.story_id,
        "position": item.position,
        "headline": item.headline,
        "url": item.url,
        "excerpt": item.excerpt,
        "byline": item.byline,
        "department": item.department,
        "language": item.language,
        "minutes": item.minutes,
        "published_at": item.published_at.isoformat() if item.published_at else None,
        "picture": picture_document(item.picture),
        "reads": item.reads,
        "reasons": list(item.reasons),
        "score": item.score,
        "syndicated_from": item.syndicated_from,
        "still_read": item.still_read,
        "site": _site_document(item.site),
    }


def _item_from(document: Mapping[str, Any]) -> Item:
    return Item(
        story_id=document.get("story_id", ""),
        position=document.get("position", 0),
        headline=document.get("headline", ""),
        url=document.get("url", ""),
        excerpt=document.get("excerpt", ""),
        byline=document.get("byline", ""),
        department=document.get("department", ""),
        language=document.get("language"),
        minutes=document.get("minutes", 0),
        published_at=_instant(document.get("published_at")),
        picture=picture_from_document(document.get("picture")),
        reads=document.get("reads"),
        reasons=tuple(document.get("reasons", ())),
        score=document.get("score"),
        syndicated_from=document.get("syndicated_from", ""),
        still_read=document.get("still_read", False),
        site=_site_from(document.get("site") or {}),
    )


def _site_document(site: SiteWords) -> Json | None:
    """The site's words beside an editor's; nothing where the item has them."""
    if site == AS_THE_SITE:
        return None
    return {
        "headline": site.headline,
        "excerpt": site.excerpt,
        "picture": picture_document(site.picture),
    }


def _site_from(document: Mapping[str, Any]) -> SiteWords:
    return SiteWords(
        headline=document.get("headline"),
        excerpt=document.get("excerpt"),
        picture=picture_from_document(document.get("picture")),
    )


def _runner_up_document(runner_up: RunnerUp) -> Json:
    return {
        "story_id": runner_up.story_id,
        "headline": runner_up.headline,
        "url": runner_up.url,
        "reads": runner_up.reads,
        "reason": runner_up.reason,
        "score": runner_up.score,
    }


def _runner_up_from(document: Mapping[str, Any]) -> RunnerUp:
    return RunnerUp(
        story_id=document.get("story_id", ""),
        headline=document.get("headline", ""),
        url=document.get("url", ""),
        reads=document.get("reads"),
        reason=document.get("reason", ""),
        score=document.get("score"),
    )


def mailing_document(mailing: Mailing) -> Json:
    """A mailing whole: every byte of its messages follows from this and the recipient."""
    return {
        "format": _FORMAT,
        "public_id": mailing.public_id,
        "kind": mailing.kind.value,
        "subject": mailing.subject,
        "html": mailing.html,
        "text": mailing.text,
        "from_name": mailing.from_name,
        "from_address": mailing.from_address,
        "created_at": mailing.created_at.isoformat(),
        "language": mailing.language,
        "reply_to": mailing.reply_to,
        "return_path": mailing.return_path,
        "newsletter_id": mailing.newsletter_id,
        "list_id": mailing.list_id,
        "list_name": mailing.list_name,
        "base_url": mailing.base_url,
        "archive_url": mailing.archive_url,
        "leave_address": mailing.leave_address,
        "revision": mailing.revision,
        "departments": list(mailing.departments),
        "token_key": mailing.token_key,
        "dkim_selectors": list(mailing.dkim_selectors),
    }


def mailing_from_document(document: Mapping[str, Any]) -> Mailing:
    """The mailing of `mailing_document`."""
    return Mailing(
        public_id=document.get("public_id", ""),
        kind=MailingKind(document.get("kind", MailingKind.SYSTEM)),
        subject=document.get("subject", ""),
        html=document.get("html", ""),
        text=document.get("text", ""),
        from_name=document.get("from_name", ""),
        from_address=document.get("from_address", ""),
        created_at=_instant(document.get("created_at")) or _EPOCH,
        language=document.get("language", "en"),
        reply_to=document.get("reply_to"),
        return_path=document.get("return_path"),
        newsletter_id=document.get("newsletter_id"),
        list_id=document.get("list_id", ""),
        list_name=document.get("list_name", ""),
        base_url=document.get("base_url", ""),
        archive_url=document.get("archive_url", ""),
        leave_address=document.get("leave_address"),
        revision=document.get("revision", 1),
        departments=tuple(document.get("departments", ())),
        token_key=document.get("token_key", ""),
        dkim_selectors=tuple(document.get("dkim_selectors", ())),
    )


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
