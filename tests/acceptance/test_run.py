"""`newsletter run`: three roles kept alive, ended in good order, and a week done unattended."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from newsletter.clock import SystemClock
from newsletter.demo.catcher import MailCatcher
from newsletter.demo.outbox_store import count_messages, list_messages
from tests.acceptance.command_line import ENVIRONMENT, command, import_readers, must, write_config
from tests.acceptance.test_bad_input import free_port
from tests.acceptance.weekly_feed import weekly_feed


def wait_for(happened: Callable[[], object], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if happened():
            return True
        time.sleep(0.05)
    return False


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2]
    except FileNotFoundError:
        return False
    return state.split()[0] != "Z"


def children(process: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@contextmanager
def service(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A running service; whatever is left of it is ended at the end."""
    with (folder / "run.log").open("wb") as log:
        process = subprocess.Popen(command("run"), cwd=folder, env=ENVIRONMENT, stderr=log)
    with process:
        try:
            assert wait_for(lambda: answers(port), 60), (folder / "run.log").read_text()
            yield process
        finally:
            process.terminate()


@pytest.fixture
def feed() -> Iterator[str]:
    with weekly_feed(SystemClock(), datetime.now(UTC) - timedelta(days=400)) as url:
        yield url


def add_web(config: Path) -> int:
    port = free_port()
    web = f'[web]\nbase_url = "http://127.0.0.1:{port}"\nport = {port}\n'
    # The stories' pictures lie at a host that nobody answers for: not what is tested here.
    web += '[pictures]\nserved_by = "site"\n'
    config.write_text(config.read_text(encoding="utf-8") + web, encoding="utf-8")
    return port


def test_roles_are_started_again_and_end_with_their_supervisor(tmp_path: Path, feed: str) -> None:
    port = add_web(write_config(tmp_path, feed=feed, port=free_port()))
    with service(tmp_path, port) as process:
        # The pages answer before the other roles have been loaded.
        assert wait_for(lambda: len(children(process.pid)) == 3, 30)
        first = children(process.pid)
        for role in first:
            os.kill(role, signal.SIGKILL)
        assert wait_for(
            lambda: len(now := children(process.pid)) == 3 and not set(now) & set(first), 30
        )
        assert wait_for(lambda: answers(port), 30)
        second = children(process.pid)
        process.kill()
        process.wait()
        assert wait_for(lambda: not any(map(is_alive, second)), 30)


def test_ends_in_good_order(tmp_path: Path, feed: str) -> None:
    port = add_web(write_config(tmp_path, feed=feed, port=free_port()))
    with service(tmp_path, port) as process:
        roles = children(process.pid)
        process.terminate()
        # Sooner than a role that does not hear of it is killed.
        assert process.wait(15) == 0
    assert not any(map(is_alive, roles))
    assert "Traceback" not in (tmp_path / "run.log").read_text(encoding="utf-8")


@pytest.mark.long
def test_an_issue_goes_out_unattended(tmp_path: Path, feed: str) -> None:
    with MailCatcher(tmp_path / "outbox") as catcher:
        config = write_config(tmp_path, feed=feed, port=catcher.port)
        port = add_web(config)
        local = datetime.now(ZoneInfo("America/New_York")) + timedelta(minutes=2)
        text = config.read_text(encoding="utf-8")
        text = text.replace('"Thu 12:00"', f'"{local - timedelta(days=1):%a %H:%M}"')
        text = text.replace('"Fri 07:00"', f'"{local:%a %H:%M}"\napproval = "auto"')
        config.write_text(text, encoding="utf-8")
        import_readers(tmp_path, 5)
        with service(tmp_path, port):
            assert wait_for(lambda: count_messages(tmp_path / "outbox") == 5, 240)
            assert wait_for(
                lambda: must(tmp_path, "issue", "show", "--json").json["state"] == "sent", 60
            )
        assert len({mail.to for mail in list_messages(tmp_path / "outbox")}) == 5
