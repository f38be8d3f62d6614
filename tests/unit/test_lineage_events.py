"""From records to lineage events, each held against OpenLineage's schemas."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from floe_dagster.observability.assets import KnownAsset, KnownAssets
from floe_dagster.observability.records import (
    AssetEnded,
    AssetStarted,
    BatchEnded,
    CallEnded,
    CallStarted,
    CheckEnded,
    CheckFact,
    ErrorFact,
    KeyPath,
    NodeEnded,
    NodeStarted,
    Outcome,
    RunEnded,
    RunStarted,
    StepEnded,
    StepScope,
    StepStarted,
)
from lineage_events import assertions, by_run, check_events, ends, ids
from lineage_records import (
    ASSETS,
    EPHEMERAL,
    MART,
    NOT_NULL,
    ORDERS,
    RUN,
    SHOP,
    STAGED,
    STEP,
    at,
    dbt_call,
    make_events,
    manifest,
    node,
)

CATALOG = "https://lake.example/api/catalog"
WAREHOUSE = "duckdb:///srv/shop.duckdb"
REVENUE = str(MART["unique_id"])
TESTED = str(NOT_NULL["unique_id"])


def ended(unique_id: str, outcome: Outcome = Outcome.SUCCEEDED, status: str = "success", **given: object) -> NodeEnded:
    call = given.pop("call", None) or dbt_call()
    return NodeEnded(call, unique_id, at(1), at(2), outcome, status, **given)  # type: ignore[arg-type]  # of a test


class TestRuns:
    @pytest.mark.parametrize(
        ("outcome", "kind"),
        [(Outcome.SUCCEEDED, "COMPLETE"), (Outcome.FAILED, "FAIL"), (Outcome.CANCELLED, "ABORT")],
    )
    def test_a_run_begins_and_ends_under_the_name_of_the_project(self, outcome: Outcome, kind: str) -> None:
        scope = replace(RUN, parent_run_id="other", backfill_id="b1", partition="2026-01-01")

        events = make_events([RunStarted(scope, at(0)), RunEnded(scope, at(0), at(9), outcome)])

        check_events(events)
        assert [event["eventType"] for event in events] == ["START", kind]
        assert {(event["run"]["runId"], event["job"]["name"]) for event in events} == {(RUN.run_id, "shop")}
        told = events[0]["run"]["facets"]["floe_run"]
        assert (told["jobName"], told["parentRunId"], told["backfillId"], told["partition"]) == (
            "nightly", "other", "b1", "2026-01-01",
        )  # fmt: skip
        assert [event["eventTime"] for event in events] == [
            "2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:09.000000Z",
        ]  # fmt: skip

    def test_a_run_id_that_is_no_uuid_becomes_one_everywhere(self) -> None:
        scope = replace(RUN, run_id="not-a-uuid")
        step = StepScope(scope, "a")

        events = make_events([
            RunStarted(scope, at(0)),
            AssetStarted(step, ("report",), at(1)),
            AssetEnded(step, ("report",), at(1), at(2), Outcome.SUCCEEDED),
            RunEnded(scope, at(0), at(3), Outcome.SUCCEEDED),
        ])  # fmt: skip

        check_events(events)
        parent = events[1]["run"]["facets"]["parent"]
        assert parent["run"]["runId"] == parent["root"]["run"]["runId"] == events[0]["run"]["runId"]
        assert parent["root"]["job"] == parent["job"] == {"namespace": "floe", "name": "shop"}


class TestAssets:
    def test_tables_come_from_what_the_asset_says(self) -> None:
        window = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
        lineage: dict[str, list[tuple[KeyPath, str]]] = {
            "total": [(("silver", "stg_orders"), "amount"), (("elsewhere",), "x")],
            "other": [(("no",), "x")],
        }
        end = AssetEnded(
            STEP, ("report",), at(1), at(2), Outcome.SUCCEEDED, partition="2026-01-01", window=window, rows=3,
            columns=[("total", "double")], column_lineage=lineage,
        )  # fmt: skip

        events = make_events([AssetStarted(STEP, ("report",), at(1), "2026-01-01", window), end])

        check_events(events)
        event = ends(events)["shop.report"]
        assert ids(event, "inputs") == [(WAREHOUSE, "shop.main_silver.stg_orders"), ("floe", "notes")]
        (output,) = event["outputs"]
        assert (output["namespace"], output["name"]) == ("floe", "report")
        assert output["outputFacets"]["outputStatistics"]["rowCount"] == 3
        assert output["facets"]["columnLineage"]["fields"] == {
            "total": {
                "inputFields": [{"namespace": WAREHOUSE, "name": "shop.main_silver.stg_orders", "field": "amount"}]
            }
        }
        assert event["run"]["facets"]["nominalTime"]["nominalEndTime"] == "2026-01-02T00:00:00+00:00"
        assert event["run"]["facets"]["floe_run"]["partition"] == "2026-01-01"

    def test_what_a_python_asset_writes_is_what_dbt_reads(self) -> None:
        events = make_events([
            AssetStarted(STEP, ("bronze_orders",), at(1)),
            AssetEnded(STEP, ("bronze_orders",), at(1), at(2), Outcome.SUCCEEDED),
            ended(STAGED["unique_id"]),
        ])  # fmt: skip

        check_events(events)
        found = ends(events)
        assert ids(found["shop.bronze_orders"], "outputs") == [(CATALOG, "bronze.orders")]
        assert ids(found["shop.model.shop.stg_orders"], "inputs") == [
            (CATALOG, "bronze.orders"), (WAREHOUSE, "shop.raw.rates_v2"),
        ]  # fmt: skip

    def test_a_table_is_known_by_the_folder_that_holds_it_too(self) -> None:
        end = AssetEnded(STEP, ("bronze_orders",), at(1), at(2), Outcome.SUCCEEDED, location="s3://lake/bronze/orders")

        events = make_events([end])

        check_events(events)
        assert events[1]["outputs"][0]["facets"]["symlinks"]["identifiers"] == [
            {"namespace": "s3://lake", "name": "bronze/orders", "type": "TABLE"}
        ]

    def test_of_several_tables_only_their_names_are_told(self) -> None:
        key = ("both",)
        assets: KnownAssets = {
            key: KnownAsset(key, outputs=["two.a", "two.b"], inputs=["bronze.orders"], description="Two.")
        }
        check = CheckFact(key, "has_rows", passed=True, severity="ERROR")
        end = AssetEnded(
            STEP, key, at(1), at(2), Outcome.SUCCEEDED, rows=5, columns=[("x", "int"), ("y", "int")],
            column_lineage={"x": [(("bronze_orders",), "id")]}, location="s3://lake/two/a", checks=[check],
        )  # fmt: skip
        own_step = CheckEnded(replace(STEP, step_key="other"), replace(check, name="other"), at(3), at(4))

        events = make_events([end, own_step], assets={**ASSETS, **assets})

        check_events(events)
        outputs = ends(events)["shop.both"]["outputs"]
        assert [output["name"] for output in outputs] == ["two.a", "two.b"]
        assert [output["facets"].keys() for output in outputs] == [{"documentation", "dataSource"}] * 2
        assert not any("outputFacets" in output for output in outputs)
        assert ids(events[-1], "inputs") == ids(ends(events)["shop.both"], "outputs")
        assert not assertions(events[-1])

    def test_two_attempts_are_two_runs_of_one_job(self) -> None:
        again = replace(STEP, attempt=1)

        events = make_events([
            AssetStarted(STEP, ("report",), at(1)),
            AssetEnded(STEP, ("report",), at(1), at(2), Outcome.FAILED, ErrorFact("ValueError", "no", "line 1")),
            AssetStarted(again, ("report",), at(3)),
            AssetEnded(again, ("report",), at(3), at(4), Outcome.SUCCEEDED),
        ])  # fmt: skip

        check_events(events)
        assert [event["eventType"] for event in events] == ["START", "FAIL", "START", "COMPLETE"]
        assert len(by_run(events)) == 2
        error = events[1]["run"]["facets"]["errorMessage"]
        assert (error["message"], error["stackTrace"]) == ("ValueError: no", "line 1")

    def test_an_asset_of_which_nothing_was_told_ends_with_its_step(self) -> None:
        step = StepEnded(STEP, at(0), at(5), Outcome.FAILED, ErrorFact("Crash", "gone"), assets=[("report",)])

        events = make_events([AssetStarted(STEP, ("report",), at(1)), step, step])

        check_events(events)
        assert [event["eventType"] for event in events] == ["START", "FAIL"]

    def test_an_asset_that_its_step_left_out_is_aborted(self) -> None:
        events = make_events([
            AssetStarted(STEP, ("report",), at(1)),
            StepEnded(STEP, at(0), at(5), Outcome.SUCCEEDED, assets=[("report",)]),
        ])  # fmt: skip

        assert [event["eventType"] for event in events] == ["START", "ABORT"]

    def test_checks_within_the_step_stand_at_the_table(self) -> None:
        check = CheckFact(("bronze_orders",), "has_rows", passed=False, severity="WARN", description="no rows")

        events = make_events([
            AssetEnded(STEP, ("bronze_orders",), at(1), at(2), Outcome.SUCCEEDED, checks=[check]),
        ])  # fmt: skip

        check_events(events)
        (output,) = events[-1]["outputs"]
        (found,) = output["facets"]["dataQualityAssertions"]["assertions"]
        assert (found["assertion"], found["success"], found["severity"]) == ("has_rows", False, "warn")
        assert output["facets"]["ownership"]["owners"] == [{"name": "team:till"}]

    @pytest.mark.parametrize(
        ("passed", "severity", "kind"),
        [(True, "ERROR", "COMPLETE"), (False, "WARN", "COMPLETE"), (False, "ERROR", "FAIL")],
    )
    def test_a_check_of_its_own_is_a_job_of_its_own(self, passed: bool, severity: str, kind: str) -> None:
        check = CheckFact(("bronze_orders",), "has_rows", passed=passed, severity=severity)

        events = make_events([CheckEnded(STEP, check, at(1), at(2))])

        check_events(events)
        assert [event["eventType"] for event in events] == ["START", kind]
        assert {event["job"]["name"] for event in events} == {"shop.bronze_orders.has_rows"}
        assert list(assertions(events[1])) == ["bronze.orders"]
        assert not assertions(events[0])

    def test_a_check_whose_step_crashed_fails_and_says_nothing_of_the_data(self) -> None:
        key = ("bronze_orders",)
        end = StepEnded(STEP, at(1), at(2), Outcome.FAILED, ErrorFact("Crash", "gone"), checks=[(key, "has_rows")])

        events = make_events([StepStarted(STEP, at(1), checks=[(key, "has_rows")]), end])

        check_events(events)
        assert [event["eventType"] for event in events] == ["START", "FAIL"]
        assert not assertions(events[1])

    def test_a_check_that_failed_within_its_step_and_ended_it_stands_at_the_table(self) -> None:
        key = ("bronze_orders",)
        check = CheckFact(key, "has_rows", passed=False, severity="ERROR")
        why = ErrorFact("DagsterAssetCheckFailedError", "1 blocking asset check failed")

        events = make_events([
            AssetStarted(STEP, key, at(1)),
            AssetEnded(STEP, key, at(1), at(2), Outcome.SUCCEEDED, checks=[check]),
            StepEnded(STEP, at(1), at(3), Outcome.FAILED, why, assets=[key], checks=[(key, "has_rows")]),
        ])  # fmt: skip

        check_events(events)
        assert [(event["eventType"], event["job"]["name"]) for event in events] == [
            ("START", "shop.bronze_orders"), ("COMPLETE", "shop.bronze_orders"),
        ]  # fmt: skip
        (output,) = events[1]["outputs"]
        assert output["facets"]["dataQualityAssertions"]["assertions"][0]["success"] is False

    def test_a_step_that_was_skipped_aborts_its_asset_and_its_check(self) -> None:
        key = ("bronze_orders",)

        events = make_events([
            AssetStarted(STEP, key, at(1)),
            AssetEnded(STEP, key, at(1), at(1), Outcome.SKIPPED),
            StepEnded(STEP, at(1), at(1), Outcome.SKIPPED, assets=[key], checks=[(key, "has_rows")]),
        ])  # fmt: skip

        check_events(events)
        assert [event["eventType"] for event in events] == ["START", "ABORT", "START", "ABORT"]


class TestNodes:
    def test_ephemeral_models_are_looked_through(self) -> None:
        events = make_events([NodeStarted(dbt_call(), REVENUE, at(1)), ended(REVENUE)])

        check_events(events)
        assert ids(events[1], "inputs") == [(WAREHOUSE, "shop.main_silver.stg_orders")]
        assert ids(events[1], "outputs") == [(WAREHOUSE, "shop.main_silver.revenue")]

    @pytest.mark.parametrize(
        ("outcome", "status", "kind"),
        [
            (Outcome.SUCCEEDED, "success", "COMPLETE"),
            (Outcome.WARNED, "warn", "COMPLETE"),
            (Outcome.FAILED, "error", "FAIL"),
            (Outcome.SKIPPED, "skipped", "ABORT"),
            (Outcome.CANCELLED, "cancelled", "ABORT"),
        ],
    )
    def test_every_end_is_a_terminal_event_with_the_same_tables(self, outcome: Outcome, status: str, kind: str) -> None:
        events = make_events([NodeStarted(dbt_call(), REVENUE, at(1)), ended(REVENUE, outcome, status)])

        check_events(events)
        assert [event["eventType"] for event in events] == ["START", kind]
        assert events[1]["run"]["facets"]["floe_run"]["dbtStatus"] == status

    def test_the_window_of_a_partition_is_told(self) -> None:
        window = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
        call = dbt_call(partition="2026-01-01", window=window)

        events = make_events([ended(REVENUE, call=call)])

        check_events(events)
        told = events[0]["run"]["facets"]
        assert (told["floe_run"]["partition"], told["nominalTime"]["nominalStartTime"]) == (
            "2026-01-01", "2026-01-01T00:00:00+00:00",
        )  # fmt: skip

    def test_what_is_told_twice_is_one_run(self) -> None:
        call = dbt_call()
        start, end = NodeStarted(call, REVENUE, at(1)), ended(REVENUE, call=call)

        events = make_events([start, start, end, end, start, CallEnded(call, at(0), at(9), Outcome.SUCCEEDED)])

        check_events(events)
        assert len(events) == 2

    def test_an_end_without_a_beginning_gets_one(self) -> None:
        events = make_events([ended(REVENUE, Outcome.SKIPPED, "skipped")])

        check_events(events)
        assert [event["eventTime"][:19] for event in events] == ["2026-01-01T00:00:01", "2026-01-01T00:00:02"]

    def test_a_clock_that_runs_back_does_not_end_a_run_before_it_begins(self) -> None:
        check_events(make_events([replace(ended(REVENUE), started_at=at(5), at=at(4))]))

    def test_a_node_that_dbt_never_ended_is_aborted_with_the_call(self) -> None:
        call = dbt_call()

        events = make_events([
            CallStarted(call, at(0)),
            NodeStarted(call, REVENUE, at(1)),
            CallEnded(call, at(0), at(9), Outcome.CANCELLED),
        ])  # fmt: skip

        check_events(events)
        assert [event["eventType"] for event in events] == ["START", "ABORT"]

    def test_a_microbatch_model_is_one_run(self) -> None:
        call = dbt_call()

        events = make_events([
            NodeStarted(call, REVENUE, at(1)),
            BatchEnded(call, REVENUE, 0, at(1), at(2), Outcome.SUCCEEDED, "success"),
            ended(REVENUE, call=call),
        ])  # fmt: skip

        check_events(events)
        assert len(events) == 2

    def test_two_calls_in_one_step_are_two_runs(self) -> None:
        first, second = dbt_call(), dbt_call(invocation_id="call-2")

        events = make_events([ended(REVENUE, call=first), ended(REVENUE, call=second)])

        check_events(events)
        assert len(by_run(events)) == 2

    @pytest.mark.parametrize("unique_id", [EPHEMERAL["unique_id"], "unit_test.shop.x", "operation.shop.y", "model.no"])
    def test_what_has_no_table_has_no_events(self, unique_id: str) -> None:
        assert make_events([NodeStarted(dbt_call(), unique_id, at(1)), ended(unique_id)]) == []

    def test_compiled_sql_stands_without_secrets_and_tells_the_columns(self, tmp_path: Path) -> None:
        file = tmp_path / "compiled" / "shop" / "models" / "revenue.sql"
        file.parent.mkdir(parents=True)
        file.write_text(
            'with totals as (select customer, amount as a from "shop"."main_silver"."stg_orders")\n'
            "select customer, sum(a) as revenue, 'hunter22' as salt from totals group by 1"
        )

        events = make_events([ended(REVENUE, call=dbt_call(tmp_path))], environ={"DB_PASSWORD": "hunter22"})

        check_events(events)
        assert "hunter22" not in str(events)
        assert events[1]["job"]["facets"]["sql"]["dialect"] == "duckdb"
        fields = events[1]["outputs"][0]["facets"]["columnLineage"]["fields"]
        assert {name: [item["field"] for item in field["inputFields"]] for name, field in fields.items()} == {
            "customer": ["customer"], "revenue": ["amount"],
        }  # fmt: skip

    def test_a_common_table_expression_is_no_table_of_its_name(self, tmp_path: Path) -> None:
        file = tmp_path / "compiled" / "shop" / "models" / "revenue.sql"
        file.parent.mkdir(parents=True)
        file.write_text('with stg_orders as (select * from "shop"."x"."other") select id from stg_orders')

        events = make_events([ended(REVENUE, call=dbt_call(tmp_path))])

        assert "columnLineage" not in events[1]["outputs"][0]["facets"]

    def test_sql_that_nobody_can_read_leaves_out_the_columns_alone(self, tmp_path: Path) -> None:
        file = tmp_path / "compiled" / "shop" / "models" / "revenue.sql"
        file.parent.mkdir(parents=True)
        file.write_text("select select from where (")

        events = make_events([ended(REVENUE, call=dbt_call(tmp_path))])

        check_events(events)
        assert "columnLineage" not in events[1]["outputs"][0]["facets"]
        assert events[1]["job"]["facets"]["sql"]["query"] == "select select from where ("

    def test_an_error_tells_no_credentials(self) -> None:
        error = ErrorFact(
            "Database Error",
            "cannot reach postgres://etl:hunter22@db:5432/shop?password=tr0ub4dor with token s3cr3tvalue",
            "password='horse-battery'\nAuthorization: Bearer abcdef123456",
        )
        events = make_events(
            [ended(REVENUE, Outcome.FAILED, "error", error=error)],
            environ={"TILL_KEY": "s3cr3tvalue"},
            secret_names=["TILL_KEY"],
        )

        message = events[1]["run"]["facets"]["errorMessage"]["message"]
        assert message == "Database Error: cannot reach postgres://***@db:5432/shop?password=*** with token ***"
        said = str(events)
        assert not [word for word in ("hunter22", "tr0ub4dor", "s3cr3tvalue", "horse", "abcdef") if word in said]


class TestDbtTests:
    @pytest.mark.parametrize(
        ("outcome", "status", "failures", "success"),
        [(Outcome.SUCCEEDED, "pass", 0, True), (Outcome.WARNED, "warn", 2, False), (Outcome.FAILED, "fail", 2, False)],
    )
    def test_a_result_stands_at_the_tested_table(
        self, outcome: Outcome, status: str, failures: int, success: bool
    ) -> None:
        events = make_events([ended(TESTED, outcome, status, failures=failures)])

        check_events(events)
        assert not events[1]["outputs"]
        (found,) = assertions(events[1])["shop.main_silver.stg_orders"]
        assert (found["assertion"], found["column"], found["success"], found["actual"]) == (
            "not_null", "id", success, str(failures),
        )  # fmt: skip

    @pytest.mark.parametrize(("outcome", "status"), [(Outcome.SKIPPED, "skipped"), (Outcome.FAILED, "error")])
    def test_a_test_that_was_not_carried_out_found_nothing(self, outcome: Outcome, status: str) -> None:
        events = make_events([ended(TESTED, outcome, status)])

        check_events(events)
        assert not assertions(events[1])

    def test_a_test_of_several_tables_is_about_none_of_them(self) -> None:
        both = node("test.shop.same", STAGED["unique_id"], REVENUE, config={})
        call = dbt_call(manifest=manifest(*SHOP["sources"].values(), *SHOP["nodes"].values(), both))

        events = make_events([ended("test.shop.same", Outcome.FAILED, "fail", call=call, failures=1)])

        check_events(events)
        assert not assertions(events[1])
        (found,) = events[1]["run"]["facets"]["test"]["tests"]
        assert (found["status"], found["actual"], len(events[1]["inputs"])) == ("fail", "1", 2)

    def test_a_test_that_looks_at_another_table_is_about_the_one_it_is_attached_to(self) -> None:
        related = node("test.shop.related", STAGED["unique_id"], REVENUE, config={}, attached_node=REVENUE)
        call = dbt_call(manifest=manifest(*SHOP["sources"].values(), *SHOP["nodes"].values(), related))

        events = make_events([ended("test.shop.related", status="pass", call=call)])

        check_events(events)
        assert list(assertions(events[1])) == ["shop.main_silver.revenue"]

    def test_a_test_of_a_source_is_about_the_table_behind_it(self) -> None:
        of_source = node("test.shop.fresh", ORDERS["unique_id"], config={}, attached_node=None)
        call = dbt_call(manifest=manifest(*SHOP["sources"].values(), of_source))

        events = make_events([ended("test.shop.fresh", status="pass", call=call)])

        assert list(assertions(events[1])) == ["bronze.orders"]

    @pytest.mark.parametrize(
        ("config", "outputs"),
        [
            ({"store_failures": True}, 1),
            ({"store_failures_as": "view"}, 1),
            ({"store_failures": True, "store_failures_as": "ephemeral"}, 0),
            ({}, 0),
        ],
    )
    def test_only_a_test_that_keeps_rows_has_a_table(self, config: dict[str, object], outputs: int) -> None:
        keeping = {**NOT_NULL, "config": config}
        call = dbt_call(manifest=manifest(*SHOP["sources"].values(), *SHOP["nodes"].values(), keeping))

        events = make_events([ended(TESTED, status="pass", call=call)])

        check_events(events)
        assert len(events[1]["outputs"]) == outputs


def test_a_call_as_a_whole_reads_what_is_outside_and_writes_what_it_builds() -> None:
    call = dbt_call(per_node=False)

    events = make_events([
        CallStarted(call, at(0)),
        NodeStarted(call, REVENUE, at(1)),
        ended(REVENUE, call=call),
        CallEnded(call, at(0), at(9), Outcome.FAILED, built=[STAGED["unique_id"], REVENUE, TESTED]),
    ])  # fmt: skip

    check_events(events)
    assert [(event["eventType"], event["job"]["name"]) for event in events] == [
        ("START", "shop.shop_dbt"), ("FAIL", "shop.shop_dbt"),
    ]  # fmt: skip
    assert ids(events[1], "inputs") == [(CATALOG, "bronze.orders"), (WAREHOUSE, "shop.raw.rates_v2")]
    assert [name for _, name in ids(events[1], "outputs")] == [
        "shop.main_silver.stg_orders",
        "shop.main_silver.revenue",
    ]


def test_an_asset_of_which_nothing_is_known_is_a_dataset_of_the_jobs_namespace() -> None:
    assets: KnownAssets = {
        ("silver", "notes"): KnownAsset(("silver", "notes"), deps=[("raw", "rates"), ("bronze_orders",)])
    }

    events = make_events(
        [AssetEnded(STEP, ("silver", "notes"), at(1), at(2), Outcome.SUCCEEDED)], assets=assets, namespace="my jobs"
    )

    check_events(events)
    assert (events[1]["job"]["namespace"], events[1]["job"]["name"]) == ("my_jobs", "shop.silver/notes")
    assert ids(events[1], "inputs") == [(WAREHOUSE, "shop.raw.rates_v2"), (CATALOG, "bronze.orders")]
    assert ids(events[1], "outputs") == [("my_jobs", "silver/notes")]
