"""Bytes with places that are filled for each reader."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from newsletter.delivery.quoted_printable import merge_pieces

Pieces = Sequence[bytes | StrEnum]


class Stencil:
    """Constant stretches and the slots between them. For any number of threads.

    Filling is one copy of a short list, whatever the length: the constant
    stretches are never copied, so that they stay in the processor's cache.
    """

    __slots__ = ("_parts", "_places", "slots")

    def __init__(self, pieces: Pieces) -> None:
        merged = merge_pieces(pieces)
        self._parts = [piece if isinstance(piece, bytes) else b"" for piece in merged]
        # By slot, for one may stand in fifty places: each look-up of an enum's member
        # costs as much as ten of a list's.
        places: dict[StrEnum, list[int]] = {}
        for place, piece in enumerate(merged):
            if not isinstance(piece, bytes):
                places.setdefault(piece, []).append(place)
        self._places = tuple(places.items())
        self.slots = frozenset(places)

    def pieces(self, values: Mapping[StrEnum, bytes]) -> list[bytes]:
        """The stretches and ``values``, in order; each slot must have one."""
        parts = self._parts.copy()
        for slot, places in self._places:
            value = values[slot]
            for place in places:
                parts[place] = value
        return parts

    def fill(self, values: Mapping[StrEnum, bytes]) -> bytes:
        """The same in one."""
        return b"".join(self.pieces(values))
