"""Which visitors are programs, by the name that they give themselves."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache

from crawleruseragents import CRAWLER_USER_AGENTS_DATA

# Those of the last few thousand visits; a name that comes anew costs about 10 µs.
_AGENTS_KEPT = 4_096
# Longer ones are no browser's, and a regular expression's time grows with them.
_LONGEST_AGENT = 1_000
# What the list of crawlers lacks: mail gateways that follow a mail's links, where they
# say so, and Microsoft Office, which asks for a link before it opens it.
_SCANNERS = (
    *("barracuda", "cloudmark", "fireeye", "forcepoint", "fortiguard", "ironport"),
    *("messagelabs", "mimecast", "proofpoint", "symantec", "trend ?micro", "urldefense"),
    *("microsoft office existence discovery", "microsoft office protocol discovery"),
)
# What browsers say: the letters of these tell no crawler apart.
_BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/120.0.0.0 Safari/537.36 Edg/120.0.0.0 OPR/120.0.0.0",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/17.0 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) (iPad; compatible; Linux; Android 14; Mobile)",
)
_LETTERS = 4


def is_bot(agent: str) -> bool:
    """Whether this User-Agent is a crawler's or a mail scanner's.

    One that is empty or "-" is no browser's either.
    """
    return len(agent) > _LONGEST_AGENT or _is_bot(agent)


@lru_cache(maxsize=_AGENTS_KEPT)
def _is_bot(agent: str) -> bool:
    name = agent.strip()
    return name in ("", "-") or _PROGRAMS.are_in(name)


class _Expressions:
    """Many regular expressions, of which one is to be found in a name.

    A search for all fifteen hundred costs 120 µs. But nearly all contain some letters
    that must be there as they stand: four of them are looked for first, all at once,
    and only where they are there the expression is tried.
    """

    def __init__(self, exact: Iterable[str], any_case: Iterable[str]) -> None:
        common = {four for browser in _BROWSERS for four in _fours(browser.lower())}
        parts = {
            form.format(part): _longest_letters(part).lower()
            for form, expressions in (("{}", exact), ("(?i:{})", any_case))
            for expression in expressions
            for part in _alternatives(expression)
        }
        frequent = Counter(four for letters in parts.values() for four in set(_fours(letters)))
        by_four: dict[str, list[str]] = defaultdict(list)
        by_fewer: dict[str, list[str]] = defaultdict(list)
        for part, letters in parts.items():
            if len(letters) < _LETTERS:
                by_fewer[letters].append(part)
                continue
            rarest = min(_fours(letters), key=lambda four: (four in common, frequent[four]))
            by_four[rarest].append(part)
        self._by_four = {four: re.compile("|".join(each)) for four, each in by_four.items()}
        self._by_fewer = [(few, re.compile("|".join(each))) for few, each in by_fewer.items()]

    def are_in(self, name: str) -> bool:
        """Whether any of the expressions is found in ``name``."""
        lower = name.lower()
        for four in self._by_four.keys() & set(_fours(lower)):
            if self._by_four[four].search(name):
                return True
        return any(few in lower and each.search(name) for few, each in self._by_fewer)


def _fours(text: str) -> list[str]:
    return [text[at : at + _LETTERS] for at in range(len(text) - _LETTERS + 1)]


_PIECES = re.compile(
    r"\\(?P<mark>[^a-zA-Z0-9])|(?P<special>\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[\^$.])"
    r"|(?P<repeat>[*+?]|\{[0-9,]+\})|(?P<open>\()|(?P<close>\))|(?P<or>\|)|(?P<letter>.)",
    re.DOTALL,
)


def _alternatives(pattern: str) -> Iterator[str]:
    """A regular expression parted at each "|" that stands in no group."""
    depth = start = 0
    for piece in _PIECES.finditer(pattern):
        depth += (piece.lastgroup == "open") - (piece.lastgroup == "close")
        if piece.lastgroup == "or" and not depth:
            yield pattern[start : piece.start()]
            start = piece.end()
    yield pattern[start:]


def _longest_letters(pattern: str) -> str:
    """The longest row of letters that is in all that ``pattern``, which has no alternative, finds.

    Those in a group are not counted, nor one that may be repeated or missing.
    """
    rows, depth = [""], 0
    for piece in _PIECES.finditer(pattern):
        kind = piece.lastgroup
        depth += (kind == "open") - (kind == "close")
        if kind in ("letter", "mark") and not depth:
            rows[-1] += piece[kind]
        elif kind == "repeat" and not depth:
            rows[-1] = rows[-1][:-1]
            rows.append("")
        else:
            rows.append("")
    return max(rows, key=len)


_PROGRAMS = _Expressions((entry["pattern"] for entry in CRAWLER_USER_AGENTS_DATA), _SCANNERS)
