"""One transaction, and the repositories that work in it."""

from sqlalchemy import Connection

from newsletter.storage.archive import Archive
from newsletter.storage.audience_rows import AudienceRows
from newsletter.storage.changes import ChangeLog
from newsletter.storage.editors import EditorRepository
from newsletter.storage.growth import GrowthRepository
from newsletter.storage.holdings import HoldingRepository
from newsletter.storage.identity import IdentityRepository
from newsletter.storage.imports import ImportRepository
from newsletter.storage.issue_lines import IssueLines
from newsletter.storage.issues import IssueRepository
from newsletter.storage.leases import LeaseRepository
from newsletter.storage.links import LinkRepository
from newsletter.storage.mailings import MailingRepository
from newsletter.storage.pictures import PictureRepository
from newsletter.storage.preferences import PreferenceRepository
from newsletter.storage.read_logs import ReadLogRepository
from newsletter.storage.reads import ReadRepository
from newsletter.storage.relay_uses import RelayUses
from newsletter.storage.retention import RetentionRepository
from newsletter.storage.segments import SegmentRepository
from newsletter.storage.settings import SettingsRepository
from newsletter.storage.sign_ups import SignUpRepository
from newsletter.storage.sources import SourceRepository
from newsletter.storage.standings import Standings
from newsletter.storage.stories import StoryRepository
from newsletter.storage.story_search import StorySearch
from newsletter.storage.subscribers import SubscriberRepository
from newsletter.storage.suppressions import SuppressionRepository
from newsletter.storage.waves import WaveRepository


class Transaction:
    """What `Database.read` and `Database.write` give. Newsletters, sections and
    sources are named by slug, everything else by public id."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.changes = ChangeLog(connection)
        self.editors = EditorRepository(connection)
        self.settings = SettingsRepository(connection)
        self.sources = SourceRepository(connection)
        self.stories = StoryRepository(connection)
        self.story_search = StorySearch(connection)
        self.pictures = PictureRepository(connection)
        self.reads = ReadRepository(connection)
        self.standings = Standings(connection)
        self.read_logs = ReadLogRepository(connection)
        self.issues = IssueRepository(connection)
        self.issue_lines = IssueLines(connection)
        self.links = LinkRepository(connection)
        self.archive = Archive(connection)
        self.subscribers = SubscriberRepository(connection)
        self.segments = SegmentRepository(connection)
        self.growth = GrowthRepository(connection)
        self.sign_ups = SignUpRepository(connection)
        self.suppressions = SuppressionRepository(connection)
        self.imports = ImportRepository(connection)
        self.holdings = HoldingRepository(connection)
        self.preferences = PreferenceRepository(connection)
        self.retention = RetentionRepository(connection)
        self.mailings = MailingRepository(connection)
        self.waves = WaveRepository(connection)
        self.audience = AudienceRows(connection)
        self.relay_uses = RelayUses(connection)
        self.identity = IdentityRepository(connection)
        self.leases = LeaseRepository(connection)
