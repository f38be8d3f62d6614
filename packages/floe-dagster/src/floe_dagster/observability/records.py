"""What happens in a run, as facts: who observes makes spans or lineage events of them.

Nothing here knows Dagster, dbt, OpenTelemetry or OpenLineage. Times are nanoseconds since 1970, UTC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

KeyPath: TypeAlias = tuple[str, ...]
Manifest: TypeAlias = Mapping[str, Any]


class Outcome(StrEnum):
    """How a piece of work ended."""

    SUCCEEDED = "succeeded"
    WARNED = "warned"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class ErrorFact:
    """Why something failed: the user's own error where there is one."""

    type: str
    message: str
    stack: str = ""


@dataclass(frozen=True, slots=True)
class RunScope:
    """One Dagster run."""

    run_id: str
    job_name: str
    parent_run_id: str | None = None
    """The run that this one repeats."""
    backfill_id: str | None = None
    backfill_origin: Sequence[str] = ()
    """What tells it from others of its name, the project and the round; nothing where its id is like no other."""
    traceparent: str | None = None
    """W3C trace context that the run was launched with: its trace goes on in this run."""
    partition: str | None = None
    """The partition key, or `first...last` of a range."""


@dataclass(frozen=True, slots=True)
class StepScope:
    """One attempt at a step."""

    run: RunScope
    step_key: str
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run begins to carry out its steps."""

    scope: RunScope
    at: int


@dataclass(frozen=True, slots=True)
class RunEnded:
    """All steps of a run have ended, or whoever carries them out was told to stop."""

    scope: RunScope
    started_at: int
    at: int
    outcome: Outcome
    error: ErrorFact | None = None


@dataclass(frozen=True, slots=True)
class StepStarted:
    """An attempt at a step begins.

    `builds_dbt` says that its assets are nodes of dbt, which are observed one by one.
    """

    scope: StepScope
    at: int
    assets: Sequence[KeyPath] = ()
    checks: Sequence[tuple[KeyPath, str]] = ()
    builds_dbt: bool = False


@dataclass(frozen=True, slots=True)
class StepEnded:
    """An attempt at a step has ended."""

    scope: StepScope
    started_at: int
    at: int
    outcome: Outcome
    error: ErrorFact | None = None
    assets: Sequence[KeyPath] = ()
    checks: Sequence[tuple[KeyPath, str]] = ()
    builds_dbt: bool = False
    because: Sequence[str] = ()
    """What has failed, where it was skipped for that."""


@dataclass(frozen=True, slots=True)
class CheckFact:
    """What an asset check found."""

    asset: KeyPath
    name: str
    passed: bool
    severity: str
    """`ERROR` or `WARN`."""
    description: str = ""


@dataclass(frozen=True, slots=True)
class AssetStarted:
    """The step that computes an asset begins, or the first of several; assets of dbt have nodes instead."""

    scope: StepScope
    asset: KeyPath
    at: int
    partition: str | None = None
    window: tuple[datetime, datetime] | None = None


@dataclass(frozen=True, slots=True)
class AssetEnded:
    """An asset was materialised, or will not be any more in this attempt."""

    scope: StepScope
    asset: KeyPath
    started_at: int
    at: int
    outcome: Outcome
    error: ErrorFact | None = None
    partition: str | None = None
    window: tuple[datetime, datetime] | None = None
    rows: int | None = None
    columns: Sequence[tuple[str, str]] = ()
    """Names and types, where the materialisation tells."""
    column_lineage: Mapping[str, Sequence[tuple[KeyPath, str]]] = field(default_factory=dict)
    """Column → columns of upstream assets that it comes from, where the materialisation tells."""
    location: str | None = None
    """Where its table is stored, where the materialisation tells."""
    checks: Sequence[CheckFact] = ()
    of_graph: bool = False
    """Whether several steps compute it: it lasts from the beginning of the first of them."""
    because: Sequence[str] = ()
    """What has failed, where it was skipped for that."""


@dataclass(frozen=True, slots=True)
class CheckEnded:
    """A check that is a step of its own, beside the assets, has been carried out."""

    scope: StepScope
    check: CheckFact
    started_at: int
    at: int


@dataclass(frozen=True, slots=True, eq=False)
class DbtCall:
    """One call of dbt within a step."""

    scope: StepScope
    invocation_id: str
    """Empty of one that did not come about."""
    manifest: Manifest
    project_dir: Path
    target_path: Path
    command: str
    per_node: bool = True
    """Whether its nodes are observed one by one (`per_model`), or the call as a whole (`job_level`)."""
    op_name: str = ""
    partition: str | None = None
    window: tuple[datetime, datetime] | None = None


@dataclass(frozen=True, slots=True)
class CallStarted:
    """dbt was started."""

    call: DbtCall
    at: int


@dataclass(frozen=True, slots=True)
class CallEnded:
    """dbt has ended."""

    call: DbtCall
    started_at: int
    at: int
    outcome: Outcome
    error: ErrorFact | None = None
    built: Sequence[str] = ()
    """Unique ids of the nodes that were carried out or skipped."""


@dataclass(frozen=True, slots=True)
class NodeStarted:
    """dbt begins a model, seed, snapshot, test or another node of its graph."""

    call: DbtCall
    unique_id: str
    at: int


@dataclass(frozen=True, slots=True)
class NodeEnded:
    """dbt has ended a node; `started_at` and `at` are dbt's own times."""

    call: DbtCall
    unique_id: str
    started_at: int
    at: int
    outcome: Outcome
    status: str
    """dbt's word: success, pass, warn, error, fail, skipped, partial success; `cancelled` where dbt was interrupted."""
    error: ErrorFact | None = None
    thread: str = ""
    rows: int | None = None
    """Rows that the adapter says were affected."""
    failures: int | None = None
    """Rows that a test found."""
    adapter_response: Mapping[str, Any] = field(default_factory=dict)
    compile_seconds: float | None = None
    execute_seconds: float | None = None
    because: Sequence[str] = ()
    """What has failed, where it was skipped for that."""


@dataclass(frozen=True, slots=True)
class BatchEnded:
    """One batch of a microbatch model has ended; the model itself ends after all of them."""

    call: DbtCall
    unique_id: str
    batch: int
    """Counted from 0, in the order in which they began."""
    started_at: int
    at: int
    outcome: Outcome
    status: str
    error: ErrorFact | None = None


Record: TypeAlias = (
    RunStarted
    | RunEnded
    | StepStarted
    | StepEnded
    | AssetStarted
    | AssetEnded
    | CheckEnded
    | CallStarted
    | CallEnded
    | NodeStarted
    | NodeEnded
    | BatchEnded
)
