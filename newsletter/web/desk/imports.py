"""Lists that editors bring: uploaded, looked through, imported in the background, taken back."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.responses import FileResponse, Response

from newsletter.errors import NotFound, UploadWaits
from newsletter.subscribers.importing import Imported
from newsletter.subscribers.model import (
    ReaderUpload,
    SubscriberImport,
    SuppressionReason,
    UploadKind,
    UploadState,
)
from newsletter.tokens import new_public_id
from newsletter.web.desk.reader_words import SUPPRESSION_REASONS
from newsletter.web.desk.visit import DESK_HEADERS, Visit
from newsletter.words import Words, gettext_noop
from newsletter.workflows.reader_uploads import (
    drop_upload,
    receive_upload,
    want_import,
    want_undo,
)

_SHOWN = 30
SAID: Mapping[str, str] = {
    "dropped": gettext_noop("The file is gone. Nothing was imported."),
    "undo": gettext_noop("The import is being taken back."),
}
STATES: Mapping[UploadState, str] = {
    UploadState.CHECKING: gettext_noop("being looked through"),
    UploadState.CHECKED: gettext_noop("looked through, waits for you"),
    UploadState.WANTED: gettext_noop("being imported"),
    UploadState.DONE: gettext_noop("imported"),
    UploadState.FAILED: gettext_noop("failed"),
}
# By what became of a row, or would.
CLASSES: Mapping[str, tuple[str, str]] = {
    Imported.ADDED: (gettext_noop("added"), gettext_noop("are on the newsletter then")),
    Imported.ALREADY_THERE: (
        gettext_noop("already there"),
        gettext_noop("only what was not known of them is filled in"),
    ),
    Imported.LEFT_EARLIER: (
        gettext_noop("left earlier"),
        gettext_noop("have unsubscribed here, and stay so whatever the file says"),
    ),
    Imported.SUPPRESSED: (
        gettext_noop("never mailed"),
        gettext_noop("stand on the list of who may not be mailed"),
    ),
    Imported.WAITS_FOR_CONFIRMATION: (
        gettext_noop("wait for confirmation"),
        gettext_noop("asked by themselves, and only they can say yes"),
    ),
    Imported.TAKEN_OFF: (
        gettext_noop("taken off"),
        gettext_noop("the file says that they left, and they are let go"),
    ),
    Imported.NOT_ASKED: (
        gettext_noop("without opt-in"),
        gettext_noop(
            "the file tells of none, so they are left out; a box beside the file lets them in"
        ),
    ),
    Imported.REPEATED: (
        gettext_noop("repeated in the file"),
        gettext_noop("named before; if any row says that they left, they have"),
    ),
    "refused": (
        gettext_noop("can’t be used"),
        gettext_noop("no address, or a cell that can’t be right"),
    ),
}
SUPPRESSED: Mapping[str, str] = {
    "suppressed": gettext_noop("addresses added"),
    "rules": gettext_noop("domains added"),
    "already": gettext_noop("stood there already"),
    "refused": gettext_noop("can’t be used"),
}
_SEPARATORS: Mapping[str, str] = {"\t": gettext_noop("tabs")}


@dataclass(frozen=True)
class Class:
    """So many rows of which the same is decided; ``lines`` the first ones in the file."""

    name: str
    about: str
    count: int
    lines: str


def show_imports(visit: Visit) -> Response:
    """The form for a file, files that wait, and past imports."""
    return _page(visit)


def take_import(visit: Visit) -> Response:
    """A list of readers: kept, and looked through before anything is imported."""
    newsletter, consent = visit.field("newsletter"), visit.field("consent").strip()[:2000]
    words = visit.words
    if visit.settings.newsletter_called(newsletter) is None:
        return _page(visit, problem=words.gettext("Choose the newsletter they are to be on."))
    if not consent:
        return _page(
            visit,
            consent_problem=words.gettext(
                "Say how these people agreed to be mailed: it is kept with each as the evidence."
            ),
        )
    if visit.sent is None or not visit.sent.bytes:
        return _page(visit, file_problem=words.gettext("Choose a file that is not empty."))
    return _receive(visit, UploadKind.READERS, newsletter, consent=consent)


def take_suppressed_import(visit: Visit) -> Response:
    """A list of what may not be mailed: kept, and looked through before it holds."""
    chosen = visit.field("reason")
    allowed = (SuppressionReason.LEGAL, SuppressionReason.COMPLAINT, SuppressionReason.BOUNCED)
    reason = next((one for one in allowed if one == chosen), SuppressionReason.LEGAL)
    if visit.sent is None or not visit.sent.bytes:
        return visit.sorry(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            visit.words.gettext("There was no file"),
            visit.words.gettext("Choose a file that is not empty."),
        )
    return _receive(visit, UploadKind.SUPPRESSIONS, reason.value)


def show_upload(visit: Visit) -> Response:
    """One file: what was recognised, what would become of its rows, and how far it is."""
    return _show_one(visit, "upload")


def show_upload_state(visit: Visit) -> Response:
    """The same without the frame, which the page fetches while something is done."""
    return _show_one(visit, "upload_state")


def take_import_start(visit: Visit) -> Response:
    """Import what was looked through."""
    context, upload = visit.context, visit.param("upload")
    want_import(context.database, upload, actor=visit.actor, now=context.clock.now())
    return visit.go(f"/readers/imports/{upload}")


def take_import_drop(visit: Visit) -> Response:
    """Let the file go."""
    context = visit.context
    drop_upload(
        *(context.database, context.uploads, visit.param("upload")),
        actor=visit.actor,
        now=context.clock.now(),
    )
    return visit.go("/readers/imports", done="dropped")


def take_import_undo(visit: Visit) -> Response:
    """Take an import back."""
    context = visit.context
    want_undo(context.database, visit.param("upload"), actor=visit.actor, now=context.clock.now())
    return visit.go("/readers/imports", done="undo")


def show_refused(visit: Visit) -> Response:
    """The rows that can't be used, each with its line and why, as a CSV."""
    with visit.context.database.read() as tx:
        upload = tx.uploads.get(visit.param("upload"))
    path = visit.context.uploads.refused(upload.public_id)
    if upload.state.waits or not path.is_file():
        raise NotFound("the refused rows of this file are not there", subject=upload.public_id)
    return FileResponse(
        path,
        media_type="text/csv; charset=utf-8",
        headers={
            **DESK_HEADERS,
            "Content-Disposition": 'attachment; filename="refused.csv"',
        },
    )


def _receive(visit: Visit, kind: UploadKind, target: str, *, consent: str = "") -> Response:
    sent, now = visit.sent, visit.context.clock.now()
    if sent is None:
        raise LookupError("no file was sent")
    upload = ReaderUpload(
        *(new_public_id(), kind, sent.name, sent.bytes, target, visit.actor),
        *(UploadState.CHECKING, now, now),
        consent=consent,
        all_columns=visit.field("all_columns") == "yes",
        without_opt_in=visit.field("without_opt_in") == "yes",
    )
    try:
        receive_upload(visit.context.database, visit.context.uploads, sent.path, upload)
    except UploadWaits:
        return visit.sorry(
            HTTPStatus.ACCEPTED,
            visit.words.gettext("The file is here, and waits"),
            visit.words.gettext(
                "We cannot reach our records right now. The file is kept and taken in as soon as "
                "we can: look for it among the files in some minutes, and do not send it again."
            ),
        )
    return visit.go(f"/readers/imports/{upload.public_id}")


def _show_one(visit: Visit, template: str) -> Response:
    words = visit.words
    with visit.context.database.read() as tx:
        upload = tx.uploads.get(visit.param("upload"))
    recognised = upload.told.get("file", {})
    separator = recognised.get("separator", "")
    return visit.page(
        template,
        upload=upload,
        state=words.gettext(STATES[upload.state]),
        file=recognised,
        separator=words.gettext(_SEPARATORS[separator]) if separator in _SEPARATORS else separator,
        classes=_classes(words, upload),
        has_refused=bool(upload.told.get("counts", {}).get("refused"))
        and visit.context.uploads.refused(upload.public_id).is_file(),
        name=_name_of(visit, upload.target),
        reason=words.gettext(SUPPRESSION_REASONS[SuppressionReason(upload.target)])
        if upload.kind is UploadKind.SUPPRESSIONS
        else "",
    )


def _classes(words: Words, upload: ReaderUpload) -> list[Class]:
    counts, lines = upload.told.get("counts", {}), upload.told.get("lines", {})
    if upload.kind is UploadKind.SUPPRESSIONS:
        return [
            Class(words.gettext(SUPPRESSED[key]), "", count, "") for key, count in counts.items()
        ]
    return [
        Class(
            words.gettext(CLASSES[key][0]),
            words.gettext(CLASSES[key][1]),
            counts[key],
            ", ".join(map(str, lines.get(key, []))),
        )
        for key in CLASSES
        if key in counts
    ]


def _page(visit: Visit, **problems: str) -> Response:
    with visit.context.database.read() as tx:
        uploads, imports = tx.uploads.latest(_SHOWN), tx.imports.all(_SHOWN)
        editors = tx.editors.names()
    page: dict[str, Any] = {"problem": "", "consent_problem": "", "file_problem": "", **problems}
    return visit.page(
        "imports",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if any(problems.values()) else HTTPStatus.OK,
        said=SAID,
        newsletters=visit.settings.newsletter,
        chosen=visit.field("newsletter"),
        consent=visit.field("consent")[:2000],
        all_columns=visit.field("all_columns") == "yes",
        without_opt_in=visit.field("without_opt_in") == "yes",
        uploads=[one for one in uploads if one.state is not UploadState.DONE],
        states={state: visit.words.gettext(message) for state, message in STATES.items()},
        imports=[(one, _state_of(visit.words, one)) for one in imports],
        names={one.slug: one.name for one in visit.settings.newsletter},
        editors=editors,
        **page,
    )


def _state_of(words: Words, one: SubscriberImport) -> str:
    if one.undo_wanted_by:
        return words.gettext("is being taken back")
    if one.undo_problem:
        return words.gettext("not taken back to its end")
    if one.undone_at is not None:
        return words.gettext("taken back")
    if one.finished_at is None:
        return words.gettext("not at its end")
    return words.gettext("imported")


def _name_of(visit: Visit, target: str) -> str:
    newsletter = visit.settings.newsletter_called(target)
    return newsletter.name if newsletter else target
