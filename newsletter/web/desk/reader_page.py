"""One reader: found by address, shown with the consent that each subscription rests on."""

import json
from collections.abc import Mapping
from datetime import date
from http import HTTPStatus

from starlette.responses import Response

from newsletter.errors import AddressError
from newsletter.publication.model import Clicks
from newsletter.subscribers.model import SuppressionReason
from newsletter.web.desk.reader_words import (
    LEAVE_REASONS,
    STATES,
    SUPPRESSION_REASONS,
    WAYS_IN,
    name_in,
    name_placement,
)
from newsletter.web.desk.visit import DESK_HEADERS, Visit
from newsletter.words import gettext_noop
from newsletter.workflows.reader_acts import (
    find_reader,
    forget_one,
    hand_out_data,
    put_back,
    read_reader,
    take_off,
)
from newsletter.workflows.suppress import suppress_address

SAID: Mapping[str, str] = {
    "left": gettext_noop("Taken off the newsletter. Nothing is mailed from now on."),
    "back": gettext_noop("Back on the newsletter, as if nothing had happened."),
    "suppressed": gettext_noop("This address is mailed no more, whatever else is said."),
    "forgotten": gettext_noop("Forgotten. Only a keyed hash of the address is left."),
}
# Why there are no clicks of a reader to show.
NO_CLICKS: Mapping[Clicks, str] = {
    "off": gettext_noop(
        "Clicks are not counted: [tracking] clicks is “off”, and links lead straight to the "
        "stories. To count by reader it has to be “count”."
    ),
    "anonymous": gettext_noop(
        "Clicks are counted, but nobody’s: [tracking] clicks is “anonymous”, and a link is the "
        "same for all readers. To count by reader it has to be “count”."
    ),
}
# What came of a mail.
OUTCOMES: Mapping[str, str] = {
    "queued": gettext_noop("waits"),
    "claimed": gettext_noop("on its way"),
    "handed_over": gettext_noop("on its way"),
    "accepted": gettext_noop("accepted"),
    "deferred": gettext_noop("put off, will be tried again"),
    "refused": gettext_noop("refused"),
    "uncertain": gettext_noop("uncertain"),
    "skipped": gettext_noop("not sent"),
}
_CHOSEN = (SuppressionReason.LEGAL, SuppressionReason.COMPLAINT)


def show_find(visit: Visit) -> Response:
    """The field for an address."""
    return visit.page("reader_find", said=SAID, address="", problem="", suppressed="", nobody=False)


def take_find(visit: Visit) -> Response:
    """Go on to who has the address; it never stands in an address of ours."""
    written = visit.field("address")[:400]
    words = visit.words
    try:
        found, reason = find_reader(visit.context.database, visit.context.keyring, written)
    except AddressError as error:
        return visit.page(
            "reader_find",
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
            address=written,
            problem=str(error),
            suppressed="",
            nobody=False,
        )
    if found is not None:
        return visit.go(f"/readers/one/{found.public_id}")
    return visit.page(
        "reader_find",
        address=written,
        problem="",
        suppressed=words.gettext(SUPPRESSION_REASONS[reason]) if reason else "",
        nobody=True,
    )


def show_reader(visit: Visit, *, problem: str = "") -> Response:
    """All that the desk shows of one reader."""
    context, words = visit.context, visit.words
    file = read_reader(
        *(context.database, context.keyring, visit.settings),
        *(visit.param("reader"), context.clock.now()),
    )
    consents = [one.consent for one in file.subscriptions]
    consents += [wish.consent for wish in file.wishes.values()]
    return visit.page(
        "reader",
        said=SAID,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        file=file,
        states={state: words.gettext(STATES[state]) for state in STATES},
        ways={one.how: name_in(words, WAYS_IN, one.how) for one in consents},
        places={one.placement: name_placement(words, one.placement) for one in consents},
        told={reason: words.gettext(LEAVE_REASONS[reason]) for reason in LEAVE_REASONS},
        names={one.slug: one.name for one in visit.settings.newsletter},
        suppressed=words.gettext(SUPPRESSION_REASONS[file.suppressed]) if file.suppressed else "",
        reasons=[(reason, words.gettext(SUPPRESSION_REASONS[reason])) for reason in _CHOSEN],
        outcomes={state: words.gettext(message) for state, message in OUTCOMES.items()},
        no_clicks=words.gettext(NO_CLICKS[visit.settings.tracking.clicks])
        if visit.settings.tracking.clicks != "count"
        else "",
        problem=problem,
    )


def take_reader_off(visit: Visit) -> Response:
    """Unsubscribe the reader from one newsletter."""
    context, reader = visit.context, visit.param("reader")
    newsletter = visit.field("newsletter")
    take_off(context.database, reader, newsletter, actor=visit.actor, now=context.clock.now())
    return visit.go(f"/readers/one/{reader}", done="left")


def take_reader_back(visit: Visit) -> Response:
    """Undo that."""
    context, reader = visit.context, visit.param("reader")
    newsletter = visit.field("newsletter")
    put_back(context.database, reader, newsletter, actor=visit.actor, now=context.clock.now())
    return visit.go(f"/readers/one/{reader}", done="back")


def take_reader_suppressed(visit: Visit) -> Response:
    """Mail this reader no more."""
    context, reader = visit.context, visit.param("reader")
    with context.database.read() as tx:
        address = tx.subscribers.get(reader).address
    chosen = visit.field("reason")
    reason = next((one for one in _CHOSEN if one == chosen), SuppressionReason.LEGAL)
    suppress_address(
        *(context.database, context.keyring, address, reason),
        actor=visit.actor,
        now=context.clock.now(),
    )
    return visit.go(f"/readers/one/{reader}", done="suppressed")


def take_reader_forgotten(visit: Visit) -> Response:
    """Erase the reader; their address has to be typed, for nothing brings them back."""
    context = visit.context
    done = forget_one(
        *(context.database, context.keyring, visit.param("reader"), visit.field("address")),
        actor=visit.actor,
        now=context.clock.now(),
    )
    if not done:
        sentence = visit.words.gettext("That is not this reader’s address. Nobody was forgotten.")
        return show_reader(visit, problem=sentence)
    return visit.go("/readers/find", done="forgotten")


def take_reader_data(visit: Visit) -> Response:
    """Everything held about the reader as a JSON file."""
    context = visit.context
    data = hand_out_data(
        *(context.database, context.keyring, visit.param("reader")),
        actor=visit.actor,
        now=context.clock.now(),
    )
    return Response(
        json.dumps(data, ensure_ascii=False, indent=2, default=_plain) + "\n",
        media_type="application/json",
        headers={
            **DESK_HEADERS,
            "Content-Disposition": 'attachment; filename="reader.json"',
        },
    )


def _plain(value: object) -> object:
    """An instant or a day as ISO 8601."""
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} can't be handed out")
