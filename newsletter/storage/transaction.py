"""One transaction, and the repositories that work in it."""

from collections.abc import Callable
from typing import Generic, TypeVar

from sqlalchemy import Connection

from newsletter.storage.archive import Archive
from newsletter.storage.audience_rows import AudienceRows
from newsletter.storage.bounces import BounceReports
from newsletter.storage.catch_ups import CatchUpRepository
from newsletter.storage.changes import ChangeLog
from newsletter.storage.editor_test_addresses import EditorTestAddresses
from newsletter.storage.editors import EditorRepository
from newsletter.storage.figures import FigureRepository
from newsletter.storage.former_addresses import FormerAddresses
from newsletter.storage.goodbyes import Goodbyes
from newsletter.storage.growth import GrowthRepository
from newsletter.storage.holdings import HoldingRepository
from newsletter.storage.identity import IdentityRepository
from newsletter.storage.import_additions import ImportAdditions
from newsletter.storage.import_undo import ImportUndo
from newsletter.storage.imports import ImportRepository
from newsletter.storage.issue_lines import IssueLines
from newsletter.storage.issues import IssueRepository
from newsletter.storage.leases import LeaseRepository
from newsletter.storage.links import LinkRepository
from newsletter.storage.mailings import MailingRepository
from newsletter.storage.pictures import PictureRepository
from newsletter.storage.preferences import PreferenceRepository
from newsletter.storage.read_logs import ReadLogRepository
from newsletter.storage.reader_rows import ReaderRows
from newsletter.storage.reads import ReadRepository
from newsletter.storage.relay_uses import RelayUses
from newsletter.storage.retention import RetentionRepository
from newsletter.storage.segments import SegmentRepository
from newsletter.storage.settings import SettingsRepository
from newsletter.storage.sign_ups import SignUpRepository
from newsletter.storage.skipped_slots import SkippedSlots
from newsletter.storage.sources import SourceRepository
from newsletter.storage.standings import Standings
from newsletter.storage.stories import StoryRepository
from newsletter.storage.story_clicks import StoryClicks
from newsletter.storage.story_search import StorySearch
from newsletter.storage.subscribers import SubscriberRepository
from newsletter.storage.suppressions import SuppressionRepository
from newsletter.storage.uploads import UploadRepository
from newsletter.storage.waves import WaveRepository
from newsletter.storage.wishes import WishRepository

R = TypeVar("R")


class _Made(Generic[R]):
    """A repository that is made when it is first asked for: few transactions need many."""

    def __init__(self, kind: Callable[[Connection], R]) -> None:
        self._kind = kind
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, tx: "Transaction", owner: type) -> R:
        made = self._kind(tx.connection)
        # Found there before this from now on.
        tx.__dict__[self._name] = made
        return made


class Transaction:
    """What `Database.read` and `Database.write` give. Newsletters, sections and
    sources are named by slug, everything else by public id."""

    changes = _Made(ChangeLog)
    editors = _Made(EditorRepository)
    editor_test_addresses = _Made(EditorTestAddresses)
    settings = _Made(SettingsRepository)
    sources = _Made(SourceRepository)
    stories = _Made(StoryRepository)
    story_search = _Made(StorySearch)
    pictures = _Made(PictureRepository)
    reads = _Made(ReadRepository)
    standings = _Made(Standings)
    read_logs = _Made(ReadLogRepository)
    issues = _Made(IssueRepository)
    issue_lines = _Made(IssueLines)
    skipped_slots = _Made(SkippedSlots)
    links = _Made(LinkRepository)
    story_clicks = _Made(StoryClicks)
    goodbyes = _Made(Goodbyes)
    archive = _Made(Archive)
    catch_ups = _Made(CatchUpRepository)
    subscribers = _Made(SubscriberRepository)
    wishes = _Made(WishRepository)
    segments = _Made(SegmentRepository)
    growth = _Made(GrowthRepository)
    figures = _Made(FigureRepository)
    sign_ups = _Made(SignUpRepository)
    suppressions = _Made(SuppressionRepository)
    imports = _Made(ImportRepository)
    import_additions = _Made(ImportAdditions)
    import_undo = _Made(ImportUndo)
    uploads = _Made(UploadRepository)
    holdings = _Made(HoldingRepository)
    reader_rows = _Made(ReaderRows)
    preferences = _Made(PreferenceRepository)
    former_addresses = _Made(FormerAddresses)
    retention = _Made(RetentionRepository)
    mailings = _Made(MailingRepository)
    bounces = _Made(BounceReports)
    waves = _Made(WaveRepository)
    audience = _Made(AudienceRows)
    relay_uses = _Made(RelayUses)
    identity = _Made(IdentityRepository)
    leases = _Made(LeaseRepository)

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
