"""Stand-ins for the objects of dagster-dbt that asset specs carry, so that loading imports neither it nor dbt.

dagster-dbt's helpers (`dbt.cli(…, context=context)`, `get_asset_key_for_model` and others) take the manifest, the
translator and the project from the metadata of the specs. They find these stand-ins there, which become the real
objects at the first use.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from floe_core.errors import Location, ManifestError, Problem, shown_path

if TYPE_CHECKING:
    from dagster_dbt import DbtProject as RealDbtProject

    from floe_dagster.dbt.translator import FloeDbtTranslator as RealTranslator

_PARTS = ("metadata", "nodes", "sources", "parent_map", "child_map")


@dataclass(frozen=True)
class DeferredDbt:
    """One dbt project, of which nothing is read before it is asked for."""

    manifest_path: Path
    project_dir: Path | None
    target: str | None
    source_keys: Mapping[str, dg.AssetKey]
    """Unique id of a source → key of the asset that writes it, where it is not the key that dagster-dbt would give."""

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """The manifest as JSON values."""
        return read_manifest(self.manifest_path)

    @cached_property
    def translator(self) -> "RealTranslator":
        """The translator that gives nodes and sources the keys they have in the definitions."""
        from floe_dagster.dbt.translator import build_translator  # noqa: PLC0415 - imports dbt

        return build_translator(source_keys=self.source_keys, refers_to_code=False)

    @cached_property
    def project(self) -> "RealDbtProject":
        """The project as dagster-dbt describes it."""
        from dagster_dbt import DbtProject as RealDbtProject  # noqa: PLC0415 - imports dbt

        if self.project_dir is None:
            raise ManifestError(missing_project_problem(self.manifest_path))
        return RealDbtProject(self.project_dir, target=self.target)

    def metadata(self, unique_id: str) -> dict[str, object]:
        """The entries that dagster-dbt looks for in the spec of a node."""
        return {**self._before_id, "dagster_dbt/unique_id": unique_id, **self._after_id}

    @cached_property
    def _before_id(self) -> Mapping[str, object]:
        return {
            "dagster_dbt/manifest": DbtManifestWrapper(self),
            "dagster_dbt/dagster_dbt_translator": FloeDbtTranslator(self),
        }

    @cached_property
    def _after_id(self) -> Mapping[str, object]:
        return {"dagster_dbt/project": DbtProject(self)} if self.project_dir is not None else {}


class DbtManifestWrapper:
    """Stands for dagster-dbt's class of this name; Dagster's UI shows the name."""

    def __init__(self, deferred: DeferredDbt) -> None:
        self._deferred = deferred

    @property
    def manifest(self) -> Mapping[str, Any]:
        """The manifest as JSON values."""
        return self._deferred.manifest


class FloeDbtTranslator:
    """Stands for the translator: an instance of its class for whoever has imported dagster-dbt."""

    def __init__(self, deferred: DeferredDbt) -> None:
        self._deferred = deferred

    @property  # type: ignore[misc]  # isinstance() asks for it
    def __class__(self) -> type:
        return type(self._deferred.translator) if "dagster_dbt" in sys.modules else FloeDbtTranslator

    def __getattr__(self, name: str) -> Any:
        if name == "_deferred":  # a copy that is still empty
            raise AttributeError(name)
        return getattr(self._deferred.translator, name)


class DbtProject:
    """Stands for dagster-dbt's class of this name.

    It counts as false: for a selection of more than 200 models dagster-dbt copies a project that it is given, with all
    that is in its folder. Without one it names the models on the command line.
    """

    def __init__(self, deferred: DeferredDbt) -> None:
        self._deferred = deferred

    def __bool__(self) -> bool:
        return False

    @property  # type: ignore[misc]  # isinstance() asks for it
    def __class__(self) -> type:
        module = sys.modules.get("dagster_dbt")
        return getattr(module, "DbtProject", DbtProject)

    def __getattr__(self, name: str) -> Any:
        if name == "_deferred":  # a copy that is still empty
            raise AttributeError(name)
        return getattr(self._deferred.project, name)


def read_manifest(path: Path, *, command: str = "floe compile", location: Location | None = None) -> Mapping[str, Any]:
    """The manifest at *path*.

    Args:
        path: Where it is.
        command: What makes it, for the errors.
        location: Where a document names it.

    Raises:
        ManifestError: There is none, it cannot be read, or it is not a manifest.
    """
    try:
        manifest = json.loads(path.read_bytes())
    except FileNotFoundError:
        what = f"there is no dbt manifest at {shown_path(path)}"
        raise ManifestError(Problem("FLOE-320", what, location, fix=f"run `{command}`, which makes it")) from None
    except (OSError, ValueError) as error:
        what = f"the dbt manifest {shown_path(path)} cannot be read"
        fix = f"run `{command}`, which makes it anew"
        raise ManifestError(Problem("FLOE-321", what, location, detail=str(error), fix=fix)) from None
    if isinstance(manifest, dict) and all(isinstance(manifest.get(part), dict) for part in _PARTS):
        return manifest
    raise ManifestError(
        Problem(
            code="FLOE-321",
            what=f"{shown_path(path)} is not a dbt manifest",
            location=location,
            why=f"a manifest is an object with {', '.join(_PARTS)}",
            fix=f"run `{command}`, which makes one",
        )
    )


def missing_project_problem(manifest_path: Path) -> Problem:
    """That a manifest is there, and the project that it was made from is not."""
    return Problem(
        code="FLOE-324",
        what=f"the dbt project of {shown_path(manifest_path)} is not there",
        why="dbt needs the project's files, not only its manifest, to build a model",
        fix="name the folder of dbt_project.yml as orchestration.dbt.project_dir",
    )
