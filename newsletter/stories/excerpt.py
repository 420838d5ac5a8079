"""The few lines under a headline."""

import re
from collections.abc import Iterator, Sequence

from newsletter.stories.sentences import (
    close_quotes,
    ends_sentence,
    holds_together,
    open_quotes,
    split_sentences,
)

# Three lines of a card: as many sentences as fit into LENGTH; LONGEST where one
# sentence needs a little more; below SHORTEST the next one is begun.
LENGTH = 220
LONGEST = 260
SHORTEST = 80
# Shorter than this, what a source calls an excerpt is a label.
_REAL_EXCERPT = 40

_LONGEST_ENDING = 400
# Far more than an excerpt takes: keeps a paragraph of a megabyte from costing anything.
_ENOUGH = 2_000

_CUT_ENDING = re.compile(
    r"(?P<cut>\s*(?:\[\s*(?:…|\.{3}|&hellip;)\s*\]|…|\.{3,}))?\s*"
    r"(?P<more>(?:continue reading|keep reading|read (?:the )?(?:more|rest|full\b.{0,20}|on)|more"
    r"|(?:կարդալ|կարդացե?ք)\s+(?:ավելին|շարունակությունը)|читать (?:далее|дальше|полностью)"
    r"|(?:اقرأ|إقرأ) المزيد)\b.{0,200})?\s*(?:[→»›>]+\s*)?$",
    re.IGNORECASE | re.DOTALL,
)
_FEED_FOOTER = re.compile(
    r"\s*(?:The post|Запись|L’article)\b[^\n]{0,300}"
    r"\b(?:appeared first on|впервые появилась|est apparu en premier sur)\b.*$",
    re.DOTALL,
)


def make_excerpt(own: str, paragraphs: Sequence[str]) -> str:
    """The source's own excerpt where it has a real one, else the first sentences of the text.

    All in plain text; ``paragraphs`` without byline, headings and promos. An
    excerpt that the CMS cut out of the text itself (it ends in "[…]" or
    "continue reading") counts only where there is no text.
    """
    excerpt, was_cut = strip_cut(own)
    if len(excerpt) >= _REAL_EXCERPT and not was_cut:
        return shorten([excerpt])
    from_text = shorten(_worth_quoting(paragraphs))
    if from_text or not was_cut:
        return from_text or shorten([excerpt])
    # A cut text has no end of its own: show that it goes on.
    return shorten([excerpt if ends_sentence(excerpt) else close_quotes(excerpt + "…")])


def strip_cut(text: str) -> tuple[str, bool]:
    """``text`` without "[…]", "continue reading" and a feed's footer, and whether it was cut."""
    text = _FEED_FOOTER.sub("", text)
    match = _CUT_ENDING.search(text, max(0, len(text) - _LONGEST_ENDING))
    if match is None or not (match["cut"] or _is_more_link(text, match)):
        return text.strip(), False
    return text[: match.start()].rstrip(), True


def shorten(paragraphs: Sequence[str]) -> str:
    """As many whole sentences as fit, at most `LONGEST` characters.

    Where the first sentence alone is too long it is cut at a word, outside of
    a quotation if there is room, and ends in "…". What is short enough stays
    as it is, so that shortening twice changes nothing.
    """
    if len(paragraphs) == 1 and len(paragraphs[0]) <= LONGEST:
        return paragraphs[0]
    taken = ""
    for sentence in _sentences(paragraphs):
        longer = f"{taken} {sentence}".strip()
        if len(longer) <= LENGTH:
            taken = longer
        elif len(taken) >= SHORTEST:
            return taken
        else:
            return longer if len(longer) <= LONGEST else cut_at_word(longer, LENGTH)
    return taken


def cut_at_word(text: str, length: int) -> str:
    """``text`` cut between words to ``length`` characters with its "…"; whole if it fits."""
    if len(text) <= length:
        return text
    # One place for the ellipsis, two for closing marks.
    room = max(1, length - 3)
    cut = text.rfind(" ", 0, room + 1)
    opened = open_quotes(text[: max(cut, 0)])
    if opened and opened[0] >= SHORTEST:
        cut = opened[0]
    while cut > 0 and holds_together(text[:cut], text[cut:]):
        cut = text.rfind(" ", 0, cut)
    head = text[:cut] if cut > 0 else text[:room]
    head = re.sub(r"[\s,;:.…!?\-–—(«“„‘\"՝։،؛]+$", "", head) or text[:room]
    return close_quotes(head + "…")[: length + 1]


def _sentences(paragraphs: Sequence[str]) -> Iterator[str]:
    for paragraph in paragraphs:
        yield from split_sentences(paragraph[:_ENOUGH])
        # A list or a line of verse: the next paragraph does not go on from it.
        if not ends_sentence(paragraph):
            return


def _worth_quoting(paragraphs: Sequence[str]) -> list[str]:
    """The paragraphs from the first one that is a sentence; all, where none is."""
    for at, paragraph in enumerate(paragraphs):
        if ends_sentence(paragraph) or len(paragraph) > LENGTH:
            return list(paragraphs[at:])
    return list(paragraphs)


def _is_more_link(text: str, match: re.Match[str]) -> bool:
    # "More" may end a sentence; as a link it stands after one.
    return bool(match["more"]) and (match.start() == 0 or ends_sentence(text[: match.start()]))
