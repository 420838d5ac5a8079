"""The colours and fonts of the paper's look, for the pages' one stylesheet."""

from dataclasses import asdict

from newsletter.publication.design import Design, Palette
from newsletter.rendering.filters import SCRIPTS


def brand_css(design: Design) -> str:
    """The look's colours and fonts as custom properties, ``--paper`` and so on.

    In a file because the pages allow no inline styles.
    """
    latin = design.fonts["latin"]
    scripts = "".join(
        f"{_languages(script)}{{--serif:{family.serif};--sans:{family.sans}}}\n"
        for script, family in design.fonts.items()
        if script != "latin"
    )
    return (
        f":root{{color-scheme:light dark;{_colours(design.light)};"
        f"--serif:{latin.serif};--sans:{latin.sans}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{{_colours(design.dark)}}}}}\n"
        # What an editor chose for the desk goes before what the screen says.
        f":root[data-theme=light]{{color-scheme:light;{_colours(design.light)}}}\n"
        f":root[data-theme=dark]{{color-scheme:dark;{_colours(design.dark)}}}\n"
        # One family for Latin and other letters alike, or a headline mixes two designs.
        f"{scripts}"
    )


def _colours(palette: Palette) -> str:
    return ";".join(
        f"--{name.replace('_', '-')}:{colour}" for name, colour in asdict(palette).items()
    )


def _languages(script: str) -> str:
    languages = [language for language, of in SCRIPTS.items() if of == script]
    return ",".join(f'[lang|="{language}"]' for language in languages)
