"""An issue afterwards: what became of its readers, what they read, and what was corrected."""

import csv
import io
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from newsletter.delivery.model import LedgerCounts
from newsletter.feedback.place_bias import PlacedClicks, place_clicks
from newsletter.issues.model import CorrectionKind, CorrectionNote, Issue
from newsletter.issues.states import EDITABLE
from newsletter.publication.newsletters import Newsletter
from newsletter.storage.delivery_rows import DomainCounts
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.csv_cells import guard_cell
from newsletter.web.desk.background import Background, Remembered
from newsletter.web.desk.issue_page import issue_head
from newsletter.web.desk.issue_sending import SAID, current_figures, line_of
from newsletter.web.desk.places import asked_issue, newsletter_of, tell_moment
from newsletter.web.desk.routes import DeskHandler
from newsletter.web.desk.visit import DESK_HEADERS, Visit
from newsletter.words import gettext_noop
from newsletter.workflows.buried import BuriedStories, find_buried
from newsletter.workflows.issue_figures import COUNTED_AT_ONCE
from newsletter.workflows.report import IssueReport
from newsletter.workflows.report_csv import write_readers
from newsletter.workflows.schedule_issue import may_undo_cancel

# The reads of a week's stories are added up in a third of a second on a large paper.
_BURIED_FOR = timedelta(minutes=10)
# Places are compared with those of so many issues before.
_ISSUES_BACK = 26
_MOST_DOMAINS = 12
_MORE, _LESS = 1.25, 0.8
CORRECTED = {
    CorrectionKind.CHANGED: gettext_noop("links lead elsewhere"),
    CorrectionKind.WITHDRAWN: gettext_noop("links taken back"),
    CorrectionKind.HEADLINE: gettext_noop("another headline"),
    CorrectionKind.SUMMARY: gettext_noop("another summary"),
    CorrectionKind.REMOVED: gettext_noop("taken out"),
    CorrectionKind.SUBJECT: gettext_noop("another subject or preheader"),
    CorrectionKind.NOTE: gettext_noop("another note"),
    CorrectionKind.BLOCK: gettext_noop("another block"),
}


@dataclass(frozen=True)
class ShownClicks:
    """A story's clicks. ``told`` compares them with what its place usually has, in words."""

    placed: PlacedClicks
    headline: str
    told: str
    above: bool


@dataclass(frozen=True)
class ShownCorrection:
    """A correction, when it was made and what of which story."""

    time: str
    what: str
    note: CorrectionNote


def show_report(background: Background) -> DeskHandler:
    """The report; long lists, and the reads of many stories, are counted behind it."""
    searches = Remembered[BuriedStories](background, _BURIED_FOR)
    return lambda visit: _show(visit, background, searches)


def _show(visit: Visit, background: Background, searches: Remembered[BuriedStories]) -> Response:
    with visit.context.database.read() as tx:
        issue = asked_issue(visit, tx)
        if issue.state in EDITABLE:
            return visit.go(f"/issues/{issue.public_id}/review")
        line = line_of(tx, issue)
        newsletter = newsletter_of(visit, issue)
        corrections = tx.links.corrections(issue.public_id)
        held_over = {story.public_id: story.title for story in tx.stories.by_ids(issue.held_over)}
        clicks = _clicks(visit, tx, issue, newsletter)
        undoable = may_undo_cancel(tx, issue)
    figures, counting = current_figures(visit, background, line)
    report = figures.report(issue, {}) if figures else None
    domains = report.domains[:_MOST_DOMAINS] if report else ()
    buried = None
    if visit.query("buried"):
        look = partial(find_buried, visit.installation, issue)
        name, now = f"buried {issue.public_id}", visit.context.clock.now()
        buried = searches.of(name, now, look)
    return visit.page(
        "issue_report",
        said=SAID,
        **issue_head(visit, issue, newsletter),
        counting=counting and line.readers > COUNTED_AT_ONCE,
        readers=line.readers,
        counted=tell_moment(visit, figures.at, newsletter) if figures else "",
        counts=report.counts if report else None,
        called_off=report.called_off if report else 0,
        reasons=[one for one in report.reasons if one.reason] if report else [],
        tables=_tables(visit, report, domains) if report else [],
        others=report.counts.total - sum(one.counts.total for one in domains) if report else 0,
        clicks=clicks,
        all_clicks=sum(one.placed.clicks for one in clicks),
        compared=any(one.placed.usual is not None for one in clicks),
        goodbyes=figures.goodbyes if figures else (),
        corrections=[
            ShownCorrection(
                tell_moment(visit, note.at, newsletter),
                visit.words.gettext(CORRECTED[note.kind]),
                note,
            )
            for note in corrections
        ],
        held_over=list(held_over.values()),
        undoable=undoable,
        buried=buried,
        seeking=bool(visit.query("buried")) and buried is None,
        archive=f"{visit.context.base_url}/archive/{issue.newsletter}/{issue.slot}",
    )


def _tables(
    visit: Visit, report: IssueReport, domains: Sequence[DomainCounts]
) -> list[tuple[str, str, list[tuple[str, LedgerCounts]]]]:
    """The readers by each thing that tells them apart: its name, an id, and its lines."""
    words = visit.words
    found = (
        (words.gettext("By relay"), "by-relay", [r for r in report.relays.items() if r[0]], 1),
        (
            words.gettext("By domain"),
            "by-domain",
            [(one.domain or "?", one.counts) for one in domains],
            1,
        ),
        (words.gettext("By variant"), "by-variant", list(report.variants.items()), 2),
        (
            words.gettext("By revision"),
            "by-revision",
            [(str(number), counts) for number, counts in report.revisions.items()],
            2,
        ),
    )
    return [(name, key, lines) for name, key, lines, least in found if len(lines) >= least]


def show_stories_csv(visit: Visit) -> Response:
    """The stories with their clicks, for a spreadsheet."""
    with visit.context.database.read() as tx:
        issue = asked_issue(visit, tx)
        clicks = _clicks(visit, tx, issue, newsletter_of(visit, issue))
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(("place", "headline", "clicks", "share", "usual_share", "ratio"))
    for one in clicks:
        placed = one.placed
        writer.writerow(
            (
                placed.place,
                guard_cell(one.headline),
                placed.clicks,
                f"{placed.share:.4f}",
                "" if placed.usual is None else f"{placed.usual:.4f}",
                "" if placed.ratio is None else f"{placed.ratio:.2f}",
            )
        )
    return Response(stream.getvalue(), 200, _as_file(issue, "stories"), "text/csv; charset=utf-8")


def show_readers_csv(visit: Visit) -> Response:
    """Each reader of the issue and what became of their mail, for a spreadsheet."""
    with visit.context.database.read() as tx:
        issue = asked_issue(visit, tx)
        # A file, for a million readers are some hundred megabytes.
        handle, name = tempfile.mkstemp(suffix=".csv")
        os.close(handle)
        with Path(name).open("w", encoding="utf-8", newline="") as file:
            write_readers(tx.mailings.deliveries(issue.public_id), file)
    return FileResponse(
        name,
        200,
        _as_file(issue, "readers"),
        "text/csv; charset=utf-8",
        BackgroundTask(os.unlink, name),
    )


def _as_file(issue: Issue, what: str) -> dict[str, str]:
    name = f"{issue.newsletter}-{issue.slot}-{what}.csv"
    return {**DESK_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}


def _clicks(
    visit: Visit, tx: Transaction, issue: Issue, newsletter: Newsletter
) -> list[ShownClicks]:
    """The stories as they stand in the mail; none where links are not ours."""
    past = tx.story_clicks.before(newsletter.slug, issue.send_at, _ISSUES_BACK)
    headlines = {item.story_id: item.headline for item in issue.items}
    return [
        ShownClicks(
            placed,
            headlines.get(placed.story_id, "—"),
            _tell_place(visit, placed),
            placed.ratio is not None and placed.ratio >= _MORE,
        )
        for placed in place_clicks(tx.story_clicks.of(issue.public_id), past)
    ]


def _tell_place(visit: Visit, placed: PlacedClicks) -> str:
    words, ratio = visit.words, placed.ratio
    if placed.usual is None or ratio is None:
        return ""
    usual = f"{placed.usual * 100:.1f}"
    if ratio >= _MORE:
        return words.gettext(
            "%(ratio)s times what place %(place)s usually has (%(usual)s %%)",
            ratio=f"{ratio:.1f}",
            place=placed.place,
            usual=usual,
        )
    if ratio <= _LESS:
        return words.gettext(
            "less than place %(place)s usually has (%(usual)s %%)", place=placed.place, usual=usual
        )
    return words.gettext(
        "as place %(place)s usually has (%(usual)s %%)", place=placed.place, usual=usual
    )
