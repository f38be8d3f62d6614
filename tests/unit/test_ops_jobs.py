"""Ops jobs of floe.yaml as Dagster jobs that call one function, op or graph."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import dagster as dg
import pytest
from dagster._core.snap.snap_to_yaml import default_values_yaml_from_type_snap
from inline_snapshot import snapshot

from builders import floe_yaml, parse_document
from floe_core.errors import LoadError
from floe_dagster.launching.launchable import LaunchableAssets
from floe_dagster.loaders.job_loader import build_jobs
from floe_dagster.selection.asset_index import AssetIndex
from floe_dagster.user_code.import_paths import set_up_import_paths
from plugins.user_project import UserProject

OPS = '''
from __future__ import annotations

import asyncio
import datetime as dt
import enum
from typing import TYPE_CHECKING, Literal

import dagster as dg

if TYPE_CHECKING:
    from floe_dagster.resources.catalog import CatalogResource

CALLS = []


class Mode(enum.Enum):
    FAST = "fast"
    SLOW = "slow"


def vacuum(
    context: dg.OpExecutionContext,
    catalog: CatalogResource,
    tables: list[str],
    *,
    retention: str = "7d",
    most: int | None = None,
    ratio: float = 0.5,
    dry_run: bool = True,
    mode: Mode = Mode.FAST,
    order: Literal["name", "size"] = "name",
    since: dt.date = dt.date(2024, 1, 1),
    labels: dict[str, int] = {},
    extra=None,
) -> dict:
    """Removes what nobody reads."""
    CALLS.append((catalog, tables, retention, most, ratio, dry_run, mode, order, since, labels, extra))
    return {"tables": tables, "run": context.run_id != "", "seconds": 1.5}


def nothing(): ...


def clean(tables):
    CALLS.append(tables)


def number() -> int:
    return 42


def events(context):
    yield dg.AssetMaterialization("swept")
    yield {"first": 1}
    return dg.Output({"second": 2}, metadata={"third": 3})


async def later(seconds: int = 0):
    await asyncio.sleep(seconds)
    return {"seconds": seconds}


async def stream():
    yield {"one": 1}
    await asyncio.sleep(0)
    yield {"two": 2}


def several() -> tuple:
    return dg.AssetMaterialization("one"), dg.MaterializeResult(asset_key="two", metadata={"rows": 3})


def options(name: str, **rest: object):
    CALLS.append((name, rest))


def positional(a: int, /, b: int):
    CALLS.append((a, b))


def fails(attempt: int = 0):
    CALLS.append(attempt)
    raise ValueError("no good")


def typed(session: dt.tzinfo, path: str = "x"): ...


def by_resource(context, mailer): ...


LIMIT = 3
'''

OWN = """
import dagster as dg
from pydantic import BaseModel


class Sweep(dg.Config):
    days: int
    name: str = "all"


class Window(BaseModel):
    first: int
    last: int = 9


CALLS = []


def configured(config: Sweep):
    CALLS.append(config)
    return {"days": config.days}


def nested(sweep: Sweep, window: Window = Window(first=1)):
    CALLS.append((sweep, window))


@dg.op
def sweep(context: dg.OpExecutionContext, config: Sweep) -> int:
    CALLS.append(config)
    return config.days


@dg.op(config_schema={"a": int, "b": dg.Field(str, default_value="q")})
def classic(context):
    CALLS.append(context.op_config)


@dg.op
def plain() -> None:
    CALLS.append("plain")


@dg.op
def takes(tables: str) -> None: ...


@dg.config_mapping(config_schema={"days": int, "deep": dg.Field(bool, default_value=False)})
def mapping(config):
    return {"classic": {"config": {"a": config["days"]}}}


@dg.graph(config=mapping)
def mapped():
    classic()


@dg.graph
def two():
    plain()
    classic()


@dg.job
def whole():
    plain()


@dg.asset
def orders() -> None: ...


class Sweeper: ...
nameless = lambda limit=1: CALLS.append(limit)
"""


@pytest.fixture(autouse=True)
def _shop(user_project: UserProject) -> None:
    user_project.write({"shop/__init__.py": "", "shop/ops.py": OPS, "shop/own.py": OWN})
    set_up_import_paths(user_project.path)


@dg.asset
def bronze_orders() -> None: ...


def built(yaml: str, *, resources: Mapping[str, object] | None = None) -> dict[str, dg.JobDefinition]:
    """The jobs of a floe.yaml with *yaml* below `orchestration.jobs`."""
    document = parse_document(floe_yaml("jobs:\n" + "\n".join(f"  {line}" for line in yaml.strip("\n").splitlines())))
    jobs = build_jobs(
        document.spec.orchestration.jobs,
        assets=LaunchableAssets.of(AssetIndex.from_assets([bronze_orders]), [bronze_orders]),
        source=document.source,
        executors={},
        resources={"catalog": "tables"} if resources is None else resources,
    )
    return {name: job.job for name, job in jobs.items() if isinstance(job.job, dg.JobDefinition)}


def job(fields: str) -> dg.JobDefinition:
    """The job as the definitions have it, its resources bound."""
    definition = built(f"tidy: {{type: ops, {fields}}}")["tidy"]
    catalog = dg.ResourceDefinition.hardcoded_resource("tables")
    return dg.Definitions(jobs=[definition], resources={"catalog": catalog}).resolve_job_def("tidy")


def calls(module: str = "shop.ops") -> list[Any]:
    """What the functions of the module were called with, forgotten with that."""
    calls = import_module(module).CALLS
    taken = list(calls)
    calls.clear()
    return taken


def outputs(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    [event] = [event for event in result.all_node_events if event.event_type == dg.DagsterEventType.STEP_OUTPUT]
    return {name: value.value for name, value in event.step_output_data.metadata.items()}


def launchpad(definition: dg.JobDefinition) -> str:
    """What the Launchpad shows before anything is typed."""
    snap = definition.get_job_snapshot()
    root = snap.config_schema_snapshot.get_config_snap(str(snap.mode_def_snaps[0].root_config_key))
    return default_values_yaml_from_type_snap(snap.config_schema_snapshot, root)


def message(yaml: str, *, resources: Mapping[str, object] | None = None) -> str:
    with pytest.raises(LoadError) as caught:
        built(yaml, resources=resources)
    return str(caught.value)


class TestFunctions:
    def test_a_function_without_a_name_is_called_as_well(self) -> None:
        assert job("target_function: shop.own.nameless, args: {limit: 3}").execute_in_process().success
        assert calls("shop.own") == [3]

    @pytest.mark.requirement("010-FR-022")
    def test_the_function_gets_its_arguments_as_its_annotations_say(self) -> None:
        definition = job(
            "target_function: shop.ops.vacuum, args: {tables: [bronze.*], most: 3, ratio: 1, dry_run: false, "
            "mode: slow, order: size, since: 2024-03-01, labels: {a: 1}, extra: [1, x]}"
        )
        assert calls() == []

        result = definition.execute_in_process()

        [(catalog, tables, retention, most, ratio, dry_run, mode, order, since, labels, extra)] = calls()
        assert (catalog, tables, retention, most, ratio, dry_run) == ("tables", ["bronze.*"], "7d", 3, 1.0, False)
        assert (mode.name, order, since.isoformat(), labels, extra) == (
            "SLOW",
            "size",
            "2024-03-01",
            {"a": 1},
            [1, "x"],
        )
        assert outputs(result) == {"tables": ["bronze.*"], "run": 1, "seconds": 1.5}

    @pytest.mark.requirement("010-FR-021")
    def test_the_launchpad_shows_every_argument_with_its_value(self) -> None:
        assert launchpad(
            job("target_function: shop.ops.vacuum, args: {tables: [bronze.*], mode: SLOW, retention: 1d}")
        ) == snapshot("""\
ops:
  vacuum:
    config:
      dry_run: true
      labels: {}
      mode: slow
      order: name
      ratio: 0.5
      retention: 1d
      since: 2024-01-01
      tables:
      - bronze.*
""")

    def test_the_fields_have_the_types_of_the_annotations(self) -> None:
        definition = job("target_function: shop.ops.vacuum, args: {tables: []}")
        schema: Any = definition.graph.node_defs[0].config_schema

        assert {name: field.config_type.key for name, field in schema.config_type.fields.items()} == snapshot(
            {
                "tables": "Array.String",
                "retention": "String",
                "most": "Noneable.Int",
                "ratio": "Float",
                "dry_run": "Bool",
                "mode": "fast or slow",
                "order": "name or size",
                "since": "String",
                "labels": "Map.String.Int",
                "extra": "Any",
            }
        )

    def test_run_config_that_sets_one_argument_leaves_the_others(self) -> None:
        definition = job("target_function: shop.ops.vacuum, args: {tables: [a], retention: 1d}")

        definition.execute_in_process(run_config={"ops": {"vacuum": {"config": {"most": 7}}}})

        [(_, tables, retention, most, *_)] = calls()
        assert (tables, retention, most) == (["a"], "1d", 7)

    def test_a_value_of_the_launchpad_that_dagster_lets_pass_fails_the_run_in_floes_words(self) -> None:
        definition = job("target_function: shop.ops.vacuum, args: {tables: [a]}")

        result = definition.execute_in_process(
            run_config={"ops": {"vacuum": {"config": {"since": "yesterday"}}}}, raise_on_error=False
        )

        [failure] = [event for event in result.all_node_events if event.is_step_failure]
        assert calls() == []
        assert failure.step_failure_data.error is not None
        assert "error[FLOE-314]" in failure.step_failure_data.error.message
        assert "a value at since" in failure.step_failure_data.error.message

    @pytest.mark.parametrize(
        ("function", "metadata"),
        [
            pytest.param("nothing", {}, id="nothing"),
            pytest.param("number", {"result": 42}, id="a-value"),
            pytest.param("events", {"first": 1, "second": 2, "third": 3}, id="generator"),
            pytest.param("later", {"seconds": 0}, id="async"),
            pytest.param("stream", {"one": 1, "two": 2}, id="async-generator"),
            pytest.param("several", {}, id="events"),
        ],
    )
    def test_what_a_function_returns_becomes_metadata_of_its_output(
        self, function: str, metadata: Mapping[str, object]
    ) -> None:
        assert outputs(job(f"target_function: shop.ops.{function}").execute_in_process()) == metadata

    def test_events_that_a_function_returns_or_yields_are_recorded(self) -> None:
        of_generator = job("target_function: shop.ops.events").execute_in_process()
        of_tuple = job("target_function: shop.ops.several").execute_in_process()

        recorded = [
            [event.asset_key.to_user_string() for event in result.all_events if event.is_step_materialization]  # type: ignore[union-attr] # these have one
            for result in (of_generator, of_tuple)
        ]
        assert recorded == [["swept"], ["one", "two"]]

    def test_a_parameter_without_annotation_takes_anything(self) -> None:
        job("target_function: shop.ops.clean, args: {tables: {a: [1]}}").execute_in_process()

        assert calls() == [{"a": [1]}]

    def test_a_function_may_take_arguments_of_any_name(self) -> None:
        job("target_function: shop.ops.options, args: {name: x, deep: [1]}").execute_in_process()
        job("target_function: shop.ops.positional, args: {a: 1, b: 2}").execute_in_process()

        assert calls() == [("x", {"deep": [1]}), (1, 2)]

    def test_the_arguments_may_be_the_fields_of_a_config_class(self) -> None:
        definition = job("target_function: shop.own.configured, args: {days: 3}")

        result = definition.execute_in_process()
        definition.execute_in_process(run_config={"ops": {"configured": {"config": {"name": "some"}}}})

        assert [(config.days, config.name) for config in calls("shop.own")] == [(3, "all"), (3, "some")]
        assert outputs(result) == {"days": 3}

    def test_arguments_may_be_models(self) -> None:
        job("target_function: shop.own.nested, args: {sweep: {days: 3}, window: {first: 2}}").execute_in_process()

        [(sweep, window)] = calls("shop.own")
        assert (sweep.days, sweep.name, window.first, window.last) == (3, "all", 2, 9)

    def test_two_jobs_over_one_function_keep_their_arguments(self) -> None:
        jobs = built(
            "one: {type: ops, target_function: shop.ops.clean, args: {tables: 1}}\n"
            "clean: {type: ops, target_function: shop.ops.clean, args: {tables: 2}}"
        )
        definitions = dg.Definitions(jobs=list(jobs.values()))

        dg.Definitions.validate_loadable(definitions)
        for name in jobs:
            definitions.resolve_job_def(name).execute_in_process()

        assert calls() == [1, 2]

    def test_a_retry_policy_and_tags_and_the_description_are_those_of_the_document(self) -> None:
        definition = job(
            "target_function: shop.ops.fails, retry_policy: {max_retries: 2}, tags: {team: x}, description: Tidy up."
        )

        result = definition.execute_in_process(raise_on_error=False)

        assert (result.success, calls()) == (False, [0, 0, 0])
        assert (definition.description, definition.run_tags["team"]) == ("Tidy up.", "x")

    def test_the_docstring_describes_the_op(self) -> None:
        [op] = job("target_function: shop.ops.vacuum, args: {tables: []}").graph.node_defs

        assert op.description == "Removes what nobody reads."


class TestOpsAndGraphs:
    def test_an_op_with_a_config_class(self) -> None:
        definition = job("target_function: shop.own.sweep, args: {days: 3}")

        definition.execute_in_process()
        definition.execute_in_process(run_config={"ops": {"sweep": {"config": {"name": "some"}}}})

        assert [(config.days, config.name) for config in calls("shop.own")] == [(3, "all"), (3, "some")]
        assert launchpad(definition) == snapshot("""\
ops:
  sweep:
    config:
      days: 3
      name: all
""")

    def test_an_op_with_a_config_schema(self) -> None:
        job("target_function: shop.own.classic, args: {a: 1}").execute_in_process()

        assert calls("shop.own") == [{"a": 1, "b": "q"}]

    def test_an_op_without_config(self) -> None:
        job("target_function: shop.own.plain").execute_in_process()

        assert calls("shop.own") == ["plain"]

    def test_a_graph_with_a_config_mapping(self) -> None:
        definition = job("target_function: shop.own.mapped, args: {days: 4}")

        definition.execute_in_process()
        definition.execute_in_process(run_config={"ops": {"config": {"days": 5}}})

        assert calls("shop.own") == [{"a": 4, "b": "q"}, {"a": 5, "b": "q"}]

    def test_a_graph_of_several_ops(self) -> None:
        definition = job("target_function: shop.own.two")

        definition.execute_in_process(run_config={"ops": {"classic": {"config": {"a": 1}}}})

        assert sorted(calls("shop.own"), key=str) == sorted(["plain", {"a": 1, "b": "q"}], key=str)

    def test_two_jobs_over_one_op_or_graph_load_together(self) -> None:
        jobs = built(
            "one: {type: ops, target_function: shop.own.sweep, args: {days: 1}}\n"
            "sweep: {type: ops, target_function: shop.own.sweep, args: {days: 2}}\n"
            "three: {type: ops, target_function: shop.own.mapped, args: {days: 3}}\n"
            "mapped: {type: ops, target_function: shop.own.mapped, args: {days: 4}}\n"
        )

        dg.Definitions.validate_loadable(dg.Definitions(jobs=list(jobs.values())))


ASKING = """
import dagster as dg


def by_name(catalog): ...


def by_type(mail: dg.ResourceParam[object]): ...


@dg.op(required_resource_keys={"mail"})
def by_key(): ...


class Mailer:
    def send(self, days: int = 1): ...
"""


class TestWhatIsWrong:
    @pytest.mark.requirement("010-FR-022")
    def test_arguments_that_are_missing_unknown_or_of_another_type(self) -> None:
        assert message("""
tidy:
  type: ops
  target_function: shop.ops.vacuum
  args:
    tabels: [a]
    retention: 7
    most: "3"
    ratio: much
    dry_run: "no"
    mode: faster
    since: [2024]
    labels: {a: x}
    catalog: mine
    context: {}
""") == snapshot("""\
error[FLOE-314]: job 'tidy' gives 'shop.ops.vacuum' the argument 'tabels', which it does not take
  --> floe.yaml:7:9  orchestration.jobs.tidy.args.tabels
   |  tabels: [a]
  why: the function takes tables, retention, most, ratio, dry_run, mode, order, since and 2 more (shop/ops.py:21)
  fix: did you mean 'labels' or 'tables'?

error[FLOE-314]: job 'tidy' gives 'shop.ops.vacuum' a value for 'retention' that it does not take
  --> floe.yaml:8:20  orchestration.jobs.tidy.args.retention
   |  retention: 7
  why: the parameter is `retention: str`: input should be a valid string
  fix: write it in quotes: "7"

error[FLOE-314]: job 'tidy' gives 'shop.ops.vacuum' a value for 'most' that it does not take
  --> floe.yaml:9:15  orchestration.jobs.tidy.args.most
   |  most: "3"
  why: the parameter is `most: int | None`: input should be a valid integer
  fix: write it without quotes: 3

error[FLOE-314]: job 'tidy' gives 'shop.ops.vacuum' a value for 'ratio' that it does not take
  --> floe.yaml:10:16  orchestration.jobs.tidy.args.ratio
   |  ratio: much
  why: the parameter is `ratio: float`: input should be a valid number
  fix: write a number

error[FLOE-314]: job 'tidy' gives 'shop.ops.vacuum' a value for 'dry_run' that it does not take
  --> floe.yaml:11:18  orchestration.jobs.tidy.args.dry_run
   |  dry_run: "no"
  why: the parameter is `dry_run: bool`: input should be a valid boolean
  fix: write true or false

error[FLOE-314]: job 'tidy' gives 'shop.ops.vacuum' a value for 'mode' that it does not take
  --> floe.yaml:12:15  orchestration.jobs.tidy.args.mode
   |  mode: faster
  why: the parameter is `mode: shop.ops.Mode`: input should be 'fast' or 'slow'

error[FLOE-314]: job 'tidy' gives 'shop.ops.vacuum' a value for 'since' that it does not take
  --> floe.yaml:13:16  orchestration.jobs.tidy.args.since
   |  since: [2024]
  why: the parameter is `since: datetime.date`: input should be a valid date
  fix: write it like 2024-03-01

error[FLOE-314]: job 'tidy' gives 'shop.ops.vacuum' a value for 'labels' that it does not take
  --> floe.yaml:14:21  orchestration.jobs.tidy.args.labels.a
   |  labels: {a: x}
  why: the parameter is `labels: dict[str, int]`: input should be a valid integer
  fix: write a whole number

error[FLOE-314]: job 'tidy' gives 'shop.ops.vacuum' the argument 'catalog', which is filled in
  --> floe.yaml:15:9  orchestration.jobs.tidy.args.catalog
   |  catalog: mine
  why: the parameter takes the resource 'catalog'
  fix: delete it here

error[FLOE-314]: job 'tidy' gives 'shop.ops.vacuum' the argument 'context', which is filled in
  --> floe.yaml:16:9  orchestration.jobs.tidy.args.context
   |  context: {}
  why: the parameter takes the context of the run or tick
  fix: delete it here

10 errors\
""")

    def test_a_list_with_a_wrong_item_is_told_at_the_item(self) -> None:
        assert message("tidy: {type: ops, target_function: shop.ops.vacuum, args: {tables: [a, 1]}}") == snapshot("""\
error[FLOE-314]: job 'tidy' gives 'shop.ops.vacuum' a value for 'tables' that it does not take
  --> floe.yaml:3:76  orchestration.jobs.tidy.args.tables[1]
   |  tidy: {type: ops, target_function: shop.ops.vacuum, args: {tables: [a, 1]}}
  why: the parameter is `tables: list[str]`: input should be a valid string
  fix: write it in quotes: "1"\
""")

    def test_a_number_of_the_environment_for_a_text(self) -> None:
        assert message(
            'tidy: {type: ops, target_function: shop.ops.vacuum, args: {tables: [], retention: "${DAYS:7}"}}'
        ) == snapshot("""\
error[FLOE-314]: job 'tidy' gives 'shop.ops.vacuum' a value for 'retention' that it does not take
  --> floe.yaml:3:87  orchestration.jobs.tidy.args.retention
   |  tidy: {type: ops, target_function: shop.ops.vacuum, args: {tables: [], retention: "${DAYS:7}"}}
  why: the parameter is `retention: str`: input should be a valid string
  fix: a variable that looks like a number is one: annotate the parameter `int | str`\
""")

    def test_a_parameter_that_is_neither_argument_nor_resource(self) -> None:
        assert message("tidy: {type: ops, target_function: shop.ops.by_resource}") == snapshot("""\
error[FLOE-314]: job 'tidy' does not give 'shop.ops.by_resource' the argument 'mailer'
  --> floe.yaml:3:5  orchestration.jobs.tidy
   |  tidy: {type: ops, target_function: shop.ops.by_resource}
  why: the parameter has no default, and no resource has its name (shop/ops.py:89)
  fix: add it: args: {mailer: …}, or define the resource 'mailer' in platform.yaml, if one is meant\
""")

    def test_a_resource_that_does_not_exist(self) -> None:
        assert message(
            "tidy: {type: ops, target_function: shop.ops.vacuum, args: {tables: []}}", resources={"dbt": 1}
        ) == snapshot("""\
error[FLOE-374]: 'shop.ops.vacuum' asks for the resource 'catalog', which does not exist
  --> floe.yaml:3:40  orchestration.jobs.tidy.target_function
   |  tidy: {type: ops, target_function: shop.ops.vacuum, args: {tables: []}}
  why: a parameter without annotation is the resource of its name; there are dbt
  fix: delete the parameter, or define it under 'resources' in platform.yaml\
""")

    @pytest.mark.parametrize(
        ("target", "told"),
        [
            ("shop.asking.by_name", "a parameter without annotation is the resource of its name"),
            ("shop.asking.by_type", "the parameter 'mail' is annotated as a resource"),
            ("shop.asking.by_key", "it is among the required resource keys"),
        ],
    )
    def test_why_a_resource_is_asked_for(self, target: str, told: str, user_project: UserProject) -> None:
        user_project.write({"shop/asking.py": ASKING})
        args = ", args: {}" if target != "shop.asking.by_name" else ""
        resources = {"dbt": 1} if target != "shop.asking.by_name" else {"catlog": 1}

        text = message(f"tidy: {{type: ops, target_function: {target}{args}}}", resources=resources)

        assert "FLOE-374" in text
        assert f"\n  why: {told}; there are " in text

    def test_a_method_is_called_on_nothing(self, user_project: UserProject) -> None:
        user_project.write({"shop/asking.py": ASKING})

        assert message("tidy: {type: ops, target_function: shop.asking.Mailer.send}") == snapshot("""\
error[FLOE-314]: job 'tidy' calls 'shop.asking.Mailer.send', which is a method
  --> floe.yaml:3:5  orchestration.jobs.tidy
   |  tidy: {type: ops, target_function: shop.asking.Mailer.send}
  why: it is called on an object, and there is none (shop/asking.py:15)
  fix: name a function, or put @staticmethod above the method and take 'self' out of it\
""")

    def test_an_argument_of_a_type_that_no_document_has(self) -> None:
        assert message("tidy: {type: ops, target_function: shop.ops.typed, args: {session: utc}}") == snapshot("""\
error[FLOE-314]: job 'tidy' gives 'shop.ops.typed' a value for 'session' that it does not take
  --> floe.yaml:3:72  orchestration.jobs.tidy.args.session
   |  tidy: {type: ops, target_function: shop.ops.typed, args: {session: utc}}
  why: the parameter is `session: datetime.tzinfo`: no value of a document is of its type, datetime.tzinfo
  fix: give the parameter a default, or make a resource of it\
""")

    def test_fields_of_a_config_class(self) -> None:
        assert message("""
a: {type: ops, target_function: shop.own.configured, args: {name: x}}
b: {type: ops, target_function: shop.own.configured, args: {days: x}}
c: {type: ops, target_function: shop.own.configured, args: {days: 3, nmae: x}}
""") == snapshot("""\
error[FLOE-314]: job 'a' gives 'shop.own.configured' arguments that do not fit
  --> floe.yaml:3:64  orchestration.jobs.a.args
   |  a: {type: ops, target_function: shop.own.configured, args: {name: x}}
  why: it lacks 'days'
  fix: add 'days'

error[FLOE-314]: job 'b' gives 'shop.own.configured' a value for 'days' that it does not take
  --> floe.yaml:4:71  orchestration.jobs.b.args.days
   |  b: {type: ops, target_function: shop.own.configured, args: {days: x}}
  why: Sweep has type Int there
  fix: write a whole number

error[FLOE-314]: job 'c' gives 'shop.own.configured' the argument 'nmae', which it does not take
  --> floe.yaml:5:74  orchestration.jobs.c.args.nmae
   |  c: {type: ops, target_function: shop.own.configured, args: {days: 3, nmae: x}}
  why: the function takes days, name (shop/own.py:18)
  fix: did you mean 'name'?

3 errors\
""")

    def test_arguments_of_ops_and_graphs(self) -> None:
        assert message("""
a: {type: ops, target_function: shop.own.sweep}
b: {type: ops, target_function: shop.own.sweep, args: {days: 3, nmae: x}}
c: {type: ops, target_function: shop.own.classic, args: {a: x}}
d: {type: ops, target_function: shop.own.plain, args: {a: x}}
e: {type: ops, target_function: shop.own.two, args: {a: x}}
f: {type: ops, target_function: shop.own.mapped, args: {dayz: 1}}
g: {type: ops, target_function: shop.own.takes, args: {tables: x}}
""") == snapshot("""\
error[FLOE-314]: job 'a' does not give 'shop.own.sweep' the argument 'days'
  --> floe.yaml:3:5  orchestration.jobs.a
   |  a: {type: ops, target_function: shop.own.sweep}
  why: its config has no default for it
  fix: add it: args: {days: …}

error[FLOE-353]: run config of job 'b' has key 'nmae', which does not exist
  --> floe.yaml:4:69  orchestration.jobs.b.args.nmae
   |  b: {type: ops, target_function: shop.own.sweep, args: {days: 3, nmae: x}}
  why: the keys there are days, name
  fix: did you mean 'name'?

error[FLOE-353]: run config of job 'c' has a value of the wrong type at args.a
  --> floe.yaml:5:65  orchestration.jobs.c.args.a
   |  c: {type: ops, target_function: shop.own.classic, args: {a: x}}
  why: a whole number is wanted there

error[FLOE-353]: job 'd' takes no config
  --> floe.yaml:6:59  orchestration.jobs.d.args
   |  d: {type: ops, target_function: shop.own.plain, args: {a: x}}
  why: its function has no parameter 'config', and no 'context' to read config from
  fix: add a parameter 'config' of a class derived from dagster.Config, or delete it here

error[FLOE-314]: job 'e' gives the graph 'shop.own.two' arguments, and it has no config of its own
  --> floe.yaml:7:57  orchestration.jobs.e.args
   |  e: {type: ops, target_function: shop.own.two, args: {a: x}}
  why: args become the config of a graph, which a config mapping hands to its ops
  fix: give the graph one: @dg.graph(config=mapping), or move args to the ops

error[FLOE-353]: run config of job 'f' has key 'dayz', which does not exist
  --> floe.yaml:8:61  orchestration.jobs.f.args.dayz
   |  f: {type: ops, target_function: shop.own.mapped, args: {dayz: 1}}
  why: the keys there are days, deep
  fix: did you mean 'days'?

error[FLOE-314]: job 'g' runs 'shop.own.takes', which takes the input 'tables'
  --> floe.yaml:9:59  orchestration.jobs.g.args
   |  g: {type: ops, target_function: shop.own.takes, args: {tables: x}}
  why: an input of an op or graph is the value of another op; args become its config
  fix: take it from the config: a parameter `config` of a class derived from dagster.Config, or name the plain function

7 errors\
""")

    def test_targets_of_another_kind(self) -> None:
        assert message("""
a: {type: ops, target_function: shop.own.whole}
b: {type: ops, target_function: shop.own.orders}
c: {type: ops, target_function: shop.own.Sweeper}
d: {type: ops, target_function: shop.ops.LIMIT}
e: {type: ops, target_function: shop.ops.vacum}
""") == snapshot("""\
error[FLOE-312]: job 'a' runs 'shop.own.whole', which is a job of its own
  --> floe.yaml:3:37  orchestration.jobs.a.target_function
   |  a: {type: ops, target_function: shop.own.whole}
  why: an ops job runs a function, an op or a graph
  fix: list 'shop.own' under orchestration.asset_modules and name it in schedules and sensors

error[FLOE-312]: job 'b' runs 'shop.own.orders', which is an asset
  --> floe.yaml:4:37  orchestration.jobs.b.target_function
   |  b: {type: ops, target_function: shop.own.orders}
  why: an ops job runs a function, an op or a graph
  fix: select it with a job of type batch

error[FLOE-312]: job 'c' runs 'shop.own.Sweeper', which is a class
  --> floe.yaml:5:37  orchestration.jobs.c.target_function
   |  c: {type: ops, target_function: shop.own.Sweeper}
  why: an ops job runs a function, an op or a graph
  fix: name a function

error[FLOE-312]: job 'd' runs 'shop.ops.LIMIT', which is of type int
  --> floe.yaml:6:37  orchestration.jobs.d.target_function
   |  d: {type: ops, target_function: shop.ops.LIMIT}
  why: an ops job runs a function, an op or a graph
  fix: name a function

error[FLOE-311]: module 'shop.ops' has no 'vacum'
  --> floe.yaml:7:37  orchestration.jobs.e.target_function
   |  e: {type: ops, target_function: shop.ops.vacum}
  why: it defines Mode, vacuum, nothing, clean, number, events, later, stream and 6 more
  fix: did you mean 'shop.ops.vacuum'?

5 errors\
""")

    def test_the_name_of_an_asset(self) -> None:
        assert message("bronze_orders: {type: ops, target_function: shop.ops.nothing}") == snapshot("""\
error[FLOE-352]: job 'bronze_orders' has the name of asset 'bronze_orders'
  --> floe.yaml:3:5  orchestration.jobs.bronze_orders
   |  bronze_orders: {type: ops, target_function: shop.ops.nothing}
  why: Dagster makes an op of an asset, and no job may be named like an op
  fix: rename the job, for example to 'bronze_orders_job'\
""")
