"""The tables of a project as a graph: what lineage calls them, whichever asset writes them."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from floe_cli.graphs.assets import build_asset_box
from floe_cli.graphs.graph import Arrow, Box, Graph
from floe_dagster.dbt.joins import INPUTS, OUTPUTS, tables_of
from floe_dagster.loading import LoadedProject
from floe_dagster.observability.assets import KnownAsset
from floe_dagster.observability.datasets import DatasetId, DatasetResolver
from floe_dagster.selection.asset_index import KeyPath


class ProjectTables:
    """Which tables the assets of a project read and write."""

    def __init__(self, loaded: LoadedProject, *, environ: Mapping[str, str]) -> None:
        self._loaded = loaded
        self._specs = {tuple(spec.key.path): spec for spec in loaded.resolve_specs()}
        self._known = {
            key: KnownAsset(
                key,
                inputs=tables_of(spec, INPUTS),
                outputs=tables_of(spec, OUTPUTS),
                deps=loaded.index.upstream.get(key, ()),
            )
            for key, spec in self._specs.items()
        }
        self._resolver = DatasetResolver(loaded.observability, assets=self._known, environ=environ)

    def written_by(self, key: KeyPath) -> tuple[DatasetId, ...]:
        """The tables of an asset; one of its own name where none is known."""
        return self._resolver.asset(key)

    def read_by(self, key: KeyPath) -> tuple[DatasetId, ...]:
        """The tables that an asset is made of."""
        return self._resolver.inputs_of(self._known[key]) if key in self._known else ()

    def box(self, table: DatasetId, key: KeyPath) -> Box:
        """A table by its name, with what is known of the asset that writes it."""
        box = build_asset_box(self._loaded.index.nodes[key], self._specs.get(key))
        place = table.namespace if table.namespace != self._resolver.job_namespace else ""
        known = {"asset": box.key, "namespace": table.namespace, "name": table.name}
        return replace(
            box,
            key=table_key(table),
            name=short_name(table.name),
            caption=" · ".join(part for part in (box.group if box.kind != "external" else "", _scheme(place)) if part),
            details={**known, **{name: text for name, text in box.details.items() if name not in ("table", *known)}},
        )


def build_table_graph(loaded: LoadedProject, keys: Collection[KeyPath], *, environ: Mapping[str, str]) -> Graph:
    """The tables that the assets *keys* write, with arrows from those that each is made of."""
    tables = ProjectTables(loaded, environ=environ)
    writers = {table: key for key in sorted(keys) for table in tables.written_by(key)}
    arrows = [
        Arrow(table_key(source), table_key(table))
        for table, key in writers.items()
        for source in tables.read_by(key)
        if source in writers
    ]
    return Graph(
        title=f"Tables of {loaded.document.spec.name or loaded.project.name}",
        noun="table",
        boxes=[tables.box(table, key) for table, key in writers.items()],
        arrows=list(dict.fromkeys(arrows)),
    )


def table_key(table: DatasetId) -> str:
    """What tells a table from all others."""
    return f"{table.namespace} {table.name}"


def short_name(name: str) -> str:
    """A table's name without its database."""
    return ".".join(name.split(".")[-2:])


def _scheme(namespace: str) -> str:
    scheme, _, place = namespace.partition("://")
    return f"{scheme}: {place.rstrip('/').rpartition('/')[2]}" if place else namespace
