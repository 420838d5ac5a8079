"""Bytes of a feed or page as text, whatever charset they are in."""

import codecs
import re

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})")
_META_CHARSET = re.compile(
    rb"<meta\b[^<>]{0,200}?charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE
)
# Where a page's head says which charset it is in; HTML wants it in the first kilobyte.
_HEAD_BYTES = 4096
# Python's codecs also hold EBCDIC, UTF-7, punycode and zip, which no honest site is in.
_CHARSETS = ("utf-8", "iso8859", "cp125", "cp866", "koi8", "mac", "gb", "big5", "euc", "shift_jis")


def decode_text(body: bytes, content_type: str = "") -> str:
    """The text; what cannot be decoded becomes U+FFFD. ``content_type`` is the whole header."""
    for bom, name in _BOMS:
        if body.startswith(bom):
            return body[len(bom) :].decode(name, "replace")
    if body.startswith((b"<\0", b"\0<")):
        return body.decode("utf-16-le" if body[0] else "utf-16-be", "replace")
    try:
        # Not final: a body that broke off may end within a character. What is
        # strict UTF-8 is UTF-8, whatever a header says.
        return codecs.getincrementaldecoder("utf-8")().decode(body)
    except UnicodeDecodeError:
        return body.decode(_declared(body, content_type), "replace")


def _declared(body: bytes, content_type: str) -> str:
    in_header = _CHARSET.search(content_type)
    in_text = _XML_ENCODING.search(body[:1024]) or _META_CHARSET.search(body[:_HEAD_BYTES])
    for name in (in_header and in_header[1], in_text and in_text[1].decode("ascii")):
        if not name:
            continue
        try:
            codec = codecs.lookup(name).name
        except LookupError:
            continue
        if codec.startswith(_CHARSETS):
            return codec
    return "cp1252"
