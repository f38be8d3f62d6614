"""A real dbt project with every kind of node."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from floe_core.schemas.orchestration_config import DbtConfig
from floe_dagster.dbt.compilation import CompiledDbt, compile_dbt
from floe_dagster.dbt.connection import DbtProfile
from floe_dagster.dbt.files import write_profile
from floe_dagster.dbt.index import DbtIndex, RelationNames
from floe_dagster.dbt.project import locate_dbt_project
from floe_dagster.loaders.dbt_loader import LoadedDbt, load_dbt_assets
from floe_dagster.resources.dbt import DbtResource, build_dbt_resource

_PROJECT = Path(__file__).parent / "projects" / "dbt_shop"
NAMES = RelationNames(database="shop", schema="main", adapter="duckdb")


@dataclass(frozen=True)
class DbtShop:
    """A copy of the project."""

    path: Path
    progress: list[str]

    @classmethod
    def copy_to(cls, folder: Path) -> "DbtShop":
        shutil.copytree(_PROJECT, folder)
        return cls(folder, [])

    @property
    def dbt_dir(self) -> Path:
        return self.path / "dbt"

    @property
    def floe_dir(self) -> Path:
        return self.path / ".floe"

    @property
    def database(self) -> Path:
        return self.floe_dir / "shop.duckdb"

    def profile(self, target: str = "dev", *, schema: str = "main") -> DbtProfile:
        output = {"type": "duckdb", "path": str(self.database), "schema": schema, "threads": 2}
        content: dict[str, object] = {"shop": {"target": target, "outputs": {target: output}}}
        names = RelationNames(NAMES.database, schema, NAMES.adapter)
        return DbtProfile(write_profile(content, floe_dir=self.floe_dir), target=target, names=names)

    def compile(self, dbt: DbtConfig | None = None, profile: DbtProfile | None = None) -> CompiledDbt:
        dbt = dbt or DbtConfig()
        return compile_dbt(
            dbt,
            location=locate_dbt_project(dbt, project_dir=self.path),
            profile=profile or self.profile(),
            project_dir=self.path,
            floe_dir=self.floe_dir,
            progress=self.progress.append,
        )

    def load(
        self,
        index: DbtIndex,
        dbt: DbtConfig | None = None,
        *,
        python_assets: Sequence[dg.AssetsDefinition | dg.AssetSpec] = (),
    ) -> LoadedDbt:
        return load_dbt_assets(
            dbt or DbtConfig(), index, project_dir=self.path, names=NAMES, python_assets=python_assets
        )

    def resource(self, index: DbtIndex, loaded: LoadedDbt, dbt: DbtConfig | None = None) -> DbtResource:
        return build_dbt_resource(
            dbt or DbtConfig(),
            index,
            profile=self.profile(),
            project_dir=self.path,
            floe_dir=self.floe_dir,
            source_keys=loaded.source_keys,
        )
