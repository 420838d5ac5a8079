"""The filter language over readers: text to a typed tree, and back.

    filter     = all-of {"or" all-of}
    all-of     = part {"and" part}
    part       = "not" part | "(" filter ")" | comparison
    comparison = field ("=" | "!=" | "<" | "<=" | ">" | ">=") value
               | field ["not"] "in" "(" value {"," value} ")"
    field      = newsletter | state | department | language | cadence | signed_up
               | source | placement | clicks(90d) | attribute.NAME
    value      = word | "text" | number | 2026-01-31 | 90d ago

A filter is asked of each subscription, which is a reader on a newsletter. What
comes of it is a tree of values: storage binds them as parameters.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple, NoReturn

from newsletter.errors import ConfigError, SegmentError
from newsletter.publication.cadence import Cadence
from newsletter.publication.model import Clicks, Settings
from newsletter.subscribers.attributes import attribute_name
from newsletter.subscribers.model import (
    AllOf,
    AnyOf,
    Asked,
    Comparison,
    DaysAgo,
    Filter,
    Not,
    OneOf,
    Operator,
    SegmentField,
    SegmentValue,
    SubscriptionState,
    Waits,
)

MAX_LENGTH = 2_000  # characters
MAX_DEPTH = 20  # of parentheses and nots
MAX_VALUES = 200  # in all comparisons and lists together
MAX_DAYS = 3_650
# As many digits of a number are the same in both databases and in Python.
MAX_DIGITS = 15

_TOKEN = re.compile(
    r"""
      (?P<text>"(?:[^"\\]|\\["\\])*")
    | (?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})(?![\w-])
    | (?P<days>[0-9]+d)(?![\w-])
    | (?P<number>-?[0-9]+(?:\.[0-9]+)?)(?![\w-])
    | (?P<word>[^\W\d][\w-]*(?:\.[\w-]+)?)
    | (?P<sign><=|>=|!=|[=<>(),])
    """,
    re.VERBOSE,
)
_SPACE = re.compile(r"\s*")
_BARE = re.compile(r"[^\W\d][\w-]*")
_ORDERED = (SegmentField.SIGNED_UP, SegmentField.CLICKS)
_FIELDS = [
    *(str(f) for f in SegmentField if f not in (SegmentField.CLICKS, SegmentField.ATTRIBUTE)),
    "clicks(90d)",
    "attribute.NAME",
]


@dataclass(frozen=True)
class Scope:
    """What a filter may speak of in the place where it stands.

    ``newsletters`` None: any. ``of_newsletter``: it narrows one newsletter, whose
    readers are all on that and active.
    """

    newsletters: tuple[str, ...] | None = None
    clicks: Clicks = "count"
    of_newsletter: bool = False

    @classmethod
    def of(cls, settings: Settings, *, of_newsletter: bool = False) -> "Scope":
        """The scope of an installation with these settings."""
        slugs = tuple(newsletter.slug for newsletter in settings.newsletter)
        return cls(slugs, settings.tracking.clicks, of_newsletter)


def parse_segment(text: str, scope: Scope = Scope()) -> Filter:
    """The tree of a filter; SegmentError says in one sentence where it breaks and what mends it."""
    if len(text) > MAX_LENGTH:
        raise SegmentError(
            f"filter: it has {len(text):,} characters; make it at most {MAX_LENGTH:,}",
            subject="filter",
        )
    return _Parser(_tokens(text), scope).parse()


def print_segment(tree: Filter) -> str:
    """A filter as `parse_segment` reads it back."""
    if isinstance(tree, Comparison):
        return f"{_print_asked(tree.asked)} {tree.operator} {_print_value(tree.value)}"
    if isinstance(tree, OneOf):
        values = ", ".join(map(_print_value, tree.values))
        return f"{_print_asked(tree.asked)} in ({values})"
    if isinstance(tree, Waits):
        return f"waits for {tree.slot}"
    if isinstance(tree, Not):
        return f"not {_inside(tree.part, AllOf, AnyOf)}"
    if isinstance(tree, AllOf):
        return " and ".join(_inside(part, AllOf, AnyOf) for part in tree.parts)
    return " or ".join(_inside(part, AnyOf) for part in tree.parts)


def check_segments(settings: Settings, where: str) -> None:
    """ConfigError, naming ``where``, for a newsletter whose ``segment`` can't be used."""
    for newsletter in settings.newsletter:
        if not newsletter.segment:
            continue
        try:
            parse_segment(newsletter.segment, Scope.of(settings, of_newsletter=True))
        except SegmentError as error:
            raise ConfigError(
                f'{where}: newsletter "{newsletter.slug}": segment: {error}',
                subject="newsletter.segment",
            ) from error


class _Token(NamedTuple):
    kind: str
    text: str
    place: int


def _fail(place: int, sentence: str) -> NoReturn:
    raise SegmentError(f"filter, character {place}: {sentence}", subject="filter", place=place)


def _tokens(text: str) -> list[_Token]:
    found = []
    place = _skip(text, 0)
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            if text[place] == '"':
                _fail(place + 1, "this text has no end; close it by another quotation mark")
            if text[place].isdecimal():
                _fail(place + 1, "this is no number and no date; put text in quotation marks")
            shown = text[place] if text[place].isprintable() else f"U+{ord(text[place]):04X}"
            _fail(place + 1, f"{shown} has no meaning here; put text in quotation marks")
        kind = str(match.lastgroup)
        found.append(_Token(kind, match[kind], place + 1))
        place = _skip(text, match.end())
    found.append(_Token("end", "", len(text) + 1))
    return found


def _skip(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place


class _Parser:
    """Recursive descent, a function a rule; `_at` is the token that comes next."""

    def __init__(self, tokens: list[_Token], scope: Scope) -> None:
        self._tokens = tokens
        self._scope = scope
        self._next = 0
        self._depth = 0
        self._values = 0

    def parse(self) -> Filter:
        if self._at.kind == "end":
            _fail(1, "it is empty; write a comparison such as language = hy")
        tree = self._any_of()
        if self._at.kind != "end":
            self._unexpected('"and", "or" or the end')
        return tree

    @property
    def _at(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._at
        self._next += token.kind != "end"
        return token

    def _takes_word(self, word: str) -> bool:
        if self._at.kind == "word" and self._at.text.lower() == word:
            self._next += 1
            return True
        return False

    def _takes_sign(self, sign: str) -> bool:
        if self._at.kind == "sign" and self._at.text == sign:
            self._next += 1
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._takes_sign(sign):
            self._unexpected(f'"{sign}"')

    def _unexpected(self, wanted: str) -> NoReturn:
        token = self._at
        if token.kind == "end":
            _fail(token.place, f"it ends here; {wanted} has to follow")
        _fail(token.place, f"{_shown(token.text)} stands where {wanted} has to")

    def _any_of(self) -> Filter:
        parts = self._parts("or", self._all_of)
        return parts[0] if len(parts) == 1 else AnyOf(parts)

    def _all_of(self) -> Filter:
        parts = self._parts("and", self._part)
        return parts[0] if len(parts) == 1 else AllOf(parts)

    def _parts(self, word: str, rule: Callable[[], Filter]) -> tuple[Filter, ...]:
        parts = [rule()]
        while self._takes_word(word):
            parts.append(rule())
        return tuple(parts)

    def _part(self) -> Filter:
        place = self._at.place
        negated = self._takes_word("not")
        if not negated and not self._takes_sign("("):
            return self._comparison()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            _fail(place, f"more than {MAX_DEPTH} parentheses and nots are inside each other")
        tree: Filter
        if negated:
            tree = Not(self._part())
        else:
            tree = self._any_of()
            self._expect(")")
        self._depth -= 1
        return tree

    def _comparison(self) -> Filter:
        asked = self._asked()
        negated = self._takes_word("not")
        if self._at.kind == "word" and self._at.text.lower() == "in":
            place = self._take().place
            if asked.field in _ORDERED:
                _fail(place, f"{asked.field} has no lists; compare it by = < <= > >=")
            self._expect("(")
            values = [self._value(asked, Operator.EQUAL)]
            while self._takes_sign(","):
                values.append(self._value(asked, Operator.EQUAL))
            self._expect(")")
            listed = OneOf(asked, tuple(values))
            return Not(listed) if negated else listed
        if negated or self._at.kind != "sign" or self._at.text in "(),":
            self._unexpected('"in"' if negated else "= != < <= > >= or in")
        sign = self._take()
        operator = Operator(sign.text)
        is_text = asked.field not in (*_ORDERED, SegmentField.ATTRIBUTE)
        if is_text and operator not in (Operator.EQUAL, Operator.UNEQUAL):
            _fail(sign.place, f"{asked.field} is not ordered; compare it by =, != or in")
        return Comparison(asked, operator, self._value(asked, operator))

    def _asked(self) -> Asked:
        token = self._at
        if token.kind != "word":
            self._unexpected("a field")
        self._next += 1
        name, dot, rest = token.text.partition(".")
        field = next((f for f in SegmentField if f.value == name.lower()), None)
        is_attribute = field is SegmentField.ATTRIBUTE
        if field is None or is_attribute != bool(dot):
            if is_attribute:
                _fail(token.place, "attribute needs a name: write attribute.city")
            _fail(token.place, f"{_shown(token.text)} is no field; there are {', '.join(_FIELDS)}")
        if self._scope.of_newsletter and field in (SegmentField.NEWSLETTER, SegmentField.STATE):
            _fail(
                token.place,
                f"the segment of a newsletter is of its active readers anyway; leave {field} out",
            )
        if self._scope.of_newsletter and field is SegmentField.CADENCE:
            _fail(
                token.place,
                "each issue goes to those who want it by their cadence anyway; leave cadence out",
            )
        if is_attribute:
            stored = attribute_name(rest)
            if not stored:
                _fail(token.place, "an attribute's name has letters: write attribute.city")
            return Asked(field, stored)
        if field is SegmentField.CLICKS:
            return Asked(field, days=self._clicks_within(token.place))
        return Asked(field)

    def _clicks_within(self, place: int) -> int:
        if self._scope.clicks != "count":
            _fail(
                place,
                f'clicks are not known by reader here: [tracking] clicks is "{self._scope.clicks}" '
                'and has to be "count"',
            )
        self._expect("(")
        days = self._days()
        self._expect(")")
        return days

    def _days(self) -> int:
        if self._at.kind != "days":
            self._unexpected("a number of days such as 90d")
        token = self._take()
        text = token.text[:-1].lstrip("0")
        if len(text) > len(str(MAX_DAYS)) or not 1 <= int(text or 0) <= MAX_DAYS:
            _fail(token.place, f"write 1d to {MAX_DAYS}d")
        return int(text)

    def _value(self, asked: Asked, operator: Operator) -> SegmentValue:
        token = self._at
        self._values += 1
        if self._values > MAX_VALUES:
            _fail(token.place, f"it compares with more than {MAX_VALUES} values")
        if asked.field is SegmentField.SIGNED_UP:
            return self._day()
        if asked.field is SegmentField.CLICKS:
            if token.kind != "number" or not token.text.isdigit():
                self._unexpected("a whole number")
            return _number(self._take())
        is_attribute = asked.field is SegmentField.ATTRIBUTE
        if is_attribute and token.kind == "number":
            return _number(self._take())
        if operator not in (Operator.EQUAL, Operator.UNEQUAL):
            self._unexpected("a number")
        value = self._text()
        if asked.field is SegmentField.STATE and value not in list(SubscriptionState):
            _fail(token.place, f"{_shown(value)} is no state; {_either(SubscriptionState)}")
        if asked.field is SegmentField.CADENCE and value not in list(Cadence):
            _fail(token.place, f"{_shown(value)} is no cadence; {_either(Cadence)}")
        known = self._scope.newsletters
        if asked.field is SegmentField.NEWSLETTER and known is not None and value not in known:
            _fail(token.place, f"there is no newsletter {_shown(value)}; {_either(known)}")
        return value

    def _text(self) -> str:
        token = self._at
        if token.kind == "word":
            self._next += 1
            return token.text
        if token.kind != "text":
            self._unexpected("a word, or text in quotation marks,")
        self._next += 1
        text = re.sub(r"\\(.)", r"\1", token.text[1:-1])
        if any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
            _fail(token.place, "this text holds a character that can't be stored; leave it out")
        return text

    def _day(self) -> date | DaysAgo:
        if self._at.kind == "days":
            days = self._days()
            if not self._takes_word("ago"):
                self._unexpected('"ago"')
            return DaysAgo(days)
        if self._at.kind != "date":
            self._unexpected("a day such as 2026-01-31 or 90d ago")
        token = self._take()
        try:
            day = date.fromisoformat(token.text)
        except ValueError:
            day = None
        if day is None or not 1970 < day.year < 9000:
            _fail(token.place, f"there is no day {token.text}; write one as 2026-01-31")
        return day


def _number(token: _Token) -> Decimal:
    if sum(c.isdigit() for c in token.text) > MAX_DIGITS:
        _fail(token.place, f"a number has at most {MAX_DIGITS} digits")
    return Decimal(token.text)


def _either(words: Iterable[str]) -> str:
    return "there is " + ", ".join(map(str, words))


def _shown(text: str) -> str:
    plain = text.strip('"')[:40]
    return f"“{plain}”" if plain.isprintable() else "what stands here"


def _inside(tree: Filter, *wrapped: type[AllOf] | type[AnyOf]) -> str:
    text = print_segment(tree)
    return f"({text})" if isinstance(tree, wrapped) else text


def _print_asked(asked: Asked) -> str:
    if asked.field is SegmentField.CLICKS:
        return f"clicks({asked.days}d)"
    return f"attribute.{asked.name}" if asked.name else str(asked.field)


def _print_value(value: SegmentValue) -> str:
    if isinstance(value, DaysAgo):
        return f"{value.days}d ago"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):
        return value.isoformat()
    if _BARE.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
