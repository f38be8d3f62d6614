"""Whether a manifest that somebody else had made still says what `dbt parse` would say now.

A manifest alone cannot tell: it holds no digests of YAML files. The parsed state that dbt keeps beside it
(`partial_parse.msgpack`) can. Wherever something cannot be told, the answer is no.
"""

import hashlib
import importlib.metadata
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from floe_dagster.dbt.connection import DbtProfile
from floe_dagster.dbt.parsed_state import vars_hash
from floe_dagster.dbt.project import PROJECT_FILE, DbtProjectFolder

_CODE = frozenset({".sql", ".py", ".yml", ".yaml", ".csv", ".md"})
_ENV_VAR = re.compile(r"env_var\(\s*['\"](\w+)['\"]")


def is_current(
    manifest: Mapping[str, Any],
    state: Mapping[str, Any],
    *,
    project: DbtProjectFolder,
    profile: DbtProfile,
    cli_vars: Mapping[str, object],
) -> bool:
    """Whether *manifest* is what parsing *project* with *profile* gives.

    Args:
        manifest: As JSON.
        state: The parsed state beside it, as `load_parsed_state` gives it.
        project: The project as it is now.
        profile: The connection that dbt would parse with.
        cli_vars: The vars that it would be given.
    """
    return bool(
        state
        and _same_nodes(manifest, state)
        and _same_settings(state, project, profile, cli_vars)
        and _same_names(manifest, profile)
        and _same_environment(state, project)
        and _same_files(state, project)
    )


def used_variables(project: DbtProjectFolder | None, profile: DbtProfile, state: Mapping[str, Any]) -> list[str]:
    """Names of the environment variables that the project and its profile read while dbt parses."""
    files = [profile.file, *([project.path / PROJECT_FILE] if project is not None else [])]
    in_files = {
        name for file in files if file.is_file() for name in _ENV_VAR.findall(file.read_text("utf-8", "replace"))
    }
    return sorted((in_files | set(state.get("env_vars") or ())) - set(profile.secrets))


def _same_nodes(manifest: Mapping[str, Any], state: Mapping[str, Any]) -> bool:
    return _checksums(manifest) == _checksums(state)


def _checksums(manifest: Mapping[str, Any]) -> dict[str, object]:
    nodes = manifest.get("nodes") or {}
    return {unique_id: (node.get("checksum") or {}).get("checksum") for unique_id, node in nodes.items()}


def _same_settings(
    state: Mapping[str, Any], project: DbtProjectFolder, profile: DbtProfile, cli_vars: Mapping[str, object]
) -> bool:
    if state["metadata"].get("dbt_version") != importlib.metadata.version("dbt-core"):
        return False
    check = state["state_check"]
    parsed_with = check["vars_hash"]["checksum"]
    possible = (vars_hash(cli_vars, profile=profile.profile, target=target) for target in (None, profile.target))
    settings = hashlib.sha256((project.path / PROJECT_FILE).read_text("utf-8").encode()).hexdigest()
    return parsed_with in possible and check["project_hashes"].get(project.name, {}).get("checksum") == settings


def _same_names(manifest: Mapping[str, Any], profile: DbtProfile) -> bool:
    """Whether the profile it was parsed with put relations where *profile* would."""
    if profile.names is None:
        return True
    names = profile.names
    built = [node for node in manifest["nodes"].values() if node["resource_type"] in ("model", "seed", "snapshot")]
    return manifest["metadata"].get("adapter_type") == names.adapter and all(
        (node["config"].get("database") or node["database"] == names.database)
        and (node["schema"] == names.schema or node["schema"].startswith(f"{names.schema}_"))
        for node in built
    )


def _same_environment(state: Mapping[str, Any], project: DbtProjectFolder) -> bool:
    if _ENV_VAR.search((project.path / PROJECT_FILE).read_text("utf-8")):
        return False  # dbt keeps only a hash of all of them
    read = state.get("env_vars") or {}
    return all(os.environ.get(name) == value for name, value in read.items())  # noqa: TID251 - dbt reads it


def _same_files(state: Mapping[str, Any], project: DbtProjectFolder) -> bool:
    known = dict(_known_files(state["files"].values(), project))
    there = set(_code_below(project.path / folder for folder in project.code_folders))
    own = {file for file in known if file.is_relative_to(project.path)}
    return there <= own and all(_checksum(file) == checksum for file, checksum in known.items())


def _known_files(files: Iterable[Mapping[str, Any]], project: DbtProjectFolder) -> Iterator[tuple[Path, str]]:
    for file in files:
        name, path = file["project_name"], file["path"]
        if name == project.name:
            root = project.path
        elif name == "dbt" or (name.startswith("dbt_") and not Path(path["project_root"]).is_relative_to(project.path)):
            continue  # dbt's own packages: the version decides
        else:
            root = Path(path["project_root"])
        yield root / path["searched_path"] / path["relative_path"], file["checksum"]["checksum"]


def _checksum(file: Path) -> str | None:
    """dbt's own: of the text without the white space around it."""
    try:
        return hashlib.sha256(file.read_text("utf-8").strip().encode()).hexdigest()
    except (OSError, UnicodeDecodeError):
        return None


def _code_below(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        for parent, _, files in os.walk(folder):
            yield from (Path(parent, name) for name in files if Path(name).suffix.lower() in _CODE)
