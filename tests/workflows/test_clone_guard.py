"""The clone guard over real files: copies, restored backups, lost folders, late starts."""

import json
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from newsletter.config import load_config
from newsletter.errors import SendingHeld
from newsletter.issues.model import IssueState
from newsletter.publication.model import Settings
from newsletter.publication.slots import latest_slot
from newsletter.storage.identity import Identity, WaitingMail
from newsletter.storage.ledger import SqlLedger
from newsletter.workflows.clone_guard import (
    Act,
    adopt,
    advance_generation,
    assert_may_send,
    attend,
    find_overdue,
    judge,
    reason_to_hold,
)
from newsletter.workflows.installation import Installation
from newsletter.workflows.instance_file import DAMAGED, INSTANCE_FILE, Memory, read_memory
from newsletter.workflows.opening import open_installation
from newsletter.workflows.tick import tick
from tests.acceptance.command_line import write_config
from tests.contracts.nouns import a_mailing, add_reader, an_issue

NOW = datetime(2026, 8, 7, 11, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass
class SetClock:
    """A clock that stands still until it is moved."""

    instant: datetime = NOW
    waits: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.instant.timestamp()

    def boottime(self) -> float:
        return self.instant.timestamp()

    def sleep(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


class House:
    """An installation in a folder; every call opens it anew, as another process would."""

    def __init__(self, folder: Path, clock: SetClock | None = None) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.clock = clock or SetClock()
        if not (folder / "config.toml").exists():
            write_config(folder, feed="http://127.0.0.1:9/feed/", port=9, migrated=False)

    @property
    def database(self) -> Path:
        return self.folder / "data/newsletter.sqlite"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @contextmanager
    def open(self, **environment: str) -> Iterator[Installation]:
        config = load_config(self.folder / "config.toml", environment)
        with open_installation(config, self.clock) as installation:
            yield installation

    def send(self, **environment: str) -> None:
        """A sender comes, sends something, and goes again."""
        with self.open(**environment) as installation:
            assert_may_send(installation)
            advance_generation(installation)

    def work(self) -> None:
        """A worker comes, and goes again."""
        with self.open() as installation:
            assert_may_send(installation)
            attend(installation)

    def reason(self, **environment: str) -> str:
        with self.open(**environment) as installation:
            return reason_to_hold(installation)

    def adopt(self, **environment: str) -> None:
        with self.open(**environment) as installation:
            adopt(installation, actor="test")

    def identity(self) -> Identity | None:
        with self.open() as installation, installation.database.read() as tx:
            return tx.identity.current()

    def add_issue(self, *, readers: int = 2, state: IssueState = IssueState.SENDING) -> None:
        issue = an_issue(state=state, send_at=self.clock.now())
        with self.open() as installation, installation.database.write() as tx:
            for number in range(readers):
                add_reader(tx, number)
            tx.issues.create(issue, self.clock.now(), "test")
            mailing = a_mailing()
            tx.mailings.create(mailing, key="1", issue_id=issue.public_id, newsletter="weekly")
            tx.mailings.enqueue_audience(mailing.public_id, "weekly", self.clock.now())


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "house")


# The decision.

HERE = Identity("one", 5, "sqlite:1")


@pytest.mark.parametrize(
    ("identity", "memory", "at_home", "is_blank", "act"),
    [
        (None, None, False, False, Act.ADOPT),
        (None, None, False, True, Act.ADOPT),
        (None, Memory("one", 5), False, True, Act.ADOPT),
        (None, Memory("one", 5), False, False, Act.HOLD),
        (None, DAMAGED, False, False, Act.HOLD),
        (HERE, Memory("one", 5), True, False, Act.GO_ON),
        (HERE, Memory("one", 4), True, False, Act.GO_ON),
        (HERE, None, True, False, Act.GO_ON),
        (HERE, Memory("one", 6), True, False, Act.HOLD),
        (HERE, Memory("two", 4), True, False, Act.REFUSE),
        (HERE, Memory("two", 9), True, False, Act.REFUSE),
        (HERE, DAMAGED, True, False, Act.REFUSE),
        (HERE, Memory("one", 5), False, False, Act.HOLD),
        (HERE, None, False, False, Act.HOLD),
        (replace(HERE, hold="why"), Memory("one", 5), True, False, Act.HOLD),
        (replace(HERE, hold="why"), None, True, False, Act.HOLD),
    ],
)
def test_what_fits_and_what_does_not(
    identity: Identity | None, memory: Memory | None, at_home: bool, is_blank: bool, act: Act
) -> None:
    verdict = judge(identity, memory, at_home=at_home, is_blank=is_blank)
    assert verdict.act is act
    assert bool(verdict.reason) == (act in (Act.HOLD, Act.REFUSE))


# What is no alarm.


def test_the_first_send_says_who_this_is(house: House) -> None:
    house.send()
    identity = house.identity()
    assert identity is not None
    file = house.data / INSTANCE_FILE
    assert json.loads(file.read_text()) == {"instance_id": identity.instance_id, "generation": 2}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not list(house.data.glob("*.json.*"))


def test_an_existing_installation_is_taken_as_it_is(house: House) -> None:
    house.add_issue()
    house.clock.instant += 30 * DAY
    house.send()
    assert house.reason() == ""


def test_processes_and_new_containers_on_the_same_folder_are_no_alarm(
    house: House, tmp_path: Path
) -> None:
    house.add_issue()
    for _ in range(3):
        house.send()
    identity = house.identity()
    assert identity is not None
    assert identity.generation == 4
    # Another container sees the same files below another path.
    (tmp_path / "mounted").symlink_to(house.folder)
    House(tmp_path / "mounted").send()
    # A folder that is moved as it is keeps its files.
    moved = house.folder.rename(tmp_path / "moved")
    (tmp_path / "mounted").unlink()
    House(moved).send()


def test_a_new_data_dir_beside_the_database_joins_it(house: House, tmp_path: Path) -> None:
    house.send()
    other = House(tmp_path / "other-host")
    url = {"NEWSLETTER_DATABASE__URL": f"sqlite:///{house.database}"}
    other.send(**url)
    assert read_memory(other.data) == Memory(read_memory(house.data).instance_id, 3)
    # It fell behind, which is what happens to the hosts of one database.
    house.send()
    assert other.reason(**url) == ""


def test_a_new_database_for_a_known_data_dir_is_a_new_installation(house: House) -> None:
    house.send()
    before = read_memory(house.data)
    for file in house.data.glob("newsletter.sqlite*"):
        file.unlink()
    with house.open() as installation:
        assert_may_send(installation)
    after = read_memory(house.data)
    assert before is not None
    assert after is not None
    assert after.instance_id != before.instance_id


def test_writing_over_the_file_as_sqlite_does_is_no_alarm(house: House) -> None:
    house.send()
    with closing(sqlite3.connect(house.database)) as connection:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    house.send()


# What is one.


def assert_held(house: House, words: str, **environment: str) -> None:
    """Held for that reason, now and from now on, and nothing but the hold was written."""
    generation = read_memory(house.data)
    for _ in range(2):
        with pytest.raises(SendingHeld, match=words) as caught:
            house.send(**environment)
        assert "newsletter adopt" in str(caught.value)
    assert words in house.reason(**environment)
    assert read_memory(house.data) == generation


def test_a_copied_folder_is_held_and_the_original_is_not(house: House, tmp_path: Path) -> None:
    house.add_issue()
    house.send()
    shutil.copytree(house.folder, tmp_path / "copy")
    copy = House(tmp_path / "copy")
    assert_held(copy, "may be a copy")
    house.send()
    # The person says that the copy is the true one: it goes on, as the same installation.
    before = copy.identity()
    copy.adopt()
    copy.send()
    after = copy.identity()
    assert before is not None
    assert after is not None
    assert after.instance_id == before.instance_id
    assert after.hold == ""


def test_a_copied_database_without_data_dir_is_held(house: House, tmp_path: Path) -> None:
    house.send()
    copy = House(tmp_path / "copy")
    copy.data.mkdir()
    shutil.copy2(house.database, copy.database)
    assert_held(copy, "may be a copy")


@pytest.mark.parametrize("way", ["copy and rename", "vacuum into"])
def test_a_file_that_took_the_databases_place_is_held(house: House, way: str) -> None:
    house.send()
    other = house.database.with_name("other.sqlite")
    with closing(sqlite3.connect(house.database)) as connection:
        if way == "vacuum into":
            connection.execute("VACUUM INTO ?", (str(other),))
        else:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            shutil.copy2(house.database, other)
    other.replace(house.database)
    assert_held(house, "restored backup")
    house.adopt()
    house.send()


@pytest.mark.parametrize("how", ["backup API", "cp"])
def test_a_backup_restored_into_the_same_file_is_held(house: House, how: str) -> None:
    house.send()
    kept = house.folder / "backup.sqlite"
    with closing(sqlite3.connect(house.database)) as now, closing(sqlite3.connect(kept)) as backup:
        now.backup(backup)
    inode = house.database.stat().st_ino
    house.send()
    if how == "cp":
        for file in ("-wal", "-shm"):
            house.database.with_name(house.database.name + file).unlink(missing_ok=True)
        house.database.write_bytes(kept.read_bytes())
    else:
        with (
            closing(sqlite3.connect(kept)) as backup,
            closing(sqlite3.connect(house.database)) as now,
        ):
            backup.backup(now)
    assert house.database.stat().st_ino == inode
    assert_held(house, "older than data_dir remembers")
    house.adopt()
    house.send()
    identity, memory = house.identity(), read_memory(house.data)
    assert identity is not None
    assert memory == Memory(identity.instance_id, identity.generation)
    assert identity.generation > 2


def test_a_backup_of_before_the_guard_is_held(house: House) -> None:
    house.add_issue()
    house.send()
    with closing(sqlite3.connect(house.database)) as connection:
        connection.execute("DELETE FROM installation")
        connection.commit()
    before = read_memory(house.data)
    assert_held(house, "knows nothing")
    house.adopt()
    house.send()
    assert before is not None
    assert read_memory(house.data) == Memory(before.instance_id, before.generation + 2)


def test_a_foreign_data_dir_is_refused_without_holding_the_others(
    house: House, tmp_path: Path
) -> None:
    house.send()
    stranger = House(tmp_path / "staging")
    stranger.send()
    url = {"NEWSLETTER_DATABASE__URL": f"sqlite:///{house.database}"}
    assert_held(stranger, "another installation", **url)
    house.send()
    identity = house.identity()
    assert identity is not None
    assert identity.hold == ""
    stranger.adopt(**url)
    stranger.send(**url)
    house.send()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"instance_id": "x"}', '{"generation": "x"}'])
def test_a_damaged_memory_is_refused_until_a_person_has_looked(house: House, text: str) -> None:
    house.send()
    (house.data / INSTANCE_FILE).write_text(text)
    assert_held(house, "damaged")
    house.adopt()
    house.send()


def test_a_hold_and_its_release_are_in_the_change_log(house: House, tmp_path: Path) -> None:
    house.send()
    shutil.copytree(house.folder, tmp_path / "copy")
    copy = House(tmp_path / "copy")
    assert_held(copy, "may be a copy")
    copy.adopt()
    identity = copy.identity()
    assert identity is not None
    with copy.open() as installation, installation.database.read() as tx:
        changes = tx.changes.of("installation", identity.instance_id)
    assert [change.act for change in changes] == ["held", "adopted"]
    assert all("may be a copy" in change.detail["reason"] for change in changes)


# Too late.

SETTINGS = Settings.model_validate(
    {
        "publication": {"name": "The Paper", "url": "https://paper.example"},
        "newsletter": [
            {
                "slug": slug,
                "name": slug,
                "from": {"name": "The Paper", "address": "weekly@paper.example"},
                "max_lateness": lateness,
                "section": [{"slug": "latest", "kind": "latest", "title": "Latest"}],
            }
            for slug, lateness in (("weekly", "12 hours"), ("daily", "5 minutes"))
        ],
        "delivery": {"give_up_after": "3 days"},
    }
)


@pytest.mark.parametrize(
    ("newsletter", "untried", "tried", "absence", "is_overdue"),
    [
        # An issue nobody sent on with, and nobody there: overdue after its max_lateness.
        ("weekly", 13 * HOUR, None, 13 * HOUR, True),
        ("weekly", 11 * HOUR, None, 30 * DAY, False),
        # A worker was there all the time, or until a moment ago: a relay that is down, a pace.
        ("weekly", 30 * DAY, None, 0 * HOUR, False),
        ("weekly", 30 * DAY, None, 11 * HOUR, False),
        # However small max_lateness is, a reboot is no reason.
        ("daily", 50 * DAY, None, 0.9 * HOUR, False),
        ("daily", 2 * HOUR, None, 1.1 * HOUR, True),
        # Readers whose server put us off have as long as we try.
        ("weekly", None, 2 * DAY, 2 * DAY, False),
        ("weekly", None, 4 * DAY, 2 * DAY, False),
        ("weekly", None, 4 * DAY, 4 * DAY, True),
        # System mail as well.
        ("", 2 * DAY, None, 2 * DAY, False),
        ("", 4 * DAY, None, 4 * DAY, True),
        # A wave whose time is to come.
        ("weekly", -5 * HOUR, None, 30 * DAY, False),
        # A newsletter that the settings no longer have.
        ("gone", 13 * HOUR, None, 13 * HOUR, False),
        ("gone", 4 * DAY, None, 4 * DAY, True),
    ],
)
def test_what_is_overdue(
    newsletter: str,
    untried: timedelta | None,
    tried: timedelta | None,
    absence: timedelta,
    is_overdue: bool,
) -> None:
    mail = WaitingMail(
        newsletter,
        "2026-W32" if newsletter else "",
        5,
        untried and NOW - untried,
        tried and NOW - tried,
    )
    reason = find_overdue([mail], SETTINGS, absence, NOW)
    assert bool(reason) is is_overdue
    if is_overdue:
        assert ("2026-W32" in reason) == bool(newsletter)
        assert find_overdue([], SETTINGS, absence, NOW) == ""


def test_an_issue_found_in_mid_send_after_a_long_absence_is_held(house: House) -> None:
    house.work()
    house.add_issue()
    house.clock.instant += 13 * HOUR
    assert_held(house, "issue 2025-W32 of weekly should have gone on 2026-08-07")
    # Held is held: neither time nor another process changes it.
    house.clock.instant += 90 * DAY
    assert_held(house, "issue 2025-W32 of weekly should have gone on 2026-08-07")
    house.adopt()
    house.work()
    house.clock.instant += HOUR
    house.work()


def test_what_a_killed_worker_held_is_overdue_as_well(house: House) -> None:
    house.work()
    house.add_issue(readers=1)
    with house.open() as installation:
        ledger = SqlLedger(installation.database)
        worker = ledger.enroll("killed", NOW, HOUR)
        assert ledger.claim_issues(worker, NOW, 10)
    house.clock.instant += 13 * HOUR
    assert_held(house, "2025-W32")


def test_a_worker_that_lives_is_never_late(house: House) -> None:
    """The relay is down for days: the worker is there, tries, and is started again."""
    house.work()
    house.add_issue()
    with house.open() as installation:
        for _ in range(60):
            house.clock.instant += HOUR
            attend(installation)
    house.send()


def test_issues_that_start_while_no_worker_is_there_do_not_count_as_one(house: House) -> None:
    house.work()
    house.add_issue()
    for _ in range(12):
        house.clock.instant += HOUR
        house.send()
    house.clock.instant += HOUR
    assert_held(house, "no worker was there for the last 13 hours")


@pytest.mark.parametrize("state", [IssueState.PAUSED, IssueState.SENT, IssueState.RECALLED])
def test_an_issue_that_is_not_on_its_way_is_not_late(house: House, state: IssueState) -> None:
    house.work()
    house.add_issue()
    with house.open() as installation, installation.database.write() as tx:
        assert tx.issues.move("issue-2025-W32", set(IssueState), state, "test", NOW)
    house.clock.instant += 30 * DAY
    house.send()


def test_an_idle_year_is_no_alarm(house: House) -> None:
    house.work()
    house.clock.instant += 365 * DAY
    house.work()


def test_mail_that_waits_for_the_first_worker_is_no_alarm(house: House) -> None:
    house.send()
    house.add_issue()
    house.clock.instant += 30 * DAY
    house.work()


# What the tick does meanwhile.


def test_the_tick_starts_nothing_while_sending_is_held(house: House) -> None:
    house.send()
    with house.open() as installation:
        newsletter = installation.settings().newsletter[0]
        slot = latest_slot(newsletter, ZoneInfo("America/New_York"), NOW + 6 * HOUR)
        issue = an_issue(slot.key, state=IssueState.APPROVED, send_at=NOW)
        with installation.database.write() as tx:
            add_reader(tx, 1)
            assert tx.issues.create(issue, NOW, "test")
            assert tx.identity.hold("it may be a copy", NOW)
        for _ in range(3):
            tick(installation)
        with installation.database.read() as tx:
            found = tx.issues.by_id(issue.public_id)
            assert found is not None
            assert found.state is IssueState.APPROVED
            # No mail to the editors either: it could not go, and would be wrong once it can.
            assert tx.identity.waiting() == []
        adopt(installation, actor="test")
        tick(installation)
        with installation.database.read() as tx:
            found = tx.issues.by_id(issue.public_id)
            assert found is not None
            assert found.state is IssueState.SENDING


# The order of writing.


def test_data_dir_never_knows_more_than_the_database(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies between the two writes: the next start is no alarm."""
    house.send()

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("newsletter.workflows.clone_guard.write_memory", die)
        with pytest.raises(KeyboardInterrupt), house.open() as installation:
            advance_generation(installation)
    identity, memory = house.identity(), read_memory(house.data)
    assert identity is not None
    assert memory is not None
    assert identity.generation == memory.generation + 1
    house.send()


def test_two_processes_that_send_for_the_first_time_agree(house: House, tmp_path: Path) -> None:
    with house.open() as one, house.open() as other:
        assert_may_send(one)
        assert_may_send(other)
        with one.database.read() as tx:
            identity = tx.identity.current()
    assert identity is not None
    assert read_memory(house.data) == Memory(identity.instance_id, identity.generation)
