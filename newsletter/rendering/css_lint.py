"""What premailer and mail programs make of style sheets and style attributes.

The base sheet is moved into the tags by premailer, which silently drops or garbles
what is named here; the kept sheets stay in the head, for media, dark and clients.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from newsletter.rendering.css import (
    DARK_QUERY,
    Declaration,
    Rule,
    Sheet,
    parse_declarations,
    parse_sheet,
)

# Gmail ignores every style element beyond this sum, in octets.
STYLE_SIZE = 16 * 1024
# What a mail may be wide at most, in CSS px: ours is 640.
WIDEST = 700

# What Outlook on the web and on phones puts around text and fills that it darkened.
OUTLOOK_TEXT, OUTLOOK_FILL = "[data-ogsc]", "[data-ogsb]"
_OUTLOOK_MARKS: Mapping[str, tuple[str, ...]] = {
    "text": (OUTLOOK_TEXT,),
    "background": (OUTLOOK_FILL,),
    "border": (OUTLOOK_TEXT, OUTLOOK_FILL),
}

_CLOSED_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_COMPOUND = r"(?:[A-Za-z][\w-]*(?:\.[\w-]+)*|(?:\.[\w-]+)+)"
_PLAIN_SELECTOR = re.compile(rf"{_COMPOUND}(?:(?: > | ){_COMPOUND})*")
_FUNCTION = re.compile(r"(?<![\w-])(var|light-dark|(?:rgb|hsl|hwb|lab|lch|oklab|oklch|color)a?)\(")
_REM = re.compile(r"[\d.]rem\b")
_HEX = re.compile(r"#[0-9A-Fa-f]{6}")
_SHORT_HEX = re.compile(r"#([0-9A-Fa-f])([0-9A-Fa-f])([0-9A-Fa-f])(?![0-9A-Za-z])")
_WORD = re.compile(r"(?<![\w#-])[A-Za-z][A-Za-z-]*(?!\()")
_COLOURLESS = frozenset(
    (
        *("inherit", "initial", "unset", "none", "hidden", "transparent", "auto"),
        *("solid", "dashed", "dotted", "double", "groove", "ridge", "inset", "outset"),
        *("thin", "medium", "thick", "px", "pt", "em", "repeat", "no-repeat"),
        *("left", "right", "top", "bottom", "center"),
    )
)
_BORDER = re.compile(r"border(?:-(?:top|right|bottom|left))?(?:-color)?")
_COLOURED = re.compile(rf"color|background|background-color|{_BORDER.pattern}")
_MARGIN = re.compile(r"margin(?:-(?:top|right|bottom|left))?")
_IN_FLOW = frozenset((("float", "none"), ("position", "static")))
_SIDES = ("top", "right", "bottom", "left")
_EDGES = ("width", "style", "color")
# What each shorthand sets, as far as mails use it.
_SHORTHANDS: Mapping[str, frozenset[str]] = {
    **{name: frozenset(f"{name}-{side}" for side in _SIDES) for name in ("padding", "margin")},
    **{
        f"{name}-{axis}": frozenset(f"{name}-{side}" for side in sides)
        for name in ("padding", "margin")
        for axis, sides in (("inline", ("left", "right")), ("block", ("top", "bottom")))
    },
    "border": frozenset(f"border-{side}-{edge}" for side in _SIDES for edge in _EDGES),
    **{f"border-{side}": frozenset(f"border-{side}-{edge}" for edge in _EDGES) for side in _SIDES},
    **{f"border-{edge}": frozenset(f"border-{side}-{edge}" for side in _SIDES) for edge in _EDGES},
    "font": frozenset(
        (
            *("font-style", "font-variant", "font-weight", "font-stretch", "font-size"),
            *("font-family", "line-height"),
        )
    ),
    "background": frozenset(
        f"background-{part}"
        for part in (
            *("color", "image", "repeat", "position", "size", "attachment", "origin", "clip"),
        )
    ),
    "list-style": frozenset(f"list-style-{part}" for part in ("type", "position", "image")),
    "text-decoration": frozenset(
        f"text-decoration-{part}" for part in ("line", "style", "color", "thickness")
    ),
}
_LOGICAL_END = re.compile(r"-(?:start|end)$")


@dataclass(frozen=True)
class Fault:
    """What a sheet may not hold; ``near`` is a text of it by which its line is found."""

    sentence: str
    mend: str
    near: str


def lint_base(css: str) -> tuple[Fault, ...]:
    """What premailer would drop, garble or put into the tags against its purpose."""
    sheet = parse_sheet(css)
    return (
        *_lint_form(sheet, css),
        *(fault for rule in sheet.rules for fault in _lint_base_rule(rule)),
    )


def lint_kept(css: str) -> tuple[Fault, ...]:
    """What mail programs drop of a sheet that stays in the head."""
    sheet = parse_sheet(css)
    return (*_lint_form(sheet, css), *(f for rule in sheet.rules for f in _lint_kept_rule(rule)))


def lint_dark(base: str, kept: Sequence[str]) -> tuple[Fault, ...]:
    """What ``base`` colours and the kept sheets do not colour again for dark, in all its forms.

    The forms are those of `prefers-color-scheme`, and of Outlook's two marks.
    """
    wanted: dict[str, dict[str, None]] = {}
    for rule in parse_sheet(base).rules:
        for selector in rule.selectors:
            for one in filter(_sets_colour, rule.declarations):
                wanted.setdefault(selector, {})[_part_of(one)] = None
    dark = set(_set_again(kept))
    return tuple(
        fault for selector, parts in wanted.items() for fault in _lint_dark(selector, parts, dark)
    )


def lint_attribute(text: str) -> tuple[Fault, ...]:
    """What a style attribute may not hold before the rules of the sheets are put into it."""
    rule = Rule((f'style="{text}"',), parse_declarations(text))
    return tuple(_lint_declarations(rule, "style attribute"))


def lint_inlined(text: str) -> tuple[Fault, ...]:
    """What a style attribute of a finished mail may not hold."""
    return tuple(
        fault
        for one in parse_declarations(text)
        # The inliner writes a colour as short as it can be, which every mail program reads.
        for fault in _lint_base_declaration(
            replace(one, value=_SHORT_HEX.sub(r"#\1\1\2\2\3\3", one.value)), "style attribute"
        )
    )


def mixed_shorthands(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Shorthands among the property ``names`` of one element, each with what sets a part of it.

    That is a longhand, or another shorthand of which each would win a part by its place.
    """
    for shorthand, parts in _SHORTHANDS.items():
        if shorthand in names:
            yield from (
                (shorthand, name)
                for name in names
                if name != shorthand
                and not parts.isdisjoint(_parts_of(name))
                # Two shorthands are told of once, the wider or the earlier first.
                and (name not in _SHORTHANDS or _precedes(shorthand, name))
            )


def _parts_of(name: str) -> frozenset[str]:
    """The longhands that a property sets: itself, if it is no shorthand."""
    return _SHORTHANDS.get(_LOGICAL_END.sub("", name), frozenset((name,)))


def _precedes(shorthand: str, other: str) -> bool:
    order = list(_SHORTHANDS)
    return order.index(shorthand) < order.index(other)


def lint_braces(css: str) -> tuple[Fault, ...]:
    """Braces and comments that are not closed: what follows them is lost, whatever it is."""
    _, begins, left = _CLOSED_COMMENT.sub(" ", css).partition("/*")
    if begins:
        opening = f"{begins}{left.splitlines()[0] if left else ''}".rstrip()
        return (Fault(f"The comment “{_short(opening)}” has no end.", "Close it by */.", opening),)
    near = parse_sheet(css).broken
    if near is None:
        return ()
    return (
        Fault(
            f"A brace is missing, or one too many, at “{_short(near)}”.",
            "Close each { by a }.",
            near,
        ),
    )


def _lint_form(sheet: Sheet, css: str) -> Iterator[Fault]:
    yield from lint_braces(css)
    for statement in sheet.statements:
        if statement.startswith("@"):
            yield Fault(
                f"“{_short(statement)}” loads or declares what mail programs refuse.",
                "Take it out.",
                statement.split(" ")[0],
            )
    if "@import" in css.lower() and not sheet.statements:
        yield Fault("It names @import, which mail programs refuse.", "Take it out.", "@import")


def _lint_base_rule(rule: Rule) -> Iterator[Fault]:
    first = rule.selectors[0] if rule.selectors else ""
    if rule.at:
        yield Fault(
            f"“{_short(rule.at[0])}” stands in the base sheet, where premailer drops it.",
            'Move it into <style data-premailer="ignore">.',
            rule.at[0],
        )
        return
    for selector in rule.selectors:
        if not _PLAIN_SELECTOR.fullmatch(selector):
            yield Fault(
                f"premailer drops or misreads the selector “{_short(selector)}”.",
                "Use classes, tags, descendants and children only, or move the rule into "
                '<style data-premailer="ignore">.',
                selector,
            )
    yield from _lint_declarations(rule, first)


def _lint_declarations(rule: Rule, where: str) -> Iterator[Fault]:
    """What is wrong with a rule's declarations, one by one and beside each other."""
    first = rule.selectors[0] if rule.selectors else ""
    names = [one.name for one in rule.declarations]
    for declaration in rule.declarations:
        yield from _lint_base_declaration(declaration, where)
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        yield Fault(
            f"“{_short(first)}” sets {name} twice, and premailer keeps the last only.",
            "Leave one.",
            first,
        )
    for shorthand, longhand in mixed_shorthands(names):
        yield Fault(
            f"“{_short(first)}” sets {shorthand} and {longhand}, whose order premailer gets wrong.",
            f"Write all of it in {shorthand}.",
            first,
        )


def _lint_base_declaration(one: Declaration, selector: str) -> Iterator[Fault]:
    where = f"“{_short(one.text)}” of “{_short(selector)}”"
    if one.name == "all":
        yield Fault(f"{where} is lost on the way into the tag.", "Take it out.", one.text)
    if one.important:
        yield Fault(
            f"{where} would go into the tag with its !important.",
            'Take that out, or move the rule into <style data-premailer="ignore">.',
            one.text,
        )
    for function in dict.fromkeys(_FUNCTION.findall(one.value.lower())):
        yield Fault(
            f"{where} uses {function}(), which mail programs or the inliner drop.",
            "Write a colour as #rrggbb, and values as they are.",
            one.text,
        )
    if _REM.search(one.value):
        yield Fault(f"{where} uses rem, which mail programs drop.", "Write it in px.", one.text)
    if one.name == "line-height" and re.fullmatch(r"[\d.]+", one.value) and one.value != "0":
        yield Fault(
            f"{where} has no unit, and Outlook reads it otherwise.", "Write it in px.", one.text
        )
    yield from _lint_layout(one, where)
    yield from _lint_colour(one, where)


def _lint_layout(one: Declaration, where: str) -> Iterator[Fault]:
    """What only browsers lay out so: mails are built of tables and inline blocks."""
    value = one.value.lower()
    if one.name == "display" and re.search(r"\b(flex|grid)\b", value):
        yield Fault(
            f"{where} is a layout that Outlook and others do not know.",
            "Put tables or inline-block columns in its place.",
            one.text,
        )
    if (one.name, value) not in _IN_FLOW and one.name in ("float", "position"):
        yield Fault(
            f"{where} takes it out of the flow, which mail programs drop.",
            "Put tables or inline-block columns in its place.",
            one.text,
        )
    if _MARGIN.fullmatch(one.name) and re.search(r"(?<![\w.])-\s*[\d.]", value):
        yield Fault(
            f"{where} is a negative margin, which Gmail, Outlook and Yahoo drop.",
            "Leave less space before it instead.",
            one.text,
        )
    if one.name in ("width", "min-width", "max-width") and any(
        float(number) > WIDEST for number in re.findall(r"(\d+(?:\.\d+)?)px", value)
    ):
        yield Fault(
            f"{where} is wider than the {WIDEST} px that mail programs have room for.",
            "Write a width of 640 px at most.",
            one.text,
        )


def _lint_colour(one: Declaration, where: str) -> Iterator[Fault]:
    if not _COLOURED.fullmatch(one.name):
        return
    bare = re.sub(r"url\([^)]*\)", "", one.value.lower())
    names = [word for word in _WORD.findall(bare) if word not in _COLOURLESS]
    short = [word for word in re.findall(r"#[0-9a-z]+", bare) if not _HEX.fullmatch(word)]
    if (names or short) and not _FUNCTION.search(bare):
        yield Fault(
            f"{where} names the colour {(names or short)[0]} otherwise than as #rrggbb.",
            "Write it with six digits.",
            one.text,
        )


def _lint_kept_rule(rule: Rule) -> Iterator[Fault]:
    first = rule.selectors[0] if rule.selectors else ""
    if len(rule.at) > 1:
        yield Fault(
            f"“{_short(rule.at[-1])}” stands within another @ rule, for which Gmail drops the "
            "whole style element.",
            "Join them by “and”.",
            rule.at[-1],
        )
    for one in rule.declarations:
        if one.important and not re.search(r"\s!important$", one.text):
            yield Fault(
                f"“{_short(one.text)}” of “{_short(first)}”: Yahoo reads !important in small "
                "letters behind a space only.",
                "Write it so.",
                one.text,
            )


def _lint_dark(
    selector: str, parts: Iterable[str], dark: set[tuple[str, str, str]]
) -> Iterator[Fault]:
    mend = f"Set its colours for dark as well: {selector} {{ … !important; }}"

    def left(marks: Callable[[str], Iterable[str]]) -> str:
        return ", ".join(
            part
            for part in parts
            if not any((mark, selector, part) in dark for mark in marks(part))
        )

    if forgotten := left(lambda _: ("",)):
        yield Fault(
            f"“{_short(selector)}” has colours ({forgotten}) that no rule within "
            "prefers-color-scheme: dark sets again.",
            mend,
            selector,
        )
    elif forgotten := left(lambda part: _OUTLOOK_MARKS[part]):
        marks = " or ".join(
            dict.fromkeys(m for p in forgotten.split(", ") for m in _OUTLOOK_MARKS[p])
        )
        yield Fault(
            f"“{_short(selector)}” has colours ({forgotten}) that no rule behind {marks} sets "
            "again, which Outlook on the web goes by.",
            mend,
            selector,
        )


def _set_again(kept: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """What the kept sheets colour for dark: Outlook's mark or "", the selector, and the part."""
    for rule in (rule for css in kept for rule in parse_sheet(css).rules):
        parts = [_part_of(one) for one in rule.declarations if _COLOURED.fullmatch(one.name)]
        for selector in rule.selectors:
            mark, _, rest = selector.partition(" ")
            if mark in (OUTLOOK_TEXT, OUTLOOK_FILL):
                yield from ((mark, rest, part) for part in parts)
            elif any(DARK_QUERY in one for one in rule.at):
                yield from (("", selector, part) for part in parts)


def _part_of(one: Declaration) -> str:
    """What of an element a declaration colours."""
    if one.name == "color":
        return "text"
    return "background" if one.name.startswith("background") else "border"


def _sets_colour(one: Declaration) -> bool:
    return _COLOURED.fullmatch(one.name) is not None and "#" in one.value


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
