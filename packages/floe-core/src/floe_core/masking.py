"""What messages about a document must not show: values of the environment, and secrets that stand in it."""

import re
from dataclasses import replace

from floe_core.errors import Location, Problem, YamlPath
from floe_core.interpolation import Interpolation
from floe_core.secrets.names import is_secret_name
from floe_core.secrets.shapes import find_secret_shape, windows_of
from floe_core.secrets.yaml_lines import MASK

_SHORTEST_MASKED = 4
_VARIABLE = re.compile(r"\$\{(\w+)")


class Masking:
    """Puts the document's own words in the place of what may not be shown."""

    def __init__(self, interpolation: Interpolation) -> None:
        self._value = interpolation.value
        self._raw = interpolation.raw
        self._secret_places: dict[int, int] = {}

    def masked(self, text: str, path: YamlPath) -> str:
        """*text*, which is about the value at *path*, with `${NAME}` where it repeats a value of the environment.

        Values of other places are replaced where they are secrets, and where they stand in or beside the one at *path*
        and come from the environment: rules about two values name both.
        """
        for other, raw in self._raw.items():
            value, is_own = _value_at(self._value, other), other == path
            if not is_own and not self._may_be_told_of(other, raw, value, path=path):
                continue
            parts = [value, *re.split(r"[\s,;:/]+", value)] if is_own else [value]
            for index, part in enumerate(parts):
                if _may_tell(part, is_part=bool(index), is_own=is_own):
                    shown = "…" if index else raw
                    text = re.sub(rf"(?<!\w){re.escape(part)}(?!\w)", shown.replace("\\", r"\\"), text)
        return text

    def _may_be_told_of(self, other: YamlPath, raw: str, value: str, *, path: YamlPath) -> bool:
        """Whether what is told of *path* may repeat the value of *other*, which is no word of the document then."""
        if _is_secret(other, raw, value):
            return True
        is_near = other[: len(path)] == path or (other[:-1] == path[:-1] and isinstance(other[-1], str))
        return bool(path) and is_near and value not in raw

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


def _is_secret(path: YamlPath, raw: str, value: str) -> bool:
    names = [str(path[-1]), *_VARIABLE.findall(raw)]
    return any(is_secret_name(name) for name in names) or any(map(find_secret_shape, windows_of(value)))


def _may_tell(value: str, *, is_part: bool, is_own: bool) -> bool:
    """Whether a message that repeats *value* would tell it; short words stand in messages anyway."""
    if is_part:
        return len(value) >= 2 * _SHORTEST_MASKED or (len(value) >= _SHORTEST_MASKED and not value.isalpha())
    return bool(value) if is_own else len(value) >= _SHORTEST_MASKED


def _value_at(tree: object, path: YamlPath) -> str:
    for part in path:
        tree = tree[part]  # type: ignore[index]  # the path comes from the tree
    return str(tree)
