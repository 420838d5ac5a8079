"""From the queue to the relays: settle what a dead worker left, send what is due, close."""

import gc
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext

from newsletter.delivery.engine import Callbacks, Engine, Limits
from newsletter.delivery.judging import Alert
from newsletter.delivery.lock import sending_lock
from newsletter.delivery.message import MessageTemplate
from newsletter.delivery.model import DeliveryState, DeliverySummary, Mailing, OnUncertain
from newsletter.delivery.writing import LetterWriter
from newsletter.errors import ConfigError, SendingHeld, StorageError
from newsletter.log import get_logger
from newsletter.net.mx_groups import MxGroups
from newsletter.publication.durations import parse_duration
from newsletter.publication.sending import DeliverySettings
from newsletter.rendering.filters import format_number
from newsletter.rendering.system_mail import Quote
from newsletter.storage.ledger import SqlLedger
from newsletter.tokens import new_public_id
from newsletter.words import words_of
from newsletter.workflows.clone_guard import assert_may_send
from newsletter.workflows.installation import Installation
from newsletter.workflows.notices import Notice, desk_page, queue_notice
from newsletter.workflows.report import report_issue
from newsletter.workflows.sending_watch import (
    SendingWatch,
    wait_until_may_send,
    watch_sending,
)
from newsletter.workflows.unserved import skip_called_off
from newsletter.workflows.waves import check_brake, release_due

log = get_logger(__name__)

# How long a worker with nothing to do waits before it looks again: a sign-up's
# confirmation should be in the inbox before the reader looks for it.
IDLE_SECONDS = 1.0
_HERE = ("localhost", "127.0.0.1", "::1")
# How long it waits after the ledger failed it.
LEDGER_PAUSE_SECONDS = 5.0
# A message leaves about a hundred objects that go by themselves: to look for circles among
# them every 700, as Python does, took a tenth of the processor's time.
_OBJECTS_BETWEEN_COLLECTIONS = 20_000


@contextmanager
def open_ledger(installation: Installation) -> Iterator[SqlLedger]:
    """The ledger, for a process that is going to send.

    On SQLite this process is then the only sender, and what an earlier one
    left unfinished is settled at once; on PostgreSQL a dead worker's rows are
    settled as soon as its session is gone, or when its lease has ended, by
    whoever is at work then.
    SendingHeld where this may be a copy of the installation that sends.
    """
    database = installation.database
    # Beside the file, not in data_dir: another data_dir makes no second sender of one file.
    lock = sending_lock(database.beside(".sending")) if database.is_sqlite else None
    assert_may_send(installation)
    with lock or nullcontext(), closing(SqlLedger(database)) as ledger:
        ledger.on_uncertain = OnUncertain(installation.settings().delivery.on_uncertain)
        _recover(installation, ledger, all_workers=database.is_sqlite)
        yield ledger


def deliver(
    installation: Installation,
    ledger: SqlLedger,
    *,
    should_stop: Callable[[], bool] = lambda: False,
    on_progress: Callable[[DeliverySummary], None] = lambda _: None,
) -> DeliverySummary:
    """Send all that is due now; an error where rows are left because no relay can be used
    (RelayError), or because no message of an issue can be written (RenderError) or taken.

    For a person who asks for it: a relay that refused us is tried again.
    """
    with watch_sending(installation) as watch:
        callbacks = _callbacks(installation, ledger, watch, should_stop, on_progress)
        with _open_engine(installation, ledger, callbacks) as engine:
            engine.try_again()
            summary = engine.run()
            failure = engine.failure
    _close_finished(installation, ledger)
    if failure is not None:
        raise failure
    return summary


def work(installation: Installation, should_stop: Callable[[], bool]) -> None:
    """The worker: send whatever falls due until told to stop; what fails only delays."""
    while wait_until_may_send(installation, should_stop):
        try:
            with open_ledger(installation) as ledger, watch_sending(installation) as watch:
                callbacks = _callbacks(installation, ledger, watch, should_stop, lambda _: None)
                while not callbacks.should_stop():
                    _work_patiently(installation, ledger, callbacks)
        except SendingHeld as error:
            log.info("sending_held", error=str(error))


def _work_patiently(installation: Installation, ledger: SqlLedger, callbacks: Callbacks) -> None:
    try:
        _work_by_settings(installation, ledger, callbacks)
    except StorageError as error:
        log.error("ledger_failed", error=str(error))
        _wait(installation, LEDGER_PAUSE_SECONDS, callbacks.should_stop)
    except ConfigError as error:
        # Such as a key that a mailing was promised to be signed with, and is gone.
        log.error("mailing_not_prepared", error=str(error))
        _tell_editors(installation, Alert("config", str(error)))
        _wait(installation, LEDGER_PAUSE_SECONDS, callbacks.should_stop)


def _work_by_settings(installation: Installation, ledger: SqlLedger, callbacks: Callbacks) -> None:
    """Work until told to stop, or until the settings of delivery are others."""
    settings = installation.settings().delivery
    ledger.on_uncertain = OnUncertain(settings.on_uncertain)
    if installation.database.is_sqlite:
        # An engine that the ledger failed for long could not give its rows back.
        _recover(installation, ledger, all_workers=True)
    with _open_engine(installation, ledger, callbacks) as engine:
        engine.try_again()
        while not callbacks.should_stop() and installation.settings().delivery == settings:
            engine.run()
            _close_finished(installation, ledger)
            _wait(installation, IDLE_SECONDS, callbacks.should_stop)


@contextmanager
def _open_engine(
    installation: Installation, ledger: SqlLedger, callbacks: Callbacks
) -> Iterator[Engine]:
    _ = installation.relay  # ConfigError where there is none
    settings = installation.settings().delivery
    # A relay on this machine queues by itself and never passes a destination's complaint on.
    far = any(relay.host not in _HERE for relay in installation.relays)
    groups = (
        MxGroups(installation.resolver, installation.clock)
        if settings.group_by_mx and far
        else None
    )

    def prepare(mailing: Mailing) -> MessageTemplate:
        return MessageTemplate.of(mailing, installation.keyring, installation.signer)

    writer = LetterWriter(ledger.mailing, prepare, groups.group_of if groups else str.lower)
    engine = Engine(
        ledger,
        installation.relays,
        writer,
        installation.clock,
        _limits(settings, signs=installation.signer is not None),
        callbacks,
        name=_worker_name(),
    )
    usual = gc.get_threshold()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, *usual[1:])
    try:
        yield engine
    finally:
        gc.set_threshold(*usual)
        engine.close()
        if groups is not None:
            groups.close()


def _limits(settings: DeliverySettings, *, signs: bool) -> Limits:
    return Limits(
        give_up_after=parse_duration(settings.give_up_after),
        resend_after=parse_duration(settings.resend_after),
        domain_connections=settings.domain_connections,
        domain_rate=settings.domain_rate,
        signs=signs,
    )


def _callbacks(
    installation: Installation,
    ledger: SqlLedger,
    watch: SendingWatch,
    should_stop: Callable[[], bool],
    on_progress: Callable[[DeliverySummary], None],
) -> Callbacks:
    def progress(summary: DeliverySummary) -> None:
        watch.note(summary)
        on_progress(summary)

    def brake(rows: Sequence[int]) -> None:
        check_brake(installation, rows)

    def beat() -> None:
        release_due(installation)
        # In the middle of a send as well: what a dead worker held would wait for its end.
        on_hosts = not installation.database.is_sqlite
        if on_hosts and ledger.has_dead_workers(installation.clock.now()):
            _recover(installation, ledger, all_workers=False)

    return Callbacks(
        should_stop=lambda: should_stop() or not watch.may_go_on(),
        on_progress=progress,
        on_beat=beat,
        on_refusals=brake,
        on_alert=lambda alert: _tell_editors(installation, alert),
    )


def _tell_editors(installation: Installation, alert: Alert) -> None:
    """A relay's or a destination's trouble: told once a day and thing."""
    settings = installation.settings()
    if not settings.newsletter:
        return
    words = words_of(settings.publication.language)
    comfort = words.gettext("No reader was removed, and none is lost: they wait.")
    notice = Notice(
        key=f"{alert.key}:{installation.clock.now():%Y-%m-%d}",
        subject=words.gettext("Sending needs a hand"),
        sentences=(Quote(alert.sentence), *([comfort] if alert.waiting else [])),
    )
    with installation.database.write() as tx:
        queue_notice(tx, installation, settings, settings.newsletter[0], notice)


def _close_finished(installation: Installation, ledger: SqlLedger) -> None:
    # What was on its way when its issue was recalled may have come back to wait.
    skip_called_off(installation)
    for issue_id in ledger.close_finished(installation.clock.now()):
        log.info("issue_sent", issue=issue_id)
        _tell_if_nobody_got_it(installation, issue_id)


def _tell_if_nobody_got_it(installation: Installation, issue_id: str) -> None:
    """An issue too small for the brake may end with everybody refused."""
    with installation.database.read() as tx:
        issue = tx.issues.by_id(issue_id)
        counts = tx.mailings.counts(issue_id)
    settings = installation.settings()
    newsletter = settings.newsletter_called(issue.newsletter) if issue else None
    if issue is None or newsletter is None or not counts.reached_nobody:
        return
    reasons = report_issue(installation, issue).reasons
    words = words_of(settings.publication.language)
    why = ", ".join(
        f"{one.reason} {format_number(one.readers, words.language)}"
        for one in reasons
        if one.state is DeliveryState.REFUSED
    )
    log.warning("issue_reached_nobody", newsletter=issue.newsletter, issue=issue.slot)
    notice = Notice(
        key=f"nobody:{issue_id}",
        subject=words.gettext("Nobody got: %(subject)s", subject=issue.subject),
        sentences=(
            words.ngettext(
                "Issue %(slot)s of %(newsletter)s reached nobody: the %(count)s reader to whom it "
                "went was refused.",
                "Issue %(slot)s of %(newsletter)s reached nobody: all %(count)s readers to whom "
                "it went were refused.",
                counts.refused,
                slot=issue.slot,
                newsletter=issue.newsletter,
                count=format_number(counts.refused, words.language),
            ),
            words.gettext("The reasons are: %(reasons)s.", reasons=why),
            words.gettext(
                "What their servers said stands at the desk: %(address)s",
                address=desk_page(installation, issue.public_id, "/report"),
            ),
        ),
    )
    with installation.database.write() as tx:
        queue_notice(tx, installation, settings, newsletter, notice)


def _recover(installation: Installation, ledger: SqlLedger, *, all_workers: bool) -> None:
    requeued, uncertain = ledger.recover(installation.clock.now(), all_workers=all_workers)
    if requeued or uncertain:
        log.warning("deliveries_recovered", requeued=requeued, uncertain=uncertain)


def _wait(installation: Installation, seconds: float, should_stop: Callable[[], bool]) -> None:
    """Wait in short steps, so that a stop is heard at once."""
    end = installation.clock.monotonic() + seconds
    while not should_stop() and (left := end - installation.clock.monotonic()) > 0:
        installation.clock.sleep(min(left, 0.2))


def _worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{new_public_id()}"
