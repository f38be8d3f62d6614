"""`orchestration.assets`: patterns, and what they set on Python assets."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.snap.node import build_op_def_snap
from dagster._core.snap.snap_to_yaml import default_values_yaml_from_type_snap
from dagster._utils.warnings import disable_dagster_warnings
from inline_snapshot import snapshot
from pydantic import Field

from builders import floe_yaml, fold, parse_document
from floe_core.errors import ProblemCollector, render_problems
from floe_core.yaml_source import parse_yaml
from floe_dagster import floe_asset
from floe_dagster.asset_settings.application import Asset, apply_settings
from floe_dagster.asset_settings.patterns import NOTHING_SET, AssetSettings
from floe_dagster.asset_settings.spec_fields import SpecSettings
from floe_dagster.assets import FloeAsset
from floe_dagster.automation.presence import eager, on_cron
from floe_dagster.selection.asset_index import AssetIndex, AssetNode

DAILY = dg.DailyPartitionsDefinition("2024-01-01")
REGIONS = dg.StaticPartitionsDefinition(["eu", "us"])


def settings_of(assets_yaml: str) -> AssetSettings:
    document = parse_document(floe_yaml(f"assets:\n{indented(assets_yaml)}"))
    return AssetSettings(document.spec.orchestration.assets, source=document.source)


def indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.strip("\n").splitlines())


def apply(assets: Sequence[Asset], assets_yaml: str) -> tuple[tuple[Asset, ...], str]:
    """The assets with their settings, and the report of what is wrong."""
    document = parse_document(floe_yaml(f"assets:\n{indented(assets_yaml)}"))
    problems = ProblemCollector()
    specs = SpecSettings(
        AssetSettings(document.spec.orchestration.assets, source=document.source),
        partitions={"daily": DAILY, "regions": REGIONS},
        problems=problems,
    )
    applied = apply_settings(assets, specs, source=document.source, origins={("orders",): "shop/assets.py:3"})
    return applied, render_problems(problems.problems)


def applied_to(asset: dg.AssetsDefinition, assets_yaml: str) -> dg.AssetsDefinition:
    (applied,), report = apply([asset], assets_yaml)
    assert report == ""
    assert isinstance(applied, dg.AssetsDefinition)
    return applied


def report_on(asset: Asset, assets_yaml: str) -> str:
    _, report = apply([asset], assets_yaml)
    assert report
    return fold(report.splitlines())


# ---- which patterns match, and what they come to


def test_later_patterns_override_field_by_field() -> None:
    settings = settings_of(
        """
"**": {group_name: all, owners: [team:data], pool: slow}
"bronze_*": {group_name: bronze}
bronze_orders: {pool: fast}
"""
    ).of(("bronze_orders",))

    assert (settings.config.group_name, settings.config.owners, settings.config.pool) == (
        "bronze",
        ("team:data",),
        "fast",
    )
    assert {name: place.pattern for name, place in settings.places.items()} == {
        "group_name": "bronze_*",
        "owners": "**",
        "pool": "bronze_orders",
    }


def test_a_field_knows_the_line_that_sets_it() -> None:
    settings = settings_of(
        """
"bronze_*":
  group_name: bronze
  metadata: {sla: 1, unit: hours}
bronze_orders:
  metadata: {sla: 2}
"""
    ).of(("bronze_orders",))

    assert {name: str(place) for name, place in settings.places.items()} == {
        "group_name": "floe.yaml:4:19 'bronze_*'",
        "metadata.sla": "floe.yaml:7:23 'bronze_orders'",
        "metadata.unit": "floe.yaml:5:32 'bronze_*'",
    }


def test_null_takes_back_what_an_earlier_pattern_sets() -> None:
    settings = settings_of(
        """
"*": {group_name: all, metadata: {sla: 1}, pool: slow}
orders: {group_name: null, metadata: null}
"""
    ).of(("orders",))

    assert settings.config.model_fields_set == {"pool"}
    assert list(settings.places) == ["pool"]


@pytest.mark.parametrize(
    ("key", "group"),
    [
        pytest.param("bronze/orders", "whole", id="whole-key"),
        pytest.param("raw/bronze/orders", "last", id="last-part"),
        pytest.param("orders", "last", id="key-of-one-part"),
        pytest.param("silver/customers", "below", id="two-stars-cross-slashes"),
        pytest.param("eu/silver/raw/customers", "below", id="two-stars-at-both-ends"),
        pytest.param("customers", None, id="nothing-matches"),
        pytest.param("Orders", None, id="case"),
    ],
)
def test_a_pattern_matches_the_whole_key_or_its_last_part(key: str, group: str | None) -> None:
    settings = settings_of(
        """
orders: {group_name: last}
bronze/*: {group_name: whole}
"**/silver/**": {group_name: below}
"""
    )

    assert settings.of(tuple(key.split("/"))).config.group_name == group


def test_assets_that_the_same_patterns_match_share_their_settings() -> None:
    settings = settings_of('"bronze_*": {pool: slow}')

    assert settings.of(("bronze_a",)) is settings.of(("bronze_b",))
    assert settings.of(("silver_a",)) is NOTHING_SET


NODES = (
    AssetNode(("bronze_customers",)),
    AssetNode(("silver", "stg_orders")),
    AssetNode(("raw", "orders"), executable=False, materializable=False),
)

NO_SELECTION = "write asset keys, such as 'bronze/*': a pattern is no selection, which jobs, schedules and sensors take"


@pytest.mark.parametrize(
    ("pattern", "fix"),
    [
        pytest.param("brnoze_*", "did you mean 'bronze_*'?", id="beginning"),
        pytest.param("bronze_customer", "did you mean 'bronze_customers'?", id="name"),
        pytest.param("silver*", "write 'silver**'", id="star-that-has-to-cross"),
        pytest.param("silvr/*", "did you mean 'silver/*'?", id="folder"),
        pytest.param("*_order", "did you mean 'stg_orders'?", id="end"),
        pytest.param("group:bronze", NO_SELECTION, id="group"),
        pytest.param("+bronze_customers", NO_SELECTION, id="upstream"),
        pytest.param("tag:tier=gold and kind:dbt", NO_SELECTION, id="and"),
        pytest.param("key:stg_orders", "write the key alone: 'stg_orders'", id="key"),
        pytest.param("*", None, id="matches"),
        pytest.param("xyz", "run 'floe list assets' to see the keys", id="nothing-close"),
    ],
)
def test_a_pattern_that_matches_nothing_gets_the_closest_one(pattern: str, fix: str | None) -> None:
    problems = list(settings_of(f'"{pattern}": {{pool: slow}}').check(AssetIndex(NODES)))

    assert [problem.fix for problem in problems] == ([fix] if fix else [])


def test_patterns_that_set_nothing_are_errors_at_their_lines() -> None:
    settings = settings_of(
        """
"bronz_*": {pool: slow}
"raw/*": {pool: slow}
"""
    )

    report = render_problems(settings.check(AssetIndex(NODES)))

    assert fold(report.splitlines()) == snapshot("""\
error[FLOE-380]: asset pattern 'bronz_*' matches no asset
  --> floe.yaml:3:5  orchestration.assets.bronz_*
   |  "bronz_*": {pool: slow}
  why: a pattern is matched against the whole key and against the last part of it; '*' stays between two
    slashes, '**' crosses them
  fix: did you mean 'bronze_*'?

error[FLOE-380]: asset pattern 'raw/*' matches external assets only
  --> floe.yaml:4:5  orchestration.assets.raw/*
   |  "raw/*": {pool: slow}
  why: nothing in the project makes raw/orders, so there is nothing to set
  fix: match assets that the project makes, or delete the pattern

2 errors\
""")


# ---- fields of Python assets, as the decorator would have made them


def plain(**arguments: Any) -> dg.AssetsDefinition:
    with disable_dagster_warnings():  # backfill policies are in beta

        @dg.asset(deps=["raw"], **arguments)  # type: ignore[untyped-decorator]  # its arguments are any
        def orders(context: dg.AssetExecutionContext) -> None:
            """Every order."""

    assert isinstance(orders, dg.AssetsDefinition)
    return orders


FIELDS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "partitions": ("partitions: daily", {"partitions_def": DAILY}),
    "partition_column": ("partition_column: day", {"metadata": {"floe/partition_column": "day"}}),
    "dimensions": (
        "partition_column: {day: ordered_on, shop: shop_id}",
        {"metadata": {"floe/partition_column": {"day": "ordered_on", "shop": "shop_id"}}},
    ),
    "backfill_policy": ("backfill_policy: single_run", {"backfill_policy": dg.BackfillPolicy.single_run()}),
    "batches": (
        "backfill_policy: {type: multi_run, max_partitions_per_run: 5}",
        {"backfill_policy": dg.BackfillPolicy.multi_run(5)},
    ),
    "one-by-one": ("backfill_policy: multi_run", {"backfill_policy": dg.BackfillPolicy.multi_run(1)}),
    "group_name": ("group_name: sales", {"group_name": "sales"}),
    "compute_kind": ("compute_kind: duckdb", {"kinds": {"duckdb"}}),
    "kinds": ("kinds: [python, duckdb]", {"kinds": {"python", "duckdb"}}),
    "owners": ("owners: [team:data, a@example.org]", {"owners": ["team:data", "a@example.org"]}),
    "tags": ("tags: {domain: sales}", {"tags": {"domain": "sales"}}),
    "metadata": ("metadata: {sla: 24, steps: [a, b]}", {"metadata": {"sla": 24, "steps": ["a", "b"]}}),
    "description": ("description: All of them.", {"description": "All of them."}),
    "code_version": ("code_version: v2", {"code_version": "v2"}),
    "pool": ("pool: warehouse", {"pool": "warehouse"}),
    "retry_policy": (
        "retry_policy: {max_retries: 3, delay: 10, backoff: exponential, jitter: full}",
        {"retry_policy": dg.RetryPolicy(3, 10, dg.Backoff.EXPONENTIAL, dg.Jitter.FULL)},
    ),
    "freshness": (
        "freshness: {fail_after: 24h, warn_after: 12h}",
        {"freshness_policy": dg.FreshnessPolicy.time_window(timedelta(hours=24), timedelta(hours=12))},
    ),
    "freshness-cron": (
        'freshness: {cron: "0 6 * * *", lower_bound: 2h, timezone: Europe/Berlin}',
        {"freshness_policy": dg.FreshnessPolicy.cron("0 6 * * *", timedelta(hours=2), "Europe/Berlin")},
    ),
    "eager": ("automation_condition: eager", {"automation_condition": eager()}),
    "cron": (
        "automation_condition: \"on_cron('0 6 * * *') & ~in_progress()\"",
        {"automation_condition": on_cron("0 6 * * *", "UTC") & ~dg.AutomationCondition.in_progress()},
    ),
    "freshness-alias": (
        'freshness: {cron: "@daily", lower_bound: 2h}',
        {"freshness_policy": dg.FreshnessPolicy.cron("@daily", timedelta(hours=2))},
    ),
}


def parts_of(asset: dg.AssetsDefinition) -> object:
    """Everything that a decorator decides."""
    job = dg.GraphDefinition("one", node_defs=[asset.op]).to_job()
    return (
        list(asset.specs),
        build_op_def_snap(asset.op, job),
        asset.op.retry_policy,
        asset.backfill_policy,
        asset.required_resource_keys,
        asset.keys_by_input_name,
    )


@pytest.mark.requirement("010-FR-015", "010-FR-016", "010-FR-039")
@pytest.mark.parametrize(("assets_yaml", "arguments"), FIELDS.values(), ids=FIELDS.keys())
def test_a_field_is_what_the_decorator_would_have_made_of_it(assets_yaml: str, arguments: dict[str, Any]) -> None:
    partitions = {"partitions_def": REGIONS} if "backfill_policy" in arguments else {}

    applied = applied_to(plain(**partitions), f"orders: {{{assets_yaml}}}")

    assert parts_of(applied) == parts_of(plain(**partitions, **arguments))


@pytest.mark.parametrize(("assets_yaml", "arguments"), FIELDS.values(), ids=FIELDS.keys())
def test_a_field_wins_over_the_decorator(assets_yaml: str, arguments: dict[str, Any]) -> None:
    written: dict[str, Any] = {
        "partitions_def": REGIONS,
        "backfill_policy": dg.BackfillPolicy.multi_run(7),
        "group_name": "code",
        "owners": ["team:code"],
        "tags": {"written": "in_code"},
        "description": "In the code.",
        "code_version": "v1",
        "pool": "code",
        "retry_policy": dg.RetryPolicy(1),
        "freshness_policy": dg.FreshnessPolicy.time_window(timedelta(hours=1)),
    }

    applied = applied_to(plain(**written), f"orders: {{{assets_yaml}}}")

    assert parts_of(applied) == parts_of(plain(**{**written, **arguments}))


def test_kinds_are_replaced_a_compute_kind_is_added_and_tags_leave_kinds_alone() -> None:
    asset = plain(kinds={"python", "s3"}, tags={"written": "in_code"})

    assert applied_to(asset, "orders: {compute_kind: duckdb}").get_asset_spec().kinds == {"python", "s3", "duckdb"}
    assert applied_to(asset, "orders: {kinds: [duckdb]}").get_asset_spec().kinds == {"duckdb"}
    assert applied_to(asset, "orders: {kinds: [a], compute_kind: b}").get_asset_spec().kinds == {"a", "b"}
    assert applied_to(asset, "orders: {tags: {new: x}}").get_asset_spec().tags == {
        "new": "x",
        "dagster/kind/python": "",
        "dagster/kind/s3": "",
    }


def test_metadata_of_the_code_stays_beside_that_of_patterns() -> None:
    asset = plain(metadata={"sla": 1, "unit": "hours"})

    assert applied_to(asset, "orders: {metadata: {sla: 2, team: data}}").get_asset_spec().metadata == {
        "sla": 2,
        "unit": "hours",
        "team": "data",
    }


def test_a_policy_for_several_runs_needs_partitions_as_in_the_decorator() -> None:
    asset = applied_to(plain(), "orders: {backfill_policy: multi_run, pool: db}")

    assert (asset.backfill_policy, asset.op.pool) == (None, "db")


def test_a_bare_on_cron_takes_the_cron_of_the_partitions_that_are_set_with_it() -> None:
    spec = applied_to(plain(), "orders: {partitions: daily, automation_condition: on_cron}").get_asset_spec()

    assert spec.automation_condition == on_cron("0 0 * * *", "UTC")


def test_an_asset_that_nothing_matches_stays_the_object_it_is() -> None:
    asset = plain()

    assert apply([asset], "customers: {pool: slow}")[0] == (asset,)


def test_external_assets_are_passed_over() -> None:
    external = dg.AssetSpec("orders", group_name="elsewhere")
    with disable_dagster_warnings():
        table = dg.SourceAsset("orders")

    assert apply([external, table], "orders: {group_name: sales}") == ((external, table), "")


def test_an_observed_asset_takes_settings() -> None:
    with disable_dagster_warnings():

        @dg.observable_source_asset
        def orders() -> dg.DataVersion:
            return dg.DataVersion("1")

    (applied,), _ = apply([orders], "orders: {group_name: sales, partitions: regions}")

    assert isinstance(applied, dg.AssetsDefinition)
    assert applied.is_observable
    assert (applied.get_asset_spec().group_name, applied.get_asset_spec().partitions_def) == ("sales", REGIONS)


def test_a_floe_asset_is_still_called_as_its_function() -> None:
    @floe_asset(outputs=["bronze.orders"])
    def orders() -> list[int]:
        return [1, 2]

    applied = applied_to(orders, "orders: {pool: warehouse, partitions: daily}")

    assert isinstance(applied, FloeAsset)
    assert applied() == [1, 2]
    assert applied.required_resource_keys == orders.required_resource_keys == {"catalog", "io_manager"}
    assert "dagster/code_references" in applied.get_asset_spec().metadata


# ---- default run config


class Limits(dg.Config):
    rows: int = 10
    share: float


class LoadConfig(dg.Config):
    mode: str
    path: str = "in"
    limits: Limits
    sources: list[str] = Field(default=[])
    extra: dict[str, int] = Field(default={})
    note: str | None = None


def configured() -> dg.AssetsDefinition:
    @dg.asset
    def orders(context: dg.AssetExecutionContext, config: LoadConfig) -> None:
        context.log.info(config.mode)
        seen.append(config)

    return orders


seen: list[LoadConfig] = []


def config_in_a_run(asset: dg.AssetsDefinition, run_config: Mapping[str, Any] | None = None) -> LoadConfig:
    seen.clear()
    config = {"ops": {"orders": {"config": run_config}}} if run_config else None
    with dg.DagsterInstance.ephemeral() as instance:
        assert dg.materialize([asset], instance=instance, run_config=config).success
    return seen.pop()


ALL_REQUIRED = "orders: {config: {mode: full, limits: {share: 0.5}, sources: [a, b], extra: {x: 1}}}"


def test_config_is_what_a_run_without_run_config_gets() -> None:
    config = config_in_a_run(applied_to(configured(), ALL_REQUIRED))

    assert config == LoadConfig(mode="full", limits=Limits(rows=10, share=0.5), sources=["a", "b"], extra={"x": 1})


def test_the_launchpad_shows_the_defaults() -> None:
    assets = [applied_to(configured(), ALL_REQUIRED)]
    job = dg.Definitions(assets=assets, jobs=[dg.define_asset_job("load")]).resolve_job_def("load")
    snapshot_of_job = job.get_job_snapshot()
    schema = snapshot_of_job.config_schema_snapshot
    root = schema.get_config_snap(snapshot_of_job.mode_def_snaps[0].root_config_key or "")

    shown = parse_yaml(default_values_yaml_from_type_snap(schema, root), file=Path("launchpad.yaml")).value

    assert isinstance(shown, dict)
    assert shown["ops"]["orders"]["config"] == {
        "mode": "full",
        "path": "in",
        "limits": {"rows": 10, "share": 0.5},
        "sources": ["a", "b"],
        "extra": {"x": 1},
    }


def test_a_part_of_config_leaves_what_the_code_says_of_the_rest() -> None:
    seen_config: list[dict[str, object]] = []

    @dg.asset(
        config_schema={"limits": dg.Field({"rows": int, "share": float}, default_value={"rows": 1, "share": 0.2})}
    )
    def orders(context: dg.AssetExecutionContext) -> None:
        seen_config.append(context.op_execution_context.op_config)

    asset = applied_to(orders, "orders: {config: {limits: {rows: 5}}}")

    with dg.DagsterInstance.ephemeral() as instance:
        assert dg.materialize([asset], instance=instance).success
    assert seen_config == [{"limits": {"rows": 5, "share": 0.2}}]


def test_run_config_overrides_a_default_and_leaves_those_beside_it() -> None:
    asset = applied_to(configured(), ALL_REQUIRED)

    config = config_in_a_run(asset, {"mode": "quick", "limits": {"rows": 3}})

    assert (config.mode, config.limits, config.sources) == ("quick", Limits(rows=3, share=0.5), ["a", "b"])


def test_what_config_leaves_out_is_still_required_in_run_config() -> None:
    asset = applied_to(configured(), "orders: {config: {mode: full}}")

    with pytest.raises(dg.DagsterInvalidConfigError, match="limits"):
        config_in_a_run(asset)
    assert config_in_a_run(asset, {"limits": {"share": 1.0}}).mode == "full"


def test_config_without_a_class_reaches_the_context() -> None:
    @dg.asset
    def orders(context: dg.AssetExecutionContext) -> None:
        assert context.op_execution_context.op_config == {"limit": 5}

    asset = applied_to(orders, "orders: {config: {limit: 5}}")

    with dg.DagsterInstance.ephemeral() as instance:
        assert dg.materialize([asset], instance=instance).success


def test_config_with_a_permissive_schema_keeps_keys_that_it_does_not_name() -> None:
    @dg.asset(config_schema=dg.Permissive({"a": int}))  # type: ignore[no-untyped-call]  # has no annotations
    def orders(context: dg.AssetExecutionContext) -> None:
        assert context.op_execution_context.op_config == {"a": 1, "b": [2]}

    asset = applied_to(orders, "orders: {config: {a: 1, b: [2]}}")

    with dg.DagsterInstance.ephemeral() as instance:
        assert dg.materialize([asset], instance=instance).success


@pytest.mark.requirement("010-FR-047")
def test_config_that_does_not_fit_is_an_error_at_its_line() -> None:
    report = report_on(configured(), "orders: {config: {mod: full, limits: {share: much}, extra: {x: y}}}")

    assert report == snapshot("""\
error[FLOE-353]: run config of asset 'orders' has key 'mod', which does not exist
  --> floe.yaml:3:23  orchestration.assets.orders.config.mod
   |  orders: {config: {mod: full, limits: {share: much}, extra: {x: y}}}
  why: the keys there are extra, limits, mode, note, path, sources
  fix: did you mean 'mode'?

error[FLOE-353]: run config of asset 'orders' has a value of the wrong type at config.limits.share
  --> floe.yaml:3:50  orchestration.assets.orders.config.limits.share
   |  orders: {config: {mod: full, limits: {share: much}, extra: {x: y}}}
  why: a number is wanted there

error[FLOE-353]: run config of asset 'orders' has a value of the wrong type at config.extra.x
  --> floe.yaml:3:68  orchestration.assets.orders.config.extra.x
   |  orders: {config: {mod: full, limits: {share: much}, extra: {x: y}}}
  why: a whole number is wanted there

3 errors\
""")


def test_an_asset_without_config_takes_none() -> None:
    @floe_asset
    def orders() -> None: ...

    assert report_on(orders, "orders: {config: {limit: 5}}") == snapshot("""\
error[FLOE-353]: asset 'orders' takes no config
  --> floe.yaml:3:22  orchestration.assets.orders.config
   |  orders: {config: {limit: 5}}
  why: its function has no parameter 'config', and no 'context' to read config from
  fix: add a parameter 'config' of a class derived from dagster.Config, or delete it here\
""")


# ---- several assets of one step


def several(*, can_subset: bool = False, **arguments: Any) -> dg.AssetsDefinition:
    @dg.multi_asset(specs=[dg.AssetSpec("orders"), dg.AssetSpec("lines")], can_subset=can_subset, **arguments)
    def read_both(context: dg.AssetExecutionContext):  # type: ignore[no-untyped-def]  # Dagster takes it for an output
        for key in context.selected_asset_keys:
            yield dg.MaterializeResult(asset_key=key)

    return read_both


def test_settings_of_the_step_are_those_that_all_its_assets_have() -> None:
    asset = applied_to(
        several(),
        """
"{orders,lines}": {pool: db, retry_policy: {max_retries: 2}, backfill_policy: single_run, partitions: daily}
orders: {group_name: sales}
""",
    )

    assert (asset.op.pool, asset.op.retry_policy, asset.backfill_policy) == (
        "db",
        dg.RetryPolicy(2),
        dg.BackfillPolicy.single_run(),
    )
    assert asset.partitions_def == DAILY
    assert asset.group_names_by_key == {dg.AssetKey("orders"): "sales", dg.AssetKey("lines"): "default"}


def test_what_a_pattern_sets_for_one_asset_may_be_what_the_code_says_of_the_other() -> None:
    asset = applied_to(several(pool="db", retry_policy=dg.RetryPolicy(2)), "orders: {pool: db}")

    assert (asset.op.pool, asset.op.retry_policy) == ("db", dg.RetryPolicy(2))


def test_settings_of_the_step_that_its_assets_do_not_share_are_an_error() -> None:
    reports = [
        report_on(several(), "orders: {pool: db}\nlines: {pool: files}"),
        report_on(several(), "lines: {retry_policy: {max_retries: 2}}"),
        report_on(several(pool="files"), "orders: {pool: db}"),
    ]

    assert reports == snapshot(
        [
            """\
error[FLOE-381]: 'pool' is set for asset 'lines', and otherwise for 'orders' of the same step
  --> floe.yaml:4:19  orchestration.assets.lines.pool
   |  lines: {pool: files}
      orders: set at floe.yaml:3:20 'orders'
  why: one step makes both assets, and Dagster has one pool for the whole step
  fix: set it by a pattern that matches all assets of the step, such as '{lines,orders}'\
""",
            """\
error[FLOE-381]: 'retry_policy' is set for asset 'lines', and otherwise for 'orders' of the same step
  --> floe.yaml:3:27  orchestration.assets.lines.retry_policy
   |  lines: {retry_policy: {max_retries: 2}}
      orders: not set by any pattern, defined at shop/assets.py:3
  why: one step makes both assets, and Dagster has one retry_policy for the whole step
  fix: set it by a pattern that matches all assets of the step, such as '{lines,orders}'\
""",
            """\
error[FLOE-381]: 'pool' is set for asset 'orders', and otherwise for 'lines' of the same step
  --> floe.yaml:3:20  orchestration.assets.orders.pool
   |  orders: {pool: db}
      lines: not set by any pattern
  why: one step makes both assets, and Dagster has one pool for the whole step
  fix: set it by a pattern that matches all assets of the step, such as '{orders,lines}'\
""",
        ]
    )


def test_two_partitions_of_one_step_are_an_error_unless_it_can_make_its_assets_alone() -> None:
    both = "orders: {partitions: daily}\nlines: {partitions: regions}"

    assert report_on(several(), both) == snapshot("""\
error[FLOE-381]: assets 'lines' and 'orders' are made by one step, and have different partitions
  --> floe.yaml:4:25  orchestration.assets.lines.partitions
   |  lines: {partitions: regions}
      orders: a time window of '0 0 * * *' from 2024-01-01 in UTC, by floe.yaml:3:26 'orders'
  why: a run is for the partitions of one definition, and this step always makes all of its assets
  fix: set the same partitions for all of them, or define the step with can_subset=True\
""")
    asset = applied_to(several(can_subset=True), both)
    assert {spec.key.to_user_string(): spec.partitions_def for spec in asset.specs} == {
        "orders": DAILY,
        "lines": REGIONS,
    }


def test_partitions_of_some_assets_of_a_step_run_with_a_key() -> None:
    asset = applied_to(several(), "orders: {partitions: daily}")

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([asset], instance=instance, partition_key="2024-01-02")

    assert {
        event.materialization.asset_key.to_user_string(): event.partition
        for event in result.get_asset_materialization_events()
    } == {"orders": "2024-01-02", "lines": None}


def graph() -> dg.AssetsDefinition:
    @dg.op
    def read() -> int:
        return 1

    @dg.graph_asset
    def orders() -> Any:
        return read()

    return orders


def test_a_graph_takes_what_is_not_of_an_op() -> None:
    asset = applied_to(
        graph(), "orders: {partitions: daily, backfill_policy: single_run, group_name: sales, description: All.}"
    )

    assert (asset.partitions_def, asset.backfill_policy) == (DAILY, dg.BackfillPolicy.single_run())
    spec = asset.get_asset_spec()
    assert (spec.group_name, spec.description) == ("sales", "All.")


def test_a_graph_takes_nothing_of_an_op() -> None:
    report = report_on(graph(), "orders: {pool: db, retry_policy: {max_retries: 2}, config: {a: 1}}")

    assert report == snapshot("""\
error[FLOE-382]: asset 'orders' is a graph of ops, so it takes no 'pool'
  --> floe.yaml:3:20  orchestration.assets.orders.pool
   |  orders: {pool: db, retry_policy: {max_retries: 2}, config: {a: 1}}
      shop/assets.py:3
  why: Dagster has a pool for each op inside of the graph
  fix: set it on the ops in the code, or leave the asset out of the pattern

error[FLOE-382]: asset 'orders' is a graph of ops, so it takes no 'retry_policy'
  --> floe.yaml:3:38  orchestration.assets.orders.retry_policy
   |  orders: {pool: db, retry_policy: {max_retries: 2}, config: {a: 1}}
      shop/assets.py:3
  why: Dagster has a retry policy for each op inside of the graph
  fix: set it on the ops in the code, or leave the asset out of the pattern

error[FLOE-382]: asset 'orders' is a graph of ops, so it takes no 'config'
  --> floe.yaml:3:64  orchestration.assets.orders.config
   |  orders: {pool: db, retry_policy: {max_retries: 2}, config: {a: 1}}
      shop/assets.py:3
  why: Dagster has a config for each op inside of the graph
  fix: set it on the ops in the code, or leave the asset out of the pattern

3 errors\
""")


# ---- what Dagster or floe refuses


def plain_with_past() -> dg.AssetsDefinition:
    yesterday = dg.DimensionPartitionMapping("day", dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1))
    everywhere = dg.DimensionPartitionMapping("region", dg.IdentityPartitionMapping())
    with disable_dagster_warnings():
        past = dg.MultiPartitionMapping({"day": yesterday, "region": everywhere})

    @dg.asset(
        deps=[dg.AssetDep("orders", partition_mapping=past)],
        partitions_def=dg.MultiPartitionsDefinition({"day": DAILY, "region": REGIONS}),
    )
    def orders() -> None: ...

    return orders


REFUSED: Mapping[str, tuple[Callable[[], dg.AssetsDefinition], str]] = {
    "kinds": (lambda: plain(kinds=set("abcdefghij")), "orders: {compute_kind: duckdb}"),
    "tables": (plain, 'orders: {metadata: {"floe/inputs": [bronze.orders]}}'),
    "self": (plain_with_past, "orders: {partitions: daily}"),
}


def test_what_an_asset_cannot_take_is_an_error_at_its_line() -> None:
    reports = {name: report_on(build(), assets_yaml) for name, (build, assets_yaml) in REFUSED.items()}

    assert reports == snapshot(
        {
            "kinds": """\
error[FLOE-382]: asset pattern 'orders' gives an asset 11 kinds
  --> floe.yaml:3:28  orchestration.assets.orders.compute_kind
   |  orders: {compute_kind: duckdb}
  why: Dagster takes at most 10; these would be a, b, c, d, duckdb, e, f, g, h, i, j
  fix: set 'kinds' to those that matter\
""",
            "tables": """\
error[FLOE-382]: asset pattern 'orders' sets metadata 'floe/inputs', which only the code of an asset sets
  --> floe.yaml:3:40  orchestration.assets.orders.metadata.floe/inputs
   |  orders: {metadata: {"floe/inputs": [bronze.orders]}}
  why: assets are joined by the tables that they read and write, and that is done when the settings apply
  fix: write it where the asset is defined: @floe_asset(inputs=…)\
""",
            "self": """\
error[FLOE-350]: Dagster refuses what floe.yaml sets for asset 'orders'
  --> floe.yaml:3:26  orchestration.assets.orders.partitions
   |  orders: {partitions: daily}
      Asset "orders" depends on itself. Assets can only depend on themselves if they are:
      (a) time-partitioned and each partition depends on earlier partitions
      (b) multipartitioned, with one time dimension that depends on earlier time partitions\
""",
        }
    )
