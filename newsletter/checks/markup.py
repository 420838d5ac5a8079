"""Findings on a mail's markup: what mail programs refuse, headings, languages, style."""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from newsletter.checks.model import Finding, stop, warn
from newsletter.checks.places import Places, list_some, name_item, shown
from newsletter.issues.model import Issue
from newsletter.rendering.bidi import text_direction
from newsletter.rendering.css_lint import STYLE_SIZE, WIDEST, lint_inlined, lint_kept
from newsletter.rendering.inline import DOCTYPE
from newsletter.rendering.model import RenderedIssue
from newsletter.words import is_armenian

_KB = 1024
_FORBIDDEN = (
    *("form", "input", "button", "select", "textarea", "script", "video", "audio", "svg"),
    *("iframe", "frame", "object", "embed", "base", "link", "canvas"),
)
_OWN_TEMPLATE = "Take it out of your own template."
# Where what a sheet or a tag's own style holds is found.
STYLE_ELEMENT, STYLE_ATTRIBUTE = "style element", "style attribute"
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
# Outlook's vector drawings: links within them can't be reached by keyboard.
_VML = re.compile(r"<v:\w+", re.IGNORECASE)
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")


def check_markup(
    issue: Issue, rendered: RenderedIssue, tree: LexborHTMLParser, places: Places
) -> Iterator[Finding]:
    """All that its markup may be blamed for."""
    yield from check_tree(rendered.html, rendered.language, tree)
    yield from _check_foreign(issue, rendered, tree, places)


def check_tree(html: str, language: str, tree: LexborHTMLParser) -> Iterator[Finding]:
    """What the markup of any mail may be blamed for, an issue or a letter."""
    yield from _check_elements(html, tree)
    yield from _check_headings(tree)
    yield from _check_language(language, tree)
    yield from _check_style(tree)


def _check_elements(html: str, tree: LexborHTMLParser) -> Iterator[Finding]:
    found = [name for name in _FORBIDDEN if tree.css_first(name) is not None]
    handlers = {
        name
        for node in tree.css("*")
        for name in node.attributes
        if name.startswith("on") or name in ("srcdoc", "formaction")
    }
    if found or handlers:
        yield stop(
            "elements",
            "The mail holds what mail programs refuse or remove: "
            f"{list_some([*found, *sorted(handlers)])}.",
            _OWN_TEMPLATE,
            first_of(found, handlers),
        )
    if any(
        (node.attributes.get("http-equiv") or "").lower() == "refresh" for node in tree.css("meta")
    ):
        yield stop("elements", "A meta element leads elsewhere by itself.", _OWN_TEMPLATE, "meta")
    if any("@import" in (node.text() or "").lower() for node in tree.css("style")):
        yield stop(
            "elements",
            "A style element imports another sheet, which mail programs refuse.",
            "Write its rules into the style element.",
            "style",
        )
    if _VML.search(html):
        yield warn(
            "elements",
            "The mail holds drawings in VML, whose links no keyboard reaches.",
            "Make buttons of a padded cell and a link.",
            "VML",
        )
    if not html.startswith(DOCTYPE):
        yield stop(
            "doctype",
            f"The mail does not begin with {DOCTYPE}, and mail programs then lay it out by the "
            "rules of the nineties.",
            "Begin your own layout with it.",
            "doctype",
        )


def first_of(found: list[str], handlers: set[str]) -> str:
    """What a finding on forbidden markup names."""
    return [*found, *sorted(handlers)][0]


def _check_headings(tree: LexborHTMLParser) -> Iterator[Finding]:
    body = tree.body
    found = [node for node in body.traverse() if node.tag in _HEADINGS] if body else []
    tops = [node for node in found if node.tag == "h1"]
    if len(tops) != 1:
        many = f"There are {len(tops)} headings" if tops else "There is no heading"
        yield warn(
            "headings",
            f"{many} of the first level (h1); screen readers look for one.",
            "Let the issue's title be the only h1.",
            shown(tops[1].text()) if tops else "title",
        )
    level = 0
    for node in found:
        words, here = shown(node.text()), int((node.tag or "h1")[1])
        if not words:
            yield warn(
                "headings",
                f"A heading ({node.tag}) is empty.",
                "Print it where it has words only.",
                node.tag or "",
            )
        elif here > level + 1 and level:
            yield warn(
                "headings",
                f"The heading “{words}” is {node.tag} behind an h{level}, which leaves a level "
                "out.",
                f"Make it an h{level + 1}.",
                words,
            )
        level = here


def _check_language(language: str, tree: LexborHTMLParser) -> Iterator[Finding]:
    direction = text_direction(language)
    wrapper = tree.body.css_first("div, table") if tree.body else None
    for name, node in (("html", tree.css_first("html")), ("first element of body", wrapper)):
        # Webmails put a div in the place of html and body: what counts stands within.
        said = node.attributes if node is not None else {}
        if said.get("lang") != language or said.get("dir") != direction:
            yield warn(
                "language",
                f"The {name} does not say that the mail is in {language}, {direction}.",
                f'Give it lang="{language}" and dir="{direction}".',
                name,
            )
    odd = [
        tag
        for node in tree.css("[lang]")
        if not _LANGUAGE_TAG.fullmatch(tag := node.attributes.get("lang") or "")
    ]
    if odd:
        yield warn(
            "language",
            f"“{shown(odd[0])}” is no language.",
            "Write a tag such as en or hy.",
            "lang",
        )


def _check_foreign(
    issue: Issue, rendered: RenderedIssue, tree: LexborHTMLParser, places: Places
) -> Iterator[Finding]:
    """Stories that are not in the language which the nearest element around them says."""
    said: dict[str, str] = {}
    headlines = {_folded(item.headline) for item in issue.items}
    for node in tree.css("a[href]"):
        # The note may link to a story too, in words of its own.
        if _is_in_heading(node) or _folded(node.text()) in headlines:
            name = places.name(node.attributes.get("href") or "")
            said.setdefault(name, _language_around(node))
    for section in issue.sections:
        for item in section.items:
            name = name_item(section, item)
            own = item.language or ("hy" if is_armenian(item.headline) else rendered.language)
            if name in said and _primary(said[name]) != _primary(own):
                yield warn(
                    "language",
                    f"{name} is in {own}, and its place in the mail says "
                    f"{said[name] or 'nothing'}.",
                    f'Put lang="{own}" on what your own template prints it in.',
                    name,
                )


def _is_in_heading(node: LexborNode) -> bool:
    above: LexborNode | None = node
    while above is not None and above.tag not in _HEADINGS:
        above = above.parent
    return above is not None


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _language_around(node: LexborNode) -> str:
    above: LexborNode | None = node
    while above is not None:
        if tag := above.attributes.get("lang") if above.is_element_node else None:
            return tag
        above = above.parent
    return ""


def _primary(language: str) -> str:
    return language.split("-")[0].lower()


def _check_style(tree: LexborHTMLParser) -> Iterator[Finding]:
    sheets = [node.text() or "" for node in tree.css("style")]
    size = sum(len(sheet.encode()) for sheet in sheets)
    if size > STYLE_SIZE:
        yield warn(
            "style",
            f"The style elements hold {size // _KB} KB; Gmail reads {STYLE_SIZE // _KB} and drops "
            "the rest.",
            "Shorten the sheets that stay in the head.",
            "style elements",
        )
    written = dict.fromkeys(node.attributes.get("style") or "" for node in tree.css("[style]"))
    faults = [
        *((STYLE_ELEMENT, fault) for sheet in sheets for fault in lint_kept(sheet)),
        *((STYLE_ATTRIBUTE, fault) for text in written for fault in lint_inlined(text)),
    ]
    for where, fault in list(dict.fromkeys(faults))[:5]:
        yield warn("style", fault.sentence, fault.mend, where)
    for node in tree.css("[width]"):
        width = node.attributes.get("width") or ""
        if width.isdecimal() and int(width) > WIDEST:
            yield warn(
                "style",
                f"A {node.tag} is {width} px wide, and mail programs have room for {WIDEST}.",
                "Write a width of 640 px at most.",
                node.tag or "",
            )
            break
