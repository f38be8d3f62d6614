"""A set of any number of entries in a few kilobytes, which tells how another set differs from it."""

from collections.abc import Iterable
from typing import TypeAlias

Entry: TypeAlias = tuple[int, int]
"""Two numbers below 2**64 and 2**48."""

CELLS = 4 * 256
MOST_DIFFERENCES = 600
"""So many differences are told apart in practice always; up to eight in ten cells they mostly are."""
_CELL_BYTES = 18
_MASK = 2**64 - 1
_KEY_FACTOR = 0x9E3779B97F4A7C15  # odd numbers without a pattern
_STAMP_FACTOR = 0xC2B2AE3D27D4EB4F
_MIX_FACTOR = 0xD6E8FEB86659FD93
_CHECK_FACTOR = 0xFF51AFD7ED558CCD


class FileSketch:
    """A set whose entries are added and removed by the same step, `toggle`; without the set itself it cannot be listed.

    What two sets differ in is what is left when the entries of one are toggled in a sketch of the other.

    Source:
        An invertible Bloom lookup table as in Eppstein, Goodrich, Uyeda and Varghese, "What's the Difference? Efficient
        Set Reconciliation without Prior Context", SIGCOMM 2011, with four cells for each entry and without counts: a
        cell holds the exclusive or of its entries, each with a check number that tells a single one from several.
    """

    def __init__(self, cells: Iterable[int] = ()) -> None:
        self._cells = list(cells) or [0] * CELLS

    def toggle(self, entries: Iterable[Entry]) -> "FileSketch":
        """A copy to which *entries* are added, but for those that it holds, which are removed."""
        cells = list(self._cells)
        for key, stamp in entries:
            mixed = ((key * _KEY_FACTOR ^ stamp * _STAMP_FACTOR ^ _CHECK_FACTOR) & _MASK) * _MIX_FACTOR & _MASK
            mixed ^= mixed >> 31
            check = (mixed * _CHECK_FACTOR & _MASK) >> 32
            packed = key << 80 | stamp << 32 | check
            cells[mixed & 255] ^= packed
            cells[256 + (mixed >> 16 & 255)] ^= packed
            cells[512 + (mixed >> 32 & 255)] ^= packed
            cells[768 + (mixed >> 48 & 255)] ^= packed
        return FileSketch(cells)

    def list_entries(self) -> frozenset[Entry] | None:
        """All entries; None where they are too many to be told apart."""
        cells = list(self._cells)
        found: set[Entry] = set()
        waiting = [index for index, cell in enumerate(cells) if cell]
        while waiting and len(found) <= CELLS:
            single = _single_entry(cells, waiting.pop())
            if single is None:
                continue
            entry, packed, places = single
            found.symmetric_difference_update((entry,))
            for place in places:
                cells[place] ^= packed
                if cells[place]:
                    waiting.append(place)
        return None if any(cells) else frozenset(found)

    def to_bytes(self) -> bytes:
        """The same sketch for the same set."""
        return b"".join(cell.to_bytes(_CELL_BYTES, "big") for cell in self._cells)

    @classmethod
    def from_bytes(cls, data: bytes) -> "FileSketch":
        """The sketch that `to_bytes` was called on.

        Raises:
            ValueError: It is none.
        """
        if len(data) != CELLS * _CELL_BYTES:
            raise ValueError(f"a sketch has {CELLS * _CELL_BYTES} bytes, not {len(data)}")
        starts = range(0, len(data), _CELL_BYTES)
        return cls(int.from_bytes(data[start : start + _CELL_BYTES], "big") for start in starts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FileSketch) and self._cells == other._cells

    __hash__ = None  # type: ignore[assignment]  # it is as changeable as a list


def _single_entry(cells: list[int], index: int) -> tuple[Entry, int, tuple[int, int, int, int]] | None:
    """The entry of a cell that holds one alone, as it is packed, and all its cells."""
    packed = cells[index]
    key, stamp, check = packed >> 80, packed >> 32 & 2**48 - 1, packed & 2**32 - 1
    mixed = ((key * _KEY_FACTOR ^ stamp * _STAMP_FACTOR ^ _CHECK_FACTOR) & _MASK) * _MIX_FACTOR & _MASK
    mixed ^= mixed >> 31
    if not packed or (mixed * _CHECK_FACTOR & _MASK) >> 32 != check:
        return None
    places = (mixed & 255, 256 + (mixed >> 16 & 255), 512 + (mixed >> 32 & 255), 768 + (mixed >> 48 & 255))
    return ((key, stamp), packed, places) if index in places else None
