import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.dependency import NodeHandle

from floe_core.project import ProjectFolder
from floe_dagster.compilation import compile_project
from floe_dagster.definitions import FloeDefinitions
from floe_dagster.observability.runs.executor import observed_executor
from floe_dagster.observability.runs.nesting import nest_user_spans
from floe_dagster.observability.runs.observed_jobs import ObservedExecutorDefinition, observed_settings
from floe_dagster.observability.runs.observed_launchers import ObservedLaunchers
from floe_dagster.observability.runs.step_contents import read_step_contents
from floe_dagster.observability.settings import ObservabilitySettings
from floe_dagster.resources.dbt import DbtResource
from observed_records import RUN
from plugins.user_project import UserProject

SETTINGS = ObservabilitySettings("shop", "floe", Path("observability"))


@dg.op
def work() -> None:
    """Nothing."""


@dg.job(executor_def=dg.multiprocess_executor)
def own_executor() -> None:
    work()


@dg.job
def no_executor() -> None:
    work()


@dg.asset
def orders() -> None:
    """Nothing."""


@dg.asset(partitions_def=dg.DailyPartitionsDefinition("2024-01-01"))
def daily_orders() -> None:
    """Nothing."""


OVER_ASSETS = dg.define_asset_job("over_assets", selection=[orders], executor_def=dg.in_process_executor)
BY_DAY = dg.define_asset_job("by_day", selection=[daily_orders], executor_def=dg.in_process_executor)


@pytest.fixture
def observed() -> ObservedLaunchers:
    return ObservedLaunchers(SETTINGS)


# ---- executors


@pytest.mark.parametrize(
    "executor",
    [
        dg.in_process_executor,
        dg.multiprocess_executor,
        dg.multi_or_in_process_executor,
        dg.multiprocess_executor.configured({"max_concurrent": 2}),
    ],
    ids=["in_process", "multiprocess", "either", "configured"],
)
def test_an_observed_executor_is_to_the_launchpad_what_it_was(executor: dg.ExecutorDefinition) -> None:
    observed = observed_executor(executor, SETTINGS)
    plain_job, observed_job = (no_executor.with_executor_def(each) for each in (executor, observed))

    assert (observed.name, observed.description) == (executor.name, executor.description)
    assert observed.config_schema is executor.config_schema
    assert observed_job.get_config_schema_snapshot() == plain_job.get_config_schema_snapshot()
    config: dict[str, object] = {"multiprocess": {}} if executor is dg.multi_or_in_process_executor else {}
    assert observed.get_requirements(config) == executor.get_requirements(config)


def test_an_executor_is_observed_once() -> None:
    observed = observed_executor(dg.in_process_executor, SETTINGS)

    assert observed_executor(observed, SETTINGS) is observed


def test_an_observed_executor_that_is_configured_is_observed() -> None:
    observed = observed_executor(dg.multiprocess_executor, SETTINGS)

    configured = observed.configured({"max_concurrent": 2}, name="two")

    assert isinstance(configured, ObservedExecutorDefinition)
    assert (configured.name, configured.settings) == ("two", SETTINGS)


def test_a_job_tells_whether_it_is_observed() -> None:
    observed = no_executor.with_executor_def(observed_executor(dg.in_process_executor, SETTINGS))

    assert observed_settings(observed) is SETTINGS
    assert observed_settings(no_executor) is None


# ---- jobs of Python


def test_a_job_with_its_own_executor_is_observed(observed: ObservedLaunchers) -> None:
    job, over_assets = observed.job(own_executor), observed.job(OVER_ASSETS)

    assert isinstance(job, dg.JobDefinition)
    assert observed_settings(job) is SETTINGS
    assert isinstance(over_assets.executor_def, ObservedExecutorDefinition)
    assert observed_settings(own_executor) is None
    assert observed.job(own_executor) is job


def test_a_job_without_one_stays_as_it_is(observed: ObservedLaunchers) -> None:
    assert observed.job(no_executor) is no_executor


def test_schedules_and_sensors_start_the_observed_job(observed: ObservedLaunchers) -> None:
    schedules = [
        dg.ScheduleDefinition(job=own_executor, cron_schedule="@daily"),
        dg.ScheduleDefinition(job=OVER_ASSETS, cron_schedule="@daily"),
        dg.build_schedule_from_partitioned_job(BY_DAY),
    ]

    @dg.sensor(jobs=[own_executor, no_executor])
    def arrivals() -> None:
        """Nothing."""

    @dg.run_status_sensor(run_status=dg.DagsterRunStatus.FAILURE, request_job=own_executor)
    def failures() -> None:
        """Nothing."""

    sensors = [observed.sensor(sensor) for sensor in (arrivals, failures)]
    definitions = dg.Definitions(
        assets=[orders, daily_orders],
        jobs=[observed.job(job) for job in (own_executor, no_executor, OVER_ASSETS, BY_DAY)],
        schedules=[observed.schedule(schedule) for schedule in schedules],
        sensors=sensors,
    )
    repository = definitions.get_repository_def()

    for name in ("own_executor", "over_assets", "by_day"):
        assert observed_settings(repository.get_job(name)) is SETTINGS
    assert [type(sensor) for sensor in sensors] == [type(arrivals), type(failures)]


def test_what_starts_nothing_observed_stays_as_it_is(observed: ObservedLaunchers) -> None:
    schedule = dg.ScheduleDefinition(job=no_executor, cron_schedule="@daily")

    assert observed.schedule(schedule) is schedule


def test_every_job_of_a_project_is_observed(user_project: UserProject) -> None:
    """That of the definitions without a default profile too, where Dagster would choose the executor."""
    user_project.write(
        {
            "platform.yaml": "execution: {several: {type: multiprocess}}",
            "floe.yaml": """
                orchestration:
                  asset_modules: [shop]
                  jobs:
                    named: {type: batch, selection: ["*"], executor: several}
                    unnamed: {type: batch, selection: ["*"]}
                    ops: {type: ops, target_function: shop.repair}
            """,
            "shop.py": """
                import dagster as dg


                @dg.asset
                def orders():
                    pass


                def repair():
                    pass


                in_python = dg.define_asset_job("in_python", [orders], executor_def=dg.in_process_executor)
            """,
        }
    )
    repository = _load(user_project).get_repository_def()

    jobs = {name: repository.get_job(name) for name in ("named", "unnamed", "ops", "in_python", "__ASSET_JOB")}

    assert {name: job.executor_def.name for name, job in jobs.items()} == {
        "named": "multiprocess",
        "unnamed": "multi_or_in_process_executor",
        "ops": "multi_or_in_process_executor",
        "in_python": "in_process",
        "__ASSET_JOB": "multi_or_in_process_executor",
    }
    assert all(observed_settings(job) is not None for job in jobs.values())


def _load(project: UserProject) -> dg.Definitions:
    folder = ProjectFolder(project.path)
    compile_project(folder, environ=os.environ)
    return FloeDefinitions.from_compiled_artifacts(folder.artifacts_file)


# ---- what steps compute


class OtherResource(dg.ConfigurableResource[None]):
    """A user's own, which tells nothing of what dbt does."""


@pytest.mark.parametrize(
    ("resource", "builds_dbt"),
    [(DbtResource(manifest_path="manifest.json", state_dir="state"), True), (OtherResource(), False)],
)
def test_nodes_of_dbt_are_left_to_the_resource_that_observes_them(
    resource: dg.ConfigurableResource[Any], *, builds_dbt: bool
) -> None:
    @dg.multi_asset(
        name="models",
        specs=[dg.AssetSpec("stg_orders", metadata={"dagster_dbt/manifest": "…"})],
        required_resource_keys={"dbt"},
    )
    def models() -> None:
        """Nothing."""

    job = dg.Definitions(assets=[models], resources={"dbt": resource}).resolve_implicit_global_asset_job_def()

    with dg.DagsterInstance.ephemeral() as instance:
        contents = read_step_contents(job, NodeHandle("models", None), run=RUN, instance=instance)

    assert contents.assets == [("stg_orders",)]
    assert contents.builds_dbt is builds_dbt


# ---- functions of steps


def _definitions() -> dg.Definitions:
    @dg.asset
    def plain() -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(metadata={"rows": 1})

    @dg.asset
    async def later() -> dg.MaterializeResult[None]:
        await asyncio.sleep(0)
        return dg.MaterializeResult(metadata={"rows": 2})

    @dg.multi_asset(specs=[dg.AssetSpec("left")])
    def yields() -> Iterator[dg.MaterializeResult[None]]:
        yield dg.MaterializeResult("left", metadata={"rows": 3})

    @dg.multi_asset(specs=[dg.AssetSpec("right")])
    async def yields_later() -> AsyncIterator[dg.MaterializeResult[None]]:
        await asyncio.sleep(0)
        yield dg.MaterializeResult("right", metadata={"rows": 4})

    @dg.op
    def inner() -> None:
        """Nothing."""

    @dg.job
    def outer() -> None:
        inner()

    return dg.Definitions(assets=[plain, later, yields, yields_later], jobs=[outer])


def test_functions_are_nested_once() -> None:
    definitions = _definitions()
    nest_user_spans(definitions)
    ops = [asset.op for asset in definitions.assets or () if isinstance(asset, dg.AssetsDefinition)]
    before = [op.compute_fn for op in ops]

    nest_user_spans(definitions)

    assert [op.compute_fn for op in ops] == before


def test_a_function_that_is_left_early_is_closed() -> None:
    closed: list[bool] = []

    @dg.multi_asset(specs=[dg.AssetSpec("left"), dg.AssetSpec("right")])
    def sides() -> Iterator[dg.MaterializeResult[None]]:
        try:
            yield dg.MaterializeResult("left")
            yield dg.MaterializeResult("right")
        finally:
            closed.append(True)

    nest_user_spans(dg.Definitions(assets=[sides]))
    events = sides.op.compute_fn.decorated_fn()  # type: ignore[union-attr] # as the decorator makes it

    next(events)
    events.close()

    assert closed == [True]


def test_a_nested_function_can_be_called_as_before() -> None:
    definitions = _definitions()
    nest_user_spans(definitions)
    (plain, *_) = definitions.assets or ()

    assert isinstance(plain, dg.AssetsDefinition)
    assert plain() == dg.MaterializeResult(metadata={"rows": 1})
