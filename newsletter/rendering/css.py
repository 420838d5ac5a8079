"""Style sheets of mails, read into rules and declarations."""

import re
from dataclasses import dataclass

DARK_QUERY = "prefers-color-scheme"

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_IMPORTANT = re.compile(r"\s*!\s*important\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Declaration:
    """``name: value``, without the ``!important``; ``text`` is how it stands there."""

    name: str
    value: str
    important: bool
    text: str


@dataclass(frozen=True)
class Rule:
    """``selectors`` one by one, white space made single; ``at`` are the @ rules around it."""

    selectors: tuple[str, ...]
    declarations: tuple[Declaration, ...]
    at: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """A sheet's rules; ``statements`` are @ rules without a block, such as @import.

    ``broken`` is what stands where a brace is missing or too many; None where none is.
    """

    rules: tuple[Rule, ...]
    statements: tuple[str, ...] = ()
    broken: str | None = None


def parse_sheet(css: str) -> Sheet:
    """The rules of ``css``, whatever it is; what can't be read as one is passed over."""
    rules: list[Rule] = []
    statements: list[str] = []
    broken: str | None = None
    at: list[str] = []
    text = _COMMENT.sub(" ", css)
    place = 0
    while place < len(text):
        end, mark = _find(text, place, "{};")
        head = text[place:end].strip()
        place = end + 1
        if mark == "{" and head.startswith("@") and not _holds_declarations(head):
            at.append(_single_spaced(head))
        elif mark == "{":
            end, mark = _find(text, place, "{}")
            if mark == "{":  # a rule within a rule: read as an @ rule is, its inner one follows
                at.append(_single_spaced(head))
                continue
            if mark == "" and broken is None:
                broken = at[0] if at else _single_spaced(head)
            rules.append(
                Rule(_split_selectors(head), parse_declarations(text[place:end]), tuple(at))
            )
            place = end + 1
        elif mark == "}" and at:
            at.pop()
        elif mark == "}" and broken is None:
            broken = rules[-1].selectors[-1] if rules and rules[-1].selectors else "}"
        elif mark == ";" and head:
            statements.append(_single_spaced(head))
    if at and broken is None:
        broken = at[0]
    return Sheet(tuple(rules), tuple(statements), broken)


def parse_declarations(text: str) -> tuple[Declaration, ...]:
    """The declarations of a rule or of a style attribute, in their order."""
    found: list[Declaration] = []
    place = 0
    text = _COMMENT.sub(" ", text)
    while place < len(text):
        end, _ = _find(text, place, ";")
        written = text[place:end].strip()
        place = end + 1
        name, colon, value = written.partition(":")
        if colon and name.strip():
            bare = _IMPORTANT.sub("", value).strip()
            found.append(Declaration(name.strip().lower(), bare, bare != value.strip(), written))
    return tuple(found)


def _find(text: str, place: int, marks: str) -> tuple[int, str]:
    """Where the next of ``marks`` stands outside of quotes and parentheses, and which it is."""
    quote, depth = "", 0
    while place < len(text):
        character = text[place]
        if character == "\\":
            place += 1
        elif quote:
            quote = "" if character in (quote, "\n") else quote
        elif character in "\"'":
            quote = character
        elif character == "(":
            depth += 1
        elif character == ")":
            depth = max(0, depth - 1)
        elif character in marks and (not depth or character in "{}"):
            return place, character
        place += 1
    return len(text), ""


def _holds_declarations(head: str) -> bool:
    return head.lower().startswith(("@font-face", "@page"))


def _split_selectors(head: str) -> tuple[str, ...]:
    found: list[str] = []
    place = 0
    while place < len(head):
        # Brackets stand for parentheses here: a comma within is none between selectors.
        end, _ = _find(head.replace("[", "(").replace("]", ")"), place, ",")
        selector = _single_spaced(re.sub(r"\s*>\s*", " > ", head[place:end]))
        if selector:
            found.append(selector)
        place = end + 1
    return tuple(found)


def _single_spaced(text: str) -> str:
    return " ".join(text.split())
