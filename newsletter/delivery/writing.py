"""From a claimed row to a letter: the mailing's template filled for the reader."""

import queue
import threading
from collections import OrderedDict
from collections.abc import Callable

from newsletter.delivery.addresses import needs_utf8, refuse_address
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
from newsletter.errors import RenderError
from newsletter.log import get_logger

log = get_logger(__name__)

# An issue's variants (at most 40), which come in no order, and the system mail between
# them: each confirmation is a mailing. A template is some 200 KB.
_TEMPLATES_KEPT = 64


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

    def write(self, delivery: Delivery) -> Letter | None:
        """The letter of a row, or None where it can't be mailed: see `refused` and `broken`."""
        utf8 = needs_utf8(delivery.address)
        refusal = refuse_address(delivery.address, utf8=utf8)
        if refusal is not None:
            self._refuse(delivery, refusal)
            return None
        if delivery.mailing_id in self._broken:
            return None
        try:
            template = self._template_of(delivery.mailing_id)
        except RenderError as error:
            if delivery.is_system:
                self._refuse_for(delivery, error)
            else:
                self._broken[delivery.mailing_id] = error
            return None
        try:
            message = template.pieces(delivery, utf8=utf8)
        except RenderError as error:
            self._refuse_for(delivery, error)
            return None
        return Letter(
            delivery,
            template.envelope(delivery),
            message,
            template.from_address,
            self.group_of(delivery.domain),
            utf8,
        )

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
