"""What lineage is told of a job's assets, read from their definitions."""

from collections.abc import Iterator

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetNode

from floe_dagster.observability.assets import KnownAsset, KnownAssets

_INPUTS, _OUTPUTS = "floe/inputs", "floe/outputs"
_CODE_REFERENCES = "dagster/code_references"
_KIND = "dagster/kind/"


def known_assets(job: dg.JobDefinition) -> KnownAssets:
    """The assets of *job*, and those that they depend on."""
    graph = job.asset_layer.asset_graph
    return {tuple(key.path): _known_asset(graph.get(key)) for key in graph.get_all_asset_keys()}


def _known_asset(node: AssetNode) -> KnownAsset:
    return KnownAsset(
        key=tuple(node.key.path),
        inputs=tuple(_tables(node.metadata.get(_INPUTS))),
        outputs=tuple(_tables(node.metadata.get(_OUTPUTS))),
        deps=tuple(sorted(tuple(key.path) for key in node.parent_keys)),
        external_table=_external_table(node),
        is_external=not node.is_executable,
        description=node.description or "",
        owners=tuple(node.owners),
        tags={key: value for key, value in node.tags.items() if not key.startswith(_KIND)},
        kinds=tuple(sorted(node.kinds)),
        code=_code(node.metadata.get(_CODE_REFERENCES)),
    )


def _tables(value: object) -> Iterator[str]:
    listed = value.value if isinstance(value, dg.JsonMetadataValue) else value
    yield from map(str, listed if isinstance(listed, list | tuple) else ())


def _external_table(node: AssetNode) -> str | None:
    """The table behind an asset that was made because somebody names that table as an input."""
    table = node.metadata.get("dagster/table_name")
    name = table.value if isinstance(table, dg.TextMetadataValue) else table
    is_its_own = isinstance(name, str) and not node.is_executable and name == ".".join(node.key.path)
    return str(name) if is_its_own else None


def _code(value: object) -> tuple[str, int | None] | None:
    references = value.code_references if isinstance(value, dg.CodeReferencesMetadataValue) else ()
    for reference in references:
        if isinstance(reference, dg.LocalFileCodeReference):
            return reference.file_path, reference.line_number
    return None
