"""Web addresses that stand bare in what people write."""

import re
from collections.abc import Collection, Iterator

# What RFC 3986 has no place for ends an address; so does what ends a sentence.
_ADDRESS = re.compile(r'https?://\w[^\s<>"{}|\\^`“”«»]*', re.IGNORECASE)
_ENDS = ".,:;!?'’…։՝)]"
_OPENED_BY = {")": "(", "]": "["}


def split_addresses(text: str) -> Iterator[tuple[str, bool]]:
    """The pieces of ``text`` in their order, each with whether it is an address."""
    place = 0
    for match in _ADDRESS.finditer(text):
        end = match.start() + len(_trimmed(match[0]))
        if match.start() > place:
            yield text[place : match.start()], False
        yield text[match.start() : end], True
        place = end
    if place < len(text):
        yield text[place:], False


def find_addresses(text: str, known: Collection[str] = ()) -> tuple[str, ...]:
    """The addresses in ``text``. One that is ``known`` may end in what else ends a sentence."""
    written = [match[0] for match in _ADDRESS.finditer(text)]
    return tuple(each if each in known else _trimmed(each) for each in written)


def _trimmed(address: str) -> str:
    while address[-1] in _ENDS:
        opening = _OPENED_BY.get(address[-1])
        # As of an encyclopedia's article, whose name has its own parentheses.
        if opening and address.count(opening) >= address.count(address[-1]):
            break
        address = address[:-1]
    return address
