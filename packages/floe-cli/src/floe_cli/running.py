"""Running a job from the command line: prepare, show, report."""

import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from time import strftime

import dagster as dg
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES

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
from floe_cli.known_names import remember_names
from floe_cli.run_display import RunDisplay, open_display, print_partition_reports, print_report
from floe_cli.ui_address import find_ui
from floe_core.documents import load_platform_document
from floe_core.errors import Problem, shown_path
from floe_core.project import ProjectFolder, write_whole
from floe_dagster.compilation import ensure_compiled
from floe_dagster.definitions import recorded_loads
from floe_dagster.launching.asked_partitions import AskedPartitionsError, config_of, find_asked_partitions, tags_of
from floe_dagster.observability.runs.dead_runs import tell_end_of_dead_run
from floe_dagster.partitioning.runs import PartitionRun
from floe_dagster.running.code_locations import CodeLocation, UnknownJobError, find_job, load_code_location
from floe_dagster.running.code_pointer import find_code_pointer
from floe_dagster.running.instance import open_instance
from floe_dagster.running.instance_warnings import check_own_instance
from floe_dagster.running.launches import LAUNCHES_DIR, PROJECT_TAG, end_abandoned_runs
from floe_dagster.running.run_workers import end_runs_of_killed_workers
from floe_dagster.running.runs import RunReport, RunStatus, execute_job
from floe_dagster.running.untold_ends import tell_untold_ends
from floe_dagster.secrets import without_known_secrets

EXIT_USAGE = 2
EXIT_CODES = {"success": 0, "failure": 3, "canceled": 130}
_KEPT_LOGS = 20
_LAUNCHERS = tuple(f"orchestration.{name}." for name in ("jobs", "schedules", "sensors", "backfills"))
SECONDS_TO_LEAVE = 3.0


def run_job(
    project: ProjectFolder,
    name: str,
    *,
    partition: str | None,
    run_config: Mapping[str, object],
    tags: Mapping[str, str],
    verbose: bool,
    as_json: bool,
) -> int:
    """Run the job called *name*, for the partitions that *partition* means, and show it; gives the exit code."""
    environ = os.environ
    launches = project.floe_dir / LAUNCHES_DIR
    log = log_file(project, "run")
    with ExitStack() as streams:
        streams.enter_context(stdout_for_machines())
        with work_in_progress() as progress:
            ensure_compiled(project, environ=environ, progress=progress)
            platform = load_platform_document(project.path, environ=environ)
            progress("loading the definitions")
            instance = open_instance(project, platform.spec, environ=environ)
            tell_abandoned_runs(launches, instance)
            location = _load_location(project, name)
            tell_ends(location, instance, floe_dir=project.floe_dir)
            try:
                job = find_job(location, name)
                runs = find_asked_partitions(partition, job, at=datetime.now(UTC), instance=instance)
            except (UnknownJobError, AskedPartitionsError) as error:
                show_problems(error.problems)
                return EXIT_USAGE
        reports = _Reports(runs)

        def show() -> int:
            _show(reports, project, log=None if verbose else log, as_json=as_json)
            return EXIT_CODES[reports.status]

        display = streams.enter_context(_display(log, verbose=verbose))
        for number, run in enumerate(runs or (None,), start=1):
            if len(runs) > 1 and run is not None:
                display.begin(run.label, number, len(runs))
            reports.add(
                execute_job(
                    location,
                    job,
                    instance,
                    run_config=run_config or ({} if run is None else config_of(run, job)),
                    tags={**tags, **({} if run is None else tags_of(run, job))},
                    listener=display.show,
                    launches_dir=launches,
                    leave=_leaving(streams, reports, show),
                )
            )
            if reports.status != "success":
                break
    if reports.status == "canceled":
        leave_after(SECONDS_TO_LEAVE, EXIT_CODES[reports.status])
    return show()


def _load_location(project: ProjectFolder, job: str) -> CodeLocation:
    """The code location of the project; of its warnings, those that may matter to *job* are shown."""
    with recorded_loads() as loads:
        location = load_code_location(find_code_pointer(project), project_dir=project.path)
    for load in loads:
        remember_names(load)
        warnings = (*load.warnings, *check_own_instance(load.document.spec.orchestration, load.document.source))
        show_problems([warning for warning in warnings if _may_matter_to(job, warning)])
    return location


def _may_matter_to(job: str, warning: Problem) -> bool:
    path = "" if warning.location is None else f"{warning.location.yaml_path}."
    return path.startswith(f"orchestration.jobs.{job}.") or not path.startswith(_LAUNCHERS)


class _Reports:
    """The reports of a command's runs, in order: of one, or of one for each partition."""

    def __init__(self, runs: Sequence[PartitionRun]) -> None:
        self.runs = tuple(runs)
        self.done: list[RunReport] = []

    def add(self, report: RunReport) -> None:
        self.done.append(report)

    @property
    def status(self) -> RunStatus:
        """That of the last run: there is none after one that did not succeed."""
        return self.done[-1].status

    @property
    def by_partition(self) -> dict[str, RunReport | None]:
        """{partition or range: its report}; those that were not started have none."""
        return {run.label: report for run, report in zip_longest(self.runs, self.done) if run is not None}


def tell_abandoned_runs(launches: Path, instance: dg.DagsterInstance) -> None:
    """Mark the runs as failed whose process was killed, and say so."""
    under_way = instance.get_runs(dg.RunsFilter(statuses=list(IN_PROGRESS_RUN_STATUSES)))
    for run in (*end_abandoned_runs(launches, instance), *end_runs_of_killed_workers(under_way, instance)):
        say(f"run {run.run_id} of {run.job_name} was still shown as running; its process is gone: marked as failed")


def tell_ends(location: CodeLocation, instance: dg.DagsterInstance, *, floe_dir: Path) -> None:
    """End the traces and the lineage of the project's runs that were killed, which their processes could not.

    Whoever marked them may have been unable to: it is done by the next command that has the definitions, and once.
    """
    tell_untold_ends(
        instance,
        lambda run: tell_end_of_dead_run(run, location.definition, instance, warn=say),
        only=lambda run: _is_of(run, location),
        floe_dir=floe_dir,
    )


def _is_of(run: dg.DagsterRun, location: CodeLocation) -> bool:
    """Whether the run is of this project, as far as it says so: several may share an instance, and names of jobs."""
    project = (location.definition.metadata or {}).get(PROJECT_TAG)
    if PROJECT_TAG in run.tags and project is not None:
        return run.tags[PROJECT_TAG] == str(project.value)
    origin = run.job_code_origin
    pointer = origin.repository_origin.code_pointer if origin is not None else None
    folder = getattr(pointer, "working_directory", None)
    return folder is None or folder == str(location.pointer.working_directory)


def _leaving(streams: ExitStack, reports: _Reports, show: Callable[[], int]) -> Callable[[RunReport], None]:
    """The end of this process from another thread than the main one, which nothing moves any more."""

    def leave(report: RunReport) -> None:
        leave_after(SECONDS_TO_LEAVE, EXIT_CODES[report.status])
        reports.add(report)
        streams.close()
        code = show()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    return leave


def leave_after(seconds: float, code: int) -> None:
    """End this process then, if it has not ended by itself: a thread of a canceled run may go on for long."""
    timer = threading.Timer(seconds, os._exit, (code,))
    timer.daemon = True
    timer.start()


def _show(reports: _Reports, project: ProjectFolder, *, log: Path | None, as_json: bool) -> None:
    ui = find_ui(project.floe_dir)
    shown_log = "" if log is None else shown_path(log)
    urls = {report.run_id: f"{ui.url}/runs/{report.run_id}" for report in reports.done}
    if as_json:
        emit_json(_as_json(reports, urls if ui.is_up else {}))
    elif len(reports.runs) > 1:
        print_partition_reports(
            rich_console(stderr=True), reports.by_partition, urls=urls, ui_is_up=ui.is_up, log=shown_log
        )
    else:
        [report] = reports.done
        url = urls[report.run_id]
        print_report(rich_console(stderr=True), report, url=url, ui_is_up=ui.is_up, log=shown_log)


@contextmanager
def _display(log: Path, *, verbose: bool) -> Iterator[RunDisplay]:
    live = is_terminal() and not verbose
    try:
        with output_into(None if verbose else log) as terminal, open_display(terminal, live=live) as display:
            yield display
    finally:
        _hide_secrets(log)


def _hide_secrets(log: Path) -> None:
    if log.is_file():
        printed = log.read_text(encoding="utf-8", errors="replace")
        shown = without_known_secrets(printed)
        if shown != printed:
            write_whole(log, shown.encode())


def log_file(project: ProjectFolder, what: str) -> Path:
    """A new file for what is printed during *what* (`run`); old ones are deleted.

    Raises:
        DocumentError: The project cannot be written.
    """
    folder = project.make_floe_dir() / "logs"
    folder.mkdir(exist_ok=True)
    for old in sorted(folder.glob(f"{what}-*.log"))[: -_KEPT_LOGS + 1]:
        old.unlink(missing_ok=True)
    return folder / f"{what}-{strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"


def _as_json(reports: _Reports, urls: Mapping[str, str]) -> dict[str, object]:
    """The one run; of several, all of them and what they come to."""
    if len(reports.runs) <= 1:
        label = reports.runs[0].label if reports.runs else None
        return _run_as_json(label, reports.done[0], urls)
    return {
        "job": reports.done[0].job,
        "status": reports.status,
        "seconds": round(sum(report.seconds for report in reports.done), 3),
        "runs": [
            _run_as_json(partition, report, urls)
            for partition, report in reports.by_partition.items()
            if report is not None
        ],
        "not_started": [partition for partition, report in reports.by_partition.items() if report is None],
    }


def _run_as_json(partition: str | None, report: RunReport, urls: Mapping[str, str]) -> dict[str, object]:
    return {
        "run_id": report.run_id,
        "job": report.job,
        "partition": partition,
        "status": report.status,
        "seconds": round(report.seconds, 3),
        "url": urls.get(report.run_id),
        "assets": [{**asdict(result), "group": report.groups.get(result.key)} for result in report.assets],
        "checks": [asdict(result) for result in report.checks],
        "ops": [asdict(result) for result in report.ops],
        "failures": [asdict(failure) for failure in report.failures],
    }
