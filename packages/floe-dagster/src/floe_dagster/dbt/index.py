"""What `floe compile` found in a dbt project, as plain data: enough to rebuild dagster-dbt's specs without dbt."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TypeAlias

from pydantic import ConfigDict, TypeAdapter, ValidationError

KeyPath: TypeAlias = tuple[str, ...]

INDEX_FORMAT = 2

_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class RelationNames:
    """What the connection profile, not the dbt project, decides about names.

    Artifacts hold none of it: `{database}`, `{schema}` and `{adapter}` stand in its places.
    """

    database: str
    schema: str
    adapter: str

    def fill(self, text: str) -> str:
        """*text* with the values in the places of the names.

        >>> RelationNames("shop", "main", "duckdb").fill("{schema}_silver")
        'main_silver'
        """
        if "{" not in text:
            return text
        return (
            text.replace("{database}", self.database)
            .replace("{schema}", self.schema)
            .replace("{adapter}", self.adapter)
        )


@dataclass(frozen=True, slots=True)
class DbtDep:
    """An asset that a model or a test reads."""

    key: KeyPath
    source: str | None = None
    """Unique id of the dbt source it is, if it is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DbtRelation:
    """What nodes and sources have in common: an asset key, and a table in the database."""

    unique_id: str
    key: KeyPath
    path: str
    """The file that defines it, relative to the dbt project."""
    database: str | None = None
    schema: str | None = None
    """The physical schema."""
    alias: str = ""
    """The name of the table or view."""
    group: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    kinds: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    code_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DbtNode(DbtRelation):
    """A model, seed or snapshot that becomes an asset."""

    resource_type: str
    fqn: str
    """How dbt selects it: package, folders and name, joined by dots."""
    materialized: str | None = None
    custom_schema: str | None = None
    """The schema as the project writes it."""
    deps: tuple[DbtDep, ...] = ()
    automation_condition: str | None = None
    """Dagster's own serialisation of it."""
    vars: tuple[str, ...] = ()
    """The vars that its code names, with the macros that it calls."""
    batch_size: str | None = None
    """Of a microbatch model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DbtSource(DbtRelation):
    """A table that dbt reads and does not build."""

    has_own_key: bool = False
    """Whether the project sets the asset key (`meta.dagster.asset_key`), so that it is not joined by table name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DbtCheck:
    """A dbt test that becomes an asset check."""

    unique_id: str
    name: str
    key: KeyPath
    description: str | None = None
    additional_deps: tuple[DbtDep, ...] = ()
    blocking: bool = True
    vars: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DbtTest:
    """A dbt test of several models that is no asset check: it does not say which of them it is about."""

    unique_id: str
    path: str
    reads: tuple[str, ...]
    """Unique ids of the models."""


@dataclass(frozen=True)
class DbtIndex:
    """A dbt project as compiled for one target.

    Paths are relative to the project folder where they can be. `details` holds what only the UI shows (descriptions,
    columns) as JSON text, so that a process that shows nothing does not read it.
    """

    __pydantic_config__ = _STRICT

    settings_digest: str
    """Of everything in floe.yaml that decides what the index holds."""
    project_dir: str | None
    manifest_path: str
    manifest_digest: str = ""
    target: str | None = None
    project_name: str = ""
    project_id: str | None = None
    dbt_version: str = ""
    own_names: RelationNames | None = None
    """The names of the user's own profile; a generated profile's are not compiled in."""
    nodes: tuple[DbtNode, ...] = ()
    sources: tuple[DbtSource, ...] = ()
    checks: tuple[DbtCheck, ...] = ()
    tests: tuple[DbtTest, ...] = ()
    details: str = "{}"
    format: int = INDEX_FORMAT

    def to_json(self) -> dict[str, object]:
        """The index as JSON values; what has its default value is left out."""
        dumped: dict[str, object] = _adapter().dump_python(self, mode="json", exclude_defaults=True)
        return {**dumped, "format": self.format}

    @classmethod
    def from_json(cls, data: object) -> "DbtIndex":
        """Rebuild what `to_json` gave.

        Raises:
            ValueError: *data* is not an index of this format.
        """
        if not isinstance(data, Mapping) or data.get("format") != INDEX_FORMAT:
            raise ValueError("not a dbt index of this format")
        try:
            return _adapter().validate_python(data)
        except ValidationError as error:
            raise ValueError(f"not a dbt index: {error.errors()[0]['msg']} at {error.errors()[0]['loc']}") from None

    @cached_property
    def nodes_by_id(self) -> Mapping[str, DbtNode]:
        """Unique id → node."""
        return {node.unique_id: node for node in self.nodes}

    @cached_property
    def sources_by_id(self) -> Mapping[str, DbtSource]:
        """Unique id → source."""
        return {source.unique_id: source for source in self.sources}

    def load_details(self) -> "Mapping[str, Details]":
        """Unique id → what the UI shows of it."""
        loaded: dict[str, Details] = json.loads(self.details)
        return loaded


Details: TypeAlias = Mapping[str, object]
"""`description` (text), `columns` (lists of name, type, description and tags), `table` where it is another."""


@cache
def _adapter() -> TypeAdapter[DbtIndex]:
    return TypeAdapter(DbtIndex)
