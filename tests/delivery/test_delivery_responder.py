"""The relay within the process answers as a server does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.responder import InProcessLink, accept

TALK = (
    b"MAIL FROM:<a@paper.example>\r\nRCPT TO:<b@reader.example>\r\nDATA\r\n"
    b"Subject: s\r\n\r\nbody\r\n.\r\n"
    b"MAIL FROM:<a@paper.example>\r\nRCPT TO:<c@reader.example>\r\nDATA\r\n"
)
COMMANDS = ["MAIL", "RCPT", "DATA", "DOT", "MAIL", "RCPT", "DATA"]
ANSWERS = [b"250", b"250", b"354", b"250", b"250", b"250", b"354"]


@given(st.lists(st.integers(1, 50), max_size=200))
def test_however_the_octets_come_each_command_has_its_answer(cuts: list[int]) -> None:
    heard: list[tuple[str, bytes]] = []

    def answers(command: str, argument: bytes) -> bytes | None:
        heard.append((command, argument))
        return accept(command, argument)

    link, rest, said = InProcessLink(answers), TALK, b""
    for cut in [*cuts, len(TALK)]:
        assert link.write([rest[:cut]]) == len(rest[:cut])
        rest = rest[cut:]
        said += link.read() or b""
    assert [line[:3] for line in said.splitlines()] == ANSWERS
    assert [command for command, _ in heard] == COMMANDS
    assert heard[3][1] == b"Subject: s\r\n\r\nbody\r\n"
    assert link.read() is None


def test_a_lone_dot_is_a_message_without_a_word() -> None:
    heard: list[bytes] = []

    def answers(command: str, argument: bytes) -> bytes | None:
        if command == "DOT":
            heard.append(argument)
        return accept(command, argument)

    link = InProcessLink(answers)
    link.write([b"DATA\r\n.\r\nDATA\r\n", b"x\r\n.\r\n"])
    assert heard == [b"", b"x\r\n"]


@pytest.mark.parametrize("end", [None, b"421 4.3.2 closing\r\n"])
def test_after_its_end_it_hears_nothing(end: bytes | None) -> None:
    heard: list[str] = []

    def answers(command: str, argument: bytes) -> bytes | None:
        heard.append(command)
        return end if command == "RCPT" else accept(command, argument)

    closed: list[bool] = []
    link = InProcessLink(answers, on_close=lambda: closed.append(True))
    link.write([b"MAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\n"])
    assert heard == ["MAIL", "RCPT"]
    assert link.read() == b"250 2.0.0 taken\r\n" + (end or b"")
    assert link.read() == b""
    with pytest.raises(BrokenPipeError):
        link.write([b"QUIT\r\n"])
    link.close()
    assert closed == [True]
