"""Connections that are long in coming, and a worker that is told to stop in the meantime."""

import select
import socket
import threading
from contextlib import ExitStack
from dataclasses import replace

import pytest

from newsletter.delivery import openers as openers_module
from newsletter.delivery.dialling import Doors
from newsletter.delivery.model import Relay
from newsletter.delivery.openers import Attempt, Openers, Wake
from newsletter.delivery.responder import InProcessLink
from newsletter.delivery.smtp import Link, TimeLimits, open_connection
from newsletter.errors import RelayError
from tests.delivery.sql_sending import MakeSending, local_relay

pytest_plugins = ["tests.delivery.sql_fixtures"]

RELAY = Relay("main", "127.0.0.1", 25)


def test_a_stop_waits_for_no_relay_that_never_greets(make_sending: MakeSending) -> None:
    sending, called = make_sending(3), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        worker = threading.Thread(
            target=sending.run,
            args=(local_relay(silent.getsockname()[1]),),
            kwargs={"should_stop": called.is_set, "times": TimeLimits(connect=120)},
        )
        worker.start()
        visitor, _ = silent.accept()
        called.set()
        # Two minutes are what it would wait for the greeting.
        worker.join(60)
        assert not worker.is_alive()
        visitor.close()
    assert sending.counts().queued == 3


def test_what_opens_after_the_end_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openers_module, "_GRACE", 0.01)
    go_on, closed = threading.Event(), threading.Event()
    wake = Wake()

    class Watched(InProcessLink):
        def close(self) -> None:
            closed.set()

    def connect(_: Relay) -> Link:
        assert go_on.wait(30)
        return Watched()

    openers = Openers(connect, wake)
    openers.open(Attempt(RELAY, for_system=False, since=0.0))
    openers.close()
    wake.close()
    assert not closed.is_set()
    go_on.set()
    assert closed.wait(30)


@pytest.mark.parametrize("tls", ["none", "tls"])
@pytest.mark.parametrize("waits_for", ["connection", "greeting"])
def test_what_nobody_wants_any_more_ends_at_once(tls: str, waits_for: str) -> None:
    doors, ended, begun = Doors(), list[RelayError](), threading.Event()
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        if waits_for == "connection":
            # Its queue is full: who comes now gets no answer at all.
            stack.enter_context(socket.create_connection(server.getsockname()))
        relay = replace(RELAY, port=server.getsockname()[1], tls=tls)

        def dial() -> None:
            with doors.watching() as watch:

                def seen(sock: socket.socket) -> None:
                    watch(sock)
                    begun.set()

                with pytest.raises(RelayError) as caught:
                    open_connection(relay, limits=TimeLimits(connect=600), watch=seen)
            ended.append(caught.value)

        thread = threading.Thread(target=dial)
        thread.start()
        assert begun.wait(30)
        # By now it waits, or will do so for nothing.
        thread.join(0.2)
        assert thread.is_alive()
        doors.close()
        thread.join(30)
        assert not thread.is_alive()
        dial()
    assert "not wanted any more" in str(ended[1])


def test_a_fault_of_our_own_is_raised_where_the_connection_was_asked_for() -> None:
    wake = Wake()

    def connect(_: Relay) -> Link:
        raise ZeroDivisionError

    openers = Openers(connect, wake)
    openers.open(Attempt(RELAY, for_system=False, since=0.0))
    # It rings in any case.
    assert select.select([wake], [], [], 30)[0]
    with pytest.raises(ZeroDivisionError):
        openers.opened()
    openers.close()
    wake.close()
