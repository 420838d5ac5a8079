"""A line over links that take octets in portions, break, or come too late."""

from collections import deque
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.conversation import Event, Exchange, Ready
from newsletter.delivery.lease import LEASE
from newsletter.delivery.line import Letter, Line, write_offer
from newsletter.delivery.message import Envelope, Message
from newsletter.delivery.model import Delivery, Permit, Phase, Relay
from newsletter.delivery.pacing import TokenBucket
from newsletter.delivery.route import Route
from newsletter.delivery.smtp import TimeLimits

ALL = {"pipelining": "", "size": "1000", "8bitmime": "", "smtputf8": "", "dsn": ""}
LIMITS = TimeLimits(connect=1, step=30, final=600)
MESSAGE = b"Subject: s\r\n\r\n" + b"body\r\n" * 50
GO_AHEAD = b"250 a\r\n250 b\r\n354 go\r\n"


ENVELOPE = Envelope("bounces+token@paper.example", "a+3Db")


def letter(number: int = 1, envelope: Envelope = ENVELOPE, **changes: object) -> Letter:
    delivery = Delivery(number, "m", f"r{number}", f"reader{number}@reader.example")
    message = Message(envelope, (MESSAGE[:40], MESSAGE[40:]), len(MESSAGE))
    whole = Letter(delivery, delivery.address, message, "weekly@paper.example", "reader.example")
    return whole._replace(**changes)


def test_how_long_is_waited_where_nothing_else_is_asked_for() -> None:
    # RFC 5321 section 4.5.3.2: whoever leaves the dot's answer earlier makes doubles.
    assert (TimeLimits().step, TimeLimits().final) == (300, 600)
    # Of a worker that is gone its rows are free again after this.
    assert timedelta(seconds=30) == LEASE


class PortionedLink:
    """Takes so many octets at a write as it was told, and lets be read what was put in."""

    def __init__(self, *portions: int, offers: Mapping[str, str] = ALL) -> None:
        self.offers = offers
        self.portions = deque(portions)
        self.taken = b""
        self.answers: deque[bytes] = deque()
        self.breaks = False
        self.closed = False

    def fileno(self) -> int:
        return 99

    def write(self, pieces: Collection[bytes | memoryview]) -> int:
        if self.breaks:
            raise ConnectionResetError("reset by peer")
        octets = b"".join(pieces)
        count = min(self.portions.popleft() if self.portions else 1 << 30, len(octets))
        self.taken += octets[:count]
        return count

    def read(self) -> bytes | None:
        if self.breaks and not self.answers:
            raise ConnectionResetError("reset by peer")
        return self.answers.popleft() if self.answers else None

    def close(self) -> None:
        self.closed = True


def line_over(link: PortionedLink, lasts: Callable[[], bool] = lambda: True) -> Line:
    relay = Relay("main", "127.0.0.1", 25)
    route = Route(relay, Permit(4), TokenBucket(0, 0))
    return Line(route, link, LIMITS, lasts, for_system=False)


def answer(line: Line, link: PortionedLink, octets: bytes) -> list[Event]:
    link.answers.append(octets)
    return line.go_on(0.0)


def ready_line(link: PortionedLink, lasts: Callable[[], bool] = lambda: True) -> Line:
    line = line_over(link, lasts)
    assert line.offer(letter(), 0.0) == []
    assert answer(line, link, GO_AHEAD) == [Ready(letter().delivery)]
    return line


@given(st.lists(st.integers(0, 60), max_size=40))
def test_in_whatever_portions_octets_are_taken_they_are_the_same(
    portions: list[int],
) -> None:
    link = PortionedLink()
    line = ready_line(link)
    link.portions.extend(portions)
    line.finish(letter(), letter(2), 0.0)
    while line.blocked:
        assert line.go_on(0.0) == []
    sent = link.taken.partition(b"DATA\r\n")[2]
    assert sent.startswith(MESSAGE + b".\r\nMAIL FROM:<")
    assert sent.endswith(b"DATA\r\n")
    first, second = answer(line, link, b"250 2.0.0 taken\r\n" + GO_AHEAD)
    assert isinstance(first, Exchange)
    assert (first.phase, first.reply.code) == (Phase.DOT, 250)
    assert second == Ready(letter(2).delivery)


@pytest.mark.parametrize("taken", [0, 1, len(MESSAGE), len(MESSAGE) + 2])
def test_a_link_that_breaks_before_the_dot_is_out_leaves_no_doubt(taken: int) -> None:
    link = PortionedLink()
    line = ready_line(link)
    link.portions.append(taken)
    assert line.finish(letter(), None, 0.0) == []
    assert line.blocked
    link.breaks = True
    (event,) = line.go_on(0.0)
    assert isinstance(event, Exchange)
    assert (event.phase, event.reply.code) == (Phase.DATA, 0)
    assert line.conversation.over


def test_a_link_that_breaks_after_the_dot_leaves_one_message_in_doubt() -> None:
    link = PortionedLink()
    line = ready_line(link)
    line.finish(letter(), letter(2), 0.0)
    link.breaks = True
    first, second = line.go_on(0.0)
    assert isinstance(first, Exchange)
    assert isinstance(second, Exchange)
    assert (first.delivery.id, first.phase, first.reply.code) == (1, Phase.DOT, 0)
    assert (second.delivery.id, second.phase, second.reply.code) == (2, Phase.MAIL, 0)


def test_a_server_that_hangs_up_after_its_answer_is_heard_first() -> None:
    link = PortionedLink()
    line = ready_line(link)
    line.finish(letter(), None, 0.0)
    (event,) = answer(line, link, b"250 2.0.0 taken\r\n")
    assert isinstance(event, Exchange)
    assert event.reply.code == 250
    assert answer(line, link, b"") == []
    assert line.conversation.over


def test_without_a_lease_the_end_of_a_message_is_not_written() -> None:
    right = [True]
    link = PortionedLink()
    line = ready_line(link, lambda: right[0])
    before = link.taken
    right[0] = False
    (event,) = line.finish(letter(), letter(2), 0.0)[:1]
    assert isinstance(event, Exchange)
    assert (event.delivery.id, event.phase, event.reply.code) == (1, Phase.DATA, 0)
    assert link.taken == before
    assert line.conversation.over


def test_a_lease_that_ends_in_mid_message_ends_the_line() -> None:
    right = [True]
    link = PortionedLink()
    line = ready_line(link, lambda: right[0])
    link.portions.append(100)
    line.finish(letter(), None, 0.0)
    right[0] = False
    (event,) = line.go_on(0.0)
    assert isinstance(event, Exchange)
    assert (event.phase, event.reply.code) == (Phase.DATA, 0)
    assert b"\r\n.\r\n" not in link.taken


def test_a_lease_that_ends_after_the_dot_costs_nothing() -> None:
    right = [True]
    link = PortionedLink()
    line = ready_line(link, lambda: right[0])
    line.finish(letter(), None, 0.0)
    right[0] = False
    (event,) = answer(line, link, b"250 2.0.0 taken\r\n")
    assert isinstance(event, Exchange)
    assert event.reply.code == 250


def test_each_step_has_its_limit_and_the_dot_the_longest() -> None:
    link = PortionedLink()
    line = line_over(link)
    line.offer(letter(), 100.0)
    assert line.deadline == 130.0
    link.answers.append(GO_AHEAD)
    line.go_on(110.0)
    line.finish(letter(), letter(2), 120.0)
    assert line.deadline == 720.0
    link.answers.append(b"250 2.0.0 taken\r\n")
    line.go_on(200.0)
    assert line.deadline == 230.0


def test_a_silent_server_is_left_in_doubt_only_after_the_dot() -> None:
    link = PortionedLink()
    line = ready_line(link)
    (event,) = line.expire()
    assert isinstance(event, Exchange)
    assert (event.phase, event.reply.code) == (Phase.DATA, 0)
    line = ready_line(link)
    line.finish(letter(), None, 0.0)
    (event,) = line.expire()
    assert isinstance(event, Exchange)
    assert (event.phase, event.reply.text) == (Phase.DOT, "no reply in time")


def test_goodbye_is_said_only_where_nothing_is_under_way() -> None:
    link = PortionedLink()
    line_over(link).say_goodbye()
    assert link.taken == b"QUIT\r\n"
    link = PortionedLink()
    line = line_over(link)
    line.offer(letter(), 0.0)
    line.say_goodbye()
    assert b"QUIT" not in link.taken
    broken = PortionedLink()
    broken.breaks = True
    line_over(broken).say_goodbye()


def test_what_is_taken_back_is_the_letter_that_was_offered() -> None:
    link = PortionedLink()
    line = line_over(link)
    assert line.take_back() is None
    line.offer(letter(), 0.0)
    assert line.take_back() == letter()
    assert not line.letters


@pytest.mark.parametrize(
    ("offers", "mail", "rcpt"),
    [
        ({}, "", ""),
        ({"size": ""}, f" SIZE={len(MESSAGE)}", ""),
        ({"8bitmime": ""}, " BODY=7BIT", ""),
        (
            {"dsn": ""},
            " RET=HDRS ENVID=a+3Db",
            " NOTIFY=FAILURE,DELAY ORCPT=rfc822;reader1@reader.example",
        ),
        (
            ALL,
            f" SIZE={len(MESSAGE)} BODY=7BIT RET=HDRS ENVID=a+3Db",
            " NOTIFY=FAILURE,DELAY ORCPT=rfc822;reader1@reader.example",
        ),
    ],
)
def test_only_what_the_server_offers_is_asked_for(
    offers: Mapping[str, str], mail: str, rcpt: str
) -> None:
    asked = write_offer(letter(), offers)
    assert asked.mail.decode() == f"MAIL FROM:<bounces+token@paper.example>{mail}"
    assert asked.recipient.decode() == f"RCPT TO:<reader1@reader.example>{rcpt}"


def test_an_address_beyond_ascii_asks_for_smtputf8() -> None:
    address = "լիլիթ@xn--y9a3aq.example"
    asked = write_offer(letter(address=address, utf8=True), {"smtputf8": "", "8bitmime": ""})
    assert asked.mail.endswith(b" BODY=8BITMIME SMTPUTF8")
    assert asked.recipient.decode() == f"RCPT TO:<{address}>"


def test_an_envelope_without_id_has_no_envid() -> None:
    asked = write_offer(letter(envelope=Envelope("b@paper.example", "")), {"dsn": ""})
    assert asked.mail == b"MAIL FROM:<b@paper.example> RET=HDRS"


@pytest.mark.parametrize("sender", ["b@paper.example>\r\nRCPT TO:<x@y.example", "b\x00@x.example"])
def test_a_command_that_is_not_one_line_never_reaches_the_wire(sender: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        write_offer(letter(envelope=Envelope(sender, "")), ALL)
