"""One send of the delivery bench: a fresh installation, filled, queued and delivered."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from bench.children import Child, ChildFailed, RunningSink, run_once
from bench.delivery_child import LETTER, SELECTOR
from bench.names import answering_dns
from bench.paper import CONFIG

CHILD = "bench.delivery_child"
_LOOK_SECONDS = 5.0
_STALLED_SECONDS = 120.0

_TABLES = """\
[checks]
link_seconds = 0
spam = false
[bounces]
return_path = "bounces@paper.example"
[delivery]
resend_after = "0 minutes"
[dns]
nameservers = ["127.0.0.1"]
port = {dns_port}
[dkim]
selectors = {selectors}
[web]
base_url = "https://news.paper.example"
[log]
level = "error"
[database]
url = "{url}"
durability = "{durability}"
[[relay]]
slug = "sink"
host = "127.0.0.1"
port = {port}
tls = "none"
connections = {connections}
"""


@dataclass(frozen=True)
class Setup:
    """What a send is made of.

    ``connections`` are each worker's. ``server`` is the address of a PostgreSQL
    database beside which databases may be made, None for SQLite. ``folder`` is
    where the temporary folders go, None for the machine's own place. ``variants`` are
    into how many the issue is rendered for its readers.
    """

    readers: int
    octets: int
    connections: int
    workers: int = 1
    dkim: bool = False
    server: str | None = None
    durability: str = "process"
    folder: str | None = None
    variants: int = 1


@dataclass(frozen=True)
class EngineRun:
    """What one send cost. ``accepted`` is the ledger's figure, ``taken`` the sink's."""

    readers: int
    accepted: int
    taken: int
    octets_a_message: float
    seconds: float
    cpu_seconds: float
    rss_mb_peak: float
    enqueue_seconds: float
    enqueue_rss_mb_peak: float
    variants: int
    sink_cpu_seconds: float
    ledger: dict[str, int]

    @property
    def messages_per_second(self) -> float:
        return self.accepted / self.seconds

    @property
    def cpu_us_per_message(self) -> float:
        return self.cpu_seconds * 1e6 / max(1, self.accepted)

    @property
    def shortfall(self) -> str | None:
        """A sentence where not every reader got exactly one message."""
        if self.accepted == self.readers == self.taken:
            return None
        return (
            f"of {self.readers} readers the ledger has {self.accepted} as accepted and the sink "
            f"took {self.taken} messages: {self.ledger}"
        )


def run_engine(setup: Setup, sink: RunningSink) -> EngineRun:
    """Make an installation, queue an issue for its readers, and let the workers send it."""
    with prepared_installation(setup, sink.port) as config, ExitStack() as stack:
        queued = run_once(CHILD, "enqueue", str(config))
        senders = [
            stack.enter_context(Child(CHILD, "send", str(config))) for _ in range(setup.workers)
        ]
        for sender in senders:
            sender.answer()
        sink.reset()
        for sender in senders:
            sender.tell("go")
        answers = [_await(sender, sink, setup.readers) for sender in senders]
        taken = sink.figures()
        return _sum_up(setup, queued, answers, taken)


def _await(sender: Child, sink: RunningSink, readers: int) -> dict[str, Any]:
    """The sender's answer; ChildFailed where nothing moves any more."""
    taken, since = -1, time.monotonic()
    while not sender.answers_within(_LOOK_SECONDS):
        now_taken = int(sink.figures()["messages"])
        if now_taken != taken:
            taken, since = now_taken, time.monotonic()
        elif time.monotonic() - since > _STALLED_SECONDS:
            raise ChildFailed(
                f"nothing was sent for {_STALLED_SECONDS:.0f} s, after {taken} messages to "
                f"{readers} readers"
            )
    return sender.answer()


def _sum_up(
    setup: Setup, queued: dict[str, Any], answers: list[dict[str, Any]], taken: dict[str, Any]
) -> EngineRun:
    last = max(answers, key=lambda answer: float(answer["ended"]))
    return EngineRun(
        readers=setup.readers,
        accepted=int(last["ledger"]["accepted"]),
        taken=int(taken["messages"]),
        octets_a_message=taken["octets"] / max(1, taken["messages"]),
        seconds=max(answer["began"] + answer["seconds"] for answer in answers)
        - min(answer["began"] for answer in answers),
        cpu_seconds=sum(answer["cpu_seconds"] for answer in answers),
        rss_mb_peak=max(answer["rss_mb_peak"] for answer in answers),
        enqueue_seconds=queued["seconds"],
        enqueue_rss_mb_peak=queued["rss_mb_peak"],
        variants=queued["variants"],
        sink_cpu_seconds=taken["cpu_seconds"],
        ledger={state: count for state, count in last["ledger"].items() if count},
    )


@contextmanager
def prepared_installation(setup: Setup, port: int) -> Iterator[Path]:
    """The config of an installation with readers and an approved issue, gone afterwards."""
    with TemporaryDirectory(prefix="newsletter-bench-", dir=setup.folder) as name, ExitStack() as s:
        folder = Path(name)
        url = "sqlite:///data/newsletter.sqlite"
        if setup.server is not None:
            url = s.enter_context(own_database(setup.server))
        config = folder / "config.toml"
        tables = _TABLES.format(
            url=url,
            durability=setup.durability,
            port=port,
            connections=setup.connections * setup.workers,
            selectors=[SELECTOR] if setup.dkim else [],
            dns_port=s.enter_context(answering_dns()),
        )
        paper = CONFIG.replace(
            'approval = "auto"', 'approval = "required"' + _variants(setup.variants)
        )
        config.write_text(paper + tables, encoding="utf-8")
        sizes = ["--readers", str(setup.readers), "--octets", str(setup.octets)]
        sizes += ["--variants", str(setup.variants)]
        run_once(CHILD, "prepare", str(config), *sizes)
        yield config


def _variants(count: int) -> str:
    languages = ["en", "hy"] if count > 1 else []
    return f"\nlanguages = {languages}\nmax_variants = {count}"


@contextmanager
def letter_of(setup: Setup, port: int) -> Iterator[Path]:
    """The letter that the other senders send, of an installation without readers."""
    with prepared_installation(replace(setup, readers=1, server=None), port) as config:
        yield config.with_name(LETTER)


@contextmanager
def own_database(server: str) -> Iterator[str]:
    """A new database on the server of that address, dropped afterwards."""
    name = f"newsletter_bench_{token_hex(6)}"
    address = make_url(server).set(drivername="postgresql")
    admin = address.render_as_string(hide_password=False)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield address.set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )
