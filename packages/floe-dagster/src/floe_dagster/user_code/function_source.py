"""A user's function as it stands in its file, for messages and for links to code."""

import linecache
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from floe_core.errors import Location, shown_path
from floe_dagster.user_code.resource_parameters import function_of


@dataclass(frozen=True, slots=True)
class FunctionSource:
    """The name of a function, and the file and line where it begins, its decorators included."""

    name: str
    file: str | None
    line: int

    @classmethod
    def of(cls, fn: Callable[..., object]) -> "FunctionSource":
        """That of the function which the user wrote, also below a `functools.partial`; `file` is None without one."""
        function = function_of(fn)
        code = getattr(function, "__code__", None)
        name = str(getattr(function, "__name__", type(fn).__name__))
        return cls(name, None, 0) if code is None else cls(name, code.co_filename, code.co_firstlineno)

    @property
    def location(self) -> Location | None:
        """The line of the `def`."""
        return self._at(*self._head[-1])

    def locate_decorator(self, *texts: str) -> Location | None:
        """The line of the decorators that holds the first of *texts* which one of them holds; else where they begin."""
        head = self._head
        return self._at(*next(((number, line) for text in texts for number, line in head if text in line), head[0]))

    @property
    def _head(self) -> list[tuple[int, str]]:
        """The lines from the first decorator to the `def` with their numbers; without a `def`, the first alone."""
        lines = linecache.getlines(self.file)[self.line - 1 :] if self.file is not None else []
        is_def = re.compile(rf"\s*(async\s+)?def\s+{re.escape(self.name)}\b").match
        length = next((number for number, line in enumerate(lines, start=1) if is_def(line)), 1)
        return list(enumerate(lines[:length], start=self.line)) or [(self.line, "")]

    def _at(self, number: int, line: str) -> Location | None:
        if self.file is None:
            return None
        return Location(shown_path(Path(self.file)), number, source_line=line.rstrip() or None)
