"""What a dbt call of a step selects, where it is not all that the op has. Imports dagster-dbt."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import dagster as dg
from dagster._utils.warnings import disable_dagster_warnings
from dagster_dbt import DagsterDbtTranslator
from dagster_dbt.asset_utils import (
    DAGSTER_DBT_EXCLUDE_METADATA_KEY,
    DAGSTER_DBT_MANIFEST_METADATA_KEY,
    DAGSTER_DBT_SELECT_METADATA_KEY,
    DAGSTER_DBT_UNIQUE_ID_METADATA_KEY,
    extract_runtime_selection_from_args,
    get_manifest_and_translator_from_dbt_assets,
    get_updated_cli_invocation_params_for_context,
)

from floe_dagster.dbt.model_assets import PART_TAG
from floe_dagster.dbt.step_selection import SelectableNodes
from floe_dagster.observability.runs.step_contents import OBSERVABILITY_TAG

Context: TypeAlias = dg.OpExecutionContext | dg.AssetExecutionContext

LONGEST_ARGUMENT = 100_000  # characters; Linux takes 131,071 bytes
_MANY = 500


@dataclass(frozen=True)
class CallSelection:
    """What is selected of the project, in place of what dagster-dbt would select."""

    args: Sequence[str]
    """The other arguments."""
    select: Sequence[str]
    exclude: Sequence[str]
    indirect: str | None
    """Which tests dbt adds; None leaves it to dbt."""
    manifest: Mapping[str, Any]
    translator: DagsterDbtTranslator

    @property
    def is_long(self) -> bool:
        """Whether it is too long for a command line."""
        return sum(len(name) + 1 for name in (*self.select, *self.exclude)) > LONGEST_ARGUMENT

    @property
    def selection_args(self) -> list[str]:
        """The selection as arguments of dbt."""
        excluded = ["--exclude", " ".join(self.exclude)] if self.exclude else []
        return ["--select", " ".join(self.select), *excluded]


@dataclass(frozen=True)
class DbtStep:
    """A step that builds dbt's assets or runs its tests."""

    context: Context
    manifest: Mapping[str, Any]
    translator: DagsterDbtTranslator
    is_floes: bool
    """Whether floe made its op; otherwise the user's own code did."""

    @classmethod
    def of(
        cls, context: Context | None, *, manifest: object = None, translator: DagsterDbtTranslator | None = None
    ) -> "DbtStep | None":
        """The step of *context*, None if it is another; *manifest* and *translator* are those of the call."""
        if context is None or not context.has_assets_def:
            return None
        is_floes = OBSERVABILITY_TAG in context.op_execution_context.op.tags
        if is_floes and isinstance(manifest, Mapping) and translator is not None:
            return cls(context, manifest, translator, is_floes)
        first = next(iter(context.assets_def.specs), None)
        if first is None or DAGSTER_DBT_MANIFEST_METADATA_KEY not in first.metadata:
            return None
        found, translator, _ = get_manifest_and_translator_from_dbt_assets([context.assets_def])
        return cls(context, found, translator, is_floes)

    @property
    def unique_ids(self) -> frozenset[str]:
        """The models, seeds and snapshots that the step builds."""
        specs = (self.context.assets_def.get_asset_spec(key) for key in self._built)
        return frozenset(str(spec.metadata[DAGSTER_DBT_UNIQUE_ID_METADATA_KEY]) for spec in specs)

    def find_selection(self, args: Sequence[str]) -> CallSelection | None:
        """What the step selects; None where dagster-dbt says it well."""
        with disable_dagster_warnings():
            if self.is_floes:
                return self._select_exactly(args) if self._is_part else None
            return _find_long_selection(self.context, args)

    @property
    def _built(self) -> frozenset[dg.AssetKey]:
        return frozenset(self.context.selected_asset_keys) & self.context.assets_def.keys

    @property
    def _is_part(self) -> bool:
        """Whether something of the dbt project is built elsewhere."""
        assets = self.context.assets_def
        return (
            PART_TAG in self._tags
            or assets.keys_by_output_name != assets.node_keys_by_output_name
            or assets.check_specs_by_output_name != assets.node_check_specs_by_output_name
        )

    @property
    def _tags(self) -> Mapping[str, str]:
        return self.context.op_execution_context.op.tags

    def _select_exactly(self, args: Sequence[str]) -> CallSelection:
        plain, selects, excludes = extract_runtime_selection_from_args(args)
        nodes = SelectableNodes(self.manifest)
        built = self.unique_ids
        tests = frozenset(self._selected_tests())
        others = frozenset(nodes.tests_without_check(built)) if tests or not self._has_checks else frozenset()
        return CallSelection(
            args=plain,
            select=[*nodes.names_of(built | tests | others), *selects],
            exclude=[*(self._tags.get(DAGSTER_DBT_EXCLUDE_METADATA_KEY) or "").split(), *excludes],
            indirect="empty",
            manifest=self.manifest,
            translator=self.translator,
        )

    def _selected_tests(self) -> Iterator[str]:
        for key in self.context.selected_asset_check_keys:
            spec = self.context.assets_def.get_spec_for_check_key(key)
            yield str((spec.metadata or {})[DAGSTER_DBT_UNIQUE_ID_METADATA_KEY])

    @property
    def _has_checks(self) -> bool:
        """Whether what is built has checks, in this step or in another; a run may leave all of them out."""
        specs = self.context.assets_def.node_check_specs_by_output_name.values()
        return any(spec.asset_key in self._built for spec in specs)


def _find_long_selection(context: Context, args: Sequence[str]) -> CallSelection | None:
    """What dagster-dbt selects for assets that the user's own code makes of a dbt project, where that is long."""
    named = len(context.selected_asset_keys) + len(context.selected_asset_check_keys)
    written = context.op_execution_context.op.tags.get(DAGSTER_DBT_SELECT_METADATA_KEY) or ""
    if named <= _MANY and len(written) <= LONGEST_ARGUMENT:
        return None
    plain, selects, excludes = extract_runtime_selection_from_args(args)
    found = get_updated_cli_invocation_params_for_context(context, {}, DagsterDbtTranslator())
    chosen = dict(zip(found.selection_args[::2], found.selection_args[1::2], strict=True))
    selection = CallSelection(
        args=plain,
        select=[*chosen.get("--select", "").split(), *selects],
        exclude=[*chosen.get("--exclude", "").split(), *excludes],
        indirect=found.indirect_selection,
        manifest=found.manifest,
        translator=found.dagster_dbt_translator,
    )
    return selection if selection.is_long else None
