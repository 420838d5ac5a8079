"""Buttons for editors above an issue's mail, in both of its parts."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from newsletter.rendering.bidi import text_direction

_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_BAR = (
    "font: 15px/22px -apple-system, 'Segoe UI', Roboto, Arial, sans-serif; color: #1e1a17; "
    "background-color: #f4efe6; border-bottom: 4px double #1e1a17"
)
_BUTTON = (
    "display: inline-block; margin: 0 8px 8px 0; padding: 9px 16px; border: 1px solid #6a6058; "
    "background-color: #fffdf9; color: #1e1a17; text-decoration: none"
)
_MAIN = (
    "display: inline-block; margin: 0 8px 8px 0; padding: 9px 16px; border: 1px solid #8c1d2f; "
    "background-color: #8c1d2f; color: #ffffff; text-decoration: none; font-weight: bold"
)


@dataclass(frozen=True)
class ActLink:
    """A button: its words and where it leads. The ``main`` one stands out."""

    label: str
    url: str
    main: bool = False


def put_above(
    html: str,
    text: str,
    *,
    links: Iterable[ActLink],
    notes: Iterable[str],
    desk: ActLink,
    language: str,
) -> tuple[str, str]:
    """The two parts of a mail with buttons above, in ``language``.

    Their look stands at each of them: what readers will get below is not touched.
    """
    offered = (*links, desk)
    buttons = "".join(
        f'<a href="{escape(one.url)}" style="{_MAIN if one.main else _BUTTON}">'
        f"{escape(one.label)}</a> "
        for one in offered
    )
    told = "".join(f'<p style="margin: 0 0 4px">{escape(note)}</p>' for note in notes)
    bar = (
        f'<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" '
        f'lang="{escape(language)}" dir="{text_direction(language)}"><tr><td style="{_BAR}; '
        f'padding: 16px">{buttons}{told}</td></tr></table>'
    )
    lines = [*(f"{one.label}\n{one.url}\n" for one in offered), *notes, "", "-" * 72, ""]
    return (
        _BODY.sub(lambda match: match[0] + bar, html, count=1),
        "\n".join(lines) + text,
    )
