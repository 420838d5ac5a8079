"""The text fields of an issue's forms: what stands in one, and what it was filled from.

Each field has a hidden companion, ``was-NAME``, with a mark of the text that it was filled
with. Two editors may so write in two fields of one form, or one go on typing where others
have saved since, without putting back what somebody else wrote.
"""

from dataclasses import dataclass

from newsletter.issues.versions import text_mark
from newsletter.web.desk.visit import Visit


@dataclass(frozen=True)
class TextField:
    """What a field shows, and the mark of what it was filled from."""

    value: str
    was: str


@dataclass(frozen=True)
class Problem:
    """Why an act was not done: a sentence in English, and what two editors wrote.

    ``form`` is the act of the form that is filled as it was typed; ``past`` the version that
    could not be undone, or done again: the next press steps over it.
    """

    sentence: str
    clashes: tuple[str, ...] = ()
    form: str = ""
    past: int = 0


def typed_text(visit: Visit, name: str, filled: str) -> str | None:
    """What was typed in a field; None where it stands as it was filled.

    ``filled`` is the text that it was filled with where the form does not say.
    """
    if name not in visit.form:
        return None
    text = visit.field(name).replace("\r\n", "\n").strip()
    return None if text_mark(text) == mark_sent(visit, name, filled) else text


def mark_sent(visit: Visit, name: str, filled: str) -> str:
    """The mark of what the field was filled from, as `typed_text` takes it."""
    return visit.field(f"was-{name}") or text_mark(filled)


def text_field(visit: Visit, name: str, stored: str, problem: Problem | None) -> TextField:
    """A field of the form that ``problem`` is about: filled as typed, else as it is stored.

    Whoever was shown what another wrote there may write over it.
    """
    if problem is None or typed_text(visit, name, stored) is None:
        return TextField(stored, text_mark(stored))
    was = text_mark(stored) if problem.clashes else mark_sent(visit, name, stored)
    return TextField(visit.field(name), was)


def begun_from(visit: Visit, version: int, problem: Problem | None) -> int:
    """The version that the form of ``problem`` goes on from; ``version`` is the newest."""
    sent = visit.field("version")
    if problem is None or problem.clashes or not (sent.isascii() and sent.isdecimal()):
        return version
    return min(int(sent[:9]), version)
