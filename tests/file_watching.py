"""A file watcher of floe.yaml as Dagster evaluates it, with an instance that keeps the runs that were asked for."""

import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent, indent

import dagster as dg
from dagster._core.definitions.sensor_definition import SensorExecutionData
from dagster._core.storage.tags import RUN_KEY_TAG, SENSOR_NAME_TAG
from pydantic import Field

from builders import floe_yaml, parse_document
from floe_dagster.launching.launchable import Launchable, LaunchableAssets
from floe_dagster.loaders.job_loader import build_jobs
from floe_dagster.loaders.sensor_loader import SensorParts, build_sensors
from floe_dagster.selection.asset_index import AssetIndex
from floe_dagster.sensors.file_texts import spread_items

JOBS = """
load: {type: batch, selection: [orders]}
also: {type: batch, selection: [orders]}
by_day: {type: batch, selection: [daily]}
by_name: {type: batch, selection: [named]}
by_region: {type: batch, selection: [regional]}
by_both: {type: batch, selection: [both]}
"""


class Source(dg.Config):
    path: str = ""
    paths: list[str] = Field(default=[])


@dg.asset
def orders(config: Source) -> None: ...


@dg.asset(partitions_def=dg.DailyPartitionsDefinition("2024-03-01"))
def daily(config: Source) -> None: ...


@dg.asset(partitions_def=dg.DynamicPartitionsDefinition(name="names"))
def named() -> None: ...


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["eu", "us"]))
def regional() -> None: ...


@dg.asset(
    partitions_def=dg.MultiPartitionsDefinition(
        {"day": dg.DailyPartitionsDefinition("2024-03-01"), "name": dg.DynamicPartitionsDefinition(name="names")}
    )
)
def both() -> None: ...


ASSETS = [orders, daily, named, regional, both]


def build_watchers(sensors: str, folder: Path) -> Mapping[str, dg.SensorDefinition]:
    """The sensors of a document in *folder*.

    Raises:
        LoadError: They are wrong.
    """
    return _build(sensors, folder)[0]


def _build(sensors: str, folder: Path) -> tuple[Mapping[str, dg.SensorDefinition], Mapping[str, Launchable]]:
    under = {"jobs": JOBS, "sensors": dedent(sensors)}
    document = parse_document(floe_yaml("".join(f"{key}:\n{indent(text, '  ')}\n" for key, text in under.items())))
    assets = LaunchableAssets.of(AssetIndex.from_assets(ASSETS), ASSETS)
    jobs = build_jobs(document.spec.orchestration.jobs, assets=assets, source=document.source, executors={})
    parts = SensorParts(jobs, assets, document.source, folder, "local", resources={})
    return build_sensors(document.spec.orchestration.sensors, parts=parts), jobs


@dataclass
class Watched:
    """A folder with a sensor over it that has the fields *fields*, and what came of its ticks.

    Args:
        folder: Where floe.yaml is; the watched folder is `incoming` in it.
        fields: The fields of the sensor.
    """

    folder: Path
    fields: str = "job: load"
    instance: dg.DagsterInstance = field(default_factory=dg.DagsterInstance.ephemeral)
    cursor: str | None = None
    launched: list[dg.RunRequest] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.path = self.folder / "incoming"
        self.path.mkdir(exist_ok=True)
        self.reload()

    def reload(self) -> None:
        """What a new code server does."""
        settles = "" if "settle_seconds" in self.fields else "settle_seconds: 0, "
        sensors = f"arrival: {{type: file_watcher, path: incoming, {settles}{self.fields}}}"
        built, jobs = _build(sensors, self.folder)
        self.sensor = built["arrival"]
        self.repository = dg.Definitions(
            assets=ASSETS, jobs=[launch.job for launch in jobs.values()], sensors=[self.sensor]
        ).get_repository_def()

    def evaluate(self) -> SensorExecutionData:
        """One tick, of which nothing is stored."""
        with dg.SensorEvaluationContext(
            instance_ref=self.instance.get_ref() if self.instance.is_persistent else None,
            instance=self.instance,
            cursor=self.cursor,
            repository_def=self.repository,
            sensor_name="arrival",
        ) as context:
            return self.sensor.evaluate_tick(context)

    def tick(self, *, launches: int | None = None, stores: bool = True) -> list[dg.RunRequest]:
        """One tick, and what was launched by it that was not launched before.

        Args:
            launches: How many runs the daemon launches before it is killed.
            stores: Whether it stores the cursor.
        """
        found = self.evaluate()
        for request in found.dynamic_partitions_requests or ():
            assert isinstance(request, dg.AddDynamicPartitionsRequest)
            self.instance.add_dynamic_partitions(request.partitions_def_name, request.partition_keys)
        launched = self.launch(list(found.run_requests or ())[:launches])
        if stores:
            self.cursor = found.cursor
        return launched

    def launch(self, requests: Sequence[dg.RunRequest]) -> list[dg.RunRequest]:
        """What Dagster's daemon does with run requests: those whose run key has a run are passed over."""
        launched = []
        for request in requests:
            assert request.run_key
            tags = {**request.tags, RUN_KEY_TAG: request.run_key, SENSOR_NAME_TAG: "arrival"}
            if not self.instance.get_runs(dg.RunsFilter(tags={RUN_KEY_TAG: request.run_key})):
                self.instance.add_run(
                    dg.DagsterRun(
                        job_name=request.job_name or "",
                        run_config=request.run_config,
                        tags=tags,
                        status=dg.DagsterRunStatus.SUCCESS,
                    )
                )
                launched.append(request)
        self.launched += launched
        return launched

    def write(self, name: str | bytes, text: str = "text", *, modified: int | None = None) -> Path:
        """Write a file in one go, and set its modification time in nanoseconds."""
        path = self.path / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if modified is not None:
            os.utime(path, ns=(modified, modified))
        return path

    def settle(self) -> None:
        """Let as much time pass as a file must have had without a change: times of files cannot be set."""
        time.sleep(0.06)


def files_of(request: dg.RunRequest) -> list[str]:
    """The paths of the files that a run request is for, as its tags show them."""
    if "floe/file" in request.tags:
        return [_as_stored(request.tags["floe/file"])]
    return [_as_stored(path) for path in spread_items("floe/files", request.tags)]


def names_of(requests: Sequence[dg.RunRequest]) -> list[str]:
    """The names of the files that run requests are for."""
    return [Path(path).name for request in requests for path in files_of(request)]


def _as_stored(shown: str) -> str:
    """The path that was shown with escapes for what is no UTF-8, as `open` takes it."""
    return re.sub(r"\\x([0-9a-f]{2})", lambda found: os.fsdecode(bytes.fromhex(found[1])), shown)
