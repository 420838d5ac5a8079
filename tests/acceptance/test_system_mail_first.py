"""Somebody signs up in the middle of a big issue: the confirmation goes first."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from newsletter.clock import SystemClock
from newsletter.config import load_config
from newsletter.workflows.installation import Installation
from newsletter.workflows.opening import open_installation
from newsletter.workflows.sign_up import SignUp, request_subscription
from tests.acceptance.command_line import ENVIRONMENT, command
from tests.acceptance.ready_house import make_house, reader_addresses
from tests.delivery.smtp_servers import Faults, scripted_server, smtp_server
from tests.postgres import fresh_database, running_postgres

READERS = 20_000
SIGN_UPS = 5
# The relay answers a message after this, over three connections for the issue: 150/s at most.
REPLY_SECONDS = 0.02
FIVE_SECONDS_OF_ISSUE = 5 * 150


class Silent(Faults):
    """Takes some messages, and then answers no recipient any more."""

    def __init__(self, after: int) -> None:
        super().__init__(delay=REPLY_SECONDS)
        self.after = after
        self.released = threading.Event()

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if len(self.messages) >= self.after:
            self.fired["silence"] += 1
            await server.loop.run_in_executor(None, self.released.wait, 120)
        return await super().handle_RCPT(server, session, envelope, address, options)


@contextmanager
def workers(folder: Path, count: int) -> Iterator[None]:
    """So many workers, killed at the end: one may wait for a relay that never answers."""
    with ExitStack() as stack, (folder / "log").open("ab") as log:
        for _ in range(count):
            process = stack.enter_context(
                subprocess.Popen(command("worker"), cwd=folder, env=ENVIRONMENT, stderr=log)
            )
            stack.callback(process.kill)
        yield


def relay_table(port: int) -> str:
    """Another relay, which by its weight comes before the first."""
    return (
        f'[[relay]]\nslug = "other"\nhost = "127.0.0.1"\nport = {port}\n'
        'tls = "none"\nconnections = 4\nweight = 3\n'
    )


def sign_up(installation: Installation, address: str) -> None:
    request_subscription(
        installation.database,
        installation.keyring,
        installation.settings(),
        installation.templates,
        SignUp("weekly", address, wording="Send me the paper.", placement="footer"),
        base_url=installation.base_url,
        now=installation.clock.now(),
    )


def overtaking(folder: Path, relays: Sequence[Faults]) -> list[tuple[int, float]]:
    """Sign readers up one after the other; for each how many messages of the issue went between
    the wish and its confirmation, and the seconds."""

    def arrived() -> list[str]:
        return [recipient for relay in relays for _, recipient, _ in list(relay.messages)]

    measured = []
    with open_installation(load_config(folder / "config.toml", {}), SystemClock()) as installation:
        for number in range(SIGN_UPS):
            address = f"newcomer{number}@signup.example"
            wait_for(lambda: len(arrived()) >= 300 * (number + 1), 120)  # noqa: B023
            sign_up(installation, address)
            before, began = len(arrived()), time.monotonic()
            wait_for(lambda: address in arrived(), 60)  # noqa: B023
            measured.append((len(arrived()) - before - 1, time.monotonic() - began))
    assert len(arrived()) < READERS, "the issue was all but sent before"
    return measured


def wait_for(happened: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.01)


@pytest.mark.long
@pytest.mark.parametrize("other", ["none", "hangs", "silent", "four workers"])
def test_a_confirmation_passes_a_big_issue(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], other: str
) -> None:
    relay = Faults(delay=REPLY_SECONDS)
    relays: list[Faults] = [relay]
    settings = ""
    with ExitStack() as stack:
        port = stack.enter_context(smtp_server(relay))
        if other == "hangs":
            # It takes the connection, and never says a word.
            settings = relay_table(stack.enter_context(scripted_server(b"", then_close=False)))
        elif other == "silent":
            silent = Silent(after=100)
            relays.append(silent)
            settings = relay_table(stack.enter_context(smtp_server(silent)))
            stack.callback(silent.released.set)
        elif other == "four workers":
            # All on one relay of four connections: each has one, and one is kept.
            server = stack.enter_context(running_postgres())
            settings = f'[database]\nurl = "{fresh_database(server)}"\n'
        count = 4 if other == "four workers" else 1
        make_house(
            tmp_path,
            port,
            reader_addresses(READERS),
            settings=settings,
            changes=[("connections = 3", "connections = 4")],
            sending=True,
        )
        stack.enter_context(workers(tmp_path, count))
        measured = overtaking(tmp_path, relays)
    if other == "silent":
        assert silent.fired["silence"] > 0
    with capsys.disabled():
        told = ", ".join(f"{seconds:.1f} s ({between})" for between, seconds in measured)
        print(f"\nconfirmations in the middle of {READERS:,} ({other}): {told}")
    assert all(between <= FIVE_SECONDS_OF_ISSUE for between, _ in measured)
