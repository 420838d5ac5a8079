"""The pages' stylesheet: one file of ours, and the colours and fonts of the paper's look."""

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from newsletter.publication.design import Design, Palette
from newsletter.rendering.filters import SCRIPTS

STATIC_FOLDER = Path(__file__).parent / "static"


class CachedFiles(StaticFiles):
    """Static files that browsers may keep: their addresses carry a version."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "public, max-age=86400"
        return response


def stylesheet_version() -> str:
    """Changes whenever the stylesheet does, so that no browser keeps an old one."""
    return hashlib.sha256((STATIC_FOLDER / "site.css").read_bytes()).hexdigest()[:10]


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
