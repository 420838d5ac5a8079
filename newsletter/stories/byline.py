"""The writer's name where the text itself begins with it.

A CMS often knows only the house ("by The Armenian Mirror-Spectator") while the
first line of the text names the writer.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_LONGEST_NAME = 6  # words
_LONGEST_LINE = 120  # characters
# A title, a date or a place may stand above the byline.
_LOOK_AT = 3

# What a byline begins with; whether a colon is needed to tell it from a verb or a noun.
_LEADS = (
    re.compile(r"(?:written |story |text |report |reported )?by\b\s*:?\s*(?P<name>.+)", re.I),
    re.compile(r"(?:par|por)\s+(?P<name>.+)", re.I),
    re.compile(r"(?:հեղինակ(?:ներ)?|թղթակից|պատրաստեց)(?:ը|ն)?\s*[՝՛:–—-]\s*(?P<name>.+)", re.I),
    re.compile(r"գրեց\s*[՝:]?\s*(?P<name>.+)", re.I),
    re.compile(r"(?:автор(?:ы)?(?: текста)?|текст|корреспондент)\s*[:—–-]\s*(?P<name>.+)", re.I),
    re.compile(r"بقلم\s*[:/]?\s*(?P<name>.+)"),
    re.compile(r"(?:كتبت?|الكاتبة?|إعداد|تقرير)\s*[:/]\s*(?P<name>.+)"),
)
_WROTE = re.compile(r"գրեց\b", re.IGNORECASE)

# Where a name stops: an office, a paper, a place of first publication.
_TAIL = re.compile(
    r"\s*(?:[|/•·]|\s[–—-]\s|,?\s*\(|,?\s+(?:special to|exclusive (?:to|for)|for the|in [A-Z]"
    r"|(?:հատուկ)\s|специально для\s|خاص)).*$"
    r"|,\s*(?:[A-Z][\w-]*\s)?(?:staff|correspondent|editor|contributor|reporter|writer|columnist|special)\b.*$",
    re.IGNORECASE,
)
_AFFILIATION = re.compile(
    r"^\(?(?:special (?:to|for)|exclusive (?:to|for)"
    r"|(?:[\w’'-]+\s){0,3}(?:staff(?: writer| reporter)?|correspondent|contributor|columnist"
    r"|contributing writer|assistant editor|editor)"
    r"|հատուկ\s|специально для\s|خاص\s).{0,60}$",
    re.IGNORECASE,
)
_BETWEEN_NAMES = re.compile(r"\s+(?:and|և|եւ|и|et|y)\s+|\s*[,&]\s*(?:and\s+)?|\s+و\s*(?=\S)")
_PARTICLE_WORDS = (
    "de del della der den van von zu da dos di du la le el al bin ibn ben ter ten the of y e"
)
_OTHER_WORDS = (
    "monday tuesday wednesday thursday friday saturday sunday january february march july"
    " september october november december today tomorrow yesterday then now this that these"
    " those his her its their our my your an a all any each every some no not contrast comparison"
    " popular design default law accident mistake chance midnight noon dawn dusk nightfall force"
    " virtue way means train car bus air sea land hand heart early late mid next last far"
)
# One word is a name only where it is known to be one.
_AGENCY_WORDS = "staff reuters afp ap tass armenpress panarmenian civilnet news.am editors"
# "By the river bank" and "by the Associated Press" begin alike.
_BODY_WORDS = "press agency board staff editors news service committee"
_PARTICLES = frozenset(_PARTICLE_WORDS.split())
_NO_NAMES = frozenset(_OTHER_WORDS.split())
_AGENCIES = frozenset(_AGENCY_WORDS.split())
_BODIES = frozenset(_BODY_WORDS.split())
_ACCOUNTS = frozenset(("admin", "administrator", "webmaster", "root", "wordpress"))


@dataclass(frozen=True)
class Byline:
    """A byline found: the ``writer``, and the lines of the text without it."""

    writer: str
    lines: tuple[str, ...]


def find_byline(lines: Sequence[str], *, author: str = "", stressed: str = "") -> Byline:
    """The byline at the head of ``lines``, and the lines that are left.

    ``author`` is who the CMS names: a line that is only that name is a byline
    too. ``stressed`` is what is set in bold first: a byline may run on into the
    text after it. Without a byline the writer is empty and the lines untouched.
    """
    for at, line in enumerate(lines[:_LOOK_AT]):
        writer, rest = _read_line(line, author, stressed)
        if writer:
            after = list(lines[at + 1 :])
            if not rest and after and _AFFILIATION.match(after[0]) and len(after[0]) < 80:
                after = after[1:]
            return Byline(writer, (*lines[:at], *([rest] if rest else []), *after))
        if len(line) > _LONGEST_LINE:
            break
    return Byline("", tuple(lines))


def read_byline(line: str) -> str:
    """The name in a line that is a byline and nothing else, else ""."""
    if len(line) > _LONGEST_LINE:
        return ""
    for lead in _LEADS:
        match = lead.fullmatch(line)
        if match:
            name = _TAIL.sub("", match["name"]).strip(" ,:՝/|–—-")
            if _WROTE.match(line) and name.endswith("ը"):
                # "Written by" in Armenian gives the name its article.
                name = name[:-1]
            name = name if _is_initial_dot(name) else name.rstrip(".։")
            return name if _are_names(name) else ""
    return ""


def clean_author(author: str) -> str:
    """The author as a CMS or feed names them: no "by", no address, no account names."""
    name = re.sub(r"^(?:by|par|por)\s*:?\s+", "", author.strip(), flags=re.IGNORECASE)
    in_feed = re.fullmatch(r"\S+@\S+\s*\((?P<name>[^()]+)\)", name)
    in_mail = re.fullmatch(r"(?P<name>[^<>]*)<\S+@\S+>", name)
    for match in filter(None, (in_feed, in_mail)):
        name = match["name"]
    name = name.strip(' "')
    if "@" in name or name.lower() in _ACCOUNTS:
        return ""
    return name


def strip_byline(text: str, writer: str) -> str:
    """``text`` without a leading "By Writer", as a CMS leaves it in its own excerpts."""
    if not writer:
        return text
    lead = (
        rf"^(?:by|par|por|գրեց|հեղինակ|автор|بقلم)\s*[:՝]?\s*{re.escape(writer)}\b(?:ը)?[\s,:|–—-]*"
    )
    return re.sub(lead, "", text, count=1, flags=re.IGNORECASE)


def _read_line(line: str, author: str, stressed: str) -> tuple[str, str]:
    if author and line.casefold() == author.casefold():
        return author, ""
    if stressed and line.startswith(stressed) and line != stressed:
        writer = read_byline(stressed)
        if writer:
            return writer, line[len(stressed) :].lstrip(" ,:|–—-")
    return read_byline(line), ""


def _are_names(text: str) -> bool:
    names = _BETWEEN_NAMES.split(text)
    return 1 <= len(names) <= 4 and all(map(_is_name, names))


def _is_name(text: str) -> bool:
    words = text.split()
    if not 1 <= len(words) <= _LONGEST_NAME:
        return False
    if len(words) == 1:
        return words[0].lower() in _AGENCIES
    if words[0] == "the" and words[-1].lower() not in _BODIES:
        return False
    if words[0].lower() in _NO_NAMES or words[-1].lower() in _PARTICLES:
        return False
    return all(map(_is_name_word, words))


def _is_name_word(word: str) -> bool:
    bare = word.strip(".,’'\"“”-")
    if not bare or any(char.isdigit() for char in bare):
        return False
    if bare.lower() in _PARTICLES:
        return True
    # Scripts without case, such as Arabic, have no capitals to ask for.
    first = bare[0]
    if not first.isalpha() or first.islower():
        return False
    # A full stop is for initials and "Jr.", not for the end of a sentence.
    return not word.endswith(("!", "?", ":", ";", "։")) and (
        not word.endswith(".") or len(bare) <= 3
    )


def _is_initial_dot(name: str) -> bool:
    return re.search(r"(?:^|[\s.])(?:[^\W\d_]|Jr|Sr)\.$", name, re.IGNORECASE) is not None
