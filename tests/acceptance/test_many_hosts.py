"""One PostgreSQL, several hosts: two schedulers as real processes, and databases that are not
what they were."""

import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from newsletter.clock import SystemClock
from newsletter.config import load_config
from newsletter.demo.catcher import MailCatcher
from newsletter.demo.outbox_store import count_messages
from newsletter.errors import SendingHeld
from newsletter.workflows.clone_guard import advance_generation, assert_may_send
from newsletter.workflows.opening import open_installation
from tests.acceptance.command_line import (
    ENVIRONMENT,
    command,
    import_readers,
    must,
    newsletter,
    write_config,
)
from tests.acceptance.test_run import wait_for
from tests.acceptance.weekly_feed import weekly_feed
from tests.postgres import fresh_database, running_postgres


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_postgres() as base_url:
        yield base_url


class CountedFeed:
    """A small feed's address, and how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.url = ""

    @contextmanager
    def serve(self) -> Iterator["CountedFeed"]:
        counted = self
        began = datetime.now(UTC) - timedelta(days=400)
        with weekly_feed(SystemClock(), began) as behind, ExitStack() as stack:

            class Door(BaseHTTPRequestHandler):
                def do_GET(self) -> None:
                    counted.asked += 1
                    self.send_response(302)
                    self.send_header("Location", behind)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

                def log_message(self, *_: object) -> None:
                    """Quiet."""

            http = ThreadingHTTPServer(("127.0.0.1", 0), Door)
            stack.callback(http.server_close)
            stack.callback(http.shutdown)
            threading.Thread(target=http.serve_forever, daemon=True).start()
            self.url = f"http://127.0.0.1:{http.server_address[1]}/feed/"
            yield self


def make_host(folder: Path, database: str, *, feed: str = "http://127.0.0.1:9/") -> Path:
    folder.mkdir()
    config = write_config(folder, feed=feed, port=9)
    text = config.read_text(encoding="utf-8")
    # Nothing is to be drafted today: a draft would ask the feed once more.
    now = datetime.now(UTC)
    text = text.replace('"Thu 12:00"', f'"{now + timedelta(days=3):%a} 12:00"')
    text = text.replace('"Fri 07:00"', f'"{now + timedelta(days=4):%a} 07:00"')
    config.write_text(f'{text}[database]\nurl = "{database}"\n', encoding="utf-8")
    return folder


@contextmanager
def running(folder: Path, role: str) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command(role), cwd=folder, env=ENVIRONMENT, stderr=log)
    with process:
        try:
            yield process
        finally:
            process.kill()


def said(folder: Path, event: str) -> int:
    return (folder / "log").read_text(encoding="utf-8").count(f"event='{event}'")


@pytest.mark.long
def test_of_two_schedulers_one_polls_and_the_other_takes_over(tmp_path: Path, server: str) -> None:
    database = fresh_database(server)
    with CountedFeed().serve() as feed, ExitStack() as stack:
        one, other = (make_host(tmp_path / name, database, feed=feed.url) for name in "ab")
        first = stack.enter_context(running(one, "scheduler"))
        assert wait_for(lambda: feed.asked == 1, 60), (one / "log").read_text()
        second = stack.enter_context(running(other, "scheduler"))
        assert wait_for(lambda: said(other, "scheduler_waits") == 1, 60)
        assert said(other, "scheduler_has_turn") == 0
        assert feed.asked == 1

        # A clean stop hands the turn on at once: long before a lease of 90 seconds ends.
        first.send_signal(signal.SIGTERM)
        assert first.wait(30) == 0
        assert wait_for(lambda: feed.asked == 2, 30), (other / "log").read_text()

        # After a kill the lease has to end; the server's clock is told that it has.
        third = stack.enter_context(running(one, "scheduler"))
        assert wait_for(lambda: said(one, "scheduler_waits") == 1, 60)
        second.kill()
        with psycopg.connect(database) as connection:
            connection.execute("UPDATE lease SET until = now() WHERE name = 'scheduler'")
        assert wait_for(lambda: feed.asked == 3, 30), (one / "log").read_text()
        third.send_signal(signal.SIGTERM)
        assert third.wait(30) == 0
    for host in (one, other):
        assert "Traceback" not in (host / "log").read_text()


def send(folder: Path) -> None:
    config = load_config(folder / "config.toml", {})
    with open_installation(config, SystemClock()) as installation:
        assert_may_send(installation)
        advance_generation(installation)


def copy_database(server: str, database: str) -> str:
    """The same content in another database, as a dump restored elsewhere has it."""
    name = make_url(database).database
    copy = f"{name}_copy"
    admin = make_url(server).set(database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(copy), sql.Identifier(str(name))
            )
        )
    return make_url(database).set(database=copy).render_as_string(hide_password=False)


def test_hosts_of_one_database_are_no_alarm_and_a_copy_of_it_is(
    tmp_path: Path, server: str
) -> None:
    database = fresh_database(server)
    one, other = (make_host(tmp_path / name, database) for name in "ab")
    for host in (one, other, one, one, other):
        send(host)
    held = must(one, "adopt", "--json").json
    assert held == {"held": False, "reason": "", "waiting": []}

    moved = make_host(tmp_path / "moved", copy_database(server, database))
    (moved / "data").mkdir(exist_ok=True)
    (one / "data/instance.json").rename(moved / "data/instance.json")
    with pytest.raises(SendingHeld, match="may be a copy"):
        send(moved)
    answer = newsletter(moved, "adopt", "--json")
    assert answer.status == 1
    assert answer.json["held"]
    told = newsletter(moved, "adopt")
    assert told.status == 1
    assert "--this-is-the-true-one" in told.out
    # The one that was there before is not touched by it.
    send(other)

    assert "released" in must(moved, "adopt", "--this-is-the-true-one").out
    send(moved)
    assert must(moved, "adopt").out == "nothing holds the sending\n"


def test_a_dump_restored_in_place_is_held_for_every_host(tmp_path: Path, server: str) -> None:
    database = fresh_database(server)
    one, other = (make_host(tmp_path / name, database) for name in "ab")
    send(one)
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE dump AS SELECT * FROM installation")
    send(one)
    with psycopg.connect(database) as connection:
        connection.execute("DELETE FROM installation")
        connection.execute("INSERT INTO installation SELECT * FROM dump")
    # The first knows what was sent since; the other is new, and is told by the hold.
    for host in (one, other):
        with pytest.raises(SendingHeld, match="older than data_dir remembers"):
            send(host)
    must(other, "adopt", "--this-is-the-true-one")
    for host in (other, one):
        send(host)


@pytest.mark.long
def test_a_copied_folder_sends_nothing_until_a_person_says_so(tmp_path: Path) -> None:
    house, copy = tmp_path / "house", tmp_path / "copy"
    house.mkdir()
    began = datetime.now(UTC) - timedelta(days=400)
    with (
        MailCatcher(tmp_path / "outbox") as catcher,
        weekly_feed(SystemClock(), began) as feed,
    ):
        write_config(house, feed=feed, port=catcher.port)
        import_readers(house, 3)
        must(house, "issue", "draft")
        must(house, "issue", "approve")
        send(house)
        shutil.copytree(house, copy)
        with running(copy, "worker") as worker:
            assert wait_for(lambda: said(copy, "sending_waits") == 1, 60)
            answer = newsletter(copy, "issue", "send")
            assert answer.status == 1
            assert "all sending is held" in answer.err
            assert "newsletter adopt" in answer.err
            assert must(copy, "issue", "show", "--json").json["state"] == "approved"
            # The editors' mail about the draft.
            assert "would go out once a worker runs: 1 message of system mail" in (
                newsletter(copy, "adopt").out
            )
            assert count_messages(tmp_path / "outbox") == 0

            must(copy, "adopt", "--this-is-the-true-one")
            must(copy, "issue", "send")
            assert wait_for(lambda: count_messages(tmp_path / "outbox") == 4, 60)
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(30) == 0
        assert said(copy, "sending_waits") == 1
    assert "Traceback" not in (copy / "log").read_text()
