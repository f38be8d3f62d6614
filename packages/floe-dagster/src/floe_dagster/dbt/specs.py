"""A compiled dbt project → specs with the fields and the metadata, in the order, that dagster-dbt gives them."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TypeAlias, cast

import dagster as dg
from dagster_shared.serdes import deserialize_value

from floe_dagster.dbt.deferred import DeferredDbt
from floe_dagster.dbt.index import DbtCheck, DbtDep, DbtIndex, DbtNode, DbtRelation, Details, KeyPath, RelationNames
from floe_dagster.dbt.joins import SourceJoins

SpecFields: TypeAlias = dict[str, object]
RefineSpec: TypeAlias = Callable[[KeyPath, SpecFields], SpecFields]


class SpecBuilder:
    """Builds every spec of one project, what they share once.

    Args:
        index: The project.
        names: Of the profile.
        joins: Which assets its sources are.
        deferred: What dagster-dbt finds in the metadata.
        with_details: Whether specs carry what only the UI shows.
    """

    def __init__(
        self, index: DbtIndex, *, names: RelationNames, joins: SourceJoins, deferred: DeferredDbt, with_details: bool
    ) -> None:
        self._index = index
        self._names = names
        self._joins = joins
        self._deferred = deferred
        self._details: Mapping[str, Details] | None = index.load_details() if with_details else None
        self._dbt_dir = deferred.project_dir.resolve() if deferred.project_dir is not None else None
        self._deps: dict[DbtDep, dg.AssetDep] = {}
        self._kinds: dict[tuple[str, ...], set[str]] = {}

    def build_spec(self, node: DbtNode, refine: RefineSpec | None = None) -> dg.AssetSpec:
        """The asset that *node* becomes."""
        fields: SpecFields = {
            **self._shared_fields(node),
            "deps": self._build_deps(node.deps),
            "metadata": self._build_metadata(node, node.materialized),
            "skippable": True,
            "code_version": node.code_version,
        }
        if node.automation_condition is not None:
            fields["automation_condition"] = deserialize_value(node.automation_condition)
        if refine is not None:
            fields = refine(node.key, fields)
        return dg.AssetSpec(dg.AssetKey(node.key), **fields)  # type: ignore[arg-type]  # fields of AssetSpec

    def build_external_assets(self) -> tuple[dg.AssetSpec, ...]:
        """The sources that nothing writes."""
        return tuple(
            dg.AssetSpec(
                dg.AssetKey(source.key),
                metadata=self._build_metadata(source, None),
                **self._shared_fields(source),  # type: ignore[arg-type]  # fields of AssetSpec
            )
            for source in self._joins.external
        )

    def build_check(self, check: DbtCheck) -> dg.AssetCheckSpec:
        """The asset check that a dbt test becomes."""
        key = dg.AssetKey(check.key)
        others = {self._joins.key_of(dep) for dep in check.additional_deps} - {key}
        return dg.AssetCheckSpec(
            check.name,
            asset=key,
            description=check.description,
            additional_deps=sorted(others),
            blocking=check.blocking,
            metadata={"dagster_dbt/unique_id": check.unique_id},
        )

    def _shared_fields(self, relation: DbtRelation) -> SpecFields:
        details = self._details[relation.unique_id] if self._details is not None else {}
        return {
            "description": details.get("description"),
            "group_name": relation.group,
            "owners": list(relation.owners),
            "tags": relation.tags,
            "kinds": self._kinds_of(relation),
        }

    def _build_deps(self, deps: Sequence[DbtDep]) -> list[dg.AssetDep]:
        built: dict[dg.AssetKey, dg.AssetDep] = {}
        for dep in deps:
            known = self._deps.get(dep)
            if known is None:
                known = self._deps[dep] = dg.AssetDep(self._joins.key_of(dep), metadata=self._dep_metadata(dep))
            built.setdefault(known.asset_key, known)
        return list(built.values())

    def _dep_metadata(self, dep: DbtDep) -> Mapping[str, object] | None:
        if dep.source is None or dep.source in self._joins.keys:
            return None
        metadata = self._build_metadata(self._index.sources_by_id[dep.source], None)
        return {key: value for key, value in metadata.items() if not key.startswith("dagster_dbt/")}

    def _build_metadata(self, relation: DbtRelation, materialized: str | None) -> dict[str, object]:
        metadata: dict[str, object] = {}
        if materialized is not None:
            metadata["dagster-dbt/materialization_type"] = materialized
        if self._details is not None:
            self._add_table_metadata(metadata, relation, self._details[relation.unique_id])
        metadata |= self._deferred.metadata(relation.unique_id)
        metadata["dagster/storage_kind"] = self._names.adapter
        if self._details is not None:
            metadata |= self._project_metadata
            self._add_code_reference(metadata, relation)
        return metadata

    def _add_table_metadata(self, metadata: dict[str, object], relation: DbtRelation, details: Details) -> None:
        columns = cast("Sequence[tuple[str, str, str | None, Sequence[str]]]", details.get("columns", ()))
        if columns:
            metadata["dagster/column_schema"] = dg.TableSchema(
                columns=[
                    dg.TableColumn(name=name, type=kind, description=description, tags=dict.fromkeys(tags, ""))
                    for name, kind, description, tags in columns
                ]
            )
        parts = (relation.database or "", relation.schema or "", relation.alias)
        table = str(details.get("table") or ".".join(part for part in parts if part))
        if table:
            metadata["dagster/table_name"] = self._names.fill(table)

    def _add_code_reference(self, metadata: dict[str, object], relation: DbtRelation) -> None:
        if self._dbt_dir is not None:
            reference = dg.LocalFileCodeReference(file_path=f"{self._dbt_dir}/{relation.path}")
            metadata["dagster/code_references"] = dg.CodeReferencesMetadataValue(code_references=[reference])

    @cached_property
    def _project_metadata(self) -> Mapping[str, object]:
        project_id = self._index.project_id
        return {"dagster_dbt/project_id": dg.MetadataValue.text(project_id)} if project_id else {}

    def _kinds_of(self, relation: DbtRelation) -> set[str]:
        known = self._kinds.get(relation.kinds)
        if known is None:
            known = self._kinds[relation.kinds] = {self._names.fill(kind) for kind in relation.kinds}
        return known
