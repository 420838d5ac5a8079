"""The bench's SMTP server must count right, or every figure beside it is wrong."""

import smtplib
import socket
import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.children import RunningSink, running_sink

ENVELOPE = b"MAIL FROM:<newsletter@paper.example>\r\nRCPT TO:<lilit@reader.example>\r\nDATA\r\n"
CONTENT = b"Subject: one\r\n\r\nA line.\r\n..a dot doubled\r\n.\r\n"


@pytest.fixture(scope="module")
def sink() -> Any:
    with running_sink(by_recipient=True) as running:
        yield running


def read_replies(connection: socket.socket, count: int) -> list[int]:
    """The codes of the next ``count`` replies."""
    heard = b""
    while sum(line[3:4] == b" " for line in heard.splitlines()) < count:
        portion = connection.recv(4096)
        assert portion, "the sink hung up"
        heard += portion
    return [int(line[:3]) for line in heard.splitlines() if line[3:4] == b" "]


def send_cut(connection: socket.socket, octets: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted({min(cut, len(octets)) for cut in cuts}), len(octets)]
    for begin, end in pairwise(edges):
        connection.sendall(octets[begin:end])
        time.sleep(0.001)


@settings(max_examples=20)
@given(st.lists(st.integers(1, 200), max_size=6))
def test_messages_and_octets_are_counted_wherever_the_wire_is_cut(
    sink: RunningSink, cuts: list[int]
) -> None:
    sink.reset()
    with socket.create_connection(("127.0.0.1", sink.port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        assert read_replies(connection, 1) == [220]
        connection.sendall(b"EHLO bench.example\r\n" + ENVELOPE)
        assert read_replies(connection, 4) == [250, 250, 250, 354]
        # The next message's commands right behind the dot (RFC 2920).
        send_cut(connection, CONTENT + ENVELOPE, cuts)
        assert read_replies(connection, 4) == [250, 250, 250, 354]
        send_cut(connection, CONTENT + b"QUIT\r\n", cuts)
        assert read_replies(connection, 2) == [250, 221]
        assert connection.recv(100) == b""
    figures = sink.figures()
    assert (figures["messages"], figures["recipients"]) == (2, 1)
    assert figures["octets"] == 2 * len(CONTENT)


def test_only_connections_after_the_mark_count_as_late(sink: RunningSink) -> None:
    sink.reset()
    with smtplib.SMTP("127.0.0.1", sink.port, timeout=10) as before:
        sink.mark()
        before.sendmail("a@paper.example", ["b@reader.example"], b"Subject: x\r\n\r\nx\r\n")
        assert sink.figures()["first_after_mark"] is None
        with smtplib.SMTP("127.0.0.1", sink.port, timeout=10) as after:
            after.sendmail("a@paper.example", ["c@reader.example"], b"Subject: x\r\n\r\nx\r\n")
    figures = sink.figures()
    assert figures["first_after_mark"] == figures["last"]
    assert (figures["messages"], figures["recipients"]) == (2, 2)


def test_a_round_of_answers_is_held_back_but_the_others_are_not_behind_it() -> None:
    with running_sink(reply_ms=100) as slow:
        started = time.monotonic()
        connections = [socket.create_connection(("127.0.0.1", slow.port)) for _ in range(5)]
        for connection in connections:
            assert read_replies(connection, 1) == [220]
        waited = time.monotonic() - started
        for connection in connections:
            connection.sendall(b"QUIT\r\n")
            assert read_replies(connection, 1) == [221]
            connection.close()
    # Not less than the delay; that it is not five times as much the order of answers shows.
    assert waited >= 0.1
