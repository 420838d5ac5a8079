"""The counter that a site prints on each story's page, read by a CSS selector.

It needs no plugin. It is a running total; a cache may make it lag, and our own
asking may add a view: so each page is asked once a day, where robots.txt allows it.
"""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from newsletter.errors import FetchError, ParseError, SourceError
from newsletter.net.robots import ROBOT, Robots
from newsletter.sources.model import ReadBatch, ReadKind, StoryKey, TotalReads
from newsletter.sources.poll import Poll
from newsletter.sources.read_counts import parse_count
from newsletter.sources.text import cap_problems, collapse_space

MAX_PAGE_BYTES = 5_000_000
# How many stories are asked for: at one request a second some minutes, once a day.
MAX_PAGES = 200

_NUMBER = re.compile(r"(?<![\w.,])(\d[\d.,'’ \u00a0\u202f]*)([kKmM]?)(?![\w%])")
_SCALES = {"k": 1_000, "m": 1_000_000}
_NAME = re.compile(r"[A-Za-z_-][A-Za-z_-]*")  # no digits: those are often a post's own id


def fetch_page_counts(poll: Poll) -> ReadBatch:
    """The totals that the pages of recent stories print; SourceError if none does.

    A page that fails is told of, and never stops the others.
    """
    robots = Robots(poll.fetcher)
    totals: list[TotalReads] = []
    problems: list[str] = []
    failed: SourceError | None = None
    for url in poll.stories:
        try:
            _require_allowed(poll, robots, url)
            totals.append(TotalReads(StoryKey(url=url), _ask_page(poll, url)))
        except (FetchError, ParseError) as error:
            failed = failed or error
            problems.append(str(error))
    if failed is not None and not totals:
        raise failed
    return ReadBatch(
        kind=ReadKind(poll.reads.stats_kind or ReadKind.VIEWS),
        totals=tuple(totals),
        problems=cap_problems(problems, "pages"),
    )


def _require_allowed(poll: Poll, robots: Robots, url: str) -> None:
    rules = robots.rules_for(url, allow_private=poll.reads.allow_private)
    if not rules.allows(url):
        why = (
            f"the site's robots.txt could not be read ({rules.reason})"
            if rules.reason
            else f'the site\'s robots.txt forbids it; allow the user agent "{ROBOT}" there'
        )
        raise FetchError(f"{url} was not asked for its counter: {why}", subject=url)


def _ask_page(poll: Poll, url: str) -> int:
    response = poll.fetcher.get(
        url,
        max_bytes=MAX_PAGE_BYTES,
        accept="text/html, application/xhtml+xml",
        allow_private=poll.reads.allow_private,
    )
    count = read_printed_count(response.body, poll.reads.selector)
    if count is None:
        raise ParseError(
            f'{url} prints no number at "{poll.reads.selector}"; find the selector anew by '
            f"`newsletter reads learn {url} NUMBER`",
            subject=url,
        )
    return count


def read_printed_count(body: bytes, selector: str) -> int | None:
    """The first number that stands in an element of ``selector``; None where there is none."""
    try:
        elements = LexborHTMLParser(body).css(selector)
    except SelectolaxError as error:
        raise SourceError(
            f'the selector "{selector}" is none that CSS knows; `newsletter reads learn` finds one',
            subject=selector,
        ) from error
    return next(filter(_is_number, map(_number_in, map(_text, elements))), None)


def learn_selector(body: bytes, count: int) -> str | None:
    """A selector of the one element that prints ``count``; None where nothing does.

    The shortest that finds no other number first. Classes with digits are left
    out, for they are often of one story only.
    """
    tree = LexborHTMLParser(body)
    for node in tree.css("body *"):
        if _number_in(_own_text(node)) == count or (
            not node.css("*")[1:] and _number_in(_text(node)) == count
        ):
            for selector in _selectors(node):
                if read_printed_count(body, selector) == count:
                    return selector
    return None


def _selectors(node: LexborNode) -> Iterator[str]:
    """Selectors of ``node``, the shorter ones first, longer ones by what stands around it."""
    path = [_step(node)]
    yield path[0]
    parent = node.parent
    while parent is not None and parent.tag not in ("body", "html", "-undef"):
        path.insert(0, _step(parent))
        if path[0] != parent.tag:
            yield f"{path[0]} {path[-1]}"
        yield " > ".join(path)
        parent = parent.parent


def _step(node: LexborNode) -> str:
    classes = (node.attributes.get("class") or "").split()
    return str(node.tag) + "".join(f".{name}" for name in classes if _NAME.fullmatch(name))


def _text(node: LexborNode) -> str:
    return collapse_space(node.text(separator=" "))


def _own_text(node: LexborNode) -> str:
    return collapse_space(node.text(deep=False))


def _is_number(value: int | None) -> bool:
    return value is not None


def _number_in(text: str) -> int | None:
    """The first number of a short text such as "1,142 views" or "1.2K"."""
    match = _NUMBER.search(text[:200])
    if match is None:
        return None
    digits, scale = match[1].strip(), match[2].lower()
    if scale:
        try:
            return round(float(digits.replace(",", ".")) * _SCALES[scale])
        except ValueError:
            return None
    return parse_count(digits.rstrip(".,"))
