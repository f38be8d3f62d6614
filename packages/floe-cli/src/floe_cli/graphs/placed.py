"""Boxes and arrows that have a place, in pixels."""

from dataclasses import dataclass

from floe_cli.graphs.graph import Arrow, Box

NAME_SIZE, CAPTION_SIZE, ROW_SIZE = 13.0, 11.0, 11.5
HEAD_HEIGHT, ROW_HEIGHT = 46.0, 20.0
PADDING = 14.0
BADGE_WIDTH = 42.0
BETWEEN = 18.0  # two boxes above one another
MARGIN = 24.0


@dataclass(frozen=True, slots=True)
class PlacedBox:
    """A box with its upper left corner; `name`, `caption` and `rows` are cut to its width."""

    box: Box
    x: float
    y: float
    width: float
    height: float
    name: str
    caption: str
    rows: tuple[str, ...] = ()

    def row_y(self, row: str | None) -> float:
        """The middle of a row; of the head without one."""
        if row is None or row not in self.box.rows:
            return self.y + HEAD_HEIGHT / 2
        return self.y + HEAD_HEIGHT + (list(self.box.rows).index(row) + 0.5) * ROW_HEIGHT


@dataclass(frozen=True, slots=True)
class PlacedArrow:
    """An arrow by the points through which it goes; it runs level from each odd point to the next."""

    arrow: Arrow
    points: tuple[tuple[float, float], ...]
