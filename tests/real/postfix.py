"""A real Postfix of one's own, and behind it a sink that keeps each message in a file.

The instance has its own configuration, queue and ports on the loopback; the
machine's Postfix is neither read nor touched, and need not be configured.
"""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.real.programs import (
    MissingProgram,
    ProgramFailed,
    answers_on,
    as_nobody,
    find_port,
    find_program,
    give_to_nobody,
    running_program,
    temporary_folder,
    wait_until,
)

REFUSED_DOMAIN = "unknown.example"
"""Every address there is answered 550 5.1.1."""
BUSY_DOMAIN = "busy.example"
"""Every address there is answered 450 4.2.1, for as long as it runs."""

DAEMONS = Path("/usr/lib/postfix/sbin")

_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
mail_owner = postfix
setgid_group = postdrop
myhostname = relay.paper.example
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8

# Nothing leaves the loopback, no name is looked up.
default_transport = smtp
relayhost = [127.0.0.1]:{sink_port}
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtpd_peername_lookup = no
smtp_tls_security_level = none

# What is handed in goes on unchanged, and as fast as it comes.
local_header_rewrite_clients =
in_flow_delay = 0
smtpd_client_connection_count_limit = 0
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = check_recipient_access inline:{{ {refused}, {busy} }}, permit
minimal_backoff_time = 5s
maximal_backoff_time = 5s
queue_run_delay = 5s
"""

_REFUSED = f"{{ {REFUSED_DOMAIN} = 550 5.1.1 No such mailbox here }}"
_BUSY = f"{{ {BUSY_DOMAIN} = 450 4.2.1 Mailbox busy, come back later }}"

# Postfix's services; none in a chroot (the fifth column), so that the queue
# needs no copies of system files.
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Arrived(NamedTuple):
    """A message as the sink got it: its envelope, and its bytes with CRLF."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes

    @property
    def submitted(self) -> bytes:
        """The bytes as handed to Postfix: without the Received field that it set in front."""
        return re.sub(rb"\AReceived:.*\r\n(?:[ \t].*\r\n)*", b"", self.content)


@dataclass(frozen=True)
class Postfix:
    """A running relay on 127.0.0.1; no login, no TLS."""

    port: int
    folder: Path
    sink: subprocess.Popen[bytes]

    def messages(self) -> list[Arrived]:
        """Whole messages that have passed through so far, in no certain order."""
        arrived = sorted((self.folder / "sink").iterdir())
        unfinished = _list_open_files(self.sink.pid)
        return [_read_dump(file) for file in arrived if file not in unfinished and file.exists()]

    def wait_for(self, count: int, timeout: float = 60) -> list[Arrived]:
        """The messages, once there are ``count``; TimeoutError after ``timeout`` seconds."""
        end = time.monotonic() + timeout
        while len(arrived := self.messages()) < count:
            if time.monotonic() > end:
                raise TimeoutError(
                    f"{len(arrived)} of {count} messages arrived in {timeout} s;"
                    f" Postfix's last words: {self.read_log()[-1000:]}"
                )
            time.sleep(0.05)
        return arrived

    def read_log(self) -> str:
        """Postfix's mail log."""
        log = self.folder / "mail.log"
        return log.read_text(errors="replace") if log.exists() else ""


@contextmanager
def running_postfix() -> Iterator[Postfix]:
    """Run a Postfix and its sink; ready in about a second. Only root can."""
    postfix = find_program("postfix", "postfix")
    if not DAEMONS.is_dir():
        raise MissingProgram(f"{DAEMONS} is missing: install the Debian package postfix")
    if os.geteuid() != 0:
        raise ProgramFailed("a Postfix of one's own can be started by root only: run as root")
    with temporary_folder("postfix-") as folder:
        port, sink_port = find_port(), find_port()
        _lay_out(folder, port, sink_port)
        with _running_sink(folder, sink_port) as sink:
            log = folder / "postfix.out"
            config = ["-c", str(folder / "config")]
            with log.open("wb") as out:  # lays out the queue and looks for faults
                subprocess.run([postfix, *config, "check"], check=True, stdout=out, stderr=out)
            # Its master itself, since `postfix start-fg` would leave it behind when ended.
            command = [str(DAEMONS / "master"), "-d", *config]
            with running_program(command, log=log, cwd=folder) as process:
                wait_until(lambda: answers_on(port), process, log)
                yield Postfix(port, folder, sink)


def _lay_out(folder: Path, port: int, sink_port: int) -> None:
    for name in ("config", "queue", "data", "sink"):
        (folder / name).mkdir(mode=0o755)
    shutil.chown(folder / "data", "postfix")
    give_to_nobody(folder / "sink")
    main = _MAIN.format(folder=folder, sink_port=sink_port, refused=_REFUSED, busy=_BUSY)
    (folder / "config/main.cf").write_text(main)
    (folder / "config/master.cf").write_text(_MASTER.format(port=port))


@contextmanager
def _running_sink(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    sink = find_program("smtp-sink", "postfix")
    command = [sink, "-h", "sink.paper.example", "-d", "%s.", f"127.0.0.1:{port}", "200"]
    log = folder / "sink.log"
    with running_program(command, log=log, cwd=folder / "sink", rights=as_nobody()) as process:
        wait_until(lambda: answers_on(port), process, log)
        yield process


def _list_open_files(process: int) -> set[Path]:
    """Files that the sink still writes: it closes one before it answers the final dot."""
    files = set()
    for link in Path(f"/proc/{process}/fd").iterdir():
        try:
            files.add(link.readlink())
        except FileNotFoundError:  # closed meanwhile
            continue
    return files


def _read_dump(file: Path) -> Arrived:
    """Read the sink's file: the envelope as X- fields, its own Received, then the message.

    The sink writes LF for CRLF and adds an empty line at the end.
    """
    dump = file.read_bytes()
    envelope, rest = re.split(rb"^(?=Received: )", dump, maxsplit=1, flags=re.MULTILINE)
    sender = re.search(rb"^X-Mail-Args: <(.*?)>", envelope, re.MULTILINE)
    if sender is None:
        raise ProgramFailed(f"smtp-sink left a file without an envelope: {dump[:200]!r}")
    recipients = re.findall(rb"^X-Rcpt-Args: <(.*?)>", envelope, re.MULTILINE)
    message = re.sub(rb"\AReceived:.*\n(?:\t.*\n)*", b"", rest).removesuffix(b"\n")
    return Arrived(
        sender=sender[1].decode(),
        recipients=tuple(recipient.decode() for recipient in recipients),
        content=message.replace(b"\n", b"\r\n"),
    )
