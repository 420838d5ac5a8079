"""Which stories are the same told twice: near-duplicates by headline and by text.

Headlines are compared by the cosine of their TF-IDF vectors (words and pairs of
words, weighed by how rare they are among all stories at hand, so that a
column's standing title does not count), texts by 64-bit SimHash (Charikar,
2002) of the excerpt.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from enum import Enum
from hashlib import blake2b
from itertools import pairwise
from math import log, sqrt

from newsletter.stories.canonical import title_key
from newsletter.stories.model import Story

# The same headline again within a week is the same story; a weekly column's is not.
SAME_STORY = timedelta(days=7)
# 4 pairs in 335 real feed titles come this close.
SAME_HEADLINE = 0.6
# Of 64 bits.
SAME_TEXT = 3
# An excerpt shorter than this says too little, and one that stands under this
# many stories is a standing line of the paper's.
_FEWEST_WORDS = 12
_STANDING_LINE = 3
_STOP_WORDS = frozenset(
    word
    for words in (
        "a an and are as at be by for from has have how in into is it its new not of on or over",
        "says so than that the their they this to up was were what when who why will with after",
    )
    for word in words.split()
)


class Likeness(Enum):
    """How two stories are alike."""

    ADDRESS = "at the same address"
    HEADLINE = "under the same headline"
    NEARLY = "under much the same headline"
    TEXT = "with the same text"


class Likenesses:
    """Compares the stories of one issue; what it works out about a story it keeps."""

    def __init__(self, stories: Iterable[Story]) -> None:
        listed = list(stories)
        self._seen_in: Counter[str] = Counter()
        for story in listed:
            self._seen_in.update(set(_terms(story)))
        self._count = len(listed)
        self._lines = Counter(story.excerpt for story in listed)
        self._vectors: dict[str, dict[str, float]] = {}
        self._hashes: dict[str, int | None] = {}

    def between(self, one: Story, other: Story) -> Likeness | None:
        """How the two are alike, if they came within a week of each other."""
        if one.public_id == other.public_id or (one.url and one.url == other.url):
            return Likeness.ADDRESS
        if abs(one.published_at - other.published_at) > SAME_STORY:
            return None
        if one.title_key and one.title_key == other.title_key:
            return Likeness.HEADLINE
        if self._cosine(one, other) >= SAME_HEADLINE:
            return Likeness.NEARLY
        mine, others = self._hash(one), self._hash(other)
        if mine is not None and others is not None and (mine ^ others).bit_count() <= SAME_TEXT:
            return Likeness.TEXT
        return None

    def _cosine(self, one: Story, other: Story) -> float:
        mine, others = self._vector(one), self._vector(other)
        if len(others) < len(mine):
            mine, others = others, mine
        return sum(weight * others[term] for term, weight in mine.items() if term in others)

    def _vector(self, story: Story) -> dict[str, float]:
        vector = self._vectors.get(story.public_id)
        if vector is None:
            counts = Counter(_terms(story))
            weights = {
                term: count * (1 + log((1 + self._count) / (1 + self._seen_in[term])))
                for term, count in counts.items()
            }
            length = sqrt(sum(weight * weight for weight in weights.values())) or 1.0
            vector = {term: weight / length for term, weight in weights.items()}
            self._vectors[story.public_id] = vector
        return vector

    def _hash(self, story: Story) -> int | None:
        if story.public_id not in self._hashes:
            standing = self._lines[story.excerpt] >= _STANDING_LINE
            self._hashes[story.public_id] = None if standing else sim_hash(story.excerpt)
        return self._hashes[story.public_id]


def sim_hash(text: str) -> int | None:
    """The 64-bit SimHash of a text's pairs of words; None where it has too few words."""
    words = title_key(text).split()
    if len(words) < _FEWEST_WORDS:
        return None
    sums = [0] * 64
    for pair in pairwise(words):
        digest = blake2b(" ".join(pair).encode(), digest_size=8).digest()
        bits = int.from_bytes(digest, "big")
        for at in range(64):
            sums[at] += 1 if bits >> at & 1 else -1
    return sum(1 << at for at, total in enumerate(sums) if total > 0)


def _terms(story: Story) -> list[str]:
    words = [word for word in story.title_key.split() if word not in _STOP_WORDS]
    return [*words, *(f"{a} {b}" for a, b in pairwise(words))]
