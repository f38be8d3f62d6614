from pathlib import Path

import pytest

from floe_core.errors import LoadError
from floe_core.project import ProjectFolder
from floe_dagster.running.code_pointer import BUILT_IN_MODULE, find_code_pointer

FACTORY = "from floe_dagster import FloeDefinitions\n\ndefs = FloeDefinitions.from_compiled_artifacts()\n"


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def test_the_block_in_pyproject_names_the_module(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "floe.yaml": "",
            "pyproject.toml": '[tool.dagster]\nmodule_name = "shop.defs"\n',
            "other/definitions.py": FACTORY,
        },
    )

    pointer = find_code_pointer(ProjectFolder(tmp_path))

    assert (pointer.module_name, pointer.working_directory) == ("shop.defs", tmp_path)


def test_a_block_above_the_project_counts_when_its_module_is_the_projects(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            ".git/HEAD": "",
            "pyproject.toml": '[tool.dagster]\nmodule_name = "shop.definitions"\n',
            "shop/__init__.py": "",
            "shop/floe.yaml": "",
            "shop/definitions.py": FACTORY,
        },
    )

    pointer = find_code_pointer(ProjectFolder(tmp_path / "shop"))

    assert (pointer.module_name, pointer.working_directory) == ("shop.definitions", tmp_path)


def test_a_block_of_another_project_in_the_repository_is_left_alone(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            ".git/HEAD": "",
            "pyproject.toml": '[tool.dagster]\nmodule_name = "shop.definitions"\n',
            "shop/floe.yaml": "",
            "shop/definitions.py": FACTORY,
            "bakery/floe.yaml": "",
        },
    )

    assert find_code_pointer(ProjectFolder(tmp_path / "bakery")).is_built_in


def test_nothing_is_looked_for_above_the_repository(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "pyproject.toml": '[tool.dagster]\nmodule_name = "defs"\n',
            "defs.py": FACTORY,
            "repo/.git/HEAD": "",
            "repo/floe.yaml": "",
        },
    )

    assert find_code_pointer(ProjectFolder(tmp_path / "repo")).is_built_in


@pytest.mark.parametrize(
    ("package", "module_name", "working_directory"),
    [
        pytest.param(True, "shop.orchestration.definitions", "", id="in a package"),
        pytest.param(False, "definitions", "shop/orchestration", id="in a plain folder"),
    ],
)
def test_without_a_block_the_file_that_calls_the_factory_is_found(
    tmp_path: Path, package: bool, module_name: str, working_directory: str
) -> None:
    inits = {"shop/__init__.py": "", "shop/orchestration/__init__.py": ""} if package else {}
    write(tmp_path, {"floe.yaml": "", "shop/orchestration/definitions.py": FACTORY, **inits})

    pointer = find_code_pointer(ProjectFolder(tmp_path))

    assert (pointer.module_name, pointer.working_directory) == (module_name, tmp_path / working_directory)


def test_files_that_do_not_belong_to_the_project_are_not_taken(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "floe.yaml": "",
            "definitions.py": "jobs = []\n",
            ".venv/lib/definitions.py": FACTORY,
            "env/pyvenv.cfg": "",
            "env/definitions.py": FACTORY,
            "nested/floe.yaml": "",
            "nested/definitions.py": FACTORY,
        },
    )

    pointer = find_code_pointer(ProjectFolder(tmp_path))

    assert (pointer.module_name, pointer.is_built_in) == (BUILT_IN_MODULE, True)


def test_two_files_that_could_be_meant_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"floe.yaml": "", "a/definitions.py": FACTORY, "b/definitions.py": FACTORY})

    with pytest.raises(LoadError) as raised:
        find_code_pointer(ProjectFolder(tmp_path))

    assert str(raised.value) == (
        "error[FLOE-422]: both a/definitions.py and b/definitions.py build definitions\n"
        "  why: a code location has one module that holds its definitions\n"
        '  fix: name it in pyproject.toml: [tool.dagster] module_name = "package.definitions"'
    )


def test_a_broken_pyproject_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"floe.yaml": "", "pyproject.toml": "[tool.dagster\n"})

    with pytest.raises(LoadError) as raised:
        find_code_pointer(ProjectFolder(tmp_path))

    assert str(raised.value) == (
        "error[FLOE-421]: pyproject.toml cannot be parsed: Expected ']' at the end of a table declaration "
        "(at line 1, column 14)\n"
        "  --> pyproject.toml\n"
        "  why: its [tool.dagster] block names the module that holds the definitions\n"
        "  fix: mend the TOML"
    )
