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
# So much of a sentence at least stands before a quotation that is left out.
_LEAST = 20
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
    if ends_sentence(excerpt):
        return shorten([excerpt])
    # A cut text has no end of its own: show that it goes on.
    opened = open_quotes(excerpt)
    before = _trim(excerpt[: opened[0]]) if opened else excerpt
    return shorten([close_quotes((before if len(before) >= _LEAST else excerpt) + "…")])


def strip_cut(text: str) -> tuple[str, bool]:
    """``text`` without "[…]", "continue reading" and a feed's footer, and whether it was cut."""
    text = _FEED_FOOTER.sub("", text)
    match = _CUT_ENDING.search(text, max(0, len(text) - _LONGEST_ENDING))
    if match is None or not (match["cut"] or _is_more_link(text, match)):
        return text.strip(), False
    return text[: match.start()].rstrip(), True


def shorten(paragraphs: Sequence[str]) -> str:
    """As many whole sentences as fit, at most `LONGEST` characters.

    Where the first sentence alone is too long it is cut at a word and ends in
    "…": outside of a quotation, or before it. A sentence that is little but one
    long quotation is passed over, and those after it are taken; only where there
    are none it is cut inside. What is short enough stays as it is, so that
    shortening twice changes nothing.
    """
    if len(paragraphs) == 1 and len(paragraphs[0]) <= LONGEST:
        return paragraphs[0]
    taken = passed_over = ""
    for sentence in _sentences(paragraphs):
        longer = f"{taken} {sentence}".strip()
        if len(longer) <= LENGTH:
            taken = longer
        elif len(taken) >= SHORTEST:
            return taken
        else:
            cut = longer if len(longer) <= LONGEST else _cut_outside_quotes(longer, LENGTH)
            if cut or len(taken) >= _LEAST:
                return cut or taken
            taken, passed_over = "", passed_over or longer
    return taken if len(taken) >= _LEAST or not passed_over else cut_at_word(passed_over, LENGTH)


def cut_at_word(text: str, length: int) -> str:
    """``text`` cut between words to ``length`` characters with its "…"; whole if it fits.

    Inside a quotation only where hardly anything stands before it: then the
    closing mark follows the "…".
    """
    if len(text) <= length:
        return text
    if outside := _cut_outside_quotes(text, length):
        return outside
    # One place for the ellipsis, two for closing marks.
    room = max(1, length - 3)
    cut = text.rfind(" ", 0, room + 1)
    while cut > 0 and holds_together(text[:cut], text[cut:]):
        cut = text.rfind(" ", 0, cut)
    cut = cut if cut > 0 else room
    head = _trim(text[:cut]) or text[:cut]
    return close_quotes(head + "…", text[len(head) :])[: length + 1]


def _cut_outside_quotes(text: str, length: int) -> str:
    """``text`` cut to ``length`` characters with its "…", where no quotation is open.

    Nothing where less than `_LEAST` characters would be left.
    """
    cut = text.rfind(" ", 0, length)
    while cut > 0:
        opened = open_quotes(text[:cut], text[cut:])
        if opened:
            cut = text.rfind(" ", 0, opened[0])
        elif holds_together(text[:cut], text[cut:]):
            cut = text.rfind(" ", 0, cut)
        else:
            break
    head = _trim(text[: max(cut, 0)])
    return head + "…" if len(head) >= _LEAST else ""


def _trim(text: str) -> str:
    """``text`` without marks at its end that lead on to what was cut off."""
    return re.sub(r"[\s,;:.…!?\-–—(\[՝։،؛]+$", "", text)


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
