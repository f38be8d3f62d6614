"""What a project says about its observation, as a process that carries out a part of a run is given it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from floe_core.schemas.platform_spec import Observability

OBSERVABILITY_DIR = "observability"  # in `.floe`
TRACES_DIR = "traces"
LINEAGE_DIR = "lineage"
SPOOL_DIR = "spool"
COLUMNS_DIR = "columns"

Relation: TypeAlias = tuple[str, str, str]
"""Database, schema and name, as the database has them; any of them may be empty."""


@dataclass(frozen=True, slots=True)
class OwnProfile:
    """A user's own profiles.yml, which says where dbt builds; read where that has to be known."""

    file: Path
    project_dir: Path
    profile: str | None = None
    target: str | None = None


@dataclass(frozen=True)
class ObservabilitySettings:
    """Where spans and lineage events go, and what they call the project and its tables.

    Secrets are named and read where they are used. Variables of OpenTelemetry and OpenLineage win over what is here;
    they are read in the process that sends something.

    Args:
        pipeline: The project's name: the first part of every lineage job's name.
        namespace: OpenLineage namespace of the jobs.
        folder: Where local files are kept (`.floe/observability`).
        platform: `observability` of platform.yaml.
        catalog_namespace: Namespace of the tables in the catalog.
        catalog_prefix: What stands in front of `schema.table` there, with its dot; mostly nothing.
        warehouse_namespace: Namespace of what dbt builds; None where only `own_profile` can tell.
        own_profile: The user's own dbt profile, where floe generates none.
        python_sources: Unique id of a dbt source that a Python asset writes → its table in the catalog.
        source_keys: Unique id of every dbt source → key of its asset.
        dbt_tables: Name of a table that dbt builds or reads, in lower case → key of its asset.
        dbt_relations: Key of an asset that dbt builds, or that it reads from elsewhere → its relation.
        secret_names: Names of all secrets in platform.yaml.
        secret_variables: Variables that floe.yaml has under the names of secrets.
    """

    pipeline: str
    namespace: str
    folder: Path
    platform: Observability = field(default_factory=Observability)
    catalog_namespace: str = ""
    catalog_prefix: str = ""
    warehouse_namespace: str | None = None
    own_profile: OwnProfile | None = None
    python_sources: Mapping[str, str] = field(default_factory=dict)
    source_keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dbt_tables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dbt_relations: Mapping[tuple[str, ...], Relation] = field(default_factory=dict)
    secret_names: Sequence[str] = ()
    secret_variables: Sequence[str] = ()

    @property
    def traces_folder(self) -> Path:
        """One file per run: `<run id>.jsonl`, spans in OTLP's JSON, a request in each line."""
        return self.folder / TRACES_DIR

    @property
    def lineage_folder(self) -> Path:
        """One file per run: `<run id>.jsonl`, an OpenLineage event in each line."""
        return self.folder / LINEAGE_DIR

    @property
    def spool_folder(self) -> Path:
        """Lineage events that could not be sent, for `floe lineage replay`."""
        return self.folder / SPOOL_DIR

    @property
    def columns_folder(self) -> Path:
        """One file per table: its columns, for the lineage of what reads it."""
        return self.folder / COLUMNS_DIR
