"""What becomes of an address that a file names: decided from what we hold of it.

Whoever left or was suppressed stays so, whatever a file says; whoever a file
says has left is let go. Of readers who are there already only what was not
known is taken.
"""

from array import array
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from newsletter.subscribers.csv_import import Addition
from newsletter.subscribers.list_formats import ImportStatus
from newsletter.subscribers.model import (
    Learned,
    Standing,
    SubscriptionState,
    SuppressionReason,
)
from newsletter.subscribers.states import MOVES, SubscriptionAct


class Imported(StrEnum):
    """What became of one address."""

    ADDED = "added"
    ALREADY_THERE = "already there"
    LEFT_EARLIER = "left earlier"
    SUPPRESSED = "suppressed"
    WAITS_FOR_CONFIRMATION = "waits for confirmation"
    TAKEN_OFF = "taken off"
    NOT_ASKED = "no opt-in in the file"
    REPEATED = "repeated in the file"


class Decision(NamedTuple):
    """What to do with a row.

    ``adds`` a subscription in ``state``; ``takes_off`` the one there is; ``keeps_left``
    that a reader who was never on the newsletter has left it; ``suppresses`` the address;
    ``learns`` what was not known.
    """

    outcome: Imported
    adds: bool = False
    state: SubscriptionState = SubscriptionState.ACTIVE
    takes_off: bool = False
    suppresses: SuppressionReason | None = None
    learns: Learned | None = None
    keeps_left: bool = False


_SUPPRESSES: Mapping[ImportStatus, SuppressionReason] = {
    ImportStatus.BOUNCED: SuppressionReason.BOUNCED,
    ImportStatus.COMPLAINED: SuppressionReason.COMPLAINT,
    ImportStatus.BLOCKED: SuppressionReason.LEGAL,
}
_WHAT_IS_THERE = {
    SubscriptionState.ACTIVE: Imported.ALREADY_THERE,
    SubscriptionState.PAUSED: Imported.ALREADY_THERE,
    SubscriptionState.UNSUBSCRIBED: Imported.LEFT_EARLIER,
    # Perhaps somebody else typed the address in: only its owner can tell.
    SubscriptionState.PENDING: Imported.WAITS_FOR_CONFIRMATION,
}
_CAN_LEAVE = MOVES[SubscriptionAct.UNSUBSCRIBE].allowed
_ADDED = Decision(Imported.ADDED, adds=True)
_SUPPRESSED = Decision(Imported.SUPPRESSED)
_NOT_ASKED = Decision(Imported.NOT_ASKED)


def decide(
    row: Addition,
    standing: Standing | None,
    suppression: SuppressionReason | None,
    *,
    repeated: bool = False,
) -> Decision:
    """What becomes of ``row``.

    ``standing`` is None for an unknown address; ``suppression`` what forbids
    mail to it; ``repeated`` whether the file named it before.
    """
    if row.status.leaves:
        decided = _let_go(row, standing, suppression)
        return decided._replace(outcome=Imported.REPEATED) if repeated else decided
    if repeated:
        return Decision(Imported.REPEATED)
    if suppression is not None:
        return _SUPPRESSED
    if row.status is ImportStatus.NOT_ASKED and (standing is None or standing.state is None):
        return _NOT_ASKED
    if standing is None:
        if row.status is ImportStatus.ACTIVE:
            return _ADDED
        return Decision(Imported.ADDED, adds=True, state=SubscriptionState(row.status.value))
    learns = _learned(row, standing)
    if standing.state is None:
        state = SubscriptionState(row.status.value)
        return Decision(Imported.ADDED, adds=True, state=state, learns=learns)
    return Decision(_WHAT_IS_THERE[standing.state], learns=learns)


def decide_former(
    row: Addition,
    standing: Standing,
    suppression: SuppressionReason | None,
    *,
    repeated: bool = False,
) -> Decision:
    """What becomes of ``row``, whose address the reader of ``standing`` has given up.

    It adds nobody. Where it says that they left, they are let go, or kept as who left; what
    became of the mailbox that was theirs is nothing to them.
    """
    there = Imported.LEFT_EARLIER if standing.state is None else _WHAT_IS_THERE[standing.state]
    if row.status.leaves:
        decided = _let_go(row, standing, suppression)
        if row.status is ImportStatus.BOUNCED:
            decided = Decision(there, suppresses=decided.suppresses)
        elif standing.state is None:
            # Whatever is known of the old address: no later file may bring in the present one.
            reason = decided.suppresses
            decided = Decision(Imported.TAKEN_OFF, suppresses=reason, keeps_left=True)
    else:
        decided = _SUPPRESSED if suppression is not None else Decision(there)
    return decided._replace(outcome=Imported.REPEATED) if repeated else decided


def _let_go(
    row: Addition,
    standing: Standing | None,
    suppression: SuppressionReason | None,
) -> Decision:
    state = standing.state if standing else None
    takes_off = state in _CAN_LEAVE
    reason = _SUPPRESSES.get(row.status)
    if reason is not None and suppression is not None and reason.strength <= suppression.strength:
        reason = None
    if takes_off:
        return Decision(Imported.TAKEN_OFF, takes_off=True, suppresses=reason)
    if state is not None:
        return Decision(Imported.LEFT_EARLIER, suppresses=reason)
    if suppression is not None and reason is None:
        return _SUPPRESSED
    # Kept as one who left, so that no later file brings them in.
    return Decision(
        Imported.TAKEN_OFF, adds=True, state=SubscriptionState.UNSUBSCRIBED, suppresses=reason
    )


def _learned(row: Addition, standing: Standing) -> Learned | None:
    timezone = row.timezone if standing.timezone is None else None
    # A subscription that is only added now has them from the beginning.
    unasked = standing.state is not None and standing.departments is None
    departments = row.departments if unasked else ()
    new: Mapping[str, Any] = {}
    if row.attributes:
        new = {k: v for k, v in row.attributes.items() if k not in standing.attributes}
    if timezone is None and not new and not departments:
        return None
    return Learned(standing.key, timezone, departments, new or None)


class SeenAddresses:
    """Which addresses a file has named so far, in 16 to 32 bytes each rather than 100.

    By 64-bit hashes that differ from run to run: of a million addresses two are
    taken for one in a run of 37 million.
    """

    def __init__(self) -> None:
        self._count = 0
        self._slots = array("q", bytes(8 * 1024))
        self._mask = len(self._slots) - 1

    def add(self, address: str) -> bool:
        """Note an address; whether it was noted before."""
        found = self._note(hash(address) or 1)
        if not found:
            self._count += 1
            if 2 * self._count > len(self._slots):
                self._grow()
        return found

    def _note(self, value: int) -> bool:
        slots, mask = self._slots, self._mask
        place = value & mask
        while slots[place]:
            if slots[place] == value:
                return True
            place = (place + 1) & mask
        slots[place] = value
        return False

    def _grow(self) -> None:
        before = self._slots
        self._slots = array("q", bytes(16 * len(before)))
        self._mask = len(self._slots) - 1
        for value in before:
            if value:
                self._note(value)
