"""The readers counted: at once where the lists are short, else kept and counted now and then.

To count a million readers takes seconds, and no page is to wait for that.
"""

from datetime import datetime, timedelta

from newsletter.log import get_logger
from newsletter.publication.model import Settings
from newsletter.storage.database import Database
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.figures import (
    ListFigures,
    ReaderFigures,
    figures_document,
    figures_from_document,
)
from newsletter.subscribers.growth import Period, count_growth
from newsletter.workflows.installation import Installation
from newsletter.workflows.segments import audience_segment

log = get_logger(__name__)

WEEKS = 12
# So many are counted while a page waits: within 150 ms (measured).
SHORT_LIST = 4_000
SHORT_LOG = 12_000
# How old kept figures may get before the scheduler counts anew.
KEPT_FOR = timedelta(minutes=10)
_NAME = "readers"


def read_figures(database: Database, settings: Settings, now: datetime) -> ReaderFigures | None:
    """The figures of now where the lists are short, else those kept; None where none are yet."""
    with database.read() as tx:
        if tx.figures.lists_fit(SHORT_LIST, SHORT_LOG):
            return _count(tx, settings, now)
        kept = tx.figures.kept(_NAME)
    return figures_from_document(kept[1], kept[0]) if kept else None


def count_anew(database: Database, settings: Settings, now: datetime) -> ReaderFigures:
    """Count, however long it takes, and keep what came out."""
    with database.read() as tx:
        figures = _count(tx, settings, now)
    with database.write() as tx:
        tx.figures.keep(_NAME, figures_document(figures), now)
    log.info("readers_counted", newsletters=len(figures.lists))
    return figures


def count_readers(installation: Installation) -> None:
    """Count long lists whose figures are old: the scheduler's part."""
    now = installation.clock.now()
    with installation.database.read() as tx:
        if tx.figures.lists_fit(SHORT_LIST, SHORT_LOG):
            return
        kept = tx.figures.kept(_NAME)
    if kept is None or kept[0] <= now - KEPT_FOR:
        count_anew(installation.database, installation.settings(), now)


def _count(tx: Transaction, settings: Settings, now: datetime) -> ReaderFigures:
    zone = settings.publication.zone
    today = now.astimezone(zone).date()
    since = Period.WEEK.begin(today - timedelta(weeks=WEEKS - 1))
    midnight = datetime(since.year, since.month, since.day, tzinfo=zone)
    return ReaderFigures(
        at=now,
        since=since,
        lists={
            newsletter.slug: ListFigures(
                tx.subscribers.counts(newsletter.slug),
                tx.subscribers.audience_size(
                    newsletter.slug, audience_segment(newsletter, settings, now)
                ),
                tx.preferences.reasons_told(newsletter.slug),
            )
            for newsletter in settings.newsletter
        },
        growth=tuple(count_growth(tx.growth.since(midnight), Period.WEEK, zone)),
        suppressed=tx.figures.suppressed(),
    )
