"""Postfix's own load generator, smtp-source, as the measure of what a sender in C costs."""

import shutil

from bench.children import RunningSink, Usage, run_program

# Debian keeps it where a user's PATH does not reach.
_PLACES = "/usr/sbin:/usr/libexec/postfix:/usr/lib/postfix/sbin"


def find_smtp_source() -> str | None:
    """The program, or None where Postfix is not installed."""
    return shutil.which("smtp-source") or shutil.which("smtp-source", path=_PLACES)


def payload_for(program: str, sink: RunningSink, octets: int) -> int:
    """Which ``-l`` makes a message of ``octets`` on the wire: it does not count its headers."""
    payload = octets
    for _ in range(4):
        sink.reset()
        send_messages(program, sink, messages=1, sessions=1, payload=payload)
        payload -= int(sink.figures()["octets"]) - octets
    return payload


def send_messages(
    program: str, sink: RunningSink, *, messages: int, sessions: int, payload: int
) -> Usage:
    """Send over ``sessions`` connections that stay open (``-d``)."""
    options = ["-d", "-s", str(sessions), "-m", str(messages), "-l", str(payload)]
    addresses = ["-f", "newsletter@paper.example", "-t", "reader@reader.example"]
    return run_program([program, *options, *addresses, f"127.0.0.1:{sink.port}"])
