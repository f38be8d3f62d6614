"""Jobs run for real, in this process, on an instance in the project's own folder."""

import signal
import threading
from collections.abc import Iterator, Sequence

import dagster as dg
import pytest

from floe_core.errors import LoadError, RunError
from floe_core.project import ProjectFolder
from floe_core.schemas.platform_spec import PlatformSpec
from floe_dagster.running.code_locations import (
    CodeLocation,
    UnknownJobError,
    find_job,
    load_code_location,
)
from floe_dagster.running.code_pointer import find_code_pointer
from floe_dagster.running.instance import prepare_dagster_home
from floe_dagster.running.run_news import (
    AssetResult,
    CheckResult,
    RunNews,
    RunRetried,
    RunStarted,
    StepFailed,
    StepFinished,
    StepRetried,
    StepStarted,
)
from floe_dagster.running.runs import RunReport, execute_job
from plugins.user_project import UserProject

DEFINITIONS = """
    import dagster as dg
    import time
    from pathlib import Path

    @dg.asset(group_name="bronze")
    def orders():
        print("reading orders")
        return dg.MaterializeResult(metadata={"dagster/row_count": 7})

    @dg.asset(deps=[orders])
    def broken():
        divide(0)

    def divide(by):
        return 1 / by

    @dg.asset(deps=[broken])
    def after_broken(): ...

    @dg.asset_check(asset=orders)
    def few_orders():
        return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN, description="fewer than usual")

    @dg.asset_check(asset=after_broken)
    def never_reached():
        return dg.AssetCheckResult(passed=True)

    def model(name):
        return dg.AssetSpec(name, metadata={"dagster_dbt/unique_id": f"model.shop.{name}"})

    @dg.multi_asset(specs=[model("left"), model("right")])
    def pair():
        yield dg.MaterializeResult("left", metadata={"Execution Duration": 1.5})
        yield dg.MaterializeResult("right")

    @dg.asset(partitions_def=dg.StaticPartitionsDefinition(["a"]))
    def by_key(): ...

    @dg.asset
    def flaky():
        tries = Path(__file__).with_name("tries")
        tries.write_text((tries.read_text() if tries.exists() else "") + "x")
        if len(tries.read_text()) < 3:
            raise ValueError("not yet")

    @dg.asset(retry_policy=dg.RetryPolicy(max_retries=1))
    def hasty():
        mark = Path(__file__).with_name("hasty")
        if not mark.exists():
            mark.touch()
            raise ValueError("too early")

    @dg.asset
    def endless():
        time.sleep(60)

    @dg.asset(check_specs=[dg.AssetCheckSpec("enough", asset="checked", blocking=True)])
    def checked():
        return dg.MaterializeResult(check_results=[dg.AssetCheckResult(check_name="enough", passed=False)])

    @dg.asset(deps=[checked])
    def after_checked(): ...

    @dg.asset(deps=[after_checked, after_broken, orders, "elsewhere"])
    def after_all(): ...

    class Amount(dg.Config):
        number: int

    @dg.asset
    def configured(context, config: Amount):
        context.add_output_metadata({"dagster/row_count": config.number})

    @dg.multi_asset(outs={"path": dg.AssetOut(key=["files", "a/b <b>x</b>"])})
    def in_a_path():
        return 1

    @dg.multi_asset(outs={"half": dg.AssetOut(is_required=False), "other_half": dg.AssetOut(is_required=False)})
    def halves():
        yield dg.Output(1, "half")
        divide(0)

    @dg.asset(deps=["half"])
    def after_half(): ...

    @dg.asset(deps=[after_half])
    def after_after_half(): ...

    @dg.multi_asset(specs=[dg.AssetSpec("whole_first"), dg.AssetSpec("whole_second")])
    def wholes():
        yield dg.MaterializeResult("whole_first")
        yield dg.MaterializeResult("whole_second")
        divide(0)

    @dg.asset(deps=["whole_first"])
    def after_wholes(): ...

    @dg.op
    def begin():
        time.sleep(0.3)
        return 1

    @dg.op
    def stumble(number):
        return divide(0)

    @dg.op
    def finish(number):
        return number

    @dg.graph_asset
    def of_ops():
        return finish(begin())

    @dg.graph_asset
    def of_broken_ops():
        return finish(stumble(begin()))

    @dg.asset(deps=[of_broken_ops])
    def after_ops(): ...

    @dg.op
    def sweep(): ...

    @dg.job
    def sweeping():
        sweep()

    defs = dg.Definitions(
        assets=[
            orders, broken, after_broken, pair, by_key, flaky, hasty, endless, configured,
            checked, after_checked, after_all, in_a_path, of_ops, of_broken_ops, after_ops,
            halves, after_half, after_after_half, wholes, after_wholes,
        ],
        asset_checks=[few_orders, never_reached],
        jobs=[
            dg.define_asset_job("bronze", ["orders"]),
            dg.define_asset_job("everything", ["orders", "broken", "after_broken"]),
            dg.define_asset_job("whole", dg.AssetSelection.assets("after_all").upstream()),
            dg.define_asset_job("halves", dg.AssetSelection.assets(halves, wholes).downstream()),
            dg.define_asset_job("paths", dg.AssetSelection.assets(in_a_path)),
            dg.define_asset_job("graphs", dg.AssetSelection.assets(of_ops, of_broken_ops, after_ops)),
            dg.define_asset_job("pairs", ["left", "right"]),
            dg.define_asset_job("partitioned", ["by_key"]),
            dg.define_asset_job("patient", ["orders", "flaky"], tags={"dagster/max_retries": "2"}),
            dg.define_asset_job("hurried", ["hasty"]),
            dg.define_asset_job("limited", ["endless"], tags={"dagster/max_runtime": "5"}),
            dg.define_asset_job("tuned", ["configured"]),
            dg.define_asset_job("unlimited", ["endless"]),
            sweeping,
        ],
        executor=dg.in_process_executor,
    )
"""

OBSERVED = """
    import dagster as dg

    @dg.observable_source_asset
    def feed():
        return dg.DataVersion("1")

    @dg.asset
    def table(context):
        context.log_event(dg.AssetObservation("table"))

    defs = dg.Definitions(
        assets=[feed, table],
        jobs=[dg.define_asset_job("look", ["feed", "table"])],
        executor=dg.in_process_executor,
    )
"""


@pytest.fixture
def project(user_project: UserProject, monkeypatch: pytest.MonkeyPatch) -> ProjectFolder:
    for variable in ("DAGSTER_HOME", "FLOE_PROJECT_DIR"):  # set by the code under test
        monkeypatch.setenv(variable, "")
        monkeypatch.delenv(variable)
    user_project.write({"floe.yaml": "orchestration: {}", "pyproject.toml": '[tool.dagster]\nmodule_name = "defs"'})
    return ProjectFolder(user_project.path)


@pytest.fixture
def location(project: ProjectFolder, user_project: UserProject) -> CodeLocation:
    user_project.write({"defs.py": DEFINITIONS})
    return load_code_location(find_code_pointer(project), project_dir=project.path)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    project = ProjectFolder(tmp_path_factory.mktemp("shared"))
    home = prepare_dagster_home(project, PlatformSpec(), environ={})
    with dg.DagsterInstance.from_config(str(home.path)) as instance:
        yield instance


def runs_of(instance: dg.DagsterInstance, job: str) -> Sequence[dg.DagsterRun]:
    return instance.get_runs(dg.RunsFilter(job_name=job))


def run(
    location: CodeLocation, instance: dg.DagsterInstance, name: str, **options: object
) -> tuple[RunReport, list[RunNews]]:
    news: list[RunNews] = []
    report = execute_job(location, find_job(location, name), instance, listener=news.append, **options)  # type: ignore[arg-type]  # the options are execute_job's own
    return report, news


def statuses(report: RunReport) -> dict[str, str]:
    return {result.key: result.status for result in report.assets}


def test_a_run_tells_what_happens_and_reports_rows_and_checks(
    location: CodeLocation, instance: dg.DagsterInstance
) -> None:
    report, news = run(location, instance, "bronze")

    assert [type(item) for item in news] == [RunStarted, StepStarted, AssetResult, StepStarted, CheckResult]
    assert news[0] == RunStarted(report.run_id, assets=1, checks=1)
    assert (report.status, report.groups) == ("success", {"orders": "bronze"})
    (orders,) = report.assets
    assert (orders.key, orders.status, orders.rows) == ("orders", "materialized", 7)
    assert orders.seconds is not None
    assert report.checks == (CheckResult("orders", "few_orders", "warned", "fewer than usual"),)


# Dagster 1.13 uses for observable assets what it declares deprecated, and calls them beta.
@pytest.mark.filterwarnings("ignore:Function `observable_source_asset`")
@pytest.mark.filterwarnings("ignore:Property `OpDefinition.version`:DeprecationWarning")
def test_an_asset_that_is_observed_was_not_skipped(
    project: ProjectFolder, user_project: UserProject, instance: dg.DagsterInstance
) -> None:
    user_project.write({"defs.py": OBSERVED})
    location = load_code_location(find_code_pointer(project), project_dir=project.path)

    report, news = run(location, instance, "look")

    assert report.status == "success"
    assert statuses(report) == {"feed": "observed", "table": "materialized"}
    told = [item for item in news if isinstance(item, AssetResult)]
    assert sorted(item.key for item in told) == ["feed", "table"]
    assert all(item.seconds is not None for item in told)


def test_the_run_is_in_the_instance_for_others_to_see(location: CodeLocation, instance: dg.DagsterInstance) -> None:
    report, _ = run(location, instance, "bronze", tags={"team": "data"})

    stored = instance.get_run_by_id(report.run_id)
    assert stored is not None
    assert (stored.status, stored.tags["team"]) == (dg.DagsterRunStatus.SUCCESS, "data")


def test_a_failure_shows_the_users_lines_and_what_was_not_reached(
    location: CodeLocation, instance: dg.DagsterInstance
) -> None:
    report, _ = run(location, instance, "everything")

    assert report.status == "failure"
    assert statuses(report) == {"orders": "materialized", "broken": "failed", "after_broken": "skipped"}
    assert {check.name: check.status for check in report.checks} == {"few_orders": "warned", "never_reached": "skipped"}
    assert report.failures == (
        StepFailed(
            "broken",
            "defs.py:12 in broken\n    divide(0)\ndefs.py:15 in divide\n    return 1 / by\n"
            "ZeroDivisionError: division by zero",
            ("broken",),
        ),
    )


def test_what_is_skipped_names_the_nearest_failures_above_it(
    location: CodeLocation, instance: dg.DagsterInstance
) -> None:
    report, _ = run(location, instance, "whole")

    assert {result.key: result.because for result in report.assets if result.status != "materialized"} == {
        "broken": (),
        "after_broken": ("broken",),
        "after_checked": ("check checked: enough",),
        "after_all": ("broken", "check checked: enough"),
    }


def test_what_is_skipped_behind_a_part_of_a_failed_step_names_what_failed_in_it(
    location: CodeLocation, instance: dg.DagsterInstance
) -> None:
    report, _ = run(location, instance, "halves")

    assert {result.key: (result.status, result.because) for result in report.assets} == {
        "half": ("materialized", ()),
        "other_half": ("failed", ()),
        "after_half": ("skipped", ("other_half",)),
        "after_after_half": ("skipped", ("other_half",)),
        "whole_first": ("materialized", ()),
        "whole_second": ("materialized", ()),
        "after_wholes": ("skipped", ("step wholes",)),
    }


def test_an_asset_whose_key_has_a_slash_inside_a_part_is_reported(
    location: CodeLocation, instance: dg.DagsterInstance
) -> None:
    report, _ = run(location, instance, "paths")

    assert statuses(report) == {"files/a/b <b>x</b>": "materialized"}
    assert report.groups == {"files/a/b <b>x</b>": "default"}


def test_an_asset_of_several_ops_fails_with_any_of_them_and_lasts_as_long_as_all(
    location: CodeLocation, instance: dg.DagsterInstance
) -> None:
    report, _ = run(location, instance, "graphs")

    results = {result.key: result for result in report.assets}
    assert {key: (result.status, result.because) for key, result in results.items()} == {
        "of_ops": ("materialized", ()),
        "of_broken_ops": ("failed", ()),
        "after_ops": ("skipped", ("of_broken_ops",)),
    }
    assert (results["of_ops"].seconds or 0) >= 0.3
    (failure,) = report.failures
    assert (failure.step, failure.assets) == ("of_broken_ops.stumble", ("of_broken_ops",))


def test_assets_of_one_step_are_told_of_as_they_finish_with_their_own_time(
    location: CodeLocation, instance: dg.DagsterInstance
) -> None:
    report, news = run(location, instance, "pairs")

    assert news[1] == StepStarted("pair", ("left", "right"), checks=0, is_dbt=True)
    assert [item.key for item in news if isinstance(item, AssetResult)] == ["left", "right"]
    assert report.assets[0].seconds == 1.5


def test_a_job_with_max_retries_goes_on_from_where_it_failed(
    location: CodeLocation, instance: dg.DagsterInstance
) -> None:
    report, news = run(location, instance, "patient")

    runs = runs_of(instance, "patient")
    assert report.status == "success"
    assert statuses(report) == {"orders": "materialized", "flaky": "materialized"}
    assert [item.attempt for item in news if isinstance(item, RunRetried)] == [1, 2]
    assert [item.key for item in news if isinstance(item, AssetResult)] == ["orders", "flaky"]
    assert len(runs) == 3
    assert {stored.root_run_id for stored in runs} == {None, runs[-1].run_id}


def test_a_step_that_is_tried_again_is_told_of(location: CodeLocation, instance: dg.DagsterInstance) -> None:
    report, news = run(location, instance, "hurried")

    (retry,) = [item for item in news if isinstance(item, StepRetried)]
    assert (report.status, retry.step) == ("success", "hasty")
    assert retry.error.endswith("ValueError: too early")


def test_a_job_that_takes_longer_than_its_limit_has_failed(
    location: CodeLocation, instance: dg.DagsterInstance
) -> None:
    report, _ = run(location, instance, "limited")

    assert (report.status, statuses(report)) == ("failure", {"endless": "canceled"})
    assert report.failures == (StepFailed("", "the run took longer than its max_runtime_seconds (5)"),)


def test_an_interrupted_run_is_canceled(location: CodeLocation, instance: dg.DagsterInstance) -> None:
    def interrupt(news: RunNews) -> None:
        if isinstance(news, StepStarted):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    report = execute_job(location, find_job(location, "unlimited"), instance, listener=interrupt)

    assert (report.status, statuses(report), report.failures) == ("canceled", {"endless": "canceled"}, ())


def test_an_ops_job_reports_its_steps(location: CodeLocation, instance: dg.DagsterInstance) -> None:
    report, news = run(location, instance, "sweeping")

    assert (report.status, report.assets) == ("success", ())
    assert [item.step for item in news if isinstance(item, StepFinished)] == ["sweep"]
    assert [(op.step, op.status) for op in report.ops] == [("sweep", "done")]


def test_run_config_reaches_the_run(location: CodeLocation, instance: dg.DagsterInstance) -> None:
    report, _ = run(location, instance, "tuned", run_config={"ops": {"configured": {"config": {"number": 12}}}})

    assert report.assets[0].rows == 12


def test_run_config_that_does_not_fit_is_a_problem_and_runs_nothing(
    location: CodeLocation, instance: dg.DagsterInstance
) -> None:
    with pytest.raises(RunError) as raised:
        run(location, instance, "tuned", run_config={"ops": {"configured": {"config": {"numbr": 12}}}})

    (problem,) = raised.value.problems
    assert (problem.code, problem.what) == ("FLOE-426", "the run config does not fit job 'tuned'")
    assert 'Received unexpected config entry "numbr"' in problem.detail
    assert not [stored for stored in runs_of(instance, "tuned") if "numbr" in str(stored.run_config)]


def test_a_job_that_does_not_exist_is_answered_with_the_closest(location: CodeLocation) -> None:
    with pytest.raises(UnknownJobError) as raised:
        find_job(location, "bronz")

    assert str(raised.value) == (
        "error[FLOE-420]: there is no job 'bronz'\n"
        "  why: the jobs are bronze, everything, graphs, halves, hurried, limited, pairs, partitioned, paths, patient, "
        "sweeping, tuned, unlimited, whole\n"
        "  fix: did you mean 'bronze'?"
    )


@pytest.mark.parametrize(
    ("definitions", "problem"),
    [
        pytest.param(
            "import shop.nothing\n",
            "error[FLOE-304]: module 'defs' imports 'shop', which is not installed",
            id="missing module",
        ),
        pytest.param("x = 1\n", "error[FLOE-423]: module 'defs' holds no definitions", id="no definitions"),
        pytest.param(
            "1 / 0\n", "error[FLOE-303]: module 'defs' raises ZeroDivisionError when it is imported", id="exception"
        ),
        pytest.param(
            """
            import dagster as dg

            @dg.asset
            def a(): ...

            defs = dg.Definitions([a, dg.AssetSpec("a")])
            """,
            "error[FLOE-425]: the definitions cannot be loaded",
            id="refused by Dagster",
        ),
        pytest.param(
            """
            from floe_core.errors import LoadError, Problem

            raise LoadError(Problem("FLOE-333", "nothing is selected"))
            """,
            "error[FLOE-333]: nothing is selected",
            id="problems of the documents",
        ),
    ],
)
def test_a_code_location_that_does_not_load_is_one_clear_problem(
    project: ProjectFolder, user_project: UserProject, definitions: str, problem: str
) -> None:
    user_project.write({"defs.py": definitions})

    with pytest.raises(LoadError) as raised:
        load_code_location(find_code_pointer(project), project_dir=project.path)

    assert str(raised.value).splitlines()[0] == problem
