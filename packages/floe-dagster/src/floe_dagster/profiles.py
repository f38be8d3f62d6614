"""What the logical references of floe.yaml resolve to on a platform."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from floe_core.compiler.profiles import DuckDBPlugin, build_dbt_profile
from floe_core.errors import Location, Problem
from floe_core.interpolation import is_unset
from floe_core.project import ProjectFolder
from floe_core.schemas.compute_profile import ComputeProfile, DuckDBCompute
from floe_core.schemas.execution_profile import ExecutionProfile
from floe_core.schemas.floe_spec import FloeSpec
from floe_core.schemas.orchestration_config import DbtConfig
from floe_core.schemas.platform_spec import (
    CatalogProfile,
    GlueCatalog,
    LocalStorage,
    Maintenance,
    PlatformSpec,
    RestCatalog,
    S3Storage,
    SqlCatalog,
    StorageProfile,
)
from floe_core.schemas.secrets import SecretRef
from floe_dagster.dbt.connection import DbtProfile
from floe_dagster.dbt.files import write_profile
from floe_dagster.dbt.index import RelationNames
from floe_dagster.dbt.project import DbtProjectFolder
from floe_dagster.lakehouse.catalog_drivers import check_driver
from floe_dagster.lakehouse.settings import LakehouseSettings

DEFAULT_PROFILE = "default"
DEFAULT_TARGET = "dev"
_SQLITE = "sqlite:///"
_PLUGIN_MODULE = "floe_dagster.lakehouse.duckdb_plugin"
_PLUGIN_NAME = "floe"
_HTTPS = "https://"

CatalogProperties = dict[str, str | SecretRef]


@dataclass(frozen=True)
class Profiles:
    """The profiles that a project runs on."""

    storage: StorageProfile
    catalog: CatalogProfile
    compute: ComputeProfile
    execution: ExecutionProfile | None
    """The one that jobs use which name none; Dagster's own choice without it."""
    maintenance: Maintenance


def resolve_profiles(spec: FloeSpec, platform: PlatformSpec) -> Profiles:
    """Resolve `storage`, `catalog` and `compute` of *spec*; that they exist has been checked."""
    return Profiles(
        storage=platform.storage[spec.storage],
        catalog=platform.catalogs[spec.catalog],
        compute=platform.compute[spec.compute],
        execution=None if is_unset(platform.execution) else platform.execution.get(DEFAULT_PROFILE),
        maintenance=platform.maintenance,
    )


def check_catalog(catalog: CatalogProfile, *, location: Location | None) -> Iterator[Problem]:
    """The problem of a catalog whose client is not installed, as far as its address is known."""
    if isinstance(catalog, SqlCatalog) and isinstance(catalog.uri, str) and not is_unset(catalog.uri):
        yield from check_driver(catalog.uri, location=location)


def lakehouse_settings(profiles: Profiles, project: ProjectFolder) -> LakehouseSettings:
    """The lakehouse of the project; its secrets are named, and read when the catalog is first used."""
    properties = catalog_properties(profiles, project)
    compute = profiles.compute
    return LakehouseSettings(
        properties={name: value for name, value in properties.items() if not isinstance(value, SecretRef)},
        secrets={name: value.secret_ref for name, value in properties.items() if isinstance(value, SecretRef)},
        warehouse_file=_duckdb_file(compute, project) if isinstance(compute, DuckDBCompute) else None,
        dbt_schema=schema_of(compute),
        maintenance={
            name: str(value) for name, value in profiles.maintenance.model_dump(mode="json", exclude_unset=True).items()
        },
    )


def catalog_properties(profiles: Profiles, project: ProjectFolder) -> CatalogProperties:
    """The catalog's properties by the names that its client gives them; secrets are named, not read.

    Source:
        https://py.iceberg.apache.org/configuration/
    """
    return {
        **_catalog_properties(profiles.catalog, project),
        **_storage_properties(profiles.storage, project, managed=isinstance(profiles.catalog, SqlCatalog)),
    }


def dbt_profile(
    dbt: DbtConfig, profiles: Profiles, *, project: ProjectFolder, dbt_project: DbtProjectFolder | None
) -> DbtProfile:
    """The connection of every dbt call: the user's own profiles if floe.yaml names them, else one written now."""
    target = dbt.target or DEFAULT_TARGET
    if dbt.profiles_dir is not None:
        folder = (project.path / Path(dbt.profiles_dir).expanduser()).resolve()
        return DbtProfile(profiles_dir=folder, target=dbt.target)
    name = dbt_project.profile if dbt_project is not None else None
    plugin = DuckDBPlugin(_PLUGIN_MODULE, _PLUGIN_NAME, {"properties": catalog_properties(profiles, project)})
    built = build_dbt_profile(
        name or _PLUGIN_NAME,
        {target: profiles.compute},
        target=target,
        base_dir=project.path.resolve(),
        duckdb_plugins=[plugin] if isinstance(profiles.compute, DuckDBCompute) else [],
    )
    return DbtProfile(
        profiles_dir=write_profile(built.content, floe_dir=project.floe_dir),
        target=target,
        profile=None if name else _PLUGIN_NAME,
        names=RelationNames(
            database=_database_of(profiles.compute, project),
            schema=schema_of(profiles.compute),
            adapter=profiles.compute.type,
        ),
        secrets=built.secret_variables,
    )


def schema_of(compute: ComputeProfile) -> str:
    """The schema that dbt puts models in which name none."""
    for field in ("schema_name", "dataset"):
        value = getattr(compute, field, None)
        if value:
            return str(value)
    return "main"


def _database_of(compute: ComputeProfile, project: ProjectFolder) -> str:
    if isinstance(compute, DuckDBCompute):
        return _duckdb_file(compute, project).stem
    for field in ("dbname", "database", "catalog", "project"):
        value = getattr(compute, field, None)
        if value:
            return str(value)
    return ""


def _duckdb_file(compute: DuckDBCompute, project: ProjectFolder) -> Path:
    return (project.path / Path(compute.path).expanduser()).resolve()


def _catalog_properties(catalog: CatalogProfile, project: ProjectFolder) -> CatalogProperties:
    match catalog:
        case SqlCatalog():
            return {"type": "sql", "uri": _sql_uri(catalog.uri, project)}
        case RestCatalog():
            return _without_none(
                {
                    "type": "rest",
                    "uri": _with_scheme(catalog.uri),
                    "warehouse": catalog.warehouse,
                    "client-id": catalog.client_id,
                    "client-secret": catalog.client_secret,
                    "token": catalog.token,
                    "oauth2-server-uri": _with_scheme(catalog.oauth2_server_uri),
                    "scope": catalog.scope,
                    "header.X-Iceberg-Access-Delegation": catalog.access_delegation,
                }
            )
        case GlueCatalog():
            return _without_none(
                {
                    "type": "glue",
                    "glue.region": catalog.region,
                    "glue.id": catalog.catalog_id,
                    "glue.endpoint": _with_scheme(catalog.endpoint),
                    "glue.access-key-id": catalog.access_key_id,
                    "glue.secret-access-key": catalog.secret_access_key,
                    "glue.session-token": catalog.session_token,
                }
            )
        case _:
            assert_never(catalog)


def _storage_properties(storage: StorageProfile, project: ProjectFolder, *, managed: bool) -> CatalogProperties:
    """Args: managed: Whether the client, not the catalog's server, decides where tables are stored."""
    match storage:
        case LocalStorage():
            folder = (project.path / Path(storage.path).expanduser()).resolve()
            return {"warehouse": str(folder)} if managed else {}
        case S3Storage():
            path = "/".join(part for part in (storage.bucket, storage.prefix.strip("/")) if part)
            return _without_none(
                {
                    "warehouse": f"s3://{path}" if managed else None,
                    "s3.region": storage.region,
                    "s3.endpoint": _with_scheme(storage.endpoint),
                    "s3.force-virtual-addressing": None if storage.path_style is None else str(not storage.path_style),
                    "s3.access-key-id": storage.access_key_id,
                    "s3.secret-access-key": storage.secret_access_key,
                    "s3.session-token": storage.session_token,
                }
            )
        case _:
            assert_never(storage)


def _sql_uri(uri: str | SecretRef, project: ProjectFolder) -> str | SecretRef:
    """*uri*, with the path of a SQLite file made absolute."""
    if isinstance(uri, SecretRef) or not uri.startswith(_SQLITE):
        return uri
    file = uri.removeprefix(_SQLITE)
    return f"{_SQLITE}{project.path.resolve() / file}"


def _with_scheme(url: str | None) -> str | None:
    return url if url is None or "://" in url else f"{_HTTPS}{url}"


def _without_none(values: dict[str, str | SecretRef | None]) -> CatalogProperties:
    return {name: value for name, value in values.items() if value is not None}
