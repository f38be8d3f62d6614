"""What Dagster shows of mistakes: in its UI, in the log of a run, in its own commands.

Processes and errors are real: code servers that the UI asks, runs with a process for each step.
"""

import re
import sys
import sysconfig
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.events import JobFailureData
from dagster._core.execution.plan.objects import StepFailureData
from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin
from dagster._core.test_utils import create_test_daemon_workspace_context
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceRequestContext
from dagster._core.workspace.load_target import WorkspaceLoadTarget
from dagster_graphql.test.utils import execute_dagster_graphql
from dagster_shared.error import SerializableErrorInfo
from inline_snapshot import snapshot

from daemon import DAGSTER_YAML
from plugins.user_project import forgotten_imports

CLASS_PATH = re.compile(r"^[\w.]+\.\w+: (?=error\[)")
FRAME = re.compile(r'\s*File "([^"]+)", line \d+, in (\S+)')
OTHERS = (sysconfig.get_path("purelib"), sysconfig.get_path("stdlib"), "<frozen")
DEFINITIONS = """
from floe_dagster import FloeDefinitions

defs = FloeDefinitions.from_compiled_artifacts()
"""
LATE = """
import dagster as dg


@dg.asset
def late(): ...
"""
MISSPELT = {
    "floe.yaml": """
        name: misspelt
        orchestration:
          jobs:
            tidy: {type: ops, target_function: ops.tidy}
          schedules:
            nightly: {job: tydi, cron_schedule: "61 1 * * *"}
        """,
}
BROKEN = {
    "floe.yaml": """
        name: broken
        orchestration:
          asset_modules: [broken.assets]
          jobs:
            tidy: {type: ops, target_function: broken.ops.tidy}
        """,
    "platform.yaml": """
        resources: {mail: {target: broken.ops.Mail, args: {password: {secret_ref: NO_PASSWORD}}}}
        """,
    "broken/__init__.py": "",
    "broken/assets.py": """
        def table_of(name):
            return {}[name]


        TABLE = table_of("orders")
        """,
    "broken/ops.py": "def tydi(): ...\n",
}
SHOP = {
    "floe.yaml": """
        name: shop
        orchestration:
          asset_modules: [shop.assets, shop.late]
          partitions:
            daily: {type: time_window, start: "2024-01-01", end: "2024-01-10"}
          assets:
            by_day: {partitions: daily}
          jobs:
            load: {type: batch, selection: [own, in_pieces, reads, returns, rows]}
            breaking: {type: batch, selection: [breaks+]}
            daily: {type: batch, selection: [by_day]}
          schedules:
            asks: {job: daily, cron_schedule: "0 1 * * *", target_function: shop.ticks.forgets}
            fails: {job: daily, cron_schedule: "0 1 * * *", target_function: shop.ticks.fails}
          sensors:
            wrong_key: {type: custom, job: daily, target_function: shop.ticks.wrong_key}
            failing: {type: custom, job: daily, target_function: shop.ticks.fails}
        """,
    "platform.yaml": """
        execution: {default: {type: multiprocess, max_concurrent: 1, start_method: forkserver}}
        """,
    "shop/__init__.py": "",
    "shop/assets.py": """
        from pathlib import Path

        import pyarrow as pa

        from floe_dagster.assets import floe_asset


        def price_of(order):
            return {"a": 1}[order]


        @floe_asset
        def own():
            try:
                price_of("b")
            except KeyError as error:
                raise RuntimeError("no price") from error


        @floe_asset
        def in_pieces():
            yield {"rows": 1}
            price_of("b")


        @floe_asset
        def reads(catalog):
            return read(catalog, "bronze.odrers")


        def read(catalog, name):
            return {"rows": catalog.read_table(name).num_rows}


        @floe_asset(outputs=["bronze.returns"])
        def returns():
            return {1, 2}


        @floe_asset(outputs=["bronze.rows"])
        def rows():
            return pa.table({"took": pa.array([1], pa.duration("s"))})


        @floe_asset
        def by_day(): ...


        @floe_asset
        def breaks():
            Path(__file__).with_name("late.py").write_text("raise ValueError('too late')")


        @floe_asset(deps=[breaks])
        def after_broken(): ...
        """,
    "shop/late.py": LATE,
    "shop/ticks.py": """
        import dagster as dg


        def forgets(context):
            return dg.RunRequest()


        def wrong_key(context):
            return dg.RunRequest(partition_key="2023-01-01")


        def fails(context):
            return cursor_of({})


        def cursor_of(state):
            return state["cursor"]
        """,
}

ERROR = "message stack className errorChain { error { message stack className } }"
LOCATIONS = """
query { workspaceOrError { ... on Workspace {
    locationEntries { name locationOrLoadError { ... on PythonError { %s } } } } } }
"""
SENSOR = """
mutation ($name: String!) { tick: sensorDryRun(
    cursor: ""
    selectorData: {repositoryLocationName: "shop", repositoryName: "__repository__", sensorName: $name}
) { ... on DryRunInstigationTick { evaluationResult { error { %s } } } } }
"""
SCHEDULE = """
mutation ($name: String!) { tick: scheduleDryRun(
    timestamp: 1704243600
    selectorData: {repositoryLocationName: "shop", repositoryName: "__repository__", scheduleName: $name}
) { ... on DryRunInstigationTick { evaluationResult { error { %s } } } } }
"""


class Projects(WorkspaceLoadTarget):
    """Projects in folders of their names, each with a code server of its own."""

    def __init__(self, top: Path, names: list[str]) -> None:
        self.top, self.names = top, names

    def create_origins(self) -> list[ManagedGrpcPythonEnvCodeLocationOrigin]:
        return [
            ManagedGrpcPythonEnvCodeLocationOrigin(
                loadable_target_origin=LoadableTargetOrigin(
                    executable_path=sys.executable,
                    python_file=str(self.top / name / "definitions.py"),
                    working_directory=str(self.top / name),
                ),
                location_name=name,
            )
            for name in self.names
        ]


@pytest.fixture(scope="module")
def top(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all projects."""
    top = tmp_path_factory.mktemp("errors")
    for name, files in (("shop", SHOP), ("misspelt", MISSPELT), ("broken", BROKEN)):
        write(top / name, {**files, "definitions.py": DEFINITIONS})
    return top


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")


@pytest.fixture(scope="module")
def instance(top: Path) -> Iterator[dg.DagsterInstance]:
    home = top / "home"
    write(home, {"dagster.yaml": DAGSTER_YAML})
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance


@pytest.fixture(scope="module")
def ui(top: Path, instance: dg.DagsterInstance) -> Iterator[WorkspaceRequestContext]:
    """What the UI asks, with the code servers that `dagster dev` starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_IS_DEV_CLI", "1")
        workspace = Projects(top, ["shop", "misspelt", "broken"])
        with (
            warnings.catch_warnings(action="ignore"),  # of each code location that does not load
            create_test_daemon_workspace_context(workspace, instance) as context,
        ):
            yield context.create_request_context()


@dataclass(frozen=True)
class Shown:
    """An error as Dagster keeps and shows it: each exception that led to it with the frames that are not Dagster's."""

    sentences: list[str]
    frames: list[str]

    @classmethod
    def of_log(cls, error: SerializableErrorInfo | None, top: Path) -> "Shown":
        """The error of an event."""
        parts = []
        while error is not None:
            parts.append((error.message, error.stack))
            error = error.cause or error.context
        return cls.of(parts, top)

    @classmethod
    def of_ui(cls, error: Mapping[str, Any], top: Path) -> "Shown":
        """The error in an answer of GraphQL."""
        chain = [error, *(link["error"] for link in error["errorChain"])]
        return cls.of([(each["message"], each["stack"]) for each in chain], top)

    @classmethod
    def of(cls, parts: Iterable[tuple[str, Sequence[str]]], top: Path) -> "Shown":
        """What is left of messages and stacks without Dagster and Python."""
        told = [(message.replace(f"{top}/", "").rstrip(), stack) for message, stack in parts]
        own = [(message, stack) for message, stack in told if not message.startswith("dagster._core.errors.")]
        frames = [FRAME.match(frame) for _, stack in told for frame in stack]
        return cls(
            [CLASS_PATH.sub("", message) for message, _ in own],
            [
                f"{Path(frame[1]).relative_to(top)} {frame[2]}" if frame[1].startswith(str(top)) else frame[1]
                for frame in frames
                if frame is not None and not frame[1].startswith(OTHERS)
            ],
        )


def locations_of(ui: WorkspaceRequestContext) -> dict[str, Any]:
    """What the UI shows of each code location."""
    answer = execute_dagster_graphql(ui, LOCATIONS % ERROR)
    return {entry["name"]: entry["locationOrLoadError"] for entry in answer.data["workspaceOrError"]["locationEntries"]}


def tick(ui: WorkspaceRequestContext, query: str, name: str, top: Path) -> Shown:
    """The error of a tick that is tried out in the UI."""
    answer = execute_dagster_graphql(ui, query % ERROR, {"name": name})
    return Shown.of_ui(answer.data["tick"]["evaluationResult"]["error"], top)


@pytest.mark.requirement("010-FR-046", "010-FR-047", "010-SC-009")
def test_a_misspelt_document_is_the_same_sentences_in_the_ui(ui: WorkspaceRequestContext, top: Path) -> None:
    shown = Shown.of_ui(locations_of(ui)["misspelt"], top)

    assert shown.sentences == snapshot(
        [
            """\
error[FLOE-203]: schedule 'nightly' starts job 'tydi', which does not exist
  --> misspelt/floe.yaml:6:20  orchestration.schedules.nightly.job
   |  nightly: {job: tydi, cron_schedule: "61 1 * * *"}
  why: a job is named under orchestration.jobs (tidy)
  fix: did you mean 'tidy'?

error[FLOE-125]: 'cron_schedule' of schedule 'nightly' cannot be '61 1 * * *'
  --> misspelt/floe.yaml:6:41  orchestration.schedules.nightly.cron_schedule
   |  nightly: {job: tydi, cron_schedule: "61 1 * * *"}
  why: minute 61 is not in 0-59
  fix: write 0 to 59

2 errors\
"""
        ]
    )
    assert shown.frames == ["misspelt/definitions.py <module>"]


@pytest.mark.requirement("010-FR-004", "010-FR-047")
def test_a_broken_module_is_told_in_the_ui_with_the_users_own_lines(ui: WorkspaceRequestContext, top: Path) -> None:
    shown = Shown.of_ui(locations_of(ui)["broken"], top)

    assert shown.sentences == snapshot(
        [
            """\
error[FLOE-303]: module 'broken.assets' raises KeyError when it is imported
  --> broken/floe.yaml:3:19  orchestration.asset_modules[0]
   |  asset_modules: [broken.assets]
      broken/broken/assets.py:5
          TABLE = table_of("orders")
      broken/broken/assets.py:2 in table_of
          return {}[name]
      KeyError: 'orders'

error[FLOE-311]: module 'broken.ops' has no 'tidy'
  --> broken/floe.yaml:5:40  orchestration.jobs.tidy.target_function
   |  tidy: {type: ops, target_function: broken.ops.tidy}
  why: it defines tydi
  fix: did you mean 'broken.ops.tydi'?

error[FLOE-311]: module 'broken.ops' has no 'Mail'
  --> broken/platform.yaml:1:28  resources.mail.target
   |  resources: {mail: {target: broken.ops.Mail, args: {password: {secret_ref: NO_PASSWORD}}}}
  why: it defines tydi

error[FLOE-372]: the secret 'NO_PASSWORD' is not set
  --> broken/platform.yaml:1:62  resources.mail.args.password
   |  resources: {mail: {target: broken.ops.Mail, args: {password: {secret_ref: NO_PASSWORD}}}}
  why: there is neither an environment variable NO_PASSWORD nor a folder in FLOE_SECRETS_DIR
  fix: set NO_PASSWORD, or put the secret into a file NO_PASSWORD in the folder that FLOE_SECRETS_DIR names

4 errors\
"""
        ]
    )
    assert shown.frames == ["broken/definitions.py <module>"]


@pytest.mark.requirement("010-FR-047")
def test_what_a_tick_asks_for_in_vain_is_told_with_the_line_of_floe_yaml(
    ui: WorkspaceRequestContext, top: Path
) -> None:
    of_sensor, of_schedule = tick(ui, SENSOR, "wrong_key", top), tick(ui, SCHEDULE, "asks", top)

    assert of_sensor.sentences == snapshot(
        [
            """\
error[FLOE-340]: sensor 'wrong_key' asks for partition '2023-01-01' of job 'daily', which it does not have
  --> shop/floe.yaml:16:5  orchestration.sensors.wrong_key
   |  wrong_key: {type: custom, job: daily, target_function: shop.ticks.wrong_key}
  why: it has a time window of '0 0 * * *' from 2024-01-01 in UTC; the first one is '2024-01-01'
  fix: name one from '2024-01-01' to '2024-01-09'\
"""
        ]
    )
    assert of_schedule.sentences == snapshot(
        [
            """\
error[FLOE-357]: schedule 'asks' names no partition for a run of job 'daily'
  --> shop/floe.yaml:13:5  orchestration.schedules.asks
   |  asks: {job: daily, cron_schedule: "0 1 * * *", target_function: shop.ticks.forgets}
  why: no partitioned job is launched without a partition\
"""
        ]
    )
    assert of_sensor.frames == of_schedule.frames == []


def test_a_function_of_a_tick_that_fails_shows_its_own_lines(ui: WorkspaceRequestContext, top: Path) -> None:
    of_sensor, of_schedule = tick(ui, SENSOR, "failing", top), tick(ui, SCHEDULE, "fails", top)

    assert of_sensor.sentences == of_schedule.sentences == ["KeyError: 'cursor'"]
    assert of_sensor.frames == of_schedule.frames == ["shop/shop/ticks.py fails", "shop/shop/ticks.py cursor_of"]


@pytest.fixture(scope="module")
def shop(top: Path, ui: WorkspaceRequestContext) -> Iterator[ReconstructableRepository]:
    """The project that loads, for runs whose steps are processes of their own."""
    with forgotten_imports(top):
        yield ReconstructableRepository.for_file(str(top / "shop" / "definitions.py"), "defs", str(top / "shop"))


def failed(shop: ReconstructableRepository, job: str, instance: dg.DagsterInstance) -> dict[str, Any]:
    """The errors of a run: {step: error}, and under "" that of the run itself."""
    with dg.execute_job(shop.get_reconstructable_job(job), instance) as result:
        run_id = result.run_id
    events = [entry.get_dagster_event() for entry in instance.all_logs(run_id) if entry.is_dagster_event]
    return {
        event.step_key or "": event.event_specific_data.error
        for event in events
        if isinstance(event.event_specific_data, StepFailureData | JobFailureData)
    }


@pytest.mark.requirement("010-FR-047")
def test_each_step_shows_the_users_lines_and_floes_sentence(
    shop: ReconstructableRepository, instance: dg.DagsterInstance, top: Path
) -> None:
    errors = {step: Shown.of_log(error, top) for step, error in failed(shop, "load", instance).items() if step}

    assert {step: shown.frames for step, shown in errors.items()} == snapshot(
        {
            "in_pieces": ["shop/shop/assets.py in_pieces", "shop/shop/assets.py price_of"],
            "own": ["shop/shop/assets.py own", "shop/shop/assets.py own", "shop/shop/assets.py price_of"],
            "reads": ["shop/shop/assets.py reads", "shop/shop/assets.py read"],
            "returns": [],
            "rows": [],
        }
    )
    assert errors["own"].sentences == ["RuntimeError: no price", "KeyError: 'b'"]
    assert errors["in_pieces"].sentences == ["KeyError: 'b'"]
    assert errors["reads"].sentences == snapshot(
        [
            """\
error[FLOE-401]: there is no table 'bronze.odrers'
  why: nothing has been written\
"""
        ]
    )
    assert errors["returns"].sentences == snapshot(
        [
            """\
error[FLOE-410]: asset 'returns' returns a value of type set, which is no result
  --> shop/shop/assets.py:36
   |  def returns():
  why: an asset returns nothing, a dict (metadata), a MaterializeResult, or rows (Arrow, Polars, pandas, DuckDB)
  fix: return a dict of what is worth showing, or nothing\
"""
        ]
    )
    assert errors["rows"].sentences == snapshot(
        [
            """\
error[FLOE-404]: column 'took' of 'bronze.rows' is a duration[s], which Iceberg cannot hold
  --> shop/shop/assets.py:41
   |  def rows():
  why: Iceberg holds booleans, integers up to 64 bits, floats, decimals up to 38 digits, dates, times, timestamps, text, binary, and lists, maps and structs of these
  fix: write it as a number of seconds or microseconds\
"""  # noqa: E501 - as it is printed
        ]
    )


@pytest.mark.requirement("010-FR-004")
def test_a_project_that_breaks_while_it_runs_tells_what_broke(
    shop: ReconstructableRepository, instance: dg.DagsterInstance, top: Path
) -> None:
    errors = failed(shop, "breaking", instance)

    [error] = errors.values()
    assert "floe_dagster" not in str(error)
    message, _, stack = re.sub(r"process \d+", "process 1", error.message.replace(f"{top}/", "")).partition(
        "Stack Trace:"
    )
    assert message == snapshot("""\
dagster._core.errors.DagsterSubprocessError: During multiprocess execution errors occurred in child processes:
In process 1: floe_core.errors.LoadError: error[FLOE-303]: module 'shop.late' raises ValueError when it is imported
  --> shop/floe.yaml:3:32  orchestration.asset_modules[1]
   |  asset_modules: [shop.assets, shop.late]
      shop/shop/late.py:1
          raise ValueError('too late')
      ValueError: too late

""")
    assert 'File "shop/definitions.py", line 3, in <module>' in stack
