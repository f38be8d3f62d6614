import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.instance.config import dagster_instance_config

from floe_core.errors import Location, RunError
from floe_core.project import ProjectFolder
from floe_core.schemas.platform_spec import PlatformSpec
from floe_dagster.running.instance import check_instance, open_instance, prepare_dagster_home, render_dagster_yaml


def unset(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Unset a variable that the code under test sets, so that the test leaves it as it was."""
    monkeypatch.setenv(name, "")
    monkeypatch.delenv(name)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProjectFolder:
    unset(monkeypatch, "DAGSTER_HOME")
    (tmp_path / "floe.yaml").touch()
    return ProjectFolder(tmp_path)


@pytest.fixture
def own_home(tmp_path: Path) -> Path:
    home = tmp_path / "home-of-the-user"
    home.mkdir()
    return home


@pytest.fixture
def instance(project: ProjectFolder) -> Iterator[dg.DagsterInstance]:
    with open_instance(project, PlatformSpec(), environ={}) as instance:
        yield instance


def test_the_generated_instance_honours_retries_and_runtime_limits(instance: dg.DagsterInstance) -> None:
    assert (instance.run_retries_enabled, instance.run_monitoring_enabled) == (True, True)
    assert not instance.telemetry_enabled


def test_a_slow_sensor_or_schedule_holds_up_no_other(instance: dg.DagsterInstance) -> None:
    in_threads = {"use_threads": True, "num_workers": 4}
    assert (instance.get_settings("sensors"), instance.get_settings("schedules")) == (in_threads, in_threads)


def test_the_generated_instance_is_that_of_child_processes(
    instance: dg.DagsterInstance, project: ProjectFolder
) -> None:
    assert os.environ["DAGSTER_HOME"] == str(project.path / ".floe" / "dagster_home") == instance.root_directory


def test_the_default_dagster_yaml() -> None:
    assert render_dagster_yaml(PlatformSpec()) == (
        "# Written by floe; it is written again when platform.yaml changes.\n"
        "# To keep changes of your own, delete these two lines, or set DAGSTER_HOME to a folder of yours.\n"
        "run_retries:\n"
        "  enabled: true\n"
        "run_monitoring:\n"
        "  enabled: true\n"
        "  poll_interval_seconds: 15\n"
        "telemetry:\n"
        "  enabled: false\n"
        "nux:\n"
        "  enabled: false\n"
        "sensors:\n"
        "  use_threads: true\n"
        "  num_workers: 4\n"
        "schedules:\n"
        "  use_threads: true\n"
        "  num_workers: 4\n"
    )


PLATFORM = {
    "instance": {
        "storage": {
            "type": "postgres",
            "host": "db.internal",
            "port": 5433,
            "user": {"secret_ref": "DAGSTER_DB_USER"},
            "password": {"secret_ref": "DAGSTER_DB_PASSWORD"},
        },
        "concurrency": {
            "max_concurrent_runs": 4,
            "tag_limits": [
                {"key": "team", "limit": 2, "per_value": True},
                {"key": "size", "value": "big", "limit": 1},
                {"key": "any", "limit": 3},
            ],
            "pools": {"default_limit": 5, "granularity": "run"},
        },
        "retention": {"schedule_ticks": "90d", "sensor_ticks": "36h", "skipped_ticks": "1h"},
    },
    "execution": {
        "default": {
            "type": "k8s",
            "job_image": "shop:1",
            "image_pull_secrets": ["registry"],
            "env_vars": ["REGION"],
            "labels": {"team": "data"},
        }
    },
}


def test_everything_that_platform_yaml_says_of_the_instance_reaches_dagster(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text(render_dagster_yaml(PlatformSpec.model_validate(PLATFORM)))

    config, _ = dagster_instance_config(str(tmp_path))

    assert config["storage"]["postgres"]["postgres_db"] | {"params": None, "scheme": None} == {
        "hostname": "db.internal",
        "port": 5433,
        "username": {"env": "DAGSTER_DB_USER"},
        "password": {"env": "DAGSTER_DB_PASSWORD"},
        "db_name": "dagster",
        "params": None,
        "scheme": None,
    }
    assert config["concurrency"] == {
        "runs": {
            "max_concurrent_runs": 4,
            "tag_concurrency_limits": [
                {"key": "team", "limit": 2, "value": {"applyLimitPerUniqueValue": True}},
                {"key": "size", "limit": 1, "value": "big"},
                {"key": "any", "limit": 3},
            ],
        },
        "pools": {"default_limit": 5, "granularity": "run"},
    }
    assert config["retention"] == {
        "schedule": {"purge_after_days": {"skipped": 1, "success": 90, "failure": 90, "started": 90}},
        "sensor": {"purge_after_days": {"skipped": 1, "success": 2, "failure": 2, "started": 2}},
    }
    assert config["run_launcher"] == {
        "module": "dagster_k8s",
        "class": "K8sRunLauncher",
        "config": {
            "job_image": "shop:1",
            "job_namespace": "default",
            "image_pull_secrets": [{"name": "registry"}],
            "env_vars": ["REGION"],
            "labels": {"team": "data"},
            "instance_config_map": "dagster-instance",
            "dagster_home": "/opt/dagster/dagster_home",
            "load_incluster_config": True,
        },
    }


def test_a_changed_platform_yaml_changes_the_generated_file(project: ProjectFolder) -> None:
    home = prepare_dagster_home(project, PlatformSpec(), environ={})
    before = (home.path / "dagster.yaml").read_text()

    changed = PlatformSpec.model_validate({"instance": {"concurrency": {"max_concurrent_runs": 3}}})
    prepare_dagster_home(project, changed, environ={})

    after = (home.path / "dagster.yaml").read_text()
    assert (before, after) == (render_dagster_yaml(PlatformSpec()), render_dagster_yaml(changed))


def test_a_dagster_yaml_of_the_users_own_is_never_written(project: ProjectFolder) -> None:
    home = project.make_floe_dir() / "dagster_home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")

    prepared = prepare_dagster_home(project, PlatformSpec(), environ={})

    assert (prepared.path, prepared.is_generated) == (home, False)
    assert (home / "dagster.yaml").read_text() == "telemetry: {enabled: false}\n"


def test_the_folder_that_dagster_home_names_is_used_and_left_alone(project: ProjectFolder, own_home: Path) -> None:
    prepared = prepare_dagster_home(project, PlatformSpec(), environ={"DAGSTER_HOME": str(own_home)})

    assert (prepared.path, prepared.is_generated, list(own_home.iterdir())) == (own_home, False, [])
    assert not (project.path / ".floe").exists()


def test_a_child_process_that_inherits_the_generated_home_still_keeps_it_current(project: ProjectFolder) -> None:
    home = prepare_dagster_home(project, PlatformSpec(), environ={})
    (home.path / "dagster.yaml").write_text(render_dagster_yaml(PlatformSpec()) + "# an older floe\n")

    again = prepare_dagster_home(project, PlatformSpec(), environ={"DAGSTER_HOME": str(home.path)})

    assert again == home
    assert (home.path / "dagster.yaml").read_text() == render_dagster_yaml(PlatformSpec())


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param("/nowhere/dagster", "which is not a folder", id="missing"),
        pytest.param("dagster", "which is not an absolute path", id="relative"),
    ],
)
def test_a_dagster_home_that_dagster_cannot_use_is_an_error(project: ProjectFolder, value: str, reason: str) -> None:
    with pytest.raises(RunError) as raised:
        prepare_dagster_home(project, PlatformSpec(), environ={"DAGSTER_HOME": value})

    assert str(raised.value) == (
        f"error[FLOE-427]: DAGSTER_HOME is '{value}', {reason}\n"
        "  why: Dagster keeps runs, events and schedules in the folder that the variable names\n"
        f"  fix: create the folder and name it by its absolute path ({Path(value).absolute()}), or unset DAGSTER_HOME "
        "to use .floe/dagster_home"
    )


def test_a_dagster_yaml_that_dagster_refuses_is_a_problem_and_no_traceback(
    project: ProjectFolder, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.path)
    monkeypatch.setenv("DAGSTER_HOME", str(own_home))
    (own_home / "dagster.yaml").write_text("run_retires: {enabled: true}\n")

    with pytest.raises(RunError) as raised:
        open_instance(project, PlatformSpec())

    (problem,) = raised.value.problems
    assert (problem.code, problem.what) == (
        "FLOE-429",
        "the Dagster instance in home-of-the-user cannot be opened",
    )
    assert 'Received unexpected config entry "run_retires"' in problem.detail


def test_an_instance_of_the_users_own_is_told_what_it_lacks(
    project: ProjectFolder, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(own_home))
    with open_instance(project, PlatformSpec()) as instance:
        problems = check_instance(instance, retried_jobs={"load": Location("floe.yaml", 4, 5)}, limited_jobs={})

    (problem,) = problems
    assert (problem.code, problem.severity, problem.what, problem.location) == (
        "FLOE-428",
        "warning",
        "max_retries does nothing on this Dagster instance (load)",
        Location("floe.yaml", 4, 5),
    )


def test_the_generated_instance_lacks_nothing(instance: dg.DagsterInstance) -> None:
    somewhere = Location("floe.yaml")

    assert check_instance(instance, retried_jobs={"a": somewhere}, limited_jobs={"a": somewhere}) == ()


def test_a_secret_in_a_file_reaches_dagster_through_the_environment(
    project: ProjectFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DAGSTER_DB_USER", "DAGSTER_DB_PASSWORD"):
        unset(monkeypatch, name)
        (tmp_path / name).write_text("hidden\n")
    monkeypatch.setenv("FLOE_SECRETS_DIR", str(tmp_path))

    with pytest.raises(RunError, match="cannot be opened"):  # there is no such database
        open_instance(project, PlatformSpec.model_validate(PLATFORM))

    assert os.environ["DAGSTER_DB_PASSWORD"] == "hidden"
    assert "hidden" not in (project.path / ".floe" / "dagster_home" / "dagster.yaml").read_text()
