"""Spans of runs, steps, assets and checks: real runs of Python assets and ops, in one process and in several."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.reconstruct import ReconstructableJob

from floe_core.project import ProjectFolder
from floe_dagster.compilation import compile_project
from floe_dagster.observability import ids
from floe_dagster.observability.local.critical_path import find_critical_path
from floe_dagster.observability.local.trace_tree import build_tree
from floe_dagster.observability.local.traces import LocalSpan, LocalTrace
from lineage_events import Event, check_events, ends, read_events
from observed_records import NOT_SAMPLED, TRACEPARENT
from observed_shop import ObservedShop
from otlp_receiver import attributes, closed_port, grpc_receiver, http_receiver

FILES = {
    "platform.yaml": """
        execution:
          default: {type: in_process}
          forked: {type: multiprocess, start_method: forkserver, max_concurrent: 3}
    """,
    "floe.yaml": """
        name: shop
        orchestration:
          asset_modules: [shop.assets, shop.jobs]
          partitions: {days: {type: time_window, start: "2024-01-01", end: "2024-01-05"}}
          assets: {days: {partitions: days, backfill_policy: single_run}}
          jobs:
            everything:
              type: batch
              selection: [orders, weather, left, right, lines]
              executor: "${EXECUTOR:in_process}"
            graphs: {type: batch, selection: [of_ops, of_broken_ops, after_ops], executor: "${EXECUTOR:in_process}"}
            daily: {type: batch, selection: [days], executor: in_process}
            repair: {type: ops, target_function: shop.assets.repair}
    """,
    "shop/__init__.py": "",
    "shop/assets.py": '''
        import dagster as dg
        from opentelemetry import trace

        from floe_dagster import floe_asset


        def parent():
            """The span that one begun here would stand below."""
            return f"{trace.get_current_span().get_span_context().span_id:016x}"


        @floe_asset
        def orders():
            return {"rows": 3, "parent": parent()}


        @dg.asset(check_specs=[dg.AssetCheckSpec("has_rows", asset="lines")], deps=["orders"])
        def lines():
            yield dg.MaterializeResult(
                metadata={"parent": parent()},
                check_results=[dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN)],
            )


        @dg.asset
        async def weather():
            return dg.MaterializeResult(metadata={"parent": parent()})


        @dg.multi_asset(specs=[dg.AssetSpec("left", skippable=True), dg.AssetSpec("right", skippable=True)])
        def sides(context):
            yield dg.MaterializeResult("left", metadata={"parent": parent()})


        @dg.asset_check(asset="orders")
        def broken_rule():
            return dg.AssetCheckResult(passed=False, description="there are three")


        @floe_asset
        def days(context):
            context.log.info(",".join(context.partition_keys))


        @dg.op
        def first():
            return 1


        @dg.op
        def second(context, number):
            if "broken" in context.node_handle.path[0]:
                raise ValueError("no second")
            return number


        @dg.op
        def last(number):
            return number


        @dg.graph_asset
        def of_ops():
            return last(second(first()))


        @dg.graph_asset
        def of_broken_ops():
            return last(second(first()))


        @dg.asset(deps=[of_broken_ops])
        def after_ops():
            pass


        def repair(context):
            return {"parent": parent()}
    ''',
    "shop/jobs.py": """
        import os
        import signal
        import time

        import dagster as dg

        FORKED = {"start_method": {"forkserver": {"preload_modules": ["dagster"]}}, "max_concurrent": 3}


        @dg.op(retry_policy=dg.RetryPolicy(max_retries=1))
        def flaky(context):
            if context.retry_number == 0:
                raise ConnectionError("not yet")


        @dg.op
        def crash():
            os._exit(9)


        @dg.op
        def fine():
            pass


        @dg.op
        def make():
            yield dg.AssetMaterialization("op_made", metadata={"dagster/row_count": 9})
            yield dg.Output(None)


        @dg.job(executor_def=dg.in_process_executor)
        def making():
            make()


        @dg.job(executor_def=dg.multiprocess_executor.configured(FORKED))
        def accidents():
            flaky()
            crash()
            fine()


        @dg.op
        def stopped(context):
            context.instance.report_run_canceling(context.run)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(60)


        @dg.job(executor_def=dg.in_process_executor)
        def endless():
            stopped()


        @dg.schedule(cron_schedule="@daily", job=accidents)
        def every_day():
            return dg.RunRequest()
    """,
}


@dataclass(frozen=True)
class ObservedRun:
    """A run as it ended, and what is left of it."""

    run: dg.DagsterRun
    spans: Sequence[LocalSpan]
    log: Sequence[dg.EventLogEntry]

    def named(self, name: str) -> list[LocalSpan]:
        return [span for span in self.spans if span.name == name]

    def one(self, name: str) -> LocalSpan:
        (span,) = self.named(name)
        return span

    @property
    def troubles(self) -> list[str]:
        said = [entry.user_message for entry in self.log if not entry.is_dagster_event]
        return [message for message in said if re.search("dropped|observed| go to ", message)]

    @property
    def event_types(self) -> list[str]:
        return [entry.dagster_event.event_type_value for entry in self.log if entry.dagster_event is not None]

    def materialisations(self) -> Mapping[str, Mapping[str, object]]:
        """Asset key → metadata."""
        found = [entry.asset_materialization for entry in self.log if entry.asset_materialization is not None]
        return {
            each.asset_key.to_user_string(): {name: item.value for name, item in each.metadata.items()}
            for each in found
        }


@dataclass(frozen=True)
class Runs:
    """Runs of one project."""

    shop: ObservedShop
    instance: dg.DagsterInstance

    def run(self, job: str = "everything", **how: Any) -> ObservedRun:
        return self.ended(self.shop.execute(self.instance, job, **how))

    def events_of(self, run: dg.DagsterRun) -> list[Event]:
        events = read_events(self.shop.floe_dir / "observability" / "lineage" / f"{run.run_id}.jsonl")
        check_events(events)
        return events

    def ended(self, run: dg.DagsterRun) -> ObservedRun:
        return ObservedRun(run, self.shop.spans_of(run), self.instance.all_logs(run.run_id))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    folder = tmp_path_factory.mktemp("observed") / "work"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(dedent(text).lstrip("\n"))
    project = ProjectFolder(folder)
    compile_project(project, environ=os.environ)
    with dg.instance_for_test(temp_dir=str(tmp_path_factory.mktemp("home"))) as instance:
        yield Runs(ObservedShop(project), instance)


@pytest.fixture(scope="module")
def in_process(runs: Runs) -> ObservedRun:
    return runs.run()


@pytest.fixture(scope="module")
def in_processes(runs: Runs) -> ObservedRun:
    return runs.run(executor="forked")


@pytest.fixture(scope="module")
def accident(runs: Runs) -> ObservedRun:
    return runs.run("accidents")


@pytest.fixture(params=["in_process", "in_processes"])
def everything(request: pytest.FixtureRequest) -> ObservedRun:
    found: ObservedRun = request.getfixturevalue(request.param)
    return found


@pytest.mark.requirement("010-SC-010")
def test_every_run_is_one_tree_of_spans(everything: ObservedRun) -> None:
    run = everything.one("run everything")
    by_id = {span.span_id: span for span in everything.spans}

    assert everything.run.status is dg.DagsterRunStatus.SUCCESS
    assert [span.name for span in everything.spans if not span.parent_id] == ["run everything"]
    assert {span.trace_id for span in everything.spans} == {everything.run.run_id.replace("-", "")}
    assert all(span.parent_id in by_id for span in everything.spans if span is not run)
    assert sorted(span.name for span in everything.spans) == [
        "asset left",
        "asset lines",
        "asset orders",
        "asset right",
        "asset weather",
        "check orders:broken_rule",
        "run everything",
        "step lines",
        "step orders",
        "step orders_broken_rule",
        "step sides",
        "step weather",
    ]
    assert everything.troubles == []


def test_every_span_lies_within_that_above_it(everything: ObservedRun) -> None:
    by_id = {span.span_id: span for span in everything.spans}

    for span in everything.spans:
        above = by_id.get(span.parent_id, span)
        assert above.started_at <= span.started_at <= span.ended_at <= above.ended_at


def test_each_span_says_how_it_ended(everything: ObservedRun) -> None:
    assert {span.name: span.status for span in everything.spans if span.status != "ok"} == {
        "asset right": "unset",
        "check orders:broken_rule": "error",
    }
    assert everything.one("asset orders").attributes["dagster.row_count"] == 3
    (check,) = everything.one("asset lines").events
    assert check.attributes["dagster.asset_check.severity"] == "WARN"


@pytest.mark.parametrize("executor", ["in_process", "forked"])
def test_an_asset_of_several_ops_stands_beside_their_steps_and_fails_with_them(runs: Runs, executor: str) -> None:
    found = runs.run("graphs", executor=executor)

    run, whole, broken = (found.one(name) for name in ("run graphs", "asset of_ops", "asset of_broken_ops"))
    assert whole.parent_id == broken.parent_id == run.span_id
    assert (whole.started_at, whole.status) == (found.one("step of_ops.first").started_at, "ok")
    assert found.one("step of_ops.last").started_at <= whole.ended_at
    assert (broken.started_at, broken.status) == (found.one("step of_broken_ops.first").started_at, "error")
    assert "no second" in broken.message
    assert found.one("asset after_ops").attributes["floe.skipped_because"] == ["of_broken_ops"]
    test_every_span_lies_within_that_above_it(found)
    ended = ends(runs.events_of(found.run))
    assert {name: event["eventType"] for name, event in ended.items()} == {
        "shop": "FAIL",
        "shop.of_ops": "COMPLETE",
        "shop.of_broken_ops": "FAIL",
        "shop.after_ops": "ABORT",
    }


def test_the_critical_path_goes_through_the_ops_of_an_asset(runs: Runs) -> None:
    found = runs.run("graphs")

    tree = build_tree(LocalTrace(found.run.run_id, tuple(found.spans)))
    on_path = {tree.spans[stretch.span_id].name for stretch in find_critical_path(tree)}
    assert "step of_ops.second" in on_path
    assert not {"asset of_ops", "asset of_broken_ops"} & on_path


def test_what_an_op_materialises_is_an_asset_of_its_step(runs: Runs) -> None:
    found = runs.run("making")

    made = found.one("asset op_made")
    assert (made.parent_id, made.attributes["dagster.row_count"]) == (found.one("step make").span_id, 9)
    event = ends(runs.events_of(found.run))["shop.op_made"]
    (table,) = event["outputs"]
    assert (event["eventType"], table["name"]) == ("COMPLETE", "op_made")
    assert table["outputFacets"]["outputStatistics"]["rowCount"] == 9


def test_the_spans_of_users_stand_below_their_step(everything: ObservedRun) -> None:
    found = everything.materialisations()

    assert {key: metadata["parent"] for key, metadata in found.items()} == {
        "orders": everything.one("step orders").span_id,
        "lines": everything.one("step lines").span_id,
        "weather": everything.one("step weather").span_id,
        "left": everything.one("step sides").span_id,
    }


def test_the_log_and_the_materialisations_of_a_run_name_its_trace(everything: ObservedRun) -> None:
    trace = everything.run.run_id.replace("-", "")
    notices = [entry for entry in everything.log if "This run is observed" in (entry.message or "")]

    (notice,) = notices
    assert notice.dagster_event is not None
    metadata = notice.dagster_event.engine_event_data.metadata
    assert metadata["trace"].value == trace
    assert Path(str(metadata["spans"].value)).is_file()
    assert everything.materialisations()["orders"]["floe/trace_id"] == trace
    assert "floe/trace_id" not in everything.materialisations()["weather"]


def test_each_attempt_at_a_step_has_a_span(accident: ObservedRun) -> None:
    first, second = accident.named("step flaky")

    assert (first.status, second.status) == ("error", "ok")
    assert first.span_id != second.span_id
    assert [first.attributes["dagster.retry_number"], second.attributes["dagster.retry_number"]] == [0, 1]
    (error,) = first.events
    assert error.attributes["exception.type"] == "ConnectionError"
    assert error.attributes["exception.message"] == "not yet"


def test_a_step_whose_process_ends_has_ended(accident: ObservedRun) -> None:
    step = accident.one("step crash")

    assert step.status == "error"
    assert step.attributes["error.type"] == "ChildProcessCrashException"
    assert "unexpectedly exited with code 9" in step.message


def test_a_run_has_failed_where_dagster_says_so(accident: ObservedRun) -> None:
    run = accident.one("run accidents")

    assert accident.run.status is dg.DagsterRunStatus.FAILURE
    assert run.status == "error"
    assert run.attributes["cicd.pipeline.result"] == "failure"
    assert run.message.startswith("failed: step 'crash': ")


def test_a_run_that_was_stopped_is_no_failure(runs: Runs) -> None:
    stopped = runs.run("endless")

    assert stopped.run.status is dg.DagsterRunStatus.CANCELED
    assert stopped.one("run endless").status == "unset"
    assert stopped.one("run endless").attributes["cicd.pipeline.result"] == "cancellation"
    assert stopped.one("step stopped").status == "error"
    assert stopped.one("step stopped").message == "the step was interrupted"
    assert stopped.one("step stopped").attributes["cicd.pipeline.task.run.result"] == "cancellation"


def test_a_run_of_a_range_says_which(runs: Runs) -> None:
    tags = {"dagster/asset_partition_range_start": "2024-01-01", "dagster/asset_partition_range_end": "2024-01-03"}

    run = runs.run("daily", tags=tags)

    assert len([name for name in run.event_types if name == "ASSET_MATERIALIZATION"]) == 3
    assert run.one("asset days").attributes["dagster.partition_key"] == "2024-01-01...2024-01-03"


def test_a_run_repeats_another_and_says_so(runs: Runs, accident: ObservedRun) -> None:
    with runs.shop.loaded({"EXECUTOR": "in_process"}) as location:
        ReconstructableJob.get_definition.cache_clear()
        ReconstructableJob.get_repository_definition.cache_clear()
        job = location.repository.get_reconstructable_job("accidents")
        options = dg.ReexecutionOptions.from_failure(accident.run.run_id, runs.instance)
        with dg.execute_job(job, runs.instance, reexecution_options=options) as result:
            again = runs.instance.get_run_by_id(result.run_id)
    assert again is not None
    run = runs.ended(again)

    assert [span.name for span in run.spans if span.name.startswith("step")] == ["step crash"]
    assert run.one("run accidents").trace_id == again.run_id.replace("-", "")
    assert run.one("run accidents").links == (accident.one("run accidents").trace_id,)


def test_a_run_continues_the_trace_of_whoever_launched_it(runs: Runs) -> None:
    run = runs.run("repair", tags={"floe/traceparent": TRACEPARENT})

    _, trace, parent, _ = TRACEPARENT.split("-")
    assert {span.trace_id for span in run.spans} == {trace}
    assert run.one("run repair").parent_id == parent
    assert run.one("step repair").parent_id == f"{ids.span_id('run', run.run.run_id):016x}"


def test_runs_of_one_round_of_a_backfill_refer_to_the_same_and_those_of_another_do_not(runs: Runs) -> None:
    def link_of(project: str, number: str) -> str:
        tags = {"floe/backfill": "march", "floe/project": project, "floe/backfill_round": number}
        run = runs.run("repair", tags=tags).one("run repair")
        assert run.attributes["dagster.backfill_id"] == "march"
        [link] = run.links
        return link

    first = link_of("shop", "1")

    assert link_of("shop", "1") == first
    assert len({first, link_of("shop", "2"), link_of("other", "1")}) == 3
    assert runs.run("repair", tags={"dagster/backfill": "march", "floe/backfill_round": "1"}).one(
        "run repair"
    ).links == (
        runs.run("repair", tags={"dagster/backfill": "march", "floe/backfill_round": "2"}).one("run repair").links
    )


@pytest.mark.parametrize(
    ("environ", "tags"),
    [
        ({"OTEL_SDK_DISABLED": "true"}, {}),
        ({"OTEL_TRACES_SAMPLER": "always_off"}, {}),
        ({}, {"floe/traceparent": NOT_SAMPLED}),
    ],
)
def test_a_run_that_is_not_traced_says_nothing_of_traces(
    runs: Runs, environ: Mapping[str, str], tags: Mapping[str, str]
) -> None:
    run = runs.run("repair", environ=environ, tags=tags)

    assert run.run.status is dg.DagsterRunStatus.SUCCESS
    assert run.spans == []
    assert "trace" not in " ".join(entry.message or "" for entry in run.log)


@pytest.mark.parametrize("receive", [http_receiver, grpc_receiver], ids=["http", "grpc"])
def test_a_run_arrives_whole_at_a_collector(runs: Runs, receive: Any) -> None:
    with receive() as receiver:
        protocol = "grpc" if receive is grpc_receiver else "http/protobuf"
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
        run = runs.run(environ={**environ, "OTEL_RESOURCE_ATTRIBUTES": "team=data"})

    assert run.run.status is dg.DagsterRunStatus.SUCCESS
    assert run.spans == []
    assert len(receiver.spans) == 12
    assert attributes(receiver.by_name["run everything"])["dagster.run_id"] == run.run.run_id
    assert receiver.resources[0] == {"service.name": "shop", "team": "data"}


@pytest.mark.parametrize("behaviour", ["is not there", "hangs", "is unavailable"])
def test_a_run_is_the_same_whatever_its_collector_does(runs: Runs, in_process: ObservedRun, behaviour: str) -> None:
    with closed_port() as nobody, http_receiver("hangs" if behaviour == "hangs" else "is unavailable") as receiver:
        endpoint = nobody if behaviour == "is not there" else receiver.endpoint
        run = runs.run(environ={"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint})

    assert run.run.status is dg.DagsterRunStatus.SUCCESS
    assert run.event_types == in_process.event_types
    why = {"is not there": "could not be reached", "hangs": "did not answer in time"}
    answered = why.get(behaviour, "answered 503 Service Unavailable")
    assert run.troubles == [f"traces: 12 dropped, the backend {answered}"]


def test_what_is_not_done_as_variables_say_stands_in_the_log_once(runs: Runs) -> None:
    run = runs.run(environ={"OTEL_TRACES_EXPORTER": "console", "OPENLINEAGE_CONFIG": "/absent.yml"})

    folder = runs.shop.floe_dir / "observability"
    assert run.troubles == [
        f"traces: OTEL_TRACES_EXPORTER names 'console', which is not supported; spans go to {folder / 'traces'}",
        f"lineage: OPENLINEAGE_CONFIG names /absent.yml, which is not there; events go to {folder / 'lineage'}",
    ]
    assert len(run.spans) == 12


def test_a_folder_that_cannot_be_written_costs_the_spans_and_one_warning(runs: Runs) -> None:
    traces = runs.shop.floe_dir / "observability" / "traces"
    aside = traces.rename(traces.with_name("aside"))
    traces.write_text("a file")
    try:
        run = runs.run()
    finally:
        traces.unlink()
        aside.rename(traces)

    assert run.run.status is dg.DagsterRunStatus.SUCCESS
    (trouble,) = run.troubles
    assert re.fullmatch(r"traces: 12 dropped, \S+ cannot be written: File exists", trouble)


def test_an_observed_job_is_launched_as_it_was(runs: Runs) -> None:
    """Names and config of executors are those that Dagster has without floe, also for Python's own jobs."""
    with runs.shop.loaded({"EXECUTOR": "forked"}) as location:
        everything, accidents, repair, implicit = (
            location.repository.get_definition().get_job(name)
            for name in ("everything", "accidents", "repair", "__ASSET_JOB")
        )

    assert everything.executor_def.name == accidents.executor_def.name == "multiprocess"
    assert repair.executor_def.name == implicit.executor_def.name == "in_process"
    for job in (everything, accidents, repair, implicit):
        assert type(job.executor_def).__name__ == "ObservedExecutorDefinition"
    plain = repair.with_executor_def(dg.in_process_executor)
    assert repair.get_config_schema_snapshot() == plain.get_config_schema_snapshot()


def test_what_runs_in_process_for_a_test_is_not_observed(runs: Runs) -> None:
    with runs.shop.loaded() as location:
        result = location.repository.get_definition().get_job("repair").execute_in_process(instance=runs.instance)

    assert result.success
    assert runs.ended(result.dagster_run).spans == []


def test_ids_of_spans_are_those_that_anybody_computes(in_process: ObservedRun) -> None:
    run_id = in_process.run.run_id
    assert in_process.one("run everything").span_id == f"{ids.span_id('run', run_id):016x}"
    assert in_process.one("step orders").span_id == f"{ids.span_id('step', run_id, 'orders', 0):016x}"
