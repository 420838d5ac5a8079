"""What happens to a sender in mid-send: its disk is full, its database goes, it stands still."""

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.acceptance.command_line import ENVIRONMENT, command, must
from tests.acceptance.ready_house import make_house, read_report, reader_addresses
from tests.postgres import fresh_database, running_server
from tests.real.sink import Sink, running_sink
from tests.waiting import wait_until

SETTINGS = """\
[delivery]
resend_after = "0 minutes"
group_by_mx = false
"""


def held_back(rate: int) -> list[tuple[str, str]]:
    """A rate a second, so that there is time for something to happen in the middle."""
    return [("connections = 3", f"connections = 3\nrate = {rate}")]


def arrived(sink: Sink) -> int:
    with os.scandir(sink.folder) as files:
        return sum(1 for _ in files)


@contextmanager
def running(folder: Path, *arguments: str, log: str = "log") -> Iterator[subprocess.Popen[bytes]]:
    """A command of the service in the background, ended with the block."""
    with (folder / log).open("ab") as out:
        process = subprocess.Popen(
            command(*arguments), cwd=folder, env=ENVIRONMENT, stdout=out, stderr=out
        )
    with process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            try:
                process.wait(20)
            finally:
                process.kill()


def account(folder: Path, sink: Sink, addresses: list[str]) -> dict[str, Any]:
    """All have it, and a second copy only those who were in doubt; the report."""
    report = read_report(folder)
    copies = Counter(m.recipients[0] for m in sink.messages() if m.recipients[0] in set(addresses))
    rows = {row["address"]: row for row in report["deliveries"]}
    assert set(rows) == set(copies) == set(addresses)
    assert all(copies[address] - 1 <= min(rows[address]["doubts"], 1) for address in addresses)
    assert report["accepted"] + report["uncertain"] == len(addresses)
    report["copies"] = copies.total() - len(addresses)
    return report


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode:
        why = "a file system of its own needs root and the right to mount"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> None:
    """Leave not a page of it."""
    with (disk / "ballast").open("ab", buffering=0) as ballast:
        for portion in (65_536, 4_096):
            try:
                while True:
                    ballast.write(b"x" * portion)
            except OSError:
                continue


@contextmanager
def full_disk_in_mid_send(folder: Path, *arguments: str) -> Iterator["FullDisk"]:
    """An issue for 400 readers whose database lies on a disk that is full since the 20th."""
    addresses = reader_addresses(400)
    with small_disk(folder / "data", "6m") as disk, running_sink(folder / "sink") as sink:
        make_house(
            folder, sink.port, addresses, settings=SETTINGS, changes=held_back(150), sending=True
        )
        with running(folder, *arguments) as sender:
            assert wait_until(lambda: arrived(sink) > 20)
            full = FullDisk(folder, disk, sink, addresses, sender)
            yield full
        said = (folder / "log").read_text()
        assert "disk is full" in said
        assert "Traceback" not in said


@dataclass
class FullDisk:
    folder: Path
    disk: Path
    sink: Sink
    addresses: list[str]
    sender: subprocess.Popen[bytes]

    def fill(self, seconds: float) -> None:
        """Keep it full for so long, or until the sender gives up."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.sender.poll() is None:
            # What the database gives back is taken as well.
            fill(self.disk)
            time.sleep(0.01)
        # Nothing is sent that can't be written down.
        assert arrived(self.sink) < len(self.addresses) / 2

    def clear(self) -> None:
        (self.disk / "ballast").unlink()


def test_a_disk_that_is_full_for_a_while_only_delays(tmp_path: Path) -> None:
    with full_disk_in_mid_send(tmp_path, "worker") as full:
        full.fill(3)
        full.clear()
        assert wait_until(lambda: arrived(full.sink) >= 400)
        assert wait_until(lambda: read_report(tmp_path)["open"] == 0)
        report = account(tmp_path, full.sink, full.addresses)
        assert report["in_doubt"] <= 3


@pytest.mark.long
def test_a_disk_that_stays_full_ends_the_send_with_a_sentence(tmp_path: Path) -> None:
    with full_disk_in_mid_send(tmp_path, "issue", "send") as full:
        full.fill(60)
        assert full.sender.wait(30) == 1
        full.clear()
        assert read_report(tmp_path)["open"] > len(full.addresses) / 2
        must(tmp_path, "issue", "send")
        report = account(tmp_path, full.sink, full.addresses)
        assert report["in_doubt"] <= 3


@pytest.mark.long
def test_a_worker_outlives_a_disk_that_stays_full(tmp_path: Path) -> None:
    """Longer than it asks the ledger again: its engine ends, and the next one goes on."""
    with full_disk_in_mid_send(tmp_path, "worker") as full:
        full.fill(30)
        assert full.sender.poll() is None
        assert "ledger_failed" in (tmp_path / "log").read_text()
        full.clear()
        assert wait_until(lambda: arrived(full.sink) >= 400)
        assert wait_until(lambda: read_report(tmp_path)["open"] == 0)
        report = account(tmp_path, full.sink, full.addresses)
        assert report["in_doubt"] <= 3


@pytest.mark.long
def test_a_correction_in_mid_send_reaches_what_a_worker_has_at_hand(tmp_path: Path) -> None:
    addresses = reader_addresses(200)
    with running_sink(tmp_path / "sink") as sink:
        make_house(
            tmp_path, sink.port, addresses, settings=SETTINGS, changes=held_back(12), sending=True
        )
        with running(tmp_path, "worker"):
            assert wait_until(lambda: arrived(sink) > 8)
            # However long the command takes, nobody is served until the pause.
            sink.stop()
            must(tmp_path, "issue", "pause")
            # What is on its way needs its answer, else nothing can be corrected.
            sink.go_on()
            must(tmp_path, "issue", "correct", "--subject", "Put right")
            must(tmp_path, "issue", "resume")
            assert wait_until(lambda: read_report(tmp_path)["open"] == 0)
        report = account(tmp_path, sink, addresses)
        got = {m.recipients[0]: 1 + (b"Subject: Put right" in m.content) for m in sink.messages()}
    assert {row["address"]: row["revision"] for row in report["deliveries"]} == got
    assert Counter(got.values())[2] > 100
    assert "Traceback" not in (tmp_path / "log").read_text()
    # To find out of the pause cost a connection each, not one for each letter at hand.
    assert sink.log.read_text().count("CONNECT") < 20


@contextmanager
def house_on_postgres(folder: Path, addresses: list[str], rate: int) -> Iterator[tuple[str, Sink]]:
    """An issue that waits for workers to send it; the address of its database, and the sink."""
    with running_server() as server, running_sink(folder / "sink") as sink:
        database = fresh_database(server.url)
        tables = f'{SETTINGS}[database]\nurl = "{database}"\n'
        make_house(
            folder, sink.port, addresses, settings=tables, changes=held_back(rate), sending=True
        )
        yield database, sink


@pytest.mark.long
def test_of_two_workers_one_is_killed_and_the_other_takes_its_rows_in_mid_send(
    tmp_path: Path,
) -> None:
    """On one host: long before the lease of 30 seconds ends, and while it is busy itself."""
    addresses = reader_addresses(1_200)
    with house_on_postgres(tmp_path, addresses, 60) as (database, sink):
        with (
            running(tmp_path, "worker", log="first") as first,
            running(tmp_path, "worker", log="second"),
        ):
            assert wait_until(lambda: len(workers_with_rows(database)) == 2)
            # Alive, it is left alone: longer than the other one's look for the dead.
            time.sleep(6)
            second = tmp_path / "second"
            assert "deliveries_recovered" not in second.read_text()
            first.kill()
            assert wait_until(lambda: "deliveries_recovered" in second.read_text(), 15)
            assert not is_sent(database)
            assert wait_until(lambda: is_sent(database))
        assert "Traceback" not in (tmp_path / "second").read_text()
        report = account(tmp_path, sink, addresses)
        assert report["in_doubt"] <= 3


@pytest.mark.long
def test_one_sqlite_file_has_one_sender_whatever_its_data_dir(tmp_path: Path) -> None:
    house, other = tmp_path / "house", tmp_path / "other"
    house.mkdir()
    other.mkdir()
    with running_sink(tmp_path / "sink") as sink:
        make_house(
            house,
            sink.port,
            reader_addresses(60),
            settings=SETTINGS,
            changes=held_back(1),
            sending=True,
        )
        text = (house / "config.toml").read_text()
        file = house / "data" / "newsletter.sqlite"
        text += f'[database]\nurl = "sqlite:///{file}"\n'
        (other / "config.toml").write_text(text)
        with running(house, "worker") as worker:
            assert wait_until(lambda: arrived(sink) > 3)
            for folder in (house, other):
                answer = must(folder, "issue", "send")
                assert "the running worker sends it" in answer.out
            assert worker.poll() is None
        # Nobody else, once it is gone: the lock went with it.
        quick = (house / "config.toml").read_text().replace("rate = 1", "rate = 0")
        (house / "config.toml").write_text(quick)
        must(house, "issue", "send")
        account(house, sink, reader_addresses(60))


def is_sent(database: str) -> bool:
    with psycopg.connect(database) as connection:
        return connection.execute("SELECT state FROM issue").fetchall() == [("sent",)]


@pytest.mark.parametrize("mode", ["fast", pytest.param("immediate", marks=pytest.mark.long)])
def test_a_database_that_goes_and_comes_back_in_mid_send(tmp_path: Path, mode: str) -> None:
    addresses = reader_addresses(450)
    # What it has confirmed must outlive its crash.
    with (
        running_server("synchronous_commit=on") as server,
        running_sink(tmp_path / "sink") as sink,
    ):
        database = fresh_database(server.url)
        tables = f'{SETTINGS}[database]\nurl = "{database}"\n'
        make_house(
            tmp_path, sink.port, addresses, settings=tables, changes=held_back(150), sending=True
        )
        with running(tmp_path, "worker"):
            assert wait_until(lambda: arrived(sink) > 80)
            server.stop(mode)
            down_at = arrived(sink)
            time.sleep(1.5)
            # One message a connection was on its way; without its ledger it sends no more.
            assert arrived(sink) - down_at <= 3
            server.start()
            assert wait_until(lambda: is_sent(database)), (tmp_path / "log").read_text()[-3000:]
        assert down_at < len(addresses) / 2
        said = (tmp_path / "log").read_text()
        assert "ledger_not_written" in said or "ledger_failed" in said
        assert "Traceback" not in said
        report = account(tmp_path, sink, addresses)
        assert report["in_doubt"] <= 3


@pytest.mark.long
def test_a_worker_that_stands_still_beyond_its_lease_sends_nothing_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    addresses = reader_addresses(2_000)
    with house_on_postgres(tmp_path, addresses, 80) as (database, sink):
        with (
            running(tmp_path, "worker", log="first") as first,
            running(tmp_path, "worker", log="second"),
        ):
            assert wait_until(lambda: len(workers_with_rows(database)) == 2), (
                "only one worker works"
            )
            assert wait_until(lambda: len(last_hand_overs(database)) == 2), "only one worker sends"
            first.send_signal(signal.SIGSTOP)
            stopped = only_idle_worker(database)
            held = workers_with_rows(database)[stopped]
            # The other goes on with what is free, then takes over what the first one held.
            assert wait_until(lambda: stopped not in workers_with_rows(database), 60)
            assert wait_until(lambda: is_sent(database), 120)
            before = arrived(sink)
            first.send_signal(signal.SIGCONT)
            assert wait_until(lambda: "lease_lost" in (tmp_path / "first").read_text(), 30)
            time.sleep(3)
            assert arrived(sink) - before <= 3
            assert (tmp_path / "first").read_text().count("Traceback") == 0
        report = account(tmp_path, sink, addresses)
    with capsys.disabled():
        print(
            f"\na worker stopped while it held {held} of 2,000 rows: "
            f"copies {report['copies']}, in doubt {report['in_doubt']}"
        )
    assert held > 0
    assert report["copies"] <= report["in_doubt"] <= 3


def workers_with_rows(database: str) -> dict[int, int]:
    """How many rows each worker holds."""
    with psycopg.connect(database) as connection:
        found = connection.execute(
            "SELECT worker_id, count(*) FROM delivery WHERE worker_id IS NOT NULL GROUP BY 1"
        )
        return {int(worker): int(rows) for worker, rows in found.fetchall()}


def only_idle_worker(database: str) -> int:
    """Of two workers the one that hands nothing over any more."""
    soon = max(last_hand_overs(database).values()) + timedelta(seconds=1)
    assert wait_until(lambda: max(last_hand_overs(database).values()) > soon)
    last = last_hand_overs(database)
    return min(last, key=lambda worker: last[worker])


def last_hand_overs(database: str) -> dict[int, datetime]:
    """When each worker handed a message over last, of those who did."""
    with psycopg.connect(database) as connection:
        found = connection.execute(
            "SELECT handed_by, max(handed_over_at) FROM delivery WHERE handed_by IS NOT NULL "
            "GROUP BY 1"
        )
        return dict(found.fetchall())
