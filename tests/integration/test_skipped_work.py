"""What a run does not come to, and why: a step of dbt behind an asset that failed, a model behind its unit test."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pytest

from floe_dagster.observability.local.traces import LocalSpan
from lineage_events import Event, check_events, ends, read_events
from observed_shop import ObservedShop

PIPELINE = "observed_shop"
MODEL = f"{PIPELINE}.model.observed"

pytestmark = pytest.mark.usefixtures("forked_dbt")


@dataclass(frozen=True)
class SkippedRun:
    """A run as it ended, with its spans and events."""

    spans: list[LocalSpan]
    events: list[Event]

    @property
    def because(self) -> Mapping[str, object]:
        """Name of what was skipped → what has failed."""
        return {
            span.name: span.attributes["floe.skipped_because"]
            for span in self.spans
            if "floe.skipped_because" in span.attributes
        }


@dataclass(frozen=True)
class Runs:
    """Runs of one shop."""

    shop: ObservedShop
    instance: dg.DagsterInstance

    def run(self, *, fails: str, **how: Any) -> SkippedRun:
        run = self.shop.execute(self.instance, fails=fails, **how)
        assert run.status is dg.DagsterRunStatus.FAILURE
        file = self.shop.floe_dir / "observability" / "lineage" / f"{run.run_id}.jsonl"
        events = read_events(file)
        check_events(events)
        return SkippedRun(self.shop.spans_of(run), events)

    def nodes(self) -> set[str]:
        """What dbt builds and tests, by the names of its lineage jobs."""
        manifest = json.loads(next(self.shop.floe_dir.glob("dbt/**/manifest.json")).read_text())
        return {
            f"{PIPELINE}.{unique_id}"
            for unique_id, node in manifest["nodes"].items()
            if node["config"]["materialized"] != "ephemeral"
        }


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    shop = ObservedShop.copy_to(tmp_path_factory.mktemp("skipped") / "shop")
    with dg.instance_for_test(temp_dir=str(tmp_path_factory.mktemp("home"))) as instance:
        yield Runs(shop, instance)


@pytest.mark.requirement("010-FR-007")
@pytest.mark.parametrize("executor", ["in_process", "multiprocess"])
def test_every_node_of_a_dbt_step_that_never_began_is_told_as_skipped(runs: Runs, executor: str) -> None:
    found = runs.run(fails="an asset", executor=executor)

    ended = ends(found.events)
    assert ended[f"{PIPELINE}.bronze_orders"]["eventType"] == "FAIL"
    assert {name for name, event in ended.items() if event["eventType"] == "ABORT"} == runs.nodes()
    staging = ended[f"{MODEL}.stg_orders"]
    assert [dataset["name"] for dataset in staging["inputs"]] == ["bronze.orders"]
    assert len(staging["outputs"]) == 1
    assert "dbtInvocationId" not in staging["run"]["facets"]["floe_run"]
    nodes = [span for span in found.spans if "dbt.node.unique_id" in span.attributes]
    assert {f"{PIPELINE}.{span.attributes['dbt.node.unique_id']}" for span in nodes} == runs.nodes()
    assert {(span.status, span.attributes["dbt.node.status"], span.ended_at - span.started_at) for span in nodes} == {
        ("unset", "skipped", 0)
    }
    (step,) = (span for span in found.spans if span.span_id == nodes[0].parent_id)
    assert step.attributes["cicd.pipeline.task.run.result"] == "skip"
    assert set(found.because) == {step.name, *(span.name for span in nodes)}
    assert all(because == ["bronze_orders"] for because in found.because.values())


def test_a_call_that_is_observed_as_a_whole_and_never_began_is_told_as_skipped(runs: Runs) -> None:
    found = runs.run(fails="an asset", environ={"OBSERVABILITY": "job_level"})

    (name,) = (name for name, event in ends(found.events).items() if event["eventType"] == "ABORT")
    aborted = ends(found.events)[name]
    assert {dataset["name"] for dataset in aborted["inputs"]} >= {"bronze.orders", "bronze.raw_customers"}
    assert any(dataset["name"].endswith("stg_orders") for dataset in aborted["outputs"])
    (call,) = (span for span in found.spans if span.name == "dbt build")
    assert call.ended_at == call.started_at


def test_a_model_behind_its_unit_test_is_skipped_for_that(runs: Runs) -> None:
    found = runs.run(fails="a unit test")

    assert ends(found.events)[f"{MODEL}.customer_revenue"]["eventType"] == "ABORT"
    assert found.because["model customer_revenue"] == ["unit test customers_without_orders_have_no_revenue"]
    assert set(map(str, found.because.values())) == {"['unit test customers_without_orders_have_no_revenue']"}


def test_what_stands_on_a_failed_model_or_test_names_it(runs: Runs) -> None:
    behind_a_model = runs.run(fails="a model")
    assert behind_a_model.because["model refunds_per_day"] == ["refunds"]
    assert behind_a_model.because["model refund_report"] == ["refunds"]  # through an ephemeral model
    assert behind_a_model.because["test not_null_refunds_id"] == ["refunds"]

    behind_a_test = runs.run(fails="a test").because
    assert set(map(str, behind_a_test.values())) <= {"['test no_order_is_negative']"}
