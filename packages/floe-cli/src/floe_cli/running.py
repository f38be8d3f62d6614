"""Running a job from the command line: prepare, show, report."""

import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from time import strftime

import dagster as dg

from floe_cli.console import (
    emit_json,
    is_terminal,
    output_into,
    rich_console,
    say,
    show_problems,
    stdout_for_machines,
    work_in_progress,
)
from floe_cli.run_display import RunDisplay, open_display, print_report
from floe_cli.ui_address import find_ui
from floe_core.documents import load_platform_document
from floe_core.errors import shown_path
from floe_core.project import ProjectFolder
from floe_dagster.compilation import ensure_compiled
from floe_dagster.running.code_locations import UnknownJobError, check_unpartitioned, find_job, load_code_location
from floe_dagster.running.code_pointer import find_code_pointer
from floe_dagster.running.instance import open_instance
from floe_dagster.running.launches import LAUNCHES_DIR, end_abandoned_runs
from floe_dagster.running.runs import RunReport, execute_job

EXIT_USAGE = 2
EXIT_CODES = {"success": 0, "failure": 3, "canceled": 130}
_KEPT_LOGS = 20
SECONDS_TO_LEAVE = 3.0


def run_job(
    project: ProjectFolder,
    name: str,
    *,
    run_config: Mapping[str, object],
    tags: Mapping[str, str],
    verbose: bool,
    as_json: bool,
) -> int:
    """Run the job called *name* and show the run; gives the exit code."""
    environ = os.environ
    launches = project.floe_dir / LAUNCHES_DIR
    log = log_file(project, "run")

    def show(report: RunReport) -> int:
        _show(report, project, log=None if verbose else log, as_json=as_json)
        return EXIT_CODES[report.status]

    with ExitStack() as streams:
        streams.enter_context(stdout_for_machines())
        with work_in_progress() as progress:
            ensure_compiled(project, environ=environ, progress=progress)
            platform = load_platform_document(project.path, environ=environ)
            progress("loading the definitions")
            instance = open_instance(project, platform.spec, environ=environ)
            tell_abandoned_runs(launches, instance)
            location = load_code_location(find_code_pointer(project), project_dir=project.path)
            try:
                job = find_job(location, name)
            except UnknownJobError as error:
                show_problems(error.problems)
                return EXIT_USAGE
        check_unpartitioned(job)
        display = streams.enter_context(_display(log, verbose=verbose))
        report = execute_job(
            location,
            job,
            instance,
            run_config=run_config,
            tags=tags,
            listener=display.show,
            launches_dir=launches,
            leave=_leaving(streams, show),
        )
    if report.status == "canceled":
        leave_after(SECONDS_TO_LEAVE, EXIT_CODES[report.status])
    return show(report)


def tell_abandoned_runs(launches: Path, instance: dg.DagsterInstance) -> None:
    """Mark the runs as failed whose process was killed, and say so."""
    for run in end_abandoned_runs(launches, instance):
        say(f"run {run.run_id} of {run.job_name} was still shown as running; its process is gone: marked as failed")


def _leaving(streams: ExitStack, show: Callable[[RunReport], int]) -> Callable[[RunReport], None]:
    """The end of this process from another thread than the main one, which nothing moves any more."""

    def leave(report: RunReport) -> None:
        leave_after(SECONDS_TO_LEAVE, EXIT_CODES[report.status])
        streams.close()
        code = show(report)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    return leave


def leave_after(seconds: float, code: int) -> None:
    """End this process then, if it has not ended by itself: a thread of a canceled run may go on for long."""
    timer = threading.Timer(seconds, os._exit, (code,))
    timer.daemon = True
    timer.start()


def _show(report: RunReport, project: ProjectFolder, *, log: Path | None, as_json: bool) -> None:
    ui = find_ui(project.floe_dir)
    url = f"{ui.url}/runs/{report.run_id}"
    if as_json:
        emit_json(_as_json(report, url if ui.is_up else None))
    else:
        shown_log = "" if log is None else shown_path(log)
        print_report(rich_console(stderr=True), report, url=url, ui_is_up=ui.is_up, log=shown_log)


@contextmanager
def _display(log: Path, *, verbose: bool) -> Iterator[RunDisplay]:
    live = is_terminal() and not verbose
    with output_into(None if verbose else log) as terminal, open_display(terminal, live=live) as display:
        yield display


def log_file(project: ProjectFolder, what: str) -> Path:
    """A new file for what is printed during *what* (`run`); old ones are deleted."""
    folder = project.floe_dir / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    for old in sorted(folder.glob(f"{what}-*.log"))[: -_KEPT_LOGS + 1]:
        old.unlink(missing_ok=True)
    return folder / f"{what}-{strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"


def _as_json(report: RunReport, url: str | None) -> dict[str, object]:
    return {
        "run_id": report.run_id,
        "job": report.job,
        "status": report.status,
        "seconds": round(report.seconds, 3),
        "url": url,
        "assets": [{**asdict(result), "group": report.groups.get(result.key)} for result in report.assets],
        "checks": [asdict(result) for result in report.checks],
        "failures": [asdict(failure) for failure in report.failures],
    }
