"""Rehearsals begun at the desk: carried out in a thread, their report kept with the issue.

What is kept also tells how far one has come, so that the page needs no process of its own,
and that one which ended with its process can be told from one that goes on.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from newsletter.errors import Conflict, NewsletterError
from newsletter.issues.model import Issue
from newsletter.log import get_logger
from newsletter.storage.transaction import Transaction
from newsletter.workflows.installation import Installation
from newsletter.workflows.rehearsal_document import rehearsal_document
from newsletter.workflows.rehearse import audience_size, rehearse_issue

log = get_logger(__name__)

# How often it tells how far it is, and after how long a silence its process is gone: the
# questions to relays and hosts, during which nothing is told, take a minute at most.
BEAT = timedelta(seconds=2)
SILENT = timedelta(seconds=150)


class RehearsalState(StrEnum):
    """How a rehearsal stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    BROKEN_OFF = "broken off"


@dataclass(frozen=True)
class KeptRehearsal:
    """A rehearsal of an issue, as it stands or stood.

    ``version`` is the issue's that was rehearsed, ``by`` an editor's public id. ``done`` of
    the ``audience`` were written. ``report`` is that of `rehearsal_document`, its instants
    in ISO 8601 and its findings as level and what is told; empty before the end.
    ``sentence`` says why it failed.
    """

    state: RehearsalState
    by: str
    version: int
    begun_at: datetime
    audience: int
    done: int
    report: dict[str, Any]
    sentence: str = ""


def read_rehearsal(tx: Transaction, issue_id: str, now: datetime) -> KeptRehearsal | None:
    """The last rehearsal of an issue; None where there was none."""
    kept = tx.figures.kept(_name(issue_id))
    if kept is None:
        return None
    beat_at, document = kept
    state = RehearsalState(document["state"])
    if state is RehearsalState.RUNNING and now - beat_at > SILENT:
        state = RehearsalState.BROKEN_OFF
    return KeptRehearsal(
        state,
        document["by"],
        document["version"],
        datetime.fromisoformat(document["begun_at"]),
        document["audience"],
        document["done"],
        document["report"],
        document["sentence"],
    )


def begin_rehearsal(
    installation: Installation,
    issue: Issue,
    *,
    actor: str,
    carry_out: Callable[[Callable[[], None]], None] | None = None,
) -> None:
    """Begin to rehearse the issue for all its readers; Conflict while one is under way.

    ``carry_out`` is given what is to be done, else a thread does it. ConfigError where
    there is no relay.
    """
    _ = installation.relay
    now = installation.clock.now()
    with installation.database.write() as tx:
        before = read_rehearsal(tx, issue.public_id, now)
        if before is not None and before.state is RehearsalState.RUNNING:
            raise Conflict(
                f"issue {issue.slot} is being rehearsed already; its report comes by itself",
                subject=issue.slot,
            )
        begun = KeptRehearsal(RehearsalState.RUNNING, actor, issue.version, now, 0, 0, {})
        _keep(tx, issue.public_id, begun, now)
        tx.changes.record(now, actor, "issue", issue.public_id, "rehearsed")
    (carry_out or _in_thread)(lambda: _carry_out(installation, issue, begun))


def _in_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="rehearsal", daemon=True).start()


def _carry_out(installation: Installation, issue: Issue, begun: KeptRehearsal) -> None:
    """Rehearse, and keep what was found, or why it failed."""
    note = begun
    try:
        note = replace(note, audience=audience_size(installation, issue))
        _note(installation, issue, note)
        beat = installation.clock.monotonic()

        def tell(done: int) -> None:
            nonlocal beat, note
            if installation.clock.monotonic() - beat >= BEAT.total_seconds():
                beat = installation.clock.monotonic()
                note = replace(note, done=done)
                _note(installation, issue, note)

        with rehearse_issue(installation, issue, outside=True, on_progress=tell) as rehearsal:
            report = _plain({**rehearsal_document(rehearsal), "findings": []})
            report["findings"] = [
                {"level": one.level.value, "told": one.told} for one in rehearsal.findings
            ]
            note = replace(note, state=RehearsalState.DONE, done=rehearsal.rehearsed, report=report)
    except NewsletterError as error:
        note = replace(note, state=RehearsalState.FAILED, sentence=str(error))
        log.warning("rehearsal_failed", issue=issue.slot, error=str(error))
    _note(installation, issue, note)


def _note(installation: Installation, issue: Issue, note: KeptRehearsal) -> None:
    with installation.database.write() as tx:
        _keep(tx, issue.public_id, note, installation.clock.now())


def _keep(tx: Transaction, issue_id: str, note: KeptRehearsal, at: datetime) -> None:
    tx.figures.keep(_name(issue_id), _plain(vars(note)), at)


def _name(issue_id: str) -> str:
    return f"rehearsal:{issue_id}"


def _plain(value: Any) -> Any:
    """``value`` as JSON has it."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date | datetime) else value
