"""From a claimed row to a letter: the mailing's template filled for the reader."""

import queue
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence

from newsletter.delivery.addresses import needs_utf8, refusal_for, wire_address
from newsletter.delivery.line import Letter
from newsletter.delivery.message import MessageTemplate
from newsletter.delivery.model import (
    Delivery,
    Mailing,
    Outcome,
    OutcomeKind,
    Reply,
    Settlement,
)
from newsletter.errors import AddressError, RenderError
from newsletter.log import get_logger

log = get_logger(__name__)

# An issue's variants (at most 40), which come in no order, and the system mail between
# them: each confirmation is a mailing. A template is some 200 KB.
_TEMPLATES_KEPT = 64

# A row, its address as the envelope has it, and whether that needs SMTPUTF8.
_Addressed = tuple[Delivery, str, bool]


class LetterWriter:
    """Writes letters; who can't be written to is refused, by himself. For several threads."""

    def __init__(
        self,
        load: Callable[[str], Mailing],
        prepare: Callable[[Mailing], MessageTemplate],
        group_of: Callable[[str], str],
    ) -> None:
        self._load = load
        self._prepare = prepare
        self.group_of = group_of
        self._lock = threading.Lock()
        self._templates: OrderedDict[str, MessageTemplate] = OrderedDict()
        self._refused: queue.SimpleQueue[Settlement] = queue.SimpleQueue()
        self._broken: dict[str, RenderError] = {}

    def write(self, deliveries: Sequence[Delivery]) -> list[Letter]:
        """The letters of some rows, in their order; those that can't be mailed are left out:
        see `refused` and `broken`."""
        # The readers of an issue's variants come in no order of these.
        by_mailing: dict[str, list[_Addressed]] = {}
        for addressed in self._addressed(deliveries):
            by_mailing.setdefault(addressed[0].mailing_id, []).append(addressed)
        letters = {
            letter.delivery.id: letter
            for mailing_id, rows in by_mailing.items()
            for letter in self._write(mailing_id, rows)
        }
        return [letters[row.id] for row in deliveries if row.id in letters]

    def refused(self) -> list[Settlement]:
        """Rows that could not be written since the last call."""
        settled = []
        while not self._refused.empty():
            settled.append(self._refused.get())
        return settled

    def broken(self) -> dict[str, RenderError]:
        """Mailings of issues that can't be built for anybody, since the last call; and why."""
        broken, self._broken = self._broken, {}
        return broken

    def _addressed(self, deliveries: Iterable[Delivery]) -> list[_Addressed]:
        """Those that have an address which can stand in an envelope, with it."""
        addressed: list[_Addressed] = []
        for delivery in deliveries:
            utf8 = needs_utf8(delivery.address)
            try:
                addressed.append((delivery, wire_address(delivery.address, utf8=utf8), utf8))
            except AddressError as error:
                self._refuse(delivery, refusal_for(error, delivery.address, utf8=utf8))
        return addressed

    def _write(self, mailing_id: str, rows: list[_Addressed]) -> list[Letter]:
        if mailing_id in self._broken:
            return []
        try:
            template = self._template_of(mailing_id)
        except RenderError as error:
            for delivery, _, _ in rows:
                if delivery.is_system:
                    self._refuse_for(delivery, error)
                else:
                    self._broken[mailing_id] = error
            return []
        return self._fill(template, rows)

    def _fill(self, template: MessageTemplate, rows: list[_Addressed]) -> list[Letter]:
        try:
            messages = template.write([row[0] for row in rows], [row[1] for row in rows])
        except RenderError as error:
            if len(rows) > 1:
                # One of them, and the others go: which one is found out one by one.
                return [letter for row in rows for letter in self._fill(template, [row])]
            self._refuse_for(rows[0][0], error)
            return []
        sender, group_of = template.from_address, self.group_of
        return [
            Letter(delivery, address, message, sender, group_of(delivery.domain), utf8)
            for (delivery, address, utf8), message in zip(rows, messages, strict=True)
        ]

    def _refuse_for(self, delivery: Delivery, error: RenderError) -> None:
        log.warning("message_not_built", delivery=delivery.id, error=str(error))
        reply = Reply(code=0, text=str(error))
        self._refuse(delivery, Outcome(OutcomeKind.REFUSED, "content", reply, sender_fault=True))

    def _refuse(self, delivery: Delivery, outcome: Outcome) -> None:
        self._refused.put(Settlement(delivery.id, outcome))

    def _template_of(self, mailing_id: str) -> MessageTemplate:
        template = self._templates.get(mailing_id)
        if template is not None:
            return template
        with self._lock:
            template = self._templates.get(mailing_id)
            if template is None:
                template = self._prepare(self._load(mailing_id))
                self._templates[mailing_id] = template
                if len(self._templates) > _TEMPLATES_KEPT:
                    self._templates.popitem(last=False)
            return template
