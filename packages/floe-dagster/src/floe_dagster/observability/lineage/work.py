"""Runs and Python assets as the work that lineage tells of."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from floe_dagster.observability import ids
from floe_dagster.observability.assets import KnownAsset, KnownAssets
from floe_dagster.observability.datasets import DatasetId, DatasetResolver, physical_name
from floe_dagster.observability.lineage import facets
from floe_dagster.observability.lineage.events import Table, Work
from floe_dagster.observability.lineage.facets import Facets
from floe_dagster.observability.lineage.known_columns import KnownColumns, TableColumns
from floe_dagster.observability.lineage.source_code import locate_code
from floe_dagster.observability.masking import Masking
from floe_dagster.observability.records import (
    AssetEnded,
    AssetStarted,
    CheckFact,
    ErrorFact,
    KeyPath,
    Outcome,
    RunScope,
    StepScope,
)

_INTEGRATION = "DAGSTER"


@dataclass(frozen=True)
class Works:
    """Describes what runs, for the events about it.

    Args:
        pipeline: First part of every job's name.
        resolver: Finds tables.
        assets: What is known of the assets of the run.
        masking: Keeps credentials out.
        known: The columns of tables as they were told last.
    """

    pipeline: str
    resolver: DatasetResolver
    assets: KnownAssets
    masking: Masking
    known: KnownColumns = field(default_factory=KnownColumns)

    def run(self, scope: RunScope) -> Work:
        """A Dagster run, under the name of the project: so its history is one, however it was launched."""
        return Work(
            run_id=run_uuid(scope),
            namespace=self.resolver.job_namespace,
            job=self.pipeline,
            run_facets={**_dagster(), "floe_run": facets.floe_run(_run_values(scope))},
            job_facets={"jobType": facets.job_type("DAG", integration=_INTEGRATION)},
        )

    def within(self, scope: StepScope, job: str, *parts: object) -> Work:
        """Something that runs within a step; *parts* tell it from what else does."""
        run = scope.run
        namespace = self.resolver.job_namespace
        values = {**_run_values(run), "stepKey": scope.step_key, "attempt": scope.attempt}
        return Work(
            run_id=ids.lineage_run_id(run.run_id, scope.step_key, scope.attempt, *parts),
            namespace=namespace,
            job=f"{self.pipeline}.{job}",
            run_facets={
                "parent": facets.parent(run_id=run_uuid(run), namespace=namespace, job=self.pipeline),
                "floe_run": facets.floe_run(values),
            },
        )

    def asset(self, record: AssetStarted | AssetEnded) -> Work:
        """A Python asset."""
        name = "/".join(record.asset)
        known = self.assets.get(record.asset) or KnownAsset(record.asset)
        work = self.within(record.scope, name, name)
        described = self._described(known, of="Dataset")
        return replace(
            work,
            run_facets={
                **work.run_facets,
                **_dagster(),
                **time_facets(record.window),
                "floe_run": {**work.run_facets["floe_run"], **_partition(record.partition)},
            },
            job_facets=self._asset_job_facets(known),
            inputs=[Table(table) for table in self.resolver.inputs_of(known)],
            outputs=[Table(table, described) for table in self.resolver.asset(record.asset)],
        )

    def ended_asset(self, record: AssetEnded) -> Work:
        """The same, with what is known of it in the end."""
        work = self.asset(record)
        self._note_columns(record, [table.id for table in work.outputs])
        return replace(
            self.with_error(work, record.outcome, record.error, language="PYTHON"),
            outputs=[self._with_facts(only, record, work.inputs) for only in work.outputs]
            if len(work.outputs) == 1
            else work.outputs,
        )

    def check(self, scope: StepScope, check: CheckFact, *, ran: bool = True) -> Work:
        """A check that is a step of its own; one that did not come to its end says nothing of the data.

        Neither does one of an asset with several tables: it does not say of which.
        """
        key = "/".join(check.asset)
        work = self.within(scope, f"{key}.{check.name}", "check", key, check.name)
        tables = self.resolver.asset(check.asset)
        is_told = ran and len(tables) == 1
        found = {"dataQualityAssertions": facets.assertions([self._assertion(check)])} if is_told else {}
        return replace(
            work,
            run_facets={**work.run_facets, **_dagster()},
            job_facets={"jobType": facets.job_type("CHECK", integration=_INTEGRATION)},
            inputs=[Table(table, of_role=found) for table in tables],
        )

    def with_error(
        self, work: Work, outcome: Outcome, error: ErrorFact | None, *, language: str, message: str = ""
    ) -> Work:
        """*work*, with why it failed; *message* says so where there is no error."""
        if error is None and outcome is not Outcome.FAILED:
            return work
        if error is not None:
            message = f"{error.type}: {error.message}" if error.type else error.message
        stack = self.masking(error.stack) if error is not None else ""
        facet = facets.error_message(self.masking(message or "failed"), language=language, stack=stack)
        return replace(work, run_facets={**work.run_facets, "errorMessage": facet})

    def _asset_job_facets(self, known: KnownAsset) -> Facets:
        found = {"jobType": facets.job_type("ASSET", integration=_INTEGRATION), **self._described(known, of="Job")}
        tags = {**dict.fromkeys(known.kinds, "kind"), **known.tags}
        if tags:
            found["tags"] = facets.tags({key: self.masking(value) for key, value in tags.items()}, source=_INTEGRATION)
        location = locate_code(*known.code) if known.code else None
        if location:
            found["sourceCodeLocation"] = facets.source_code_location(location)
        return found

    def _described(self, known: KnownAsset, *, of: str) -> Facets:
        found: Facets = {}
        if known.description:
            found["documentation"] = facets.documentation(self.masking(known.description), of=of)
        if known.owners:
            found["ownership"] = facets.ownership(known.owners, of=of)
        return found

    def _note_columns(self, record: AssetEnded, tables: Sequence[DatasetId]) -> None:
        """Keep what is told of the table, and nothing of what was told before where it was written without columns."""
        for table in tables:
            if record.columns and len(tables) == 1:
                self.known.note(table, TableColumns(tuple(name for name, _ in record.columns)))
            elif record.outcome in (Outcome.SUCCEEDED, Outcome.WARNED):
                self.known.forget(table)

    def _with_facts(self, table: Table, record: AssetEnded, inputs: Sequence[Table]) -> Table:
        """*table*, which is all that the asset writes: of several, what a materialization tells is true of no one."""
        found: Facets = {}
        if record.columns:
            found["schema"] = facets.schema((name, type_, None) for name, type_ in record.columns)
        sources = self._column_sources(record, {table.id for table in inputs})
        if sources:
            found["columnLineage"] = facets.column_lineage(sources)
        if record.checks:
            found["dataQualityAssertions"] = facets.assertions([self._assertion(check) for check in record.checks])
        place = physical_name(record.location) if record.location else None
        if place is not None:
            found["symlinks"] = facets.symlinks([place])
        written = {"outputStatistics": facets.output_statistics(record.rows)} if record.rows is not None else {}
        return replace(table, facets={**table.facets, **found}, of_role=written)

    def _column_sources(self, record: AssetEnded, inputs: set[DatasetId]) -> dict[str, list[facets.ColumnSource]]:
        found = {
            column: [(table, field) for key, field in sources for table in self._only_table(key) if table in inputs]
            for column, sources in record.column_lineage.items()
        }
        return {column: sources for column, sources in found.items() if sources}

    def _assertion(self, check: CheckFact) -> dict[str, object]:
        return {
            "assertion": check.name,
            "name": check.name,
            "success": check.passed,
            "severity": check.severity.lower(),
            "description": self.masking(check.description),
        }

    def _only_table(self, key: KeyPath) -> Sequence[DatasetId]:
        tables = self.resolver.asset(key)
        return tables if len(tables) == 1 else ()


def run_uuid(scope: RunScope) -> str:
    """The run's id as lineage stores take it, which is its own wherever that is a UUID."""
    return str(uuid.UUID(int=ids.trace_id(scope.run_id)))


def time_facets(window: tuple[datetime, datetime] | None) -> Facets:
    """The time window of a partition."""
    return {"nominalTime": facets.nominal_time(window)} if window is not None else {}


def _run_values(run: RunScope) -> dict[str, object]:
    return {
        "jobName": run.job_name,
        "runId": run.run_id,
        "partition": run.partition,
        "parentRunId": run.parent_run_id,
        "backfillId": run.backfill_id,
    }


def _partition(partition: str | None) -> dict[str, str]:
    return {"partition": partition} if partition is not None else {}


def _dagster() -> Facets:
    return {"processing_engine": facets.processing_engine("Dagster", facets.installed_version("dagster"))}
