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

    __slots__ = ("_constant_octets", "_parts", "_places", "slots")

    def __init__(self, pieces: Pieces) -> None:
        merged = merge_pieces(pieces)
        self._parts = [piece if isinstance(piece, bytes) else b"" for piece in merged]
        self._constant_octets = sum(map(len, self._parts))
        # By slot, for one may stand in fifty places: each look-up of an enum's member
        # costs as much as ten of a list's.
        places: dict[StrEnum, list[int]] = {}
        for place, piece in enumerate(merged):
            if not isinstance(piece, bytes):
                places.setdefault(piece, []).append(place)
        self._places = tuple(places.items())
        self.slots = frozenset(places)

    def fill_all(
        self, values: Mapping[StrEnum, Sequence[bytes]], count: int
    ) -> list[tuple[list[bytes], int]]:
        """``count`` times the stretches and values, in order, and how many octets they are.

        Each slot must have ``count`` values.
        """
        columns = [(places, len(places), values[slot]) for slot, places in self._places]
        filled = []
        for row in range(count):
            parts, octets = self._parts.copy(), self._constant_octets
            for places, times, column in columns:
                value = column[row]
                octets += times * len(value)
                for place in places:
                    parts[place] = value
            filled.append((parts, octets))
        return filled

    def fill(self, values: Mapping[StrEnum, bytes]) -> bytes:
        """The stretches and ``values``, in one; each slot must have one."""
        [(parts, _)] = self.fill_all({slot: (value,) for slot, value in values.items()}, 1)
        return b"".join(parts)
