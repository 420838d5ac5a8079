"""One connection at work: octets between the link and its conversation."""

import contextlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

from newsletter.delivery.conversation import Conversation, Event, Offer
from newsletter.delivery.dsn_parameters import original_recipient
from newsletter.delivery.message import Message
from newsletter.delivery.model import Delivery
from newsletter.delivery.route import Route
from newsletter.delivery.smtp import Link, TimeLimits, largest_message


class Letter(NamedTuple):
    """A message ready to go.

    ``address`` is the recipient's as the envelope has it; ``sender`` its From
    address, for a sentence; ``group`` its destination's; ``utf8``: it needs SMTPUTF8.
    """

    delivery: Delivery
    address: str
    message: Message
    sender: str
    group: str
    utf8: bool = False


class Line:
    """A connection to ``route``'s relay. For one thread; times in monotonic seconds.

    ``lasts`` is asked before the end of a message is written: without a lease
    the connection is closed instead, and the message never was.
    """

    def __init__(
        self,
        route: Route,
        link: Link,
        limits: TimeLimits,
        lasts: Callable[[], bool],
        *,
        for_system: bool,
    ) -> None:
        self.route = route
        # Kept for system mail: no issue goes over it.
        self.for_system = for_system
        self.link = link
        # One in this process, which nothing tells of: it is read until there is nothing.
        self.is_in_process = link.fileno() is None
        self.pipelines = "pipelining" in link.offers
        self.conversation = Conversation(link.offers)
        # What the server takes at most, in octets; 0: it names no limit.
        self.largest = largest_message(link.offers)
        self.letters: dict[int, Letter] = {}
        self.deadline = 0.0
        self.since = 0.0
        # Messages taken over it.
        self.accepted = 0
        self.blocked = False
        self._limits = limits
        self._lasts = lasts

    def offer(self, letter: Letter, mono: float) -> list[Event]:
        """Offer the next message, behind the one that is on its way."""
        self.letters[letter.delivery.id] = letter
        self.conversation.offer(write_offer(letter, self.link.offers))
        return self._pump(mono)

    def finish(self, letter: Letter, following: Letter | None, mono: float) -> list[Event]:
        """Write the message that was handed over, and offer the one after it in the same breath."""
        self.conversation.finish(letter.message.pieces)
        if following is not None:
            self.letters[following.delivery.id] = following
            self.conversation.offer(write_offer(following, self.link.offers))
        return self._pump(mono)

    def go_on(self, mono: float) -> list[Event]:
        """Read what has come, and write what could not be written before."""
        events: list[Event] = []
        conversation = self.conversation
        try:
            while (octets := self.link.read()) is not None:
                if not octets:
                    return events + conversation.lose("the server closed the connection")
                events += conversation.receive(octets)
                if not self.is_in_process:
                    break
        except OSError as error:
            return events + conversation.lose(str(error) or type(error).__name__)
        if conversation.output:
            return events + self._pump(mono)
        self._set_deadline(mono)
        return events

    def waiting(self, mono: float) -> float:
        """Seconds for which the server has said nothing and taken nothing that we wait for."""
        return 0.0 if self.conversation.idle else mono - self.since

    @property
    def offers_system(self) -> bool:
        """Whether system mail is under way here."""
        return any(letter.delivery.is_system for letter in self.letters.values())

    def take_back(self) -> Letter | None:
        """Withdraw the letter that is offered and not handed over."""
        delivery = self.conversation.withdraw()
        return self.letters.pop(delivery.id) if delivery is not None else None

    def say_goodbye(self) -> None:
        """QUIT, where nothing is under way. The answer changes nothing and is not awaited."""
        if self.conversation.idle and not self.conversation.over:
            with contextlib.suppress(OSError):
                self.link.write((b"QUIT\r\n",))

    def expire(self) -> list[Event]:
        """The server took too long."""
        return self.conversation.lose("no reply in time")

    def _pump(self, mono: float) -> list[Event]:
        conversation = self.conversation
        while conversation.output:
            if conversation.dot_waits and not self._lasts():
                return conversation.lose("our right to send it ended before the message did")
            try:
                taken = self.link.write(conversation.output)
            except OSError as error:
                return conversation.lose(str(error) or type(error).__name__)
            conversation.written(taken)
            self._set_deadline(mono)
            if conversation.output:
                self.blocked = True
                return []
        self.blocked = False
        return []

    def _set_deadline(self, mono: float) -> None:
        # Servers scan and store before they answer the dot; leaving earlier makes doubles.
        limit = self._limits.final if self.conversation.awaits_dot else self._limits.step
        self.since = mono
        self.deadline = mono + limit


def write_offer(letter: Letter, offers: Mapping[str, str]) -> Offer:
    """The commands that name sender and recipient, with what the server offers for them."""
    address, envelope = letter.address, letter.message.envelope
    mail, rcpt = f"MAIL FROM:<{envelope.sender}>", f"RCPT TO:<{address}>"
    if "size" in offers:
        mail += f" SIZE={letter.message.octets}"
    if letter.utf8:
        # The To field holds the address as it is: eight bits (RFC 6531 section 3.4).
        mail += " BODY=8BITMIME SMTPUTF8"
    elif "8bitmime" in offers:
        # All of it is ASCII; said, so that nobody on the way needs to look.
        mail += " BODY=7BIT"
    if "dsn" in offers:
        mail += " RET=HDRS"
        if envelope.envelope_id:
            mail += f" ENVID={envelope.envelope_id}"
        rcpt += " NOTIFY=FAILURE,DELAY"
        if original := original_recipient(address):
            rcpt += f" ORCPT={original}"
    # Addresses were checked before; this is the last door before the wire.
    if not (mail.isprintable() and rcpt.isprintable()):
        raise ValueError("an SMTP command must be one line")
    return Offer(letter.delivery, mail.encode(), rcpt.encode())
