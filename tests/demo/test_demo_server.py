"""Serving an application from a thread."""

import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from newsletter.demo.server import serve_in_thread
from newsletter.errors import UsageError
from newsletter.net.fetcher import Fetcher


def greet(request: Request) -> PlainTextResponse:
    return PlainTextResponse("good light")


def asked(url: str) -> bytes:
    with Fetcher(user_agent="newsletter-test") as fetcher:
        return fetcher.get(url, max_bytes=1000, allow_private=True).body


APP = Starlette(routes=[Route("/", greet)])


def test_it_answers_at_once_and_is_gone_afterwards() -> None:
    with serve_in_thread(APP) as server:
        name = f"server-{server.port}"
        assert name in [thread.name for thread in threading.enumerate()]
        assert asked(server.url + "/") == b"good light"
        assert urlsplit(server.url).hostname == "127.0.0.1"
        assert urlsplit(server.url).port == server.port
    # By name: the threads of the loop's own pool may take a moment longer.
    assert name not in [thread.name for thread in threading.enumerate()]
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", server.port)) != 0
    server.stop()


def test_the_same_port_can_be_used_again_at_once() -> None:
    with serve_in_thread(APP) as server:
        port = server.port
        asked(server.url + "/")
    with serve_in_thread(APP, port=port) as server:
        assert asked(server.url + "/") == b"good light"


def test_a_taken_port_is_told_in_a_sentence() -> None:
    with (
        serve_in_thread(APP) as server,
        pytest.raises(UsageError, match=rf"port {server.port} .*--port"),
    ):
        serve_in_thread(APP, port=server.port)


def test_an_application_that_does_not_start_is_told_of() -> None:
    @asynccontextmanager
    async def broken(app: Starlette) -> AsyncIterator[None]:
        raise RuntimeError("no")
        yield

    with pytest.raises(UsageError, match="did not start"):
        serve_in_thread(Starlette(lifespan=broken))
