"""Files that editors bring to the desk: kept, looked through, and imported in the background.

A row says what is to be done, and whoever has the scheduler's turn does it: a restart of any
process only means that it goes on. An import knows by itself how far it came, and a dry run
begins anew.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from newsletter.errors import Conflict, NewsletterError, StorageError, UploadWaits
from newsletter.log import get_logger
from newsletter.publication.cadence import Cadence
from newsletter.storage.database import Database
from newsletter.subscribers.csv_export import refusal_writer
from newsletter.subscribers.csv_import import (
    ALL_ATTRIBUTES,
    SubscriberFile,
    open_subscriber_file,
)
from newsletter.subscribers.csv_source import RefusedRow
from newsletter.subscribers.model import (
    ReaderUpload,
    SuppressionReason,
    UploadKind,
    UploadState,
)
from newsletter.subscribers.suppressions_csv import SuppressionFile, open_suppression_file
from newsletter.workflows.import_subscribers import import_subscribers
from newsletter.workflows.installation import Installation, only_newsletter
from newsletter.workflows.suppress import import_suppressions
from newsletter.workflows.undo_import import undo_import

log = get_logger(__name__)

# What nobody imported is let go of, with its addresses; so is what is left of an import.
KEPT_FOR = timedelta(days=7)
# How often progress is written down, in seconds.
_NOTE_SECONDS = 1.0
# A database that takes nothing for so long is not merely busy; and those behind wait too.
_TRIED_FOR = timedelta(hours=1)
# Since when the database takes nothing of an upload, as far as this process has seen: it is
# of no use to write that down there.
_resting_since: dict[str, datetime] = {}
_OUR_FAULT = (
    "a fault of this program ended it, and what it had done until then stays; the log says more "
    "under upload_failed"
)
_UNDO_FAULT = (
    "a fault of this program ended it, and what was taken back until then stays so; the log says "
    "more under undo_failed"
)
_WAITS = ".waits.json"
_IDLE = (UploadState.CHECKED, UploadState.DONE, UploadState.FAILED)


class _Stopped(Exception):
    """We are to stop, or it is no longer our turn: the next one goes on."""


@dataclass(frozen=True)
class UploadStore:
    """Where the files lie: in ``folder``, readable by nobody else."""

    folder: Path

    def new_path(self, name: str) -> Path:
        """Where a file that is just coming in is written to."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.folder / f"incoming-{name}"

    def path(self, public_id: str) -> Path:
        """The file of an upload."""
        return self.folder / f"{public_id}.csv"

    def refused(self, public_id: str) -> Path:
        """Its rows that can't be used, each with why; there once it was looked through."""
        return self.folder / f"{public_id}.refused.csv"

    def waiting(self, public_id: str) -> Path:
        """What is to be written down of an upload that the database could not take yet."""
        return self.folder / f"{public_id}{_WAITS}"

    def drop(self, public_id: str) -> None:
        """Let both go."""
        self.path(public_id).unlink(missing_ok=True)
        self.refused(public_id).unlink(missing_ok=True)


def receive_upload(
    database: Database, store: UploadStore, written: Path, upload: ReaderUpload
) -> None:
    """Keep a file that came in whole, and have it looked through.

    UploadWaits where the database takes nothing now: the file is kept all the same, and
    `work_uploads` writes it down later. To send hundreds of megabytes again is much to ask.
    """
    written.replace(store.path(upload.public_id))
    try:
        _write_down(database, upload)
    except StorageError as error:
        values = {**asdict(upload), "uploaded_at": upload.uploaded_at.isoformat()}
        del values["changed_at"]
        try:
            store.waiting(upload.public_id).write_text(json.dumps(values), encoding="utf-8")
        except OSError:
            store.drop(upload.public_id)
            raise error from None
        log.warning("upload_waits", upload=upload.public_id, reason=str(error))
        raise UploadWaits("the file is here and waits for the database") from error


def _write_down(database: Database, upload: ReaderUpload) -> None:
    with database.write() as tx:
        tx.uploads.add(upload)
        detail = {"kind": upload.kind.value, "file": upload.file, "to": upload.target}
        tx.changes.record(
            *(upload.uploaded_at, upload.actor, "import", upload.public_id, "uploaded"), detail
        )


def _take_in_waiting(database: Database, store: UploadStore) -> None:
    """Write down the files that came in while the database took nothing."""
    for path in sorted(store.folder.glob(f"*{_WAITS}")):
        values = json.loads(path.read_text(encoding="utf-8"))
        at = datetime.fromisoformat(values["uploaded_at"])
        kind, state = UploadKind(values["kind"]), UploadState(values["state"])
        known = {"kind": kind, "state": state, "uploaded_at": at, "changed_at": at}
        upload = ReaderUpload(**{**values, **known})
        with database.read() as tx:
            is_there = tx.uploads.has(upload.public_id)
        if not is_there:
            _write_down(database, upload)
        path.unlink(missing_ok=True)


def want_import(database: Database, public_id: str, *, actor: str, now: datetime) -> None:
    """Have a file that was looked through imported. NotFound, Conflict."""
    with database.write() as tx:
        tx.uploads.get(public_id)
        moved = tx.uploads.move(
            public_id, [UploadState.CHECKED], UploadState.WANTED, now, rows=0, actor=actor
        )
        if not moved:
            raise Conflict("this file is being imported already, or was", subject=public_id)
        tx.changes.record(now, actor, "import", public_id, "import wanted")


def drop_upload(
    database: Database, store: UploadStore, public_id: str, *, actor: str, now: datetime
) -> None:
    """Let a file go that is not to be imported. NotFound; Conflict while it is worked on."""
    with database.write() as tx:
        tx.uploads.get(public_id)
        if not tx.uploads.drop(public_id, _IDLE):
            raise Conflict("this file is being read: wait until that is done", subject=public_id)
        tx.changes.record(now, actor, "import", public_id, "file dropped")
    store.drop(public_id)


def want_undo(database: Database, public_id: str, *, actor: str, now: datetime) -> None:
    """Have an import taken back. NotFound; Conflict where it was, or will be."""
    with database.write() as tx:
        tx.imports.get(public_id)
        if not tx.imports.want_undo(public_id, actor):
            raise Conflict("this import is being taken back, or was", subject=public_id)
        tx.changes.record(now, actor, "import", public_id, "undo wanted")


def work_uploads(installation: Installation, stop: Callable[[], bool]) -> None:
    """Do whatever waits to be done, until nothing does or ``stop`` says so."""
    store = UploadStore(installation.uploads)
    _take_in_waiting(installation.database, store)
    while not stop():
        with installation.database.read() as tx:
            undo, upload = tx.imports.undo_wanted(), tx.uploads.waiting()
        if undo is not None:
            _undo(installation, undo.public_id, undo.undo_wanted_by)
        elif upload is None:
            return
        else:
            try:
                _work(installation, store, upload, stop)
            except _Stopped:
                return
            except (Conflict, StorageError) as error:
                # Another process is at it, or the database rests: the next round goes on.
                log.warning("upload_left", upload=upload.public_id, reason=str(error))
                return


def tidy_uploads(installation: Installation) -> None:
    """Let go of files whose time is over, and of what an upload that broke off left behind."""
    store, now = UploadStore(installation.uploads), installation.clock.now()
    with installation.database.read() as tx:
        old = tx.uploads.before(now - KEPT_FOR)
    for public_id in old:
        with installation.database.write() as tx:
            tx.uploads.drop(public_id, _IDLE)
        store.drop(public_id)
    if store.folder.is_dir():
        for path in store.folder.glob("incoming-*"):
            if path.stat().st_mtime < (now - timedelta(days=1)).timestamp():
                path.unlink(missing_ok=True)


def _work(
    installation: Installation, store: UploadStore, upload: ReaderUpload, stop: Callable[[], bool]
) -> None:
    name = upload.public_id
    try:
        told, to = _take(installation, store, upload, stop)
    except (Conflict, _Stopped):
        raise
    except NewsletterError as error:
        now = installation.clock.now()
        if isinstance(error, StorageError):
            if now - _resting_since.setdefault(name, now) < _TRIED_FOR:
                raise
            del _resting_since[name]
        log.error("upload_failed", upload=name, reason=str(error))
        _fail(installation, store, upload, str(error))
    except OSError as error:
        log.error("upload_failed", upload=name, reason=str(error))
        _fail(installation, store, upload, f"the file can't be read ({error.strerror})")
    except Exception as error:
        # Nobody but us would take it from the queue: left there, it stops all behind it.
        log.exception("upload_failed", upload=name, reason=type(error).__name__)
        _fail(installation, store, upload, _OUR_FAULT)
    else:
        _resting_since.pop(name, None)
        with installation.database.write() as tx:
            merged = {**upload.told, **told}
            tx.uploads.move(name, [upload.state], to, installation.clock.now(), told=merged)
        if to is UploadState.DONE:
            # The addresses are where they belong now.
            store.path(name).unlink(missing_ok=True)


def _take(
    installation: Installation, store: UploadStore, upload: ReaderUpload, stop: Callable[[], bool]
) -> tuple[dict[str, Any], UploadState]:
    """Do what waits to be done with a file; what is told of it, and how it stands then."""
    dry_run = upload.state is UploadState.CHECKING
    to = UploadState.CHECKED if dry_run else UploadState.DONE
    if upload.kind is UploadKind.SUPPRESSIONS:
        return _read_suppressions(installation, store, upload, dry_run=dry_run), to
    told = None if dry_run else _imported(installation.database, upload.public_id)
    return told or _read_rows(installation, store, upload, stop, dry_run=dry_run), to


def _fail(
    installation: Installation, store: UploadStore, upload: ReaderUpload, problem: str
) -> None:
    """Say why nothing more comes of an upload, and let its file go."""
    with installation.database.write() as tx:
        tx.uploads.move(
            *(upload.public_id, [upload.state], UploadState.FAILED, installation.clock.now()),
            problem=problem,
        )
    store.path(upload.public_id).unlink(missing_ok=True)


def _read_rows(
    installation: Installation,
    store: UploadStore,
    upload: ReaderUpload,
    stop: Callable[[], bool],
    *,
    dry_run: bool,
) -> dict[str, Any]:
    """Import, or see what would become of the rows; what is told of it."""
    database = installation.database
    chosen = only_newsletter(installation.settings(), upload.target)
    attributes = (ALL_ATTRIBUTES,) if upload.all_columns else ()
    file = open_subscriber_file(
        store.path(upload.public_id),
        attributes=attributes,
        without_opt_in=upload.without_opt_in,
    )
    with database.write() as tx:
        values = {"row_bound": file.row_bound, "told": {"file": _recognised(file)}}
        tx.uploads.note(upload.public_id, values)
    noted = installation.clock.monotonic()

    def note(rows: int) -> None:
        nonlocal noted
        if stop():
            raise _Stopped
        at = installation.clock.monotonic()
        if at - noted >= _NOTE_SECONDS:
            noted = at
            with database.write() as tx:
                tx.uploads.note(upload.public_id, {"rows": rows})

    with _refusals(store.refused(upload.public_id)) as on_refused:
        report = import_subscribers(
            *(database, installation.keyring, file),
            newsletter=chosen.slug,
            monthly=chosen.serves(Cadence.MONTHLY),
            consent=upload.consent,
            actor=upload.actor,
            now=installation.clock.now(),
            file_name=upload.file,
            import_id=upload.public_id,
            dry_run=dry_run,
            on_progress=note,
            on_refused=on_refused,
        )
    with database.write() as tx:
        tx.uploads.note(upload.public_id, {"rows": report.rows})
    told = {"file": _recognised(file), "counts": report.counts, "lines": report.lines}
    return {**told, **({} if dry_run else {"import": report.import_id})}


def _imported(database: Database, public_id: str) -> dict[str, Any] | None:
    """What is told of an import that ended just before its process did."""
    with database.read() as tx:
        found = next((one for one in tx.imports.all() if one.public_id == public_id), None)
    if found is None or found.finished_at is None:
        return None
    return {"counts": dict(found.counts), "import": public_id}


def _read_suppressions(
    installation: Installation, store: UploadStore, upload: ReaderUpload, *, dry_run: bool
) -> dict[str, Any]:
    file = open_suppression_file(store.path(upload.public_id))
    with _refusals(store.refused(upload.public_id)) as on_refused:
        report = import_suppressions(
            *(installation.database, installation.keyring, file),
            reason=SuppressionReason(upload.target),
            source=upload.file,
            actor=upload.actor,
            now=installation.clock.now(),
            dry_run=dry_run,
            on_refused=on_refused,
        )
    counts = {
        "suppressed": report.suppressed,
        "rules": report.rules,
        "already": report.already,
        "refused": report.refused,
    }
    return {"file": _recognised(file), "counts": counts}


def _undo(installation: Installation, public_id: str, actor: str) -> None:
    """Take an import back, or say why that can't be done: whoever wants it asks anew, for left
    in the queue it would be tried for ever, and stop all behind it."""
    database, problem = installation.database, ""
    try:
        undo_import(database, public_id, actor=actor, now=installation.clock.now())
    except NewsletterError as error:
        log.error("undo_failed", reason=str(error), **{"import": public_id})
        problem = str(error)
    except Exception as error:
        log.exception("undo_failed", reason=type(error).__name__, **{"import": public_id})
        problem = _UNDO_FAULT
    with database.write() as tx:
        tx.imports.end_undo(public_id, problem)


def _recognised(file: SubscriberFile | SuppressionFile) -> dict[str, Any]:
    return {
        "format": file.format,
        "encoding": file.encoding,
        "separator": file.delimiter,
        "columns": list(file.columns),
        "not_taken": list(file.extra),
    }


@contextmanager
def _refusals(path: Path) -> Iterator[Callable[[RefusedRow], None]]:
    with path.open("w", encoding="utf-8", newline="") as stream:
        yield refusal_writer(stream)
