import json
import smtplib
import socket
import threading
from pathlib import Path

import pytest

from newsletter.demo.catcher import MailCatcher
from newsletter.errors import UsageError

MESSAGE = b"Subject: s\r\n\r\n.\r\n..two\r\nFrom me.\r\n.x\r\nend.\r\n"


def send(port: int, message: bytes = MESSAGE, times: int = 1) -> None:
    with smtplib.SMTP("127.0.0.1", port, local_hostname="localhost", timeout=10) as client:
        for _ in range(times):
            client.sendmail("bounces+t@paper.example", ["lilit@reader.example"], message)


@pytest.mark.parametrize(
    "message", [MESSAGE, b"\r\n", b".\r\n", b"\r\n.\r\n", b"a.\r\n.\r\n", b"x" * 300_000 + b"\r\n"]
)
def test_a_message_is_kept_byte_for_byte(tmp_path: Path, message: bytes) -> None:
    with MailCatcher(tmp_path) as catcher:
        send(catcher.port, message)
        assert catcher.accepted == 1
    assert [path.read_bytes() for path in tmp_path.glob("*.eml")] == [message]


def test_a_dot_split_over_packets_ends_the_message(tmp_path: Path) -> None:
    with (
        MailCatcher(tmp_path) as catcher,
        socket.create_connection(("127.0.0.1", catcher.port), timeout=10) as client,
        client.makefile("rb") as replies,
    ):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for command in (b"", b"HELO x\r\n", b"MAIL FROM:<a@b.example>\r\n",
                        b"RCPT TO:<c@d.example>\r\n", b"DATA\r\n"):  # fmt: skip
            client.sendall(command)
            assert replies.readline()[:1] in (b"2", b"3")
        for octets in (b"a.\r\n", b".", b".x\r", b"\n", b".", b"\r", b"\n"):
            client.sendall(octets)
        assert replies.readline().startswith(b"250")
    assert (tmp_path / "0000001.eml").read_bytes() == b"a.\r\n.x\r\n"


def test_the_envelope_is_written_beside(tmp_path: Path) -> None:
    with MailCatcher(tmp_path) as catcher:
        send(catcher.port)
    lines = (tmp_path / "envelopes.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"name": "0000001.eml", "from": "bounces+t@paper.example", "to": ["lilit@reader.example"]}
    ]


def test_numbers_go_on_and_connections_at_once_lose_nothing(tmp_path: Path) -> None:
    with MailCatcher(tmp_path) as catcher:
        send(catcher.port)
    with MailCatcher(tmp_path) as catcher:
        senders = [
            threading.Thread(target=send, args=(catcher.port, MESSAGE, 10)) for _ in range(4)
        ]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        assert catcher.accepted == 40
    assert sorted(path.name for path in tmp_path.glob("*.eml")) == [
        f"{number:07d}.eml" for number in range(1, 42)
    ]
    assert not list(tmp_path.glob(".*"))


def test_a_port_that_is_taken_is_told_in_a_sentence(tmp_path: Path) -> None:
    with (
        MailCatcher(tmp_path) as catcher,
        pytest.raises(UsageError, match=rf"can't listen on 127\.0\.0\.1:{catcher.port}"),
        MailCatcher(tmp_path / "other", port=catcher.port),
    ):
        pass


def test_a_folder_that_cannot_be_written_defers_the_mail(tmp_path: Path) -> None:
    folder = tmp_path / "outbox"
    with MailCatcher(folder) as catcher:
        (folder / ".0000001.eml.part").mkdir()
        with pytest.raises(smtplib.SMTPDataError) as caught:
            send(catcher.port)
        assert caught.value.smtp_code == 452
        send(catcher.port)
        assert catcher.accepted == 1
