"""Addresses and domains that may not be mailed: one by one, from a file, to a file."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import StringIO
from itertools import islice
from typing import TextIO

from newsletter.errors import NotFound, UsageError
from newsletter.log import get_logger, mask_address
from newsletter.storage.changes import change_detail
from newsletter.storage.database import Database
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.address import normalise_address
from newsletter.subscribers.csv_source import RefusedRow
from newsletter.subscribers.importing import SeenAddresses
from newsletter.subscribers.model import DomainRule, Suppression, SuppressionReason
from newsletter.subscribers.suppressions_csv import (
    SuppressedRow,
    SuppressionFile,
    check_rule_reason,
    is_rule,
    parse_rule,
    write_suppressed,
    write_suppressions,
)
from newsletter.tokens import Keyring

log = get_logger(__name__)

_BATCH_ROWS = 1_000
_NAMED_REFUSALS = 1_000


@dataclass
class SuppressionReport:
    """A file's rows: what is new or stronger now, what stood already, what was refused."""

    suppressed: int = 0
    rules: int = 0
    already: int = 0
    refused: int = 0
    refused_rows: list[RefusedRow] = field(default_factory=list)

    def refuse(self, row: RefusedRow) -> None:
        """Count a row that can't be used, and name it as far as there is room."""
        self.refused += 1
        if len(self.refused_rows) < _NAMED_REFUSALS:
            self.refused_rows.append(row)


def suppress_address(
    database: Database,
    keyring: Keyring,
    written: str,
    reason: SuppressionReason,
    *,
    actor: str,
    now: datetime,
) -> None:
    """Mail this address no more, known or not, until somebody lifts it.

    ``@example.org`` is every address at a domain, ``*.example.org`` at those below it.
    """
    if is_rule(written):
        check_rule_reason(reason)
        rule = DomainRule(parse_rule(written), reason, now, actor)
        with database.write() as tx:
            before = _rule_of(tx, rule.pattern)
            if tx.suppressions.add_rules([rule], actor):
                _note(tx, now, actor, rule.pattern, before, rule)
        log.info("domain_suppressed", pattern=rule.pattern, reason=str(reason))
        return
    normal = normalise_address(written)
    wanted = Suppression(keyring.hash_address(normal), reason, now)
    with database.write() as tx:
        standing = tx.suppressions.one(wanted.address_hash)
        if tx.suppressions.suppress([wanted], actor):
            _note(tx, now, actor, wanted.address_hash, standing, wanted)
    log.info("address_suppressed", address=mask_address(normal), reason=str(reason))


def lift_suppression(
    database: Database, keyring: Keyring, written: str, *, actor: str, now: datetime
) -> bool:
    """Allow mail to this address or domain again; False where nothing was in the way."""
    if is_rule(written):
        pattern = parse_rule(written)
        with database.write() as tx:
            before = _rule_of(tx, pattern)
            lifted = tx.suppressions.remove_rule(pattern, now, actor)
            if lifted:
                _note(tx, now, actor, pattern, before, None)
        return lifted
    address_hash = keyring.hash_address(normalise_address(written))
    with database.write() as tx:
        standing = tx.suppressions.one(address_hash)
        lifted = tx.subscribers.unsuppress(address_hash, now, actor)
        if lifted:
            _note(tx, now, actor, address_hash, standing, None)
    return lifted


def lift_listed(
    database: Database, listed: str, *, why: str, actor: str, now: datetime
) -> Suppression | DomainRule:
    """Lift what an editor sees on the list: a hash, or a domain's pattern. NotFound.

    Of a complaint, or for a legal reason, they have to say ``why`` it may be mailed again;
    UsageError. Both stay in the log.
    """
    with database.write() as tx:
        found = _rule_of(tx, listed) if is_rule(listed) else tx.suppressions.one(listed)
        if found is None:
            raise NotFound("that does not stand on the list any more", subject="suppression")
        if found.reason.blocks_confirmation and not why.strip():
            raise UsageError(
                f"it is a {found.reason} matter: say why it may be mailed again; that is kept",
                subject="why",
            )
        if isinstance(found, DomainRule):
            tx.suppressions.remove_rule(listed, now, actor, why.strip())
        else:
            tx.subscribers.unsuppress(listed, now, actor, why.strip())
        _note(tx, now, actor, listed, found, None, why.strip())
    log.info("suppression_lifted", reason=str(found.reason))
    return found


def _rule_of(tx: Transaction, pattern: str) -> DomainRule | None:
    return next((rule for rule in tx.suppressions.rules() if rule.pattern == pattern), None)


def _note(
    tx: Transaction,
    now: datetime,
    actor: str,
    subject: str,
    before: Suppression | DomainRule | None,
    after: Suppression | DomainRule | None,
    why: str = "",
) -> None:
    """A line of the paper's own log on what a person did: the reader's is let go in time.

    ``subject`` is the keyed hash, or the pattern.
    """
    detail = {
        **change_detail(_reason_of(before), _reason_of(after)),
        **({"why": why} if why else {}),
    }
    tx.changes.record(now, actor, "never mailed", subject, "added" if after else "lifted", detail)


def _reason_of(found: Suppression | DomainRule | None) -> dict[str, str]:
    return {"reason": found.reason.value} if found else {}


def import_suppressions(
    database: Database,
    keyring: Keyring,
    file: SuppressionFile,
    *,
    reason: SuppressionReason,
    source: str,
    actor: str,
    now: datetime,
    dry_run: bool = False,
    on_refused: Callable[[RefusedRow], None] | None = None,
) -> SuppressionReport:
    """Suppress all that a list names, a batch a transaction; ``reason`` where a row gives none.

    Rows of addresses, of hashes that our own export wrote, and of domains. Rules
    are applied together at the end, for each change of them goes through all readers.
    With ``dry_run`` nothing is written.
    """
    report = SuppressionReport()
    rules: list[DomainRule] = []
    seen = SeenAddresses()
    for batch in _batches(file.rows(reason, keyring.hash_mark)):
        addresses: list[Suppression] = []
        for row in batch:
            if isinstance(row, RefusedRow):
                report.refuse(row)
                if on_refused is not None:
                    on_refused(row)
            elif row.pattern:
                at = min(row.at or now, now)
                rules.append(DomainRule(row.pattern, row.reason, at, row.source or source))
            else:
                addresses.append(_suppression(keyring, row, source, now))
        if addresses:
            if dry_run:
                new = _count_news(database, addresses, seen)
            else:
                with database.write() as tx:
                    new = tx.suppressions.suppress(addresses, actor)
            report.suppressed += new
            report.already += len(addresses) - new
    if rules:
        report.rules = _apply_rules(database, rules, actor, dry_run=dry_run)
        report.already += len(rules) - report.rules
    log.info(
        "suppressions_imported",
        dry_run=dry_run,
        suppressed=report.suppressed,
        rules=report.rules,
        refused=report.refused,
    )
    return report


def _count_news(database: Database, wanted: Sequence[Suppression], seen: SeenAddresses) -> int:
    """How many would be suppressed, or more strongly; ``seen`` holds those counted before."""
    with database.read() as tx:
        before = tx.suppressions.reasons([each.address_hash for each in wanted])
    strengths = {address_hash: reason.strength for address_hash, reason in before.items()}
    news = [
        each.address_hash
        for each in wanted
        if strengths.get(each.address_hash, -1) < each.reason.strength
    ]
    return sum(not seen.add(address_hash) for address_hash in news)


def _apply_rules(
    database: Database, rules: Sequence[DomainRule], actor: str, *, dry_run: bool
) -> int:
    """How many are new, or stronger than before."""
    if not dry_run:
        with database.write() as tx:
            return tx.suppressions.add_rules(rules, actor)
    with database.read() as tx:
        strengths = {rule.pattern: rule.reason.strength for rule in tx.suppressions.rules()}
    news = 0
    for rule in rules:
        if strengths.get(rule.pattern, -1) < rule.reason.strength:
            strengths[rule.pattern] = rule.reason.strength
            news += 1
    return news


def export_suppressions(database: Database, keyring: Keyring, stream: TextIO) -> int:
    """Write rules and suppressed addresses as CSV; how many rows."""
    with database.read() as tx:
        rules, addresses = tx.suppressions.rules(), tx.suppressions.each()
        return write_suppressions(rules, addresses, keyring.hash_mark, stream)


def stream_suppressions(
    database: Database, keyring: Keyring, *, actor: str, now: datetime
) -> Iterator[str]:
    """The same as pieces for somebody who takes them slowly; that is logged."""
    with database.write() as tx:
        tx.changes.record(now, actor, "export", "suppressions", "exported")
        rules = tx.suppressions.rules()
    piece = StringIO(newline="")
    write_suppressions(rules, (), keyring.hash_mark, piece)
    yield piece.getvalue()
    last, found = 0, True
    while found:
        with database.read() as tx:
            rows = tx.suppressions.after(last, _BATCH_ROWS)
        found = bool(rows)
        if rows:
            last = rows[-1][0]
            piece = StringIO(newline="")
            write_suppressed((each for _, each in rows), keyring.hash_mark, piece)
            yield piece.getvalue()


def _suppression(keyring: Keyring, row: SuppressedRow, source: str, now: datetime) -> Suppression:
    address_hash = row.address_hash or keyring.hash_address(row.address)
    return Suppression(address_hash, row.reason, min(row.at or now, now), row.source or source)


def _batches(
    rows: Iterable[SuppressedRow | RefusedRow],
) -> Iterator[list[SuppressedRow | RefusedRow]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, _BATCH_ROWS)):
        yield batch
