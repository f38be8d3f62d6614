"""A project compiled in one place and run in another: read-only, served by the command of the README's Dockerfile.

Docker is not there where tests run, so what the image does is done: files moved, variables set, the command started.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from documentation import blocks
from floe_core.yaml_source import parse_yaml

BIN = Path(sys.executable).parent
SECRET = "a-password-of-the-mail-server"
MAIL = """
import dagster as dg


class Mail(dg.ConfigurableResource):
    password: str
"""
REPORT = """
import dagster as dg

from my_shop.mail import Mail


@dg.asset(deps=["bronze_orders"], group_name="gold")
def report(context: dg.AssetExecutionContext, mail: Mail) -> None:
    context.add_output_metadata({"letters": len(mail.password)})
"""
PLATFORM = """
execution: {{default: {{type: multiprocess}}}}
storage: {{default: {{type: local, path: {data}/warehouse}}}}
catalogs: {{default: {{type: sql, uri: "sqlite:///{data}/catalog.db"}}}}
compute: {{default: {{type: duckdb, path: {data}/shop.duckdb}}}}
resources:
  mail: {{target: my_shop.mail.Mail, args: {{password: {{secret_ref: MAIL_PASSWORD}}}}}}
"""
DAGSTER_YAML = """
telemetry: {enabled: false}
run_retries: {enabled: true}
run_monitoring: {enabled: true}
run_coordinator: {module: dagster.core.run_coordinator, class: DefaultRunCoordinator}
"""
without_privileges = (
    ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"] if os.getuid() == 0 else []
)  # root writes into read-only folders, too
pytestmark = pytest.mark.skipif(
    bool(without_privileges) and shutil.which("setpriv") is None,
    reason="root writes everywhere, and setpriv is missing",
)


def environment(**variables: str) -> dict[str, str]:
    own = ("FLOE_", "DAGSTER_", "OTEL_", "OPENLINEAGE_", "MAIL_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return {**kept, "PATH": f"{BIN}:{os.environ['PATH']}", **variables}


def run(*command: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*without_privileges, *command],
        cwd=folder,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def workflow_job() -> dict[str, Any]:
    """The one job of the workflow in the README."""
    [block] = [block for block in blocks("yaml") if "runs-on:" in block.text]
    document = parse_yaml(block.text, file=Path(block.page)).value
    assert isinstance(document, dict)
    [job] = document["jobs"].values()
    assert isinstance(job, dict)
    return job


def workflow_steps() -> list[str]:
    """Its commands."""
    return [step["run"] for step in workflow_job()["steps"] if "run" in step]


def dockerfile() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile in the README."""
    [block] = blocks("dockerfile")
    pairs = (line.partition(" ") for line in block.text.splitlines())
    return [(instruction, rest) for instruction, _, rest in pairs]


@dataclass(frozen=True)
class Shipped:
    """What an image holds: the project, and nothing that was on the machine that built it."""

    project: Path
    elsewhere: Path
    home: Path
    port: int

    @property
    def variables(self) -> dict[str, str]:
        """Those of the image, and the secret that whoever starts a container gives it."""
        [variables] = [rest for instruction, rest in dockerfile() if instruction == "ENV"]
        image = dict(pair.split("=") for pair in variables.split())
        return {**image, "DAGSTER_HOME": str(self.home), "MAIL_PASSWORD": SECRET}

    @property
    def command(self) -> list[str]:
        """The command of the image, at a port that is free here."""
        [command] = [rest for instruction, rest in dockerfile() if instruction == "CMD"]
        words = {"4000": str(self.port), "0.0.0.0": "127.0.0.1"}
        return [words.get(word, word) for word in json.loads(command)]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shipped]:
    """The project after the steps of the workflow, in a folder that cannot be written."""
    top = tmp_path_factory.mktemp("deployment")
    built = make_project(top)
    for step in workflow_steps():
        if step.startswith("floe "):
            finished = run("bash", "-c", step, folder=built, **workflow_job()["env"])
            assert finished.returncode == 0, finished.stderr
    (top / "opt").mkdir()
    project = Path(shutil.move(built, top / "opt" / "shop"))
    for name in ("elsewhere", "home"):
        (top / name).mkdir()
    (top / "home" / "dagster.yaml").write_text(DAGSTER_YAML)
    with read_only(project):
        yield Shipped(project, top / "elsewhere", top / "home", free_port())


def make_project(top: Path) -> Path:
    assert run("floe", "init", "my-shop", folder=top).returncode == 0
    project = top / "my-shop"
    shutil.rmtree(project / ".floe")
    (top / "data").mkdir()
    (project / "my_shop" / "mail.py").write_text(MAIL)
    (project / "my_shop" / "assets" / "report.py").write_text(REPORT)
    platform = project / "platform" / "prod" / "platform.yaml"
    platform.parent.mkdir(parents=True)
    platform.write_text(PLATFORM.format(data=top / "data"))
    return project


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    paths = [folder, *folder.rglob("*")]
    for path in paths:
        path.chmod(path.stat().st_mode & ~0o222)
    yield
    for path in paths:
        path.chmod(path.stat().st_mode | 0o200)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def files_of(folder: Path) -> dict[str, tuple[int, int]]:
    files = {str(path.relative_to(folder)): path.stat() for path in folder.rglob("*") if path.is_file()}
    return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in files.items()}


def test_what_compiling_leaves_is_what_is_said_to_be_shipped(shipped: Shipped) -> None:
    kept = {path.name for path in (shipped.project / ".floe").iterdir()}

    assert {"compiled_artifacts.json", "dbt"} <= kept
    assert not {"warehouse", "catalog.db", "floe.duckdb", "dagster_home", "observability"} & kept


def test_it_loads_with_plain_dagster_from_any_working_directory(shipped: Shipped) -> None:
    before = files_of(shipped.project)

    finished = run(
        *("dagster", "definitions", "validate", "-m", "my_shop.definitions", "-d", str(shipped.project)),
        folder=shipped.elsewhere,
        **shipped.variables,
    )

    assert finished.returncode == 0, finished.stderr
    assert files_of(shipped.project) == before


def test_a_secret_that_is_not_set_is_told_when_it_loads(shipped: Shipped) -> None:
    without = {name: value for name, value in shipped.variables.items() if name != "MAIL_PASSWORD"}

    finished = run(
        *("dagster", "definitions", "validate", "-m", "my_shop.definitions", "-d", str(shipped.project)),
        folder=shipped.elsewhere,
        **without,
    )

    assert finished.returncode != 0
    assert "error[FLOE-372]: the secret 'MAIL_PASSWORD' is not set" in finished.stdout + finished.stderr
    assert "floe_dagster/" not in finished.stdout + finished.stderr


@contextmanager
def code_server(shipped: Shipped) -> Iterator[None]:
    """The command of the image, until it answers."""
    with (shipped.home / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*without_privileges, *shipped.command],
            cwd=shipped.project,
            env=environment(**shipped.variables),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            while run(
                "dagster", "api", "grpc-health-check", "-p", str(shipped.port), folder=shipped.elsewhere
            ).returncode:
                assert process.poll() is None, (shipped.home / "server.log").read_text()
            yield
        finally:
            os.killpg(
                process.pid, signal.SIGKILL
            )  # it has nothing left to do, and may have been started deaf to others
            process.wait(timeout=60)


def workspace_yaml(shipped: Shipped) -> str:
    """The workspace.yaml of the README, for the server of this test."""
    [block] = [block for block in blocks("yaml") if block.text.startswith("# workspace.yaml")]
    return block.text.replace('host: "my-shop"', 'host: "localhost"').replace("4000", str(shipped.port))


def wait_for_run(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRun:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        found = instance.get_run_by_id(run_id)
        if found is not None and found.is_finished:
            return found
        time.sleep(0.5)
    raise AssertionError(f"run {run_id} does not end")


def test_a_code_server_runs_it_for_processes_that_know_nothing_of_the_project(shipped: Shipped) -> None:
    before = files_of(shipped.project)
    (shipped.elsewhere / "workspace.yaml").write_text(workspace_yaml(shipped))

    with code_server(shipped):
        launched = run(
            *("dagster", "job", "launch", "-w", "workspace.yaml", "--location", "my-shop", "-j", "full_pipeline"),
            folder=shipped.elsewhere,
            DAGSTER_HOME=str(shipped.home),
        )
        assert launched.returncode == 0, launched.stderr
        with dg.DagsterInstance.from_config(str(shipped.home)) as instance:
            [record] = instance.get_run_records()
            finished = wait_for_run(instance, record.dagster_run.run_id)
            logged = [entry.message for entry in instance.all_logs(finished.run_id)]
            report = instance.get_latest_materialization_event(dg.AssetKey("report"))

    assert finished.status is dg.DagsterRunStatus.SUCCESS, logged
    assert report is not None
    assert report.asset_materialization is not None
    assert report.asset_materialization.metadata["letters"].value == len(SECRET)
    assert files_of(shipped.project) == before
    data = shipped.project.parents[1] / "data"
    assert {"warehouse", "catalog.db", "shop.duckdb"} <= {path.name for path in data.iterdir()}


def test_the_dockerfile_copies_and_runs_what_is_there() -> None:
    instructions = dockerfile()

    assert [instruction for instruction, _ in instructions] == [
        *("FROM", "COPY", "RUN", "WORKDIR", "COPY", "ENV", "COPY", "CMD")
    ]
    assert dict(instructions)["RUN"] == "pip install --no-cache-dir /wheels/*.whl dagster-postgres"


def test_the_workflow_checks_and_compiles_before_the_image_is_made() -> None:
    steps = workflow_steps()

    assert steps[0] == "pip install wheels/*.whl"
    assert steps[1:3] == ["floe validate --format github", "floe compile"]
    assert steps[3].startswith("docker build ")
