import json
import os
import sys
import tempfile
import time
from pathlib import Path

import pytest

from floe_core.errors import LoadError
from floe_dagster.dbt.connection import added_environment, find_dbt
from floe_dagster.dbt.files import dbt_folder, prune, write_profile

PROFILES: dict[str, object] = {"shop": {"target": "dev", "outputs": {"dev": {"type": "duckdb", "path": "é.duckdb"}}}}


def test_a_profile_is_written_where_no_other_environment_writes(tmp_path: Path) -> None:
    folder = write_profile(PROFILES, floe_dir=tmp_path)
    other = write_profile({"shop": {}}, floe_dir=tmp_path)

    assert folder != other
    assert json.loads((folder / "profiles.yml").read_text(encoding="utf-8")) == PROFILES
    assert json.loads((tmp_path / "dbt" / "profiles.yml").read_text(encoding="utf-8")) == {"shop": {}}


def test_a_profile_that_is_there_is_not_written_again(tmp_path: Path) -> None:
    file = write_profile(PROFILES, floe_dir=tmp_path) / "profiles.yml"
    os.utime(file, (1, 1))

    write_profile(PROFILES, floe_dir=tmp_path)

    assert file.stat().st_mtime == 1


def test_where_the_floe_folder_cannot_be_written_runs_write_to_a_private_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    floe_dir = tmp_path / ".floe"
    floe_dir.write_text("not a folder")

    folder = dbt_folder(floe_dir, "prod")

    assert folder.compiled == floe_dir / "dbt" / "prod"
    assert folder.state.is_relative_to(tmp_path / "scratch")
    assert folder.state.stat().st_mode & 0o077 == 0
    assert dbt_folder(floe_dir, "prod") == folder


@pytest.mark.parametrize(("target", "name"), [(None, "default"), ("dev", "dev"), ("../x y", ".._x_y")])
def test_a_target_has_a_folder_of_its_own(target: str | None, name: str, tmp_path: Path) -> None:
    assert dbt_folder(tmp_path, target).compiled.name == name


def test_old_folders_are_removed_and_those_in_use_stay(tmp_path: Path) -> None:
    for number in range(6):
        log = tmp_path / f"run_{number}" / "dbt.log"
        log.parent.mkdir()
        log.write_text("")
        for path in (log, log.parent):
            os.utime(path, (number, number))
    in_use = tmp_path / "run_0" / "dbt.log"
    os.utime(in_use, (time.time(), time.time()))

    prune(tmp_path, keep=2)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["run_0", "run_5"]


def test_dbt_is_found_beside_python_without_an_activated_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    assert find_dbt() == str(Path(sys.executable).with_name("dbt"))


def test_a_missing_dbt_is_an_error_that_says_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))

    with pytest.raises(LoadError) as error:
        find_dbt()

    assert str(error.value) == (
        "error[FLOE-325]: dbt is not installed\n"
        f"  why: there is no command 'dbt' beside {tmp_path}/python nor on the path\n"
        "  fix: install dbt-core and the adapter of your database, such as dbt-duckdb, into this environment"
    )


def test_the_environment_is_as_before_after_a_child_was_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOE_TEST_OLD", "old")

    with added_environment({"FLOE_TEST_OLD": "new", "FLOE_TEST_ADDED": "1"}):
        inside = (os.environ["FLOE_TEST_OLD"], os.environ["FLOE_TEST_ADDED"])

    assert inside == ("new", "1")
    assert (os.environ["FLOE_TEST_OLD"], "FLOE_TEST_ADDED" in os.environ) == ("old", False)
