"""Every name that the Complete Example mentions, misspelt: an error at its line that names what was meant."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from floe_cli.main import run_command_line
from floe_core.errors import YamlPath, format_yaml_path
from floe_core.yaml_source import load_yaml
from plugins.user_project import forgotten_imports

EXAMPLE = Path(__file__).parent.parent / "projects" / "ecommerce"
DOCUMENT = load_yaml(EXAMPLE / "floe.yaml")
SECTIONS_OF_NAMES = {"partitions", "assets", "jobs", "schedules", "sensors", "backfills"}
REFERENCES = {
    *("storage", "catalog", "compute", "type", "observability_level", "partitions", "automation_condition", "job"),
    *("timezone", "target_function", "asset_modules", "selection", "watched_assets"),
}


def paths_of(value: object, path: YamlPath = ()) -> Iterator[YamlPath]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths_of(item, (*path, key))


def value_at(path: YamlPath) -> object:
    value = DOCUMENT.value
    for part in path:
        value = value[part]  # type: ignore[index]  # the path comes from the document
    return value


def is_name_of_entry(path: YamlPath) -> bool:
    return len(path) == 3 and path[0] == "orchestration" and path[1] in SECTIONS_OF_NAMES


def is_field(path: YamlPath) -> bool:
    return bool(path) and isinstance(path[-1], str) and not is_name_of_entry(path) and "args" not in path[:-1]


def is_reference(path: YamlPath) -> bool:
    field = next((part for part in reversed(path) if isinstance(part, str)), "")
    return isinstance(value_at(path), str) and field in REFERENCES


FIELDS = [path for path in paths_of(DOCUMENT.value) if is_field(path)]
NAMES = [path for path in paths_of(DOCUMENT.value) if is_reference(path)]
PATTERNS = [path for path in paths_of(DOCUMENT.value) if is_name_of_entry(path) and path[1] == "assets"]


def misspelt(name: str) -> str:
    """*name* with two letters in the middle of its last word swapped, such as `bronze_laod`."""
    *_, word = re.finditer(r"[A-Za-z]{2,}", name)
    middle = (word.start() + word.end()) // 2
    pairs = [at for at in range(word.start(), word.end() - 1) if name[at] != name[at + 1]]
    at = min(pairs, key=lambda at: abs(at + 1 - middle))
    return name[:at] + name[at + 1] + name[at] + name[at + 2 :]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("misspelt") / "project"))


@pytest.fixture
def project(folder: Path) -> Iterator[Path]:
    """The example, whose modules are forgotten after the test as after a process."""
    with forgotten_imports(folder):
        yield folder


def misspell(project: Path, path: YamlPath, *, key: bool) -> int:
    """Write the example with the key or value at *path* misspelt; the line it stands in."""
    name = str(path[-1] if key else value_at(path))
    location = DOCUMENT.source.locate(*path, key=key)
    assert location.line is not None
    assert location.column is not None
    lines = DOCUMENT.text.splitlines()
    before, after = (lines[location.line - 1][: location.column - 1], lines[location.line - 1][location.column - 1 :])
    lines[location.line - 1] = before + after.replace(name, misspelt(name), 1)
    (project / "floe.yaml").write_text("\n".join(lines))
    return location.line


def validate(project: Path, *options: str, capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    """The errors that `floe validate` finds."""
    run_command_line(["validate", *options, "--format=json", "--project", str(project)])
    problems = json.loads(capsys.readouterr().out)["problems"]
    return [problem for problem in problems if problem["severity"] == "error"]


def test_the_example_itself_has_no_errors(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "floe.yaml").write_text(DOCUMENT.text)

    assert validate(project, capsys=capsys) == []


@pytest.mark.requirement("010-FR-047")
@pytest.mark.parametrize("path", FIELDS, ids=format_yaml_path)
def test_a_misspelt_field_is_told_with_the_right_one(
    project: Path, path: YamlPath, capsys: pytest.CaptureFixture[str]
) -> None:
    line = misspell(project, path, key=True)

    (error,) = validate(project, "--schema-only", capsys=capsys)
    assert error["line"] == line
    assert f"'{path[-1]}'" in str(error["fix"])


@pytest.mark.requirement("010-FR-047")
@pytest.mark.parametrize("path", [*NAMES, *PATTERNS], ids=format_yaml_path)
def test_a_misspelt_name_is_told_with_the_right_one(
    project: Path, path: YamlPath, capsys: pytest.CaptureFixture[str]
) -> None:
    is_pattern = path in PATTERNS
    name = str(path[-1] if is_pattern else value_at(path)).removeprefix("group:")
    line = misspell(project, path, key=is_pattern)

    errors = validate(project, capsys=capsys)
    assert len(errors) == 1, errors
    error = errors[0]
    assert error["line"] == line
    assert f"'{name}'" in str(error["fix"])
