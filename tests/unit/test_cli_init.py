import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from floe_cli.main import run_command_line
from floe_cli.scaffold import TEMPLATES, package_name, project_files


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "my-shop"
    folder.mkdir()
    monkeypatch.chdir(folder)


def written(folder: Path) -> set[str]:
    files = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    return {str(path) for path in files if path.parts[0] != ".floe"}


def test_init_writes_a_project_into_the_empty_working_directory(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["init"]) == 0

    assert written(Path.cwd()) == {
        ".gitignore",
        "data/orders.csv",
        "dbt/dbt_project.yml",
        "dbt/models/gold/daily_revenue.sql",
        "dbt/models/models.yml",
        "dbt/models/silver/stg_orders.sql",
        "dbt/models/sources.yml",
        "floe.yaml",
        "my_shop/__init__.py",
        "my_shop/assets/__init__.py",
        "my_shop/assets/bronze.py",
        "my_shop/definitions.py",
        "pyproject.toml",
    }
    assert "floe run full_pipeline" in capsys.readouterr().err


def test_init_makes_the_folder_that_it_is_given() -> None:
    assert run_command_line(["init", "bakery"]) == 0

    assert Path("bakery/bakery/definitions.py").is_file()
    assert not Path("floe.yaml").exists()


@pytest.mark.requirement("010-FR-046")
@pytest.mark.parametrize("template", TEMPLATES)
def test_an_editor_finds_the_schema_that_the_document_names(template: str) -> None:
    assert run_command_line(["init", "--template", template]) == 0

    text = Path("floe.yaml").read_text()
    named = text.splitlines()[0].removeprefix("# yaml-language-server: $schema=")
    schema = json.loads(Path(named).read_text())
    assert run_command_line(["validate", "--schema-only"]) == 0
    assert Draft202012Validator(schema).is_valid(yaml.safe_load(text))
    assert not Draft202012Validator(schema).is_valid({**yaml.safe_load(text), "name": ["no", "text"]})


@pytest.mark.parametrize("template", TEMPLATES)
def test_no_placeholder_is_left_in_what_is_written(template: str) -> None:
    for path, text in project_files("my-shop", template).items():
        assert "__PACKAGE__" not in f"{path}{text}"
        assert "__NAME__" not in f"{path}{text}"


def test_a_repository_without_files_of_its_own_counts_as_empty() -> None:
    Path(".git").mkdir()
    Path("README.md").touch()

    assert run_command_line(["init"]) == 0


@pytest.mark.parametrize("name", ["floe.yaml", "main.py", ".gitignore"])
def test_nothing_is_overwritten(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(name).write_text("mine")

    assert run_command_line(["init"]) == 2

    assert Path(name).read_text() == "mine"
    assert written(Path.cwd()) == {name}
    assert f". is not empty (it has {name}), and nothing is overwritten" in capsys.readouterr().err


def test_a_name_that_floe_yaml_does_not_take_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["init", "my shop"]) == 2

    assert "'my shop' cannot be a project's name" in capsys.readouterr().err
    assert not Path("my shop").exists()


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("shop", "shop"),
        ("My-Shop", "my_shop"),
        ("2nd-shop", "p_2nd_shop"),
        pytest.param("json", "json_pipeline", id="a module of Python's"),
        pytest.param("dbt", "dbt_pipeline", id="an installed package"),
        pytest.param("data", "data_pipeline", id="a folder of the project"),
        pytest.param("class", "class_pipeline", id="a keyword"),
        pytest.param("-", "p", id="no letter at all"),
    ],
)
def test_the_package_never_takes_the_name_of_another_module(name: str, package: str) -> None:
    assert package_name(name) == package


def test_init_writes_nothing_where_a_project_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "a#b"
    folder.mkdir()
    monkeypatch.chdir(folder)

    assert run_command_line(["init", "shop"]) == 1

    assert "error[FLOE-132]: the path of the project folder holds '#'" in capsys.readouterr().err
    assert list(folder.iterdir()) == []
