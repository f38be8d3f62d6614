"""Spans of dbt nodes, from real dbt calls in real runs."""

import io
import json
import logging
import os
import re
import signal
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster_dbt import DbtCliResource
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from dbt_processes import dbt_processes
from floe_dagster.observability.local.traces import LocalSpan
from observed_shop import ObservedShop
from otlp_receiver import attributes, http_receiver

DBT_STEP = "observed_dbt_assets"
JSON_LOG = {"DBT_LOG_FORMAT_FILE": "json"}  # otherwise the log is text again when dbt has ended
NODES = {
    "model.observed.stg_orders", "model.observed.stg_customers", "model.observed.customer_codes",
    "model.observed.customer_revenue", "model.observed.orders_by_year", "model.observed.orders_so_far",
    "model.observed.refund_report", "model.observed.refunds", "model.observed.refunds_per_day",
    "model.observed.slow_report", "seed.observed.countries", "snapshot.observed.orders_history",
    "test.observed.no_order_is_negative", "test.observed.not_null_refunds_id.a24d0f5188",
    "test.observed.not_null_stg_orders_customer_id.af79d5e4b5", "test.observed.not_null_stg_orders_id.8cf5724805",
    "test.observed.relationships_customer_revenue_id__id__ref_stg_customers_.35aa42dfda",
    "test.observed.unique_stg_orders_id.beb6e97f2f",
}  # fmt: skip
REFUNDS = {
    "model.observed.refund_report", "model.observed.refunds", "model.observed.refunds_per_day",
    "model.observed.slow_report", "test.observed.not_null_refunds_id.a24d0f5188",
}  # fmt: skip

pytestmark = pytest.mark.usefixtures("forked_dbt")  # but for the steps that have processes of their own


@dataclass
class ObservedRun:
    """A run as it ended, what it printed and what is left of it."""

    run: dg.DagsterRun
    spans: list[LocalSpan]
    printed: str
    records: Sequence[dg.EventLogEntry]
    log: Path | None = None

    @property
    def nodes(self) -> dict[str, LocalSpan]:
        """Unique id → span; each node has one."""
        spans = [span for span in self.spans if "dbt.node.unique_id" in span.attributes]
        nodes = [span for span in spans if not span.name.startswith("batch ")]
        by_id = {str(span.attributes["dbt.node.unique_id"]): span for span in nodes}
        assert len(by_id) == len(nodes)
        return by_id

    def named(self, name: str) -> list[LocalSpan]:
        return [span for span in self.spans if span.name == name]

    @property
    def troubles(self) -> list[str]:
        """What was said of observing that did not go well."""
        said = [entry.user_message for entry in self.records if int(entry.level) >= logging.WARNING]
        return [message for message in said if re.search("(could not be|is not) observed|dbt's log", message)]

    @property
    def dbt_step(self) -> LocalSpan:
        (step,) = (span for span in self.spans if span.name.startswith(f"step {DBT_STEP}"))
        return step

    def results(self) -> dict[str, Mapping[str, Any]]:
        """Unique id → `node_info` and `run_result` of dbt's own log; of a microbatch model, the model's."""
        assert self.log is not None
        events = [json.loads(line) for line in self.log.read_text().splitlines()]
        finished = (event["data"] for event in events if event["info"]["name"] == "NodeFinished")
        return {data["node_info"]["unique_id"]: data for data in finished}


@dataclass
class Runs:
    """Runs of one shop."""

    shop: ObservedShop
    instance: dg.DagsterInstance
    logs: set[Path] = field(default_factory=set)

    def run(self, job: str = "everything", **options: Any) -> ObservedRun:
        printed = io.StringIO()
        with redirect_stdout(printed):
            run = self.shop.execute(self.instance, job, **options)
        (log, *_), self.logs = [*(self._logs() - self.logs), None], self._logs()
        records = self.instance.all_logs(run.run_id)
        return ObservedRun(run, self.shop.spans_of(run), printed.getvalue(), records, log=log)

    def _logs(self) -> set[Path]:
        return set(self.shop.floe_dir.glob("dbt/*/runs/*/dbt.log"))

    def run_and(self, act: Callable[[], object], text: str, **options: Any) -> ObservedRun:
        """Run the refunds, of which one takes an hour, and *act* when dbt says *text*."""

        is_over = threading.Event()

        def wait_and_act() -> None:
            while not is_over.wait(0.02):
                if any(text in log.read_text() for log in self._logs() - self.logs):
                    act()
                    return

        thread = threading.Thread(target=wait_and_act)
        thread.start()
        try:
            return self.run("refunds", fails="nobody ends it", **options)
        finally:
            is_over.set()
            thread.join()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    folder = tmp_path_factory.mktemp("observed")
    shop = ObservedShop.copy_to(folder / "shop", edit=fetch_everything)
    (folder / "instance").mkdir()
    with dg.DagsterInstance.local_temp(str(folder / "instance")) as instance:
        yield Runs(shop, instance)


def fetch_everything(path: Path) -> None:
    (path / "platform.yaml").write_text("execution: {forked: {type: multiprocess, start_method: forkserver}}\n")
    floe_yaml = path / "floe.yaml"
    text = floe_yaml.read_text()
    floe_yaml.write_text(text.replace("project_dir: dbt", "project_dir: dbt\n    fetch: [row_counts, column_metadata]"))


@pytest.fixture(scope="module")
def with_a_failing_model(runs: Runs) -> ObservedRun:
    """Everything, in one process, with dbt's own four threads."""
    return runs.run(fails="a model", environ=JSON_LOG)


@pytest.mark.requirement("010-FR-007")
def test_every_node_that_dbt_carries_out_has_one_span(with_a_failing_model: ObservedRun) -> None:
    nodes = with_a_failing_model.nodes

    assert set(nodes) == NODES
    kinds = Counter(span.name.split(" ")[0] for span in nodes.values())
    assert kinds == {"model": 10, "test": 6, "seed": 1, "snapshot": 1}
    assert with_a_failing_model.troubles == []


@pytest.mark.requirement("010-FR-007")
def test_each_span_has_the_times_thread_and_status_that_dbt_says(with_a_failing_model: ObservedRun) -> None:
    results = with_a_failing_model.results()

    for unique_id, span in with_a_failing_model.nodes.items():
        info, result = results[unique_id]["node_info"], results[unique_id]["run_result"]
        ended_at = info["node_finished_at"] if result["status"] != "skipped" else info["node_started_at"]
        assert (in_utc(span.started_at), in_utc(span.ended_at)) == (info["node_started_at"], ended_at)
        assert (span.attributes["dbt.thread"], span.attributes["dbt.node.status"]) == (
            result["thread"],
            result["status"],
        )
    assert len({span.attributes["dbt.thread"] for span in with_a_failing_model.nodes.values()}) > 1


@pytest.mark.requirement("010-FR-007")
def test_a_failing_model_is_an_error_with_the_databases_words(with_a_failing_model: ObservedRun) -> None:
    span = with_a_failing_model.nodes["model.observed.refunds"]

    (exception,) = span.events
    assert span.status == "error"
    assert "Invalid Input Error: the till is broken" in str(exception.attributes["exception.message"])
    assert exception.at == span.ended_at


def test_a_failing_model_is_in_the_log_what_dbt_says_without_a_traceback(with_a_failing_model: ObservedRun) -> None:
    events = [entry.get_dagster_event() for entry in with_a_failing_model.records if entry.is_dagster_event]
    [failure] = [event.step_failure_data for event in events if event.event_type is dg.DagsterEventType.STEP_FAILURE]

    assert failure.error is not None
    assert "Invalid Input Error: the till is broken" in failure.error.message
    assert [frame for frame in failure.error.stack if not re.search("site-packages/dagster/|contextlib", frame)] == []


@pytest.mark.requirement("010-FR-007")
def test_what_is_skipped_takes_no_time_and_is_neither_well_nor_wrong(with_a_failing_model: ObservedRun) -> None:
    skipped = {
        unique_id: span
        for unique_id, span in with_a_failing_model.nodes.items()
        if span.attributes["dbt.node.status"] == "skipped"
    }

    assert set(skipped) == {
        "model.observed.refunds_per_day",
        "model.observed.refund_report",  # below an ephemeral model
        "test.observed.not_null_refunds_id.a24d0f5188",
    }
    assert {(span.status, span.ended_at - span.started_at) for span in skipped.values()} == {("unset", 0)}


@pytest.mark.requirement("010-FR-007")
def test_a_test_that_warns_is_no_error_and_counts_what_it_found(with_a_failing_model: ObservedRun) -> None:
    span = with_a_failing_model.nodes["test.observed.not_null_stg_orders_customer_id.af79d5e4b5"]

    found = span.attributes["dbt.node.status"], span.attributes["dbt.test.failures"]
    assert (span.status, *found) == ("ok", "warn", 1)


@pytest.mark.requirement("010-FR-007")
def test_a_microbatch_model_has_a_span_for_each_batch_below_its_own(with_a_failing_model: ObservedRun) -> None:
    model = with_a_failing_model.nodes["model.observed.orders_by_year"]

    batches = with_a_failing_model.named("batch orders_by_year")
    assert {batch.parent_id for batch in batches} == {model.span_id}
    assert len(batches) == len({batch.started_at for batch in batches}) >= 2
    assert {batch.attributes["dbt.batch.number"] for batch in batches} == set(range(len(batches)))


@pytest.mark.requirement("010-FR-007")
def test_nodes_stand_below_their_step_in_the_runs_trace(with_a_failing_model: ObservedRun) -> None:
    step, nodes = with_a_failing_model.dbt_step, with_a_failing_model.nodes.values()

    assert {span.parent_id for span in nodes} == {step.span_id}
    trace = with_a_failing_model.run.run_id.replace("-", "")
    assert {span.trace_id for span in with_a_failing_model.spans} == {trace}
    assert all(step.started_at <= span.started_at <= span.ended_at <= step.ended_at for span in nodes)


@pytest.mark.requirement("010-FR-007")
def test_a_node_that_is_interrupted_ends_in_error(runs: Runs, with_a_failing_model: ObservedRun) -> None:
    def interrupt() -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    observed = runs.run_and(interrupt, "START sql table model main_gold.slow_report")

    slow = observed.nodes["model.observed.slow_report"]
    assert (slow.status, observed.run.status) == ("error", dg.DagsterRunStatus.FAILURE)
    assert set(observed.nodes) >= {"model.observed.slow_report", "model.observed.refunds"}


@pytest.mark.requirement("010-FR-007")
def test_a_node_whose_dbt_is_killed_ends_in_error(runs: Runs, with_a_failing_model: ObservedRun) -> None:
    def kill() -> None:
        for process in dbt_processes():
            os.kill(process, signal.SIGKILL)

    observed = runs.run_and(kill, "START sql table model main_gold.slow_report")

    slow = observed.nodes["model.observed.slow_report"]
    assert (slow.status, slow.message) == ("error", "dbt ended before the node had finished")
    assert observed.run.status == dg.DagsterRunStatus.FAILURE


@pytest.mark.requirement("010-FR-007")
def test_a_users_own_calls_are_observed_in_one_step_each_with_its_nodes(
    runs: Runs, with_a_failing_model: ObservedRun
) -> None:
    observed = runs.run("own_calls", fails="a model")

    (step,) = observed.named("step build_twice")
    spans = [span for span in observed.spans if "dbt.node.unique_id" in span.attributes]
    names = sorted((span.name, span.status) for span in spans)
    assert names == [
        ("model refunds", "error"),
        ("seed countries", "ok"),
        ("seed countries", "ok"),
        ("test not_null_refunds_id", "unset"),
    ]
    assert len({span.span_id for span in spans}) == 4
    assert len({span.attributes["dbt.invocation_id"] for span in spans}) == 2
    assert {span.parent_id for span in spans} == {step.span_id}
    assert "succeeded: False" in [entry.user_message for entry in observed.records]


@pytest.fixture(scope="module")
def of_dagster_dbt(runs: Runs, with_a_failing_model: ObservedRun, dbt_command: Path) -> ObservedRun:
    """The same run with the stock resource, which observes nothing."""
    printed = io.StringIO()
    (profiles_dir,) = (runs.shop.floe_dir / "dbt" / "profiles").iterdir()
    parsed = runs.shop.floe_dir / "dbt" / "dev" / "partial_parse.msgpack"
    variables = {"FAILS": "a model", "DBT_PARTIAL_PARSE_FILE_PATH": str(parsed)}
    with runs.shop.loaded(variables) as location, redirect_stdout(printed), warnings.catch_warnings():
        project_dir, profiles = str(runs.shop.path / "dbt"), str(profiles_dir)
        stock = DbtCliResource(
            dbt_executable=str(dbt_command), project_dir=project_dir, profiles_dir=profiles, target="dev"
        )
        job = location.definition.get_job("everything")
        warnings.simplefilter("ignore")  # of what dagster-dbt uses and Dagster deprecates
        result = job.execute_in_process(instance=runs.instance, resources={"dbt": stock}, raise_on_error=False)
    return ObservedRun(result.dagster_run, [], printed.getvalue(), runs.instance.all_logs(result.run_id))


def test_dagsters_events_are_those_of_dagster_dbt(
    with_a_failing_model: ObservedRun, of_dagster_dbt: ObservedRun
) -> None:
    own, stock = events_of(with_a_failing_model.records), events_of(of_dagster_dbt.records)

    assert own == stock
    materialised = next(event for event in own if event[:2] == ("ASSET_MATERIALIZATION", "gold/customer_codes"))
    assert {"dagster/row_count", "dagster/column_schema"} <= set(materialised[3])
    assert len([event for event in own if event[0] == "ASSET_CHECK_EVALUATION"]) == 5


def test_the_text_that_a_step_prints_is_that_of_dagster_dbt(
    with_a_failing_model: ObservedRun, of_dagster_dbt: ObservedRun
) -> None:
    assert comparable(with_a_failing_model.printed) == comparable(of_dagster_dbt.printed)
    assert "ERROR creating sql table model main_gold.refunds" in with_a_failing_model.printed


def events_of(records: Sequence[dg.EventLogEntry]) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Type, asset, check and names of the metadata of what dbt's step has told."""
    found = []
    for record in records:
        event = record.dagster_event
        if event is None or event.step_key != DBT_STEP:
            continue
        check = ""
        metadata: Mapping[str, object] = {}
        if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            evaluation = event.asset_check_evaluation_data
            check, metadata = f"{evaluation.check_name} {evaluation.passed}", evaluation.metadata
        elif event.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION:
            metadata = event.step_materialization_data.materialization.metadata
        key = event.asset_key.to_user_string() if event.asset_key is not None else ""
        names = tuple(sorted(name for name in metadata if not name.startswith("floe/")))
        found.append((event.event_type_value, key, check, names))
    return sorted(found)


def comparable(printed: str) -> list[str]:
    """Lines, whatever order the threads had and time they took."""
    text = re.sub(r"\d+ of \d+ |in \d+\.\d+s|in 0 hours .*|\S+/compiled/", "", printed)
    lines = [re.sub(r" \.+ ", " ", line).strip() for line in text.splitlines()]
    return sorted(line for line in lines if line and not re.match("Batch|START batch", line))


def in_utc(nanoseconds: int) -> str:
    seconds, rest = divmod(nanoseconds, 10**9)
    return (
        datetime.fromtimestamp(seconds, UTC)
        .replace(microsecond=rest // 1000, tzinfo=None)
        .isoformat(timespec="microseconds")
    )


@pytest.mark.requirement("010-FR-007")
def test_a_forked_step_in_new_york_sends_the_spans_of_its_nodes_before_it_ends(
    runs: Runs, with_a_failing_model: ObservedRun
) -> None:
    """Such a process ends without what Python does at its end."""
    assert with_a_failing_model.run  # has written what dbt reads
    with http_receiver() as receiver:
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, "TZ": "America/New_York", **JSON_LOG}
        observed = runs.run("refunds", executor="forked", fails="a model", environ=environ)

    sent, results = receiver.by_name, observed.results()
    nodes = {str(attributes(span)["dbt.node.unique_id"]): span for span in sent.values() if is_node(span.name)}
    step = sent[f"step {DBT_STEP}"]
    assert set(nodes) == set(results) == REFUNDS
    assert sent["model refunds"].status.code == Status.STATUS_CODE_ERROR
    for unique_id, span in nodes.items():
        assert in_utc(span.start_time_unix_nano) == results[unique_id]["node_info"]["node_started_at"]
    assert {span.parent_span_id for span in nodes.values()} == {step.span_id}
    assert step.parent_span_id == sent["run refunds"].span_id
    assert {span.trace_id.hex() for span in sent.values()} == {observed.run.run_id.replace("-", "")}


def is_node(name: str) -> bool:
    return name.startswith(("model ", "test "))
