"""How `newsletter issue report` answers: tables for people, JSON and CSV for machines."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table

from newsletter.cli.output import print_json, print_json_with_rows
from newsletter.delivery.model import LedgerCounts
from newsletter.errors import UsageError
from newsletter.issues.model import Issue, LinkPlace
from newsletter.storage.delivery_rows import DeliveryRow
from newsletter.storage.links import LinkClicks
from newsletter.workflows.report import (
    LISTED_DOUBTS,
    IssueReport,
    OpenReport,
    describe_doubt,
)
from newsletter.workflows.report_csv import write_readers

STANDARD_OUTPUT = "-"
_SHOWN_DOMAINS = 15
_SHOWN_DOUBTS = 50
# A pipe has no width of its own; most replies fit one line then.
_PIPE_WIDTH = 120
_PARTS = ("readers", "accepted", "refused", "uncertain", "skipped", "still to go")


def write_csv(opened: OpenReport, target: str) -> int:
    """Write each reader to the file ``target``, or to standard output for "-"; how many."""
    with _open_target(target) as stream:
        return write_readers(opened.rows(), stream)


def write_json(opened: OpenReport, *, each: bool) -> None:
    """The report as one document, with each reader where ``each``."""
    document = report_document(opened.report)
    if each:
        print_json_with_rows(document, "deliveries", map(_reader, opened.rows()))
    else:
        print_json(document)


def report_document(report: IssueReport) -> dict[str, Any]:
    """The report for machines: the readers of each list add up to the audience.

    ``by_domain`` ends with the domain null, all that are not named; "" are the
    readers who were forgotten. ``by_relay`` has "" for readers whom no relay
    answered yet. ``clicks`` has each link that leads through us; ``readers`` are
    those known to have followed it, where clicks are counted by reader.
    """
    return {
        "newsletter": report.issue.newsletter,
        "issue": report.issue.slot,
        **report.totals(),
        "by_reason": [asdict(reason) for reason in report.reasons],
        "by_relay": [{"relay": slug, **_parts(counts)} for slug, counts in report.relays.items()],
        "by_domain": [
            *({"domain": one.domain, **_parts(one.counts)} for one in report.domains),
            {"domain": None, **_parts(report.other_domains)},
        ],
        "by_revision": [
            {"revision": number, **_parts(counts)} for number, counts in report.revisions.items()
        ],
        "by_variant": [
            {"variant": name, **_parts(counts)} for name, counts in report.variants.items()
        ],
        "by_wave": [
            {"wave": number, "name": report.waves.get(number, ""), **_parts(counts)}
            for number, counts in report.by_wave.items()
        ],
        "doubts": [{**_reader(row), "became": describe_doubt(row)} for row in report.doubts],
        "clicks": [_link(report.issue, found) for found in report.clicks],
    }


def print_report(report: IssueReport) -> None:
    """The report for a person."""
    print(report.sentence())
    counts = report.counts
    if not counts.total:
        return
    console = _console()
    _print_reasons(console, report)
    _print_parts(console, "relay", {slug or "(none yet)": c for slug, c in report.relays.items()})
    _print_parts(console, "recipient domain", _shown_domains(report))
    if len(report.revisions) > 1:
        _print_parts(
            console, "revision", {str(number): c for number, c in report.revisions.items()}
        )
    if len(report.variants) > 1:
        _print_parts(console, "variant", report.variants)
    if len(report.by_wave) > 1:
        waves = {
            f"{number} {report.waves.get(number, '')}".strip(): found
            for number, found in report.by_wave.items()
        }
        _print_parts(console, "wave", waves)
    _print_doubts(console, report)
    _print_clicks(console, report)


def _print_reasons(console: Console, report: IssueReport) -> None:
    table = _table(("state", "reason"), ("readers", "share"))
    whole = report.counts.total
    for reason in report.reasons:
        share = f"{reason.readers / whole:.1%}"
        state = reason.state.replace("_", " ")
        table.add_row(state, reason.reason, f"{reason.readers:,}", share)
    table.add_row("audience", "", f"{whole:,}", "")
    _show(console, table)


def _print_parts(console: Console, head: str, parts: Mapping[str, LedgerCounts]) -> None:
    table = _table((head,), _PARTS)
    for name, counts in parts.items():
        table.add_row(name, *(f"{number:,}" for number in _parts(counts).values()))
    _show(console, table)


def _print_doubts(console: Console, report: IssueReport) -> None:
    if not report.doubts:
        return
    table = _table(("in doubt", "state", "what became of it", "relay", "reply"), ())
    for row in report.doubts[:_SHOWN_DOUBTS]:
        address = row.address or "(forgotten)"
        reply = row.bounce.report.words if row.bounce else _reply(row)
        table.add_row(address, row.state, describe_doubt(row), row.relay, reply)
    _show(console, table)
    more = report.doubtful - min(len(report.doubts), _SHOWN_DOUBTS)
    if more > 0:
        print(f"and {more:,} more in doubt; --csv FILE lists all, --json {LISTED_DOUBTS:,} of them")


def _print_clicks(console: Console, report: IssueReport) -> None:
    """One line a story in its place; the places of the mail beside each other."""
    if not report.clicks:
        return
    table = _table(("clicks", "story"), (*LinkPlace, "in all", "machines"))
    headlines = _headlines(report.issue)
    stories: dict[tuple[str, str, str], dict[str, LinkClicks]] = {}
    for found in report.clicks:
        link = found.link
        key = (link.section, link.story_id, link.name)
        stories.setdefault(key, {})[link.place] = found
    for (_, story, name), places in stories.items():
        by_place = [f"{places[p].clicks:,}" if p in places else "" for p in LinkPlace]
        withdrawn = all(found.link.withdrawn_at for found in places.values())
        table.add_row(
            name,
            headlines.get(story, story) + (" (withdrawn)" if withdrawn else ""),
            *by_place,
            f"{sum(found.clicks for found in places.values()):,}",
            f"{sum(found.machine_clicks for found in places.values()):,}",
        )
    _show(console, table)


def _link(issue: Issue, found: LinkClicks) -> dict[str, Any]:
    link = found.link
    return {
        "link": link.public_id,
        "section": link.section,
        "position": link.position,
        "story": link.story_id,
        "headline": _headlines(issue).get(link.story_id, ""),
        "place": link.place,
        "url": link.url,
        "withdrawn_at": link.withdrawn_at,
        "clicks": found.clicks,
        "machine_clicks": found.machine_clicks,
        "readers": found.readers,
        "by_day": [{"day": day, **asdict(sums)} for day, sums in found.by_day.items()],
    }


def _headlines(issue: Issue) -> dict[str, str]:
    return {item.story_id: item.headline for item in issue.items}


def _shown_domains(report: IssueReport) -> dict[str, LedgerCounts]:
    """The largest domains, and the others as one."""
    shown = {one.domain or "(forgotten)": one.counts for one in report.domains[:_SHOWN_DOMAINS]}
    rest = [*(one.counts for one in report.domains[_SHOWN_DOMAINS:]), report.other_domains]
    others = LedgerCounts(
        **{name: sum(asdict(counts)[name] for counts in rest) for name in asdict(rest[0])}
    )
    return {**shown, "(others)": others} if others.total else shown


def _parts(counts: LedgerCounts) -> dict[str, int]:
    return {
        "readers": counts.total,
        "accepted": counts.accepted,
        "refused": counts.refused,
        "uncertain": counts.uncertain,
        "skipped": counts.skipped,
        "open": counts.open,
    }


def _reader(row: DeliveryRow) -> dict[str, Any]:
    return {
        "address": row.address,
        "domain": row.domain,
        "recipient": row.recipient_id,
        "state": row.state,
        "reason": row.reason,
        "relay": row.relay,
        "reply": _reply(row),
        "reply_code": row.reply_code,
        "reply_enhanced": row.reply_enhanced,
        "reply_text": row.reply_text,
        "revision": row.revision,
        "variant": row.variant,
        "wave": row.wave,
        "attempts": row.attempts,
        "doubts": row.doubts,
        "queued_at": row.queued_at,
        "due_at": row.due_at,
        "first_tried_at": row.first_tried_at,
        "handed_over_at": row.handed_over_at,
        "changed_at": row.changed_at,
        "bounced_at": row.bounce.at if row.bounce else None,
        "bounce": row.bounce.report.action if row.bounce else "",
        "bounce_text": row.bounce.report.words if row.bounce else "",
    }


def _reply(row: DeliveryRow) -> str:
    code = str(row.reply_code or "")
    return " ".join(filter(None, (code, row.reply_enhanced, row.reply_text)))


def _table(words: Sequence[str], numbers: Sequence[str]) -> Table:
    """Plain columns, as everywhere in this command line; numbers to the right."""
    table = Table(box=None, pad_edge=False)
    for head in words:
        table.add_column(head, overflow="fold")
    for head in numbers:
        table.add_column(head, justify="right", no_wrap=True)
    return table


def _console() -> Console:
    # Addresses and replies are text: no brackets of theirs are markup.
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    return console


def _show(console: Console, table: Table) -> None:
    console.print()
    console.print(table)


@contextmanager
def _open_target(target: str) -> Iterator[TextIO]:
    if target == STANDARD_OUTPUT:
        yield sys.stdout
        return
    path = Path(target)
    try:
        with path.open("w", encoding="utf-8", newline="") as stream:
            yield stream
    except OSError as error:
        raise UsageError(
            f"--csv {path}: can't be written ({error.strerror})", subject=str(path)
        ) from error
