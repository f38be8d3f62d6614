"""dbt's nodes and calls as the work that lineage tells of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from floe_dagster.observability.datasets import DatasetId, Node
from floe_dagster.observability.lineage import facets
from floe_dagster.observability.lineage.dbt_columns import DbtColumns
from floe_dagster.observability.lineage.dbt_graph import DbtGraph
from floe_dagster.observability.lineage.events import Table, Work
from floe_dagster.observability.lineage.facets import Facet, Facets
from floe_dagster.observability.lineage.plain_sql import read_plain_sql
from floe_dagster.observability.lineage.source_code import locate_code
from floe_dagster.observability.lineage.work import Works, time_facets
from floe_dagster.observability.records import CallEnded, DbtCall, NodeEnded, Outcome

_INTEGRATION = "DBT"
_YAML = frozenset({".yml", ".yaml"})


@dataclass(frozen=True)
class DbtWorks:
    """Describes what dbt does in one call, for the events about it."""

    works: Works
    graph: DbtGraph
    call: DbtCall

    def node(self, node: Node) -> Work:
        """A model, seed, snapshot or test."""
        unique_id = str(node["unique_id"])
        if unique_id not in self._begun:  # its end is told after its beginning
            self._begun[unique_id] = self._describe(node, unique_id)
        return self._begun[unique_id]

    def _describe(self, node: Node, unique_id: str) -> Work:
        call = self.call
        work = self.works.within(call.scope, unique_id, call.invocation_id, unique_id)
        output = self.graph.output(unique_id)
        is_test = node["resource_type"] == "test"
        return replace(
            work,
            run_facets=self._run_facets(work),
            job_facets=self._job_facets(node),
            inputs=[Table(table) for table in self.graph.inputs(unique_id)],
            outputs=[Table(output, {} if is_test else self._described(node, of="Dataset"))] if output else [],
        )

    def ended_node(self, node: Node, record: NodeEnded) -> Work:
        """The same, with what is known of it in the end."""
        self._statements.clear()
        work = self.works.with_error(self.node(node), record.outcome, record.error, language="SQL")
        self._begun.pop(str(node["unique_id"]), None)
        values = {**work.run_facets["floe_run"], "dbtStatus": record.status}
        work = replace(work, run_facets={**work.run_facets, "floe_run": values})
        query = self._read_sql(node) if record.outcome is not Outcome.SKIPPED else None
        if query is not None:
            masked = facets.sql(self.works.masking.sql(query), dialect=self._dialect)
            work = replace(work, job_facets={**work.job_facets, "sql": masked})
        if node["resource_type"] == "test":
            return self._with_result(work, node, record)
        columns: Facets = {}
        if record.outcome in (Outcome.SUCCEEDED, Outcome.WARNED):
            columns = self._columns_of(node)
            self._columns.note(node)
        written = {"outputStatistics": facets.output_statistics(record.rows)} if record.rows is not None else {}
        return replace(
            work,
            outputs=[replace(table, facets={**table.facets, **columns}, of_role=written) for table in work.outputs],
        )

    def ended_call(self, record: CallEnded) -> Work:
        """A whole call, with everything that it built and everything that it read from elsewhere."""
        call = self.call
        observed = (self.graph.find_observed(unique_id) for unique_id in record.built)
        nodes = [node for node in observed if node is not None]
        built = {str(node["unique_id"]) for node in nodes}
        read = dict.fromkeys(parent for unique_id in built for parent in self.graph.parents(unique_id))
        made = dict.fromkeys(
            table for node in nodes if node["resource_type"] != "test" for table in self._outputs_of(node)
        )
        work = self.works.within(call.scope, call.op_name or call.scope.step_key, call.invocation_id)
        work = replace(
            work,
            run_facets=self._run_facets(work),
            job_facets={"jobType": facets.job_type("COMMAND", integration=_INTEGRATION)},
            inputs=[Table(table) for table in dict.fromkeys(map(self.graph.table, sorted(read.keys() - built)))],
            outputs=[Table(table) for table in made],
        )
        return self.works.with_error(work, record.outcome, record.error, language="SQL")

    def _outputs_of(self, node: Node) -> Iterator[DatasetId]:
        output = self.graph.output(str(node["unique_id"]))
        if output is not None:
            yield output

    def _run_facets(self, work: Work) -> Facets:
        call = self.call
        values: Facet = {**work.run_facets["floe_run"]}
        if call.invocation_id:
            values["dbtInvocationId"] = call.invocation_id
        if call.partition is not None:
            values["partition"] = call.partition
        version = str(self._metadata.get("dbt_version") or "")
        engine = {"processing_engine": facets.processing_engine("dbt", version)} if version else {}
        return {**work.run_facets, "floe_run": values, **time_facets(call.window), **engine}

    def _job_facets(self, node: Node) -> Facets:
        kind = str(node["resource_type"]).upper()
        found = {
            "jobType": facets.job_type(kind, integration=_INTEGRATION),
            **self._described(node, of="Job"),
        }
        tags = dict.fromkeys((str(tag) for tag in node.get("tags") or ()), "true")
        if tags:
            found["tags"] = facets.tags(tags, source=_INTEGRATION)
        file = node.get("original_file_path")
        if file and node.get("package_name") == self._metadata.get("project_name", node.get("package_name")):
            location = locate_code(self.call.project_dir / str(file))
            if location:
                found["sourceCodeLocation"] = facets.source_code_location(location)
        return found

    def _described(self, node: Node, *, of: str) -> Facets:
        found: Facets = {}
        if node.get("description"):
            found["documentation"] = facets.documentation(self.works.masking(str(node["description"])), of=of)
        owners = _owners(node)
        if owners:
            found["ownership"] = facets.ownership(owners, of=of)
        return found

    def _columns_of(self, node: Node) -> Facets:
        """What is known of the columns of a table that was made."""
        found: Facets = {}
        described = self._columns.described(node)
        if described:
            mask = self.works.masking
            found["schema"] = facets.schema((name, type_, text and mask(text)) for name, type_, text in described)
        sources = self._columns.sources(node)
        if sources:
            found["columnLineage"] = facets.column_lineage(sources)
        return found

    def _with_result(self, work: Work, node: Node, record: NodeEnded) -> Work:
        """What a test has found, with the dataset that it is about; a test that was not carried out found nothing."""
        if record.status not in ("pass", "warn", "fail"):
            return work
        unique_id = str(node["unique_id"])
        result = _result(node, record)
        result["description"] = result["description"] and self.works.masking(str(result["description"]))
        tested = self.graph.tested(unique_id)
        if tested is None:
            status = {"name": unique_id, "status": "pass" if record.status == "pass" else "fail"}
            kept = {name: result[name] for name in ("severity", "description", "expected", "actual")}
            found = facets.tests([{**status, **kept, "type": result["assertion"]}])
            return replace(work, run_facets={**work.run_facets, "test": found})
        table = self.graph.table(tested)
        found = facets.assertions([result])
        return replace(
            work,
            inputs=[
                replace(given, of_role={"dataQualityAssertions": found}) if given.id == table else given
                for given in work.inputs
            ],
        )

    def _read_sql(self, node: Node) -> str | None:
        """The statement that dbt compiled in this call; read once for each end of a node."""
        unique_id = str(node["unique_id"])
        if unique_id not in self._statements:
            self._statements[unique_id] = self._find_sql(node)
        return self._statements[unique_id]

    def _find_sql(self, node: Node) -> str | None:
        """The same, as it is now; of a microbatch model, that of its last batch."""
        if node["resource_type"] == "seed" or node.get("language", "sql") != "sql":
            return None
        if node["resource_type"] == "snapshot":
            return read_plain_sql(node, self.graph)
        path = Path(str(node.get("original_file_path") or ""))
        file = self.call.target_path / "compiled" / str(node.get("package_name")) / path
        if path.suffix in _YAML:  # tests that stand in YAML
            file /= str(node.get("path") or "")
        if not file.is_file():
            file = max(file.with_suffix("").glob("*.sql"), default=file)
        try:
            return file.read_text(encoding="utf-8").strip() or None
        except (OSError, UnicodeDecodeError):
            return None

    @cached_property
    def _begun(self) -> dict[str, Work]:
        return {}

    @cached_property
    def _statements(self) -> dict[str, str | None]:
        return {}

    @cached_property
    def _columns(self) -> DbtColumns:
        return DbtColumns(
            self.graph,
            read_sql=self._read_sql,
            dialect=self._dialect,
            project_dir=self.call.project_dir,
            known=self.works.known,
        )

    @property
    def _metadata(self) -> Node:
        found: Node = self.graph.manifest.get("metadata") or {}
        return found

    @property
    def _dialect(self) -> str:
        return str(self._metadata.get("adapter_type") or "")


def _result(test: Node, record: NodeEnded) -> dict[str, str | bool | None]:
    config = test.get("config") or {}
    severity = str(config.get("severity") or "error").lower()
    metadata = test.get("test_metadata") or {}
    threshold = str(config.get("warn_if" if severity == "warn" else "error_if") or "!= 0")
    is_counted = record.failures is not None
    return {
        "assertion": str(metadata.get("name") or test["name"]),
        "name": str(test["name"]),
        "success": record.status == "pass",
        "column": test.get("column_name") or (metadata.get("kwargs") or {}).get("column_name"),
        "severity": severity,
        "description": test.get("description") or None,
        "actual": str(record.failures) if is_counted else None,
        "expected": ("0" if threshold.replace(" ", "") == "!=0" else threshold) if is_counted else None,
    }


def _owners(node: Node) -> Sequence[str]:
    """The owners as dbt projects name them: `meta.owner`, or `meta.dagster.owners`."""
    meta = {**(node.get("meta") or {}), **((node.get("config") or {}).get("meta") or {})}
    owner = meta.get("owner") or (meta.get("dagster") or {}).get("owners") or ()
    return [str(name) for name in (owner if isinstance(owner, list | tuple) else [owner])]
