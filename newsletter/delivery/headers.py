"""Header fields written by hand, so that nothing folds or encodes a URI (RFC 8058)."""

import base64
import re
import unicodedata

from newsletter.errors import RenderError

_WIDTH = 76  # RFC 5322 section 2.1.1 asks for 78; two are kept free
_MAX_LINE = 998
# 39 octets are 52 characters of base 64; with "=?utf-8?b?", "?=" and the longest
# field name before them they stay in the 76 columns of RFC 2047 section 2.
_WORD_OCTETS = 39
_LONGEST_WORD = 60
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_FORBIDDEN = {"Cc", "Cs", "Zl", "Zp"}


def require_clean(field: str, value: str) -> str:
    """``value``, or RenderError where it holds what could start a line of its own.

    Refused are C0 and C1 controls (NUL among them), U+2028, U+2029 and halves
    of surrogate pairs.
    """
    for character in value:
        if unicodedata.category(character) in _FORBIDDEN:
            raise RenderError(
                f"{field} holds a control character or line break (U+{ord(character):04X}); "
                "take it out",
                subject=field,
            )
    return value


def write_text(field: str, value: str) -> bytes:
    """An unstructured field such as Subject: folded ASCII, else encoded words (RFC 2047)."""
    require_clean(field, value)
    rows = _fold_ascii(f"{field}:", value) if _is_plain(value) else None
    if rows is None:
        rows = _join_words(f"{field}:", _encoded_words(value))
    return _finish(field, rows)


def write_phrase(field: str, phrase: str, bracketed: str) -> bytes:
    """A field of the form ``phrase <bracketed>``: From and List-Id."""
    require_clean(field, phrase)
    require_clean(field, bracketed)
    words: list[str] = []
    if phrase:
        words = [_quoted(phrase)] if _is_plain(phrase) else _encoded_words(phrase)
        if len(words[0]) > _LONGEST_WORD:
            words = _encoded_words(phrase)
    return _finish(field, _join_words(f"{field}:", [*words, f"<{bracketed}>"]))


def write_plain(field: str, value: str) -> bytes:
    """A field whose value goes out as it is, on one line: ids, URIs, keywords."""
    require_clean(field, value)
    if not value.isascii():
        raise RenderError(f"{field} must be ASCII", subject=field)
    return _finish(field, [f"{field}: {value}"])


def _finish(field: str, rows: list[str]) -> bytes:
    if any(len(row) > _MAX_LINE for row in rows):
        raise RenderError(
            f"{field} is longer than the {_MAX_LINE} characters of a line; shorten it",
            subject=field,
        )
    return ("\r\n ".join(rows) + "\r\n").encode("ascii")


def _is_plain(value: str) -> bool:
    # Text that merely looks like an encoded word would be decoded by the reader.
    return value.isascii() and "=?" not in value


def _fold_ascii(start: str, value: str) -> list[str] | None:
    """Rows folded at single spaces; None where folding could change the white space."""
    if not value:
        return [start]
    words = value.split(" ")
    if any(not word or len(word) > _LONGEST_WORD for word in words):
        return None
    return _join_words(start, words)


def _join_words(start: str, words: list[str]) -> list[str]:
    rows = [start]
    for word in words:
        # The first word stays beside the name: some readers drop an empty first row.
        if len(rows[-1]) + 1 + len(word) > _WIDTH and rows[-1] != start:
            rows.append(word)
        else:
            rows[-1] += f" {word}"
    return rows


def _quoted(phrase: str) -> str:
    if _ATOMS.fullmatch(phrase) and phrase == " ".join(phrase.split()):
        return phrase
    escaped = phrase.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _encoded_words(value: str) -> list[str]:
    """Encoded words of whole characters; the spaces between such words are not read."""
    chunks = [b""]
    for character in value:
        octets = character.encode()
        if len(chunks[-1]) + len(octets) > _WORD_OCTETS:
            chunks.append(b"")
        chunks[-1] += octets
    return [f"=?utf-8?b?{base64.b64encode(chunk).decode()}?=" for chunk in chunks]
