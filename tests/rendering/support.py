"""How much of what a mail's body uses mail programs support, by the data of caniemail.com.

Support of a feature is what the newest version of each program says (yes 1, partly a
half, no 0), the mean over a family's programs, and over families by how many readers
have them. What stands in the head's style elements is not counted: it is for the
programs that know it, and the body must do without.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from selectolax.lexbor import LexborHTMLParser

from newsletter.rendering.css import Declaration, parse_declarations
from tests.npm_packages import find_npm_file

# Percent of opened mails in a table of 2026.
REACH = {"apple-mail": 46.6, "gmail": 25.5, "outlook": 4.4, "yahoo": 2.3}

_WORTH = {"y": 1.0, "a": 0.5, "n": 0.0}
_UNITS = {"%": "percent", **{name: name for name in ("px", "em", "rem", "pt", "vh", "vw", "ch")}}
_NUMBER = re.compile(r"(?<![\w#-])-?[\d.]+(%|[a-z]+)")
_FUNCTION = re.compile(r"(?<![\w-])(rgba?|calc|var|linear-gradient)\(")
_FUNCTIONS = {"calc": "css-unit-calc", "var": "css-variables"}
_SIDES = frozenset(("left", "right", "top", "bottom"))
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))


class Support(NamedTuple):
    """In percent: of the features used, each counted once, and each as often as it is used."""

    by_feature: float
    by_use: float


def read_support() -> dict[str, float]:
    """The support of each feature that was tested with one of the families, from 0 to 1."""
    path = find_npm_file("caniemail/data/caniemail.json")
    features = json.loads(path.read_text(encoding="utf-8"))["data"]
    support = {feature["slug"]: _weigh(feature["stats"]) for feature in features}
    return {slug: worth for slug, worth in support.items() if worth is not None}


def support_of(html: str, support: Mapping[str, float]) -> Support:
    """The support of a mail."""
    used = {slug: count for slug, count in count_features(html).items() if slug in support}
    worth = sum(support[slug] * count for slug, count in used.items())
    return Support(
        100 * sum(map(support.__getitem__, used)) / len(used), 100 * worth / sum(used.values())
    )


def count_features(html: str) -> Counter[str]:
    """What a mail's body uses and how often, by the data's own names; also what it has not.

    What stands in comments for Outlook alone is not looked at: others never see it.
    """
    found: Counter[str] = Counter()
    for node in LexborHTMLParser(html).css("body, body *"):
        tag = node.tag or ""
        found[f"html-{'h1-h6' if tag in _HEADINGS else tag}"] += 1
        for name, value in node.attributes.items():
            if name == "style":
                for declaration in parse_declarations(value or ""):
                    found.update(_of_declaration(declaration))
                continue
            found[f"html-{name}"] += 1
            if name == "href" and value and value.startswith(("mailto:", "#")):
                found["html-anchor-links" if value[0] == "#" else "html-mailto-links"] += 1
    return found


def _of_declaration(one: Declaration) -> Iterator[str]:
    value = one.value.lower()
    yield f"css-{one.name}"
    # The data knows borders, paddings and margins by their shorthand.
    if one.name.startswith(("border-", "padding-", "margin-")):
        yield f"css-{one.name.partition('-')[0]}"
    if one.name in _SIDES:
        yield "css-left-right-top-bottom"
    if one.name == "display":
        yield f"css-display-{value}"
    if one.important:
        yield "css-important"
    yield from (f"css-unit-{_UNITS[unit]}" for unit in _NUMBER.findall(value) if unit in _UNITS)
    yield from (_FUNCTIONS.get(name, f"css-{name}") for name in _FUNCTION.findall(value))


def _weigh(stats: Mapping[str, Any]) -> float | None:
    worth = weight = 0.0
    for family, reach in REACH.items():
        newest = [
            versions[max(versions, key=_in_order)] for versions in stats.get(family, {}).values()
        ]
        known = [_WORTH[said[0]] for said in newest if said[0] in _WORTH]
        if known:
            worth += reach * sum(known) / len(known)
            weight += reach
    return worth / weight if weight else None


def _in_order(version: str) -> tuple[int, ...]:
    """Of a version or a month, so that 10 stands behind 9."""
    return tuple(map(int, re.findall(r"\d+", version)))
