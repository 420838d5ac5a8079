"""Postfix's smtp-sink: takes mail, keeps each message in a file, and has faults to order."""

import os
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.real.programs import (
    ProgramFailed,
    answers_on,
    as_nobody,
    find_port,
    find_program,
    give_to_nobody,
    running_program,
    wait_until,
)

_COMMAND = re.compile(r"smtp-sink: (CONNECT|EHLO|HELO|MAIL|RCPT|DATA|RSET|QUIT|\.)(?: |$)", re.M)
_BACKLOG = "200"


class Arrived(NamedTuple):
    """A message as the sink got it: its envelope, and its bytes with CRLF."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    # What was said behind the addresses of MAIL and of the last RCPT.
    mail_parameters: tuple[str, ...] = ()
    rcpt_parameters: tuple[str, ...] = ()

    @property
    def submitted(self) -> bytes:
        """The bytes as handed to Postfix: without the Received field that it set in front."""
        return re.sub(rb"\AReceived:.*\r\n(?:[ \t].*\r\n)*", b"", self.content)


@dataclass(frozen=True)
class Sink:
    """A running smtp-sink on 127.0.0.1."""

    port: int
    folder: Path
    log: Path
    process: subprocess.Popen[bytes]

    def messages(self) -> list[Arrived]:
        """Whole messages so far, in no certain order, also those that it then refused."""
        arrived = sorted(self.folder.iterdir())
        unfinished = self._open_files()
        return [_read_dump(file) for file in arrived if file not in unfinished and file.exists()]

    def recipients(self) -> Counter[str]:
        """How many messages each address has got."""
        return Counter(message.recipients[0] for message in self.messages())

    def commands(self) -> Counter[str]:
        """How often each command came so far; the final dot is one."""
        return Counter(_COMMAND.findall(self.log.read_text(errors="replace")))

    def stop(self) -> None:
        """Let it hear and say nothing until `go_on`; the kernel still takes octets for it."""
        os.killpg(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on where it was stopped."""
        os.killpg(self.process.pid, signal.SIGCONT)

    def _open_files(self) -> set[Path]:
        """Files that are still written: it closes one before it answers the final dot."""
        files = set()
        for link in Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                files.add(link.readlink())
            except FileNotFoundError:  # closed meanwhile
                continue
        return files


@contextmanager
def running_sink(folder: Path, *options: str, port: int | None = None) -> Iterator[Sink]:
    """Run a sink that keeps its messages in ``folder``, which it may share with others.

    ``options`` are those of smtp-sink(1), such as ``-q RCPT``.
    """
    if not folder.exists():
        folder.mkdir(mode=0o755)
        give_to_nobody(folder)
    port = port or find_port()
    log = folder.with_name(f"{folder.name}-{port}.log")
    program = find_program("smtp-sink", "postfix")
    command = [program, "-v", *options, "-d", "%s.", f"127.0.0.1:{port}", _BACKLOG]
    log.unlink(missing_ok=True)
    with running_program(command, log=log, cwd=folder, rights=as_nobody()) as process:
        wait_until(lambda: answers_on(port), process, log)
        sink = Sink(port, folder, log, process)
        try:
            yield sink
        finally:
            with suppress(ProcessLookupError):
                sink.go_on()


def _read_dump(file: Path) -> Arrived:
    """Read the sink's file: the envelope as X- fields, its own Received, then the message.

    The sink writes LF for CRLF and adds an empty line at the end.
    """
    dump = file.read_bytes()
    envelope, rest = re.split(rb"^(?=Received: )", dump, maxsplit=1, flags=re.MULTILINE)
    sender = re.search(rb"^X-Mail-Args: <(.*?)>(.*)$", envelope, re.MULTILINE)
    recipients = re.findall(rb"^X-Rcpt-Args: <(.*?)>(.*)$", envelope, re.MULTILINE)
    if sender is None or not recipients:
        raise ProgramFailed(f"smtp-sink left a file without an envelope: {dump[:200]!r}")
    message = re.sub(rb"\AReceived:.*\n(?:\t.*\n)*", b"", rest).removesuffix(b"\n")
    return Arrived(
        sender=sender[1].decode(),
        recipients=tuple(address.decode() for address, _ in recipients),
        content=message.replace(b"\n", b"\r\n"),
        mail_parameters=tuple(sender[2].decode().split()),
        rcpt_parameters=tuple(recipients[-1][1].decode().split()),
    )
