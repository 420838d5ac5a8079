"""Which visitors are programs, by the name that they give themselves."""

import re
from functools import lru_cache

from crawleruseragents import is_crawler

# A year of a paper's readers has some thousand distinct agents; a search through
# the list of crawlers costs about a tenth of a millisecond.
_AGENTS_KEPT = 20_000
# Longer ones are no browser's, and a regular expression's time grows with them.
_LONGEST_AGENT = 1_000
# What the list of crawlers lacks: mail gateways that follow a mail's links, where they
# say so, and Microsoft Office, which asks for a link before it opens it.
_SCANNERS = re.compile(
    r"barracuda|cloudmark|fireeye|forcepoint|fortiguard|ironport|messagelabs|mimecast|proofpoint"
    r"|symantec|trend ?micro|urldefense|microsoft office (existence|protocol) discovery",
    re.IGNORECASE,
)


@lru_cache(maxsize=_AGENTS_KEPT)
def is_bot(agent: str) -> bool:
    """Whether this User-Agent is a crawler's or a mail scanner's.

    One that is empty or "-" is no browser's either.
    """
    name = agent.strip()
    if name in ("", "-") or len(name) > _LONGEST_AGENT:
        return True
    return bool(_SCANNERS.search(name) or is_crawler(name))
