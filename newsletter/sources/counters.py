"""Which counters a site uses, by what it shows of them: REST namespaces and scripts."""

import re
from collections.abc import Iterable, Iterator

_NAMESPACES = {
    "wordpress-popular-posts/v1": "WordPress Popular Posts",
    "koko-analytics/v1": "Koko Analytics",
    "post-views-counter": "Post Views Counter",
}
# Addresses of scripts, or what the snippets that load them hold.
_SCRIPTS = {
    "Plausible": r"plausible\.io/js|/js/plausible\.|/js/script\.(?:[\w.-]+\.)?js.{0,40}plausible",
    "Umami": r"umami\.is/|/umami\.js|umami[\w.-]*/script\.js",
    "Matomo": r"/(?:matomo|piwik)\.(?:js|php)|cdn\.matomo\.cloud|_paq\.push",
    "GoatCounter": r"gc\.zgo\.at/count\.js|goatcounter\.com/count",
    "Fathom": r"cdn\.usefathom\.com/",
    "Google Analytics": r"googletagmanager\.com/gtag/js|google-analytics\.com/|gtag\('config'",
    "Jetpack Stats": r"stats\.wp\.com/",
    "Simple Analytics": r"scripts\.simpleanalyticscdn\.com/|simpleanalytics\.com/",
    "Cloudflare Web Analytics": r"static\.cloudflareinsights\.com/",
    "Koko Analytics": r"/koko-analytics/",
    "WordPress Popular Posts": r"/wordpress-popular-posts/",
    "Post Views Counter": r"/post-views-counter/",
}
# Where themes and plugins print how often a story was read.
PRINTED = (
    ".post-views-count",  # Post Views Counter
    ".jeg_meta_views",  # JNews
    ".td-post-views",  # Newspaper
    ".meta-views",  # Jannah
    ".wpp-views",  # WordPress Popular Posts
    ".entry-views",
    ".post-views",
    ".views-count",
    ".view-count",
)
_PATTERNS = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _SCRIPTS.items()}


def counters_by_namespace(namespaces: Iterable[str]) -> Iterator[str]:
    """The counter plugins whose REST routes a WordPress site has."""
    for namespace in namespaces:
        if name := _NAMESPACES.get(namespace):
            yield name


def counters_by_script(scripts: Iterable[str]) -> Iterator[str]:
    """The counters that a page loads; ``scripts`` are addresses and texts of its scripts."""
    found = list(scripts)
    for name, pattern in _PATTERNS.items():
        if any(pattern.search(script) for script in found):
            yield name
