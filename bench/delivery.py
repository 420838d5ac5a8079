"""Sending an issue, beside a smtplib loop and Postfix's smtp-source against the same sink.

The main figures are processor time a message (user and system, of the sender
alone); messages per second depend on what else the machine does.
"""

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from tempfile import gettempdir
from typing import Any

from bench.children import RunningSink, run_once, running_sink
from bench.engine_run import EngineRun, Setup, letter_of, run_engine
from bench.resume import measure_resume
from bench.signing import rsa_microseconds
from bench.smtp_source import find_smtp_source, payload_for, send_messages

Figures = dict[str, Any]

# What the baselines send in each of their rounds, where there are as many readers: enough
# for a steady figure.
SMTPLIB_MESSAGES = 600
PREBUILT_MESSAGES = 2_000
SMTP_SOURCE_MESSAGES = 10_000
# Up to here the engine's send is repeated as often, and the median taken.
REPEATED_UP_TO = 20_000
# From here on a send of 10,000 comes first, to tell how memory grows.
COMPARED_FROM = 100_000
FEW_READERS = 10_000

# What the start of a send costs weighs more than its messages below this.
_WEIGHED_FROM = 5_000


@dataclass(frozen=True)
class _Bound:
    """What a figure is meant to be: at most ``most``, or at least ``least``."""

    words: str
    most: float | None = None
    least: float | None = None

    def holds(self, figure: float) -> bool:
        return (self.most is None or figure <= self.most) and (
            self.least is None or figure >= self.least
        )


MEANT = {
    "cpu_ratio_to_smtp_source": _Bound("at most 2", most=2),
    "speedup_over_smtplib": _Bound("at least 30", least=30),
    "dkim_overhead_ratio": _Bound("at most 1.3", most=1.3),
    "signed_cores_used": _Bound("at least 1.5 of two", least=1.5),
    "enqueue_seconds": _Bound("below 20 for 1,000,000 readers", most=20),
    "rss_mb_peak": _Bound("below 200", most=200),
    "rss_mb_growth": _Bound("at most 30 from 10,000 to 1,000,000 readers", most=30),
    "resume_seconds": _Bound("below 2", most=2),
    "speedup_of_workers": _Bound("at least 1.5 with two", least=1.5),
}


@dataclass(frozen=True)
class DeliveryOptions:
    """What the command line asks for; ``reply_ms`` is for the comparison of workers."""

    readers: int = FEW_READERS
    kb: float = 40.0
    sessions: int = 8
    dkim: bool = False
    database: str | None = None
    workers: int = 1
    reply_ms: float = 20.0
    durability: str = "process"
    kill: bool = False
    engine_only: bool = False
    rounds: int = 3
    variants: int = 1
    folder: str | None = None

    @property
    def setup(self) -> Setup:
        return Setup(
            readers=self.readers,
            octets=round(self.kb * 1024),
            connections=self.sessions,
            server=self.database,
            folder=self.folder,
            variants=self.variants,
        )


@dataclass
class _Rounds:
    """What the rounds gave, in their order; ``small`` is the send that memory is compared with."""

    plain: list[EngineRun] = field(default_factory=list)
    signed: list[EngineRun] = field(default_factory=list)
    openssl_us: list[float] = field(default_factory=list)
    others: list[Figures] = field(default_factory=list)
    small: EngineRun | None = None


def measure(options: DeliveryOptions | None = None) -> Figures:
    """All figures; under ``shortfalls`` a sentence for each send that did not reach everybody,
    and for each figure that is not what it is meant to be, where readers are enough to tell."""
    options = options or DeliveryOptions()
    with running_sink() as sink:
        rounds = _measure_rounds(options, sink)
        runs = [*rounds.plain, *rounds.signed, *([rounds.small] if rounds.small else [])]
        figures = _main_figures(rounds)
        figures["database"] = _name_database(options)
        if rounds.small is not None:
            figures["rss_mb_peak_at_10000"] = round(rounds.small.rss_mb_peak, 1)
            growth = figures["rss_mb_peak"] - rounds.small.rss_mb_peak
            figures["rss_mb_growth"] = round(growth, 1)
        if options.durability == "full":
            runs.append(_measure_full(options.setup, sink, figures))
    if rounds.signed:
        figures |= _signed_figures(rounds)
    if options.workers > 1:
        runs += _measure_workers(options, figures)
    shortfalls = [run.shortfall for run in runs if run.shortfall]
    if options.kill:
        _tell("a worker killed in mid-send, and the next one")
        resumed, shortfall = measure_resume(options.setup)
        figures |= resumed
        shortfalls += [shortfall] if shortfall else []
    meant = {key: bound for key, bound in MEANT.items() if key in figures}
    figures["meant"] = {key: bound.words for key, bound in meant.items()}
    if options.readers >= _WEIGHED_FROM:
        shortfalls += [
            f"{key} is {figures[key]}, and meant to be {bound.words}"
            for key, bound in meant.items()
            if not bound.holds(figures[key])
        ]
    figures["shortfalls"] = shortfalls
    return figures


def _measure_rounds(options: DeliveryOptions, sink: RunningSink) -> _Rounds:
    """All senders in turn, so that what else the machine does meets each alike."""
    setup, rounds = options.setup, _Rounds()
    with letter_of(setup, sink.port) as letter:
        octets = _warm_up(sink, letter)
        source = find_smtp_source()
        payload = payload_for(source, sink, octets) if source else 0
        if options.readers >= COMPARED_FROM:
            _tell(f"our engine, {FEW_READERS} readers")
            rounds.small = run_engine(replace(setup, readers=FEW_READERS), sink)
        for number in range(options.rounds):
            if number == 0 or options.readers <= REPEATED_UP_TO:
                _tell(f"our engine, {setup.readers} readers")
                rounds.plain.append(run_engine(setup, sink))
                if options.dkim:
                    _tell("OpenSSL's signature alone, then our engine, signing")
                    rounds.openssl_us.append(rsa_microseconds(threads=1))
                    rounds.signed.append(run_engine(replace(setup, dkim=True), sink))
            if not options.engine_only:
                rounds.others.append(_measure_others(options, sink, letter, source, payload))
    return rounds


def _name_database(options: DeliveryOptions) -> str:
    if options.database is not None:
        return "PostgreSQL"
    return f'SQLite below {options.folder or gettempdir()}, durability "process"'


def _tell(what: str) -> None:
    print(f"  {what}", file=sys.stderr, flush=True)


def _warm_up(sink: RunningSink, letter: Path) -> int:
    """The octets of our message on the wire, seen by a sink that has worked already."""
    _tell("warming up")
    sink.reset()
    run_once("bench.smtplib_loop", str(sink.port), "200", "2", str(letter))
    taken = sink.figures()
    return int(taken["octets"] / taken["messages"])


def _measure_others(
    options: DeliveryOptions, sink: RunningSink, letter: Path, source: str | None, payload: int
) -> Figures:
    figures: Figures = {}
    if source:
        messages = min(SMTP_SOURCE_MESSAGES, options.readers)
        _tell(f"smtp-source, {messages} messages")
        sink.reset()
        usage = send_messages(
            source,
            sink,
            messages=messages,
            sessions=options.sessions,
            payload=payload,
        )
        figures |= _of_baseline("smtp_source", usage.seconds, usage.cpu_seconds, sink)
    for name, most, build in (
        ("smtplib", SMTPLIB_MESSAGES, ["--build"]),
        ("smtplib_prebuilt", PREBUILT_MESSAGES, []),
    ):
        count = min(most, options.readers)
        _tell(f"{name.replace('_', ', ')}, {count} messages")
        sink.reset()
        sizes = [str(sink.port), str(count), str(options.sessions)]
        used = run_once("bench.smtplib_loop", *sizes, str(letter), *build)
        figures |= _of_baseline(name, used["seconds"], used["cpu_seconds"], sink)
    return figures


def _of_baseline(name: str, seconds: float, cpu_seconds: float, sink: RunningSink) -> Figures:
    taken = sink.figures()
    messages = int(taken["messages"])
    return {
        f"{name}_messages_per_second": messages / seconds,
        f"{name}_cpu_us_per_message": cpu_seconds * 1e6 / messages,
        f"{name}_octets_per_message": taken["octets"] / messages,
        f"{name}_messages": messages,
    }


def _main_figures(rounds: _Rounds) -> Figures:
    """The medians of the rounds."""
    runs, others = rounds.plain, rounds.others
    cpu = median(run.cpu_us_per_message for run in runs)
    figures: Figures = {
        "readers": runs[0].readers,
        "variants": runs[0].variants,
        "accepted": min(run.accepted for run in runs),
        "messages_per_second": round(median(run.messages_per_second for run in runs)),
        "cpu_us_per_message": round(cpu, 1),
        "rss_mb_peak": round(max(run.rss_mb_peak for run in runs), 1),
        "enqueue_seconds": round(median(run.enqueue_seconds for run in runs), 2),
    }
    if others:
        middle = {key: median(other[key] for other in others) for key in others[0]}
        figures |= {
            key: int(value) if key.endswith("_messages") else round(value, 1)
            for key, value in middle.items()
        }
        if "smtp_source_cpu_us_per_message" in middle:
            ratio = cpu / middle["smtp_source_cpu_us_per_message"]
            figures["cpu_ratio_to_smtp_source"] = round(ratio, 2)
        figures["speedup_over_smtplib"] = round(middle["smtplib_cpu_us_per_message"] / cpu, 1)
        figures["speedup_over_smtplib_prebuilt"] = round(
            middle["smtplib_prebuilt_cpu_us_per_message"] / cpu, 1
        )
    return figures | {
        "octets_per_message": round(runs[0].octets_a_message, 1),
        "enqueue_rss_mb_peak": round(max(run.enqueue_rss_mb_peak for run in runs), 1),
        "sink_cpu_us_per_message": round(
            median(run.sink_cpu_seconds * 1e6 / max(1, run.taken) for run in runs), 1
        ),
        "sends": len(runs),
    }


def _measure_full(setup: Setup, sink: RunningSink, figures: Figures) -> EngineRun:
    _tell('our engine, durability "full"')
    run = run_engine(replace(setup, durability="full"), sink)
    figures["durability_full_cpu_us_per_message"] = round(run.cpu_us_per_message, 1)
    figures["durability_full_messages_per_second"] = round(run.messages_per_second)
    return run


def _signed_figures(rounds: _Rounds) -> Figures:
    """What a signed message costs beside OpenSSL's signature and the unsigned message."""
    triples = zip(rounds.signed, rounds.plain, rounds.openssl_us, strict=True)
    ratios = [
        signed.cpu_us_per_message / (plain.cpu_us_per_message + openssl)
        for signed, plain, openssl in triples
    ]
    return {
        "openssl_rsa_us": round(median(rounds.openssl_us), 1),
        # Two virtual cores of one real core get in each other's way.
        "openssl_rsa_us_two_threads": round(rsa_microseconds(threads=2), 1),
        "signed_cpu_us_per_message": round(
            median(run.cpu_us_per_message for run in rounds.signed), 1
        ),
        "signed_messages_per_second": round(
            median(run.messages_per_second for run in rounds.signed)
        ),
        "signed_cores_used": round(median(r.cpu_seconds / r.seconds for r in rounds.signed), 2),
        "dkim_overhead_ratio": round(median(ratios), 2),
    }


def _measure_workers(options: DeliveryOptions, figures: Figures) -> list[EngineRun]:
    """One worker, then several, at a relay that takes its time; each with its own connections.

    And one worker with the connections of them all: how much of it more workers give, and how
    much more connections.
    """
    setup = options.setup
    with running_sink(reply_ms=options.reply_ms) as sink:
        _tell(f"one worker, every answer after {options.reply_ms:g} ms")
        one = run_engine(setup, sink)
        _tell(f"{options.workers} workers")
        many = run_engine(replace(setup, workers=options.workers), sink)
        _tell("one worker with all their connections")
        alone = run_engine(replace(setup, connections=setup.connections * options.workers), sink)
    figures["workers"] = options.workers
    figures["connections_per_worker"] = options.sessions
    figures["reply_ms"] = options.reply_ms
    figures["one_worker_messages_per_second"] = round(one.messages_per_second)
    figures["one_worker_all_connections_messages_per_second"] = round(alone.messages_per_second)
    figures["workers_messages_per_second"] = round(many.messages_per_second)
    figures["workers_cpu_us_per_message"] = round(many.cpu_us_per_message, 1)
    figures["speedup_of_workers"] = round(many.messages_per_second / one.messages_per_second, 2)
    return [one, many, alone]
