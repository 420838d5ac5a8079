"""Sources and counters: how each fares, added, edited, rested, looked at now; and the relays."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

from newsletter.delivery.estimate import capacity_of
from newsletter.delivery.model import Relay, RelayState, RelayUse
from newsletter.errors import NotFound
from newsletter.publication.model import Settings
from newsletter.publication.secret_parts import hide_secrets
from newsletter.publication.settings_document import UNSET
from newsletter.publication.sources import Reads, Source
from newsletter.sources.model import SourceState
from newsletter.web.desk.places import tell_moment
from newsletter.web.desk.settings.entries import Array, show_entry, take_entry
from newsletter.web.desk.settings.labels import table_label
from newsletter.web.desk.settings.page import (
    SAID,
    change,
    go_on,
    latest_base,
    problem_notice,
    sent_version,
    undo_number,
)
from newsletter.web.desk.visit import Visit
from newsletter.workflows.change_settings import Changed
from newsletter.workflows.reads import can_be_asked
from newsletter.workflows.tick import ask_now

_PAGE = "/settings/sources"
_MODELS: Mapping[str, type[BaseModel]] = {"source": Source, "reads": Reads}


@dataclass(frozen=True)
class PolledLine:
    """A source or counter: what it is, and how it fares. ``error`` is a sentence in English."""

    array: str
    slug: str
    kind: str
    url: str
    paused: bool
    asked: bool
    failing: bool
    can_ask: bool
    last_success: str
    last_error: str
    error: str
    next_look: str
    fixed: str


@dataclass(frozen=True)
class RelayLine:
    """A relay: how it is set, and whether its breaker is open.

    ``today`` is what went over it of issues since midnight UTC, None where that is not
    counted: only a cap or a warm-up counts the messages of a day.
    """

    relay: Relay
    login: bool
    paused_until: str
    reason: str
    today: int | None
    cap: int


def show_polled(visit: Visit) -> Response:
    """All sources, all counters."""
    return _show_list(visit)


def show_polled_one(visit: Visit) -> Response:
    """The form of one, or of a new one."""
    return show_entry(visit, _array(visit), visit.param("entry"))


def take_polled_one(visit: Visit) -> Response:
    """Save or add it."""
    return take_entry(visit, _array(visit), visit.param("entry"))


def take_polled_removal(visit: Visit) -> Response:
    """Take it out; what it brought stays."""
    path = (visit.param("array"), visit.param("entry"))
    _known(visit)
    outcome = change(visit, {path: UNSET}, sent_version(visit))
    if isinstance(outcome, Changed):
        return go_on(visit, _PAGE, outcome, "removed")
    return _show_list(visit, status=409, notice=problem_notice(visit, outcome))


def take_pause(visit: Visit) -> Response:
    """Let it rest, or ask it again."""
    pause = visit.field("paused") == "true"
    path = (visit.param("array"), visit.param("entry"), "paused")
    _known(visit)
    outcome = change(visit, {path: pause}, sent_version(visit))
    if isinstance(outcome, Changed):
        return go_on(visit, _PAGE, outcome, "paused" if pause else "resumed")
    return _show_list(visit, status=409, notice=problem_notice(visit, outcome))


def take_look(visit: Visit) -> Response:
    """Let the scheduler look at it now."""
    _known(visit)
    ask_now(visit.context.database, visit.param("array"), visit.param("entry"), visit.context.clock)
    return visit.go(_PAGE, done="asked")


def show_relays(visit: Visit) -> Response:
    """The relays; they are set where the service is run."""
    now = visit.context.clock.now()
    with visit.context.database.read() as tx:
        states = tx.relay_uses.states()
        lines = [
            _relay_line(
                visit,
                relay,
                states.get(relay.slug, RelayState()),
                tx.relay_uses.of(relay.slug, now),
                now,
            )
            for relay in visit.context.relays
        ]
    return visit.page("settings/relays", lines=lines, fixed_file=visit.context.fixed.file)


def _relay_line(
    visit: Visit, relay: Relay, state: RelayState, use: RelayUse, now: datetime
) -> RelayLine:
    paused = state.paused_until if state.paused_until and state.paused_until > now else None
    return RelayLine(
        relay=relay,
        login=bool(relay.username),
        paused_until=tell_moment(visit, paused) if paused else "",
        reason=state.reason,
        today=use.granted_today if relay.daily_cap or relay.warm_up else None,
        cap=capacity_of(relay, use).cap_after(use.days),
    )


def _show_list(visit: Visit, *, status: int = 200, **values: Any) -> Response:
    base = latest_base(visit)
    with visit.context.database.read() as tx:
        states = {"source": tx.sources.states(), "reads": tx.reads.states()}
    tables: list[tuple[str, tuple[Source, ...] | tuple[Reads, ...]]] = [
        ("source", base.settings.source),
        ("reads", base.settings.reads),
    ]
    return visit.page(
        "settings/polled",
        status=status,
        said=SAID,
        tables=[
            (
                array,
                table_label(visit.words, (array,)),
                [
                    _line(visit, array, entry, states[array].get(entry.slug, SourceState()))
                    for entry in entries
                ],
            )
            for array, entries in tables
        ],
        version=base.version.version,
        undo=undo_number(visit),
        **values,
    )


def _line(visit: Visit, array: str, entry: Source | Reads, state: SourceState) -> PolledLine:
    now = visit.context.clock.now()
    next_look = max((at for at in (state.due_at, state.held_until) if at), default=None)
    address = entry.url or (entry.path if isinstance(entry, Reads) else "") or ""
    return PolledLine(
        array=array,
        slug=entry.slug,
        kind=entry.kind,
        url=str(hide_secrets(address)),
        paused=entry.paused,
        asked=state.asked_at is not None,
        failing=state.is_failing,
        can_ask=can_be_asked(entry) if isinstance(entry, Reads) else True,
        last_success=tell_moment(visit, state.last_success_at) if state.last_success_at else "",
        last_error=tell_moment(visit, state.last_error_at) if state.last_error_at else "",
        error=state.last_error,
        next_look=tell_moment(visit, next_look) if next_look and next_look > now else "",
        fixed=visit.context.fixed.where((array, entry.slug)),
    )


def _array(visit: Visit) -> Array:
    """The array that the address names; NotFound."""
    name = visit.param("array")
    if name not in _MODELS:
        raise NotFound(f'there are sources and reads, but no "{name}"', subject=name)
    return Array.of((name,), _MODELS[name], _PAGE, f"{_PAGE}/{name}")


def _known(visit: Visit) -> None:
    """NotFound where the address names none."""
    name, slug = visit.param("array"), visit.param("entry")
    entries: dict[str, list[str]] = _slugs(visit.settings)
    if slug not in entries.get(name, []):
        raise NotFound(f'there is no "{slug}" any more', subject=slug)


def _slugs(settings: Settings) -> dict[str, list[str]]:
    return {
        "source": [one.slug for one in settings.source],
        "reads": [one.slug for one in settings.reads],
    }
