"""What messages about a document must not show: values of the environment, and secrets that stand in it."""

import re
from dataclasses import replace

from floe_core.errors import Location, Problem, YamlPath
from floe_core.interpolation import Interpolation
from floe_core.secret_masking import MASK

_SHORTEST_MASKED = 4


class Masking:
    """Puts the document's own words in the place of what may not be shown."""

    def __init__(self, interpolation: Interpolation) -> None:
        self._value = interpolation.value
        self._raw = interpolation.raw
        self._secret_places: dict[int, int] = {}

    def masked(self, text: str, path: YamlPath) -> str:
        """*text*, which is about the value at *path*, with `${NAME}` where it repeats a value of the environment."""
        for other, raw in self._raw.items():
            value = _value_at(self._value, other)
            parts = [value, *re.split(r"[\s,;:/]+", value)] if other == path else [value]
            for index, part in enumerate(parts):
                if _may_tell(part, is_part=bool(index), is_own=other == path):
                    shown = "…" if index else raw
                    text = re.sub(rf"(?<!\w){re.escape(part)}(?!\w)", shown.replace("\\", r"\\"), text)
        return text

    def hide(self, location: Location) -> None:
        """Show nothing of the line of *location* from there on."""
        if location.line is not None and location.column is not None:
            self._secret_places[location.line] = min(
                location.column, self._secret_places.get(location.line, location.column)
            )

    def without_secrets(self, problem: Problem) -> Problem:
        """*problem*, without what is hidden of the line that it quotes."""
        location = problem.location
        if location is None or location.line not in self._secret_places or location.source_line is None:
            return problem
        shown = location.source_line[: self._secret_places[location.line] - 1] + MASK
        return replace(problem, location=replace(location, source_line=shown))


def _may_tell(value: str, *, is_part: bool, is_own: bool) -> bool:
    """Whether a message that repeats *value* would tell it; short words stand in messages anyway."""
    if is_part:
        return len(value) >= 2 * _SHORTEST_MASKED or (len(value) >= _SHORTEST_MASKED and not value.isalpha())
    return bool(value) if is_own else len(value) >= _SHORTEST_MASKED


def _value_at(tree: object, path: YamlPath) -> str:
    for part in path:
        tree = tree[part]  # type: ignore[index]  # the path comes from the tree
    return str(tree)
