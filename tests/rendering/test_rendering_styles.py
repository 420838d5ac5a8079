"""The style sheets keep to what the inliner and the mail programs can do."""

import re

import pytest

from newsletter.rendering.environment import Templates
from tests.rendering.sample_issue import PUBLICATION

COLOUR = re.compile(r"(?<![\w-])(color|background-color|border(?:-top|-bottom)?)\s*:[^;]*#")
SHORTHANDS = {
    "padding": re.compile(r"padding-\w+"),
    "margin": re.compile(r"margin-\w+"),
    "border": re.compile(r"border-\w+"),
    "font": re.compile(r"font-\w+"),
    "background": re.compile(r"background-\w+"),
}


def sheet(templates: Templates, name: str) -> str:
    text = templates.render(
        f"email/styles/{name}.css", publication=PUBLICATION, language="en", scripts=["armenian"]
    )
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def rules(css: str) -> list[tuple[str, str]]:
    """Selector and declarations of each rule."""
    found = re.findall(r"([^{}]+)\{([^{}]*)\}", css)
    return [
        (" ".join(selector.split()), body)
        for selectors, body in found
        for selector in selectors.split(",")
    ]


@pytest.fixture(scope="module")
def base(templates: Templates) -> list[tuple[str, str]]:
    return rules(sheet(templates, "base"))


def test_base_rules_use_plain_selectors(base: list[tuple[str, str]]) -> None:
    assert len(base) > 60
    for selector, _ in base:
        assert re.fullmatch(r"[.\w-]+( [.\w-]+)*", selector), selector


def test_base_rules_use_plain_values(base: list[tuple[str, str]]) -> None:
    for selector, body in base:
        assert "important" not in body, selector
        assert not re.search(r"var\(|rgb|hsl|\brem\b|light-dark|[\d.]rem", body), selector
        assert not re.search(r"line-height:\s*[\d.]+\s*;", body), selector


def test_no_shorthand_meets_its_longhand(base: list[tuple[str, str]]) -> None:
    everything = " ".join(body for selector, body in base if selector != "img")
    for shorthand, longhand in SHORTHANDS.items():
        used = re.search(rf"(?<![\w-]){shorthand}\s*:", everything)
        assert not (used and longhand.search(everything)), shorthand


def test_every_colour_has_its_evening_counterpart(
    templates: Templates, base: list[tuple[str, str]]
) -> None:
    css = sheet(templates, "dark")
    query = css[css.index("@media") :]
    dark = {selector for selector, _ in rules(query.split("{", 1)[1])}
    coloured = {selector for selector, body in base if COLOUR.search(body)}
    assert coloured > {".page", ".photo", ".ruled", ".kicker"}
    assert coloured - dark == set()
    for selector in coloured:
        outlook = {f"[data-ogsc] {selector}", f"[data-ogsb] {selector}"}
        assert outlook & dark, selector


def test_kept_rules_are_forceful_and_not_nested(templates: Templates) -> None:
    for name in ("phone", "dark"):
        css = sheet(templates, name)
        depth = 0
        for character in css:
            depth += {"{": 1, "}": -1}.get(character, 0)
            assert depth <= 2
        assert depth == 0
        assert not re.search(r"\S!important|! important|!IMPORTANT", css)
        for selector, body in rules(css.split("{", 1)[1] if name == "dark" else css):
            if "color-scheme" not in body:
                assert body.count("!important") == body.count(":"), selector
