"""The dbt calls of a step whose process was killed: what dbt had begun is in its log."""

from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from dagster._core.definitions.dependency import NodeHandle

from floe_dagster.observability.dbt_log.lifecycle import NodeLifecycle
from floe_dagster.observability.dbt_log.log_tail import LogTail
from floe_dagster.observability.records import DbtCall, Outcome, Record, StepScope
from floe_dagster.observability.runs.skipped_calls import NO_FOLDER, manifest_of
from floe_dagster.observability.runs.step_contents import OBSERVABILITY_TAG


@dataclass(frozen=True)
class DeadCall:
    """The last call of dbt in an attempt at a step."""

    call: DbtCall
    log: Path

    @classmethod
    def find(cls, scope: StepScope, node: NodeHandle, job: dg.JobDefinition, *, floe_dir: Path) -> "DeadCall | None":
        """The call of the step of *node*; None where its log is not there, or its nodes are not observed one by one."""
        op = job.get_node(node)
        logs = floe_dir.glob(f"dbt/*/runs/{op.name}-{scope.run.run_id[:7]}-*/dbt.log")
        log = max(logs, key=lambda file: file.stat().st_mtime_ns, default=None)
        manifest = manifest_of(job, node)
        if log is None or manifest is None or op.tags.get(OBSERVABILITY_TAG, "per_model") != "per_model":
            return None
        tail = LogTail(log)
        next(tail.read(None), None)
        if tail.invocation_id is None:
            return None
        call = DbtCall(
            scope,
            tail.invocation_id,
            manifest,
            project_dir=NO_FOLDER,  # told when a node begins
            target_path=log.parent,
            command="",
            op_name=op.name,
            partition=scope.run.partition,
        )
        return cls(call, log)

    @property
    def last_heard_of(self) -> int:
        """When dbt wrote to its log last, nanoseconds since 1970."""
        return self.log.stat().st_mtime_ns

    def replay(self) -> tuple[list[Record], list[Record]]:
        """What the call has told of its nodes, and the ends of those that it had begun."""
        lifecycle = NodeLifecycle(self.call)
        told = [record for event in LogTail(self.log).read(self.call.invocation_id) for record in lifecycle.take(event)]
        return told, list(lifecycle.close(at=self.last_heard_of, outcome=Outcome.FAILED))
