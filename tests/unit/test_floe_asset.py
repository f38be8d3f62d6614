import asyncio
import dataclasses
import datetime as dt
import functools
import inspect
import re
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import dagster as dg
import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from inline_snapshot import snapshot

from floe_core.errors import AssetModuleError, CatalogError, LoadError, Location, shown_path
from floe_dagster.assets import floe_asset
from floe_dagster.lakehouse.tables import Partition, PartitionDimensions, PartitionKeys, PartitionWindow
from floe_dagster.resources.catalog import CatalogResource
from floe_dagster.selection.asset_index import AssetIndex
from floe_dagster.targets import load_target
from floe_dagster.user_code.import_paths import set_up_import_paths
from floe_dagster.user_code.modules import import_user_module
from plugins.user_project import UserProject

if TYPE_CHECKING:
    from floe_dagster.resources.dbt import DbtResource  # a name only


@dataclasses.dataclass
class Written:
    snapshot_id: int
    table: str
    location: str
    rows: int
    committed_at: dt.datetime


class FakeCatalog:
    """The catalog resource as far as an asset sees it: it keeps what is written."""

    def __init__(self) -> None:
        self.tables: dict[str, object] = {}
        self.partitions: list[Partition | None] = []
        self.lock = threading.Lock()

    def write_table(self, name: str, data: Any, *, partition: Partition | None = None) -> Written:
        self.partitions.append(partition)
        table = data.collect() if isinstance(data, pl.LazyFrame) else data
        table = pa.table(table) if not isinstance(table, pa.RecordBatch) else pa.Table.from_batches([table])
        with self.lock:
            self.tables[name] = table
        return Written(4051, name, f"file:///{name}", table.num_rows, dt.datetime(2024, 1, 1, tzinfo=dt.UTC))


class Clock(dg.ConfigurableResource[Any]):
    hour: int = 6


INSTANCE = dg.DagsterInstance.ephemeral()


def materialize(assets: list[dg.AssetsDefinition], **run: Any) -> dg.ExecuteInProcessResult:
    """A run in the one instance of this file: making one takes longer than the run."""
    return dg.materialize(assets, instance=INSTANCE, **run)


def metadata_of(
    asset: dg.AssetsDefinition, *, upstream: tuple[dg.AssetsDefinition, ...] = (), **resources: object
) -> dict[str, object]:
    """What a run of *asset* records."""
    result = materialize([*upstream, asset], resources=resources)
    [event] = result.asset_materializations_for_node(asset.op.name)
    return {name: value.value for name, value in event.metadata.items()}


def failure_of(asset: dg.AssetsDefinition, *, partition_key: str | None = None, **resources: object) -> str:
    result = materialize([asset], resources=resources, partition_key=partition_key, raise_on_error=False)
    [event] = result.get_step_failure_events()
    failure = event.step_failure_data.user_failure_data
    assert failure is not None
    return "\n" + re.sub(r"--> \S*test_floe_asset\.py:\d+", "--> shop.py:7", str(failure.description)) + "\n"


class TestDefinition:
    def test_without_parentheses(self) -> None:
        @floe_asset
        def orders() -> None:
            """All orders."""

        assert orders.key == dg.AssetKey("orders")
        assert orders.get_asset_spec().description == "All orders."

    @pytest.mark.requirement("010-FR-003")
    def test_group_kind_description_and_everything_else_survive(self) -> None:
        @floe_asset(
            group_name="bronze",
            description="Customers as they came",
            compute_kind="python",
            kinds={"csv"},
            tags={"tier": "1"},
            owners=["team:sales"],
            metadata={"note": "daily"},
            code_version="7",
            pool="files",
            retry_policy=dg.RetryPolicy(max_retries=2),
            inputs=["raw.customers"],
            outputs=["bronze.customers"],
            automation_condition=dg.AutomationCondition.eager(),
        )
        def bronze_customers() -> None: ...

        spec = bronze_customers.get_asset_spec()
        assert (spec.group_name, spec.description, spec.code_version) == ("bronze", "Customers as they came", "7")
        assert spec.kinds == {"python", "csv"}
        assert spec.tags["tier"] == "1"
        assert spec.owners == ["team:sales"]
        assert spec.metadata["note"] == "daily"
        assert spec.metadata["floe/inputs"] == ["raw.customers"]
        assert spec.metadata["floe/outputs"] == ["bronze.customers"]
        assert spec.metadata["dagster/table_name"] == "bronze.customers"
        assert spec.automation_condition == dg.AutomationCondition.eager()
        assert bronze_customers.op.retry_policy == dg.RetryPolicy(max_retries=2)
        assert bronze_customers.op.pool == "files"

    @pytest.mark.parametrize(
        ("arguments", "key"),
        [
            pytest.param({}, ["orders"], id="the function's name"),
            pytest.param({"name": "sales"}, ["sales"], id="name"),
            pytest.param({"key_prefix": "bronze"}, ["bronze", "orders"], id="key_prefix"),
            pytest.param({"key_prefix": ["a", "b"], "name": "c"}, ["a", "b", "c"], id="key_prefix and name"),
            pytest.param({"key": ["x", "y"]}, ["x", "y"], id="key"),
            pytest.param({"outputs": ["silver.sales"]}, ["orders"], id="never the output"),
        ],
    )
    def test_the_key(self, arguments: dict[str, Any], key: list[str]) -> None:
        @floe_asset(**arguments)
        def orders() -> None: ...

        assert orders.key == dg.AssetKey(key)

    def test_deps_are_names_keys_and_assets(self) -> None:
        @floe_asset
        def one() -> None: ...

        @floe_asset(deps=[one, "two", "bronze/three", dg.AssetKey(["bronze", "four"]), dg.AssetSpec("five")])
        def all_of_them() -> None: ...

        node = AssetIndex.from_assets([all_of_them]).nodes[("all_of_them",)]
        assert node.deps == {("one",), ("two",), ("bronze", "three"), ("bronze", "four"), ("five",)}

    def test_one_table_may_stand_without_a_list(self) -> None:
        @floe_asset(inputs="raw.orders", outputs="bronze.orders")
        def orders() -> None: ...

        metadata = orders.get_asset_spec().metadata
        assert (metadata["floe/inputs"], metadata["floe/outputs"]) == (["raw.orders"], ["bronze.orders"])

    @pytest.mark.parametrize("tables", [[""], ["bronze."], [3], 3, ["a b", " c"], [None], {"a.b": 1}, b"a.b"], ids=repr)
    @pytest.mark.parametrize("argument", ["inputs", "outputs"])
    def test_what_is_no_table_name_is_refused(self, argument: str, tables: object) -> None:
        with pytest.raises(AssetModuleError, match=r"FLOE-307"):
            floe_asset(**{argument: tables})(lambda: None)  # type: ignore[call-overload] # any value

    def test_no_tables_may_be_said_in_words(self) -> None:
        asset = floe_asset(inputs=None, outputs=[], name="orders")(lambda: None)  # type: ignore[call-overload] # as users write

        assert not {"floe/inputs", "floe/outputs"} & asset.get_asset_spec().metadata.keys()

    def test_an_input_may_be_a_dbt_model_in_the_schema_of_the_target(self) -> None:
        asset = floe_asset(inputs=["orders"], name="copy")(lambda: None)

        assert asset.get_asset_spec().metadata["floe/inputs"] == ["orders"]

    def test_the_code_reference_is_the_users_function(self) -> None:
        def logged(fn: Callable[[], None]) -> Callable[[], None]:
            @functools.wraps(fn)
            def wrapper() -> None:
                fn()

            return wrapper

        @floe_asset
        @logged
        def orders() -> None: ...

        [reference] = orders.get_asset_spec().metadata["dagster/code_references"].code_references
        _, line = inspect.getsourcelines(self.test_the_code_reference_is_the_users_function)
        assert (reference.file_path, reference.line_number) == (__file__, line + 8)

    def test_a_partial_has_the_name_of_its_function(self) -> None:
        def orders(table: str, limit: int) -> dict[str, object]:
            return {"table": table, "limit": limit}

        asset = floe_asset(functools.partial(orders, table="raw.orders", limit=3))

        assert asset.key == dg.AssetKey("orders")
        assert metadata_of(asset) == {"table": "raw.orders", "limit": 3}

    def test_importing_it_imports_neither_arrow_nor_iceberg_nor_dbt(self) -> None:
        code = (
            "import sys, floe_dagster.assets; print([m for m in ('pyarrow', 'pyiceberg', 'dbt') if m in sys.modules])"
        )

        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

        assert done.stdout == "[]\n"


MISTAKES = """
    import dagster as dg
    from floe_dagster import floe_asset

    @floe_asset
    def orders(): ...

    TABLES = ["bronze/orders"]

    def logged(fn):
        return fn

    @logged
    @floe_asset(
        input=["raw.orders"],
        inputs=["bronze orders", "x.y.z", orders, *TABLES],
        outputs=["", "customers", 3],
        deps="orders",
    )
    @logged
    def order_values():
        return {}

    @floe_asset(outputs=3)
    def rates(): ...
"""


class TestMistakes:
    def test_all_mistakes_of_one_decorator_are_told_at_once(self, user_project: UserProject) -> None:
        user_project.write({"shop.py": MISTAKES})
        set_up_import_paths(user_project.path)

        with pytest.raises(LoadError) as error:
            import_user_module("shop", location=Location("floe.yaml", 3))

        assert "\n" + str(error.value) + "\n" == snapshot("""\

error[FLOE-307]: @floe_asset of function 'order_values' takes no argument 'input'
  --> shop.py:14
   |  input=["raw.orders"],
  why: it takes inputs, outputs, compute_kind, partition_column and what dagster.asset takes
  fix: did you mean 'inputs'?

error[FLOE-307]: @floe_asset of function 'order_values' names 'bronze orders' in inputs, which is no table name
  --> shop.py:15
   |  inputs=["bronze orders", "x.y.z", orders, *TABLES],
  why: each part of a name has letters, digits, '_' and '-', and does not start with '-'
  fix: write 'bronze.orders'

error[FLOE-307]: @floe_asset of function 'order_values' has an asset in inputs
  --> shop.py:15
   |  inputs=["bronze orders", "x.y.z", orders, *TABLES],
  why: it is a list of table names
  fix: name its table here, or the asset in deps

error[FLOE-307]: @floe_asset of function 'order_values' names 'bronze/orders' in inputs, which is no table name
  --> shop.py:15
   |  inputs=["bronze orders", "x.y.z", orders, *TABLES],
  why: each part of a name has letters, digits, '_' and '-', and does not start with '-'
  fix: write 'bronze.orders'

error[FLOE-307]: @floe_asset of function 'order_values' names '' in outputs, which is no table name
  --> shop.py:16
   |  outputs=["", "customers", 3],
  why: each part of a name has letters, digits, '_' and '-', and does not start with '-'
  fix: name the table like 'bronze.orders'

error[FLOE-307]: @floe_asset of function 'order_values' names 'customers' in outputs, which is no table name
  --> shop.py:16
   |  outputs=["", "customers", 3],
  why: a table is named by namespace and table
  fix: write 'bronze.customers'

error[FLOE-307]: @floe_asset of function 'order_values' has 3 in outputs
  --> shop.py:16
   |  outputs=["", "customers", 3],
  why: it is a list of table names
  fix: write a name such as 'bronze.orders'

error[FLOE-307]: @floe_asset of function 'order_values' has deps='orders'
  --> shop.py:17
   |  deps="orders",
  why: it takes a list
  fix: write deps=['orders']

8 errors
""")

    def test_what_dagster_refuses_is_told_with_the_line_of_the_argument(self) -> None:
        with pytest.raises(AssetModuleError) as error:

            @floe_asset(
                description="Orders",
                retry_policy=3,
            )
            def orders() -> None: ...

        assert error.value.problems[0].location is not None
        assert error.value.problems[0].location.source_line == "                retry_policy=3,"
        assert re.sub(r"  --> .*\n", "", f"\n{error.value}\n") == snapshot("""\

error[FLOE-307]: Dagster makes no asset of function 'orders'
   |  retry_policy=3,
      Param "retry_policy" is not a RetryPolicy. Got 3 which is type <class 'int'>.
  why: it refuses an argument of @floe_asset, or of the function itself
  fix: correct what Dagster names
""")

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"kinds": "python"}, "has kinds='python'"),
            ({"owners": "team:sales"}, "has owners='team:sales'"),
            ({"required_resource_keys": "clock"}, "has required_resource_keys='clock'"),
            ({"compute_kind": 3}, "has compute_kind=3"),
            ({"metadata": ["a"]}, "has metadata=['a']"),
            ({"partition_column": 3}, "has partition_column=3"),
        ],
        ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
    )
    def test_a_text_or_another_type_where_a_list_is_meant(self, arguments: dict[str, object], message: str) -> None:
        with pytest.raises(AssetModuleError) as error:
            floe_asset(**arguments)(lambda: None)  # type: ignore[call-overload] # any value

        assert message in str(error.value)

    def test_what_stands_in_the_place_of_a_function_is_refused(self) -> None:
        with pytest.raises(TypeError, match=r"by name: @floe_asset\(outputs='bronze\.orders'\)"):
            floe_asset("bronze.orders")  # type: ignore[call-overload] # as users write
        with pytest.raises(TypeError, match="above a class"):
            floe_asset(dict)
        with pytest.raises(TypeError, match="above another decorator"):
            floe_asset(dg.asset(lambda: None, name="orders"))  # type: ignore[call-overload,unused-ignore] # as users write

    def test_a_module_that_fails_otherwise_is_named_with_the_users_line(self, user_project: UserProject) -> None:
        code = "from floe_dagster.resources import CatalogResource\nCatalogResource.embedded('x').load_table('x')\n"
        user_project.write({"shop.py": code})
        set_up_import_paths(user_project.path)

        with pytest.raises(LoadError) as error:
            import_user_module("shop")

        assert "\n" + str(error.value) + "\n" == snapshot("""\

error[FLOE-303]: module 'shop' raises CatalogError when it is imported
      shop.py:2
          CatalogResource.embedded('x').load_table('x')
      CatalogError: error[FLOE-402]: 'x' is no table name
        why: a table is named by namespace and table
        fix: write 'bronze.x'
""")


class TestParameters:
    def test_none(self) -> None:
        @floe_asset
        def asset() -> dict[str, object]:
            return {"ran": True}

        assert metadata_of(asset) == {"ran": True}

    @pytest.mark.parametrize("name", ["context", "_context", "context_", "_"])
    def test_the_context(self, name: str) -> None:
        scope: dict[str, Any] = {}
        exec(f"def asset({name}): return {{'key': {name}.asset_key.to_user_string()}}", scope)

        assert metadata_of(floe_asset(scope["asset"])) == {"key": "asset"}

    def test_a_context_of_any_name_that_is_annotated(self) -> None:
        @floe_asset
        def asset(clock: dg.ResourceParam[object], ctx: dg.AssetExecutionContext) -> dict[str, object]:
            return {"key": ctx.asset_key.to_user_string(), "clock": str(clock)}

        assert metadata_of(asset, clock=6) == {"key": "asset", "clock": "6"}

    def test_an_op_context(self) -> None:
        @floe_asset
        def asset(context: dg.OpExecutionContext) -> dict[str, object]:
            return {"type": type(context).__name__}

        assert metadata_of(asset) == {"type": "OpExecutionContext"}

    def test_resources_by_name(self) -> None:
        @floe_asset
        def asset(context, catalog, warehouse_api):  # type: ignore[no-untyped-def] # a user's function without any
            return {"catalog": type(catalog).__name__, "api": warehouse_api}

        assert asset.op.required_resource_keys == {"catalog", "warehouse_api"}
        assert metadata_of(asset, catalog=FakeCatalog(), warehouse_api="api") == {
            "catalog": "FakeCatalog",
            "api": "api",
        }

    def test_resources_by_annotation(self) -> None:
        @floe_asset
        def asset(clock: Clock, other: dg.ResourceParam[str], maybe: Clock | None) -> dict[str, object]:
            return {"hour": clock.hour, "other": other, "maybe": maybe.hour if maybe else 0}

        assert metadata_of(asset, clock=Clock(), other="o", maybe=Clock(hour=7)) == {
            "hour": 6,
            "other": "o",
            "maybe": 7,
        }

    def test_a_built_in_resource_whatever_its_annotation(self) -> None:
        @floe_asset
        def asset(catalog: Any, dbt: "DbtResource") -> dict[str, object]:
            return {"catalog": catalog, "dbt": dbt}

        assert metadata_of(asset, catalog=1, dbt=2) == {"catalog": 1, "dbt": 2}

    def test_keyword_only_and_positional_only_parameters(self) -> None:
        @floe_asset
        def asset(context, clock, /, *, catalog) -> dict[str, object]:  # type: ignore[no-untyped-def] # as users write
            return {"clock": clock, "catalog": catalog, "key": context.asset_key.to_user_string()}

        assert metadata_of(asset, catalog=1, clock=2) == {"clock": 2, "catalog": 1, "key": "asset"}

    def test_the_context_as_keyword(self) -> None:
        @floe_asset
        def asset(*, context, catalog) -> dict[str, object]:  # type: ignore[no-untyped-def] # as users write
            return {"catalog": catalog, "key": context.asset_key.to_user_string()}

        assert metadata_of(asset, catalog=1) == {"catalog": 1, "key": "asset"}

    def test_a_default_is_kept(self) -> None:
        assets = []
        for table in ["a", "b"]:

            @floe_asset(name=f"copy_{table}")
            def copy(table: str = table, suffix="_raw") -> dict[str, object]:  # type: ignore[no-untyped-def] # as users write
                return {"table": table + suffix}

            assets.append(copy)

        assert [metadata_of(asset) for asset in assets] == [{"table": "a_raw"}, {"table": "b_raw"}]

    def test_an_annotated_parameter_is_an_upstream_asset(self) -> None:
        @dg.asset
        def numbers() -> list[int]:
            return [1, 2, 3]

        @floe_asset
        def total(context, numbers: list[int]) -> dict[str, object]:  # type: ignore[no-untyped-def] # as users write
            return {"total": sum(numbers)}

        assert metadata_of(total, upstream=(numbers,)) == {"total": 6}

    @pytest.mark.parametrize(
        "arguments", [{"ins": {"numbers": dg.AssetIn()}}, {"deps": ["numbers"]}], ids=["ins", "deps"]
    )
    def test_an_upstream_asset_that_ins_or_deps_name(self, arguments: dict[str, Any]) -> None:
        @dg.asset
        def numbers() -> list[int]:
            return [1, 2, 3]

        @floe_asset(**arguments)
        def total(numbers, catalog):  # type: ignore[no-untyped-def] # as users write
            return {"total": sum(numbers), "catalog": catalog}

        assert metadata_of(total, upstream=(numbers,), catalog=1) == {"total": 6, "catalog": 1}

    def test_config(self) -> None:
        class Limits(dg.Config):
            rows: int = 5

        @floe_asset
        def asset(context, config: Limits, catalog) -> dict[str, object]:  # type: ignore[no-untyped-def] # as users write
            return {"limit": config.rows, "catalog": catalog}

        run_config = dg.RunConfig(ops={"asset": Limits(rows=7)})
        result = materialize([asset], resources={"catalog": 1}, run_config=run_config)
        assert result.asset_materializations_for_node("asset")[0].metadata["limit"].value == 7

    def test_required_resource_keys_go_with_resources_by_name(self) -> None:
        @floe_asset(required_resource_keys={"clock"})
        def asset(context, catalog) -> dict[str, object]:  # type: ignore[no-untyped-def] # as users write
            return {"clock": context.resources.clock, "catalog": catalog}

        assert metadata_of(asset, clock=6, catalog=1) == {"clock": 6, "catalog": 1}

    def test_required_resource_keys_alone(self) -> None:
        @floe_asset(required_resource_keys={"clock"}, outputs=["bronze.t"])
        def asset(context) -> dict[str, object]:  # type: ignore[no-untyped-def] # as users write
            return {"clock": context.resources.clock}

        assert metadata_of(asset, clock=6, catalog=1) == {"clock": 6}

    def test_a_resource_that_is_not_there_is_named_before_anything_runs(self) -> None:
        @floe_asset
        def asset(warehouse_api): ...  # type: ignore[no-untyped-def] # as users write

        with pytest.raises(dg.DagsterInvalidDefinitionError, match="resource with key 'warehouse_api' required"):
            materialize([asset])


class TestFutureAnnotations:
    @pytest.fixture
    def module(self, user_project: UserProject) -> None:
        user_project.write(
            {
                "shop.py": """
                    from __future__ import annotations

                    from typing import TYPE_CHECKING, Any

                    import dagster as dg

                    from floe_dagster.assets import floe_asset

                    if TYPE_CHECKING:
                        from decimal import Decimal

                        from dagster import AssetExecutionContext

                        from somewhere import CatalogResource


                    class Limits(dg.Config):
                        rows: int = 5


                    class Clock(dg.ConfigurableResource):
                        hour: int = 6


                    @floe_asset
                    def everything(
                        context: AssetExecutionContext,
                        config: Limits,
                        catalog: CatalogResource,
                        clock: Clock,
                        other: dg.ResourceParam[str],
                    ) -> dict[str, Any] | Decimal:
                        assert type(context).__name__ == "AssetExecutionContext"
                        return {"rows": config.rows, "catalog": catalog, "hour": clock.hour, "other": other}


                    @floe_asset
                    def op_context(context: dg.OpExecutionContext) -> dict[str, Any]:
                        return {"type": type(context).__name__}


                    def broken(config: Missing): ...
                    """
            }
        )
        set_up_import_paths(user_project.path)

    @pytest.mark.usefixtures("module")
    def test_context_config_and_resources_are_found(self) -> None:
        asset = load_target("shop.everything")
        assert isinstance(asset, dg.AssetsDefinition)

        found = metadata_of(asset, catalog="c", clock=Clock(hour=9), other="o")

        assert found == {"rows": 5, "catalog": "c", "hour": 9, "other": "o", "dagster/row_count": 5}

    @pytest.mark.usefixtures("module")
    def test_an_op_context_stays_one(self) -> None:
        asset = load_target("shop.op_context")
        assert isinstance(asset, dg.AssetsDefinition)

        assert metadata_of(asset) == {"type": "OpExecutionContext"}

    @pytest.mark.usefixtures("module")
    def test_a_config_class_that_does_not_exist_is_named(self) -> None:
        broken: Any = load_target("shop.broken")

        with pytest.raises(AssetModuleError) as caught:
            floe_asset(broken)

        assert f"\n{caught.value}\n" == snapshot("""\

error[FLOE-307]: Dagster makes no asset of function 'broken'
  --> shop.py:42
   |  def broken(config: Missing): ...
      class 'Missing' of 'config' does not exist at import: define it, or import it outside `if TYPE_CHECKING:`
  why: it refuses an argument of @floe_asset, or of the function itself
  fix: correct what Dagster names
""")


class TestShapes:
    def test_a_coroutine(self) -> None:
        @floe_asset(outputs=["bronze.t"])
        async def asset(catalog: Any) -> pa.Table:
            await asyncio.sleep(0)
            return pa.table({"n": [1, 2]})

        catalog = FakeCatalog()

        assert metadata_of(asset, catalog=catalog)["dagster/row_count"] == 2
        assert list(catalog.tables) == ["bronze.t"]

    def test_a_generator(self) -> None:
        check = dg.AssetCheckSpec("positive", asset="asset")

        @floe_asset(check_specs=[check])
        def asset(context) -> Iterator[object]:  # type: ignore[no-untyped-def] # as users write
            yield dg.AssetObservation("other")
            yield dg.MaterializeResult(metadata={"rows": 3})
            yield dg.AssetCheckResult(passed=True)

        result = materialize([asset])
        assert [event.passed for event in result.get_asset_check_evaluations()] == [True]
        [event] = result.asset_materializations_for_node("asset")
        assert event.metadata["dagster/row_count"].value == 3

    def test_a_generator_that_yields_or_returns_a_dict(self) -> None:
        @floe_asset
        def yields() -> Iterator[object]:
            yield {"rows": 1}

        @floe_asset
        def returns():  # type: ignore[no-untyped-def] # as users write
            yield dg.AssetObservation("other")
            return {"rows": 2}

        assert metadata_of(yields)["dagster/row_count"] == 1
        assert metadata_of(returns)["dagster/row_count"] == 2

    def test_a_generator_that_yields_nothing_materializes_nothing_where_the_output_is_optional(self) -> None:
        @floe_asset(output_required=False)
        def asset() -> Iterator[object]:
            yield dg.AssetObservation("other")

        result = materialize([asset])

        assert result.asset_materializations_for_node("asset") == []

    def test_an_asynchronous_generator(self) -> None:
        @floe_asset(outputs=["bronze.t"])
        async def asset(context) -> AsyncIterator[object]:  # type: ignore[no-untyped-def] # as users write
            yield dg.AssetObservation("other")
            await asyncio.sleep(0)
            yield pa.table({"n": [1]})

        assert metadata_of(asset, catalog=FakeCatalog())["dagster/row_count"] == 1

    def test_a_function_that_returns_a_generator(self) -> None:
        def events() -> Iterator[object]:
            yield {"rows": 4}

        @floe_asset
        def asset() -> Iterator[object]:
            return events()

        assert metadata_of(asset)["dagster/row_count"] == 4

    def test_the_users_generator_is_closed_when_the_run_fails(self) -> None:
        closed = []

        @floe_asset
        def asset() -> Iterator[object]:
            try:
                yield 3
            finally:
                closed.append(True)

        materialize([asset], raise_on_error=False)

        assert closed == [True]

    def test_a_callable_object(self) -> None:
        class Copy:
            def __init__(self, table: str) -> None:
                self.table = table

            def __call__(self, catalog) -> dict[str, object]:  # type: ignore[no-untyped-def] # as users write
                return {"table": self.table, "catalog": catalog}

        assert metadata_of(floe_asset(name="copy")(Copy("raw.t")), catalog=1) == {"table": "raw.t", "catalog": 1}


FRAMES: dict[str, Callable[[], object]] = {
    "Arrow table": lambda: pa.table({"id": [1, 2], "name": ["a", "b"]}),
    "Arrow record batch": lambda: pa.RecordBatch.from_pydict({"id": [1, 2], "name": ["a", "b"]}),
    "Arrow reader": lambda: pa.table({"id": [1, 2], "name": ["a", "b"]}).to_reader(),
    "Polars frame": lambda: pl.DataFrame({"id": [1, 2], "name": ["a", "b"]}),
    "Polars lazy frame": lambda: pl.LazyFrame({"id": [1, 2], "name": ["a", "b"]}),
    "pandas frame": lambda: pd.DataFrame({"id": [1, 2], "name": ["a", "b"]}),
    "DuckDB relation": lambda: duckdb.sql("select * from (values (1, 'a'), (2, 'b')) t(id, name)"),
}


class TestReturnedRows:
    @pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
    def test_they_are_written_to_the_output_table(self, frame: Callable[[], object]) -> None:
        @floe_asset(outputs=["bronze.customers"])
        def customers():  # type: ignore[no-untyped-def] # as users write
            return frame()

        catalog = FakeCatalog()

        metadata = metadata_of(customers, catalog=catalog)

        table: Any = catalog.tables["bronze.customers"]
        assert table.to_pydict() == {"id": [1, 2], "name": ["a", "b"]}
        schema = metadata.pop("dagster/column_schema")
        assert isinstance(schema, dg.TableSchema)
        assert [column.name for column in schema.columns] == ["id", "name"]
        assert metadata == {
            "dagster/row_count": 2,
            "dagster/table_name": "bronze.customers",
            "dagster/uri": "file:///bronze.customers",
            "snapshot_id": 4051,
        }

    def test_the_types_of_the_columns_are_shown(self) -> None:
        @floe_asset(outputs=["t.t"])
        def asset() -> pa.Table:
            return pa.table({"id": pa.array([1], pa.int32()), "at": pa.array([0], pa.timestamp("us", "UTC"))})

        schema: Any = metadata_of(asset, catalog=FakeCatalog())["dagster/column_schema"]

        assert [(column.name, column.type) for column in schema.columns] == [
            ("id", "int32"),
            ("at", "timestamp[us, tz=UTC]"),
        ]

    def test_what_write_table_returned_may_be_returned(self) -> None:
        @floe_asset(outputs=["t.t"])
        def asset(catalog: Any) -> object:
            return catalog.write_table("t.t", pa.table({"id": [1]}))

        metadata = metadata_of(asset, catalog=FakeCatalog())

        assert metadata == {
            "dagster/row_count": 1,
            "dagster/table_name": "t.t",
            "dagster/uri": "file:///t.t",
            "snapshot_id": 4051,
        }

    def test_rows_in_a_materialize_result_are_written_and_its_metadata_kept(self) -> None:
        @floe_asset(outputs=["t.t"])
        def asset() -> object:
            return dg.MaterializeResult(value=pa.table({"id": [1]}), metadata={"source": "csv"}, tags={"a": "b"})

        metadata = metadata_of(asset, catalog=FakeCatalog())

        assert (metadata["source"], metadata["dagster/row_count"]) == ("csv", 1)

    def test_rows_in_an_output_are_written_and_its_metadata_kept(self) -> None:
        @floe_asset(outputs=["t.t"])
        def asset() -> object:
            return dg.Output(pa.table({"id": [1]}), metadata={"source": "csv"})

        metadata = metadata_of(asset, catalog=FakeCatalog())

        assert (metadata["source"], metadata["dagster/row_count"]) == ("csv", 1)

    def test_rows_without_an_output_table(self) -> None:
        @floe_asset
        def asset() -> object:
            return pa.table({"id": [1]})

        assert failure_of(asset) == snapshot("""\

error[FLOE-410]: asset 'asset' returns a value of type pyarrow.Table but names no output table
  --> shop.py:7
   |  def asset() -> object:
  why: the rows that an asset returns are written to the one table in its 'outputs'
  fix: name it: @floe_asset(outputs=['schema.table'])
""")

    def test_rows_with_two_output_tables(self) -> None:
        @floe_asset(outputs=["a.a", "b.b"])
        def asset() -> object:
            return pl.DataFrame({"id": [1]})

        assert failure_of(asset, catalog=FakeCatalog()) == snapshot("""\

error[FLOE-410]: asset 'asset' returns a value of type polars.DataFrame but names 2 output tables (a.a, b.b)
  --> shop.py:7
   |  def asset() -> object:
  why: the rows that an asset returns are written to the one table in its 'outputs'
  fix: write each with the 'catalog' resource, catalog.write_table(name, rows), and return a dict
""")


HOURLY = dg.TimeWindowPartitionsDefinition(
    cron_schedule="0 * * * *", start=dt.datetime(2024, 1, 1), fmt="%Y-%m-%d-%H:%M", timezone="Europe/Berlin"
)
REGIONS = dg.StaticPartitionsDefinition(["eu", "us", "ap"])
BOTH = dg.MultiPartitionsDefinition({"day": dg.DailyPartitionsDefinition("2024-01-01"), "region": REGIONS})
DAY = (dt.datetime(2024, 1, 2, tzinfo=dt.UTC), dt.datetime(2024, 1, 3, tzinfo=dt.UTC))
BERLIN = ZoneInfo("Europe/Berlin")


class TestPartitions:
    def write(self, asset: dg.AssetsDefinition, **run: Any) -> tuple[list[Partition | None], dict[str, object]]:
        catalog = FakeCatalog()
        result = materialize([asset], resources={"catalog": catalog}, **run)
        events = result.asset_materializations_for_node("asset")
        return catalog.partitions, {name: value.value for name, value in events[0].metadata.items()}

    def test_a_time_window_is_replaced(self) -> None:
        @floe_asset(outputs=["a.a"], partitions_def=HOURLY, partition_column="at")
        def asset() -> object:
            return pa.table({"at": [dt.datetime(2024, 3, 1, 6)]})

        [partition], metadata = self.write(asset, partition_key="2024-03-01-06:00")

        start, end = (dt.datetime(2024, 3, 1, hour, tzinfo=BERLIN) for hour in (6, 7))
        assert partition == PartitionWindow("at", start, end, keys=("2024-03-01-06:00",))
        assert (metadata["dagster/partition_row_count"], "dagster/row_count" in metadata) == (1, False)

    def test_a_key_is_replaced(self) -> None:
        @floe_asset(outputs=["a.a"], partitions_def=REGIONS, metadata={"partition_expr": "region"})
        def asset() -> object:
            return pa.table({"region": ["eu"]})

        assert self.write(asset, partition_key="eu")[0] == [PartitionKeys("region", ("eu",))]

    @pytest.mark.filterwarnings("ignore:Parameter `backfill_policy` of function `asset` is currently in beta")
    def test_a_range_is_replaced_in_one_go(self) -> None:
        @floe_asset(
            outputs=["a.a"],
            partitions_def=dg.DailyPartitionsDefinition("2024-01-01"),
            partition_column="day",
            backfill_policy=dg.BackfillPolicy.single_run(),
        )
        def asset() -> object:
            return pa.table({"day": [dt.date(2024, 1, 2)]})

        tags = {"dagster/asset_partition_range_start": "2024-01-02", "dagster/asset_partition_range_end": "2024-01-04"}
        partitions, _ = self.write(asset, tags=tags)

        days = (dt.datetime(2024, 1, day, tzinfo=dt.UTC) for day in (2, 5))
        assert partitions == [PartitionWindow("day", *days, keys=("2024-01-02", "2024-01-03", "2024-01-04"))]

    def test_a_run_of_no_partition_replaces_the_table(self) -> None:
        @floe_asset(outputs=["a.a"], partitions_def=REGIONS, partition_column="region")
        def asset() -> object:
            return pa.table({"region": ["eu", "us"]})

        assert self.write(asset)[0] == [None]

    def test_without_a_column(self) -> None:
        @floe_asset(outputs=["a.a"], partitions_def=REGIONS)
        def asset() -> object:
            return pd.DataFrame({"id": [1]})

        assert failure_of(asset, partition_key="eu", catalog=FakeCatalog()) == snapshot("""\

error[FLOE-411]: asset 'asset' is partitioned and returns rows, but no column tells which partition a row belongs to
  --> shop.py:7
   |  def asset() -> object:
  why: only the rows of the partition are replaced in its table
  fix: name the column: partition_column under orchestration.assets in floe.yaml, or @floe_asset(partition_column='…')
""")

    def test_two_dimensions_have_a_column_each(self) -> None:
        @floe_asset(outputs=["a.a"], partitions_def=BOTH, partition_column={"region": "country", "day": "at"})
        def asset() -> object:
            return pa.table({"at": [dt.datetime(2024, 1, 2)], "country": ["eu"]})

        [partition], metadata = self.write(
            asset, partition_key=dg.MultiPartitionKey({"day": "2024-01-02", "region": "eu"})
        )

        day = PartitionWindow("at", *DAY, keys=("2024-01-02",))
        assert partition == PartitionDimensions((day, PartitionKeys("country", ("eu",))))
        assert metadata["dagster/partition_row_count"] == 1

    def test_a_range_of_two_dimensions_is_every_day_in_every_region(self) -> None:
        @floe_asset(outputs=["a.a"], partitions_def=BOTH, metadata={"partition_expr": {"day": "at", "region": "r"}})
        def asset() -> object:
            return pa.table({"at": [dt.datetime(2024, 1, 2)], "r": ["eu"]})

        tags = {
            "dagster/asset_partition_range_start": "2024-01-01|us",
            "dagster/asset_partition_range_end": "2024-01-02|ap",
        }
        [partition], metadata = self.write(asset, tags=tags)

        window = PartitionWindow(
            "at", dt.datetime(2024, 1, 1, tzinfo=dt.UTC), DAY[1], keys=("2024-01-01", "2024-01-02")
        )
        assert partition == PartitionDimensions((window, PartitionKeys("r", ("us", "ap"))))
        assert metadata["rows_in_range"] == 1
        assert "dagster/partition_row_count" not in metadata

    def test_a_dynamic_key_is_replaced(self) -> None:
        dynamic = dg.DynamicPartitionsDefinition(name="shops")
        INSTANCE.add_dynamic_partitions("shops", ["berlin", "paris", "rome"])

        @floe_asset(outputs=["a.a"], partitions_def=dynamic, partition_column="shop")
        def asset() -> object:
            return pa.table({"shop": ["paris"]})

        one, _ = self.write(asset, partition_key="paris")
        tags = {"dagster/asset_partition_range_start": "paris", "dagster/asset_partition_range_end": "rome"}
        two, _ = self.write(asset, tags=tags)

        assert [*one, *two] == [PartitionKeys("shop", ("paris",)), PartitionKeys("shop", ("paris", "rome"))]

    @pytest.mark.parametrize(
        ("columns", "partitions_def", "message"),
        [
            (
                None,
                BOTH,
                snapshot("""\
error[FLOE-411]: asset 'asset' has partitions of two dimensions and names no column for day, region
  why: a row belongs to the partition that both of its columns tell
  fix: write partition_column: {day: …, region: …}\
"""),
            ),
            (
                "at",
                BOTH,
                snapshot("""\
error[FLOE-411]: asset 'asset' has partitions of two dimensions and names no column for day, region
  why: a row belongs to the partition that both of its columns tell
  fix: write partition_column: {day: …, region: …}\
"""),
            ),
            (
                {"dya": "at", "region": "country"},
                BOTH,
                snapshot("""\
error[FLOE-411]: asset 'asset' names a column for the dimension 'dya', which its partitions do not have
  why: they have day, region
  fix: did you mean 'day'?\
"""),
            ),
            (
                {"region": "country"},
                BOTH,
                snapshot("""\
error[FLOE-411]: asset 'asset' has partitions of two dimensions and names no column for day
  why: a row belongs to the partition that both of its columns tell
  fix: write partition_column: {day: …, region: country}\
"""),
            ),
            (
                {"region": "country"},
                REGIONS,
                snapshot("""\
error[FLOE-411]: asset 'asset' names columns for the dimensions region, and its partitions have one dimension
  why: one column tells which partition a row belongs to
  fix: write partition_column: country\
"""),
            ),
        ],
        ids=["none", "one", "misspelt", "one missing", "too many"],
    )
    def test_columns_that_do_not_fit_the_dimensions(
        self, columns: str | dict[str, str] | None, partitions_def: dg.PartitionsDefinition, message: str
    ) -> None:
        @floe_asset(outputs=["a.a"], partitions_def=partitions_def, partition_column=columns)
        def asset() -> object:
            return pd.DataFrame({"id": [1]})

        key = "eu" if partitions_def is REGIONS else dg.MultiPartitionKey({"day": "2024-01-01", "region": "eu"})
        told = failure_of(asset, partition_key=key, catalog=FakeCatalog())
        assert "\n".join(line for line in told.splitlines() if line.startswith(("error", "  why", "  fix"))) == message

    def test_a_range_without_partitions(self) -> None:
        @floe_asset(outputs=["a.a"], partitions_def=REGIONS, partition_column="region")
        def asset() -> object:
            return pa.table({"region": ["eu"]})

        tags = {"dagster/asset_partition_range_start": "ap", "dagster/asset_partition_range_end": "eu"}
        result = materialize([asset], resources={"catalog": FakeCatalog()}, tags=tags, raise_on_error=False)
        error = result.get_step_failure_events()[0].step_failure_data.error

        assert "FLOE-412" in str(error)
        assert "there are no partitions from 'ap' to 'eu'" in str(error)


class TestOtherReturns:
    def test_nothing(self) -> None:
        @floe_asset(outputs=["t.t"])
        def asset() -> None: ...

        assert metadata_of(asset, catalog=1) == {}

    @pytest.mark.parametrize("value", [3, "text", [1], object, (1, 2), pa.array([1]), pd.Series([1])], ids=str)
    def test_anything_else_is_refused(self, value: object) -> None:
        @floe_asset(outputs=["t.t"], retry_policy=dg.RetryPolicy(max_retries=3))
        def asset() -> object:
            return value

        told = failure_of(asset, catalog=1)
        assert "which is no result\n  --> " in told
        assert "\n  why: an asset returns nothing, a dict" in told

    def test_the_message(self) -> None:
        @floe_asset(key_prefix="bronze")
        def asset() -> object:
            return 3

        assert failure_of(asset) == snapshot("""\

error[FLOE-410]: asset 'bronze/asset' returns a value of type int, which is no result
  --> shop.py:7
   |  def asset() -> object:
  why: an asset returns nothing, a dict (metadata), a MaterializeResult, or rows (Arrow, Polars, pandas, DuckDB)
  fix: return it in a dict, as metadata: {'name': value}
""")

    @pytest.mark.parametrize(
        ("value", "fix"),
        [
            pytest.param(3, "return it in a dict, as metadata: {'name': value}", id="a number"),
            pytest.param("ok", "return it in a dict, as metadata: {'name': value}", id="a text"),
            pytest.param([{"id": 1}], "make rows of it: pyarrow.Table.from_pylist(rows)", id="dicts"),
            pytest.param(pd.Series([1]), "return it as a frame: value.to_frame()", id="pandas series"),
            pytest.param(pl.Series([1]), "return it as a frame: value.to_frame()", id="polars series"),
            pytest.param([], "return a dict of what is worth showing, or nothing", id="an empty list"),
            pytest.param(object(), "return a dict of what is worth showing, or nothing", id="an object"),
        ],
    )
    def test_how_to_mend_it(self, value: object, fix: str) -> None:
        @floe_asset(outputs=["t.t"])
        def asset() -> object:
            return value

        assert failure_of(asset, catalog=1).endswith(f"\n  fix: {fix}\n")

    def test_the_place_is_the_function_below_its_decorators(self) -> None:
        def logged(fn: Callable[[], object]) -> Callable[[], object]:
            @functools.wraps(fn)
            def wrapper() -> object:
                return fn()

            return wrapper

        @floe_asset(
            key_prefix="bronze",
        )
        @logged
        def asset() -> object:
            return 3

        result = materialize([asset], raise_on_error=False)

        [event] = result.get_step_failure_events()
        assert event.step_failure_data.user_failure_data is not None
        _, line = inspect.getsourcelines(self.test_the_place_is_the_function_below_its_decorators)
        described = str(event.step_failure_data.user_failure_data.description)
        assert described.splitlines()[1:3] == [
            f"  --> {shown_path(Path(__file__))}:{line + 12}",
            "   |  def asset() -> object:",
        ]

    def test_what_the_catalog_refuses_names_the_function_whose_rows_they_are(self, tmp_path: Path) -> None:
        @floe_asset(outputs=["bronze.waits"])
        def waits() -> object:
            return pa.table({"wait": pa.array([1], pa.duration("s"))})

        with pytest.raises(CatalogError) as error:
            materialize([waits], resources={"catalog": CatalogResource.embedded(tmp_path)})

        assert error.value.problems[0].location is not None
        assert error.value.problems[0].location.source_line == "        def waits() -> object:"

    def test_a_materialize_result_with_check_results(self) -> None:
        @floe_asset(check_specs=[dg.AssetCheckSpec("ok", asset="asset")])
        def asset() -> dg.MaterializeResult[Any]:
            return dg.MaterializeResult(metadata={"a": 1}, check_results=[dg.AssetCheckResult(passed=True)])

        result = materialize([asset])
        assert [check.check_name for check in result.get_asset_check_evaluations()] == ["ok"]

    def test_no_io_manager_is_asked_for_anything(self) -> None:
        class Refusing(dg.IOManager):
            def handle_output(self, context: dg.OutputContext, obj: object) -> None:
                raise AssertionError

            def load_input(self, context: dg.InputContext) -> None:
                raise AssertionError

        @floe_asset
        def upstream() -> dict[str, object]:
            return {"rows": 1}

        @floe_asset(deps=[upstream])
        def downstream() -> None: ...

        result = materialize([upstream, downstream], resources={"io_manager": Refusing()})

        assert result.success

    def test_with_an_io_manager_the_value_goes_to_it(self) -> None:
        stored: dict[str, object] = {}

        class Keeping(dg.IOManager):
            def handle_output(self, context: dg.OutputContext, obj: object) -> None:
                stored[context.asset_key.to_user_string()] = obj

            def load_input(self, context: dg.InputContext) -> object:
                return stored[context.asset_key.to_user_string()]

        @floe_asset(io_manager_key="memory")
        def numbers() -> dict[str, int]:
            return {"rows": 3}

        @floe_asset
        def total(numbers: dict[str, int]) -> dict[str, object]:
            return {"total": numbers["rows"]}

        assert metadata_of(total, upstream=(numbers,), memory=Keeping()) == {"total": 3}
        assert stored == {"numbers": {"rows": 3}}

    def test_the_users_exception_is_what_the_run_shows(self) -> None:
        @floe_asset
        def asset() -> None:
            raise ZeroDivisionError("my own mistake")

        with pytest.raises(ZeroDivisionError, match="my own mistake") as caught:
            materialize([asset])

        ours = [entry for entry in caught.traceback if "floe_dagster" in str(entry.path)]
        assert ours == []
        assert str(caught.traceback[-1].path) == __file__


class TestCalledDirectly:
    def test_it_returns_what_the_function_returns(self) -> None:
        @floe_asset(outputs=["bronze.t"])
        def asset(catalog: Any) -> object:
            return {"rows": catalog}

        assert asset(catalog=3) == {"rows": 3}

    def test_rows_are_returned_and_nothing_is_written(self) -> None:
        @floe_asset(outputs=["bronze.t"])
        def asset() -> pa.Table:
            return pa.table({"id": [1]})

        assert asset() == pa.table({"id": [1]})

    def test_with_a_context(self) -> None:
        @floe_asset(outputs=["bronze.t"], required_resource_keys={"clock"})
        def asset(context, catalog) -> object:  # type: ignore[no-untyped-def] # as users write
            return {"clock": context.resources.clock, "catalog": catalog}

        context = dg.build_asset_context(resources={"clock": 6, "catalog": 1})

        assert asset(context) == {"clock": 6, "catalog": 1}

    def test_with_inputs_and_config(self) -> None:
        class Limits(dg.Config):
            rows: int = 5

        @floe_asset
        def asset(context, numbers: list[int], config: Limits) -> object:  # type: ignore[no-untyped-def] # as users write
            return numbers[: config.rows]

        assert asset(dg.build_asset_context(), [1, 2, 3], config=Limits(rows=2)) == [1, 2]

    def test_a_coroutine(self) -> None:
        @floe_asset
        async def asset() -> object:
            return {"rows": 1}

        assert asyncio.run(asset()) == {"rows": 1}  # type: ignore[arg-type] # Dagster types a call as an object

    def test_a_partitioned_asset(self) -> None:
        @floe_asset(partitions_def=dg.StaticPartitionsDefinition(["x"]))
        def asset(context) -> object:  # type: ignore[no-untyped-def] # as users write
            return {"partition": context.partition_key}

        assert asset(dg.build_asset_context(partition_key="x")) == {"partition": "x"}
