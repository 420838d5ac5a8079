import re
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from newsletter.publication import house
from newsletter.publication.brand import Colours, Fonts, ScriptFonts
from newsletter.publication.colour import ENOUGH, contrast, invert
from newsletter.publication.design import design_with, house_design

ROOT = Path(__file__).parents[2]
COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06X}")
LITERAL = re.compile(
    r"#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})\b(?!;)|\b(?:rgb|hsl|lab|lch|oklch)a?\(|"
    # Names that a style sheet might take instead.
    r":\s*(?:white|black|gr[ae]y|red|blue|green|yellow|orange|brown|silver)\b",
    re.IGNORECASE,
)


NOTICE = re.compile(
    r"The colour (\S+) (\S+) is hard to read on (?:light|dark) paper(, turned dark as some mail "
    r"programs do)? \(contrast (\S+) with (#\w{6}), at least 4.5 is needed\)"
)


@pytest.mark.parametrize(
    "path",
    sorted(
        path
        for folder in ("templates", "newsletter/web")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".css", ".html", ".xml", ".js")
    ),
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_no_colour_stands_outside_the_tokens(path: Path) -> None:
    found = [line for line in path.read_text("utf-8").splitlines() if LITERAL.search(line)]
    assert found == [], "write it into publication/design.json and print the token"


def test_every_text_of_the_house_can_be_read() -> None:
    for palette in (house_design().light, house_design().dark):
        for text in (palette.ink, palette.soft, palette.accent, palette.masthead):
            for ground in (palette.card, palette.paper, palette.wash):
                assert contrast(text, ground) >= ENOUGH
        assert contrast(palette.on_accent, palette.accent) >= ENOUGH
        # WCAG 2.2, 1.4.11: what makes a control known, here the frame of an answer.
        assert contrast(palette.line, palette.card) >= 3


def test_without_a_brand_it_is_the_house() -> None:
    assert design_with(Colours(), Fonts()) == house_design()
    assert asdict(house_design().light) == house.LIGHT


@given(COLOURS, COLOURS, COLOURS | st.none(), COLOURS | st.none())
def test_any_brand_can_be_read(
    accent: str, second: str, accent_dark: str | None, second_dark: str | None
) -> None:
    design = design_with(
        Colours(accent=accent, second=second, accent_dark=accent_dark, second_dark=second_dark),
        Fonts(),
    )
    for palette in (design.light, design.dark):
        for text in (palette.accent, palette.masthead):
            for ground in (palette.card, palette.paper, palette.wash):
                assert contrast(text, ground) >= ENOUGH
                if palette is design.light:
                    assert contrast(invert(text), invert(ground)) >= ENOUGH
        assert contrast(palette.on_accent, palette.accent) >= ENOUGH
    changed = {
        "accent": design.light.accent != accent.lower(),
        "second": design.light.masthead != second.lower(),
        "accent_dark": accent_dark and design.dark.accent != accent_dark.lower(),
        "second_dark": second_dark and design.dark.masthead != second_dark.lower(),
    }
    told = [NOTICE.match(one) for one in design.mended]
    assert [match[1] for match in told if match] == [key for key, is_so in changed.items() if is_so]
    for match in filter(None, told):
        # What it says is so, and too little.
        seen = invert(match[2]) if match[3] else match[2]
        assert float(match[4]) < ENOUGH
        assert 0 <= contrast(seen, match[5]) - float(match[4]) < 0.01 + 1e-9


def test_a_mended_colour_is_told_of_in_one_sentence() -> None:
    (sentence,) = design_with(Colours(accent="#ffcc00"), Fonts()).mended
    assert sentence == (
        "The colour accent #ffcc00 is hard to read on light paper (contrast 1.22 with #f0e6d4, at "
        "least 4.5 is needed): mails and pages print #7f6400 instead."
    )


def test_fonts_of_a_paper_stand_before_the_house_ones() -> None:
    fonts = Fonts(armenian=ScriptFonts(serif=("Mshtakan", "Arax Roman")))
    found = design_with(Colours(), fonts).fonts
    assert found["armenian"].serif == (
        "Mshtakan,'Arax Roman',Sylfaen,'Noto Serif','Noto Serif Armenian',serif"
    )
    assert found["latin"] == house_design().fonts["latin"]


@pytest.mark.parametrize("name", ["", "A'b", 'A"b', "A;b", "A,b", "A</style>", "Aé", "-a", "A\nb"])
def test_a_family_can_not_break_out_of_its_place(name: str) -> None:
    with pytest.raises(ValidationError):
        ScriptFonts(serif=(name,))
