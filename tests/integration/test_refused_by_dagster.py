"""`floe validate` says beforehand what would keep Dagster from loading a project."""

import sys
from collections.abc import Mapping
from pathlib import Path
from subprocess import run
from textwrap import dedent

import pytest
from inline_snapshot import snapshot

from floe_cli.main import run_command_line
from plugins.user_project import UserProject

ASSETS = """
import dagster as dg

@dg.asset
def orders() -> None: ...

@dg.multi_asset(specs=[dg.AssetSpec("left"), dg.AssetSpec("right", deps=["left"])])
def sides():
    yield dg.MaterializeResult("left")
    yield dg.MaterializeResult("right")

@dg.multi_asset(specs=[dg.AssetSpec("one", skippable=True), dg.AssetSpec("two", skippable=True)], can_subset=True)
def any_of_two(): ...
"""
PARTITIONED = """
@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["eu", "us"]))
def by_region() -> None: ...
"""


@pytest.fixture
def project(user_project: UserProject, monkeypatch: pytest.MonkeyPatch) -> UserProject:
    for variable in ("FLOE_PLATFORM_ENV", "FLOE_PLATFORM_FILE", "DAGSTER_HOME"):
        monkeypatch.delenv(variable, raising=False)
    user_project.write(
        {
            "shop/__init__.py": "",
            "shop/assets.py": ASSETS,
            "shop/definitions.py": "from floe_dagster import FloeDefinitions\n"
            "defs = FloeDefinitions.from_compiled_artifacts()\n",
            "pyproject.toml": "[tool.dagster]\nmodule_name = 'shop.definitions'\n",
            ".git/HEAD": "",
        }
    )
    return user_project


def validate(
    project: UserProject, orchestration: str, *, assets: str = "", files: Mapping[str, str] | None = None
) -> int:
    project.write({"shop/assets.py": ASSETS + dedent(assets), **(files or {})})
    (project.path / "floe.yaml").write_text(
        f"name: shop\norchestration:\n  asset_modules: [shop.assets]\n{orchestration}"
    )
    return run_command_line(["validate"])


def loads_in_dagster(project: UserProject) -> bool:
    """Whether Dagster's own command loads the project as it was compiled last."""
    command: list[Path | str] = [Path(sys.executable).with_name("dagster"), "definitions", "validate"]
    return run(command, cwd=project.path, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("selection", "selected", "missing"),
    [
        pytest.param("selection: left", "left", "right", id="one of the two"),
        pytest.param("selection: +left", "left", "right", id="with what is upstream"),
        pytest.param('selection: ["*", "!left"]', "right", "left", id="all but one"),
        pytest.param("exclude: [left], selection: '*'", "right", "left", id="exclude"),
    ],
)
def test_a_part_of_what_one_function_makes_is_no_selection(
    selection: str, selected: str, missing: str, project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    assert validate(project, f"  jobs: {{part: {{type: batch, {selection}}}}}\n") == 1

    told = capsys.readouterr().err
    assert f"error[FLOE-350]: job 'part' selects {selected} without {missing}\n" in told
    assert "floe.yaml:4:" in told


def test_the_same_of_schedules_and_sensors(project: UserProject, capsys: pytest.CaptureFixture[str]) -> None:
    orchestration = """\
  schedules: {nightly: {selection: left, cron_schedule: "@daily"}}
  sensors: {arrival: {type: asset_sensor, watched_assets: [orders], selection: [right, one]}}
"""

    assert validate(project, orchestration) == 1

    assert capsys.readouterr().err == snapshot("""\
error[FLOE-350]: schedule 'nightly' selects left without right
  --> floe.yaml:4:36  orchestration.schedules.nightly.selection
   |  schedules: {nightly: {selection: left, cron_schedule: "@daily"}}
  why: 'sides' makes all of them at once and cannot leave one out
  fix: select right, too, or none of them; or let 'sides' make what is asked for: can_subset=True

error[FLOE-350]: sensor 'arrival' selects right without left
  --> floe.yaml:5:80  orchestration.sensors.arrival.selection
   |  sensors: {arrival: {type: asset_sensor, watched_assets: [orders], selection: [right, one]}}
  why: 'sides' makes all of them at once and cannot leave one out
  fix: select left, too, or none of them; or let 'sides' make what is asked for: can_subset=True

2 errors
""")


def test_all_or_none_of_what_one_function_makes_is_a_selection(project: UserProject) -> None:
    jobs = """\
  jobs:
    both: {type: batch, selection: [left, right]}
    neither: {type: batch, selection: orders}
    some: {type: batch, selection: one}
"""

    assert validate(project, jobs) == 0

    assert run_command_line(["compile"]) == 0
    assert loads_in_dagster(project)


@pytest.mark.parametrize(
    ("assets", "expected"),
    [
        pytest.param(
            """
            @dg.multi_asset(specs=[dg.AssetSpec("la"), dg.AssetSpec("lb", deps=["mid"])])
            def both(): ...

            @dg.asset(deps=["la"])
            def mid() -> None: ...
            """,
            snapshot("""\
error[FLOE-362]: assets depend on one another in a circle: la, lb → mid → la, lb
      la: shop/assets.py:14
      mid: shop/assets.py:17
  why: one function makes several of them at once, and waits for an asset that waits for one of them
  fix: take one of the dependencies out of 'deps' or 'inputs', or make the assets in functions of their own
"""),
            id="circle of functions",
        ),
        pytest.param(
            """
            @dg.asset(key=["a", "b"])
            def one_way() -> None: ...

            @dg.asset
            def a__b() -> None: ...
            """,
            snapshot("""\
error[FLOE-360]: asset 'a/b' and asset 'a__b' have two different ops named 'a__b'
  --> shop/assets.py:17
   |  @dg.asset
      a/b: shop/assets.py:14
      a__b: shop/assets.py:17
  why: Dagster takes one op of a name; that of an asset is its key with '__' in place of slashes
  fix: give one of them another key or name
"""),
            id="op names",
        ),
    ],
)
def test_what_dagster_would_refuse_when_it_loads(
    assets: str, expected: str, project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    assert validate(project, "  jobs: {all: {type: batch, selection: orders}}\n", assets=assets) == 1

    assert capsys.readouterr().err == expected

    run_command_line(["compile"])
    assert not loads_in_dagster(project)


@pytest.mark.filterwarnings("ignore:Parameter `partitions_def`:DeprecationWarning")
@pytest.mark.parametrize(
    ("job", "reason"),
    [
        pytest.param('selection=["nope"]', "AssetKey(s) ['nope'] were selected", id="no such asset"),
        pytest.param('selection=["left"]', "This AssetsDefinition does not support subsetting", id="part of a whole"),
        pytest.param(
            'selection=["by_region"], partitions_def=dg.StaticPartitionsDefinition(["asia"])',
            "has a different partitions definition than the one specified for the job",
            id="other partitions",
        ),
    ],
)
def test_what_dagster_says_of_a_job_of_a_module(
    job: str, reason: str, project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    assets = f"{PARTITIONED}\nodd = dg.define_asset_job('odd', {job})\n"

    assert validate(project, "  jobs: {all: {type: batch, selection: orders}}\n", assets=assets) == 1

    told = capsys.readouterr().err
    assert "error[FLOE-425]: job 'odd' cannot be resolved\n" in told
    assert told.count("error[") == 1
    assert reason in told


def test_functions_whose_assets_wait_for_their_own_and_for_others_are_no_circle(project: UserProject) -> None:
    assets = """
    @dg.multi_asset(specs=[dg.AssetSpec("la"), dg.AssetSpec("lb", deps=["la", "left"])])
    def both(): ...

    @dg.multi_asset(specs=[dg.AssetSpec("sa"), dg.AssetSpec("sb", deps=["mid"])], can_subset=True)
    def split(): ...

    @dg.asset(deps=["sa", "lb"])
    def mid() -> None: ...
    """

    assert validate(project, "  jobs: {all: {type: batch, selection: '*'}}\n", assets=assets) == 0

    assert run_command_line(["compile"]) == 0
    assert loads_in_dagster(project)


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        ("dagster/row_count: abc", "a whole number"),
        ("dagster/table_name: 5", "a text"),
        ("dagster/relation_identifier: 5", "a text"),
        ("dagster/uri: 5", "a text"),
        ("dagster/column_schema: x", "an object that only Python can make"),
    ],
)
def test_metadata_that_dagster_reads_itself_and_cannot_read(
    entry: str, wanted: str, project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    assert validate(project, f"  assets:\n    orders:\n      metadata: {{{entry}}}\n") == 1

    name = entry.partition(":")[0]
    told = capsys.readouterr().err
    assert (
        f"error[FLOE-382]: asset pattern 'orders' sets metadata '{name}' to what Dagster cannot read\n"
        "  --> floe.yaml:6:"
    ) in told
    assert f"  why: Dagster reads that entry itself, and wants {wanted}\n" in told


def test_metadata_that_dagster_reads_itself_and_can_read(project: UserProject) -> None:
    entries = "{dagster/row_count: 5, dagster/table_name: a.b, dagster/uri: 's3://a', dagster/else: 5, row_count: abc}"

    assert validate(project, f"  assets: {{orders: {{metadata: {entries}}}}}\n") == 0

    assert run_command_line(["compile"]) == 0
    assert loads_in_dagster(project)


CONFIGURED = """
class Named(dg.Config):
    name: str
    limit: int = 5

@dg.asset
def configured(config: Named) -> None: ...

@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["eu", "us"]))
def configured_by_region(config: Named) -> None: ...

@dg.op
def raw(config: Named) -> int:
    return 1

@dg.op
def made(value: int) -> int:
    return value

@dg.graph_asset
def of_graph():
    return made(raw())

@dg.op(config_schema={"n": int})
def count() -> None: ...

@dg.job
def by_hand():
    count()
"""
BARE = """
  jobs:
    bare: {type: batch, selection: [orders, configured]}
    graphs: {type: batch, selection: of_graph}
    regions: {type: batch, selection: configured_by_region}
  schedules:
    daily: {job: bare, cron_schedule: "@daily"%(config)s}
    of_selection: {selection: configured, cron_schedule: "@daily"%(config)s}
    of_graph: {job: graphs, cron_schedule: "@daily"%(graph)s}
    of_ops: {job: by_hand, cron_schedule: "@daily"%(ops)s}
  sensors:
    after: {type: asset_sensor, job: bare, watched_assets: [left]%(config)s}
"""


def test_runs_that_nobody_gives_the_config_that_they_need(
    project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    backfill = "  backfills: {again: {job: regions, partition_range: {start: eu, end: us}}}\n"
    orchestration = BARE % {"config": "", "graph": "", "ops": ""} + backfill

    assert validate(project, orchestration, assets=CONFIGURED) == 1

    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error[FLOE-353]: ")]
    lacking = "without run config for"
    assert [line.partition(": ")[2].removesuffix(", which needs it") for line in told] == [
        f"schedule 'daily' launches job 'bare' {lacking} 'configured'",
        f"schedule 'of_selection' launches a selection {lacking} 'configured'",
        f"schedule 'of_graph' launches job 'graphs' {lacking} 'of_graph'",
        f"schedule 'of_ops' launches job 'by_hand' {lacking} 'count'",
        f"sensor 'after' launches job 'bare' {lacking} 'configured'",
        f"backfill 'again' launches job 'regions' {lacking} 'configured_by_region'",
    ]


def test_runs_that_somebody_gives_the_config_that_they_need(project: UserProject) -> None:
    given = {
        "config": ", config: {ops: {configured: {config: {name: a}}}}",
        "graph": ", config: {ops: {of_graph: {ops: {raw: {config: {name: a}}}}}}",
        "ops": ", config: {ops: {count: {config: {n: 1}}}}",
    }
    of_asset = "  assets: {configured_by_region: {config: {name: a}}}\n"
    backfill = "  backfills: {again: {job: regions, partition_range: {start: eu, end: us}}}\n"

    assert validate(project, BARE % given + of_asset + backfill, assets=CONFIGURED) == 0


def test_runs_that_have_their_config_from_the_job_or_from_a_function(project: UserProject) -> None:
    orchestration = """
  jobs:
    whole: {type: batch, selection: configured, config: {ops: {configured: {config: {name: a}}}}}
    bare: {type: batch, selection: configured}
  schedules:
    daily: {job: whole, cron_schedule: "@daily"}
    computed: {job: bare, cron_schedule: "@daily", target_function: shop.ticks.ask}
  sensors:
    called: {type: custom, job: bare, target_function: shop.ticks.ask}
"""
    ticks = {"shop/ticks.py": "def ask(): ..."}

    assert validate(project, orchestration, assets=CONFIGURED, files=ticks) == 0


TICKS = """
import dagster as dg

@dg.op
def an_op(context): ...

@dg.job
def a_job():
    an_op()

class Keys:
    def __init__(self) -> None: ...

async def later() -> list[str]:
    return ["a"]

def keys() -> list[str]:
    return ["a"]
"""


@pytest.mark.parametrize(
    ("reference", "kind"),
    [
        ("an_op", "an op or graph"),
        ("a_job", "a job"),
        ("Keys", "a class"),
    ],
)
def test_what_no_tick_can_call(
    reference: str, kind: str, project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    called = f"shop.ticks.{reference}"
    orchestration = f"""\
  partitions: {{shops: {{type: dynamic, fn: {called}}}}}
  jobs: {{load: {{type: batch, selection: orders}}}}
  schedules: {{nightly: {{job: load, cron_schedule: "@daily", target_function: {called}}}}}
  sensors: {{alert: {{type: run_status, status: FAILURE, target_function: {called}}}}}
"""

    assert validate(project, orchestration, files={"shop/ticks.py": TICKS}) == 1

    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
    assert told == [
        f"error[FLOE-312]: dynamic partitions 'shops' take their keys from 'shop.ticks.{reference}', which is {kind}",
        f"error[FLOE-312]: schedule 'nightly' computes its runs with 'shop.ticks.{reference}', which is {kind}",
        f"error[FLOE-312]: sensor 'alert' calls 'shop.ticks.{reference}', which is {kind}",
    ]


def test_only_alerts_are_async_functions(project: UserProject, capsys: pytest.CaptureFixture[str]) -> None:
    orchestration = """\
  partitions: {shops: {type: dynamic, fn: shop.ticks.later}}
  jobs: {load: {type: batch, selection: orders}}
  schedules: {nightly: {job: load, cron_schedule: "@daily", target_function: shop.ticks.later}}
  sensors: {alert: {type: run_status, status: FAILURE, target_function: shop.ticks.later}}
"""

    assert validate(project, orchestration, files={"shop/ticks.py": TICKS}) == 1

    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
    kind = "an async function, which a tick does not wait for"
    assert told == [
        f"error[FLOE-312]: dynamic partitions 'shops' take their keys from 'shop.ticks.later', which is {kind}",
        f"error[FLOE-312]: schedule 'nightly' computes its runs with 'shop.ticks.later', which is {kind}",
    ]
