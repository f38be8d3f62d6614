"""Jobs and schedules that floe.yaml declares, launched on real Dagster instances."""

import os
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import dagster as dg
import pytest
from dagster._core.scheduler.instigation import TickStatus
from dagster._core.workspace.context import WorkspaceProcessContext

from daemon import Daemon, open_code_location, open_instance
from floe_core.errors import FloeError, LoadError
from floe_core.project import ProjectFolder
from floe_dagster import FloeDefinitions
from floe_dagster.compilation import compile_project
from plugins.user_project import UserProject

FILES = {
    "floe.yaml": """
        name: shop
        orchestration:
          asset_modules: [shop.assets, shop.jobs]
          jobs:
            bronze:
              type: batch
              selection: ["group:bronze"]
              description: What the shop exports.
              tags: {team: sales}
              max_retries: 2
              max_runtime_seconds: 600
              hooks:
                - {target_function: shop.hooks.note_success, on: success}
                - {target_function: shop.hooks.note_failure, on: failure}
            upstream:
              type: batch
              selection: ["+revenue"]
              exclude: ["tag:slow"]
            limited:
              type: batch
              selection: [orders]
              config: {ops: {orders: {config: {limit: "${LIMIT:5}"}}}}
            failing: {type: batch, selection: [broken], hooks: [shop.hooks.page]}
            everything: {type: batch, selection: ["*", "!broken"], executor: in_process}
          schedules:
            mornings:
              job: bronze
              cron_schedule: "0 6 * * *"
              timezone: America/New_York
              enabled: "${MORNINGS:true}"
              tags: {by: clock}
            limits: {job: limited, cron_schedule: "@weekly", enabled: false}
            hand_made: {job: report, cron_schedule: ["0 8 * * MON", "0 20 * * FRI"]}
            gold: {selection: [revenue], cron_schedule: "30 7 * * *", enabled: false}
            only_in_prod: {job: everything, cron_schedule: "@daily", environments: [prod]}
        """,
    "shop/__init__.py": "",
    "shop/assets.py": """
        import dagster as dg

        class Limit(dg.Config):
            limit: int = 0

        @dg.asset(group_name="bronze")
        def orders(config: Limit) -> dg.MaterializeResult:
            return dg.MaterializeResult(metadata={"limit": config.limit})

        @dg.asset(group_name="bronze")
        def customers() -> None: ...

        @dg.asset(group_name="silver", deps=[orders, customers], tags={"slow": "yes"})
        def history() -> None: ...

        @dg.asset(group_name="silver", deps=[orders, customers])
        def joined() -> None: ...

        @dg.asset(group_name="gold", key_prefix="gold", deps=[joined, history])
        def revenue() -> None: ...

        @dg.asset_check(asset=orders)
        def orders_are_there() -> dg.AssetCheckResult:
            return dg.AssetCheckResult(passed=True)

        @dg.asset(group_name="bad")
        def broken() -> None:
            raise ValueError("no such table")
        """,
    "shop/jobs.py": """
        import dagster as dg

        @dg.op
        def write_report() -> None: ...

        @dg.job
        def report():
            write_report()
        """,
    "shop/hooks.py": """
        from pathlib import Path

        import dagster as dg

        def note(text):
            with Path("hooks.log").open("a") as file:
                file.write(f"{text}\\n")

        def note_success(context):
            note(f"success {context.op.name}")

        def note_failure():
            note("failure")

        @dg.failure_hook
        def page(context):
            note(f"page {context.op.name}: {context.op_exception}")
        """,
    "definitions.py": """
        from floe_dagster import FloeDefinitions

        defs = FloeDefinitions.from_compiled_artifacts()
        """,
}


@pytest.fixture
def shop(user_project: UserProject) -> ProjectFolder:
    user_project.write(FILES)
    project = ProjectFolder(user_project.path)
    compile_project(project, environ=os.environ)
    return project


@pytest.fixture
def definitions(shop: ProjectFolder) -> dg.Definitions:
    return FloeDefinitions.from_compiled_artifacts(shop.artifacts_file)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """A Dagster home of the test's own, whose runs are carried out in the process that launches them."""
    with open_instance(tmp_path / "dagster_home") as found:
        yield found


@pytest.fixture
def code_location(shop: ProjectFolder, instance: dg.DagsterInstance) -> Iterator[WorkspaceProcessContext]:
    """What the daemon sees of the project."""
    with open_code_location(shop.path, instance) as context:
        yield context


def materialized(instance: dg.DagsterInstance, run_id: str) -> set[str]:
    records = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION).records
    return {
        record.asset_materialization.asset_key.to_user_string() for record in records if record.asset_materialization
    }


class TestJobs:
    @pytest.mark.requirement("010-FR-018", "010-FR-020")
    def test_a_job_materializes_its_group(self, definitions: dg.Definitions, instance: dg.DagsterInstance) -> None:
        result = definitions.resolve_job_def("bronze").execute_in_process(instance=instance)

        assert materialized(instance, result.run_id) == {"orders", "customers"}
        assert [evaluation.check_name for evaluation in result.get_asset_check_evaluations()] == ["orders_are_there"]
        run = instance.get_run_by_id(result.run_id)
        assert run is not None
        assert run.tags["team"] == "sales"
        assert (run.tags["dagster/max_retries"], run.tags["dagster/max_runtime"]) == ("2", "600")

    @pytest.mark.requirement("010-FR-019", "010-FR-020")
    def test_a_job_materializes_everything_upstream_but_what_is_excluded(
        self, definitions: dg.Definitions, instance: dg.DagsterInstance
    ) -> None:
        result = definitions.resolve_job_def("upstream").execute_in_process(instance=instance)

        assert materialized(instance, result.run_id) == {"orders", "customers", "joined", "gold/revenue"}

    def test_run_config_reaches_the_asset(self, definitions: dg.Definitions, instance: dg.DagsterInstance) -> None:
        definitions.resolve_job_def("limited").execute_in_process(instance=instance)

        event = instance.get_latest_materialization_event(dg.AssetKey("orders"))
        assert event is not None
        assert event.asset_materialization is not None
        assert event.asset_materialization.metadata["limit"].value == 5

    @pytest.mark.requirement("010-FR-027")
    def test_run_config_may_come_from_the_environment(
        self, shop: ProjectFolder, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LIMIT", "7")

        job = FloeDefinitions.from_compiled_artifacts(shop.artifacts_file).resolve_job_def("limited")

        assert job.run_config == {"ops": {"orders": {"config": {"limit": 7}}}}

    def test_hooks_are_called_when_steps_end(
        self, shop: ProjectFolder, definitions: dg.Definitions, instance: dg.DagsterInstance
    ) -> None:
        definitions.resolve_job_def("bronze").execute_in_process(instance=instance)
        definitions.resolve_job_def("failing").execute_in_process(instance=instance, raise_on_error=False)

        lines = (shop.path / "hooks.log").read_text().splitlines()
        assert sorted(lines) == [
            "page broken: no such table",
            "success customers",
            "success orders",
            "success orders_orders_are_there",
        ]

    @pytest.mark.requirement("010-FR-023")
    def test_a_job_of_nothing_stops_the_code_location(self, user_project: UserProject) -> None:
        text = dedent(FILES["floe.yaml"]).replace("group:bronze", "group:bronz")
        user_project.write({**FILES, "floe.yaml": text})
        project = ProjectFolder(user_project.path)
        compile_project(project, environ=os.environ)

        with pytest.raises(LoadError) as caught:
            FloeDefinitions.from_compiled_artifacts(project.artifacts_file)

        [problem] = caught.value.problems
        assert problem.what == "job 'bronze' selects group 'bronz', which no asset has"
        assert problem.fix == "did you mean 'bronze'?"


@pytest.mark.requirement("010-FR-029")
@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        pytest.param("0 6 * * *", "0 25 * * *", "hour 25 is not in 0-23", id="no-such-hour"),
        pytest.param("0 6 * * *", "0 0 31 2 *", "'0 0 31 2 *' asks for a 30th or 31st of February", id="no-such-day"),
        pytest.param(
            "America/New_York",
            "America/New_Yrok",
            "a time zone is a name of the IANA database, such as 'UTC' or 'Europe/Berlin'",
            id="no-such-zone",
        ),
    ],
)
def test_a_schedule_that_can_never_tick_stops_compiling(
    user_project: UserProject, old: str, new: str, why: str
) -> None:
    user_project.write({**FILES, "floe.yaml": FILES["floe.yaml"].replace(old, new)})

    with pytest.raises(FloeError) as caught:
        compile_project(ProjectFolder(user_project.path), environ=os.environ)

    [problem] = [problem for problem in caught.value.problems if problem.severity == "error"]
    assert problem.location is not None
    assert problem.location.yaml_path.startswith("orchestration.schedules.mornings.")
    assert problem.why == why


# Dagster 1.13 reads its own deprecated property when a code location is loaded.
@pytest.mark.filterwarnings("ignore:Property `ScheduleDefinition.environment_vars`:DeprecationWarning")
class TestSchedules:
    def test_a_schedule_of_another_environment_is_not_in_the_definitions(self, definitions: dg.Definitions) -> None:
        names = {schedule.name for schedule in definitions.schedules or ()}

        assert names == {"mornings", "limits", "hand_made", "gold"}

    @pytest.mark.requirement("010-FR-024", "010-FR-025", "010-FR-026")
    def test_the_daemon_launches_at_six_in_new_york_when_clocks_change(
        self, code_location: WorkspaceProcessContext, instance: dg.DagsterInstance
    ) -> None:
        daemon = Daemon(code_location)
        daemon.iterate("2024-03-09T12:00")
        daemon.iterate("2024-03-10T09:59")
        before = instance.get_runs()
        daemon.iterate("2024-03-10T10:00")
        daemon.iterate("2024-03-11T10:00")

        mornings = dg.RunsFilter(tags={"dagster/schedule_name": "mornings"})
        runs = sorted(instance.get_runs(mornings), key=lambda run: run.tags[".dagster/scheduled_execution_time"])
        assert before == []
        assert [run.tags[".dagster/scheduled_execution_time"] for run in runs] == [
            "2024-03-10T10:00:00+00:00",
            "2024-03-11T10:00:00+00:00",
        ]
        assert [run.tags["dagster/run_key"] for run in runs] == [
            run.tags[".dagster/scheduled_execution_time"] for run in runs
        ]
        assert all(run.is_success for run in runs)
        assert materialized(instance, runs[0].run_id) == {"orders", "customers"}
        assert (runs[0].tags["by"], runs[0].tags["team"], runs[0].tags["dagster/max_retries"]) == (
            "clock",
            "sales",
            "2",
        )

    def test_a_tick_that_the_daemon_evaluates_twice_launches_once(
        self, code_location: WorkspaceProcessContext, instance: dg.DagsterInstance
    ) -> None:
        daemon = Daemon(code_location)
        daemon.iterate("2024-07-01T09:00")
        daemon.iterate("2024-07-01T10:00")
        daemon.forget_end_of_last_tick("mornings")

        daemon.iterate("2024-07-01T10:01")

        [run] = instance.get_runs()
        [tick] = daemon.ticks("mornings")
        assert (tick.status, tick.run_ids) == (TickStatus.SUCCESS, [run.run_id])

    def test_the_daemon_launches_with_the_run_config_of_the_job(
        self, code_location: WorkspaceProcessContext, instance: dg.DagsterInstance
    ) -> None:
        daemon = Daemon(code_location)
        daemon.switch_on("limits", "2024-07-01")
        daemon.iterate("2024-07-06T23:00")
        daemon.iterate("2024-07-07T00:00")

        [run] = instance.get_runs(dg.RunsFilter(job_name="limited"))
        event = instance.get_latest_materialization_event(dg.AssetKey("orders"))
        assert run.is_success
        assert event is not None
        assert event.asset_materialization is not None
        assert event.asset_materialization.metadata["limit"].value == 5

    def test_the_daemon_launches_python_jobs_and_selections(
        self, code_location: WorkspaceProcessContext, instance: dg.DagsterInstance
    ) -> None:
        daemon = Daemon(code_location)
        daemon.switch_on("gold", "2024-07-01")
        daemon.iterate("2024-07-05T07:00")
        daemon.iterate("2024-07-05T07:30")
        daemon.iterate("2024-07-05T20:00")

        by_schedule = {run.tags["dagster/schedule_name"]: run for run in instance.get_runs()}
        assert by_schedule.keys() == {"gold", "hand_made", "mornings"}
        assert by_schedule["hand_made"].job_name == "report"
        assert materialized(instance, by_schedule["gold"].run_id) == {"gold/revenue"}

    @pytest.mark.requirement("010-FR-026", "010-FR-027")
    def test_a_schedule_switched_off_by_the_environment_launches_nothing(
        self, shop: ProjectFolder, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
    ) -> None:
        monkeypatch.setenv("MORNINGS", "false")
        daemon = Daemon(request.getfixturevalue("code_location"))
        instance: dg.DagsterInstance = request.getfixturevalue("instance")

        daemon.iterate("2024-07-01T09:00")
        daemon.iterate("2024-07-02T10:00")

        assert instance.get_runs() == []
