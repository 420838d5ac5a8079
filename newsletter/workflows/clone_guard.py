"""The clone guard: nothing is sent from a copy, from a restored backup, or far too late.

The database holds an instance id, a generation that grows when something is
sent, and the fingerprint of the file or database that it was sent from. data_dir
remembers the id and the generation. What does not fit holds all sending until a
person says which installation is the true one (`newsletter adopt`). Host names
are no part of it: a new container on the same data_dir and database fits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from newsletter.errors import SendingHeld
from newsletter.log import get_logger
from newsletter.publication.durations import parse_duration
from newsletter.publication.model import Settings
from newsletter.storage.identity import Identity, WaitingMail
from newsletter.storage.transaction import Transaction
from newsletter.tokens import new_public_id
from newsletter.workflows.installation import Installation, read_settings
from newsletter.workflows.instance_file import (
    DAMAGED,
    INSTANCE_FILE,
    Memory,
    read_memory,
    write_memory,
)

log = get_logger(__name__)

# A restart, or a reboot, makes nothing late, however small max_lateness is.
SHORTEST_ABSENCE = timedelta(hours=1)
_SEE_ADOPT = "`newsletter adopt` says what waits and lets it go"
# The lease that says until when a worker was there; all workers share it.
_ATTENDED, _SENDERS = "sending", "senders"


class Act(StrEnum):
    """What to do before sending."""

    GO_ON = "go on"
    ADOPT = "adopt"  # the first send: nobody has said yet who this is
    REFUSE = "refuse"  # this process must not send; others may
    HOLD = "hold"  # nobody must


@dataclass(frozen=True)
class Verdict:
    """``reason`` is half a sentence where the act is REFUSE or HOLD."""

    act: Act
    reason: str = ""


@dataclass(frozen=True)
class Adoption:
    """Why sending is held, if it is, and what waits to be sent."""

    reason: str
    waiting: tuple[WaitingMail, ...]


def judge(
    identity: Identity | None, memory: Memory | None, *, at_home: bool, is_blank: bool
) -> Verdict:
    """Compare what the database says of itself with what it is and what data_dir remembers.

    ``at_home``: the database is the one its row was written of. ``is_blank``:
    nothing was ever drafted or sent from it.
    """
    if identity is None:
        if memory is None or is_blank:
            return Verdict(Act.ADOPT)
        return Verdict(
            Act.HOLD,
            "data_dir remembers sends of which the database knows nothing: it may be an old backup",
        )
    if identity.hold:
        return Verdict(Act.HOLD, identity.hold)
    if not at_home:
        return Verdict(
            Act.HOLD,
            "the database is not the file or the server's database that was sent from before: it "
            "may be a copy of one that still sends, or a restored backup",
        )
    if memory is None:
        return Verdict(Act.GO_ON)
    if memory == DAMAGED:
        return Verdict(Act.REFUSE, f"{INSTANCE_FILE} in data_dir can't be read or is damaged")
    if memory.instance_id != identity.instance_id:
        return Verdict(Act.REFUSE, "data_dir belongs to another installation than the database")
    if memory.generation > identity.generation:
        return Verdict(
            Act.HOLD,
            f"the database is older than data_dir remembers (generation {identity.generation} "
            f"after {memory.generation}): after a restored backup, what was sent since would be "
            "sent again",
        )
    return Verdict(Act.GO_ON)


def find_overdue(
    waiting: Sequence[WaitingMail], settings: Settings, absence: timedelta, now: datetime
) -> str:
    """Half a sentence on mail that should have gone long ago, or nothing.

    ``absence`` is for how long no worker was there. Mail that waits
    while a worker lives is never overdue, whatever keeps it: a relay that is
    down, a pace, a wave's time. Otherwise an issue is, once a reader nobody has
    tried yet waits for longer than its newsletter's max_lateness; readers whose
    server put us off, and system mail, once they wait for longer than
    ``[delivery] give_up_after`` as well.
    """
    patience = parse_duration(settings.delivery.give_up_after)
    for mail in waiting:
        newsletter = settings.newsletter_called(mail.newsletter)
        limit = max(newsletter.lateness if newsletter else patience, SHORTEST_ABSENCE)
        for since, allowed in (
            (mail.untried_since, limit if mail.newsletter else max(limit, patience)),
            (mail.tried_since, max(limit, patience)),
        ):
            if since is not None and min(absence, now - since) > allowed:
                what = f"issue {mail.slot} of {mail.newsletter}" if mail.slot else "system mail"
                return (
                    f"{what} should have gone on {since:%Y-%m-%d} at {since:%H:%M} UTC, and "
                    f"no worker was there for the last {_in_words(absence)}"
                )
    return ""


def assert_may_send(installation: Installation) -> None:
    """Let a sender, or the start of an issue, begin; or raise SendingHeld.

    To be called before anything is claimed, recovered or queued. The first call
    ever says who this installation is.
    """
    # data_dir first: it is written after the database, so that what is read here
    # is never ahead of what is read there, unless something is wrong.
    memory = read_memory(installation.data_dir)
    now = installation.clock.now()
    with installation.database.read() as tx:
        identity, verdict = tx.identity.current(), _examine(tx, memory, now)
    if verdict.act in (Act.ADOPT, Act.HOLD):
        with installation.database.write() as tx:
            identity, verdict = _settle(tx, memory, now)
    if verdict.act is Act.REFUSE:
        raise SendingHeld(f"nothing is sent from here: {verdict.reason}; {_SEE_ADOPT}")
    if verdict.act is Act.HOLD or identity is None:
        raise SendingHeld(f"all sending is held: {verdict.reason}; {_SEE_ADOPT}")
    current = Memory(identity.instance_id, identity.generation)
    if memory != current:
        _remember(installation, current)


def reason_to_hold(installation: Installation) -> str:
    """Half a sentence on why nothing may be sent now, or nothing. Changes nothing."""
    memory = read_memory(installation.data_dir)
    with installation.database.read() as tx:
        return _examine(tx, memory, installation.clock.now()).reason


def advance_generation(installation: Installation) -> None:
    """Note that something was sent, unless sending is held."""
    now = installation.clock.now()
    with installation.database.write() as tx:
        advanced, identity = tx.identity.advance(now), tx.identity.current()
    if advanced and identity is not None:
        _remember(installation, Memory(identity.instance_id, identity.generation))


def attend(installation: Installation) -> None:
    """Note that a worker is there and looks after what waits."""
    with installation.database.write() as tx:
        _attend(tx, installation.clock.now())


def look_at_adoption(installation: Installation) -> Adoption:
    """Why sending is held, if it is, and what `adopt` would let go."""
    reason = reason_to_hold(installation)
    with installation.database.read() as tx:
        return Adoption(reason, tuple(tx.identity.waiting()))


def adopt(installation: Installation, *, actor: str) -> Adoption:
    """Take a person's word that this is the true installation; what it had been held for."""
    found = look_at_adoption(installation)
    memory = read_memory(installation.data_dir)
    now = installation.clock.now()
    with installation.database.write() as tx:
        known = tx.identity.current()
        instance_id = known.instance_id if known else memory.instance_id if memory else ""
        generations = [known.generation if known else 0]
        if memory is not None and memory.instance_id == instance_id:
            generations.append(memory.generation)
        true = Identity(
            instance_id or new_public_id(), max(generations) + 1, tx.identity.fingerprint()
        )
        tx.identity.replace(true, now)
        _attend(tx, now)
        detail = {"reason": found.reason, "generation": true.generation}
        tx.changes.record(now, actor, "installation", true.instance_id, "adopted", detail)
    _remember(installation, Memory(true.instance_id, true.generation))
    log.warning("installation_adopted", reason=found.reason, generation=true.generation)
    return found


def _examine(tx: Transaction, memory: Memory | None, now: datetime) -> Verdict:
    identity = tx.identity.current()
    verdict = judge(
        identity,
        memory,
        at_home=identity is not None and tx.identity.is_at_home(identity),
        is_blank=identity is None and memory is not None and tx.identity.is_blank(),
    )
    if verdict.act is Act.GO_ON:
        overdue = _overdue(tx, now)
        if overdue:
            return Verdict(Act.HOLD, overdue)
    return verdict


def _overdue(tx: Transaction, now: datetime) -> str:
    attended = tx.leases.current(_ATTENDED, now)
    # Where no worker ever was, none is absent.
    if attended is None or -attended.left <= SHORTEST_ABSENCE:
        return ""
    instant = tx.leases.time(now)
    return find_overdue(tx.identity.waiting(), read_settings(tx), -attended.left, instant)


def _settle(
    tx: Transaction, memory: Memory | None, now: datetime
) -> tuple[Identity | None, Verdict]:
    """Write down what was found: who this is at the first send, or that sending is held."""
    verdict = _examine(tx, memory, now)
    if verdict.act is Act.ADOPT:
        tx.identity.create(Identity(new_public_id(), 1, tx.identity.fingerprint()), now)
    elif verdict.act is Act.HOLD:
        _hold(tx, memory, verdict.reason, now)
    return tx.identity.current(), verdict


def _hold(tx: Transaction, memory: Memory | None, reason: str, now: datetime) -> None:
    """Hold all sending, for every process on this database, unless it is held already."""
    identity = tx.identity.current()
    if identity is None:
        instance_id = memory.instance_id if memory else new_public_id()
        identity = Identity(instance_id, 0, tx.identity.fingerprint(), reason)
        held = tx.identity.create(identity, now)
    else:
        held = tx.identity.hold(reason, now)
    if held:
        detail = {"reason": reason}
        tx.changes.record(now, "sending", "installation", identity.instance_id, "held", detail)
        log.error("sending_held", reason=reason)


def _remember(installation: Installation, memory: Memory) -> None:
    """Write data_dir's side last: whatever happens before, it never knows of a generation
    that the database could still lose."""
    installation.database.make_durable()
    write_memory(installation.data_dir, memory)


def _attend(tx: Transaction, now: datetime) -> None:
    tx.leases.take(_ATTENDED, _SENDERS, now, timedelta(0))


def _in_words(length: timedelta) -> str:
    hours = length // timedelta(hours=1)
    return f"{hours // 24} days" if hours >= 48 else f"{hours} hours"
