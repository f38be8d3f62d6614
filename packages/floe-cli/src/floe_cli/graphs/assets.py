"""The assets of a project as a graph."""

from collections.abc import Collection

import dagster as dg

from floe_cli.graphs.graph import Arrow, Box, Graph, Kind
from floe_dagster.loading import LoadedProject
from floe_dagster.partitioning.texts import describe_partitions
from floe_dagster.selection.asset_index import AssetNode, KeyPath

_MATERIALIZATION = "dagster-dbt/materialization_type"
_TABLE = "dagster/table_name"
_SQL = "#### Raw SQL:"
_MADE_BY = frozenset({"python", "dbt"})


def build_asset_graph(loaded: LoadedProject, keys: Collection[KeyPath]) -> Graph:
    """The assets *keys* with the dependencies between them."""
    specs = {tuple(spec.key.path): spec for spec in loaded.resolve_specs()}
    shown = sorted(keys)
    known = set(shown)
    return Graph(
        title=f"Assets of {loaded.document.spec.name or loaded.project.name}",
        noun="asset",
        boxes=[build_asset_box(loaded.index.nodes[key], specs.get(key)) for key in shown],
        arrows=[
            Arrow("/".join(dep), "/".join(key)) for key in shown for dep in loaded.index.upstream[key] if dep in known
        ],
    )


def kind_of(node: AssetNode) -> Kind:
    """Who makes an asset."""
    if not node.executable:
        return "external"
    return "dbt" if "dbt" in node.kinds else "python"


def build_asset_box(node: AssetNode, spec: dg.AssetSpec | None) -> Box:
    """One asset, by its name, with all that its definition says."""
    metadata = spec.metadata if spec is not None else {}
    materialized, table = (_text(metadata.get(name)) for name in (_MATERIALIZATION, _TABLE))
    partitions = spec.partitions_def if spec is not None else None
    condition = spec.automation_condition if spec is not None else None
    kinds = sorted(node.kinds - _MADE_BY)
    prefix = "/".join(node.key[:-1])
    caption = [
        prefix if prefix and prefix != node.group else "",
        node.group if node.executable or node.group != "default" else "",
        materialized or ", ".join(kinds),
        "partitioned" if partitions is not None else "",
    ]
    description, sql = _without_sql(spec.description or "" if spec is not None else "")
    details = {
        "description": description,
        "group": node.group,
        "kinds": ", ".join(sorted(node.kinds)),
        "materialized": materialized,
        "table": table,
        "partitions": "" if partitions is None else describe_partitions(partitions),
        "automation": "" if condition is None else condition.get_label() or condition.name or "",
        "owners": ", ".join(node.owners),
        "tags": ", ".join(f"{name}: {value}" if value else name for name, value in sorted(node.tags.items())),
        "defined in": node.origin,
        "sql": sql,
    }
    return Box(
        key=node.label,
        name=node.name,
        caption=" · ".join(part for part in caption if part) or "external",
        kind=kind_of(node),
        group=node.group,
        details={name: value for name, value in details.items() if value},
    )


def _without_sql(description: str) -> tuple[str, str]:
    """A description, and the model's SQL that dagster-dbt writes below it."""
    text, _, below = description.partition(_SQL)
    return text.strip(), below.strip().removeprefix("```sql").removesuffix("```").strip()


def _text(value: object) -> str:
    if isinstance(value, dg.MetadataValue):
        value = value.value
    return value if isinstance(value, str) else ""
