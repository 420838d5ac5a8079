"""Where a sentence ends, and where a quotation is open: Latin, Armenian, Cyrillic, Arabic."""

import re
from collections.abc import Iterator

# U+0589 is the Armenian full stop, often typed as a colon; U+061F and U+06D4 are Arabic.
_END = re.compile(r"(?P<mark>[.!?…։؟۔]+|(?<=[ա-և]):)(?P<closing>[\"”’»“)\]]*)(?=\s|$)")
_ARMENIAN_END = re.compile(r"[ա-և][։:](?:[»”\")]*)(?:\s|$)")
_LAST_WORD = re.compile(r"[^\s\"“”„«»()\[\]—–]*$")
_INITIAL = re.compile(r"^(?:[^\W\d_]\.)*[^\W\d_]$")
_NUMBERING = re.compile(r"^\d{1,2}$")

_ABBREVIATED = (
    # English: titles, places, times, companies, months, references.
    "dr mr mrs ms mx prof st sts mt ft gen col lt sgt capt maj adm cmdr sen rep gov rev fr hon pres"
    " amb supt det insp jr sr esq vs etc e.g i.e cf viz a.m p.m u.s u.k u.n e.u u.s.a u.s.s.r d.c"
    " nos vol pp ed eds inc ltd co corp bros dept univ assn ave blvd rd apt jan feb apr jun jul aug"
    " sept sep oct nov dec tue tues thu thurs fri approx ca ph.d"
    # French and Spanish.
    " mme mlle mm sra srta av"
    # Russian.
    " г гг в вв т т.е т.д т.п др пр ул им руб коп млн млрд тыс см стр проф акад ген обл р-н н.э"
    # Armenian.
    " թ թթ դ դր պրոֆ տ տկն օր ք փ հ էջ տես մլն մլրդ հզ"
    # Arabic.
    " د أ م ص"
)
_ABBREVIATIONS = frozenset(_ABBREVIATED.split())
# Words of their own, and abbreviations only with a capital: "No. 5", "Sun."
_ABBREVIATED_IF_CAPITAL = frozenset(("no", "art", "fig", "est", "mar", "mon", "wed", "sat", "sun"))

_OPENING = {"“": "”", "«": "»", "„": "“”", "‘": "’"}


def split_sentences(paragraph: str) -> list[str]:
    """The sentences of one paragraph, in order; joined by spaces they are the paragraph.

    A mark ends none after an abbreviation, an initial or inside a number, nor
    where a quotation is still open. The last sentence may lack its mark.
    """
    sentences = []
    start = 0
    for end in _ends(paragraph):
        sentence = paragraph[start:end].strip()
        if sentence:
            sentences.append(sentence)
        start = end
    rest = paragraph[start:].strip()
    return [*sentences, rest] if rest else sentences


def open_quotes(text: str) -> list[int]:
    """Where each quotation that ``text`` leaves open begins, outermost first."""
    stack: list[tuple[int, str]] = []
    for at, char in enumerate(text):
        if stack and char in stack[-1][1] and _closes(text, at, char):
            stack.pop()
        elif char in _OPENING and (char != "‘" or _starts_word(text, at)):
            stack.append((at, _OPENING[char]))
        elif char == '"' and _starts_word(text, at):
            stack.append((at, '"'))
    return [at for at, _ in stack]


def close_quotes(text: str) -> str:
    """``text`` with the closing marks that it lacks."""
    text = text.rstrip()
    return text + "".join(_OPENING.get(text[at], '"')[-1] for at in reversed(open_quotes(text)))


def ends_sentence(text: str) -> bool:
    """Whether ``text`` ends as a sentence does."""
    return re.search(r"(?:[.!?…։؟۔]|[ա-և]:)[\"”’»“)\]]*$", text) is not None


def _ends(paragraph: str) -> Iterator[int]:
    # In Armenian the dot is a pause; some type it as a full stop all the same.
    dot_ends = not _ARMENIAN_END.search(paragraph)
    start = 0
    for match in _END.finditer(paragraph):
        if _is_end(paragraph, start, match, dot_ends=dot_ends):
            yield match.end()
            start = match.end()


def _is_end(paragraph: str, start: int, match: re.Match[str], *, dot_ends: bool) -> bool:
    before, after = paragraph[start : match.start()], paragraph[match.end() :].lstrip()
    if not after:
        return True
    if after[0].islower() or after[0] in ",;:)]»”":
        return False
    if match["mark"] == ".":
        word = _LAST_WORD.search(before)
        last = word[0] if word else ""
        if _is_abbreviation(last) or (_NUMBERING.match(last) and last == before.strip()):
            return False
        if not dot_ends and re.search(r"[ա-և]$", last):
            return False
    return not open_quotes(paragraph[start : match.end()])


def _is_abbreviation(word: str) -> bool:
    plain = word.lower().lstrip("'’")
    if plain in _ABBREVIATED_IF_CAPITAL:
        return word[:1].isupper()
    return plain in _ABBREVIATIONS or _INITIAL.match(word) is not None


def _starts_word(text: str, at: int) -> bool:
    before = text[at - 1] if at else " "
    return before.isspace() or before in '([{—–-“„«‘"/'


def _closes(text: str, at: int, char: str) -> bool:
    if char == '"':
        return at > 0 and not text[at - 1].isspace()
    # The closing single mark is the apostrophe as well: only before a non-letter.
    return char != "’" or not text[at + 1 : at + 2].isalpha()
