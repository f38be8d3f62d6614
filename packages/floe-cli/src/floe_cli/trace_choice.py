"""Which run's trace `floe trace` shows."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from floe_cli.trace_report import RunState, counted
from floe_core.documents import load_platform_document
from floe_core.errors import Location, Problem, RunError, shown_path
from floe_core.project import FLOE_DIR, ProjectFolder
from floe_dagster.observability.local.files import RunFile, list_run_files
from floe_dagster.observability.local.trace_tree import build_tree
from floe_dagster.observability.local.traces import LocalTrace, read_trace, read_trace_id
from floe_dagster.observability.masking import without_credentials
from floe_dagster.observability.settings import LINEAGE_DIR, OBSERVABILITY_DIR, TRACES_DIR
from floe_dagster.observability.tracing.otlp_target import is_switched_off

_CONTINUED = ", or that of its tag floe/traceparent"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_LISTED = 5
_UNWRITTEN = "spans are written as they end, and none was"
_USUAL_ENDPOINT = "http://localhost:4318"
_USUAL_ID = f"the id of a run's trace is the run's id without hyphens{_CONTINUED}"
_WHOLE_ID = 32


class UnknownTraceError(RunError):
    """The command names a run whose trace is not there, or too little of its id."""

    exit_code = 2


class NoTraceError(RunError):
    """No run of the project has left a trace here."""


def choose_trace(
    project: ProjectFolder,
    asked: str | None,
    *,
    environ: Mapping[str, str],
    ask_dagster: Callable[[str], RunState | None],
) -> RunFile:
    """The trace of the run whose id begins with *asked*; of the newest run without it.

    Args:
        project: Whose traces they are.
        asked: The beginning of a run's id, or of its trace's: the same without hyphens, or the one it continues.
        environ: Variables that say where traces go.
        ask_dagster: Gives what Dagster knows of a run; None where it does not know it.

    Raises:
        NoTraceError: There are no traces.
        UnknownTraceError: No run begins so, or several do.
    """
    folder = project.path / FLOE_DIR / OBSERVABILITY_DIR / TRACES_DIR
    files = list_run_files(folder)
    if asked is None:
        if not files:
            raise NoTraceError(_no_traces(project, folder, environ=environ))
        return files[0]
    wanted = _plain(asked)
    found = [file for file in files if _plain(file.run_id).startswith(wanted)]
    found = found or [file for file in files if read_trace_id(file).startswith(wanted)]
    whole = [file for file in found if _plain(file.run_id) == wanted]
    if len(whole or found) == 1:
        return (whole or found)[0]
    if found:
        raise UnknownTraceError(_ambiguous(asked, found))
    run_id = next((run_id for run_id in _told_runs(project) if _plain(run_id).startswith(wanted)), asked)
    state = ask_dagster(run_id)
    trace = _trace_id(asked, state)
    if not files:
        raise NoTraceError(_no_traces(project, folder, environ=environ, trace=trace))
    raise UnknownTraceError(_unknown(asked, files, _endpoint(project, environ), trace=trace, state=state))


def describe_missing(project: ProjectFolder, file: RunFile, *, environ: Mapping[str, str]) -> str:
    """Which newer runs have no trace here beside *file*, that of the newest run that has one; empty without any."""
    endpoint = "" if is_switched_off(environ) else _endpoint(project, environ)
    if endpoint:
        return f"traces go to {endpoint} now; the newest that was kept here is shown"
    newer = _find_newer_run(project, file)
    if newer is None:
        return ""
    return f"run {newer} is newer and has no span: it is under way, its process was killed, or it is not traced"


def read_chosen_trace(file: RunFile) -> LocalTrace:
    """The trace in *file*, which has at least one span.

    Raises:
        NoTraceError: The file holds none.
    """
    trace = read_trace(file)
    if not trace.spans:
        lines = trace.unreadable_lines
        why = (
            f"none of its {lines} lines can be read" if lines else "spans are written as they end, and none has so far"
        )
        place = Location(shown_path(file.path))
        raise NoTraceError(Problem("FLOE-450", f"the trace of run '{file.run_id}' holds no span", place, why=why))
    return trace


def _find_newer_run(project: ProjectFolder, file: RunFile) -> str | None:
    """The run that began after the one of *file* and has no span yet.

    It is known by its lineage, which is told from the beginning.
    """
    traced = {other.run_id for other in list_run_files(file.path.parent)}
    told = _told_runs(project)
    return next((run_id for run_id, at in told.items() if at > file.written_at and run_id not in traced), None)


def _told_runs(project: ProjectFolder) -> dict[str, float]:
    """Run → when something was told of its lineage last; the newest first."""
    folder = project.path / FLOE_DIR / OBSERVABILITY_DIR / LINEAGE_DIR
    return {file.run_id: file.written_at for file in list_run_files(folder)}


def _plain(run_id: str) -> str:
    return run_id.replace("-", "").strip().lower()


def _unknown(asked: str, files: Sequence[RunFile], endpoint: str, *, trace: str, state: RunState | None) -> Problem:
    elsewhere = f"; traces go to {endpoint} now, {trace}" if endpoint else ""
    left = counted(len(files), "run")
    unwritten = f"traces go to {endpoint} now, {trace}" if endpoint else _UNWRITTEN
    older = [f"and {len(files) - _LISTED} older"] if len(files) > _LISTED else []
    return Problem(
        "FLOE-451",
        f"there is no trace of run '{asked}'",
        detail="\n".join([*_lines(files[:_LISTED]), *older]),
        why=f"{state.sentence}; {unwritten}" if state is not None else f"{left} left one{elsewhere}",
        fix="name one of them, or no run for the newest",
    )


def _ambiguous(asked: str, found: Sequence[RunFile]) -> Problem:
    by_run = _plain(found[0].run_id).startswith(_plain(asked))
    return Problem(
        "FLOE-452",
        f"{len(found)} runs begin with '{asked}'" if by_run else f"{len(found)} runs belong to traces of '{asked}'",
        detail="\n".join(_lines(found[: _LISTED * 2])),
        why="a run is named by as much of its id as tells it from the others"
        if by_run
        else "a trace that began elsewhere may hold several runs, and each has a file of its own",
        fix="write more of the id" if by_run else "name one of the runs",
    )


def _no_traces(project: ProjectFolder, folder: Path, *, environ: Mapping[str, str], trace: str = _USUAL_ID) -> Problem:
    endpoint = _endpoint(project, environ)
    if is_switched_off(environ):
        why, fix = "OTEL_SDK_DISABLED or OTEL_TRACES_EXPORTER switches traces off", "unset it, then run a job"
    elif endpoint:
        why = f"traces are sent to {endpoint} and not kept here"
        fix = f"look there: {trace}"
    else:
        why = f"a run writes its trace into {shown_path(folder)}, and none has so far"
        fix = "run a job: floe run JOB, or from Dagster's UI"
    return Problem("FLOE-450", "there is no trace to show", why=why, fix=fix)


def _endpoint(project: ProjectFolder, environ: Mapping[str, str]) -> str:
    """Where traces are sent, without credentials; empty where they are kept in local files."""
    named = [environ[name] for name in _ENDPOINTS if environ.get(name)]
    configured = load_platform_document(project.path, environ=environ).spec.observability.otlp_endpoint
    asked_for = _USUAL_ENDPOINT if "otlp" in environ.get("OTEL_TRACES_EXPORTER", "").lower() else None
    endpoint = named[0] if named else configured or asked_for
    return without_credentials(str(endpoint)) if endpoint else ""


def _trace_id(asked: str, state: RunState | None) -> str:
    """What the trace of the run is called where it is, in words."""
    if state is not None:
        return f"the id of the trace is {state.trace_id}"
    plain = _plain(asked)
    return f"the id of the trace is {plain}{_CONTINUED}" if len(plain) == _WHOLE_ID else _USUAL_ID


def _lines(files: Sequence[RunFile]) -> list[str]:
    return [f"{file.run_id}  {_began(file):%Y-%m-%d %H:%M:%S} UTC" for file in files]


def _began(file: RunFile) -> datetime:
    """When the run began, as its trace tells; when its file was written, where that holds no span."""
    trace = read_trace(file)
    return datetime.fromtimestamp(build_tree(trace).started_at / 1e9 if trace.spans else file.written_at, UTC)
