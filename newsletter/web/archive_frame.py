"""The frame of an archived issue: what is put into a mail's own document to make it a page.

The mail stays byte for byte what it was; nothing of it is parsed or written anew.
"""

import re
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from newsletter.rendering.environment import Templates

# As a serialiser wrote the document: no attribute's value holds a bare > there.
_HEAD_END = re.compile(r"</head\s*>", re.IGNORECASE)
_BODY_START = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_DESCRIPTION = re.compile(r'<meta name="description"', re.IGNORECASE)


@dataclass(frozen=True)
class Correction:
    """What was wrong in a sent issue, as HTML or plain, and since when the archive says so."""

    date: date
    sentence: str | Markup


def frame_mail(html: str, templates: Templates, **values: object) -> str:
    """The mail with `web/issue_head.html` in its head, `issue_top` and `issue_bottom` around it.

    ``values`` are what those templates print. A document without head or body is
    shown without those parts.
    """
    values["described"] = _DESCRIPTION.search(html) is not None
    head, top, bottom = (
        templates.render(f"web/issue_{part}.html", **values) for part in ("head", "top", "bottom")
    )
    html = _HEAD_END.sub(lambda match: head + match[0], html, count=1)
    html = _BODY_START.sub(lambda match: match[0] + top, html, count=1)
    # The last one is the document's own.
    before, end, after = html.rpartition("</body>")
    return before + (bottom + end if end else "") + after
