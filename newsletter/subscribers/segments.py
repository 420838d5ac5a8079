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
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NoReturn

from newsletter.errors import ConfigError, Saying, SegmentError
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
)
from newsletter.subscribers.segment_tokens import Token, fail, read_tokens, say, show_text
from newsletter.words import gettext_noop

MAX_LENGTH = 2_000  # characters
MAX_DEPTH = 20  # of parentheses and nots
MAX_VALUES = 200  # in all comparisons and lists together
MAX_DAYS = 3_650
# As many digits of a number are the same in both databases and in Python.
MAX_DIGITS = 15

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
        saying = say(
            gettext_noop("filter: it has %(size)s characters; make it at most %(most)s"),
            size=f"{len(text):,}",
            most=f"{MAX_LENGTH:,}",
        )
        raise SegmentError(saying, subject="filter")
    return _Parser(read_tokens(text), scope).parse()


def check_segments(settings: Settings, where: str) -> None:
    """ConfigError, naming ``where``, for a newsletter whose ``segment`` can't be used."""
    for slug, error in broken_segments(settings):
        raise ConfigError(
            f'{where}: newsletter "{slug}": segment: {error}', subject="newsletter.segment"
        ) from error


def broken_segments(settings: Settings) -> Iterator[tuple[str, SegmentError]]:
    """The newsletters, by slug, whose ``segment`` can't be used, and why."""
    for newsletter in settings.newsletter:
        if not newsletter.segment:
            continue
        try:
            parse_segment(newsletter.segment, Scope.of(settings, of_newsletter=True))
        except SegmentError as error:
            yield newsletter.slug, error


class _Parser:
    """Recursive descent, a function a rule; `_at` is the token that comes next."""

    def __init__(self, tokens: list[Token], scope: Scope) -> None:
        self._tokens = tokens
        self._scope = scope
        self._next = 0
        self._depth = 0
        self._values = 0

    def parse(self) -> Filter:
        if self._at.kind == "end":
            fail(1, gettext_noop("it is empty; write a comparison such as language = hy"))
        tree = self._any_of()
        if self._at.kind != "end":
            self._unexpected(say(gettext_noop("“and”, “or” or the end")))
        return tree

    @property
    def _at(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
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
            self._unexpected(show_text(sign))

    def _unexpected(self, wanted: Saying) -> NoReturn:
        token = self._at
        if token.kind == "end":
            fail(
                token.place,
                gettext_noop("it ends here; %(wanted)s has to follow"),
                wanted=wanted,
            )
        fail(
            token.place,
            gettext_noop("%(shown)s stands where %(wanted)s has to"),
            shown=show_text(token.text),
            wanted=wanted,
        )

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
            fail(
                place,
                gettext_noop("more than %(most)s parentheses and nots are inside each other"),
                most=MAX_DEPTH,
            )
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
                fail(
                    place,
                    gettext_noop("%(field)s has no lists; compare it by %(signs)s"),
                    signs="= < <= > >=",
                    field=asked.field,
                )
            self._expect("(")
            values = [self._value(asked, Operator.EQUAL)]
            while self._takes_sign(","):
                values.append(self._value(asked, Operator.EQUAL))
            self._expect(")")
            listed = OneOf(asked, tuple(values))
            return Not(listed) if negated else listed
        if negated or self._at.kind != "sign" or self._at.text in "(),":
            signs = say(gettext_noop("%(signs)s or in"), signs="= != < <= > >=")
            self._unexpected(show_text("in") if negated else signs)
        sign = self._take()
        operator = Operator(sign.text)
        is_text = asked.field not in (*_ORDERED, SegmentField.ATTRIBUTE)
        if is_text and operator not in (Operator.EQUAL, Operator.UNEQUAL):
            fail(
                sign.place,
                gettext_noop("%(field)s is not ordered; compare it by %(signs)s or in"),
                signs="=, !=",
                field=asked.field,
            )
        return Comparison(asked, operator, self._value(asked, operator))

    def _asked(self) -> Asked:
        token = self._at
        if token.kind != "word":
            self._unexpected(say(gettext_noop("a field")))
        self._next += 1
        name, dot, rest = token.text.partition(".")
        field = next((f for f in SegmentField if f.value == name.lower()), None)
        is_attribute = field is SegmentField.ATTRIBUTE
        if field is None or is_attribute != bool(dot):
            if is_attribute:
                fail(token.place, gettext_noop("attribute needs a name: write attribute.city"))
            fail(
                token.place,
                gettext_noop("%(shown)s is no field; there are %(fields)s"),
                shown=show_text(token.text),
                fields=", ".join(_FIELDS),
            )
        if self._scope.of_newsletter:
            _refuse_of_newsletter(token.place, field)
        if is_attribute:
            stored = attribute_name(rest)
            if not stored:
                fail(
                    token.place,
                    gettext_noop("an attribute's name has letters: write attribute.city"),
                )
            return Asked(field, stored)
        if field is SegmentField.CLICKS:
            return Asked(field, days=self._clicks_within(token.place))
        return Asked(field)

    def _clicks_within(self, place: int) -> int:
        if self._scope.clicks != "count":
            fail(
                place,
                gettext_noop(
                    "clicks are not known by reader here: [tracking] clicks is "
                    "“%(clicks)s” and has to be “count”"
                ),
                clicks=self._scope.clicks,
            )
        self._expect("(")
        days = self._days()
        self._expect(")")
        return days

    def _days(self) -> int:
        if self._at.kind != "days":
            self._unexpected(say(gettext_noop("a number of days such as 90d")))
        token = self._take()
        text = token.text[:-1].lstrip("0")
        if len(text) > len(str(MAX_DAYS)) or not 1 <= int(text or 0) <= MAX_DAYS:
            fail(token.place, gettext_noop("write 1d to %(most)s"), most=f"{MAX_DAYS}d")
        return int(text)

    def _value(self, asked: Asked, operator: Operator) -> SegmentValue:
        token = self._at
        self._values += 1
        if self._values > MAX_VALUES:
            fail(
                token.place,
                gettext_noop("it compares with more than %(most)s values"),
                most=MAX_VALUES,
            )
        if asked.field is SegmentField.SIGNED_UP:
            return self._day()
        if asked.field is SegmentField.CLICKS:
            if token.kind != "number" or not token.text.isdigit():
                self._unexpected(say(gettext_noop("a whole number")))
            return _number(self._take())
        is_attribute = asked.field is SegmentField.ATTRIBUTE
        if is_attribute and token.kind == "number":
            return _number(self._take())
        if operator not in (Operator.EQUAL, Operator.UNEQUAL):
            self._unexpected(say(gettext_noop("a number")))
        value = self._text()
        self._check_known(token.place, asked.field, value)
        return value

    def _check_known(self, place: int, field: SegmentField, value: str) -> None:
        """Fail where a field has certain values alone, and this is none of them."""
        known: Iterable[str]
        if field is SegmentField.STATE:
            known, message = (
                SubscriptionState,
                gettext_noop("%(shown)s is no state; there is %(known)s"),
            )
        elif field is SegmentField.CADENCE:
            known, message = Cadence, gettext_noop("%(shown)s is no cadence; there is %(known)s")
        elif field is SegmentField.NEWSLETTER and self._scope.newsletters is not None:
            known = self._scope.newsletters
            message = gettext_noop("there is no newsletter %(shown)s; there is %(known)s")
        else:
            return
        if value not in list(known):
            fail(place, message, shown=show_text(value), known=", ".join(known))

    def _text(self) -> str:
        token = self._at
        if token.kind == "word":
            self._next += 1
            return token.text
        if token.kind != "text":
            self._unexpected(say(gettext_noop("a word, or text in quotation marks,")))
        self._next += 1
        text = re.sub(r"\\(.)", r"\1", token.text[1:-1])
        if any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
            fail(
                token.place,
                gettext_noop("this text holds a character that can't be stored; leave it out"),
            )
        return text

    def _day(self) -> date | DaysAgo:
        if self._at.kind == "days":
            days = self._days()
            if not self._takes_word("ago"):
                self._unexpected(show_text("ago"))
            return DaysAgo(days)
        if self._at.kind != "date":
            self._unexpected(say(gettext_noop("a day such as 2026-01-31 or 90d ago")))
        token = self._take()
        try:
            day = date.fromisoformat(token.text)
        except ValueError:
            day = None
        if day is None or not 1970 < day.year < 9000:
            fail(
                token.place,
                gettext_noop("there is no day %(day)s; write one as 2026-01-31"),
                day=token.text,
            )
        return day


def _number(token: Token) -> Decimal:
    if sum(c.isdigit() for c in token.text) > MAX_DIGITS:
        fail(token.place, gettext_noop("a number has at most %(most)s digits"), most=MAX_DIGITS)
    return Decimal(token.text)


def _refuse_of_newsletter(place: int, field: SegmentField) -> None:
    """Fail for what is not asked where the newsletter is given."""
    if field in (SegmentField.NEWSLETTER, SegmentField.STATE):
        fail(
            place,
            gettext_noop(
                "the segment of a newsletter is of its active readers anyway; leave %(field)s out"
            ),
            field=field,
        )
    if field is SegmentField.CADENCE:
        fail(
            place,
            gettext_noop(
                "each issue goes to those who want it by their cadence anyway; leave cadence out"
            ),
        )
