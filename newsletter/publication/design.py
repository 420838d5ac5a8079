"""The look of a paper's mails and pages: the house's tokens with the paper's own brand.

A brand's colour that could not be read is made darker on light paper and lighter
on dark, and said to be.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from math import floor

from newsletter.publication import house
from newsletter.publication.brand import Colours, Fonts, Publication, ScriptFonts
from newsletter.publication.colour import ENOUGH, contrast, invert, make_readable

# Quoted in CSS, all but these.
_GENERIC = frozenset(("serif", "sans-serif"))


@dataclass(frozen=True)
class Palette:
    """The colours of one scheme, as ``#rrggbb``: what they are for is their name.

    Text in ``accent`` and ``masthead`` can be read on ``card`` and ``paper``, and
    text in ``on_accent`` on ``accent``.
    """

    paper: str
    card: str
    ink: str
    soft: str
    rule: str
    line: str
    heavy: str
    wash: str
    masthead: str
    accent: str
    on_accent: str


@dataclass(frozen=True)
class Families:
    """The fonts of a script as CSS lists, ``'Noto Serif',serif``."""

    serif: str
    sans: str


@dataclass(frozen=True)
class Design:
    """The tokens of a paper's look. ``fonts`` are by script: latin, armenian, arabic, hebrew.

    ``mended`` are sentences on colours that could not be read as they were given.
    """

    light: Palette
    dark: Palette
    fonts: Mapping[str, Families]
    mended: tuple[str, ...] = ()


@cache
def house_design() -> Design:
    """The service's own look, without a brand."""
    return Design(Palette(**house.LIGHT), Palette(**house.DARK), _families(Fonts()))


def design_of(publication: Publication) -> Design:
    """The look of ``publication``."""
    return design_with(publication.colours, publication.fonts)


@cache
def design_with(colours: Colours, fonts: Fonts) -> Design:
    """The house's look with these colours and fonts."""
    own = house_design()
    evening = Colours(
        accent=colours.accent_dark or _evening(colours.accent, own),
        second=colours.second_dark or colours.second,
    )
    light, notices = _brand(own.light, colours, "light", {"accent": "accent", "second": "second"})
    # What is only derived from a colour given for light paper is nobody's mistake.
    given = {"accent": colours.accent_dark, "second": colours.second_dark}
    told = {key: f"{key}_dark" for key, colour in given.items() if colour}
    dark, more = _brand(own.dark, evening, "dark", told)
    return Design(light, dark, _families(fonts), (*notices, *more))


def _evening(accent: str, own: Design) -> str:
    """The accent for a dark screen where none is given: the house's own beside its own."""
    return own.dark.accent if accent.lower() == own.light.accent else accent


def _brand(
    palette: Palette, colours: Colours, scheme: str, keys: Mapping[str, str]
) -> tuple[Palette, list[str]]:
    """The palette with the brand's colours made readable, and sentences on those changed.

    ``keys`` are the names of those colours to tell of.
    """
    notices = []
    # What text in these colours is read on; of a button it is the other way round.
    grounds = (palette.card, palette.paper, palette.wash, palette.on_accent)

    def mend(name: str, colour: str) -> str:
        found = readable = make_readable(colour, grounds)
        if scheme == "light":
            # Some mail programs know no dark palette of ours and turn this one over.
            found = invert(make_readable(invert(found), map(invert, grounds)))
        if name in keys and found != colour.lower():
            where = f"on {scheme} paper"
            ratio, on = _worst(colour, grounds)
            if readable == colour.lower():  # so it is the other way round that it can't be read
                where += ", turned dark as some mail programs do"
                ratio, on = _worst(invert(colour), map(invert, grounds))
            notices.append(
                f"The colour {keys[name]} {colour} is hard to read {where} (contrast {ratio:.2f} "
                f"with {on}, at least {ENOUGH} is needed): mails and pages print {found} instead."
            )
        return found

    branded = replace(palette, accent=mend("accent", colours.accent))
    if colours.second:
        second = mend("second", colours.second)
        branded = replace(branded, masthead=second, heavy=second)
    return branded, notices


def _worst(colour: str, grounds: Iterable[str]) -> tuple[float, str]:
    """The ground on which a colour is hardest to read, and how well: 4.499 is not yet 4.5."""
    ratio, ground = min((contrast(colour, ground), ground) for ground in grounds)
    return floor(ratio * 100) / 100, ground


def _families(fonts: Fonts) -> dict[str, Families]:
    return {
        script: Families(
            _list(own.serif, house.FONTS[script]["serif"]),
            _list(own.sans, house.FONTS[script]["sans"]),
        )
        for script, own in _by_script(fonts).items()
    }


def _by_script(fonts: Fonts) -> dict[str, ScriptFonts]:
    return {script: getattr(fonts, script) for script in house.FONTS}


def _list(own: tuple[str, ...], fallback: list[str]) -> str:
    """The paper's families before the house's, which have the letters it may lack."""
    names = dict.fromkeys((*own, *fallback))
    return ",".join(name if name in _GENERIC or " " not in name else f"'{name}'" for name in names)
