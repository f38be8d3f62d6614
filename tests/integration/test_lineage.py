"""Lineage events of real runs: Python assets and dbt as one graph, in local files or with a receiver."""

import json
import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from floe_dagster.observability.lineage.replay import find_kept_runs
from lineage_events import Dataset, Event, assertions, by_run, check_events, edges, ends, ids, read_events
from lineage_receiver import LineageReceiver
from observed_shop import ObservedShop

PIPELINE = "observed_shop"
MODEL = f"{PIPELINE}.model.observed"
TEST = f"{PIPELINE}.test.observed"
API_KEY = "correct-horse-battery-staple"

pytestmark = pytest.mark.usefixtures("forked_dbt")  # but for the steps that have processes of their own


@dataclass
class LineageRun:
    """A run as it ended, with its events."""

    run: dg.DagsterRun
    events: list[Event]
    warnings: list[str]
    seconds: float

    @property
    def ends(self) -> dict[str, Event]:
        return ends(self.events)


@dataclass
class Runs:
    """Runs of one shop."""

    shop: ObservedShop
    instance: dg.DagsterInstance

    def run(self, job: str = "everything", *, receiver: LineageReceiver | None = None, **how: Any) -> LineageRun:
        began = time.monotonic()
        run = self.shop.execute(self.instance, job, **how)
        seconds = time.monotonic() - began
        file = self.folder / "lineage" / f"{run.run_id}.jsonl"
        events = receiver.events if receiver is not None else read_events(file) if file.exists() else []
        logs = self.instance.all_logs(run.run_id)
        told = [log.user_message for log in logs if int(log.level) >= logging.WARNING and not log.is_dagster_event]
        return LineageRun(run, events, told, seconds)

    @property
    def folder(self) -> Path:
        return self.shop.floe_dir / "observability"

    def manifest(self) -> Mapping[str, Any]:
        file = next(self.shop.floe_dir.glob("dbt/**/manifest.json"))
        found: Mapping[str, Any] = json.loads(file.read_text())
        return found


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    shop = ObservedShop.copy_to(tmp_path_factory.mktemp("lineage") / "shop")
    with dg.instance_for_test(temp_dir=str(tmp_path_factory.mktemp("home"))) as instance:
        yield Runs(shop, instance)


@pytest.fixture(scope="module")
def finished(runs: Runs) -> LineageRun:
    """A run of everything that nobody receives."""
    return runs.run()


@pytest.fixture(scope="module")
def failed(runs: Runs, finished: LineageRun) -> LineageRun:
    """Another, of a part that fails, with a receiver that wants a key."""
    with LineageReceiver().open() as receiver:
        variables = {"OPENLINEAGE_URL": receiver.url, "OPENLINEAGE_API_KEY": API_KEY}
        found = runs.run("refunds", receiver=receiver, fails="a model", environ=variables)
        assert {headers["Authorization"] for headers in receiver.headers} == {f"Bearer {API_KEY}"}
        return found


def walk(manifest: Mapping[str, Any], unique_id: str) -> set[str]:
    """What a node reads, with ephemeral models left out: a walk of the test's own."""
    found: set[str] = set()
    for parent in manifest["parent_map"][unique_id]:
        node = manifest["nodes"].get(parent, {})
        found |= walk(manifest, parent) if node.get("config", {}).get("materialized") == "ephemeral" else {parent}
    return found


def name_of(manifest: Mapping[str, Any], unique_id: str) -> str:
    """The name of a node's table, or of the table that a Python asset writes for a source."""
    if unique_id.startswith("source."):
        node = manifest["sources"][unique_id]
        return f"{node['schema']}.{node['identifier']}"
    node = manifest["nodes"][unique_id]
    return f"{node['database']}.{node['schema']}.{node['alias']}"


@pytest.mark.requirement("010-FR-007")
def test_each_run_of_a_job_begins_once_and_ends_once_as_the_schemas_have_it(finished: LineageRun, runs: Runs) -> None:
    check_events(finished.events)
    manifest = runs.manifest()
    nodes = {
        unique_id for unique_id, node in manifest["nodes"].items() if node["config"]["materialized"] != "ephemeral"
    }

    assert finished.run.is_success
    assert set(finished.ends) == {
        PIPELINE,
        *(f"{PIPELINE}.{name}" for name in ("bronze_orders", "bronze_customers", *nodes)),
    }
    assert {event["eventType"] for event in finished.ends.values()} == {"COMPLETE"}
    assert len(by_run(finished.events)) == len(finished.ends)


@pytest.mark.requirement("010-SC-003")
def test_the_events_alone_draw_the_graph_of_the_project(finished: LineageRun, runs: Runs) -> None:
    manifest = runs.manifest()
    built = [
        unique_id
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] != "test" and node["config"]["materialized"] != "ephemeral"
    ]
    expected = {
        (name_of(manifest, parent), name_of(manifest, unique_id))
        for unique_id in built
        for parent in walk(manifest, unique_id)
    }
    of_tests = [event for name, event in finished.ends.items() if name.startswith(TEST)]
    models = [event for event in finished.events if event["job"]["name"] not in {t["job"]["name"] for t in of_tests}]

    drawn = edges(models)

    assert {(source[1], target[1]) for source, target in drawn} == expected
    written = ids(finished.ends[f"{PIPELINE}.bronze_customers"], "outputs")
    assert written == ids(finished.ends[f"{MODEL}.stg_customers"], "inputs")
    assert reach(drawn, written[0]) >= {
        *ids(finished.ends[f"{MODEL}.stg_customers"], "outputs"),
        *ids(finished.ends[f"{MODEL}.customer_revenue"], "outputs"),
    }


def reach(graph: set[tuple[Dataset, Dataset]], start: Dataset) -> set[Dataset]:
    found = {target for source, target in graph if source == start}
    return found.union(*(reach(graph, target) for target in found)) if found else found


def test_every_dataset_is_a_table(finished: LineageRun, runs: Runs) -> None:
    named = {dataset for event in finished.events for role in ("inputs", "outputs") for dataset in ids(event, role)}
    with duckdb.connect(str(runs.shop.floe_dir / "floe.duckdb"), read_only=True) as connection:
        rows = connection.execute("select table_catalog, table_schema, table_name from information_schema.tables")
        tables = {".".join(row) for row in rows.fetchall()}

    warehouse = f"duckdb://{runs.shop.floe_dir.resolve() / 'floe.duckdb'}"
    catalog = f"sqlite:///{runs.shop.floe_dir.resolve() / 'catalog.db'}"
    assert {namespace for namespace, _ in named} == {warehouse, catalog}
    assert {name for namespace, name in named if namespace == catalog} == {"bronze.orders", "bronze.raw_customers"}
    # One test keeps the rows that it finds; no other has a table.
    assert {name for namespace, name in named if namespace == warehouse} <= tables
    assert [name for _, name in named if "dbt_test" in name] == ["floe.main_dbt_test__audit.not_null_refunds_id"]


@pytest.mark.requirement("010-FR-007")
def test_everything_has_the_dagster_run_as_its_parent(finished: LineageRun) -> None:
    first, *others = finished.events
    run_id = finished.run.run_id

    assert (first["job"]["name"], first["run"]["runId"], first["eventType"]) == (PIPELINE, run_id, "START")
    assert "parent" not in first["run"]["facets"]
    parents = [event["run"]["facets"]["parent"] for event in others if event["job"]["name"] != PIPELINE]
    place = {"run": {"runId": run_id}, "job": {"namespace": "floe", "name": PIPELINE}}
    assert all({**place, "root": place}.items() <= parent.items() for parent in parents)
    assert {event["job"]["namespace"] for event in finished.events} == {"floe"}
    assert {event["run"]["facets"]["floe_run"]["jobName"] for event in finished.events} == {"everything"}


def test_tests_tell_what_they_found_of_the_one_table_they_are_about(finished: LineageRun) -> None:
    found = {name: assertions(event) for name, event in finished.ends.items() if name.startswith(TEST)}

    warned = next(result for name, result in found.items() if "not_null_stg_orders_customer_id" in name)
    (result,) = warned["floe.main_silver.stg_orders"]
    assert {**result, "name": ""} == {
        "assertion": "not_null",
        "name": "",
        "success": False,
        "column": "customer_id",
        "severity": "warn",
        "actual": "1",
        "expected": "0",
    }
    related = next(result for name, result in found.items() if "relationships" in name)
    assert list(related) == ["floe.main_gold.customer_revenue"]
    assert all(len(result) == 1 for result in found.values())


def test_columns_come_from_declared_inputs_alone(finished: LineageRun) -> None:
    lineage = {
        name: event["outputs"][0]["facets"]["columnLineage"]["fields"]
        for name, event in finished.ends.items()
        if event["outputs"] and "columnLineage" in event["outputs"][0]["facets"]
    }

    for name, fields in lineage.items():
        sources = {(item["namespace"], item["name"]) for field in fields.values() for item in field["inputFields"]}
        assert sources <= set(ids(finished.ends[name], "inputs"))
    revenue = lineage[f"{MODEL}.customer_revenue"]
    assert [(item["name"], item["field"]) for item in revenue["revenue"]["inputFields"]] == [
        ("floe.main_silver.stg_orders", "amount")  # through an ephemeral model
    ]
    assert lineage[f"{MODEL}.orders_by_year"].keys() == {"id", "made_at", "amount"}


def test_columns_do_not_depend_on_what_else_a_run_builds(runs: Runs, finished: LineageRun) -> None:
    parts = runs.run("parts")

    made = {name: event for name, event in parts.ends.items() if event["outputs"]}
    assert made.keys() == {f"{MODEL}.customer_revenue", f"{PIPELINE}.snapshot.observed.orders_history"}
    for name, event in made.items():
        whole = finished.ends[name]
        assert event["outputs"][0]["facets"] == whole["outputs"][0]["facets"]
        assert event["job"]["facets"]["sql"] == whole["job"]["facets"]["sql"]
    lineage = {name: event["outputs"][0]["facets"]["columnLineage"]["fields"] for name, event in made.items()}
    assert lineage[f"{MODEL}.customer_revenue"].keys() == {"id", "name", "revenue"}
    history = lineage[f"{PIPELINE}.snapshot.observed.orders_history"]
    assert {name: [item["field"] for item in field["inputFields"]] for name, field in history.items()} == {
        name: [name] for name in ("id", "customer_id", "ordered_at", "amount")
    }


def test_a_local_file_takes_no_thread_and_tells_rows_columns_and_sql(finished: LineageRun) -> None:
    orders = finished.ends[f"{PIPELINE}.bronze_orders"]["outputs"][0]
    seed = finished.ends[f"{PIPELINE}.seed.observed.countries"]["outputs"][0]
    staging = finished.ends[f"{MODEL}.stg_orders"]

    assert [field["name"] for field in orders["facets"]["schema"]["fields"]] == [
        "id", "customer_id", "ordered_at", "amount",
    ]  # fmt: skip
    assert (
        orders["outputFacets"]["outputStatistics"]["rowCount"],
        seed["outputFacets"]["outputStatistics"]["rowCount"],
    ) == (4, 2)
    assert staging["outputs"][0]["facets"]["schema"]["fields"][0] == {
        "name": "id",
        "type": "bigint",
        "description": "Number of the order.",
    }
    assert staging["job"]["facets"]["sql"]["query"].startswith("select id, customer_id, ordered_at, amount from")
    (place,) = orders["facets"]["symlinks"]["identifiers"]
    assert (place["namespace"], Path(place["name"]).is_dir()) == ("file", True)
    assert not finished.warnings


@pytest.mark.requirement("010-FR-007")
def test_what_fails_says_why_and_what_is_skipped_is_aborted(failed: LineageRun) -> None:
    check_events(failed.events)
    found = failed.ends

    refunds = found[f"{MODEL}.refunds"]
    assert refunds["eventType"] == "FAIL"
    assert "the till is broken" in refunds["run"]["facets"]["errorMessage"]["message"]
    assert {name for name, event in found.items() if event["eventType"] == "ABORT"} == {
        f"{MODEL}.refunds_per_day",
        f"{MODEL}.refund_report",
        next(name for name in found if "not_null_refunds_id" in name),
    }
    assert not assertions(next(event for name, event in found.items() if "not_null_refunds_id" in name))
    assert found[PIPELINE]["eventType"] == "FAIL"
    assert "errorMessage" in found[PIPELINE]["run"]["facets"]
    assert not failed.warnings


def test_another_run_adds_runs_and_no_jobs(finished: LineageRun, failed: LineageRun) -> None:
    assert set(failed.ends) < set(finished.ends)
    assert {event["run"]["facets"]["floe_run"]["jobName"] for event in failed.events} == {"refunds"}
    assert not by_run(failed.events).keys() & by_run(finished.events).keys()


@pytest.mark.requirement("010-FR-007")
def test_processes_of_a_run_tell_one_story(runs: Runs, finished: LineageRun) -> None:
    with LineageReceiver().open() as receiver:
        told = runs.run(
            "staging", receiver=receiver, executor="multiprocess", environ={"OPENLINEAGE_URL": receiver.url}
        )

    check_events(told.events)
    assert told.run.is_success
    assert set(told.ends) >= {PIPELINE, f"{MODEL}.stg_orders", f"{MODEL}.stg_customers"}
    assert told.events[0]["job"]["name"] == PIPELINE
    assert set(receiver.paths) == {"/api/v1/lineage"}
    assert not told.warnings


@pytest.fixture(scope="module")
def hung(runs: Runs, finished: LineageRun) -> LineageRun:
    """A run whose dbt calls are observed as a whole, with a receiver that hangs."""
    with LineageReceiver(answer="hang").open() as receiver:
        variables = {"OPENLINEAGE_URL": receiver.url, "OBSERVABILITY": "job_level"}
        return runs.run("staging", receiver=receiver, environ=variables)


@pytest.mark.requirement("010-FR-009")
def test_a_call_that_is_observed_as_a_whole_has_one_span_and_no_nodes(runs: Runs, hung: LineageRun) -> None:
    spans = runs.shop.spans_of(hung.run)

    (call,) = (span for span in spans if span.name == "dbt build")
    (step,) = (span for span in spans if span.name.startswith("step "))
    assert [span.name for span in spans if "dbt.node.unique_id" in span.attributes] == []
    assert (call.parent_id, call.status, call.attributes["dbt.node.count"]) == (step.span_id, "ok", 5)
    *_, log = sorted(runs.shop.floe_dir.glob("dbt/*/runs/*/dbt.log"), key=lambda path: path.stat().st_mtime)
    assert "[info ] [MainThread]: Running with dbt=" in log.read_text()


def test_a_receiver_that_hangs_keeps_no_run_waiting_and_loses_nothing(runs: Runs, hung: LineageRun) -> None:
    assert hung.run.is_success
    assert set(hung.warnings) == {"lineage: 2 kept for `floe lineage replay`, the backend did not answer in time"}
    assert len(hung.warnings) == 2  # once by who carries out the run, once by the step
    (kept,) = find_kept_runs(runs.folder / "spool", lineage=runs.folder / "none")
    events = read_events(kept.file)
    check_events(events)
    call = ends(events)[f"{PIPELINE}.observed_dbt_assets"]
    assert kept.run_id == hung.run.run_id
    assert {name.rpartition(".")[2] for _, name in ids(call, "inputs")} == {"orders", "raw_customers"}
    assert {name for _, name in ids(call, "outputs")} == {
        "floe.main_silver.stg_orders",
        "floe.main_silver.stg_customers",
    }
    kept.file.unlink()
