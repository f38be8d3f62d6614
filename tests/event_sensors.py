"""Sensors of a floe.yaml over assets of a test, ticked one at a time on an instance of its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import dagster as dg
from dagster._core.definitions.sensor_definition import SensorExecutionData

from builders import floe_yaml, parse_document
from floe_core.compiler.references import check_references
from floe_core.errors import ProblemCollector, render_problems
from floe_dagster.launching.launchable import Launchable, LaunchableAssets
from floe_dagster.loaders.job_loader import build_jobs
from floe_dagster.loaders.sensor_loader import SensorParts, build_sensors
from floe_dagster.selection.asset_index import AssetIndex
from floe_dagster.user_code.module_contents import Job


class EventSensors:
    """The sensors of `orchestration` in *yaml*, which remember their cursors."""

    def __init__(
        self,
        yaml: str,
        *,
        assets: Sequence[dg.AssetsDefinition | dg.AssetSpec],
        instance: dg.DagsterInstance,
        python_jobs: Mapping[str, Job] | None = None,
        folder: Path = Path(),
        resources: Mapping[str, object] | None = None,
    ) -> None:
        document = parse_document(floe_yaml(yaml))
        orchestration, source = document.spec.orchestration, document.source
        definitions = [asset for asset in assets if isinstance(asset, dg.AssetsDefinition)]
        launchable = LaunchableAssets.of(AssetIndex.from_assets(assets), definitions)
        jobs = build_jobs(orchestration.jobs, assets=launchable, source=source, executors={})
        jobs |= {name: Launchable.of_python(job) for name, job in (python_jobs or {}).items()}
        collector = ProblemCollector(check_references(document.spec, source, external_jobs=jobs))
        parts = SensorParts(jobs, launchable, source, folder, "local", resources=resources)
        self.built = build_sensors(orchestration.sensors, parts=parts, warnings=collector)
        self.warnings = render_problems(collector.problems)
        self.instance = instance
        self.resources = resources or {}
        self.definitions = dg.Definitions(
            assets=assets,
            jobs=[launch.job for launch in jobs.values()],
            sensors=list(self.built.values()),
            resources={**self.resources},
            executor=dg.in_process_executor,
            metadata={"floe/project": "shop"},
        )
        self.cursors: dict[str, str | None] = {}

    def tick(self, name: str, *, switched_on: float | None = None) -> SensorExecutionData:
        """What a tick asks for; its cursor is there at the next one."""
        sensor = self.definitions.get_repository_def().get_sensor_def(name)
        with dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursors.get(name),
            definitions=self.definitions,
            sensor_name=name,
            resources={key: self.resources[key] for key in sensor.required_resource_keys},
            last_sensor_start_time=switched_on,
        ) as context:
            data = sensor.evaluate_tick(context)
        self.cursors[name] = data.cursor
        return data

    def launches(self, name: str) -> list[tuple[str | None, str | None]] | str:
        """The job and partition of each run that a tick asks for, or why there is none."""
        data = self.tick(name)
        return [(each.job_name, each.partition_key) for each in data.run_requests or ()] or str(data.skip_message)

    def carry_out(self, name: str) -> list[dg.DagsterRun]:
        """Tick, and run what the tick asks for, as the daemon would."""
        return [
            self.run(
                request.job_name or "",
                partition_key=request.partition_key,
                tags={**request.tags, "dagster/run_key": request.run_key or ""},
            )
            for request in self.tick(name).run_requests or ()
        ]

    def run(
        self, job: str, *, partition_key: str | None = None, tags: Mapping[str, str] | None = None
    ) -> dg.DagsterRun:
        """Run a job of the definitions."""
        result = self.definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance, partition_key=partition_key, tags=dict(tags or {}), raise_on_error=False
        )
        return result.dagster_run

    def materialise(self, *keys: str) -> None:
        """Report materializations, each as `asset` or `asset:partition`."""
        for key in keys:
            name, _, partition = key.partition(":")
            event = dg.AssetMaterialization(dg.AssetKey.from_user_string(name), partition=partition or None)
            self.instance.report_runless_asset_event(event)
