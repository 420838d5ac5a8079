"""What a real browser finds in a mail: axe's violations, and how wide it is without styles."""

import re
from dataclasses import dataclass

from axe_playwright_python.sync_playwright import Axe

from tests.browser import open_browser
from tests.rendering.screens import ALLOWED, AXE_TAGS, shown

WIDTHS = (320, 375, 700)
_STYLES = re.compile(r"<style\b.*?</style>", re.DOTALL | re.IGNORECASE)
_SCREENS = ((320, "light"), (700, "light"), (375, "dark"))


@dataclass(frozen=True)
class Found:
    """axe's rules that are broken, with how many elements break them, and pixels too wide."""

    violations: dict[str, int]
    beyond_px: int


def look_at(*mails: str) -> list[Found]:
    """What is found in each of ``mails``, at 320 and 700 px by day and at 375 by night.

    ``beyond_px`` is the most that any of three widths is exceeded by where a mail
    program keeps no style element.
    """
    found = []
    with open_browser() as browser:
        for html in mails:
            violations: dict[str, int] = {}
            for width, scheme in _SCREENS:
                with shown(browser, html, width, scheme) as page:
                    options = {"runOnly": {"type": "tag", "values": AXE_TAGS}}
                    for broken in Axe().run(page, options=options).response["violations"]:
                        if broken["id"] not in ALLOWED:
                            count = len(broken["nodes"])
                            violations[broken["id"]] = max(count, violations.get(broken["id"], 0))
            beyond = 0
            for width in WIDTHS:
                with shown(browser, _STYLES.sub("", html), width) as page:
                    wide = page.evaluate("document.documentElement.scrollWidth")
                    beyond = max(beyond, wide - width)
            found.append(Found(violations, beyond))
    return found
