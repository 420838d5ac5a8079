"""What a template's markup may not hold, read before its style is inlined.

The inliner's parser mends what is not closed and drops what it can't read, so that
nothing of it is seen in the finished mail.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from newsletter.rendering.css import parse_declarations, parse_sheet
from newsletter.rendering.css_lint import Fault, lint_attribute, mixed_shorthands

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FOR_OUTLOOK = re.compile(r"<!--\[if mso\]>(.*?)<!\[endif\]-->", re.DOTALL)
_FOR_OTHERS = re.compile(r"<!--\[if !mso\]><!-->(.*?)<!--<!\[endif\]-->", re.DOTALL)
_CONDITION = re.compile(r"<!--\[if\b[^>]*>|<!\[(?:if\b[^>]*|endif)\](?:--)?>", re.IGNORECASE)
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr")
)
# HTML lets their end go without saying, and all mail programs follow.
_SELF_CLOSING = frozenset(("p", "li", "dt", "dd", "option"))
_LAYOUT = {"border": "0", "cellpadding": "0", "cellspacing": "0"}
_ROLES = ("presentation", "none")
_ATTRIBUTE = "the style attribute"


def lint_tags(html: str) -> Iterator[Fault]:
    """What is wrong with a document's tags."""
    tree = LexborHTMLParser(_as_outlook_reads(html))
    yield from _lint_conditions(html)
    yield from _lint_balance(html)
    yield from _lint_tables(tree)
    yield from _lint_pictures(tree)


def lint_attributes(html: str) -> Iterator[Fault]:
    """What its style attributes may not hold."""
    tree = LexborHTMLParser(_as_outlook_reads(html))
    for text in dict.fromkeys(node.attributes.get("style") or "" for node in tree.css("[style]")):
        yield from lint_attribute(text)


def _as_outlook_reads(html: str) -> str:
    """With what only Outlook for Windows shows, and without what it alone does not."""
    return _FOR_OUTLOOK.sub(r"\1", _FOR_OTHERS.sub("", html))


def _as_others_read(html: str) -> str:
    return _COMMENT.sub("", _FOR_OUTLOOK.sub("", _FOR_OTHERS.sub(r"\1", html)))


def _lint_conditions(html: str) -> Iterator[Fault]:
    """Comments for Outlook in another form than the two that inliners leave alone."""
    left = _FOR_OUTLOOK.sub("", _FOR_OTHERS.sub("", html))
    nested = (m for m in _FOR_OUTLOOK.finditer(html) if "<!--[if mso]>" in m[1])
    for found in (*nested, *_CONDITION.finditer(left)):
        mark = found[0].split(">")[0] + ">"
        yield Fault(
            f"“{mark}” is a condition for Outlook without end, or in a form that inliners break.",
            "Write <!--[if mso]> … <![endif]--> or <!--[if !mso]><!--> … <!--<![endif]-->.",
            mark,
        )


def _lint_balance(html: str) -> Iterator[Fault]:
    for reader, text in (
        ("Outlook for Windows", _COMMENT.sub("", _as_outlook_reads(html))),
        ("mail programs", _as_others_read(html)),
    ):
        balance = _Balance()
        balance.feed(text)
        balance.close()
        for tag, written in (*balance.stray, *balance.open):
            yield Fault(
                f"“{written}” has no counterpart for {reader}: <{tag}> must be opened as often as "
                "it is closed, and in the right order.",
                "Look at the tags around it, also those within <!--[if mso]>.",
                written,
            )
            return  # what follows is told by guesses


class _Balance(HTMLParser):
    """Tags that are closed without being open, and open without being closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, str]] = []
        self.stray: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag not in _VOID and tag not in _SELF_CLOSING:
            self.open.append((tag, self.get_starttag_text() or tag))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A slash at the end closes no element of HTML but one that has no end anyway."""
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID or tag in _SELF_CLOSING:
            return
        if self.open and self.open[-1][0] == tag:
            self.open.pop()
        elif any(tag == one for one, _ in self.open):
            # What stands in between was never closed.
            self.stray.append(self.open.pop())
            self.handle_endtag(tag)
        else:
            self.stray.append((tag, f"</{tag}>"))


def _lint_tables(tree: LexborHTMLParser) -> Iterator[Fault]:
    """Tables for the layout, which screen readers must not read out as tables of figures."""
    for node in tree.css("body table"):
        written = (node.html or "<table>").partition(">")[0] + ">"
        if node.css_first("th, caption") is not None and "role" not in node.attributes:
            continue
        if node.attributes.get("role") not in _ROLES:
            yield Fault(
                f"“{written}” is read out as a table of figures.",
                'Give it role="presentation", or a caption if it is one.',
                written,
            )
        missing = [name for name, value in _LAYOUT.items() if node.attributes.get(name) != value]
        if missing:
            wanted = " ".join(f'{name}="0"' for name in missing)
            yield Fault(
                f"“{written}” has gaps or lines in programs that know no style.",
                f"Give it {wanted}.",
                written,
            )


def _lint_pictures(tree: LexborHTMLParser) -> Iterator[Fault]:
    for node in tree.css("img"):
        if "alt" not in node.attributes:
            written = (node.html or "<img>").partition(">")[0] + ">"
            yield Fault(
                f"“{written}” says nothing to whoever does not see it.",
                "Give it an alt, an empty one if words beside it say the same.",
                written,
            )


def lint_elements(html: str, base: str) -> tuple[Fault, ...]:
    """Elements to which rules of ``base``, or their own style, give a shorthand and a longhand."""
    tree = LexborHTMLParser(html)
    # Of each element, which rule was the first to set what: its number and its selector.
    names: dict[int, dict[str, tuple[int, str]]] = {}
    for number, rule in enumerate(parse_sheet(base).rules, 1):
        for selector in rule.selectors:
            try:
                nodes = tree.css(selector)
            except SelectolaxError:  # told of by `lint_base`
                continue
            for node in nodes:
                for one in rule.declarations:
                    names.setdefault(node.mem_id, {}).setdefault(one.name, (number, selector))
    for node in tree.css("[style]"):
        for one in parse_declarations(node.attributes.get("style") or ""):
            names.setdefault(node.mem_id, {}).setdefault(one.name, (0, _ATTRIBUTE))
    faults = {
        (shorthand, longhand, set_by[shorthand], set_by[longhand])
        for set_by in names.values()
        for shorthand, longhand in mixed_shorthands(list(set_by))
    }
    return tuple(
        Fault(
            f"{_named(first[1])} sets {shorthand} and {_named(second[1])} {longhand} of the same "
            "element, and premailer gets their order wrong.",
            f"Write both in {shorthand}.",
            f"{longhand}:",
        )
        for shorthand, longhand, first, second in sorted(faults)
        # What one rule mixes is told of by `lint_base`, and one attribute by `lint_attribute`.
        if first[0] != second[0]
    )


def _named(selector: str) -> str:
    return selector if selector == _ATTRIBUTE else f"“{selector}”"
