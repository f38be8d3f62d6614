"""What Dagster's events tell of assets and checks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import dagster as dg

from floe_dagster.observability.records import CheckFact, KeyPath

_ROW_COUNTS = ("dagster/row_count", "dagster/partition_row_count")


@dataclass(slots=True)
class MaterialisedAsset:
    """What is known of an asset while its step goes on: several partitions are several materialisations."""

    at: int | None = None
    rows: int | None = None
    columns: Sequence[tuple[str, str]] = ()
    column_lineage: Mapping[str, Sequence[tuple[KeyPath, str]]] = field(default_factory=dict)
    location: str | None = None
    checks: list[CheckFact] = field(default_factory=list)

    def add(self, materialization: dg.AssetMaterialization, *, at: int) -> None:
        """Take in one materialisation of it."""
        self.at = at
        metadata = materialization.metadata
        rows = next((count for name in _ROW_COUNTS if (count := _whole_number(metadata.get(name))) is not None), None)
        if rows is not None:
            self.rows = rows
        location = metadata.get("dagster/uri")
        if isinstance(location, dg.TextMetadataValue | dg.UrlMetadataValue | dg.PathMetadataValue):
            self.location = location.value
        schema = metadata.get("dagster/column_schema")
        if isinstance(schema, dg.TableSchemaMetadataValue):
            self.columns = [(column.name, column.type) for column in schema.schema.columns]
        lineage = metadata.get("dagster/column_lineage")
        if isinstance(lineage, dg.TableColumnLineageMetadataValue):
            self.column_lineage = {
                column: [(tuple(dep.asset_key.path), dep.column_name) for dep in deps]
                for column, deps in lineage.value.deps_by_column.items()
            }


def is_of_dbt(materialization: dg.AssetMaterialization) -> bool:
    """Whether dagster-dbt tells it of a node of a dbt call, which is observed itself."""
    return {"unique_id", "invocation_id"} <= materialization.metadata.keys()


def check_fact(evaluation: dg.AssetCheckEvaluation) -> CheckFact:
    """What a check found."""
    return CheckFact(
        asset=tuple(evaluation.asset_key.path),
        name=evaluation.check_name,
        passed=evaluation.passed,
        severity=evaluation.severity.value,
        description=evaluation.description or "",
    )


def _whole_number(value: object) -> int | None:
    return value.value if isinstance(value, dg.IntMetadataValue) else None
