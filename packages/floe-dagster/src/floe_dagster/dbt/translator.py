"""dbt node → asset key, group and metadata, as dagster-dbt translates it, with floe's rules for groups and keys.

Imports dagster-dbt and dbt: used when a project is compiled and when a model runs, not when definitions load.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, cast

import dagster as dg
from dagster._utils.warnings import disable_dagster_warnings
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject

_NOT_IN_GROUP_NAMES = re.compile(r"[^A-Za-z0-9_]+")
_ASSET_TYPES = ("model", "seed", "snapshot")


class FloeDbtTranslator(DagsterDbtTranslator):
    """dagster-dbt's translator with floe's groups, and with sources under the keys of the assets that write them."""

    source_keys: Mapping[str, dg.AssetKey] = {}
    """Unique id of a source → key, where it differs from dagster-dbt's."""
    refers_to_code = False
    """Whether specs carry a reference to the model's file."""

    @property
    def settings(self) -> DagsterDbtTranslatorSettings:
        """The settings, with what floe needs switched on."""
        return replace(
            super().settings,
            enable_code_references=self.refers_to_code,
            enable_duplicate_source_asset_keys=True,
        )

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """The spec of a node, without a warning for each thing in it that Dagster calls beta or deprecated."""
        with disable_dagster_warnings():
            return super().get_asset_spec(manifest, unique_id, project)

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """The key of a node; of a source, that of the asset that writes it."""
        known = self.source_keys.get(dbt_resource_props["unique_id"])
        return known if known is not None else super().get_asset_key(dbt_resource_props)

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """dbt's own settings, else the custom schema as the project writes it, else the first folder."""
        set_in_dbt = super().get_group_name(dbt_resource_props)
        if set_in_dbt or dbt_resource_props["resource_type"] not in _ASSET_TYPES:
            return set_in_dbt
        return _group_name(custom_schema(dbt_resource_props) or _first_folder(dbt_resource_props))


def build_translator(
    user_class: type[DagsterDbtTranslator] | None = None,
    *,
    source_keys: Mapping[str, dg.AssetKey],
    refers_to_code: bool,
) -> FloeDbtTranslator:
    """A translator for one project.

    Args:
        user_class: A translator of the user's. What it overrides wins; floe's rules hold for the rest, and are what
            its `super()` reaches.
        source_keys: Unique id of a source → key.
        refers_to_code: Whether specs carry a reference to the model's file.
    """
    attributes = {"source_keys": source_keys, "refers_to_code": refers_to_code}
    if user_class is None:
        return cast("FloeDbtTranslator", type("FloeDbtTranslator", (FloeDbtTranslator,), attributes)())
    return cast("FloeDbtTranslator", type(user_class.__name__, (user_class, FloeDbtTranslator), attributes)())


def find_clashing_sources(manifest: Mapping[str, Any], translator: DagsterDbtTranslator) -> dict[str, dg.AssetKey]:
    """Unique id → key with `source` in front, of every source that would share its key with a model."""
    taken = {
        translator.get_asset_key(node)
        for node in manifest["nodes"].values()
        if node["resource_type"] in _ASSET_TYPES and node["config"].get("materialized") != "ephemeral"
    }
    keys = {unique_id: translator.get_asset_key(source) for unique_id, source in manifest["sources"].items()}
    return {unique_id: key.with_prefix("source") for unique_id, key in keys.items() if key in taken}


def custom_schema(props: Mapping[str, Any]) -> str | None:
    """The schema as the project writes it: `silver`, where the database has `main_silver`."""
    config = props.get("config", {})
    schema = config.get("schema") or config.get("target_schema")
    return str(schema) if schema else None


def _first_folder(props: Mapping[str, Any]) -> str | None:
    """The first folder below `models/` (or `seeds/`, `snapshots/`)."""
    parts = PurePosixPath(str(props.get("path", "")).replace("\\", "/")).parts
    return parts[0] if len(parts) > 1 else None


def _group_name(text: str | None) -> str | None:
    """*text* as a group may be named in Dagster."""
    return _NOT_IN_GROUP_NAMES.sub("_", text) if text else None
