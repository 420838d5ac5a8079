"""Whether every word of a rendered mail can be read: on light, on dark, and turned over.

Colours are reckoned as a browser does it, from the style attributes that inlining left
and from the kept rules for dark; a brand's own colours are among them.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from newsletter.checks.model import Finding, warn
from newsletter.publication.colour import ENOUGH, contrast, invert
from newsletter.rendering.css import DARK_QUERY, Declaration, parse_declarations, parse_sheet

_HEX = re.compile(r"#(?:[0-9A-Fa-f]{6}|[0-9A-Fa-f]{3})(?![0-9A-Fa-f])")
_SHOWN_PAIRS = 5
_WORDS = 40
_NOT_SHOWN = frozenset(("head", "style", "script", "title"))


@dataclass(frozen=True)
class _Look:
    """What an element hands on: colours as ``#rrggbb``."""

    colour: str
    ground: str


@dataclass(frozen=True)
class _Scheme:
    """``light`` is what a client that knows no style begins with."""

    name: str
    start: _Look


_LIGHT = _Scheme("on light", _Look("#000000", "#ffffff"))
_DARK = _Scheme("in dark mode", _Look("#ffffff", "#121212"))
_TURNED = "where Gmail’s apps invert the colours"

# Of each element (by its place in memory): the declarations that the sheets add to its own.
_Added = Mapping[int, tuple[Declaration, ...]]


def check_legibility(html: str) -> tuple[Finding, ...]:
    """A warning for each pair of colours that is too close, with the words it was first seen at."""
    tree = LexborHTMLParser(html)
    body = tree.body
    if body is None:
        return ()
    seen: dict[tuple[str, str, str], tuple[float, str]] = {}
    dark = _dark_rules(tree)
    for scheme, added in ((_LIGHT, {}), (_DARK, dark)):
        if scheme is _DARK and not dark:
            continue
        for words, look in _texts(body, scheme.start, added):
            _note(seen, scheme.name, look.colour, look.ground, words)
            if scheme is _LIGHT:
                _note(seen, _TURNED, invert(look.colour), invert(look.ground), words)
    return tuple(_tell(seen))


def _note(
    seen: dict[tuple[str, str, str], tuple[float, str]],
    where: str,
    colour: str,
    ground: str,
    words: str,
) -> None:
    ratio = contrast(colour, ground)
    # Two decimals are what people are told: 4.499 is 4.5 to them.
    if round(ratio, 2) < ENOUGH:
        seen.setdefault((where, colour, ground), (ratio, words))


def _tell(seen: Mapping[tuple[str, str, str], tuple[float, str]]) -> Iterator[Finding]:
    worst = sorted(seen.items(), key=lambda one: one[1][0])
    for (where, colour, ground), (ratio, words) in worst[:_SHOWN_PAIRS]:
        more = (
            f" {len(worst) - _SHOWN_PAIRS} more pairs of colours are too close."
            if len(worst) > _SHOWN_PAIRS and (where, colour, ground) == worst[_SHOWN_PAIRS - 1][0]
            else ""
        )
        yield warn(
            "contrast",
            f"“{words}” is hard to read {where}: {colour} on {ground} has a contrast of "
            f"{ratio:.2f}, and {ENOUGH} is asked for.{more}",
            "Choose other colours in the style sheets of your own templates.",
            words,
        )


def _dark_rules(tree: LexborHTMLParser) -> _Added:
    """What the kept rules for dark add, in the order in which they win."""
    found: dict[int, list[tuple[tuple[int, int, int], Declaration]]] = {}
    order = 0
    for style in tree.css("style"):
        for rule in parse_sheet(style.text() or "").rules:
            if not any(DARK_QUERY in one for one in rule.at):
                continue
            for selector in rule.selectors:
                order += 1
                for node in _select(tree, selector):
                    weight = (selector.count("."), len(re.findall(r"[^.\w-]?\b[a-z]", selector)))
                    found.setdefault(node.mem_id, []).extend(
                        ((*weight, order), one) for one in rule.declarations
                    )
    return {
        node: tuple(one for _, one in sorted(each, key=lambda pair: pair[0]))
        for node, each in found.items()
    }


def _select(tree: LexborHTMLParser, selector: str) -> list[LexborNode]:
    try:
        return tree.css(selector)
    except SelectolaxError:  # what it can't read, most mail programs can't either
        return []


def _texts(node: LexborNode, above: _Look, added: _Added) -> Iterator[tuple[str, _Look]]:
    """The words below ``node`` and what they look like; pictures stand for their descriptions."""
    if node.tag in _NOT_SHOWN:
        return
    look = _look_of(node, above, added)
    if look is None:
        return
    if node.tag == "img":
        words = _shortened(node.attributes.get("alt") or "")
        if words:
            yield words, look
    for child in node.iter(include_text=True):
        if child.is_text_node:
            words = _shortened(child.text(deep=False) or "")
            if words:
                yield words, look
        elif child.is_element_node:
            yield from _texts(child, look, added)


def _look_of(node: LexborNode, above: _Look, added: _Added) -> _Look | None:
    """None for what is not shown."""
    colour, ground = above.colour, _as_colour(node.attributes.get("bgcolor")) or above.ground
    own = parse_declarations(node.attributes.get("style") or "")
    extra = added.get(node.mem_id, ())
    # A rule of a sheet wins over the tag's own declaration if it is !important only.
    ordered = (*(e for e in extra if not e.important), *own, *(e for e in extra if e.important))
    for one in ordered:
        if one.name == "color":
            colour = _as_colour(one.value) or colour
        elif one.name in ("background", "background-color"):
            ground = _as_colour(one.value) or ground
        elif one.name == "display" and one.value.lower() == "none":
            return None
    return _Look(colour, ground)


def _as_colour(value: str | None) -> str:
    """``#rrggbb`` in small letters, or "" where there is none that can be read."""
    found = _HEX.search(value or "")
    if found is None:
        return ""
    digits = found[0][1:].lower()
    return f"#{digits}" if len(digits) == 6 else "#" + "".join(2 * digit for digit in digits)


def _shortened(text: str) -> str:
    words = " ".join(text.split())
    if not any(character.isalnum() for character in words):
        return ""
    return words if len(words) <= _WORDS else f"{words[: _WORDS - 1]}…"
