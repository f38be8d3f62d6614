"""Errors as the user reads them: their own files on the way there, and no frames of floe."""

import os
import sysconfig
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import TracebackType

import dagster as dg

import floe_core
from floe_core.errors import FloeError, Location

FLOE_FOLDERS = (Path(__file__).parents[1], Path(floe_core.__file__).parent)
"""Where floe's own code is, which is not the user's."""

_LOADING = str(FLOE_FOLDERS[0].resolve() / "loading.py")

_FLOE = tuple(f"{folder.resolve()}{os.sep}" for folder in FLOE_FOLDERS)
_LIBRARIES = tuple(
    f"{Path(sysconfig.get_path(name)).resolve()}{os.sep}" for name in ("stdlib", "platstdlib", "purelib", "platlib")
)


class UsersTraceback(AbstractContextManager[None, None]):
    """Leaves floe out of what the block raises; the function that has the block, too.

    Args:
        at: Where a problem of floe's is told that stands nowhere.
    """

    def __init__(self, *, at: Location | None = None) -> None:
        self._at = at

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, FloeError) and self._at is not None:
            error.problems = tuple(replace(each, location=each.location or self._at) for each in error.problems)
        if error is not None:
            leave_out_floe(error)


def leave_out_floe(error: BaseException) -> None:
    """Take the frames of floe out of *error* and of what led to it, as far as they are not what its reader looks for.

    Of a sentence that says itself what is wrong, only the user's frames stay. Of any other error those of floe stay
    that stand after the user's: it may be floe that is wrong. Called where *error* is caught, it also leaves out the
    function that does so, if that raises it again without naming it.
    """
    if error.__traceback__ is not None:
        error.__traceback__ = error.__traceback__.tb_next or error.__traceback__
    is_told = False
    for part in _chain(error):
        is_told = is_told or isinstance(part, FloeError | dg.Failure)
        part.__traceback__ = _users_part(part, is_told=is_told)
        while isinstance(part, FloeError) and part.__cause__ is not None and _says_no_more(part.__cause__, part):
            part.__cause__ = _led_to(part.__cause__)


def comes_from_floes_loading(error: BaseException) -> bool:
    """Whether floe itself is wrong: *error* is none that it or Dagster tells, and was raised by floe's loading.

    What Dagster or the user's code raises while floe loads a project is the user's.
    """
    if isinstance(error, FloeError | dg.DagsterError):
        return False
    files = [entry.tb_frame.f_code.co_filename for entry in _entries(error)]
    last_of_user = max((at for at, file in enumerate(files) if not (is_floe(file) or is_library(file))), default=-1)
    after = [_real(file) for file in files[last_of_user + 1 :]]
    last_of_floe = max((at for at, file in enumerate(after) if is_floe(file)), default=-1)
    return _LOADING in after and not any(f"{os.sep}dagster{os.sep}" in file for file in after[last_of_floe + 1 :])


def is_floe(file: str) -> bool:
    """Whether the code in *file* is floe's."""
    return _real(file).startswith(_FLOE)


def is_library(file: str) -> bool:
    """Whether the code in *file* is Python's or a library's."""
    # Compiled libraries name their sources without a folder: `pyarrow/io.pxi`, `<frozen importlib>`.
    return (
        not Path(file).is_absolute() or f"{os.sep}site-packages{os.sep}" in file or _real(file).startswith(_LIBRARIES)
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = _led_to(current)


def _led_to(error: BaseException) -> BaseException | None:
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _says_no_more(cause: BaseException, error: FloeError) -> bool:
    told = {problem.what for problem in error.problems}
    return isinstance(cause, FloeError) and told.issuperset(problem.what for problem in cause.problems)


def _users_part(error: BaseException, *, is_told: bool) -> TracebackType | None:
    entries = list(_entries(error))
    files = [entry.tb_frame.f_code.co_filename for entry in entries]
    end = max((number for number, file in enumerate(files, 1) if not (is_floe(file) or is_library(file))), default=0)
    kept = [entry for entry, file in zip(entries[:end], files, strict=False) if not is_floe(file)]
    part: TracebackType | None = None
    for entry in reversed(kept if is_told else [*kept, *entries[end:]]):
        part = TracebackType(part, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return part


def _entries(error: BaseException) -> Iterator[TracebackType]:
    """The frames that *error* has passed, outermost first."""
    entry = error.__traceback__
    while entry is not None:
        yield entry
        entry = entry.tb_next


@cache
def _real(file: str) -> str:
    return os.path.realpath(file)
