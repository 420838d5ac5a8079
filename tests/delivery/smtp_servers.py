"""Real SMTP servers on the loopback, with faults to order that count how often they fired."""

import asyncio
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

DATA = Path(__file__).parent / "data"
DROP = "DROP"

# What to answer at a step, by the number of times the step was reached; None: as usual.
Answer = Callable[[int], str | None]


@dataclass
class Faults:
    """Answers by step (MAIL, RCPT, DATA, DOT), and what arrived."""

    answers: dict[str, Answer] = field(default_factory=dict)
    fired: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    messages: list[tuple[str, str, bytes]] = field(default_factory=list)
    delay: float = 0.0
    on_message: Callable[[int], None] = lambda _: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, server: SMTP, step: str) -> str | None:
        self.reached[step] += 1
        order = self.answers.get(step)
        reply = order(self.reached[step]) if order else None
        if reply is not None:
            self.fired[step] += 1
        if reply == DROP:
            server.transport.abort()
        elif reply is not None and reply.startswith("421"):
            # As servers do: the reply, and then nothing more.
            server.loop.call_soon(server.transport.close)
        return reply

    async def handle_MAIL(
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        reply = self.answer(server, "MAIL")
        if reply is None:
            envelope.mail_from = address
        return reply or "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        reply = self.answer(server, "RCPT")
        if reply is None:
            envelope.rcpt_tos.append(address)
        return reply or "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        reply = self.answer(server, "DOT")
        if reply is None or reply == DROP:
            self.messages.append(
                (envelope.mail_from, envelope.rcpt_tos[0], envelope.original_content)
            )
            self.on_message(len(self.messages))
        if self.delay:
            await asyncio.sleep(self.delay)
        return reply or "250 2.0.0 taken"

    def recipients(self) -> list[str]:
        return sorted(recipient for _, recipient, _ in self.messages)


class _FaultySMTP(SMTP):
    async def smtp_DATA(self, arg: str) -> None:
        faults: Faults = self.event_handler
        reply = faults.answer(self, "DATA")
        if reply is None:
            await super().smtp_DATA(arg)
        elif reply != DROP:
            await self.push(reply)


class _Controller(Controller):
    def factory(self) -> SMTP:
        return _FaultySMTP(self.handler, **self.SMTP_kwargs)

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def smtp_server(faults: Faults, *, at: int = 0, **options: Any) -> Iterator[int]:
    """Run a server for the block, where wished ``at`` a port; gives its port."""
    controller = _Controller(
        faults, **{"hostname": "127.0.0.1", "server_hostname": "localhost"} | options, port=at
    )
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def server_context(name: str) -> ssl.SSLContext:
    """TLS for a server with the test certificate ``name``: right (127.0.0.1) or wrong."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(DATA / f"{name}.pem")
    return context


def client_context(name: str) -> ssl.SSLContext:
    """TLS for a client that trusts the issuer of the test certificate ``name``."""
    return ssl.create_default_context(cafile=str(DATA / f"{name}.pem"))


def login_as(username: str, password: str) -> dict[str, Any]:
    """Options of a server that takes this login only."""

    def authenticate(*call: Any) -> Any:
        data = call[-1]
        good = data.login == username.encode() and data.password == password.encode()
        return AuthResult(success=good, handled=good)

    return {"authenticator": authenticate}


@contextmanager
def scripted_server(
    *lines: bytes, then_close: bool = True, context: ssl.SSLContext | None = None
) -> Iterator[int]:
    """A server that writes ``lines``, one at connect and one a command, heeding nothing."""
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    ports: list[int] = []
    done = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number, line in enumerate(lines):
            if number and not await reader.readline():
                break
            writer.write(line)
            await writer.drain()
        if not then_close:
            await done.wait()
        writer.close()

    async def serve() -> None:
        server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
        ports.append(server.sockets[0].getsockname()[1])
        ready.set()
        await done.wait()
        server.close()
        await asyncio.sleep(0.05)

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert ready.wait(10)
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()
        loop.close()
