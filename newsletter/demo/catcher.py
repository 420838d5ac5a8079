"""The mail catcher: an SMTP server on the loopback that keeps what it is given.

It stands in for the relay, so that the demo sends over real SMTP and nothing
leaves the machine.
"""

import asyncio
import json
import socket
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from newsletter.demo.outbox_store import ENVELOPES
from newsletter.errors import UsageError
from newsletter.log import get_logger

log = get_logger(__name__)

_HOST = "127.0.0.1"
_MAX_OCTETS = 64 * 1024 * 1024


class MailCatcher:
    """A context manager: listens on entering, stops on leaving.

    Each accepted message becomes ``NNNNNNN.eml``, byte for byte as it came; its
    envelope is a line of ``envelopes.jsonl`` (``name``, ``from``, ``to``). Numbers
    go on where an earlier catcher of the same folder stopped. With ``port`` 0 the
    system chooses one; read it from `port` once it listens.
    """

    def __init__(self, folder: Path, port: int = 0) -> None:
        self._wanted_port = port
        self._keeper = _Keeper(folder)
        self._controller: _CatchingController | None = None

    @property
    def port(self) -> int:
        """Where it listens, or was asked to."""
        return self._wanted_port if self._controller is None else int(self._controller.port)

    @property
    def accepted(self) -> int:
        """Messages kept since this catcher started."""
        return self._keeper.accepted

    def __enter__(self) -> "MailCatcher":
        self._keeper.open()
        try:
            listener = _listen(self._wanted_port)
        except UsageError:
            self._keeper.close()
            raise
        self._controller = _CatchingController(self._keeper, listener)
        self._controller.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None
        self._keeper.close()


class _Keeper:
    """aiosmtpd's handler: called in its one thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0
        self._envelopes: BinaryIO | None = None
        self.accepted = 0

    def open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        numbers = [int(p.stem) for p in self._folder.glob("*.eml") if p.stem.isdecimal()]
        self._number = max(numbers, default=0)
        self._envelopes = (self._folder / ENVELOPES).open("ab", buffering=0)

    def close(self) -> None:
        if self._envelopes is not None:
            self._envelopes.close()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ARG002
        try:
            name = self._keep(envelope.mail_from, envelope.rcpt_tos, envelope.original_content)
        except OSError as error:
            log.warning("mail_not_caught", folder=str(self._folder), error=str(error))
            return "452 4.3.1 the catcher can't write to its folder"
        return f"250 2.0.0 kept as {name}"

    def _keep(self, sender: str, recipients: list[str], content: bytes) -> str:
        self._number += 1
        name = f"{self._number:07d}.eml"
        envelope = json.dumps({"name": name, "from": sender, "to": recipients})
        # The envelope first: whoever sees the message finds it.
        if self._envelopes is not None:
            self._envelopes.write(envelope.encode() + b"\n")
        temporary = self._folder / f".{name}.part"
        temporary.write_bytes(content)
        temporary.replace(self._folder / name)
        self.accepted += 1
        return name


class _BlockReadingSMTP(SMTP):
    """aiosmtpd's server, with DATA read in blocks.

    Its own DATA reads line by line, which held a 40 KB message to some 75 a
    second; this takes a few reads. Everything else is as it was.
    """

    # Also the limit of the stream's buffer, which here has to hold whole blocks.
    line_length_limit = _MAX_OCTETS

    async def smtp_DATA(self, arg: str) -> None:
        if await self.check_helo_needed():
            return
        if self.envelope is None or not self.envelope.rcpt_tos:
            await self.push("503 Error: need RCPT command")
            return
        if arg:
            await self.push("501 Syntax: DATA")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        content = bytearray()
        while content != b".\r\n" and not content.endswith(b"\r\n.\r\n"):
            content += await self._reader.readuntil(b".\r\n")
        del content[-3:]
        # Dot transparency, RFC 5321 section 4.5.2.
        plain = bytes(content).replace(b"\r\n.", b"\r\n").removeprefix(b".")
        self.envelope.content = self.envelope.original_content = plain
        status = await self.event_handler.handle_DATA(self, self.session, self.envelope)
        self._set_post_data_state()  # type: ignore[no-untyped-call]
        await self.push(status)


class _CatchingController(Controller):
    """A controller on a socket that listens already: aiosmtpd can't choose a free port."""

    def __init__(self, keeper: _Keeper, listener: socket.socket) -> None:
        super().__init__(
            keeper,
            hostname=_HOST,
            port=listener.getsockname()[1],
            # Without a name aiosmtpd asks DNS for one, at every connection.
            server_hostname="localhost",
            ident="mail catcher",
            data_size_limit=_MAX_OCTETS,
        )
        self._listener = listener

    def factory(self) -> SMTP:
        return _BlockReadingSMTP(self.handler, **self.SMTP_kwargs)

    def _create_server(self) -> Coroutine[Any, Any, asyncio.AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=self._listener)


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((_HOST, port))
    except OSError as error:
        raise UsageError(
            f"the mail catcher can't listen on {_HOST}:{port} ({error.strerror or error}); "
            "give it another port, or 0 for any that is free",
            subject=f"{_HOST}:{port}",
        ) from error
