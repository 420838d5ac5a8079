"""Which visitors are programs, by the name that they give themselves."""

from functools import lru_cache

from crawleruseragents import is_crawler

# A year of a paper's readers has some thousand distinct agents; a search through
# the list of crawlers costs about a tenth of a millisecond.
_AGENTS_KEPT = 20_000
# Longer ones are no browser's, and a regular expression's time grows with them.
_LONGEST_AGENT = 1_000


@lru_cache(maxsize=_AGENTS_KEPT)
def is_bot(agent: str) -> bool:
    """Whether this User-Agent is a crawler's; one that is empty or "-" is no browser's either."""
    name = agent.strip()
    return name in ("", "-") or len(name) > _LONGEST_AGENT or bool(is_crawler(name))
