"""One tick of a sensor on the terminal: what it would launch, add and remember."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict

import dagster as dg

from floe_cli.console import emit, emit_json, rich_console, stdout_for_machines, table, work_in_progress
from floe_cli.loading import load_with_location
from floe_core.project import ProjectFolder
from floe_dagster.compilation import ensure_compiled
from floe_dagster.loading import LoadedProject
from floe_dagster.running.instance import open_existing_instance
from floe_dagster.running.sensor_trial import RequestedRun, SensorTrial, find_sensor, try_sensor

_OWN_TAGS = ("dagster/", ".dagster/", ".floe/")


def show_trial(project: ProjectFolder, name: str, *, cursor: str | None, as_json: bool) -> int:
    """Evaluate the sensor called *name* once and show the outcome; gives the exit code."""
    with ExitStack() as stack:
        stack.enter_context(stdout_for_machines())
        with work_in_progress() as progress:
            ensure_compiled(project, environ=os.environ, progress=progress)
            loaded, location = load_with_location(project, progress=progress)
            sensor = find_sensor(location, name, elsewhere=_elsewhere(loaded))
            progress("evaluating the sensor")
            kept = open_existing_instance(project, loaded.platform.spec)
            instance = stack.enter_context(kept or dg.DagsterInstance.ephemeral())
            trial = try_sensor(sensor, location, instance, cursor=cursor)
    if as_json:
        emit_json(asdict(trial))
    else:
        _print(trial)
    return 0


def _elsewhere(loaded: LoadedProject) -> dict[str, tuple[str, ...]]:
    """The sensors of floe.yaml that exist in other environments only."""
    sensors = loaded.document.spec.orchestration.sensors
    return {name: each.environments for name, each in sensors.items() if each.environments}


def _print(trial: SensorTrial) -> None:
    subject = f"sensor '{trial.sensor}'"
    if trial.runs:
        emit(f"{subject} would request {len(trial.runs)} run{'' if len(trial.runs) == 1 else 's'}")
        rows = [_row(run) for run in trial.runs]
        headers = ("run key", "launches", "partition", "tags", "config", "")
        shown = [index for index, header in enumerate(headers) if any(row[index] for row in rows)]
        drawn = table(*(headers[index] for index in shown), rows=[[row[index] for index in shown] for row in rows])
        rich_console(stderr=False).print(drawn)
    elif not trial.reacted_to:
        emit(f"{subject} would skip: {trial.skip_reason}")
    for line in _lines(trial):
        emit(line)


def _row(run: RequestedRun) -> tuple[str, ...]:
    tags = {name: value for name, value in run.tags.items() if not name.startswith(_OWN_TAGS)}
    return (
        run.run_key or "",
        run.job or ", ".join(run.assets),
        run.partition or "",
        _pairs(tags),
        json.dumps(run.config, ensure_ascii=False) if run.config else "",
        "launched already" if run.is_known else "",
    )


def _lines(trial: SensorTrial) -> Iterator[str]:
    for name, keys in trial.added.items():
        yield f"would add partition keys to '{name}': {', '.join(keys)}"
    for name, keys in trial.removed.items():
        yield f"would remove partition keys of '{name}': {', '.join(keys)}"
    if trial.events:
        yield f"would report events of assets: {', '.join(trial.events)}"
    if trial.reacted_to:
        yield f"called its function for the runs: {', '.join(trial.reacted_to)}"
    if trial.writes:
        yield f"wrote to the instance by itself, of which nothing was kept: {', '.join(trial.writes)}"
    yield "would leave its cursor as it is" if trial.cursor is None else f"would store the cursor: {trial.cursor}"


def _pairs(tags: Mapping[str, str]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in tags.items())
