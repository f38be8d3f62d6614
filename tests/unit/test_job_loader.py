"""Batch jobs of floe.yaml as Dagster jobs."""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum

import dagster as dg
import pytest
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from inline_snapshot import snapshot
from pydantic import Field

from builders import floe_yaml, parse_document
from floe_core.errors import LoadError
from floe_dagster.launching.launchable import Launchable, LaunchableAssets
from floe_dagster.loaders.job_loader import build_jobs
from floe_dagster.selection.asset_index import AssetIndex
from plugins.user_project import UserProject

EXECUTORS = {
    "in_process": dg.in_process_executor,
    "multiprocess": dg.multiprocess_executor,
    "four": dg.multiprocess_executor.configured({"max_concurrent": 4}),
}
DAILY = dg.DailyPartitionsDefinition("2024-01-01")
REGIONS = dg.StaticPartitionsDefinition(["eu", "us"])


class Load(dg.Config):
    limit: int
    mode: str = "all"


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Typed(dg.Config):
    whole: int = 1
    text: str = ""
    flag: bool = False
    several: list[int] = Field(default=[])
    named: dict[str, int] = Field(default={})
    colour: Colour = Colour.RED


@dg.asset(group_name="typed")
def typed(config: Typed) -> None: ...


@dg.asset(group_name="bronze")
def orders(config: Load) -> None: ...


@dg.asset(group_name="bronze", required_resource_keys={"catalog"})
def customers() -> None: ...


@dg.asset(group_name="gold", deps=[orders, customers], key_prefix="gold")
def revenue() -> None: ...


@dg.multi_asset(specs=[dg.AssetSpec("a", group_name="both"), dg.AssetSpec("b", group_name="both")])
def make_both() -> Iterator[dg.MaterializeResult[None]]:
    yield from (dg.MaterializeResult(asset_key="a"), dg.MaterializeResult(asset_key="b"))


@dg.asset_check(asset=orders)
def orders_are_complete() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


@dg.asset(group_name="parts", partitions_def=DAILY)
def by_day() -> None: ...


@dg.asset(group_name="parts", partitions_def=dg.DailyPartitionsDefinition("2024-01-01"))
def also_by_day() -> None: ...


@dg.asset(group_name="parts", partitions_def=REGIONS)
def by_region() -> None: ...


ASSETS = [typed, orders, customers, revenue, make_both, orders_are_complete, by_day, also_by_day, by_region]


def built(yaml: str, *, resources: Mapping[str, object] | None = None) -> dict[str, Launchable]:
    """The jobs of a floe.yaml with *yaml* below `orchestration.jobs`."""
    document = parse_document(floe_yaml("jobs:\n" + "\n".join(f"  {line}" for line in yaml.strip("\n").splitlines())))
    return build_jobs(
        document.spec.orchestration.jobs,
        assets=LaunchableAssets.of(AssetIndex.from_assets(ASSETS), ASSETS),
        source=document.source,
        executors=EXECUTORS,
        resources=resources,
    )


def job(fields: str) -> Launchable:
    return built(f"nightly: {{type: batch, {fields}}}")["nightly"]


def keys(*labels: str) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(label.split("/")) for label in labels)


def resolved(launchable: Launchable, assets: Sequence[dg.AssetsDefinition] = ASSETS) -> dg.JobDefinition:
    catalog = dg.ResourceDefinition.hardcoded_resource("tables")
    return dg.Definitions(assets=assets, jobs=[launchable.job], resources={"catalog": catalog}).resolve_job_def(
        "nightly"
    )


def message(yaml: str, *, resources: Mapping[str, object] | None = None) -> str:
    with pytest.raises(LoadError) as caught:
        built(yaml, resources=resources)
    return str(caught.value)


class TestFields:
    @pytest.mark.requirement("010-FR-020")
    def test_a_job_has_the_assets_that_it_selects_and_their_checks(self) -> None:
        launchable = job("selection: ['group:bronze', 'gold/*'], exclude: [customers]")

        definition = resolved(launchable)

        assert launchable.keys == keys("orders", "gold/revenue")
        assert {key.to_user_string() for key in definition.asset_layer.selected_asset_keys} == {
            "orders",
            "gold/revenue",
        }
        assert {key.name for key in definition.asset_layer.asset_graph.asset_check_keys} == {"orders_are_complete"}

    def test_description_tags_and_config_are_those_of_the_document(self) -> None:
        definition = resolved(
            job(
                "selection: [orders], description: Every night., tags: {team: sales}, "
                "config: {ops: {orders: {config: {limit: 3}}}}"
            )
        )

        assert (definition.description, definition.tags["team"]) == ("Every night.", "sales")
        assert definition.run_tags["team"] == "sales"
        assert definition.run_config == {"ops": {"orders": {"config": {"limit": 3}}}}

    def test_retries_and_run_time_become_the_tags_that_dagster_acts_on(self) -> None:
        definition = resolved(job("selection: [customers], max_retries: 2, max_runtime_seconds: 60"))

        assert definition.run_tags == {"dagster/max_retries": "2", "dagster/max_runtime": "60"}

    def test_no_retries_is_said_too(self) -> None:
        assert resolved(job("selection: [customers], max_retries: 0")).run_tags == {"dagster/max_retries": "0"}

    def test_an_executor_is_found_by_its_profile(self) -> None:
        assert resolved(job("selection: [customers], executor: four")).executor_def is EXECUTORS["four"]

    def test_a_job_without_an_executor_leaves_it_to_the_definitions(self) -> None:
        definition = job("selection: [customers]").job

        assert isinstance(definition, UnresolvedAssetJobDefinition)
        assert definition.executor_def is None

    def test_one_item_needs_no_list(self) -> None:
        assert job("selection: 'group:gold'").keys == keys("gold/revenue")

    def test_the_partitions_of_a_job_are_those_of_its_partitioned_assets(self) -> None:
        assert job("selection: [by_day, also_by_day, orders]").partitions_def == DAILY
        assert job("selection: [orders]").partitions_def is None


class TestRunConfig:
    @pytest.mark.parametrize(
        ("field", "wanted"),
        [
            pytest.param("whole: x", "a whole number is wanted there", id="whole-number"),
            pytest.param("whole: [1]", "a single value, or {env: NAME} is wanted there", id="list-for-one-value"),
            pytest.param("text: 3", "a text is wanted there", id="text"),
            pytest.param("flag: maybe", "true or false is wanted there", id="true-or-false"),
            pytest.param("several: 3", "a list is wanted there", id="list"),
            pytest.param("several: [1, x]", "a whole number is wanted there", id="item"),
            pytest.param("named: 3", "a mapping is wanted there", id="mapping"),
            pytest.param("named: {k: x}", "a whole number is wanted there", id="value-of-a-mapping"),
            pytest.param("colour: blue", "one of RED, GREEN is wanted there", id="enum"),
        ],
    )
    def test_a_value_of_the_wrong_type(self, field: str, wanted: str) -> None:
        text = message(
            f"nightly: {{type: batch, selection: [typed], config: {{ops: {{typed: {{config: {{{field}}}}}}}}}}}"
        )

        assert text.count("error[") == 1
        assert f"  why: {wanted}" in text.splitlines()

    def test_a_value_that_fits(self) -> None:
        fields = "whole: {env: WHOLE}, text: x, flag: true, several: [1], named: {k: 1}, colour: RED"

        assert job(f"selection: [typed], config: {{ops: {{typed: {{config: {{{fields}}}}}}}}}").keys == keys("typed")


class TestHooks:
    @pytest.fixture(autouse=True)
    def _hooks(self, user_project: UserProject, monkeypatch: pytest.MonkeyPatch) -> None:
        user_project.write(
            {
                "alerts.py": """
                    import dagster as dg

                    @dg.failure_hook
                    def page(context): ...

                    def mail(context): ...

                    def log(): ...

                    def post(context, slack): ...

                    def odd(context, retries: int): ...

                    async def later(context): ...

                    LIMIT = 3
                    """
            }
        )
        monkeypatch.syspath_prepend(user_project.path)

    def test_dagster_hooks_and_plain_functions_become_hooks(self) -> None:
        definition = resolved(
            job("selection: [customers], hooks: [alerts.page, {target_function: alerts.mail, on: success}]")
        )

        assert {hook.name for hook in definition.hook_defs} == {"page", "mail_on_success"}

    def test_one_function_may_be_called_at_both_ends(self) -> None:
        hooks = "[{target_function: alerts.log, on: success}, {target_function: alerts.log, on: failure}]"

        definition = job(f"selection: [customers], hooks: {hooks}").job

        assert isinstance(definition, UnresolvedAssetJobDefinition)
        assert {hook.name for hook in definition.hooks or ()} == {"log_on_success", "log_on_failure"}

    def test_a_function_asks_for_resources_by_name(self) -> None:
        definition = job("selection: [customers], hooks: [{target_function: alerts.post, on: failure}]").job

        assert isinstance(definition, UnresolvedAssetJobDefinition)
        assert [hook.required_resource_keys for hook in definition.hooks or ()] == [{"slack"}]

    def test_a_resource_that_a_hook_asks_for_is_missing(self) -> None:
        yaml = "nightly: {type: batch, selection: [customers], hooks: [{target_function: alerts.post, on: failure}]}"

        assert message(yaml, resources={"catalog": object(), "slak": object()}) == snapshot("""\
error[FLOE-374]: hook 'alerts.post' asks for the resource 'slack', which does not exist
  --> floe.yaml:3:78  orchestration.jobs.nightly.hooks[0].target_function
   |  nightly: {type: batch, selection: [customers], hooks: [{target_function: alerts.post, on: failure}]}
  why: a parameter without annotation is the resource of its name; there are catalog, slak
  fix: did you mean 'slak'?\
""")

    def test_what_is_wrong_with_hooks(self) -> None:
        assert message(
            """
nightly:
  type: batch
  selection: [customers]
  hooks:
    - alerts.mail
    - {target_function: alerts.page, on: failure}
    - {target_function: alerts.odd, on: failure}
    - {target_function: alerts.later, on: failure}
    - alerts.LIMIT
    - alerts.pag
"""
        ) == snapshot("""\
error[FLOE-354]: hook 'alerts.mail' is a plain function and does not say when it is called
  --> floe.yaml:7:11  orchestration.jobs.nightly.hooks[0]
   |  - alerts.mail
  why: Dagster calls a hook when a step of the job succeeds, or when it fails
  fix: write {target_function: alerts.mail, on: failure}, or on: success

error[FLOE-354]: hook 'alerts.page' is a Dagster hook and has 'on: failure' beside it
  --> floe.yaml:8:29  orchestration.jobs.nightly.hooks[1].target_function
   |  - {target_function: alerts.page, on: failure}
  why: a Dagster hook knows by itself when it is called; 'on' is for plain functions
  fix: delete 'on'

error[FLOE-354]: hook 'alerts.odd' asks for 'retries', which nothing provides
  --> floe.yaml:9:29  orchestration.jobs.nightly.hooks[2].target_function
   |  - {target_function: alerts.odd, on: failure}
  why: a hook's function takes 'context' and resources by name
  fix: take them from context, such as context.op_config or context.resources

error[FLOE-312]: hook 'alerts.later' is a coroutine function
  --> floe.yaml:10:29  orchestration.jobs.nightly.hooks[3].target_function
   |  - {target_function: alerts.later, on: failure}
  why: a hook is a Dagster hook (@dg.success_hook, @dg.failure_hook) or a plain function of its context
  fix: name a function that Dagster can call when a step ends

error[FLOE-312]: hook 'alerts.LIMIT' is of type int
  --> floe.yaml:11:11  orchestration.jobs.nightly.hooks[4]
   |  - alerts.LIMIT
  why: a hook is a Dagster hook (@dg.success_hook, @dg.failure_hook) or a plain function of its context
  fix: name a function that Dagster can call when a step ends

error[FLOE-311]: module 'alerts' has no 'pag'
  --> floe.yaml:12:11  orchestration.jobs.nightly.hooks[5]
   |  - alerts.pag
  why: it defines mail, log, post, odd, later

6 errors\
""")


class TestWhatIsWrong:
    @pytest.mark.requirement("010-FR-023")
    def test_a_selection_of_nothing(self) -> None:
        assert message("nightly: {type: batch, selection: ['group:bronz']}") == snapshot("""\
error[FLOE-331]: job 'nightly' selects group 'bronz', which no asset has
  --> floe.yaml:3:41  orchestration.jobs.nightly.selection[0]
   |  nightly: {type: batch, selection: ['group:bronz']}
  why: the groups are both, bronze, gold, parts, typed
  fix: did you mean 'bronze'?\
""")

    def test_the_name_of_an_asset(self) -> None:
        assert message("customers: {type: batch, selection: [orders]}") == snapshot("""\
error[FLOE-352]: job 'customers' has the name of asset 'customers'
  --> floe.yaml:3:5  orchestration.jobs.customers
   |  customers: {type: batch, selection: [orders]}
  why: Dagster makes an op of an asset, and no job may be named like an op
  fix: rename the job, for example to 'customers_job'\
""")

    def test_the_name_of_an_op(self) -> None:
        assert message("make_both: {type: batch, selection: [orders]}") == snapshot("""\
error[FLOE-352]: job 'make_both' has the name of an op that computes a, b
  --> floe.yaml:3:5  orchestration.jobs.make_both
   |  make_both: {type: batch, selection: [orders]}
  why: Dagster makes an op of an asset, and no job may be named like an op
  fix: rename the job, for example to 'make_both_job'\
""")

    def test_the_name_of_a_check(self) -> None:
        assert message("orders_orders_are_complete: {type: batch, selection: [orders]}") == snapshot("""\
error[FLOE-352]: job 'orders_orders_are_complete' has the name of an asset check
  --> floe.yaml:3:5  orchestration.jobs.orders_orders_are_complete
   |  orders_orders_are_complete: {type: batch, selection: [orders]}
  why: Dagster makes an op of an asset, and no job may be named like an op
  fix: rename the job, for example to 'orders_orders_are_complete_job'\
""")

    def test_a_job_may_have_the_name_of_an_asset_that_is_no_op(self) -> None:
        assert list(built("a: {type: batch, selection: [orders]}")) == ["a"]

    def test_assets_with_different_partitions(self) -> None:
        assert message("nightly: {type: batch, selection: ['group:parts', orders]}") == snapshot("""\
error[FLOE-351]: job 'nightly' selects assets with 2 different partitions definitions
  --> floe.yaml:3:39  orchestration.jobs.nightly.selection
   |  nightly: {type: batch, selection: ['group:parts', orders]}
      also_by_day, by_day: a time window of '0 0 * * *' from 2024-01-01 in UTC
      by_region: the keys eu, us
  why: in Dagster all partitioned assets of a run have one partitions definition
  fix: make a job for each of them\
""")

    def test_a_tag_beside_its_field(self) -> None:
        assert message(
            "nightly: {type: batch, selection: [orders], max_retries: 2, tags: {dagster/max_retries: 3}}"
        ) == snapshot("""\
error[FLOE-355]: job 'nightly' sets tag 'dagster/max_retries' beside 'max_retries'
  --> floe.yaml:3:72  orchestration.jobs.nightly.tags.dagster/max_retries
   |  nightly: {type: batch, selection: [orders], max_retries: 2, tags: {dagster/max_retries: 3}}
  why: 'max_retries' becomes that tag, and the two could differ
  fix: delete one of the two\
""")

    def test_run_config(self) -> None:
        assert message(
            """
nightly:
  type: batch
  selection: [orders, customers]
  config:
    opps: {}
    ops:
      order:
        config: {}
      customers:
        config: {limit: 1}
      orders:
        config:
          mod: all
          mode: 1
"""
        ) == snapshot("""\
error[FLOE-353]: run config of job 'nightly' has key 'opps', which does not exist
  --> floe.yaml:7:9  orchestration.jobs.nightly.config.opps
   |  opps: {}
  why: the keys there are ops, resources, execution, loggers
  fix: did you mean 'ops'?

error[FLOE-353]: run config of job 'nightly' has op 'order', which does not exist
  --> floe.yaml:9:11  orchestration.jobs.nightly.config.ops.order
   |  order:
  why: the ops there are customers, orders, orders_orders_are_complete
  fix: did you mean 'orders'?

error[FLOE-353]: run config of job 'nightly' has key 'mod', which does not exist
  --> floe.yaml:15:15  orchestration.jobs.nightly.config.ops.orders.config.mod
   |  mod: all
  why: the keys there are limit, mode
  fix: did you mean 'mode'?

error[FLOE-353]: run config of job 'nightly' lacks 'limit' at ops.orders.config
  --> floe.yaml:15:15  orchestration.jobs.nightly.config.ops.orders.config
   |  mod: all
  why: it is required there
  fix: add 'limit'

error[FLOE-353]: run config of job 'nightly' has a value of the wrong type at ops.orders.config.mode
  --> floe.yaml:16:21  orchestration.jobs.nightly.config.ops.orders.config.mode
   |  mode: 1
  why: a text is wanted there

5 errors\
""")

    def test_run_config_of_the_executor(self) -> None:
        config = "execution: {config: {max_concurent: 2}}"

        assert message(
            f"nightly: {{type: batch, selection: [orders], executor: multiprocess, config: {{{config}}}}}"
        ) == (
            snapshot("""\
error[FLOE-353]: run config of job 'nightly' has key 'max_concurent', which does not exist
  --> floe.yaml:3:103  orchestration.jobs.nightly.config.execution.config.max_concurent
   |  … executor: multiprocess, config: {execution: {config: {max_concurent: 2}}}}
  why: the keys there are max_concurrent, retries, start_method, step_dependency_config, tag_concurrency_limits
  fix: did you mean 'max_concurrent'?\
""")
        )

    def test_run_config_of_a_resource(self) -> None:
        class Catalog(dg.ConfigurableResource[str]):
            path: str = "."

        config = "{resources: {catalog: {config: {pat: x}}}}"
        yaml = f"nightly: {{type: batch, selection: [customers], config: {config}}}"

        assert message(yaml, resources={"catalog": Catalog()}) == snapshot("""\
error[FLOE-353]: run config of job 'nightly' has key 'pat', which does not exist
  --> floe.yaml:3:92  orchestration.jobs.nightly.config.resources.catalog.config.pat
   |  nightly: {type: batch, selection: [customers], config: {resources: {catalog: {config: {pat: x}}}}}
  why: the keys there are path
  fix: did you mean 'path'?\
""")
        assert list(built(yaml)) == ["nightly"]

    def test_all_jobs_are_reported_at_once(self) -> None:
        assert message(
            "one: {type: batch, selection: [nope]}\n"
            "two: {type: batch, selection: ['kind:x'], max_retries: 1, tags: {dagster/max_retries: 2}}"
        ) == (
            snapshot("""\
error[FLOE-331]: job 'one' selects asset 'nope', which does not exist
  --> floe.yaml:3:36  orchestration.jobs.one.selection[0]
   |  one: {type: batch, selection: [nope]}
  why: an asset is named by its whole key, or by the last part of it where no other key ends so
  fix: run 'floe list assets' to see the assets with their groups, tags, kinds and owners

error[FLOE-331]: job 'two' selects kind 'x', which no asset has
  --> floe.yaml:4:37  orchestration.jobs.two.selection[0]
   |  two: {type: batch, selection: ['kind:x'], max_retries: 1, tags: {dagster/max_retries: 2}}
  why: no asset has any kind
  fix: run 'floe list assets' to see the assets with their groups, tags, kinds and owners

error[FLOE-355]: job 'two' sets tag 'dagster/max_retries' beside 'max_retries'
  --> floe.yaml:4:70  orchestration.jobs.two.tags.dagster/max_retries
   |  two: {type: batch, selection: ['kind:x'], max_retries: 1, tags: {dagster/max_retries: 2}}
  why: 'max_retries' becomes that tag, and the two could differ
  fix: delete one of the two

3 errors\
""")
        )

    def test_config_may_leave_things_to_who_launches(self) -> None:
        assert list(built("nightly: {type: batch, selection: [orders, customers], config: {loggers: {}}}")) == [
            "nightly"
        ]
