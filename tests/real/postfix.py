"""A real Postfix of one's own, and behind it a sink that keeps each message in a file.

The instance has its own configuration, queue and ports on the loopback; the
machine's Postfix is neither read nor touched, and need not be configured.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.real.programs import (
    MissingProgram,
    ProgramFailed,
    answers_on,
    find_port,
    find_program,
    running_program,
    temporary_folder,
    wait_until,
)
from tests.real.sink import Arrived, Sink, running_sink

REFUSED_DOMAIN = "unknown.example"
"""Every address there is answered 550 5.1.1."""
BUSY_DOMAIN = "busy.example"
"""Every address there is answered 450 4.2.1, for as long as it runs."""
PIPED_DOMAIN = "piped.example"
"""Every message there goes into a program, which keeps it and whom its envelope names."""
BOUNCED_DOMAIN = "bounced.example"
"""Every address there is taken, and then refused by the server behind it, 550 5.1.1."""
NARROW_OCTETS = 600
"""The longest message that the second port takes, as it tells in its EHLO."""

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
transport_maps = inline:{{
    {{ {bounced} = smtp:[127.0.0.1]:{refusing_port} }}, {{ {piped} = piped: }} }}
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

_NOBODY = "550 5.1.1 No such mailbox there"
_REFUSED = f"{{ {REFUSED_DOMAIN} = 550 5.1.1 No such mailbox here }}"
_BUSY = f"{{ {BUSY_DOMAIN} = 450 4.2.1 Mailbox busy, come back later }}"

# Postfix's services; none in a chroot (the fifth column), so that the queue
# needs no copies of system files.
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
127.0.0.1:{narrow_port} inet n - n - - smtpd -o message_size_limit={narrow}
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
piped unix - n n - - pipe flags=DORX user=nobody argv=/bin/sh {folder}/pipe.sh ${{recipient}}
postlog unix-dgram n - n - 1 postlogd
"""


# The recipient is written last: what has one is whole.
_PIPE = """\
cat > {folder}/piped/$$.eml
echo "$1" > {folder}/piped/$$.to
"""


@dataclass(frozen=True)
class Postfix:
    """A running relay on 127.0.0.1; no login, no TLS."""

    port: int
    narrow_port: int
    folder: Path
    sink: Sink

    def messages(self) -> list[Arrived]:
        """Whole messages that have passed through so far, in no certain order."""
        return self.sink.messages()

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

    def piped(self) -> list[tuple[str, bytes]]:
        """Recipient and message of each that was handed to the program so far."""
        folder = self.folder / "piped"
        return [
            (path.with_suffix(".to").read_text().strip(), path.read_bytes())
            for path in folder.glob("*.eml")
            if path.with_suffix(".to").exists()
        ]

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
        port, narrow_port = find_port(), find_port()
        with (
            running_sink(folder / "sink", "-h", "sink.paper.example") as sink,
            running_sink(folder / "refusing", "-f", "RCPT", "-B", _NOBODY) as refusing,
        ):
            _lay_out(folder, port, narrow_port, sink.port, refusing.port)
            log = folder / "postfix.out"
            config = ["-c", str(folder / "config")]
            with log.open("wb") as out:  # lays out the queue and looks for faults
                subprocess.run([postfix, *config, "check"], check=True, stdout=out, stderr=out)
            # Its master itself, since `postfix start-fg` would leave it behind when ended.
            command = [str(DAEMONS / "master"), "-d", *config]
            with running_program(command, log=log, cwd=folder) as process:
                wait_until(lambda: answers_on(port), process, log)
                yield Postfix(port, narrow_port, folder, sink)


def _lay_out(folder: Path, port: int, narrow_port: int, sink_port: int, refusing_port: int) -> None:
    for name in ("config", "queue", "data"):
        (folder / name).mkdir(mode=0o755)
    shutil.chown(folder / "data", "postfix")
    main = _MAIN.format(
        folder=folder,
        sink_port=sink_port,
        refusing_port=refusing_port,
        refused=_REFUSED,
        busy=_BUSY,
        bounced=BOUNCED_DOMAIN,
        piped=PIPED_DOMAIN,
    )
    (folder / "config/main.cf").write_text(main)
    (folder / "piped").mkdir()
    shutil.chown(folder / "piped", "nobody")
    (folder / "pipe.sh").write_text(_PIPE.format(folder=folder))
    master = _MASTER.format(folder=folder, port=port, narrow_port=narrow_port, narrow=NARROW_OCTETS)
    (folder / "config/master.cf").write_text(master)
