"""The pages' stylesheet: one file of ours, and the paper's two colours."""

import hashlib
from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from newsletter.publication.model import Colours

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


def brand_css(colours: Colours) -> str:
    """The paper's accents as custom properties.

    In a file because the pages allow no inline styles; the colours are
    validated as `#rrggbb`.
    """
    return (
        f":root{{--accent:{colours.accent}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{--accent:{colours.accent_dark}}}}}\n"
    )
