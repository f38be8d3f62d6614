"""The columns of a project's tables as a graph, as far as the lineage events of earlier runs tell."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from floe_cli.graphs.assets import kind_of
from floe_cli.graphs.graph import Arrow, Box, Graph
from floe_cli.graphs.tables import ProjectTables, short_name, table_key
from floe_core.errors import Problem, RunError, shown_path
from floe_dagster.loading import LoadedProject
from floe_dagster.observability.datasets import DatasetId
from floe_dagster.observability.local.lineage import TableColumns, TableId, read_columns
from floe_dagster.observability.masking import without_credentials
from floe_dagster.selection.asset_index import KeyPath

_MOST_ROWS = 30


class NoColumnsError(RunError):
    """No run has told anything about columns."""


def build_column_graph(loaded: LoadedProject, keys: Collection[KeyPath], *, environ: Mapping[str, str]) -> Graph:
    """The tables that the assets *keys* write with their columns, and what each column comes from.

    Raises:
        NoColumnsError: No event in the local files tells where a column of these tables comes from.
    """
    told = read_columns(loaded.observability.lineage_folder)
    tables = ProjectTables(loaded, environ=environ)
    writers = {(table.namespace, table.name): (table, key) for key in sorted(keys) for table in tables.written_by(key)}
    every_table = {
        (table.namespace, table.name): (table, key) for key in loaded.index.nodes for table in tables.written_by(key)
    }
    links = [link for link in _links(told, writers) if link[0][0] in writers or link[0][0] not in every_table]
    if not links:
        raise NoColumnsError(_nothing_told(loaded, keys, environ=environ))
    shown = dict.fromkeys([*(end[0] for link in links for end in link)])
    boxes = [_box(table, told, links, tables, every_table) for table in shown]
    return Graph(
        title=f"Columns of {loaded.document.spec.name or loaded.project.name}",
        noun="table",
        boxes=boxes,
        arrows=[
            Arrow(_key(source[0]), _key(target[0]), source_row=source[1], target_row=target[1])
            for source, target in links
        ],
    )


_Column = tuple[TableId, str]


def _links(
    told: Mapping[TableId, TableColumns], writers: Mapping[TableId, tuple[DatasetId, KeyPath]]
) -> Iterator[tuple[_Column, _Column]]:
    for table in writers:
        for column, sources in told.get(table, TableColumns()).sources.items():
            for source in dict.fromkeys(sources):
                if source.table != table:
                    yield (source.table, source.column), (table, column)


def _box(
    table: TableId,
    told: Mapping[TableId, TableColumns],
    links: Collection[tuple[_Column, _Column]],
    tables: ProjectTables,
    every_table: Mapping[TableId, tuple[DatasetId, KeyPath]],
) -> Box:
    linked = [column for link in links for owner, column in link if owner == table]
    types = told.get(table, TableColumns()).types
    columns = list(dict.fromkeys([*(column for column in types if column in linked), *linked]))
    others = [column for column in types if column not in columns]
    if len(columns) + len(others) <= _MOST_ROWS:
        columns = list(dict.fromkeys([*types, *linked]))
    rows = tuple(columns)
    known = every_table.get(table)
    box = (
        tables.box(*known)
        if known is not None
        else Box(_key(table), short_name(table[1]), "external", "external", "", details={"namespace": table[0]})
    )
    listed = ", ".join(f"{column} {kind}".strip() for column, kind in types.items())
    return replace(box, rows=rows, details={**box.details, **({"columns": listed} if listed else {})})


def _key(table: TableId) -> str:
    return table_key(DatasetId(*table))


def _nothing_told(loaded: LoadedProject, keys: Collection[KeyPath], *, environ: Mapping[str, str]) -> Problem:
    """What is the case: no run has told anything, or none that there was could tell of columns."""
    folder = loaded.observability.lineage_folder
    dbt = loaded.document.spec.orchestration.dbt
    receiver = environ.get("OPENLINEAGE_URL") or loaded.observability.platform.lineage_endpoint
    fix = "run the jobs that build the tables"
    if not any(folder.glob("*.jsonl")):
        why = "there are no events there"
        if receiver:
            why += f", and events are sent to {without_credentials(str(receiver))}"
            fix += ", with no other place set for lineage events"
    elif not any(kind_of(loaded.index.nodes[key]) == "dbt" for key in keys):
        why = "no dbt model is among these assets, and none of the others has told what its columns come from"
        fix = "add dagster/column_lineage to the metadata of what the assets materialise"
    elif dbt is not None and dbt.observability_level == "job_level":
        why = "with observability_level 'job_level' they tell of calls of dbt, and nothing of models and their columns"
        fix = "set orchestration.dbt.observability_level to per_model, then run the jobs"
    else:
        why = "no event there tells where a column of these tables comes from"
    place = f"it is read from the lineage events in {shown_path(folder)}"
    return Problem("FLOE-453", "there is no column lineage to draw", why=f"{place}: {why}", fix=fix)
