"""The rules for mails' style sheets: what they find, and what they let pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.rendering.css import parse_declarations, parse_sheet
from newsletter.rendering.css_lint import (
    lint_attribute,
    lint_base,
    lint_dark,
    lint_inlined,
    lint_kept,
    mixed_shorthands,
)

ANY_CSS = st.text(st.sampled_from(list("ab.#:;{}()[],@!*/ \"'\\\n0é>")), max_size=60)
NAMES = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
VALUES = st.sampled_from(["0", "1px", "#aabbcc", "'a;b{c}'", 'url("a;b")', "Georgia,serif"])
RULES = st.lists(
    st.tuples(
        st.lists(NAMES.map(".{}".format), min_size=1, max_size=3),
        st.lists(st.tuples(NAMES, VALUES, st.booleans()), max_size=4),
    ),
    max_size=5,
)


@given(ANY_CSS)
def test_whatever_a_sheet_holds_it_is_read(css: str) -> None:
    sheet = parse_sheet(css)
    assert all(rule.selectors == tuple(map(str.strip, rule.selectors)) for rule in sheet.rules)
    lint_base(css)
    lint_kept(css)
    lint_dark(css, [css])
    lint_attribute(css)
    lint_inlined(css)


@given(RULES, st.booleans())
def test_what_is_written_is_what_is_read(
    rules: list[tuple[list[str], list[tuple[str, str, bool]]]], within: bool
) -> None:
    css = "\n".join(
        ", ".join(selectors)
        + " { /* a } */ "
        + " ".join(f"{n}: {v}{' !important' if i else ''};" for n, v, i in declarations)
        + "}"
        for selectors, declarations in rules
    )
    sheet = parse_sheet(f"@media (a: b) {{ {css} }}" if within else css)
    assert not sheet.broken
    found = [
        (list(rule.selectors), [(d.name, d.value, d.important) for d in rule.declarations])
        for rule in sheet.rules
    ]
    assert found == rules
    assert all(rule.at == (("@media (a: b)",) if within else ()) for rule in sheet.rules)


def test_a_comma_in_brackets_parts_no_selectors() -> None:
    (rule,) = parse_sheet("a[x='1,2'], :is(b, c)>d { e: f }").rules
    assert rule.selectors == ("a[x='1,2']", ":is(b, c) > d")


def test_importance_is_told_from_the_value() -> None:
    one, two = parse_declarations("color: #aabbcc!IMPORTANT; margin: 0")
    assert (one.value, one.important, two.important) == ("#aabbcc", True, False)


@pytest.mark.parametrize(
    ("css", "words"),
    [
        (":is(.a, .b) { margin: 0 }", "selector"),
        (".a:not(.b) { margin: 0 }", "selector"),
        ("a[href='1,2'] { margin: 0 }", "selector"),
        ("* { margin: 0 }", "selector"),
        ("a:hover { margin: 0 }", "selector"),
        (".a + .b { margin: 0 }", "selector"),
        ("#a { margin: 0 }", "selector"),
        ("@media (max-width: 1px) { .a { margin: 0 } }", "base sheet"),
        ("@supports (a: b) { .a { margin: 0 } }", "base sheet"),
        ("@font-face { src: none }", "selector"),
        ("@import url(x.css);", "refuse"),
        (".a { margin: 0 !important }", "!important"),
        (".a { padding: 0; padding-left: 1px }", "padding-left"),
        (".a { color: #aabbcc; color: #ccbbaa }", "twice"),
        (".a { color: rgb(1 2 3 / 4) }", "rgb()"),
        (".a { color: var(--a) }", "var()"),
        (".a { color: light-dark(#aabbcc, #ccbbaa) }", "light-dark()"),
        (".a { color: red }", "#rrggbb"),
        (".a { border: 1px solid black }", "#rrggbb"),
        (".a { background: #fff }", "#rrggbb"),
        (".a { font-size: 1.5rem }", "rem"),
        (".a { line-height: 1.4 }", "px"),
        (".a { margin: 0", "brace"),
        (".a { margin: 0 } }", "brace"),
    ],
)
def test_what_premailer_gets_wrong_is_found(css: str, words: str) -> None:
    faults = lint_base(css)
    assert any(words in fault.sentence or words in fault.mend for fault in faults), faults
    assert all(fault.sentence.endswith(".") and fault.mend.endswith(".") for fault in faults)


@pytest.mark.parametrize(
    "css",
    [
        ".a, td.b, .a > p, .hy .a span { margin: 0; }",
        ".a { border: 1px solid #aabbcc; border-radius: 0 }".replace("; border-radius: 0", ""),
        ".a { background: #aabbcc url(a.png) no-repeat top left }",
        ".a { color: inherit; line-height: 0; font-family: 'Helvetica Neue',Arial }",
    ],
)
def test_what_it_gets_right_passes(css: str) -> None:
    assert lint_base(css) == ()


@pytest.mark.parametrize(
    ("css", "words"),
    [
        (".a { margin: 0!important }", "space"),
        (".a { margin: 0 !IMPORTANT }", "small"),
        ("@media a { @supports (b: c) { .a { margin: 0 } } }", "another @ rule"),
        ("@import url(x.css);", "refuse"),
    ],
)
def test_what_mail_programs_drop_of_a_kept_sheet_is_found(css: str, words: str) -> None:
    assert any(words in fault.sentence for fault in lint_kept(css))
    assert lint_kept("@media a { .a:hover { margin: 0 !important; } }") == ()


DARK = "@media (prefers-color-scheme: dark)"


@pytest.mark.parametrize(
    ("base", "again", "marks"),
    [
        ("color: #aabbcc", "color: #ccbbaa", ["[data-ogsc]"]),
        ("background-color: #aabbcc", "background: #ccbbaa", ["[data-ogsb]"]),
        ("border-left: 1px solid #aabbcc", "border-color: #ccbbaa", ["[data-ogsb]", "[data-ogsc]"]),
    ],
)
def test_a_colour_without_its_counterpart_in_the_dark_is_found(
    base: str, again: str, marks: list[str]
) -> None:
    base, again = f".a {{ {base} }} .c {{ margin: 0 }}", f".a {{ {again} !important }}"
    media = f"{DARK} {{ {again} }}"
    for mark in ("[data-ogsc]", "[data-ogsb]"):
        found = lint_dark(base, [media, f"{mark} {again}"])
        assert [fault.near for fault in found] == ([] if mark in marks else [".a"])
        assert [fault.near for fault in lint_dark(base, [f"{mark} {again}"])] == [".a"]
    (fault,) = lint_dark(base, [media])
    assert all(mark in fault.sentence for mark in marks)
    # Another part of it, or another scheme, is no counterpart.
    for other in (f"{DARK} {{ .a {{ outline-color: #ccbbaa }} }}", again):
        assert "prefers-color-scheme" in lint_dark(base, [other])[0].sentence


def test_each_part_that_has_a_colour_is_set_again() -> None:
    base = ".a { color: #aabbcc } .a { border: 1px solid #aabbcc }"
    dark = "color: #ccbbaa !important"
    (fault,) = lint_dark(base, [f"{DARK} {{ .a {{ {dark} }} }}", f"[data-ogsc] .a {{ {dark} }}"])
    assert "colours (border)" in fault.sentence


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("padding-left: 3px; padding: 2px", "order premailer gets wrong"),
        ("color: rgb(1 2 3 / 50%)", "rgb()"),
        ("color: #999", "#rrggbb"),
        ("margin: 0; margin: 1px", "twice"),
        ("margin-left: -4px", "negative margin"),
    ],
)
def test_a_style_attribute_is_held_to_the_same_rules(text: str, words: str) -> None:
    assert any(words in fault.sentence for fault in lint_attribute(text))
    assert lint_attribute("padding: 2px; color: #999999") == ()


def test_a_colour_that_the_inliner_wrote_short_is_none_to_blame() -> None:
    assert lint_inlined("color: #999; background: #FFF url(a.png)") == ()
    assert lint_inlined("color: grey")
    assert lint_inlined("color: #9999")


def test_a_shorthand_beside_its_longhand() -> None:
    assert list(mixed_shorthands(["padding", "padding-left", "margin-top"])) == [
        ("padding", "padding-left")
    ]
    for names in (
        ("font", "line-height"),
        ("border-top", "border-color"),
        ("border-top", "border-top-color"),
        ("border", "border-left"),
        ("text-decoration", "text-decoration-color"),
        ("padding-inline", "padding-left"),
        ("margin", "margin-inline-start"),
        ("background", "background-color"),
    ):
        assert list(mixed_shorthands(names)) == [names]
        assert list(mixed_shorthands(names[::-1])) == [names]
    # These share nothing.
    assert not list(mixed_shorthands(["border", "border-collapse", "border-radius", "font-size"]))
    assert not list(mixed_shorthands(["border-top", "border-bottom", "padding-block"]))


def test_what_premailer_loses_is_refused() -> None:
    assert any("all" in fault.near for fault in lint_base(".b{all:unset}"))
