"""Whether another publication had the story first, and what it is called.

Papers say so in a note at the end or the head of the text, or leave the first
address in ``rel=canonical``. Only what is clearly such a note counts: "first
published in 2015" or "in our print edition" names nobody.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

_LONGEST_NOTE = 400
_LONGEST_NAME = 60

_KIND = (
    r"(?:story|article|piece|post|report|interview|essay|op-ed|opinion|column|commentary|analysis"
    r"|review|text|feature|work|content|version|translation)"
)
_SUBJECT = (
    r"(?:an?\s+[\w-]+\s+version\s+of\s+)?(?:this|the|an?)\s+(?:[\w’'-]+\s+){0,3}?"
    rf"{_KIND}\s*,?\s*(?:(?:was|is|has\s+been|had\s+been)\s+)?"
)
_FIRST = r"(?:originally|first|previously|initially)"
_SAID = r"(?:published|appeared|ran|printed|posted|released|written|produced)"
_DAY = r"(?:\s+on\s+[A-Z][\w.]+\s\d{1,2}(?:,?\s\d{4})?,?)?"
_PERMISSION = r"(?:\s+(?:with|by)\s+(?:the\s+)?(?:kind\s+)?permission)?"
_NOTES = (
    # "This story was originally published on X", "first appeared in X".
    re.compile(
        rf"(?:{_SUBJECT})?{_FIRST}\s+{_SAID}(?:\s+(?:here|online))?{_DAY}"
        r"\s+(?:in|on|by|at|with)\s+(?P<who>\S.*)",
        re.IGNORECASE | re.DOTALL,
    ),
    # "This story was published first on X"; not "The post T appeared first on X".
    re.compile(
        rf"{_SUBJECT}{_SAID}\s+{_FIRST}\s+(?:in|on|by|at)\s+(?P<who>\S.*)",
        re.IGNORECASE | re.DOTALL,
    ),
    # "Republished from X under a Creative Commons licence", "reprinted with permission from X".
    re.compile(
        rf"(?:{_SUBJECT})?(?:re-?published|reprinted|re-?posted|reproduced)(?:\s+here)?"
        rf"{_PERMISSION}\s+(?:from|of|courtesy\s+of)\s+(?P<who>\S.*)",
        re.IGNORECASE | re.DOTALL,
    ),
    # Russian, Armenian, Arabic.
    re.compile(
        r"(?:(?:эт(?:от|а)\s+)?(?:материал|текст|статья|интервью)\s+(?:был[аио]?\s+)?)?"
        r"(?:впервые|первоначально|изначально|ранее)\s+(?:был[аио]?\s+)?(?:опубликован\w*|вышл?[аио]?)"
        r"\s+(?:на\s+(?:сайте|портале)|в\s+(?:газете|журнале|издании)|на|в)\s+(?P<who>\S.*)",
        re.IGNORECASE | re.DOTALL,
    ),
    re.compile(
        r"(?:(?:սույն|այս)\s+)?(?:հոդված\w*|նյութ\w*|հարցազրույց\w*)?\s*(?:առաջին\s+անգամ|նախապես|սկզբնապես)"
        r"\s+(?:հրապարակվել|տպագրվել|լույս\s+է\s+տեսել)\s*(?:է|են)?\s*[՝:]?\s*(?P<who>\S.*)",
        re.IGNORECASE | re.DOTALL,
    ),
    re.compile(
        r"(?:نُ?شر(?:ت|ته)?|نُ?شِ?ر)\s+(?:(?:هذا|هذه)\s+(?:المقال(?:ة)?|التقرير|المادة|القصة|الحوار)\s+)?"
        r"(?:لأول\s+مرة|لأوّل\s+مرّة|أصل[اًا]+|أولاً|في\s+الأصل)\s+(?:في|على|من\s+قبل|عبر|لدى)\s+"
        r"(?:(?:موقع|صحيفة|مجلة)\s+)?(?P<who>\S.*)",
        re.DOTALL,
    ),
)
# Where the name ends and the sentence goes on.
_TAIL = re.compile(
    r"\s*(?:[.;!?։؟]\s.*|[.;!?։]$|\(.*|\s[–—]\s.*|,\s.*|\s(?:under|with|by\s+permission|and\s+(?:is|was|has|can)"
    r"|as\s+part|is\s+(?:re|li)|was\s+re|here|where|which|on\s+(?=[A-Z0-9])|in\s+(?=[A-Z0-9])|at\s+https?:"
    r"|по\s+лицензии|с\s+разрешения|под\s+лицензией|بموجب|بإذن)\b.*)$",
    re.IGNORECASE | re.DOTALL,
)
_ARMENIAN_CASE = re.compile(r"(?<=[\w»”\")])(?:[-–]?(?:ում|ի\s+կայքում|ի\s+էջում))$")
_OF_OURS = re.compile(
    r"\b(?:print(?:ed)?|paper|our|this|these|the\s+\w+\s+issue|edition|issue|book|series|newsletter"
    r"|\d{4}|january|february|march|april|may|june|july|august|september|october|november|december)\b",
    re.IGNORECASE,
)
_SITE = re.compile(r"^[\w-]+(?:\.[\w-]+)+$|^[a-z0-9]+-[a-z0-9-]+$", re.IGNORECASE)
_QUOTES = "\"'“”„«»‘’ "


@dataclass(frozen=True)
class Origin:
    """The publication that had a story first: its name, and the story's address there."""

    name: str = ""
    url: str = ""


@dataclass(frozen=True)
class TextLink:
    """A link in a text: what is underlined, and where it leads (absolute)."""

    text: str
    url: str


def is_origin_note(paragraph: str) -> bool:
    """Whether a paragraph has the form of a note on where the story came from."""
    return len(paragraph) <= _LONGEST_NOTE and _read_note(paragraph) is not None


def find_origin(
    paragraphs: Iterable[str], links: Sequence[TextLink], *, url: str, canonical: str = ""
) -> Origin:
    """Where the story at ``url`` was published first; empty where it is the paper's own.

    ``paragraphs`` are those in which a note may stand, ``links`` all links of the
    text, ``canonical`` what the source calls the story's first address.
    """
    for paragraph in paragraphs:
        who = _read_note(paragraph) if len(paragraph) <= _LONGEST_NOTE else None
        if who is None:
            continue
        inside = [link for link in links if link.text and link.text in paragraph]
        abroad = [link for link in inside if _is_elsewhere(link.url, url)]
        if inside and not abroad:
            continue  # it leads to the paper itself
        link = next((link for link in abroad if _is_telling(link.text)), None)
        name = _tidy(link.text) if link is not None and link.text in who else _name_in(who)
        if not name and abroad:
            name = host_name(abroad[0].url)
        if name:
            return Origin(name, (link or abroad[0]).url if abroad else "")
    if canonical and _is_elsewhere(canonical, url):
        return Origin(host_name(canonical), canonical)
    return Origin()


def host_name(url: str) -> str:
    """The host of an address as readers know it, without ``www``."""
    return _host(url).removeprefix("www.")


def _read_note(paragraph: str) -> str | None:
    text = paragraph.strip(" *_[](){}<>–—-•·|" + _QUOTES)
    for note in _NOTES:
        match = note.match(text)
        if match:
            return match["who"].strip()
    return None


def _name_in(who: str) -> str:
    """The name at the head of what follows "first published in", or "" where none is clear."""
    name = _tidy(_TAIL.sub("", who))
    if not name or len(name) > _LONGEST_NAME or _OF_OURS.search(name):
        return ""
    if _SITE.match(name):
        return name
    bare = re.sub(r"^(?:the|a|an)\s+", "", name, flags=re.IGNORECASE)
    # A name is written large, in scripts that have capitals.
    return name if bare[:1].isalpha() and not bare[:1].islower() else ""


def _tidy(name: str) -> str:
    name = name.strip().strip(_QUOTES).rstrip(".,;:։")
    return _ARMENIAN_CASE.sub("", name).strip(_QUOTES)


def _is_telling(text: str) -> bool:
    """Whether a link's words are a name and no "here" or "the original article"."""
    return len(text) <= _LONGEST_NAME and not re.fullmatch(
        r"(?:here|this link|link|read.*|.*original.*|тут|здесь|այստեղ|هنا)", text, re.I
    )


def _is_elsewhere(address: str, url: str) -> bool:
    other, own = host_name(address), host_name(url)
    if not other or not own:
        return False
    return other != own and not other.endswith(f".{own}") and not own.endswith(f".{other}")


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
