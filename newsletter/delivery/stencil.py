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
        self._places = tuple(
            (place, piece) for place, piece in enumerate(merged) if not isinstance(piece, bytes)
        )
        self.slots = frozenset(slot for _, slot in self._places)

    def pieces(self, values: Mapping[StrEnum, bytes]) -> list[bytes]:
        """The stretches and ``values``, in order; each slot must have one."""
        parts = self._parts.copy()
        for place, slot in self._places:
            parts[place] = values[slot]
        return parts

    def fill(self, values: Mapping[StrEnum, bytes]) -> bytes:
        """The same in one."""
        return b"".join(self.pieces(values))
