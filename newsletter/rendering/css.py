"""Style sheets of mails: read, and held against what the inliner and mail programs can do.

The base sheet is moved into the tags by premailer, which silently drops or garbles
what is named here; the kept sheets stay in the head, for media, dark and clients.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Gmail ignores every style element beyond this sum, in octets.
STYLE_SIZE = 16 * 1024
# What a mail may be wide at most, in CSS px: ours is 640.
WIDEST = 700

DARK_QUERY = "prefers-color-scheme"
# What Outlook on the web and on phones puts around text and fills that it darkened.
OUTLOOK_DARK = ("[data-ogsc]", "[data-ogsb]")

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_CLOSED_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_IMPORTANT = re.compile(r"\s*!\s*important\s*$", re.IGNORECASE)
_COMPOUND = r"(?:[A-Za-z][\w-]*(?:\.[\w-]+)*|(?:\.[\w-]+)+)"
_PLAIN_SELECTOR = re.compile(rf"{_COMPOUND}(?:(?: > | ){_COMPOUND})*")
_FUNCTION = re.compile(r"(?<![\w-])(var|light-dark|(?:rgb|hsl|hwb|lab|lch|oklab|oklch|color)a?)\(")
_REM = re.compile(r"[\d.]rem\b")
_HEX = re.compile(r"#[0-9A-Fa-f]{6}")
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
_SHORTHANDS = ("padding", "margin", "border", "font", "background", "list-style")


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


@dataclass(frozen=True)
class Fault:
    """What a sheet may not hold; ``near`` is a text of it by which its line is found."""

    sentence: str
    mend: str
    near: str


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
    """Selectors whose colours the kept sheets do not set again for dark, in all its three forms."""
    dark = {
        selector
        for css in kept
        for rule in parse_sheet(css).rules
        for selector in rule.selectors
        if any(DARK_QUERY in one for one in rule.at) or selector.startswith(OUTLOOK_DARK)
    }
    return tuple(
        fault
        for selector in dict.fromkeys(
            selector
            for rule in parse_sheet(base).rules
            if any(_sets_colour(one) for one in rule.declarations)
            for selector in rule.selectors
        )
        for fault in _lint_dark_selector(selector, dark)
    )


def lint_declarations(text: str) -> tuple[Fault, ...]:
    """What a style attribute may not hold."""
    return tuple(
        fault
        for one in parse_declarations(text)
        for fault in _lint_base_declaration(one, "style attribute")
    )


def mixed_shorthands(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Shorthands among the property ``names`` of one element, each with a longhand of it."""
    for shorthand in _SHORTHANDS:
        if shorthand in names:
            yield from ((shorthand, name) for name in names if name.startswith(f"{shorthand}-"))


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
    names = [one.name for one in rule.declarations]
    for declaration in rule.declarations:
        yield from _lint_base_declaration(declaration, first)
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


def _lint_dark_selector(selector: str, dark: set[str]) -> Iterator[Fault]:
    mend = f"Set its colours for dark as well: {selector} {{ … !important; }}"
    if selector not in dark:
        yield Fault(
            f"“{_short(selector)}” has colours and no rule within prefers-color-scheme: dark.",
            mend,
            selector,
        )
    elif not any(f"{mark} {selector}" in dark for mark in OUTLOOK_DARK):
        yield Fault(
            f"“{_short(selector)}” has colours and no rule behind {' or '.join(OUTLOOK_DARK)}, "
            "which Outlook on the web goes by.",
            mend,
            selector,
        )


def _sets_colour(one: Declaration) -> bool:
    return _COLOURED.fullmatch(one.name) is not None and "#" in one.value


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


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
