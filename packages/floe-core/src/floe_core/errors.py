"""Every error class of floe, where a problem stands, and the one template in which problems are shown."""

import re
from collections import Counter
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Literal, TypeAlias

from floe_core.secrets.yaml_lines import mask_line, mask_text

YamlPath: TypeAlias = tuple[str | int, ...]
Severity: TypeAlias = Literal["error", "warning"]

_QUOTED_WIDTH = 110
_LONGEST_MASKED = 4000
_ACTED_ON = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Controls but for the tab, marks of the direction of text, and what takes no room."""
_BREAKS_PATH = frozenset(".[]'\" \t")


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file, as it is shown to the user.

    Line and column count from 1. `source_line` is the whole line as it stands in the file, `${…}` included.
    """

    file: str
    line: int | None = None
    column: int | None = None
    yaml_path: str = ""
    source_line: str | None = None

    def __str__(self) -> str:
        numbers = [str(number) for number in (self.line, self.column) if number is not None]
        return ":".join([self.file, *numbers])

    def within(self, text: str, *, offset: int) -> "Location":
        """Where the character at *offset* of *text* stands, the scalar that begins here.

        Returns:
            The scalar's own place where the line has another text there, as with escapes and expressions.
        """
        line, begin = self.source_line or "", (self.column or 1) - 1
        begin += line.startswith(("'", '"'), begin)
        return replace(self, column=begin + offset + 1) if line.startswith(text, begin) else self


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, in the five parts that every message has.

    `detail` is the user's own error (their file, line and exception); it may have several lines.
    """

    code: str
    what: str
    location: Location | None = None
    why: str = ""
    fix: str = ""
    severity: Severity = "error"
    detail: str = ""

    def to_json(self) -> dict[str, str | int | None]:
        """The problem as a flat object whose keys are always all there; nothing in it is a secret."""
        location = self.location
        return {
            "code": self.code,
            "severity": self.severity,
            "what": mask_text(self.what),
            "file": location.file if location else None,
            "line": location.line if location else None,
            "column": location.column if location else None,
            "yaml_path": location.yaml_path if location else None,
            "source_line": _masked_line(location) if location else None,
            "why": mask_text(self.why),
            "fix": mask_text(self.fix),
            "detail": mask_text(self.detail, with_assignments=False),
        }


class FloeError(Exception):
    """One or more problems that stopped floe; as text, the whole report, errors first."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = sort_problems(problems)

    def __str__(self) -> str:
        return render_problems(self.problems)


class DocumentError(FloeError):
    """A document cannot be read or does not say what its schema asks for."""


class YamlSyntaxError(DocumentError):
    """The text is not YAML, or uses a part of YAML that documents may not use."""


class DuplicateKeyError(DocumentError):
    """A mapping names the same key more than once."""


class InterpolationError(DocumentError):
    """A `${…}` expression is malformed, or its variable is not set."""


class InvalidDocumentError(DocumentError):
    """A value of the document is not one that its field takes."""


class CompileError(FloeError):
    """Documents that are fine one by one do not fit together, or cannot be compiled."""


class UnknownNameError(CompileError):
    """A name refers to nothing that the documents define."""


class BoundaryError(CompileError):
    """Something physical stands in floe.yaml, or a combination of profiles cannot work."""


class ArtifactsError(CompileError):
    """The compiled artifacts are missing, stale, unreadable or of another format."""


class LoadError(FloeError):
    """The definitions cannot be built from what was compiled."""


class AssetModuleError(LoadError):
    """A module of assets cannot be imported, or holds none."""


class TargetError(LoadError):
    """A reference such as `package.module.function` leads to nothing usable."""


class ManifestError(LoadError):
    """The dbt manifest is missing, unreadable or not one."""


class SelectionError(LoadError):
    """A selection cannot be parsed or selects nothing."""


class PartitionsError(LoadError):
    """A partitions definition contradicts itself, or a key is not in it."""


class SensorError(LoadError):
    """A sensor, schedule or backfill cannot do what its definition asks for."""


class RunError(FloeError):
    """Work that was started could not be finished."""


class CatalogError(RunError):
    """A table cannot be read or written as asked."""


class ProblemCollector:
    """Problems found so far, raised together once everything has been looked at."""

    def __init__(self, problems: Iterable[Problem] = ()) -> None:
        self._problems = list(problems)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All errors in the order of the files, then all warnings."""
        return sort_problems(self._problems)

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that stop floe."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that do not."""
        return tuple(problem for problem in self.problems if problem.severity == "warning")

    def add(self, problem: Problem) -> None:
        """Note one problem."""
        self._problems.append(problem)

    def extend(self, problems: Iterable[Problem]) -> None:
        """Note several problems."""
        self._problems.extend(problems)

    def collecting(self) -> AbstractContextManager[None, bool]:
        """Turn a FloeError that the block raises into problems noted here, and go on after the block."""
        return _Collecting(self)

    def raise_if_any(self, error_class: type[FloeError] = FloeError) -> None:
        """Raise everything noted as one *error_class*, if an error is among it; warnings alone raise nothing."""
        if self.errors:
            raise error_class(*self.problems)


class _Collecting(AbstractContextManager[None, bool]):
    """Written out, not with `contextmanager`: only so do type checkers know that the block may end early."""

    def __init__(self, collector: ProblemCollector) -> None:
        self._collector = collector

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if isinstance(error, FloeError):
            self._collector.extend(error.problems)
            return True
        return False


def shown_path(path: Path) -> str:
    """*path* as messages show it: relative to the working directory if it is below that, else absolute."""
    absolute = Path(path).absolute()
    working_directory = Path.cwd()
    return str(absolute.relative_to(working_directory) if absolute.is_relative_to(working_directory) else absolute)


def format_yaml_path(path: YamlPath) -> str:
    """*path* as messages show it.

    >>> format_yaml_path(("orchestration", "schedules", "nightly", "cron_schedule", 1))
    'orchestration.schedules.nightly.cron_schedule[1]'
    >>> format_yaml_path(("orchestration", "assets", "v1.orders", "tags"))
    'orchestration.assets["v1.orders"].tags'
    """
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif not part or not _BREAKS_PATH.isdisjoint(part):
            text += f'["{part}"]'
        else:
            text += f".{part}" if text else part
    return text


def sort_problems(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The same problems, errors first, by file, line and column, each as often as it differs.

    Those that stand nowhere come last among the errors and among the warnings.
    """
    return tuple(sorted(dict.fromkeys(problems), key=_position))


def render_problem(problem: Problem) -> str:
    """The problem in the template of all messages, without a line break at the end.

    Secrets in it are masked, and characters that a terminal acts on are written as escapes.
    """
    lines = [f"{problem.severity}[{problem.code}]: {mask_text(problem.what)}"]
    location = problem.location
    if location is not None:
        lines.append(f"  --> {location}" + (f"  {location.yaml_path}" if location.yaml_path else ""))
        quoted = _quoted_line(location)
        if quoted:
            lines.append(f"   |  {quoted}")
    detail = mask_text(problem.detail, with_assignments=False)
    lines += [f"      {line}".rstrip() for line in detail.splitlines()]
    lines += [f"  why: {mask_text(problem.why)}"] if problem.why else []
    lines += [f"  fix: {mask_text(problem.fix)}"] if problem.fix else []
    return "\n".join(map(escape_controls, lines))


def escape_controls(line: str) -> str:
    r"""*line* with escapes in place of the characters that a terminal acts on and does not show.

    >>> escape_controls("a\x00b\u202ec\td")
    'a\\x00b\\u202ec\td'
    """
    return _ACTED_ON.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), line)


def render_problems(problems: Iterable[Problem]) -> str:
    """All problems with an empty line between them, and their number at the end when there are several."""
    shown = list(problems)
    blocks = [render_problem(problem) for problem in shown]
    if len(shown) > 1:
        blocks.append(count_problems(shown))
    return "\n\n".join(blocks)


def count_problems(problems: Iterable[Problem]) -> str:
    """How many problems there are, such as `2 errors, 1 warning`."""
    counts = Counter(problem.severity for problem in problems)
    return ", ".join(f"{count} {name}{'s' if count > 1 else ''}" for name, count in sorted(counts.items()))


def _position(problem: Problem) -> tuple[bool, bool, str, int, int]:
    location, is_warning = problem.location, problem.severity == "warning"
    if location is None:
        return is_warning, True, "", 0, 0
    return is_warning, False, location.file, location.line or 0, location.column or 0


def _masked_line(location: Location) -> str | None:
    """The line that is quoted, without its secrets; of a very long one the part around its column."""
    line = location.source_line
    if line is None or len(line) <= _LONGEST_MASKED:
        return None if line is None else _masked(line, location.file)
    return _quoted_line(location)


def _quoted_line(location: Location) -> str:
    line, column = (location.source_line or "").rstrip(), (location.column or 1) - 1
    if len(line) > _LONGEST_MASKED:
        skipped = max(0, column - _LONGEST_MASKED // 2)
        line, column = "…" + line[skipped : skipped + _LONGEST_MASKED], column - skipped
    line = _masked(line, location.file)
    indent = len(line) - len(line.lstrip())
    line = line.lstrip()
    line = "".join(character if character.isprintable() else "�" for character in line.replace("\t", "→"))
    if len(line) <= _QUOTED_WIDTH:
        return line
    start = max(0, column - indent - _QUOTED_WIDTH // 2)
    window = line[start : start + _QUOTED_WIDTH]
    return ("…" if start else "") + window + ("…" if start + _QUOTED_WIDTH < len(line) else "")


def _masked(line: str, file: str) -> str:
    return mask_line(line) if file.endswith((".yaml", ".yml")) else mask_text(line, with_assignments=False)
