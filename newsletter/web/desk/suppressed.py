"""What may not be mailed: searched, added to, lifted by a person, taken along."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import Response, StreamingResponse

from newsletter.errors import AddressError, UsageError
from newsletter.subscribers.address import normalise_address
from newsletter.subscribers.model import DomainRule, Suppression, SuppressionReason
from newsletter.subscribers.suppressions_csv import is_rule, parse_rule
from newsletter.web.desk.reader_words import SUPPRESSION_REASONS
from newsletter.web.desk.visit import DESK_HEADERS, Visit
from newsletter.words import gettext_noop
from newsletter.workflows.reader_figures import read_figures
from newsletter.workflows.suppress import lift_listed, stream_suppressions, suppress_address

A_PAGE = 50
SAID: Mapping[str, str] = {
    "added": gettext_noop("Added. It is mailed no more, from now on."),
    "lifted": gettext_noop("Lifted. It may be mailed again where there is a subscription."),
}
_CHOSEN = (SuppressionReason.LEGAL, SuppressionReason.COMPLAINT)


def show_suppressed(visit: Visit) -> Response:
    """The list from its end, or of one reason; domains before it."""
    return _page(visit)


def take_search(visit: Visit) -> Response:
    """Look an address or a domain up; it never stands in an address of ours."""
    written = visit.field("written")[:400]
    try:
        found = _look_up(visit, written)
    except AddressError as error:
        return _page(visit, written=written, search_problem=str(error))
    return _page(visit, written=written, found=found)


def take_addition(visit: Visit) -> Response:
    """Add an address, or a whole domain."""
    context = visit.context
    written, chosen = visit.field("address")[:400], visit.field("reason")
    reason = next((one for one in _CHOSEN if one == chosen), SuppressionReason.LEGAL)
    try:
        suppress_address(
            *(context.database, context.keyring, written, reason),
            actor=visit.actor,
            now=context.clock.now(),
        )
    except (AddressError, UsageError) as error:
        return _page(visit, adding=written, add_problem=str(error))
    return visit.go("/readers/suppressed", done="added")


def take_lift(visit: Visit) -> Response:
    """Lift one line; of a complaint or a legal matter only with a word why."""
    context = visit.context
    try:
        lift_listed(
            context.database,
            visit.field("listed"),
            why=visit.field("why")[:400],
            actor=visit.actor,
            now=context.clock.now(),
        )
    except UsageError as error:
        return _page(visit, lift_problem=str(error))
    return visit.go("/readers/suppressed", done="lifted")


def take_suppressed_export(visit: Visit) -> Response:
    """The whole list as a CSV that no spreadsheet runs."""
    context = visit.context
    rows = stream_suppressions(
        context.database, context.keyring, actor=visit.actor, now=context.clock.now()
    )
    return StreamingResponse(
        rows,
        media_type="text/csv; charset=utf-8",
        headers={
            **DESK_HEADERS,
            "Content-Disposition": 'attachment; filename="suppressed.csv"',
        },
    )


def _look_up(visit: Visit, written: str) -> list[Suppression | DomainRule]:
    """What stands on the list of an address (itself, and its domain), or of a domain."""
    with visit.context.database.read() as tx:
        if is_rule(written):
            pattern = parse_rule(written)
            return [rule for rule in tx.suppressions.rules() if rule.pattern == pattern]
        address = normalise_address(written)
        own = tx.suppressions.one(visit.context.keyring.hash_address(address))
        covering = tx.suppressions.rules_over(address.rpartition("@")[2])
    return [*([own] if own else []), *covering]


def _page(visit: Visit, **values: Any) -> Response:
    words = visit.words
    asked = visit.query("reason")
    reason = next((one for one in SuppressionReason if one == asked), None)
    before = visit.query("before")[:18]
    number = int(before) if before.isascii() and before.isdigit() else None
    with visit.context.database.read() as tx:
        rules = tx.suppressions.rules()
        rows = tx.suppressions.latest(A_PAGE + 1, before=number, reason=reason)
    now = visit.context.clock.now()
    figures = read_figures(visit.context.database, visit.settings, now)
    names = {one: words.gettext(SUPPRESSION_REASONS[one]) for one in SuppressionReason}
    problem = any(name.endswith("_problem") for name in values)
    page: dict[str, Any] = {
        "written": "",
        "found": None,
        "search_problem": "",
        "adding": "",
        "add_problem": "",
        "lift_problem": "",
        **values,
    }
    return visit.page(
        "suppressed",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        said=SAID,
        rules=rules if number is None and reason is None else [],
        rows=[each for _, each in rows[:A_PAGE]],
        older=rows[A_PAGE - 1][0] if len(rows) > A_PAGE else None,
        first=number is None,
        reason=reason,
        reasons=list(names.items()),
        names=names,
        chosen=[(one, names[one]) for one in _CHOSEN],
        counts=figures.suppressed if figures else {},
        counted_at=figures.at if figures and figures.at != now else None,
        **page,
    )
