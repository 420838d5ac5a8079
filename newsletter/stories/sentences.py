"""Where a sentence ends, and where a quotation is open: Latin, Armenian, Cyrillic, Arabic."""

import re
from collections.abc import Iterator

# U+0589 is the Armenian full stop, often typed as a colon; U+061F and U+06D4 are Arabic.
_END = re.compile(r"(?P<mark>[.!?…։؟۔]+|(?<=[ա-և]):)(?P<closing>[\"'”’»“)\]]*)(?=\s|$)")
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
    # Russian and Ukrainian; single letters ("г.", "о.") are initials as well.
    " гг вв т.е т.д т.п др пр ул им руб коп млн млрд тыс см стр проф акад ген обл р-н н.э тов гр кв"
    " напр ок род чел экз изд ред зам нач мин сек ст просп пл пер респ оз св долл доц канд инж полк"
    " кап лейт сокр прим рис табл гл вул ім тис грн"
    # Armenian.
    " թթ դր դոկտ պրոֆ տկն տիկ պրն օր էջ տես մլն մլրդ հզ ակադ դոց վրդ արք եպս սբ կգ կմ սմ"
    # Arabic: "of the Hegira" ends in a letter and its lengthening.
    " هـ"
)
_ABBREVIATIONS = frozenset(_ABBREVIATED.split())
# Words of their own, and abbreviations only with a capital: "No. 5", "Sun."
_ABBREVIATED_IF_CAPITAL = frozenset(("no", "art", "fig", "est", "mar", "mon", "wed", "sat", "sun"))

# Single letters that are words, and may end a sentence.
_LETTER_WORDS = frozenset(("я", "Я"))
_DAY_OF_MONTH = re.compile(
    r"(?:januar|februar|märz|april|mai|juni|juli|august|september|oktober|november|dezember"
    r"|jahrhundert)\b",
    re.IGNORECASE,
)
# A number's sign stands before it, its size and its unit behind.
_SIGNS = frozenset(("№", "§", "$", "€", "£", "֏", "₽", "No.", "Nr.", "ном.", "թիվ", "رقم"))
_SIZES = re.compile(
    r"(?:thousand|million|billion|trillion|percent|per cent|тыс|млн|млрд|тысяч|миллион|миллиард"
    r"|процент|հազար|միլիոն|միլիարդ|մլն|մլրդ|տոկոս|ألف|آلاف|مليون|ملايين|مليار|بالمئة|في المئة|%"
    r"|[ap]\.?m\b)"
)

_PARTICLES = frozenset(("و", "ف", "ب", "ل", "ك", "وب", "ول", "وك", "فب", "فل"))
_OPENING = {"“": "”", "«": "»", "„": "“”"}
_CLOSING_SINGLE = {"‘": "’", "'": "'"}
# Letters and decades that begin with an apostrophe: "rock 'n' roll", "the '90s".
_APOSTROPHE = re.compile(r"['‘](?:\d|n\b|em\b|t(?:is|was|il)\b)", re.IGNORECASE)
# A single mark that is not closed within so much text was an apostrophe.
_LONGEST_IN_SINGLE = 1_000


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


def open_quotes(text: str, after: str = "") -> list[int]:
    """Where each quotation that ``text`` leaves open begins, outermost first.

    ``after`` is what follows it: a straight single mark opens a quotation only
    where it is closed further on, else it is an apostrophe.
    """
    stack: list[tuple[int, str]] = []
    singles = _single_quotations(text + after[:_LONGEST_IN_SINGLE])
    for at, char in enumerate(text):
        if len(stack) > 1 and not stack[-1][1] and char in stack[-2][1]:
            # What encloses it ends first: the single mark was an apostrophe.
            stack.pop()
        if at in singles:
            stack.append((at, ""))
        elif stack and (singles.get(stack[-1][0]) == at or _closes(text, at, stack[-1][1])):
            stack.pop()
        elif char in _OPENING:
            stack.append((at, _OPENING[char]))
        elif char == '"' and (_starts_word(text, at) or _follows_particle(text, at)):
            stack.append((at, '"'))
    return [at for at, _ in stack]


def close_quotes(text: str, after: str = "") -> str:
    """``text`` with the closing marks that it lacks; ``after`` is as in `open_quotes`.

    Where a mark may be closed by several it is the one that ``after`` has first.
    """
    closing = []
    for at in reversed(open_quotes(text, after)):
        marks = _OPENING.get(text[at]) or _CLOSING_SINGLE.get(text[at], text[at])
        closing.append(next((char for char in after if char in marks), marks[-1]))
    return text.rstrip() + "".join(closing)


def holds_together(before: str, after: str) -> bool:
    """Whether a cut between two words would fall into an abbreviation, a name or a number.

    ``before`` and ``after`` are the texts on both sides: "Dr." and "Sahakian",
    "1 500" and "000", "1.5" and "million", "№" and "5".
    """
    last, following = before.rstrip().rpartition(" ")[2], after.lstrip()
    if not last or not following:
        return False
    if last.endswith((".", "․")) and _is_abbreviation(last[:-1].lstrip("([«“„\"'—")):
        return True
    if _NUMBERING.match(last[:-1]) and _DAY_OF_MONTH.match(following):
        return last.endswith(".")
    if following[0].isdigit():
        return last[-1].isdigit() or last in _SIGNS
    return last[-1].isdigit() and _SIZES.match(following) is not None


def ends_sentence(text: str) -> bool:
    """Whether ``text`` ends as a sentence does."""
    return re.search(r"(?:[.!?…։؟۔]|[ա-և]:)[\"'”’»“)\]]*$", text) is not None


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
    if after.lstrip("'’‘")[:1].islower() or after[0] in ",;:)]»”،؛":
        return False
    spoken = re.match(r"[—–-]\s*(\S)", after)
    if spoken and (spoken[1].islower() or spoken[1] in _OPENING):
        return False  # "«Who is there?» — asked the miller."
    if match["mark"] == ".":
        word = _LAST_WORD.search(before)
        last = word[0] if word else ""
        if _is_abbreviation(last):
            return False
        if _NUMBERING.match(last) and (last == before.strip() or _DAY_OF_MONTH.match(after)):
            return False
        if not dot_ends and re.search(r"[ա-և]$", last):
            return False
    if match["closing"] and _is_caseless(after[0]) and not _is_speech(before):
        return False  # a name or a title that ends in a mark: "the play «Who is there?» and"
    return not open_quotes(paragraph[start : match.end()], paragraph[match.end() :])


def _is_caseless(char: str) -> bool:
    return char.isalpha() and char.lower() == char.upper()


def _is_speech(before: str) -> bool:
    """Whether the quotation that is open at the end follows a colon: somebody said it."""
    opened = open_quotes(before)
    return bool(opened) and before[: opened[0]].rstrip().endswith((":", "՝"))


def _is_abbreviation(word: str) -> bool:
    # "2025թ.", "2025г.": the number is written close to it.
    word = word.lstrip("'’0123456789٠١٢٣٤٥٦٧٨٩.,-")
    plain = word.lower()
    if word in _LETTER_WORDS:
        return False
    if plain in _ABBREVIATED_IF_CAPITAL:
        return word[:1].isupper()
    return plain in _ABBREVIATIONS or _INITIAL.match(word) is not None


def _starts_word(text: str, at: int) -> bool:
    before = text[at - 1] if at else " "
    return before.isspace() or before in '([{—–-“„«‘"/'


def _follows_particle(text: str, at: int) -> bool:
    """In Arabic "and", "in", "to" and "like" are letters written close to the next word."""
    start = text[:at].rpartition(" ")[2].rstrip("ـ")
    return start in _PARTICLES and text[at + 1 : at + 2].isalpha()


def _single_quotations(text: str) -> dict[int, int]:
    """Where quotations in single marks begin, each with where it ends.

    The closing mark is the apostrophe as well: it closes before a non-letter
    only, and after an s, where it may belong to many ("the readers' letters"),
    only if no other does before the next one begins. They are never nested.
    A straight mark that nothing closes was an apostrophe; a curly one is open
    to the end.
    """
    found: dict[int, int] = {}
    opened = None
    for match in re.finditer("['‘’]", text):
        at, mark, following = match.start(), match[0], text[match.end() : match.end() + 1]
        if mark != "’" and _starts_word(text, at) and following.strip():
            opened = None if _APOSTROPHE.match(text, at) else at
            if opened is not None and mark == "‘":
                found[at] = len(text)
        elif opened is not None and mark == _CLOSING_SINGLE[text[opened]]:
            if following.isalnum() or at - opened > _LONGEST_IN_SINGLE:
                continue
            found[opened] = at
            if text[at - 1] not in "sS" or not re.match(r" [^\W\d_]", text[at + 1 : at + 3]):
                opened = None
    return found


def _closes(text: str, at: int, marks: str) -> bool:
    """Whether the character at ``at`` is one of the closing ``marks`` and closes here."""
    return text[at] in marks and (text[at] != '"' or not text[at - 1].isspace())
