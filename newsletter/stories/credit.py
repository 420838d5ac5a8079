"""Who took the picture: the credit at the end of a caption, apart from the caption."""

import re

# Words that introduce a credit, in the languages of the papers we know.
_WORD = (
    r"(?:photo(?:graph)?s?|image|picture|pic|foto|file photo|courtesy photo|credit|photo credit"
    r"|image credit|լուսանկար(?:ը|ներ|ները)?|լուս|ֆոտո(?:ն)?|фото(?:графия)?|автор фото|снимок"
    r"|صورة|الصورة|تصوير|عدسة|المصدر)"
)
_COURTESY = r"(?:courtesy(?:\s+of)?|courtesy:|provided by|with permission of|©|\(c\)|ⓒ)"
# "Photo: X", "photo by X", "photo courtesy of X", "courtesy of X", "© X".
_LABEL = re.compile(
    rf"(?:(?:{_WORD}\s*(?:by|from|/|:|՝|։|—|–|-)\s*(?:{_COURTESY}\s*)?)|(?:{_WORD}\s+{_COURTESY}\s*)"
    rf"|(?:{_COURTESY}\s*))(?P<who>\S.*)",
    re.IGNORECASE | re.DOTALL,
)
# In a parenthesis the word may stand alone: "(photo The Russian House)", "(X photo)".
_BARE = re.compile(rf"{_WORD}\.?\s*՝?\s*(?P<who>\S.*)", re.IGNORECASE | re.DOTALL)
_AFTER = re.compile(r"(?P<who>\S.*?)\s+(?:photo|image|photograph|фото)s?", re.IGNORECASE)
_BY = re.compile(r"by\s+(?P<who>\S.*)", re.IGNORECASE)
# "(AP Photo/Name)", "(Reuters/Name)": the whole of it is how agencies want it.
_AGENCY = re.compile(
    r"(?:AP|AFP|EPA|Reuters|Getty Images|TASS|ТАСС|PAN Photo|PHOTOLURE|Photolure|Armenpress"
    r"|Արմենպրես|Sputnik|Wikimedia(?: Commons)?|Shutterstock|Alamy|Unsplash)"
    r"(?:\s*(?:[/,|]|[Pp]hotos?\b|via\b).*)?",
    re.DOTALL,
)
_TRAILING = re.compile(
    rf"(?:^|(?<=[.!?։…»”\"|/·•])\s*|\s[|/·•–—-]+\s|\s(?=©))(?P<label>(?:{_WORD}\s*(?:by\b|:|՝|/)|{_WORD}\s+"
    rf"{_COURTESY}|{_COURTESY}).{{1,120}})$",
    re.IGNORECASE | re.DOTALL,
)
_LONGEST = 100


def split_credit(caption: str) -> tuple[str, str]:
    """A caption in plain text as (caption, credit); the credit without "Photo:".

    A credit is taken from a parenthesis at the end or from a last sentence that
    is only a credit. What is not clearly one stays in the caption.
    """
    text = caption.strip()
    inside = _last_parenthesis(text)
    if inside is not None:
        start, words = inside
        who = _read_parenthesis(words)
        if who:
            return _trim(text[:start]), who
    match = _TRAILING.search(text)
    if match:
        label = _LABEL.fullmatch(match["label"].strip())
        who = _tidy(label["who"]) if label else ""
        if who:
            return _trim(text[: match.start()]), who
    return text, ""


def _last_parenthesis(text: str) -> tuple[int, str] | None:
    """Where the parenthesis that ends ``text`` begins, and what stands in it."""
    body = text.rstrip(" .։")
    if not body or body[-1] not in ")]":
        return None
    opening, closing = ("(", ")") if body[-1] == ")" else ("[", "]")
    depth = 0
    for at in range(len(body) - 1, -1, -1):
        depth += (body[at] == closing) - (body[at] == opening)
        if depth == 0:
            return at, body[at + 1 : -1].strip()
    return None


def _read_parenthesis(words: str) -> str:
    if _AGENCY.fullmatch(words):
        return _tidy(words)
    for form in (_LABEL, _BARE, _AFTER, _BY):
        match = form.fullmatch(words)
        if match:
            return _tidy(match["who"])
    return ""


def _tidy(who: str) -> str:
    name = re.sub(r"^(?:by|from|of)\s+|^[:՝\s]+", "", who.strip(), flags=re.IGNORECASE)
    name = name.strip(" ,;:|/–—-")
    if not re.search(r"\b(?:[^\W\d_]|Inc|Ltd|Co|Jr|Sr)\.$", name):
        name = name.rstrip(".։")
    return name if _names_somebody(name) else ""


def _names_somebody(name: str) -> bool:
    """Whether it could be a person or a house: not "taken in 1915", not "2024"."""
    if not 2 <= len(name) <= _LONGEST:
        return False
    first = name.lstrip("@\"“«„'‘")[:1]
    if name.lower().startswith(("the ", "www.", "http", "al-", "de ", "van ", "von ")):
        return True
    return first.isalpha() and not first.islower()


def _trim(caption: str) -> str:
    return re.sub(r"[\s|/·•–—,;-]+$", "", caption)
