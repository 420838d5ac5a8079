"""The tag on the story links of our mails, by which a visit that we caused is known.

Its parameters are those that web counters read (utm_source, utm_medium,
utm_campaign), so that the paper's own counter can tell such visits apart too.
"""

_MEDIUM = "utm_medium=email"


def tag_link(url: str, source: str, campaign: str) -> str:
    """``url`` with our tag: ``source`` from the settings, ``campaign`` names the issue.

    Unchanged where ``source`` is empty. Both hold letters, digits, dots,
    hyphens and underscores only, so that nothing has to be escaped.
    """
    if not source:
        return url
    address, mark, fragment = url.partition("#")
    joint = "&" if "?" in address else "?"
    return f"{address}{joint}utm_source={source}&{_MEDIUM}&utm_campaign={campaign}{mark}{fragment}"


def carries_tag(url: str, source: str) -> bool:
    """Whether ``url`` carries the tag of our mails, whatever the issue."""
    if not source or "utm_source=" not in url:
        return False
    pairs = url.partition("#")[0].partition("?")[2].split("&")
    return f"utm_source={source}" in pairs and _MEDIUM in pairs
