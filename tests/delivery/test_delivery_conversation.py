"""The client's side of SMTP against a model server that answers anything, cut anywhere."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import chain, repeat

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from newsletter.delivery.conversation import Conversation, Event, Exchange, Offer, Ready
from newsletter.delivery.model import Delivery, Phase

PIPELINING = ("pipelining",)
STEPS = ("MAIL", "RCPT", "DATA", "DOT")
PHASES = {"MAIL": Phase.MAIL, "RCPT": Phase.RCPT, "DATA": Phase.DATA, "DOT": Phase.DOT}
HANG_UP = 0


def delivery(number: int) -> Delivery:
    return Delivery(number, "mailing000000001", f"reader{number}", f"reader{number}@reader.example")


def offer(number: int) -> Offer:
    one = delivery(number)
    return Offer(one, b"MAIL FROM:<bounces@paper.example>", f"RCPT TO:<{one.address}>".encode())


def message(number: int) -> bytes:
    return f"Subject: to reader {number}\r\n\r\nbody of {number}\r\n".encode()


@dataclass
class Server:
    """Answers each command by the next of ``codes`` (0: hang up), after which all is well.

    It looks only at the state of its own side, as servers do: MAIL and RCPT that
    it refused leave it without sender and recipient. ``asks_anyway``: it says 354
    to a DATA without any recipient.
    """

    codes: Iterable[int] = ()
    asks_anyway: bool = False
    lines: int = 1
    mailbox: list[tuple[str, bytes]] = field(default_factory=list)
    answered: list[tuple[str, int]] = field(default_factory=list)
    most_waiting: int = 0
    hung_up: bool = False

    def __post_init__(self) -> None:
        self._codes = iter(self.codes)
        self._input = b""
        self._sender = self._recipient = ""
        self._in_message = False

    def receive(self, octets: bytes) -> bytes:
        """What it answers to some more octets of the client."""
        self._input += octets
        answers = b""
        waiting = 0
        while not self.hung_up and (step := self._next_step()) is not None:
            waiting += 1
            answers += self._answer(*step)
        self.most_waiting = max(self.most_waiting, waiting)
        return answers

    def _next_step(self) -> tuple[str, bytes] | None:
        end = b"\r\n.\r\n" if self._in_message else b"\r\n"
        before, found, rest = self._input.partition(end)
        if self._in_message and self._input.startswith(b".\r\n"):
            self._input = self._input[3:]
            return "DOT", b""
        if not found:
            return None
        self._input = rest
        return ("DOT", before + b"\r\n") if self._in_message else (before[:4].decode(), before)

    def _answer(self, step: str, octets: bytes) -> bytes:
        if step in ("RSET", "QUIT"):
            return self._say(step, 250)
        code = next(self._codes, None)
        if step == "DOT" and not octets:
            code = 554  # a message without a recipient
        elif step == "RCPT" and not self._sender:
            code = 503
        elif step == "DATA" and not self._recipient:
            code = 354 if self.asks_anyway else 503
        elif code is None or 200 <= code < 300:
            code = 354 if step == "DATA" else 250
        return self._do(step, octets, code)

    def _do(self, step: str, octets: bytes, code: int) -> bytes:
        taken = code in (250, 354)
        address = octets.decode().partition("<")[2].rstrip(">")
        if step == "MAIL" and taken:
            self._sender, self._recipient = address, ""
        elif step == "RCPT" and taken:
            self._recipient = address
        elif step == "DATA":
            self._in_message = taken
        elif step == "DOT":
            if taken:
                self.mailbox.append((self._recipient, octets))
            self._in_message = False
            self._sender = self._recipient = ""
        return self._say(step, code)

    def _say(self, step: str, code: int) -> bytes:
        self.answered.append((step, code))
        if code == HANG_UP:
            self.hung_up = True
            return b""
        self.hung_up = code == 421
        many = b"".join(
            b"%d-words of %s\r\n" % (code, step.encode()) for _ in range(self.lines - 1)
        )
        return many + b"%d that was %s\r\n" % (code, step.encode())


@dataclass
class Talk:
    """A whole conversation of some messages with a server, and what came of it."""

    conversation: Conversation
    server: Server
    messages: int
    # The client's octets that ever reach the server, and the server's that reach the client.
    reach: float = float("inf")
    return_reach: float = float("inf")
    write_cuts: Iterable[int] = ()
    read_cuts: Iterable[int] = ()
    withdraw_at: int = 0
    events: list[Event] = field(default_factory=list)
    exchanges: dict[int, Exchange] = field(default_factory=dict)
    withdrawn: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._queue = deque(range(1, self.messages + 1))
        self._kernel = b""  # written by the client, not yet with the server
        self._wire = b""  # written by the server, not yet with the client
        self._write_cuts = chain(self.write_cuts, repeat(1 << 30))
        self._read_cuts = chain(self.read_cuts, repeat(1 << 30))
        self.written = 0
        self.dot_ends: dict[int, int] = {}
        self._put = 0

    def run(self) -> "Talk":
        for _ in range(20_000):
            self._offer()
            if self.conversation.over or not self._step():
                break
        else:
            raise AssertionError("it never ended")
        if not self.conversation.over and not self.conversation.idle:
            # Neither side has anything to say: that is a hang, and it must not happen
            # but where octets got lost, which a socket reports in the end.
            assert self.server.hung_up or self.reach < 1e9 or self.return_reach < 1e9
            self._note(self.conversation.lose("the line broke"))
        return self

    def _offer(self) -> None:
        while self._queue and self.conversation.may_offer:
            self.conversation.offer(offer(self._queue.popleft()))

    def _step(self) -> bool:
        """Move some octets; False where nothing moves any more."""
        if self.withdraw_at and len(self.server.answered) >= self.withdraw_at:
            self.withdraw_at = 0
            taken_back = self.conversation.withdraw()
            if taken_back is not None:
                self.withdrawn.append(taken_back.id)
            return True
        moved = self._write()
        answers = self._deliver()
        self._wire += answers
        if self._wire and self.return_reach > 0:
            cut = int(min(next(self._read_cuts), len(self._wire), self.return_reach))
            octets, self._wire = self._wire[:cut], self._wire[cut:]
            self.return_reach -= cut
            self._note(self.conversation.receive(octets))
            return True
        return moved

    def _write(self) -> bool:
        output = self.conversation.output
        if not output:
            return False
        octets = b"".join(output)
        cut = min(next(self._write_cuts), len(octets))
        self.conversation.written(cut)
        assert b"".join(output) == octets[cut:]
        self.written += cut
        self._kernel += octets[:cut]
        return True

    def _deliver(self) -> bytes:
        arrived = int(min(len(self._kernel), self.reach))
        octets, self._kernel = self._kernel[:arrived], self._kernel[arrived:]
        self.reach -= arrived
        return self.server.receive(octets) if octets else b""

    def _note(self, events: list[Event]) -> None:
        for one in events:
            self.events.append(one)
            number = one.delivery.id
            if isinstance(one, Exchange):
                assert number not in self.exchanges, "answered twice"
                self.exchanges[number] = one
            else:
                pending = sum(len(part) for part in self.conversation.output)
                self.conversation.finish([message(number)])
                self.dot_ends[number] = self.written + pending + len(message(number)) + 3
                self._offer()


def check(talk: Talk) -> None:
    """What has to hold, whatever the server and the line did."""
    taken = {int(content.split()[3]): address for address, content in talk.server.mailbox}
    assert len(taken) == len(talk.server.mailbox), "a message arrived twice"
    for number, address in taken.items():
        assert address == delivery(number).address
        assert (address, message(number)) in talk.server.mailbox
    offered = set(range(1, talk.messages + 1)) - set(talk._queue)
    assert set(talk.exchanges) | set(talk.withdrawn) == offered
    assert not set(talk.exchanges) & set(talk.withdrawn)
    for number, exchange in talk.exchanges.items():
        dot_written = talk.written >= talk.dot_ends.get(number, 1 << 60)
        code, at_dot = exchange.reply.code, exchange.phase is Phase.DOT
        if at_dot and 200 <= code < 300:
            assert number in taken, "called taken, and is not"
        if at_dot:
            assert dot_written, "called ended, and is not"
        if code == 0:
            assert at_dot == dot_written, "in doubt without cause, or certain without"
        if number in taken:
            assert at_dot
            assert code == 0 or 200 <= code < 300, "taken, and told otherwise"
    assert not set(talk.withdrawn) & set(taken), "withdrawn, and sent"
    assert not set(talk.withdrawn) & set(talk.dot_ends)


CODES = st.sampled_from([250, 250, 250, 250, 450, 550, 451, 554, 421, 503, 252, HANG_UP])
CUTS = st.lists(st.integers(1, 40), max_size=60)


@settings(max_examples=250)
@given(
    offers=st.sampled_from([PIPELINING, ()]),
    messages=st.integers(1, 5),
    codes=st.lists(CODES, max_size=24),
    asks_anyway=st.booleans(),
    lines=st.integers(1, 3),
    reach=st.none() | st.integers(0, 900),
    return_reach=st.none() | st.integers(0, 500),
    write_cuts=CUTS,
    read_cuts=CUTS,
    withdraw_at=st.integers(0, 12),
)
def test_whatever_the_server_and_the_line_do_what_is_said_of_a_message_is_true(
    offers: tuple[str, ...],
    messages: int,
    codes: list[int],
    asks_anyway: bool,
    lines: int,
    reach: int | None,
    return_reach: int | None,
    write_cuts: list[int],
    read_cuts: list[int],
    withdraw_at: int,
) -> None:
    talk = Talk(
        Conversation(offers),
        Server(codes, asks_anyway, lines),
        messages,
        float("inf") if reach is None else reach,
        float("inf") if return_reach is None else return_reach,
        write_cuts,
        read_cuts,
        withdraw_at,
    ).run()
    check(talk)
    for exchange in talk.exchanges.values():
        event(f"{exchange.phase} {exchange.reply.code // 100}")
    if not offers:
        assert talk.server.most_waiting <= 1, "asked for more before it was answered"


@given(
    offers=st.sampled_from([PIPELINING, ()]),
    messages=st.integers(1, 5),
    codes=st.lists(CODES, max_size=24),
    asks_anyway=st.booleans(),
    lines=st.integers(1, 3),
    cuts=st.lists(st.integers(1, 30), max_size=200),
)
def test_however_the_octets_are_cut_the_events_are_the_same(
    offers: tuple[str, ...],
    messages: int,
    codes: list[int],
    asks_anyway: bool,
    lines: int,
    cuts: list[int],
) -> None:
    def events_of(read_cuts: Iterable[int], write_cuts: Iterable[int]) -> list[Event]:
        server = Server(codes, asks_anyway, lines)
        talk = Talk(
            Conversation(offers), server, messages, read_cuts=read_cuts, write_cuts=write_cuts
        ).run()
        check(talk)
        return talk.events

    whole = events_of((), ())
    assert events_of(repeat(1), ()) == whole
    assert events_of(cuts, cuts) == whole


# One fault at a time, by name.


@pytest.mark.parametrize("offers", [PIPELINING, ()])
@pytest.mark.parametrize("code", [450, 550])
@pytest.mark.parametrize("step", STEPS)
def test_a_refusal_names_its_phase_and_the_next_message_goes(
    step: str, code: int, offers: tuple[str, ...]
) -> None:
    # The pipelining client has asked RCPT and DATA as well: the server answers them too.
    at = STEPS.index(step)
    codes = [250] * at + [code]
    talk = Talk(Conversation(offers), Server(codes), 2).run()
    check(talk)
    assert (step, code) in talk.server.answered
    exchange = talk.exchanges[1]
    assert (exchange.phase, exchange.reply.code) == (PHASES[step], code)
    assert exchange.reply.text == f"that was {step}"
    assert (talk.exchanges[2].phase, talk.exchanges[2].reply.code) == (Phase.DOT, 250)
    assert [address for address, _ in talk.server.mailbox] == ["reader2@reader.example"]
    resets = sum(1 for said, _ in talk.server.answered if said == "RSET")
    assert resets == (0 if step == "DOT" else 1)


@pytest.mark.parametrize("offers", [PIPELINING, ()])
@pytest.mark.parametrize("end", [HANG_UP, 421])
@pytest.mark.parametrize("step", STEPS)
def test_an_end_at_any_step_leaves_the_right_doubt(
    step: str, end: int, offers: tuple[str, ...]
) -> None:
    at = STEPS.index(step)
    talk = Talk(Conversation(offers), Server([250] * at + [end]), 1).run()
    check(talk)
    assert (step, end) in talk.server.answered
    assert talk.conversation.over
    exchange = talk.exchanges[1]
    assert exchange.reply.code == end
    if end == 421 or not offers:
        assert exchange.phase is PHASES[step]
    elif step != "DOT":
        # Of several commands on the way the first without an answer counts.
        assert exchange.phase is not Phase.DOT
    assert not talk.server.mailbox


@pytest.mark.parametrize("step", STEPS)
def test_an_end_in_the_second_message_says_nothing_of_the_third(step: str) -> None:
    codes = [250] * (4 + STEPS.index(step)) + [HANG_UP]
    talk = Talk(Conversation(PIPELINING), Server(codes), 3).run()
    check(talk)
    assert talk.exchanges[1].reply.code == 250
    assert 3 not in talk.exchanges or talk.exchanges[3].phase is Phase.MAIL


def test_a_drop_at_every_octet_of_the_way_there_and_back() -> None:
    whole = Talk(Conversation(PIPELINING), Server(), 2).run()
    doubtful = 0
    for reach in range(whole.written + 1):
        talk = Talk(Conversation(PIPELINING), Server(), 2, reach=reach).run()
        check(talk)
        doubtful += any(x.phase is Phase.DOT and not x.reply.code for x in talk.exchanges.values())
    for reach in range(400):
        talk = Talk(Conversation(PIPELINING), Server(), 2, return_reach=reach).run()
        check(talk)
        doubtful += any(x.phase is Phase.DOT and not x.reply.code for x in talk.exchanges.values())
    assert doubtful > 20


@pytest.mark.parametrize("refused_at", [0, 1])
def test_a_server_that_asks_for_a_message_without_recipient_gets_a_lone_dot(
    refused_at: int,
) -> None:
    codes = [250] * refused_at + [550]
    talk = Talk(Conversation(PIPELINING), Server(codes, asks_anyway=True), 3).run()
    check(talk)
    assert talk.server.answered[2:5] == [("DATA", 354), ("DOT", 554), ("RSET", 250)]
    assert talk.exchanges[1].phase is (Phase.MAIL, Phase.RCPT)[refused_at]
    assert [address for address, _ in talk.server.mailbox] == [
        "reader2@reader.example",
        "reader3@reader.example",
    ]


@pytest.mark.parametrize("answers", range(1, 14))
@pytest.mark.parametrize("offers", [PIPELINING, ()])
def test_what_is_withdrawn_is_nobodys_mail(offers: tuple[str, ...], answers: int) -> None:
    talk = Talk(Conversation(offers), Server(), 4, withdraw_at=answers).run()
    check(talk)
    if talk.withdrawn:
        assert talk.conversation.over
        assert all(
            (exchange.phase, exchange.reply.code) == (Phase.DOT, 250)
            for exchange in talk.exchanges.values()
        )


def test_a_withdrawal_waits_for_the_message_that_is_on_its_way() -> None:
    conversation = Conversation(PIPELINING)
    conversation.offer(offer(1))
    assert conversation.receive(b"250 a\r\n250 b\r\n354 go\r\n") == [Ready(delivery(1))]
    conversation.finish([message(1)])
    conversation.offer(offer(2))
    conversation.written(sum(len(part) for part in conversation.output))
    assert conversation.withdraw() == delivery(2)
    assert not conversation.over
    assert not conversation.may_offer
    (exchange,) = conversation.receive(b"250 2.0.0 taken\r\n250 a\r\n250 b\r\n354 go\r\n")
    assert isinstance(exchange, Exchange)
    assert (exchange.delivery, exchange.reply.code) == (delivery(1), 250)
    assert conversation.over


def offered(offers: tuple[str, ...] = PIPELINING) -> Conversation:
    conversation = Conversation(offers)
    conversation.offer(offer(1))
    conversation.written(sum(len(part) for part in conversation.output))
    return conversation


@pytest.mark.parametrize(
    "babble",
    [
        b"hello\r\n",
        b"999 x\r\n",
        b"25\r\n",
        b"\r\n",
        b"199 x\r\n",
        b"250-" + b"x" * 9000,
        b"250-x\r\n" * 200,
        b"2\xc3\xa95 x\r\n",
    ],
)
def test_what_is_no_reply_ends_the_conversation_undecided(babble: bytes) -> None:
    conversation = offered()
    (exchange,) = conversation.receive(babble)
    assert isinstance(exchange, Exchange)
    assert (exchange.phase, exchange.reply.code) == (Phase.MAIL, 0)
    assert conversation.over


@pytest.mark.parametrize("code", [b"250", b"354"])
def test_an_answer_to_the_wrong_question_is_undecided(code: bytes) -> None:
    conversation = offered(())
    if code == b"250":
        conversation.receive(b"250 a\r\n")
        conversation.receive(b"250 b\r\n")
    (exchange,) = conversation.receive(code + b" what\r\n")
    assert isinstance(exchange, Exchange)
    assert exchange.reply.code == 0
    assert exchange.phase is not Phase.DOT
    assert conversation.over


def test_a_refusal_before_the_dot_stands_and_ends_the_conversation() -> None:
    conversation = offered()
    conversation.receive(b"250 a\r\n250 b\r\n354 go\r\n")
    conversation.finish([message(1)])
    conversation.written(5)
    assert conversation.dot_waits
    (exchange,) = conversation.receive(b"552 5.3.4 too big\r\n")
    assert isinstance(exchange, Exchange)
    assert (exchange.phase, exchange.reply.code) == (Phase.DATA, 552)
    assert conversation.over


def test_a_message_called_taken_before_its_end_is_not_believed() -> None:
    conversation = offered()
    conversation.receive(b"250 a\r\n250 b\r\n354 go\r\n")
    conversation.finish([message(1)])
    conversation.written(5)
    (exchange,) = conversation.receive(b"250 2.0.0 taken\r\n")
    assert isinstance(exchange, Exchange)
    assert (exchange.phase, exchange.reply.code) == (Phase.DATA, 0)


def test_a_reply_that_nothing_asked_for_ends_an_idle_conversation() -> None:
    conversation = Conversation(PIPELINING)
    assert conversation.idle
    assert conversation.receive(b"421 4.4.2 idle for too long\r\n") == []
    assert conversation.over
    assert not conversation.may_offer


def test_bare_line_feeds_and_many_lines_are_read() -> None:
    conversation = offered()
    (exchange,) = conversation.receive(b"550-5.7.1 one\n550-5.7.1 two\n550 5.7.1 three\n")
    assert isinstance(exchange, Exchange)
    assert (exchange.reply.enhanced, exchange.reply.text) == ("5.7.1", "one two three")


def test_a_message_can_only_be_written_when_the_server_waits_for_it() -> None:
    calls: list[Callable[[], Conversation]] = [lambda: Conversation(PIPELINING), offered]
    for make in calls:
        with pytest.raises(ValueError, match="does not wait"):
            make().finish([message(1)])


def test_the_pipelined_envelope_goes_out_with_the_message_before_it() -> None:
    conversation = offered()
    conversation.receive(b"250 a\r\n250 b\r\n354 go\r\n")
    conversation.finish([message(1)])
    assert conversation.may_offer
    conversation.offer(offer(2))
    assert b"".join(conversation.output) == (
        message(1) + b".\r\nMAIL FROM:<bounces@paper.example>\r\n"
        b"RCPT TO:<reader2@reader.example>\r\nDATA\r\n"
    )
    assert not conversation.may_offer
    assert conversation.awaits_dot


def test_without_pipelining_each_command_waits_for_its_answer() -> None:
    conversation = offered(())
    said = []
    for answer in (b"250 a\r\n", b"250 b\r\n", b"354 go\r\n"):
        conversation.receive(answer)
        said.append(b"".join(conversation.output))
        conversation.written(len(said[-1]))
    assert said == [b"RCPT TO:<reader1@reader.example>\r\n", b"DATA\r\n", b""]
    conversation.finish([message(1)])
    assert not conversation.may_offer
