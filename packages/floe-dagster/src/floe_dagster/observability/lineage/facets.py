"""OpenLineage's facets, as plain data of the published versions."""

import importlib.metadata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeAlias

from floe_dagster.observability.datasets import DatasetId

Facet: TypeAlias = dict[str, Any]
Facets: TypeAlias = dict[str, Facet]
ColumnSource: TypeAlias = tuple[DatasetId, str]
"""A column of a table."""

SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json"
_FACETS = "https://openlineage.io/spec/facets"
_LONGEST_TEXT = 64 * 1024  # of a query, a message or a stack: lineage stores refuse events of many megabytes


@cache
def producer() -> str:
    """The URI of who makes the events."""
    return f"urn:floe:floe-dagster:{installed_version('floe-dagster')}"


def parent(*, run_id: str, namespace: str, job: str) -> Facet:
    """The run and job within which something runs; nothing stands above it."""
    place = {"run": {"runId": run_id}, "job": {"namespace": namespace, "name": job}}
    return _facet("1-2-0/ParentRunFacet", **place, root=place)


def job_type(kind: str, *, integration: str) -> Facet:
    """What a job is: DAG, ASSET, MODEL, TEST and so on, in the words of *integration*."""
    return _facet("2-0-4/JobTypeJobFacet", processingType="BATCH", integration=integration, jobType=kind)


def nominal_time(window: tuple[datetime, datetime]) -> Facet:
    """The time window that a run is about, its end excluded."""
    start, end = window
    return _facet("1-0-1/NominalTimeRunFacet", nominalStartTime=start.isoformat(), nominalEndTime=end.isoformat())


def error_message(message: str, *, language: str, stack: str = "") -> Facet:
    """Why a run failed."""
    trace = {"stackTrace": _cut(stack)} if stack else {}
    return _facet("1-0-1/ErrorMessageRunFacet", message=_cut(message), programmingLanguage=language, **trace)


def processing_engine(name: str, version: str) -> Facet:
    """What carries something out."""
    own = installed_version("floe-dagster")
    return _facet("1-1-1/ProcessingEngineRunFacet", name=name, version=version, openlineageAdapterVersion=own)


def floe_run(values: Mapping[str, object]) -> Facet:
    """Dagster's words for a run, a facet of floe's own; what is None is left out."""
    given = {name: value for name, value in values.items() if value is not None}
    return {"_producer": producer(), "_schemaURL": f"{SPEC}#/$defs/RunFacet", **given}


def schema(columns: Iterable[tuple[str, str | None, str | None]]) -> Facet:
    """Columns: name, type, description."""
    fields = [
        {"name": name, **({"type": type_} if type_ else {}), **({"description": text} if text else {})}
        for name, type_, text in columns
    ]
    return _facet("1-2-0/SchemaDatasetFacet", fields=fields)


def documentation(text: str, *, of: str) -> Facet:
    """What is said about a dataset or a job; *of* is `Dataset` or `Job`."""
    return _facet(f"1-1-0/Documentation{of}Facet", description=_cut(text))


def ownership(owners: Sequence[str], *, of: str) -> Facet:
    """Who owns a dataset or a job; *of* is `Dataset` or `Job`."""
    return _facet(f"1-0-1/Ownership{of}Facet", owners=[{"name": owner} for owner in owners])


def data_source(namespace: str) -> Facet:
    """Where a dataset is kept."""
    return _facet("1-0-1/DatasourceDatasetFacet", name=namespace, uri=namespace)


def symlinks(others: Iterable[tuple[str, str]]) -> Facet:
    """Other names of a dataset."""
    identifiers = [{"namespace": namespace, "name": name, "type": "TABLE"} for namespace, name in others]
    return _facet("1-0-1/SymlinksDatasetFacet", identifiers=identifiers)


def column_lineage(columns: Mapping[str, Sequence[ColumnSource]]) -> Facet:
    """Column → the columns that it comes from."""
    fields = {
        column: {
            "inputFields": [
                {"namespace": dataset.namespace, "name": dataset.name, "field": field} for dataset, field in sources
            ]
        }
        for column, sources in columns.items()
    }
    return _facet("1-2-0/ColumnLineageDatasetFacet", fields=fields)


def assertions(found: Sequence[Mapping[str, object]]) -> Facet:
    """What tests found in a dataset; values that are None or empty are left out."""
    kept = [{name: value for name, value in test.items() if value is not None and value != ""} for test in found]
    return _facet("1-1-0/DataQualityAssertionsDatasetFacet", assertions=kept)


def tests(found: Sequence[Mapping[str, object]]) -> Facet:
    """What tests found that are about no single dataset."""
    kept = [{name: value for name, value in test.items() if value is not None and value != ""} for test in found]
    return _facet("1-0-1/TestRunFacet", tests=kept)


def output_statistics(rows: int) -> Facet:
    """How many rows were written."""
    return _facet("1-0-2/OutputStatisticsOutputDatasetFacet", rowCount=rows)


def sql(query: str, *, dialect: str | None) -> Facet:
    """The statement that a job carries out."""
    return _facet("1-1-0/SQLJobFacet", query=_cut(query), **({"dialect": dialect} if dialect else {}))


def source_code_location(values: Mapping[str, str]) -> Facet:
    """Where a job's code is; *values* are the facet's own, `type` and `url` among them."""
    return _facet("1-1-0/SourceCodeLocationJobFacet", **values)


def tags(values: Mapping[str, str], *, source: str) -> Facet:
    """A job's tags, and whose they are."""
    fields = [{"key": key, "value": value, "source": source} for key, value in values.items()]
    return _facet("1-0-0/TagsJobFacet", tags=fields)


@cache
def installed_version(package: str) -> str:
    """The installed version of a package."""
    return importlib.metadata.version(package)


def _facet(name: str, /, **values: Any) -> Facet:
    definition = name.rpartition("/")[2]
    return {"_producer": producer(), "_schemaURL": f"{_FACETS}/{name}.json#/$defs/{definition}", **values}


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
