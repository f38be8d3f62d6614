"""Maintenance by ops jobs: from the terminal, by Dagster's own commands, by a schedule and as the Launchpad sees it."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from inline_snapshot import snapshot

from floe_core.project import ProjectFolder
from floe_dagster.running.code_locations import CodeLocation, load_code_location
from floe_dagster.running.code_pointer import find_code_pointer
from plugins.command_line import CommandLine
from plugins.user_project import UserProject

FLOE = (sys.executable, "-c", "from floe_cli.main import main; main()")
FLOE_YAML = """
name: shop
orchestration:
  jobs:
    vacuum:
      type: ops
      target_function: shop.ops.vacuum
      args:
        tables: bronze.*
        most: 5
      tags: {team: sales}
    flaky:
      type: ops
      target_function: shop.ops.flaky
      args: {marker: "${MARKER:attempts}"}
      tags: {dagster/max_retries: "1"}
    sweep: {type: ops, target_function: shop.dagster_ops.sweep, args: {days: 3}}
  schedules:
    nightly: {job: vacuum, cron_schedule: "0 1 * * *", config: {ops: {vacuum: {config: {most: 9}}}}}
    weekly: {job: vacuum, cron_schedule: "0 2 * * 0"}
"""
OPS = '''
from __future__ import annotations

from pathlib import Path

import dagster as dg

print("imported")


def vacuum(context: dg.OpExecutionContext, catalog, tables: str, *, most: int = 10, dry_run: bool = True):
    """Removes what nobody reads."""
    return {"tables": tables, "most": most, "dry_run": dry_run, "found": len(catalog.list_tables())}


def flaky(context, marker: str):
    file = Path(marker)
    file.write_text(file.read_text() + "x" if file.exists() else "x")
    if len(file.read_text()) < 2:
        raise ConnectionError("not yet")
    return {"attempts": len(file.read_text())}
'''
DAGSTER_OPS = """
import dagster as dg


class Sweep(dg.Config):
    days: int
    name: str = "all"


@dg.op
def sweep(context: dg.OpExecutionContext, config: Sweep) -> None:
    context.add_output_metadata({"days": config.days, "name": config.name})
"""


@pytest.fixture
def project(user_project: UserProject) -> Path:
    user_project.write(
        {"floe.yaml": FLOE_YAML, "shop/__init__.py": "", "shop/ops.py": OPS, "shop/dagster_ops.py": DAGSTER_OPS}
    )
    return user_project.path


def environment(**variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DAGSTER_", "FLOE_"))}
    return {**kept, **variables}


def called(command: tuple[str, ...], project: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=project, env=environment(**variables), capture_output=True, text=True, check=False
    )


def report(process: subprocess.CompletedProcess[str]) -> str:
    """What is wrong, without what is said of work that takes its time."""
    return process.stderr[process.stderr.index("error[") :]


def location_of(project: Path, floe: CommandLine) -> CodeLocation:
    assert floe("compile").returncode == 0
    folder = ProjectFolder(project)
    return load_code_location(find_code_pointer(folder), project_dir=project)


def ran(floe: CommandLine, *arguments: str) -> dict[str, Any]:
    """The report of `floe run`."""
    finished = floe("run", *arguments, "--format", "json")
    assert finished.stdout, finished.stderr
    report = json.loads(finished.stdout)
    assert isinstance(report, dict)
    return report


@pytest.mark.requirement("010-FR-021", "010-FR-022")
def test_an_ops_job_runs_from_the_terminal_and_shows_what_its_function_returned(project: Path) -> None:
    process = called((*FLOE, "run", "vacuum"), project)

    lines = [line.split() for line in process.stderr.splitlines()]
    assert process.returncode == 0
    assert ["tables:", "bronze.*"] in lines
    assert ["most:", "5"] in lines
    assert [line[:2] for line in lines if line[:1] == ["vacuum"]] == [["vacuum", "done"], ["vacuum", "succeeded"]]


def test_run_config_of_the_terminal_changes_one_argument(command_line: CommandLine, project: Path) -> None:
    (project / "config.yaml").write_text("ops: {vacuum: {config: {dry_run: false}}}\n")

    [op] = ran(command_line, "vacuum", "--config", "config.yaml")["ops"]

    assert op["metadata"] == {"tables": "bronze.*", "most": 5, "dry_run": False, "found": 0}


def test_ops_of_dagster_run_too(command_line: CommandLine, project: Path) -> None:
    [op] = ran(command_line, "sweep")["ops"]

    assert (op["step"], op["metadata"]) == ("sweep", {"days": 3, "name": "all"})


def test_a_run_that_failed_is_tried_again(command_line: CommandLine, project: Path) -> None:
    report = ran(command_line, "flaky")

    assert (report["status"], [op["metadata"] for op in report["ops"]]) == ("success", [{"attempts": 2}])


def test_dagsters_own_command_runs_it_in_processes_of_its_own(command_line: CommandLine, project: Path) -> None:
    (project / "platform.yaml").write_text("execution: {default: {type: multiprocess}}\n")
    assert command_line("compile").returncode == 0
    command = (sys.executable, "-m", "dagster", "job", "execute", "-m", "floe_dagster.code_location", "-j", "vacuum")
    home = project / "home"
    home.mkdir()

    process = called(command, project, DAGSTER_HOME=str(home), FLOE_PROJECT_DIR=str(project))

    assert process.returncode == 0, process.stderr
    assert "Launching subprocess for" in process.stderr
    with dg.DagsterInstance.from_config(str(home)) as instance:
        [run] = instance.get_runs()
    assert (run.job_name, run.status) == ("vacuum", dg.DagsterRunStatus.SUCCESS)


@pytest.mark.parametrize(("schedule", "most"), [("weekly", 5), ("nightly", 9)])
def test_a_schedule_launches_it_and_its_config_changes_one_argument(
    command_line: CommandLine, project: Path, schedule: str, most: int
) -> None:
    location = location_of(project, command_line)
    repository = location.definition
    instance = dg.DagsterInstance.ephemeral()
    context = dg.build_schedule_context(
        instance=instance, repository_def=repository, scheduled_execution_time=datetime(2024, 1, 7, 2, tzinfo=UTC)
    )

    ticked = repository.get_schedule_def(schedule).evaluate_tick(context)
    assert ticked.run_requests is not None
    [request] = ticked.run_requests
    result = repository.get_job("vacuum").execute_in_process(
        run_config=dict(request.run_config), tags=dict(request.tags), instance=instance
    )

    [event] = [event for event in result.all_node_events if event.event_type == dg.DagsterEventType.STEP_OUTPUT]
    metadata = event.step_output_data.metadata
    assert (metadata["tables"].value, metadata["most"].value) == ("bronze.*", most)
    assert result.dagster_run.tags["team"] == "sales"


def test_the_launchpad_is_told_names_types_and_values(command_line: CommandLine, project: Path) -> None:
    query = """{
      runConfigSchemaOrError(selector: {
        repositoryName: "__repository__", repositoryLocationName: "floe_dagster.code_location", pipelineName: "vacuum"
      }) {
        ... on RunConfigSchema { rootDefaultYaml allConfigTypes { key ... on CompositeConfigType {
          fields { name isRequired defaultValueAsJson configType { key } } } } }
      }
    }"""
    assert command_line("compile").returncode == 0
    command = (str(Path(sys.executable).with_name("dagster-graphql")), "-m", "floe_dagster.code_location", "-t", query)

    (project / "home").mkdir()
    process = called(command, project, FLOE_PROJECT_DIR=str(project), DAGSTER_HOME=str(project / "home"))
    assert process.returncode == 0, process.stderr
    answer, _ = json.JSONDecoder().raw_decode(process.stdout[process.stdout.index('{"') :])

    schema = answer["data"]["runConfigSchemaOrError"]
    [fields] = [
        {field["name"]: (field["configType"]["key"], field["isRequired"], field["defaultValueAsJson"]) for field in own}
        for own in (config_type.get("fields", ()) for config_type in schema["allConfigTypes"])
        if any(field["name"] == "dry_run" for field in own)
    ]
    assert schema["rootDefaultYaml"].partition("resources:")[0] == snapshot("""\
ops:
  vacuum:
    config:
      dry_run: true
      most: 5
      tables: bronze.*
""")
    assert fields == snapshot(
        {"dry_run": ("Bool", False, "true"), "most": ("Int", False, "5"), "tables": ("String", False, '"bronze.*"')}
    )


@pytest.mark.requirement("010-FR-022")
def test_wrong_arguments_are_found_by_validate_and_nothing_of_the_function_runs(
    command_line: CommandLine, project: Path
) -> None:
    wrong = FLOE_YAML.replace("tables: bronze.*", "tabels: bronze.*").replace("most: 5", "most: five")
    (project / "floe.yaml").write_text(wrong)

    process = command_line("validate")

    assert process.returncode == 1
    assert report(process) == snapshot("""\
error[FLOE-314]: job 'vacuum' gives 'shop.ops.vacuum' the argument 'tabels', which it does not take
  --> floe.yaml:9:9  orchestration.jobs.vacuum.args.tabels
   |  tabels: bronze.*
  why: the function takes tables, most, dry_run (shop/ops.py:10)
  fix: did you mean 'tables'?

error[FLOE-314]: job 'vacuum' gives 'shop.ops.vacuum' a value for 'most' that it does not take
  --> floe.yaml:10:15  orchestration.jobs.vacuum.args.most
   |  most: five
  why: the parameter is `most: int`: input should be a valid integer
  fix: write a whole number

2 errors
""")


def test_a_job_named_like_the_op_of_a_python_job_is_refused(command_line: CommandLine, project: Path) -> None:
    (project / "shop" / "jobs.py").write_text(
        "import dagster as dg\n\n\n@dg.op\ndef vacuum(): ...\n\n\n@dg.job\ndef cleaning():\n    vacuum()\n"
    )
    named = FLOE_YAML.replace("orchestration:\n", "orchestration:\n  asset_modules: [shop.jobs]\n")
    (project / "floe.yaml").write_text(named)

    process = command_line("validate")

    assert process.returncode == 1
    assert report(process) == snapshot("""\
error[FLOE-352]: job 'vacuum' has the name of an op of job 'cleaning'
  --> floe.yaml:6:5  orchestration.jobs.vacuum
   |  vacuum:
  why: in Dagster no job is named like an op or graph that another job uses
  fix: rename the job, for example to 'vacuum_job'
""")
