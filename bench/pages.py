"""Sign-ups and one-click goodbyes a second, alone and beside a send of 200 messages a second.

The pages are the real `newsletter web` on SQLite, the send the real `newsletter worker` to the
bench's SMTP server; the load comes from a process of its own. A sign-up comes as a person's
does: with a stamp that we made, a solved puzzle, from one of many networks, through a trusted
proxy. The limits of floods are off, for it is a good day and no attack; all is counted, also
what the pages take that have only just begun.
"""

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.children import ChildFailed, RunningSink, run_once, running_sink
from bench.names import answering_dns
from bench.paper import CONFIG
from bench.programs import Program, running

SIGN_UPS_A_SECOND = 200
GOODBYES_A_SECOND = 400
SENT_A_SECOND = 200
WORST_P99_MS = 200
_KB = 40
_TABLES = """
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
[web]
base_url = "https://news.paper.example"
port = {port}
trusted_proxies = ["127.0.0.1"]
[sign_up]
network_hourly = 0
domain_hourly = 0
hourly = 0
attack_after = 0
[log]
level = "info"
[database]
url = "sqlite:///data/newsletter.sqlite"
[[relay]]
slug = "sink"
host = "127.0.0.1"
port = {relay_port}
tls = "none"
rate = {rate}
"""
_LISTENS_WITHIN = 30.0
_UNDER_WAY_WITHIN = 60.0


@dataclass(frozen=True)
class PagesOptions:
    """``seconds``: how long each load lasts; ``readers`` are on the list before it."""

    seconds: float = 10.0
    sign_ups: float = SIGN_UPS_A_SECOND
    goodbyes: float = GOODBYES_A_SECOND
    sent: float = SENT_A_SECOND
    readers: int = 100_000
    folder: str | None = None


@dataclass(frozen=True)
class _Load:
    """What is asked for, ``rate`` times a second; ``mails`` is what each brings to send."""

    act: str
    rate: float
    mails: int


def measure(options: PagesOptions | None = None) -> dict[str, Any]:
    """Figures of both loads, each alone and beside the send."""
    options = options or PagesOptions()
    figures: dict[str, Any] = {"seconds": options.seconds, "readers": options.readers}
    for name, load in (
        ("sign_up", _Load("sign-ups", options.sign_ups, 1)),
        ("one_click", _Load("goodbyes", options.goodbyes, 0)),
    ):
        for beside in (False, True):
            key = f"{name}_beside_a_send" if beside else name
            figures[key] = _run(options, load, beside=beside)
    figures["meant"] = {
        "sign_up": f"{SIGN_UPS_A_SECOND} a second, p99 below {WORST_P99_MS} ms",
        "one_click": f"{GOODBYES_A_SECOND} a second, p99 below {WORST_P99_MS} ms",
    }
    figures["shortfalls"] = [
        f"{key}: {wrong}"
        for key, run in figures.items()
        if isinstance(run, dict) and "shortfalls" in run
        for wrong in run.pop("shortfalls")
    ]
    return figures


def _run(options: PagesOptions, load: _Load, *, beside: bool) -> dict[str, Any]:
    with ExitStack() as stack:
        sink = stack.enter_context(running_sink())
        # Confirmations go first: the send has its pace on top of theirs.
        rate = options.sent + load.mails * load.rate
        config, port = stack.enter_context(_installation(options, sink.port, rate))
        file = config.with_name("requests.json")
        count = str(round(load.rate * options.seconds))
        run_once("bench.pages_child", load.act, str(config), str(file), "--count", count)
        if beside:
            run_once("bench.delivery_child", "enqueue", str(config))
        web = stack.enter_context(running("web", config))
        _wait_for(web, port)
        worker = stack.enter_context(running("worker", config)) if beside else None
        if worker is not None:
            _wait_for_the_send(worker, sink)
        sink.reset()
        before = _cpu(web, worker)
        began = time.monotonic()
        answered = run_once("bench.page_load", str(port), str(file), str(load.rate))
        lasted = time.monotonic() - began
        after = _cpu(web, worker)
        sent = sink.figures()["messages"] / lasted
        rss = web.rss_mb()
        tally = run_once("bench.pages_child", "tally", str(config))
    requests = answered["requests"]
    done = tally["pending"] if load.act == "sign-ups" else tally["unsubscribed"]
    figures: dict[str, Any] = {
        "requests": requests,
        "per_second": round(answered["statuses"].get("200", 0) / answered["seconds"], 1),
        "median_ms": round(answered["median_ms"], 1),
        "p99_ms": round(answered["p99_ms"], 1),
        "worst_ms": round(answered["worst_ms"], 1),
        "web_cpu_ms_a_request": round((after[0] - before[0]) * 1_000 / requests, 2),
        "web_rss_mb": round(rss),
        "load_cpu_seconds": round(answered["cpu_seconds"], 2),
    }
    if beside:
        figures["messages_per_second"] = round(sent)
        figures["worker_cpu_seconds"] = round(after[1] - before[1], 2)
    figures["shortfalls"] = _shortfalls(options, load, figures, answered, done, tally)
    return figures


def _shortfalls(
    options: PagesOptions,
    load: _Load,
    figures: dict[str, Any],
    answered: dict[str, Any],
    done: int,
    tally: dict[str, Any],
) -> list[str]:
    requests, wrong = answered["requests"], []
    if answered["statuses"] != {"200": requests}:
        wrong.append(f"of {requests:,} requests the answers were {answered['statuses']}")
    if done != requests:
        wrong.append(f"{done:,} of {requests:,} are in the database")
    if tally["confirmations"] != requests * load.mails:
        wrong.append(f"{tally['confirmations']:,} confirmations were queued")
    if (options.sign_ups, options.goodbyes) == (SIGN_UPS_A_SECOND, GOODBYES_A_SECOND):
        # The last answer comes a tenth of a second after its request, by design.
        if figures["per_second"] < load.rate * options.seconds / (options.seconds + 0.5):
            wrong.append(f"{figures['per_second']} of {load.rate:.0f} a second were answered")
        if figures["p99_ms"] >= WORST_P99_MS:
            wrong.append(f"one in a hundred took longer than {figures['p99_ms']} ms")
        if figures.get("messages_per_second", options.sent) < options.sent * 0.95:
            wrong.append(f"{figures['messages_per_second']} messages a second were sent beside it")
    return wrong


@contextmanager
def _installation(
    options: PagesOptions, relay_port: int, rate: float
) -> Iterator[tuple[Path, int]]:
    """A config with its readers and an approved issue, and the port of its pages."""
    with (
        TemporaryDirectory(prefix="newsletter-bench-", dir=options.folder) as name,
        answering_dns(mail=True) as dns_port,
    ):
        port = _free_port()
        tables = _TABLES.format(
            dns_port=dns_port, port=port, relay_port=relay_port, rate=round(rate)
        )
        config = Path(name) / "config.toml"
        paper = CONFIG.replace('approval = "auto"', 'approval = "required"')
        config.write_text(paper + tables, encoding="utf-8")
        sizes = ["--readers", str(options.readers), "--octets", str(_KB * 1024)]
        run_once("bench.delivery_child", "prepare", str(config), *sizes)
        yield config, port


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _wait_for(web: Program, port: int) -> None:
    """Wait until the pages answer, and ask for what is made on first use."""
    ends = time.monotonic() + _LISTENS_WITHIN
    for path in ("/healthz", "/subscribe/weekly"):
        while True:
            web.cpu_seconds()  # ChildFailed where it is gone
            if _answers(port, path):
                break
            if time.monotonic() > ends:
                raise ChildFailed(f"newsletter web does not answer {path}")
            time.sleep(0.1)


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def _wait_for_the_send(worker: Program, sink: RunningSink) -> None:
    ends = time.monotonic() + _UNDER_WAY_WITHIN
    while sink.figures()["messages"] < 1:
        worker.cpu_seconds()
        if time.monotonic() > ends:
            raise ChildFailed("newsletter worker sends nothing")
        time.sleep(0.1)


def _cpu(web: Program, worker: Program | None) -> tuple[float, float]:
    return web.cpu_seconds(), worker.cpu_seconds() if worker is not None else 0.0
