"""Every name that a document of every kind refers to, misspelt: an error at its line that names what was meant."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from every_kind import SHOP, SHOP_PLATFORM, SHOP_YAML
from floe_cli.checking import check_project
from floe_core.errors import Problem, ProblemCollector, YamlPath, format_yaml_path
from floe_core.project import ProjectFolder
from floe_core.yaml_source import YamlDocument, parse_yaml
from plugins.user_project import UserProject

TESTS = Path(__file__).parents[1]
NAMES = {
    *("asset_modules", "partitions", "automation_condition", "target_function", "fn", "selection", "exclude", "job"),
    *(
        "jobs",
        "watched_jobs",
        "watched_assets",
        "executor",
        "timezone",
        "type",
        "status",
        "trigger",
        "batch",
        "existing",
    ),
    *(
        "on_failure",
        "backoff",
        "backfill_policy",
        "hooks",
        "on",
        "storage",
        "catalog",
        "compute",
        "target",
        "translator",
    ),
    *("observability_level", "fetch", "jitter", "module"),
}
"""Fields that hold a name of something else, or one of a few words."""
NO_NAMES = {
    *(
        "name",
        "version",
        "description",
        "path",
        "project_dir",
        "manifest_path",
        "profiles_dir",
        "group_name",
        "key_prefix",
    ),
    *("vars", "select", "start", "end", "fmt", "cron_schedule", "partition_keys", "partition_column", "compute_kind"),
    *(
        "kinds",
        "owners",
        "tags",
        "metadata",
        "pool",
        "fail_after",
        "warn_after",
        "cron",
        "lower_bound",
        "args",
        "config",
    ),
    *("environments", "partition_selector", "pattern", "partition_pattern", "partition_key", "run_tags"),
}
"""Fields whose text is free, or has a rule of its own and nothing else to be held against."""
FREE = {"vars", "args", "config", "tags", "metadata", "run_tags", "partition_column"}

DOCUMENT = parse_yaml(SHOP_YAML, file=Path("floe.yaml"))
PLATFORM = parse_yaml(SHOP_PLATFORM, file=Path("platform.yaml"))


def texts_of(value: object, path: YamlPath = ()) -> Iterator[YamlPath]:
    """Where the texts of a document stand that are not free."""
    if isinstance(value, str):
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if key not in FREE and not str(key).startswith("x-"):
            yield from texts_of(item, (*path, key))


def field_of(path: YamlPath) -> str:
    return next(part for part in reversed(path) if isinstance(part, str))


def value_at(document: YamlDocument, path: YamlPath) -> str:
    value = document.value
    for part in path:
        value = value[part]  # type: ignore[index]  # the path comes from the document
    return str(value)


def misspelt(name: str) -> str:
    """*name* with two letters of its last word swapped, near the middle."""
    *_, word = re.finditer(r"[A-Za-z]{2,}", name)
    middle = (word.start() + word.end()) // 2
    pairs = [at for at in range(word.start(), word.end() - 1) if name[at] != name[at + 1]]
    at = min(pairs, key=lambda at: abs(at + 1 - middle))
    return name[:at] + name[at + 1] + name[at] + name[at + 2 :]


def with_misspelt(document: YamlDocument, path: YamlPath) -> tuple[str, int]:
    """The text of *document* with the value at *path* misspelt, and the line it stands in."""
    location = document.source.locate(*path)
    assert location.line is not None
    assert location.column is not None
    lines = document.text.splitlines()
    before, after = lines[location.line - 1][: location.column - 1], lines[location.line - 1][location.column - 1 :]
    name = value_at(document, path)
    lines[location.line - 1] = before + after.replace(name, misspelt(name), 1)
    return "\n".join(lines), location.line


def errors_of(project: UserProject) -> tuple[Problem, ...]:
    problems = ProblemCollector()
    with problems.collecting():
        check_project(
            ProjectFolder(project.path), environ={}, strict_env=True, problems=problems, progress=lambda _: None
        )
    return problems.errors


@pytest.fixture
def shop(user_project: UserProject, monkeypatch: pytest.MonkeyPatch) -> UserProject:
    for variable in ("FLOE_PLATFORM_ENV", "FLOE_PLATFORM_FILE", "DAGSTER_HOME"):
        monkeypatch.delenv(variable, raising=False)
    user_project.write({**SHOP, ".git/HEAD": "", "floe.yaml": SHOP_YAML, "platform.yaml": SHOP_PLATFORM})
    return user_project


def test_every_field_that_holds_text_is_known_to_hold_a_name_or_not() -> None:
    document = parse_yaml((TESTS / "golden" / "every_field_floe.yaml").read_text(), file=Path("floe.yaml"))

    assert {field_of(path) for path in texts_of(document.value)} <= NAMES | NO_NAMES


@pytest.mark.requirement("010-FR-047")
@pytest.mark.parametrize(
    "path", [path for path in texts_of(DOCUMENT.value) if field_of(path) in NAMES], ids=format_yaml_path
)
def test_a_misspelt_name_is_told_at_its_line_with_the_right_one(shop: UserProject, path: YamlPath) -> None:
    text, line = with_misspelt(DOCUMENT, path)
    (shop.path / "floe.yaml").write_text(text)

    (error,) = errors_of(shop)

    assert error.location is not None
    assert (error.location.file, error.location.line) == ("floe.yaml", line)
    assert value_at(DOCUMENT, path).removeprefix("+").rpartition(":")[2] in error.fix


@pytest.mark.requirement("010-FR-047")
@pytest.mark.parametrize(
    "path", [path for path in texts_of(PLATFORM.value) if field_of(path) in NAMES], ids=format_yaml_path
)
def test_a_misspelt_name_of_platform_yaml_is_told_at_its_line(shop: UserProject, path: YamlPath) -> None:
    text, line = with_misspelt(PLATFORM, path)
    (shop.path / "platform.yaml").write_text(text)

    (error,) = errors_of(shop)

    assert error.location is not None
    assert (error.location.file, error.location.line) == ("platform.yaml", line)
    assert value_at(PLATFORM, path) in error.fix
