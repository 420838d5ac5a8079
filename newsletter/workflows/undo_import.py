"""An import that was a mistake is taken back as a whole, a portion a transaction."""

from dataclasses import dataclass
from datetime import datetime

from newsletter.log import get_logger
from newsletter.storage.changes import Change
from newsletter.storage.database import Database
from newsletter.subscribers.states import GIVEN_BACK, MOVES, SubscriptionAct

log = get_logger(__name__)

UNDO_ROWS = 1_000


@dataclass(frozen=True)
class UndoReport:
    """What taking an import back has changed."""

    import_id: str
    subscriptions_removed: int = 0
    people_removed: int = 0
    brought_back: int = 0
    suppressions_lifted: int = 0


def undo_import(database: Database, public_id: str, *, actor: str, now: datetime) -> UndoReport:
    """Take an import back: whom it added goes, whom it took off comes back.

    What a reader did since stays, and with it the person. May be repeated, also
    where it broke off. NotFound.
    """
    with database.write() as tx:
        tx.imports.get(public_id)
        tx.import_undo.begin_undo(public_id, now)
        lifted = tx.import_undo.lift_suppressions(public_id, now, actor)
    returned = 0
    went_through = UNDO_ROWS
    while went_through:
        with database.write() as tx:
            went_through, came_back = tx.import_undo.give_back(
                public_id, GIVEN_BACK, now, actor, UNDO_ROWS
            )
        returned += came_back
    removed = _remove_subscriptions(database, public_id, actor, now)
    people = _remove_people(database, actor, now)
    report = UndoReport(public_id, removed, people, returned, lifted)
    log.info(
        "import_undone",
        removed=removed,
        people=people,
        brought_back=returned,
        suppressions_lifted=lifted,
    )
    return report


def _remove_subscriptions(database: Database, public_id: str, actor: str, now: datetime) -> int:
    """Remove the subscriptions that an import added; how many.

    Sign-ups of people of whom it alone said that they left wait for the confirmation as if
    it never had.
    """
    ask = MOVES[SubscriptionAct.ASK]
    removed = after = 0
    went_through = UNDO_ROWS
    while went_through:
        with database.write() as tx:
            newsletter = tx.imports.get(public_id).newsletter
            brought = tx.import_undo.brought(public_id, after, UNDO_ROWS)
            for reader in tx.wishes.asking(newsletter, [name for _, name in brought]):
                tx.wishes.take(reader, newsletter, ask.allowed, ask.to, now, actor)
            removed += tx.import_undo.remove_subscriptions(public_id, brought, now, actor)
        went_through = len(brought)
        after = brought[-1][0] if brought else after
    return removed


def _remove_people(database: Database, actor: str, now: datetime) -> int:
    """Remove the people whom imports brought that were taken back, and nothing else needs;
    how many."""
    people = after = 0
    gone = UNDO_ROWS
    while gone:
        with database.write() as tx:
            unneeded = tx.import_undo.people_without_subscription(after, UNDO_ROWS)
            gone = len(unneeded)
            if unneeded:
                after = unneeded[-1][0]
                tx.subscribers.erase([key for key, _, _ in unneeded], now)
                tx.changes.record_all(
                    Change(now, actor, "subscriber", name, "removed", {"import": brought_by})
                    for _, name, brought_by in unneeded
                )
        people += gone
    return people
