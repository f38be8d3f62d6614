"""What lineage calls the database that dbt builds in: as OpenLineage's own integration with dbt calls it."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TypeAlias

from floe_core.errors import FloeError
from floe_core.yaml_source import load_foreign_yaml
from floe_dagster.observability.masking import without_credentials
from floe_dagster.observability.settings import OwnProfile

Output: TypeAlias = Mapping[str, object]
"""One output of a dbt profile, with plain values."""

_REFUSED = re.compile(r"[^a-zA-Z:;=/0-9_.@+-]")
_IN_MEMORY = ":memory:"
_SPARK_PORTS = {"http": 443, "odbc": 443, "thrift": 10001}


def dataset_namespace(text: str) -> str:
    """*text* as lineage stores take it for a namespace: without credentials, and `_` for what they refuse.

    >>> dataset_namespace("postgres://etl:secret@db:5432?sslmode=on")
    'postgres://db:5432'
    """
    return _REFUSED.sub("_", without_credentials(text)) or "_"


def warehouse_namespace(output: Output, *, base_dir: Path) -> str:
    """The namespace of what dbt builds through *output*.

    Args:
        output: Of a dbt profile.
        base_dir: Folder to which a relative path of DuckDB refers.

    Source:
        `DbtArtifactProcessor.extract_namespace` of openlineage-integration-common. It gives the path of DuckDB as it
        stands in the profile; here it is absolute.
    """
    kind = str(output.get("type", ""))
    known = _NAMESPACES.get(kind)
    if kind == "duckdb":
        return dataset_namespace(f"duckdb://{_duckdb_path(str(output.get('path') or _IN_MEMORY), base_dir)}")
    return dataset_namespace(known(output) if known is not None else _ask_openlineage(output))


@dataclass(frozen=True, slots=True)
class Warehouse:
    """Where dbt builds.

    `attached` are the databases that DuckDB attaches from elsewhere: name → namespace, and whether the name of the
    database belongs to the names of its tables there.
    """

    namespace: str
    attached: Mapping[str, tuple[str, bool]] = field(default_factory=dict)


def read_own_profile(own: OwnProfile, environ: Mapping[str, str]) -> Warehouse:
    """Where dbt builds with a user's own profile, called by the profile's name where its profiles.yml does not tell."""
    try:
        content = load_foreign_yaml(own.file)
    except (OSError, FloeError):
        content = None
    profiles = content if isinstance(content, Mapping) else {}
    names = [own.profile] if own.profile else [name for name in profiles if name != "config"]
    profile = profiles.get(names[0]) if len(names) == 1 else None
    profile = profile if isinstance(profile, Mapping) else {}
    target = own.target or _render(profile.get("target") or "default", environ)
    output = (profile.get("outputs") or {}).get(target)
    unknown = Warehouse(dataset_namespace(f"dbt://{names[0] if names else 'profile'}"))
    if not isinstance(output, Mapping):
        return unknown
    rendered = {str(key): _render(value, environ) for key, value in output.items() if not _is_secret(key)}
    try:
        namespace = warehouse_namespace(rendered, base_dir=own.project_dir)
    except (KeyError, NotImplementedError):
        return unknown
    return Warehouse(namespace, dict(_attached(rendered.get("attach"), own.project_dir)))


def _attached(attach: object, base_dir: Path) -> Iterator[tuple[str, tuple[str, bool]]]:
    for database in attach if isinstance(attach, list) else ():
        if not isinstance(database, Mapping) or not isinstance(database.get("path"), str):
            continue
        path, kind = str(database["path"]), str(database.get("type") or "duckdb").lower()
        alias = str(database.get("alias") or Path(path).stem)
        if kind == "duckdb":
            yield alias, (dataset_namespace(f"duckdb://{_duckdb_path(path, base_dir)}"), True)
            continue
        options = database.get("options")
        endpoint = (options if isinstance(options, Mapping) else database).get("endpoint")
        # A path of another kind is a connection string, which may hold a password.
        yield alias, (dataset_namespace(str(endpoint) if endpoint else f"{kind}://{alias}"), False)


def _duckdb_path(path: str, base_dir: Path) -> str:
    if path == _IN_MEMORY or re.match(r"\w+:", path):  # md:shop, s3://lake/shop.duckdb
        return path
    return str((base_dir / Path(path).expanduser()).resolve())


def _at_port(scheme: str, port: int) -> Callable[[Output], str]:
    return lambda output: f"{scheme}://{output['host']}:{output.get('port') or port}"


def _snowflake(output: Output) -> str:
    account, *rest = str(output["account"]).split(".")
    if "-" in account:
        return f"snowflake://{account}"
    region, cloud = [*rest, *("us-west-1", "aws")[len(rest) :]][:2]
    return f"snowflake://{'.'.join([account, region, cloud, *rest[2:]])}"


def _spark(output: Output) -> str:
    method = str(output.get("method", ""))
    port = output.get("port") or _SPARK_PORTS.get(method)
    if output.get("host") is None:
        return "spark"
    return f"spark://{output['host']}{f':{port}' if port else ''}"


_NAMESPACES: Mapping[str, Callable[[Output], str]] = {
    "postgres": _at_port("postgres", 5432),
    "redshift": _at_port("redshift", 5439),
    "trino": _at_port("trino", 8080),
    "snowflake": _snowflake,
    "bigquery": lambda _: "bigquery",
    "databricks": lambda output: f"databricks://{output['host']}",
    "spark": _spark,
}


def _ask_openlineage(output: Output) -> str:
    # Here: it takes a second, for adapters that few use. Its class is abstract in what is not asked for.
    processor_class = import_module("openlineage.common.provider.dbt.processor").DbtArtifactProcessor
    processor = processor_class(producer="floe", job_namespace="floe")
    processor.extract_adapter_type(dict(output))
    return str(processor.extract_namespace(dict(output)))


def _is_secret(key: object) -> bool:
    return bool(re.search(r"pass|token|secret|private_key", str(key)))


def _render(value: object, environ: Mapping[str, str]) -> object:
    if isinstance(value, list):
        return [_render(item, environ) for item in value]
    if isinstance(value, Mapping):
        return {key: _render(item, environ) for key, item in value.items() if not _is_secret(key)}
    if not isinstance(value, str) or "{{" not in value:
        return value
    from jinja2.sandbox import SandboxedEnvironment  # noqa: PLC0415 - few profiles have templates

    def env_var(name: str, default: str = "") -> str:
        return environ.get(name, default)

    return SandboxedEnvironment().from_string(value).render(env_var=env_var)
