"""The vars that a dbt project reads while it is parsed, as `floe compile` notes them beside the parsed project."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from floe_core.templates import texts_in
from floe_core.yaml_source import load_foreign_yaml
from floe_dagster.dbt.files import replace_text
from floe_dagster.dbt.project import PROJECT_FILE

_FILE = "parse_vars.json"
_ANY_VAR = "*"
_MACRO_FILES = frozenset({"macro", "generic_test"})
_SCHEMA_FILE = "schema"
_RENDERED_LATER = re.compile(r"\+?(?:pre|post)[-_]hook|on-run-(?:start|end)|description|docs|query-comment")
_DBTS_OWN = re.compile(r"[/\\]dbt[/\\]include[/\\]")


@dataclass(frozen=True)
class ParseVars:
    """Which files dbt has to parse again when a var has another value; all others stay as they are."""

    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Var → checksums of the files whose parsing reads it, as dbt knows them."""
    everywhere: frozenset[str] = frozenset()
    """Vars on which every file depends."""

    @property
    def names(self) -> frozenset[str]:
        """All vars that are read."""
        return self.everywhere.union(self.files)

    @classmethod
    def of_project(cls, state: Mapping[str, Any]) -> "ParseVars":
        """Read the code of the project that dbt parsed into *state*. Imports dbt."""
        from floe_dagster.dbt.var_uses import MacroUses, uses_of_code  # noqa: PLC0415 - imports dbt

        sources = [source for source in state.get("files", {}).values() if not _DBTS_OWN.search(_root_of(source))]
        macro_files = [source for source in sources if source["parse_file_type"] in _MACRO_FILES]
        macros = MacroUses.of(map(_read, macro_files))
        found: dict[str, list[str]] = {}
        for source in sources:
            if source["parse_file_type"] == _SCHEMA_FILE:
                names = _names_in_yaml(source.get("dfy"))
            elif source in macro_files:
                names = macros.of_tests(_read(source)).while_parsing
            elif str(source["path"]["relative_path"]).endswith(".sql"):
                names = uses_of_code(_read(source), macros).while_parsing
            else:
                continue
            for name in names:
                found.setdefault(name, []).append(source["checksum"]["checksum"])
        roots = {_root_of(source) for source in sources}
        settings = (_names_in_yaml(load_foreign_yaml(Path(root, PROJECT_FILE))) for root in roots)
        return cls(
            {name: tuple(sorted(files)) for name, files in sorted(found.items())},
            macros.everywhere.union(*settings),
        )

    @classmethod
    def load(cls, state_file: Path) -> "ParseVars | None":
        """What was noted beside *state_file*; None where nothing was."""
        try:
            content = json.loads(state_file.with_name(_FILE).read_bytes())
            files = {name: tuple(files) for name, files in content["files"].items()}
            return cls(files, frozenset(content["everywhere"]))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def write(self, state_file: Path) -> None:
        """Note it beside *state_file*."""
        content = {**asdict(self), "everywhere": sorted(self.everywhere)}
        replace_text(state_file.with_name(_FILE), json.dumps(content))

    def files_of(self, names: Iterable[str]) -> frozenset[str] | None:
        """The checksums of the files that depend on vars of these names; None where all do."""
        asked = {*names, _ANY_VAR}
        if asked & self.everywhere:
            return None
        return frozenset(checksum for name in asked for checksum in self.files.get(name, ()))


def _root_of(source: Mapping[str, Any]) -> str:
    return str(source["path"]["project_root"])


def _read(source: Mapping[str, Any]) -> str:
    path = source["path"]
    try:
        return Path(path["project_root"], path["searched_path"], path["relative_path"]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _names_in_yaml(tree: object) -> frozenset[str]:
    from floe_dagster.dbt.var_uses import names_in  # noqa: PLC0415 - imports dbt

    return frozenset().union(*(names_in(text) for _, text in texts_in(_rendered_now(tree))))


def _rendered_now(tree: object) -> object:
    """*tree* without what dbt renders when something runs."""
    if isinstance(tree, Mapping):
        kept: Iterator[tuple[object, object]] = (
            (key, item) for key, item in tree.items() if not _RENDERED_LATER.fullmatch(str(key))
        )
        return {key: _rendered_now(item) for key, item in kept}
    return [_rendered_now(item) for item in tree] if isinstance(tree, list) else tree
