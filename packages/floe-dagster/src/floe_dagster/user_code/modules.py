"""Imports of the user's modules, and the user's own error where one fails."""

import importlib
import importlib.util
import linecache
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from floe_core.errors import FloeError, LoadError, Location, Problem, shown_path
from floe_core.suggestions import closest_names, did_you_mean, list_names
from floe_dagster.user_code.import_paths import ImportRoots, current_roots, list_project_modules
from floe_dagster.user_code.interrupts import noticed_interrupts
from floe_dagster.user_code.tracebacks import comes_from_floes_loading, is_floe

_MOST_FRAMES = 4
_MOST_MESSAGE_LINES = 10
_MOST_CAUSES = 3


def import_user_module(
    name: str,
    *,
    location: Location | None = None,
    error_class: type[FloeError] = LoadError,
    wanted: str | None = None,
) -> ModuleType:
    """The module *name*, imported now if it was not before.

    Args:
        name: Absolute dotted path.
        location: Where a document names the module, for the error.
        error_class: What to raise.
        wanted: The module that messages speak of, where *name* is only the way to it.

    Raises:
        FloeError: Of class *error_class*: there is no such module (with the closest that exists), or importing it
            raised, exited or needs something that is not installed (with the user's file, line and exception), or
            floe refuses something in it. The project's modules that the attempt had imported are forgotten, so that
            the next attempt tells the same. An exception of floe's own, where the module loads definitions, is passed
            on as it is.
    """
    parts = name.split(".")
    before = frozenset(sys.modules)
    for depth in range(1, len(parts) + 1):
        prefix = ".".join(parts[:depth])
        if sys.modules.get(prefix) is not None:
            continue
        if not _exists(prefix):
            raise error_class(missing_module(wanted or name, prefix, location))
        interrupts: list[int] = []
        try:
            with noticed_interrupts() as interrupts:
                importlib.import_module(prefix)
        except BaseException as error:  # whatever the user's code raises is part of the report
            if interrupts and not isinstance(error, Exception | SystemExit):
                raise
            problems = _own_problems(error) or (_import_problem(name, prefix, error, location),)
            forget_modules_since(before, name=name)
            if comes_from_floes_loading(error):
                raise
            raise error_class(*problems) from error
    return sys.modules[name]


def module_exists(name: str) -> bool:
    """Whether *name* can be found; its parents, not itself, are imported for that if they were not before."""
    return sys.modules.get(name) is not None or _exists(name)


def forget_modules_since(before: frozenset[str], *, name: str) -> None:
    """Take the user's modules that are not in *before* out of `sys.modules` and out of their parents again."""
    roots = current_roots()
    top = name.partition(".")[0]
    for added in [other for other in sys.modules if other not in before]:
        module = sys.modules[added]
        file = getattr(module, "__file__", None)
        if (roots is not None and file and roots.holds(file)) or added.partition(".")[0] == top:
            del sys.modules[added]
            parent, _, last = added.rpartition(".")
            if getattr(sys.modules.get(parent), last, None) is module:
                delattr(sys.modules[parent], last)


def describe_user_error(error: BaseException) -> str:
    """The user's way to *error*, file and line first, then the exception as Python prints it; several lines.

    Only the user's own files are shown, the deepest last; where there are none, the deepest frame outside floe.
    """
    lines = [line for frame in _shortened(_user_frames(error)) for line in frame]
    lines += _exception_lines(error)
    for cause in _causes(error):
        frames = _user_frames(cause)
        place = f" ({shown_path(Path(frames[-1].filename))}:{frames[-1].lineno})" if frames else ""
        lines.append(f"caused by {_exception_lines(cause)[0]}{place}")
    return "\n".join(lines)


def _exists(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False  # the parent is no package, or not a module at all


def _own_problems(error: BaseException) -> tuple[Problem, ...]:
    """What floe itself refuses of the user's code, where that says its places; there is no more to tell then."""
    problems = error.problems if isinstance(error, FloeError) else ()
    return problems if all(problem.location for problem in problems) else ()


def _import_problem(name: str, prefix: str, error: BaseException, location: Location | None) -> Problem:
    through = f" (imported for '{name}')" if prefix != name else ""
    detail = describe_user_error(error)
    if isinstance(error, SyntaxError):
        file = Path(error.filename or "")
        own = ".".join(file.with_suffix("").parts).removesuffix(".__init__").endswith(prefix)
        what = (
            f"module '{prefix}'{through} " + ("" if own else f"imports {shown_path(file)}, which ") + "cannot be parsed"
        )
        return Problem(code="FLOE-302", what=what, location=location, detail=detail)
    if isinstance(error, SystemExit):
        return Problem(
            code="FLOE-303",
            what=f"module '{prefix}'{through} exits while it is imported",
            location=location,
            detail=detail,
            fix='put what is to run as a script below `if __name__ == "__main__":`',
        )
    if isinstance(error, ModuleNotFoundError) and error.name:
        return _needs_module(prefix, through, error.name, detail, location)
    return Problem(
        code="FLOE-303",
        what=f"module '{prefix}'{through} raises {type(error).__name__} when it is imported",
        location=location,
        detail=detail,
    )


def _needs_module(prefix: str, through: str, needed: str, detail: str, location: Location | None) -> Problem:
    roots = current_roots()
    own = list_project_modules(roots) if roots else ()
    if needed.partition(".")[0] in {other.partition(".")[0] for other in own}:
        return Problem(
            code="FLOE-304",
            what=f"module '{prefix}'{through} imports '{needed}', which does not exist",
            location=location,
            detail=detail,
            fix=did_you_mean(needed, own),
        )
    top = needed.partition(".")[0]
    return Problem(
        code="FLOE-304",
        what=f"module '{prefix}'{through} imports '{needed}', which is not installed",
        location=location,
        detail=detail,
        fix=f"install what provides '{top}' into the environment that runs floe",
    )


def missing_module(name: str, prefix: str, location: Location | None) -> Problem:
    """That there is no module *name*, because *prefix*, which is *name* or a package above it, is not there."""
    parent, _, last = prefix.rpartition(".")
    return Problem(
        code="FLOE-301",
        what=f"module '{name}' does not exist",
        location=location,
        why=_why_missing(parent, last),
        fix=suggest_module(name),
    )


def _why_missing(parent: str, last: str) -> str:
    if not parent:
        roots = current_roots()
        where = f"in the project folder ({_shown_folder(roots.project_dir)}) or " if roots else ""
        return f"there is no '{last}' {where}on Python's path"
    module = sys.modules[parent]
    folders = [Path(folder) for folder in getattr(module, "__path__", ())]
    if not folders:
        return f"'{parent}' is a module ({shown_path(Path(str(module.__file__)))}), not a package with modules in it"
    return (
        f"there is no '{last}' in package '{parent}' ({_shown_folder(folders[0])}), "
        f"which holds {list_names(sorted(_children(folders)))}"
    )


def suggest_module(name: str) -> str:
    """`did you mean …?` with the project's modules that *name* may have been meant to be, or an empty string."""
    roots = current_roots()
    known = _known_modules(roots, name)
    packages = {other.rpartition(".")[0] for other in known}
    known = tuple(other for other in known if other not in packages or not name.startswith(f"{other}."))
    if closest_names(name, known):
        return did_you_mean(name, known)
    last = name.rpartition(".")[2]
    same = [other for other in known if other.rpartition(".")[2] == last]
    return f"did you mean {list_names([repr(other) for other in same], limit=3)}?" if same else ""


def list_modules_in(package: ModuleType) -> list[str]:
    """The names of the modules and packages right below *package*; none below a module."""
    return sorted(_children([Path(folder) for folder in getattr(package, "__path__", ())]))


def _known_modules(roots: ImportRoots | None, name: str) -> tuple[str, ...]:
    return list_project_modules(roots) if roots else _siblings(name)


def _siblings(name: str) -> tuple[str, ...]:
    parent = name.rpartition(".")[0]
    while parent and sys.modules.get(parent) is None:
        parent = parent.rpartition(".")[0]
    folders = [Path(folder) for folder in getattr(sys.modules.get(parent), "__path__", ())]
    return tuple(f"{parent}.{child}" for child in sorted(_children(folders)))


def _children(folders: list[Path]) -> set[str]:
    return {
        entry.name.removesuffix(".py")
        for folder in folders
        if folder.is_dir()
        for entry in folder.iterdir()
        if not entry.name.startswith(("_", ".")) and (entry.suffix == ".py" or any(entry.glob("*.py")))
    }


def _shown_folder(folder: Path) -> str:
    return f"{shown_path(folder)}/" if folder != Path.cwd() else "."


def _user_frames(error: BaseException) -> list[traceback.FrameSummary]:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<")]
    roots = current_roots()
    if roots is not None:
        mine = [frame for frame in frames if roots.holds(frame.filename)]
        if mine:
            return mine
    return [frame for frame in frames if _is_outside_floe_and_python(frame.filename)]


def _is_outside_floe_and_python(file: str) -> bool:
    return not (is_floe(file) or Path(file).is_relative_to(Path(importlib.__file__).parent))


def _shortened(frames: list[traceback.FrameSummary]) -> Iterator[list[str]]:
    hidden = len(frames) - _MOST_FRAMES
    for number, frame in enumerate(frames):
        if hidden > 0 and 1 <= number <= hidden:
            if number == 1:
                yield [f"… {hidden} more"]
            continue
        inside = "" if frame.name == "<module>" else f" in {frame.name}"
        yield [f"{shown_path(Path(frame.filename))}:{frame.lineno}{inside}", f"    {frame.line}"]


def _exception_lines(error: BaseException) -> list[str]:
    if isinstance(error, SyntaxError) and error.filename:
        return _syntax_error_lines(error)
    lines = str(error).rstrip().splitlines()[:_MOST_MESSAGE_LINES]
    kind = type(error).__name__
    notes = [f"note: {note}" for note in getattr(error, "__notes__", ())]
    return [f"{kind}: {lines[0]}" if lines else kind, *lines[1:], *notes]


def _syntax_error_lines(error: SyntaxError) -> list[str]:
    numbers = [str(number) for number in (error.lineno, error.offset) if number]
    place = ":".join([shown_path(Path(str(error.filename))), *numbers])
    text = error.text or linecache.getline(str(error.filename), error.lineno or 0)
    line = text.rstrip()
    indent = len(line) - len(line.lstrip())
    pointer = [f"    {' ' * max(0, error.offset - 1 - indent)}^"] if line and error.offset else []
    return [place, *([f"    {line.strip()}"] if line else []), *pointer, f"{type(error).__name__}: {error.msg}"]


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen = 0
    current: BaseException | None = error
    while current is not None and seen < _MOST_CAUSES:
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
        seen += 1
        if current is not None:
            yield current
