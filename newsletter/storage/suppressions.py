"""What may not be mailed: addresses by their keyed hash, domains by rules.

A rule is applied when it comes and goes, and to everybody who is added: it
marks its readers (``subscriber.domain_suppressed``), so that what is asked
before every message is one flag and no pattern.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.storage import tables as t
from newsletter.storage.changes import Change, ChangeLog
from newsletter.storage.ready import ReadyStatement
from newsletter.storage.statements import (
    among_parameter,
    among_texts,
    among_values,
    chunks,
    domain_of,
    fence,
    insert_into,
    lock_name,
    share_name,
)
from newsletter.subscribers.model import (
    DomainRule,
    DomainRules,
    Suppression,
    SuppressionReason,
    patterns_covering,
)

_RULES = "suppression rules"
_HELD_ROWS = 1_000
# Beyond this it is quicker to look at every domain, or at every rule.
_FEW_PATTERNS = 20


_REASONS = ReadyStatement(
    lambda dialect: (
        sa.select(t.suppression.c.reason)
        .where(t.suppression.c.address_hash == sa.bindparam("address_hash"))
        .union_all(
            sa.select(t.suppression_rule.c.reason).where(
                among_parameter(dialect, t.suppression_rule.c.pattern, "patterns")
            )
        )
    )
)
_RULES_AMONG = ReadyStatement(
    lambda dialect: sa.select(
        t.suppression_rule.c.pattern,
        t.suppression_rule.c.reason,
        t.suppression_rule.c.at,
        t.suppression_rule.c.source,
    ).where(among_parameter(dialect, t.suppression_rule.c.pattern, "patterns"))
)


class SuppressionRepository:
    """Suppressed addresses by hash, and rules by pattern."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._changes = ChangeLog(connection)

    def reason(self, address: str, address_hash: str) -> SuppressionReason | None:
        """Why an address may not be mailed, be it itself or its domain; None where it may."""
        patterns = among_values(self._connection, patterns_covering(address.rpartition("@")[2]))
        rows = _REASONS.rows(self._connection, address_hash=address_hash, patterns=patterns)
        reasons = (SuppressionReason(reason) for (reason,) in rows)
        return max(reasons, key=lambda reason: reason.strength, default=None)

    def reasons(self, hashes: Collection[str]) -> dict[str, SuppressionReason]:
        """Those of some addresses that are suppressed themselves, by hash."""
        rows = self._connection.execute(
            sa.select(t.suppression.c.address_hash, t.suppression.c.reason).where(
                among_texts(self._connection, t.suppression.c.address_hash, hashes)
            )
        )
        return {address_hash: SuppressionReason(reason) for address_hash, reason in rows}

    def rules_covering(self, domains: Collection[str]) -> DomainRules:
        """The rules that concern some domains; none comes or goes until the transaction ends."""
        share_name(self._connection, _RULES)
        if len(domains) > _FEW_PATTERNS and self._count_rules() <= len(domains):
            return DomainRules(self.rules())
        patterns = {pattern for domain in domains for pattern in patterns_covering(domain)}
        wanted = among_values(self._connection, sorted(patterns))
        rows = _RULES_AMONG.rows(self._connection, patterns=wanted)
        return DomainRules(_rule(*row) for row in rows)

    def _count_rules(self) -> int:
        return self._connection.scalar(sa.select(sa.func.count(t.suppression_rule.c.id))) or 0

    def rules_over(self, domain: str) -> list[DomainRule]:
        """The rules that a domain falls under, by pattern."""
        rule = t.suppression_rule.c
        rows = self._connection.execute(
            sa.select(rule.pattern, rule.reason, rule.at, rule.source)
            .where(rule.pattern.in_(patterns_covering(domain)))
            .order_by(rule.pattern)
        )
        return [_rule(*row) for row in rows]

    def rules(self) -> list[DomainRule]:
        """All rules, by pattern."""
        rule = t.suppression_rule.c
        rows = self._connection.execute(
            sa.select(rule.pattern, rule.reason, rule.at, rule.source).order_by(rule.pattern)
        )
        return [_rule(*row) for row in rows]

    def each(self) -> Iterator[Suppression]:
        """Every suppressed address in the order they came; streamed."""
        rows = self._connection.execute(
            _SUPPRESSIONS.order_by(t.suppression.c.id),
            execution_options={"yield_per": _HELD_ROWS},
        )
        for row in rows:
            yield _suppression(*row[1:])

    def after(self, number: int, most: int) -> list[tuple[int, Suppression]]:
        """The addresses that came after that number of the list, each with its own."""
        rows = self._connection.execute(
            _SUPPRESSIONS.where(t.suppression.c.id > number)
            .order_by(t.suppression.c.id)
            .limit(most)
        )
        return [(row[0], _suppression(*row[1:])) for row in rows]

    def latest(
        self, most: int, *, before: int | None = None, reason: SuppressionReason | None = None
    ) -> list[tuple[int, Suppression]]:
        """The addresses that came last, the newest first; all, or those of one reason.

        Each with its number; ``before`` is the number to go on from.
        """
        row = t.suppression.c
        narrowed = [] if before is None else [row.id < before]
        narrowed += [] if reason is None else [row.reason == reason.value]
        rows = self._connection.execute(
            _SUPPRESSIONS.where(*narrowed).order_by(row.id.desc()).limit(most)
        )
        return [(row[0], _suppression(*row[1:])) for row in rows]

    def one(self, address_hash: str) -> Suppression | None:
        """The suppression of an address by its hash."""
        row = self._connection.execute(
            _SUPPRESSIONS.where(t.suppression.c.address_hash == address_hash)
        ).first()
        return _suppression(*row[1:]) if row else None

    def suppress(self, wanted: Iterable[Suppression], actor: str) -> int:
        """Forbid mail to addresses; how many were not, or not as strongly."""
        fence(self._connection)
        changed = 0
        for chunk in chunks(list(wanted)):
            changed += self._suppress(chunk, actor)
        return changed

    def _suppress(self, wanted: list[Suppression], actor: str) -> int:
        standing = self.reasons([each.address_hash for each in wanted])
        news: dict[str, Suppression] = {}
        for each in wanted:
            known = standing.get(each.address_hash)
            if known is None or known.strength < each.reason.strength:
                news[each.address_hash] = each
                standing[each.address_hash] = each.reason
        # Whoever says it anew stands for it from now on, not the import that said it first.
        said_again = [each.address_hash for each in wanted if each.address_hash not in news]
        if said_again:
            self._connection.execute(
                sa.update(t.suppression)
                .where(
                    among_texts(self._connection, t.suppression.c.address_hash, said_again),
                    t.suppression.c.import_id.is_not(None),
                )
                .values(import_id=None)
            )
        if not news:
            return 0
        statement = insert_into(self._connection, t.suppression)
        values = {name: statement.excluded[name] for name in ("reason", "at", "source")}
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["address_hash"], set_={**values, "import_id": None}
            ),
            [
                {
                    "address_hash": each.address_hash,
                    "reason": each.reason.value,
                    "at": each.at,
                    "source": each.source or actor,
                }
                for each in news.values()
            ],
        )
        self._changes.record_all(
            Change(
                each.at,
                actor,
                "suppression",
                each.address_hash,
                "suppressed",
                _because(each.reason),
            )
            for each in news.values()
        )
        return len(news)

    def add_rules(self, rules: Iterable[DomainRule], actor: str) -> int:
        """Forbid mail to domains; how many rules were new, or are stronger now."""
        self._lock_rules()
        standing = {rule.pattern: rule.reason for rule in self.rules()}
        changed = []
        for rule in rules:
            known = standing.get(rule.pattern)
            if known is not None and known.strength >= rule.reason.strength:
                continue
            values = {"reason": rule.reason.value, "at": rule.at, "source": rule.source or actor}
            self._connection.execute(
                insert_into(self._connection, t.suppression_rule)
                .values(pattern=rule.pattern, **values)
                .on_conflict_do_update(index_elements=["pattern"], set_=values)
            )
            self._changes.record(
                rule.at, actor, "suppression", rule.pattern, "suppressed", _because(rule.reason)
            )
            standing[rule.pattern] = rule.reason
            changed.append(rule.pattern)
        if 0 < len(changed) <= _FEW_PATTERNS:
            # Whoever ends as a pattern does is covered by it: one walk, and no look at others.
            self._connection.execute(
                sa.update(t.subscriber)
                .where(self._end_in(changed), ~t.subscriber.c.domain_suppressed)
                .values(domain_suppressed=True)
            )
        elif changed:
            self._mark_subscribers(changed)
        return len(changed)

    def remove_rule(self, pattern: str, at: datetime, actor: str, why: str = "") -> bool:
        """Allow mail to a domain again; False where no such rule forbade it."""
        self._lock_rules()
        lifted = self._connection.scalar(
            sa.delete(t.suppression_rule)
            .where(t.suppression_rule.c.pattern == pattern)
            .returning(t.suppression_rule.c.reason)
        )
        if lifted is None:
            return False
        detail = {"reason": lifted, **({"why": why} if why else {})}
        self._changes.record(at, actor, "suppression", pattern, "lifted", detail)
        self._mark_subscribers([pattern])
        return True

    def _lock_rules(self) -> None:
        lock_name(self._connection, _RULES)
        fence(self._connection)

    def _mark_subscribers(self, patterns: Sequence[str]) -> None:
        """Mark those whom the rules cover, and nobody else, where ``patterns`` came or went.

        Goes through all addresses, but looks closer only at those that end as a pattern
        does, unless these are many.
        """
        concerned: sa.ColumnElement[bool] = sa.true()
        if len(patterns) <= _FEW_PATTERNS:
            concerned = self._end_in(patterns)
        rules = DomainRules(self.rules())
        domain = domain_of(self._connection, t.subscriber.c.address)
        marked = t.subscriber.c.domain_suppressed
        wrong: dict[bool, list[str]] = {True: [], False: []}
        for name, is_marked in self._connection.execute(
            sa.select(domain, marked).where(concerned).group_by(domain, marked)
        ):
            wanted = rules.reason(name) is not None
            if wanted != is_marked:
                wrong[wanted].append(name)
        for wanted, names in wrong.items():
            if names:
                self._connection.execute(
                    sa.update(t.subscriber)
                    .where(concerned, among_texts(self._connection, domain, names))
                    .where(marked != wanted)
                    .values(domain_suppressed=wanted)
                )

    def _end_in(self, patterns: Sequence[str]) -> sa.ColumnElement[bool]:
        return sa.or_(*(self._ends_in(pattern.removeprefix("*")) for pattern in patterns))

    def _ends_in(self, ending: str) -> sa.ColumnElement[bool]:
        """Whether an address ends so. No pattern reaches into the part before the @."""
        address = t.subscriber.c.address
        if self._connection.dialect.name == "sqlite":
            return sa.func.substr(address, -len(ending)) == ending
        return sa.func.right(address, len(ending)) == ending


_SUPPRESSIONS = sa.select(
    t.suppression.c.id,
    t.suppression.c.address_hash,
    t.suppression.c.reason,
    t.suppression.c.at,
    t.suppression.c.source,
    t.subscriber.c.address,
).outerjoin(t.subscriber, t.subscriber.c.address_hash == t.suppression.c.address_hash)


def _suppression(
    address_hash: str, reason: str, at: datetime, source: str, address: str | None
) -> Suppression:
    return Suppression(address_hash, SuppressionReason(reason), at, source, address)


def _rule(pattern: str, reason: str, at: datetime, source: str) -> DomainRule:
    return DomainRule(pattern, SuppressionReason(reason), at, source)


def _because(reason: SuppressionReason) -> dict[str, str]:
    return {"reason": reason.value}
