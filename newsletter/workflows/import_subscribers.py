"""Editors bring readers in: one by one, or from a file.

What becomes of each address is decided by `subscribers.importing`. A file is
read a batch a transaction, and each batch writes down how far it came, so that
an import that broke off goes on there; repeating one that ended does nothing
more.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple, Self, TypeVar

from newsletter.errors import Conflict, UsageError
from newsletter.log import get_logger
from newsletter.publication.cadence import Cadence
from newsletter.publication.zones import find_zone
from newsletter.storage.database import Database
from newsletter.storage.import_additions import SomebodyIsKnown
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.address import domain_of, normalise_address
from newsletter.subscribers.csv_import import (
    Addition,
    SubscriberFile,
    parse_language,
)
from newsletter.subscribers.csv_source import RefusedRow
from newsletter.subscribers.departments import parse_departments
from newsletter.subscribers.importing import (
    Decision,
    Imported,
    SeenAddresses,
    decide,
    decide_former,
)
from newsletter.subscribers.list_formats import ImportStatus
from newsletter.subscribers.model import (
    Consent,
    NewSubscription,
    Standing,
    SubscriberImport,
    Suppression,
)
from newsletter.subscribers.names import clean_name
from newsletter.tokens import Keyring, new_public_id, new_public_ids

T = TypeVar("T")
log = get_logger(__name__)

# Rows a transaction: SQLite's one writer is free again within half a second. On a long list
# the rows of a batch lie on most pages of its indexes, however many they are: with three times
# as many these are written a third as often, and a million rows take a quarter less. The writer
# is busy for two seconds then.
BATCH_ROWS = 10_000
_LARGEST_BATCH = 30_000
_LISTED_A_ROW = 10
# How many refused rows a report names; the rest is only counted.
NAMED_REFUSALS = 1000
# How many lines it names of each class.
NAMED_LINES = 5
_REFUSED = "refused"
# How often a batch is decided anew because somebody else adds its people at the same time.
_TRIES = 20
_NO_MONTHLY = (
    "the cadence is monthly, and the newsletter does not offer the best of a month: write each, or "
    "set [newsletter.monthly] offered = true"
)


@dataclass
class ImportReport:
    """An import's rows by what became of them; together they are all of the file's.

    ``import_id`` is None for a dry run; ``resumed_at`` the rows that an earlier
    run had read; ``lines`` the first lines of each class.
    """

    import_id: str | None = None
    resumed_at: int = 0
    outcomes: dict[Imported, int] = field(default_factory=lambda: dict.fromkeys(Imported, 0))
    refused: int = 0
    refused_rows: list[RefusedRow] = field(default_factory=list)
    lines: dict[str, list[int]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return self.refused + sum(self.outcomes.values())

    @property
    def counts(self) -> dict[str, int]:
        """Rows by class, as they are written down."""
        return {**{str(k): n for k, n in self.outcomes.items()}, _REFUSED: self.refused}

    def count(self, batch: "_Batch", rows: Sequence["_Row"]) -> None:
        """Count a batch."""
        # Most rows of a list become the same, and follow each other.
        for outcome, alike in groupby(rows, attrgetter("decision.outcome")):
            some = list(alike)
            self.outcomes[outcome] += len(some)
            for row in some[:NAMED_LINES]:
                self._name(outcome, row.addition.line)
        for refused in batch.refused:
            self._name(_REFUSED, refused.line)
        self.refused += len(batch.refused)

    def name_refused(self, row: RefusedRow) -> None:
        """Name it, as far as there is room."""
        if len(self.refused_rows) < NAMED_REFUSALS:
            self.refused_rows.append(row)

    def _name(self, outcome: str, line: int) -> None:
        named = self.lines.setdefault(outcome, [])
        if len(named) < NAMED_LINES:
            named.append(line)


@dataclass(frozen=True)
class _Evidence:
    """Whence the rows of one import come, and what is said of their consent."""

    newsletter: str
    consent: Consent
    actor: str
    now: datetime
    import_id: str | None = None


class _Row(NamedTuple):
    """A row with what is decided of it.

    ``given_up`` the reader who had the address before, and what is decided of them, where
    somebody else typed it in since and the row says that whoever has it left.
    """

    addition: Addition
    address_hash: str
    standing: Standing | None
    decision: Decision
    given_up: tuple[Standing, Decision] | None = None


def add_subscriber(
    database: Database,
    keyring: Keyring,
    *,
    newsletter: str,
    address: str,
    wording: str,
    actor: str,
    now: datetime,
    name: str = "",
    language: str | None = None,
    timezone: str | None = None,
    departments: str = "",
    cadence: Cadence = Cadence.EACH,
) -> Imported:
    """Subscribe one person whose consent an editor holds; ``wording`` says where from.

    ``departments`` are parted by ";"; empty for all.
    """
    if timezone is not None and find_zone(timezone) is None:
        raise UsageError(
            f'no time zone is called "{timezone}"; use a name such as Asia/Yerevan',
            subject="timezone",
        )
    addition = Addition(
        0,
        normalise_address(address),
        clean_name(name),
        parse_language(language or ""),
        ImportStatus.ACTIVE,
        timezone,
        parse_departments(departments),
        cadence=cadence,
    )
    evidence = _Evidence(newsletter, Consent("editor", wording, now), actor, now)
    alone = _Batch(0, [addition], hashes=[keyring.hash_address(addition.address)])

    def bring_in(tx: Transaction) -> Imported:
        tx.settings.newsletter_id(newsletter)
        (row,) = _bring_in(tx, alone, evidence)
        return row.decision.outcome

    return _as_they_are(database, bring_in)


def import_subscribers(
    database: Database,
    keyring: Keyring,
    file: SubscriberFile,
    *,
    newsletter: str,
    consent: str,
    actor: str,
    now: datetime,
    file_name: str = "",
    import_id: str | None = None,
    dry_run: bool = False,
    monthly: bool = True,
    on_progress: Callable[[int], None] | None = None,
    on_refused: Callable[[RefusedRow], None] | None = None,
) -> ImportReport:
    """Bring the rows of ``file`` onto ``newsletter``, a batch a transaction.

    Without ``monthly`` the newsletter has nothing for who wants the best of a month
    only, and such rows are refused. ``consent`` says in words how these people agreed;
    it is their evidence. With ``dry_run`` nothing is written. ``on_progress`` is told the
    number of rows read so far, ``on_refused`` each row that can't be used. An import of
    the same file onto the same newsletter that broke off goes on; its report counts all
    rows. A new one is called ``import_id``, if that is given. Conflict where two processes
    import the file at once.
    """
    with database.read() as tx:
        tx.settings.newsletter_id(newsletter)  # NotFound before anything is written
        listed = tx.imports.people()
        begun = None if dry_run else tx.imports.unfinished(newsletter, file.digest)
    if begun is None and not dry_run:
        begun = SubscriberImport(
            *(import_id or new_public_id(), newsletter, file.digest, file_name, file.format),
            *(consent, actor, now),
        )
        with database.write() as tx:
            tx.imports.start(begun)
    report = _report_of(begun)
    evidence = _Evidence(
        newsletter,
        Consent("import", consent, now, "" if file.layout.format.strict else file.format),
        actor,
        now,
        begun.public_id if begun else None,
    )
    batches = _batches(keyring, _rows(file, monthly=monthly), report, on_refused, listed)
    with _Ahead(batches, evidence, hopes=not dry_run) as ahead:
        for batch in ahead:
            if dry_run:
                ahead.read_on()
                with database.read() as tx:
                    rows, _ = _decide(tx, batch, evidence)
                report.count(batch, rows)
            else:
                rows = _import_batch(database, batch, evidence, ahead, report)
            # Else it would still be there beside the next one, and the one after that.
            del batch, rows
            if on_progress is not None:
                on_progress(report.rows)
    if begun is not None:
        with database.write() as tx:
            tx.imports.advance(
                begun.public_id,
                rows_before=report.rows,
                rows=report.rows,
                counts=report.counts,
                finished_at=now,
            )
        database.make_durable()
    counts = {outcome.replace(" ", "_"): count for outcome, count in report.counts.items()}
    log.info("subscribers_imported", newsletter=newsletter, dry_run=dry_run, **counts)
    return report


def _report_of(begun: SubscriberImport | None) -> ImportReport:
    """The report as an earlier run left it."""
    if begun is None:
        return ImportReport()
    outcomes = {outcome: begun.counts.get(str(outcome), 0) for outcome in Imported}
    return ImportReport(begun.public_id, begun.rows, outcomes, begun.counts.get(_REFUSED, 0))


@dataclass(frozen=True)
class _Fresh:
    """A batch of which nobody is known, and no suppression knows anybody: all are added."""

    rows: list[_Row]
    adding: list[NewSubscription]
    domains: set[str]


@dataclass
class _Batch:
    """Rows of one transaction, and the hashes of their addresses.

    ``repeated`` are the places of those whose address the file named before; ``fresh`` is what
    becomes of them if nobody knows any, where that was asked.
    """

    rows_before: int
    rows: list[Addition] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    repeated: set[int] = field(default_factory=set)
    fresh: _Fresh | None = None

    @property
    def size(self) -> int:
        return len(self.rows) + len(self.refused)


class _Ahead:
    """Batches, the next one read and made ready while the database is busy with this one.

    ``hopes`` is whether the people of the next one are taken for unknown, as they are in a
    list that comes in for the first time.
    """

    def __init__(self, batches: Iterator[_Batch], evidence: _Evidence, *, hopes: bool) -> None:
        # Set by who takes the batches and read by the reading thread: one that is prepared by
        # an old word costs a try.
        self.hopes = hopes
        self._batches = batches
        self._evidence = evidence
        self._reader = ThreadPoolExecutor(max_workers=1)
        self._coming: Future[_Batch | None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.shutdown()

    def __iter__(self) -> Iterator[_Batch]:
        while (batch := self._next()) is not None:
            yield batch
            del batch

    def read_on(self) -> None:
        """Begin with the next one, from when on the database does the work.

        Earlier each would wait for the other's turns of the interpreter.
        """
        if self._coming is None:
            self._coming = self._reader.submit(self._read)

    def _next(self) -> _Batch | None:
        self.read_on()
        coming, self._coming = self._coming, None
        return coming.result() if coming is not None else None

    def _read(self) -> _Batch | None:
        batch = next(self._batches, None)
        if batch is not None and self.hopes:
            batch.fresh = _take_for_unknown(batch, self._evidence)
        return batch


def _rows(file: SubscriberFile, *, monthly: bool) -> Iterator[Addition | RefusedRow]:
    return file.rows() if monthly else map(_refuse_monthly, file.rows())


def _refuse_monthly(row: Addition | RefusedRow) -> Addition | RefusedRow:
    if isinstance(row, Addition) and row.cadence is Cadence.MONTHLY:
        return RefusedRow(row.line, _NO_MONTHLY, (row.address,))
    return row


def _batches(
    keyring: Keyring,
    rows: Iterable[Addition | RefusedRow],
    report: ImportReport,
    on_refused: Callable[[RefusedRow], None] | None,
    listed: int,
) -> Iterator[_Batch]:
    """The file's rows that were not imported yet; all that are refused are told.

    ``listed`` is how many people there are already.
    """
    for batch in _raw_batches(rows, report, on_refused, listed):
        batch.hashes = keyring.hash_addresses([row.address for row in batch.rows])
        yield batch


def _raw_batches(
    rows: Iterable[Addition | RefusedRow],
    report: ImportReport,
    on_refused: Callable[[RefusedRow], None] | None,
    listed: int,
) -> Iterator[_Batch]:
    """The same, without the hashes."""

    def begin(rows_before: int) -> tuple[_Batch, int]:
        most = (listed + rows_before - report.resumed_at) // _LISTED_A_ROW
        return _Batch(rows_before), min(max(most, BATCH_ROWS), _LARGEST_BATCH)

    note = SeenAddresses().add
    batch, left = begin(report.resumed_at)
    known = report.resumed_at
    for row in rows:
        new = known <= 0
        known -= 1
        if isinstance(row, RefusedRow):
            report.name_refused(row)
            if on_refused is not None:
                on_refused(row)
            if new:
                batch.refused.append(row)
                left -= 1
        else:
            repeated = note(row.address)
            if repeated and row.status.leaves and batch.rows:
                # It has to find what the batch makes of the address.
                yield batch
                batch, left = begin(batch.rows_before + batch.size)
            if new:
                if repeated:
                    batch.repeated.add(len(batch.rows))
                batch.rows.append(row)
                left -= 1
        if not left:
            yield batch
            batch, left = begin(batch.rows_before + batch.size)
    if batch.size:
        yield batch


def _decide(
    tx: Transaction, batch: _Batch, evidence: _Evidence
) -> tuple[list[_Row], Collection[str]]:
    """What becomes of each row, and the domains that a rule forbids mail to."""
    addresses = [row.address for row in batch.rows]
    domains = {domain_of(address) for address in addresses}
    standings = tx.imports.standings(evidence.newsletter, addresses)
    formers = tx.imports.former_standings(evidence.newsletter, batch.hashes)
    suppressed = tx.suppressions.reasons(batch.hashes)
    rules = tx.suppressions.rules_covering(domains)
    by_domain = {domain: reason for domain in domains if (reason := rules.reason(domain))}
    pairs = zip(batch.rows, batch.hashes, strict=True)
    decided = []
    for place, (row, address_hash) in enumerate(pairs):
        reason = suppressed.get(address_hash)
        if by_domain:
            of_domain = by_domain.get(domain_of(row.address))
            if reason is None or (of_domain is not None and of_domain.strength > reason.strength):
                reason = of_domain
        standing, former = standings.get(row.address), formers.get(address_hash)
        repeated = place in batch.repeated
        if former is None:
            decision = decide(row, standing, reason, repeated=repeated)
            decided.append(_Row(row, address_hash, standing, decision))
            continue
        of_former = decide_former(row, former, reason, repeated=repeated)
        # Whoever typed the address into a form since has not confirmed with it.
        if standing is None or standing.state is None:
            decided.append(_Row(row, address_hash, former, of_former))
            continue
        decision = decide(row, standing, reason, repeated=repeated)
        given_up = (former, of_former) if row.status.leaves else None
        if given_up and of_former.outcome is Imported.TAKEN_OFF:
            decision = decision._replace(outcome=Imported.TAKEN_OFF)
        decided.append(_Row(row, address_hash, standing, decision, given_up))
    left = {standing.key for standing, decision in _of_known(decided) if decision.keeps_left}
    if left:
        # Of two rows of one reader that which says that they left counts.
        decided = [
            row._replace(decision=Decision(Imported.LEFT_EARLIER))
            if row.decision.adds and row.standing and row.standing.key in left
            else row
            for row in decided
        ]
    return decided, by_domain.keys()


def _of_known(rows: Sequence[_Row]) -> list[tuple[Standing, Decision]]:
    """What is decided of each reader whom we know."""
    known = [(row.standing, row.decision) for row in rows if row.standing]
    return known + [row.given_up for row in rows if row.given_up]


def _take_for_unknown(batch: _Batch, evidence: _Evidence) -> _Fresh | None:
    """What becomes of rows that nobody knows; None where there are none, or not all of them
    would be added."""
    if batch.repeated or not batch.rows:
        return None
    rows = [
        _Row(row, address_hash, None, decide(row, None, None))
        for row, address_hash in zip(batch.rows, batch.hashes, strict=True)
    ]
    if not all(row.decision.adds for row in rows):
        return None
    domains = {domain_of(row.address) for row in batch.rows}
    return _Fresh(rows, _new_subscriptions(rows, (), evidence), domains)


def _import_batch(
    database: Database, batch: _Batch, evidence: _Evidence, ahead: _Ahead, report: ImportReport
) -> list[_Row]:
    """Bring a batch in, count it, and write down how far the import came; its rows."""

    def advance(tx: Transaction, rows: list[_Row]) -> list[_Row]:
        report.count(batch, rows)
        tx.imports.advance(
            evidence.import_id or "",
            rows_before=batch.rows_before,
            rows=report.rows,
            counts=report.counts,
        )
        return rows

    if batch.fresh is not None:
        with suppress(SomebodyIsKnown), database.write() as tx:
            _add_unknown(tx, batch.fresh, evidence, ahead.read_on)
            return advance(tx, batch.fresh.rows)
        batch.fresh = None
        ahead.hopes = False
    ahead.read_on()

    def bring_in(tx: Transaction) -> list[_Row]:
        return advance(tx, _bring_in(tx, batch, evidence))

    rows = _as_they_are(database, bring_in)
    ahead.hopes = not any(
        row.standing or row.decision.outcome is Imported.SUPPRESSED for row in rows
    )
    return rows


def _as_they_are(database: Database, act: Callable[[Transaction], T]) -> T:
    """Do it again where somebody else, on PostgreSQL, added one of the people meanwhile: what
    becomes of a row is decided by what is there. Conflict where that goes on."""
    for _ in range(_TRIES):
        with suppress(SomebodyIsKnown), database.write() as tx:
            return act(tx)
    raise Conflict("the same people are being brought in by somebody else; try again")


def _add_unknown(
    tx: Transaction, fresh: _Fresh, evidence: _Evidence, on_staged: Callable[[], None]
) -> None:
    """Add a batch without asking whom of it we know; SomebodyIsKnown where that is somebody."""
    rules = tx.suppressions.rules_covering(fresh.domains)
    if any(rules.reason(domain) for domain in fresh.domains):
        raise SomebodyIsKnown
    staged = tx.import_additions.stage(
        *(evidence.newsletter, fresh.adding, evidence.now, evidence.actor, evidence.import_id)
    )
    on_staged()
    tx.import_additions.add_unknown(staged)
    _suppress(tx, fresh.rows, evidence)


def _bring_in(tx: Transaction, batch: _Batch, evidence: _Evidence) -> list[_Row]:
    """Do what is decided of each row, before anything is counted; the rows.

    SomebodyIsKnown where one that was to be added stands there since; nothing of the
    transaction is used then.
    """
    decided, closed = _decide(tx, batch, evidence)
    now, actor, import_id = evidence.now, evidence.actor, evidence.import_id
    known = _of_known(decided)
    left = {standing.key for standing, decision in known if decision.keeps_left}
    leaving = [standing for standing, decision in known if decision.takes_off]
    learned = [row.decision.learns for row in decided if row.decision.learns is not None]
    changing = {*left, *(one.key for one in leaving), *(one.key for one in learned)}
    tx.imports.hold(changing, leaves=bool(leaving))
    tx.imports.keep_left(evidence.newsletter, left, evidence.consent, now, actor, import_id)
    adding = _new_subscriptions([row for row in decided if row.decision.adds], closed, evidence)
    added = tx.import_additions.add(evidence.newsletter, adding, now, actor, import_id)
    if added < len(adding):
        raise SomebodyIsKnown
    tx.imports.take_off(evidence.newsletter, leaving, now, actor, import_id)
    tx.imports.learn(evidence.newsletter, learned, import_id)
    _suppress(tx, decided, evidence)
    return decided


def _suppress(tx: Transaction, decided: Sequence[_Row], evidence: _Evidence) -> None:
    wanted = [
        Suppression(row.address_hash, row.decision.suppresses, evidence.now, _source(evidence))
        for row in decided
        if row.decision.suppresses is not None
    ]
    if not wanted:
        return
    # In one order, so that no two imports wait for each other.
    wanted.sort(key=attrgetter("address_hash"))
    before = tx.suppressions.reasons([each.address_hash for each in wanted])
    tx.suppressions.suppress(wanted, evidence.actor)
    if evidence.import_id is not None:
        # A reason that stood before is not this import's to take back.
        caused = [each.address_hash for each in wanted if each.address_hash not in before]
        tx.imports.mark_suppressions(caused, evidence.import_id)


def _source(evidence: _Evidence) -> str:
    return f"import {evidence.import_id}" if evidence.import_id else evidence.actor


def _new_subscriptions(
    rows: Iterable[_Row], closed: Collection[str], evidence: _Evidence
) -> list[NewSubscription]:
    # In the order of the keyed hashes, and the ids in theirs: what is in order goes into an
    # index page by page, and either says no more than where in the batch a reader stands.
    ordered = sorted(rows, key=attrgetter("address_hash"))
    ids = sorted(new_public_ids(len(ordered)))
    return [
        _new_subscription(name, row, closed, evidence)
        for name, row in zip(ids, ordered, strict=True)
    ]


def _new_subscription(
    public_id: str, row: _Row, closed: Collection[str], evidence: _Evidence
) -> NewSubscription:
    addition = row.addition
    consent = evidence.consent
    if addition.consent_at is not None or addition.consent_wording:
        consent = Consent(
            consent.how,
            addition.consent_wording or consent.wording,
            min(addition.consent_at or consent.at, consent.at),
            consent.placement,
        )
    return NewSubscription(
        public_id,
        addition.address,
        row.address_hash,
        addition.name,
        addition.language,
        addition.timezone,
        addition.attributes,
        bool(closed) and domain_of(addition.address) in closed,
        row.decision.state,
        addition.departments,
        consent,
        addition.cadence,
    )
